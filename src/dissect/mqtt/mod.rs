//! MQTT 3.1, 3.1.1 and 5: who connects, what is published and subscribed to, with Zeek's rows.

mod packet;
#[cfg(test)]
mod tests;

use super::messages::{Fields, Framed, Length, Speaker};
use super::{Answer, Chunk, Out, Probe, Protocol, escape, login};
use crate::model::event::{MqttConnect, MqttPublish, MqttSubscribe};
use crate::model::{Dir, Event, Proto, Ts};
use packet::{properties, remaining, status, text, version};
use std::collections::BTreeMap;

/// How MQTT is recognised and read.
pub const PROTOCOL: Protocol =
    Protocol { name: "mqtt", over: &[Proto::Tcp], probe, make: |conn| Box::new(Framed::new(conn, Session::default())) };

/// Bytes of a packet that are kept: topic and first bytes of a message.
const PACKET_MAX: usize = 8_192;
/// Bytes of a payload in a row, as Zeek's `max_payload_size`.
const PAYLOAD_MAX: usize = 100;
/// Bytes of a name or topic.
const TEXT_MAX: usize = 1_024;
/// Messages and subscriptions that wait for their acknowledgement.
const PENDING_MAX: usize = 1_024;
/// Topics of one subscription.
const TOPICS_MAX: usize = 64;

/// CONNECT by its protocol's name; on the broker's port also what may stand in the middle of a session.
fn probe(probe: &Probe<'_>) -> Answer {
    match packet::opens(probe.bytes) {
        Answer::NotForUs if [probe.orig_p, probe.resp_p].contains(&1_883) => packet::in_session(probe.bytes),
        answer => answer,
    }
}

type Place = (u64, Ts);

#[derive(Default)]
struct Session {
    version: u8,
    connect: Option<(Box<MqttConnect>, Option<String>, Place)>,
    /// By direction of the message (`true` from the client) and packet identifier.
    published: BTreeMap<(bool, u16), Published>,
    subscribed: BTreeMap<u16, (Box<MqttSubscribe>, Place)>,
    seen: bool,
}

struct Published {
    row: Box<MqttPublish>,
    place: Place,
    exactly_once: bool,
    received: bool,
    released: bool,
}

impl Speaker for Session {
    const MOST: usize = PACKET_MAX;

    fn length(&self, _dir: Dir, bytes: &[u8]) -> Length {
        packet::length(bytes)
    }

    fn message(&mut self, message: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let Some((&head, rest)) = message.split_first() else { return };
        let Some((all, used)) = remaining(rest) else { return };
        let mut fields = Fields(rest.get(used..).unwrap_or_default());
        self.seen = true;
        let client = chunk.dir == Dir::Orig;
        match head >> 4 {
            1 if client => self.connect(fields, chunk),
            2 if !client => self.accepted(fields, chunk, out),
            3 => self.publish(head, fields, all, chunk, out),
            // Acknowledgements travel against the message; only the release goes with it.
            kind @ (4 | 5 | 7) => self.acknowledge(kind, !client, fields.be16(), out),
            6 => self.acknowledge(6, client, fields.be16(), out),
            8 | 10 if client => self.subscribe(head >> 4 == 8, fields, chunk),
            9 | 11 if !client => {
                let id = fields.be16();
                let last =
                    (head >> 4 == 9).then(|| if self.version >= 5 { properties(&mut fields) } else { &[] }).and(fields.0.last().copied());
                self.subscribed(id, last, out);
            }
            _ => {}
        }
    }

    fn end(&mut self, out: &mut Out) {
        if let Some((row, password, (frame, ts_ns))) = self.connect.take() {
            say_connect(row, password, None, frame, ts_ns, out);
        }
        let unsettled = std::mem::take(&mut self.published).into_values().map(|open| (open.place, Event::MqttPublish(open.row)));
        let unanswered = std::mem::take(&mut self.subscribed).into_values().map(|(row, place)| (place, Event::MqttSubscribe(row)));
        let mut left: Vec<_> = unsettled.chain(unanswered).collect();
        left.sort_by_key(|(place, _)| *place);
        left.into_iter().for_each(|((frame, ts_ns), event)| out.say(frame, ts_ns, event));
    }

    fn confirmed(&self) -> bool {
        self.seen
    }
}

impl Session {
    /// CONNECT (3.1): protocol, version, flags, keep alive, then what the flags say.
    fn connect(&mut self, mut fields: Fields<'_>, chunk: &Chunk<'_>) {
        let mut row = MqttConnect { proto_name: text(&mut fields), ..MqttConnect::default() };
        let (Some(number), Some(flags)) = (fields.u8(), fields.u8()) else { return };
        // Bridges set the highest bit.
        self.version = number & 0x7f;
        row.proto_version = Some(version(self.version));
        row.keep_alive = fields.be16();
        let five = self.version >= 5;
        if five {
            properties(&mut fields);
        }
        row.client_id = text(&mut fields);
        if flags & 4 != 0 {
            if five {
                properties(&mut fields);
            }
            row.will_topic = text(&mut fields);
            row.will_payload = fields.counted16().map(|will| escape(will, TEXT_MAX));
        }
        row.username = if flags & 0x80 != 0 { text(&mut fields) } else { None };
        let password = if flags & 0x40 != 0 { text(&mut fields) } else { None };
        self.connect = Some((Box::new(row), password, (chunk.frame, chunk.ts_ns)));
    }

    fn accepted(&mut self, mut fields: Fields<'_>, chunk: &Chunk<'_>, out: &mut Out) {
        let (_flags, code) = (fields.u8(), fields.u8());
        let (mut row, password, (frame, ts_ns)) = self.connect.take().unwrap_or_else(|| (Box::default(), None, (chunk.frame, chunk.ts_ns)));
        row.connect_status = code.map(|code| status(code, self.version));
        say_connect(row, password, code.map(|code| code == 0), frame, ts_ns, out);
    }

    /// PUBLISH (3.3): topic, identifier where it is to be acknowledged, message.
    fn publish(&mut self, head: u8, mut fields: Fields<'_>, all: usize, chunk: &Chunk<'_>, out: &mut Out) {
        let before = fields.0.len();
        let Some(topic) = text(&mut fields) else { return };
        let quality = head >> 1 & 3;
        let id = if quality > 0 { fields.be16() } else { None };
        if self.version >= 5 {
            properties(&mut fields);
        }
        let (qos, status) = match quality {
            0 => ("at most once", "ok"),
            1 => ("at least once", "incomplete_qos"),
            2 => ("exactly once", "incomplete_qos"),
            _ => ("unknown", "incomplete_qos"),
        };
        let row = Box::new(MqttPublish {
            from_client: chunk.dir == Dir::Orig,
            retain: head & 1 == 1,
            qos,
            status,
            topic,
            payload: escape(fields.0, PAYLOAD_MAX),
            payload_len: (all.saturating_sub(before - fields.0.len())) as u64,
        });
        let place = (chunk.frame, chunk.ts_ns);
        match id {
            Some(id) if self.published.len() < PENDING_MAX => {
                let key = (row.from_client, id);
                let open = Published { row, place, exactly_once: quality == 2, received: false, released: false };
                // Sent again before it was acknowledged: one message, and one row.
                if let Some(old) = self.published.insert(key, open).filter(|old| head & 8 == 0 || old.row.qos != qos) {
                    out.say(old.place.0, old.place.1, Event::MqttPublish(old.row));
                }
            }
            _ => out.say(place.0, place.1, Event::MqttPublish(row)),
        }
    }

    fn acknowledge(&mut self, kind: u8, from_client: bool, id: Option<u16>, out: &mut Out) {
        let Some(key) = id.map(|id| (from_client, id)) else { return };
        let Some(open) = self.published.get_mut(&key) else { return };
        open.received |= kind == 5;
        open.released |= kind == 6;
        let done = match kind {
            4 => !open.exactly_once,
            7 => open.exactly_once && open.received && open.released,
            _ => false,
        };
        if done && let Some(mut open) = self.published.remove(&key) {
            open.row.status = "ok";
            out.say(open.place.0, open.place.1, Event::MqttPublish(open.row));
        }
    }

    /// SUBSCRIBE and UNSUBSCRIBE (3.8, 3.10): identifier, then topics with the quality asked for.
    fn subscribe(&mut self, begins: bool, mut fields: Fields<'_>, chunk: &Chunk<'_>) {
        let Some(id) = fields.be16() else { return };
        if self.version >= 5 {
            properties(&mut fields);
        }
        let action = if begins { "MQTT::SUBSCRIBE" } else { "MQTT::UNSUBSCRIBE" };
        let mut row = MqttSubscribe { action, ..MqttSubscribe::default() };
        while row.topics.len() < TOPICS_MAX
            && let Some(topic) = text(&mut fields)
        {
            row.topics.push(topic);
            if begins && let Some(options) = fields.u8() {
                row.qos_levels.push(options & 3);
            }
        }
        if self.subscribed.len() < PENDING_MAX {
            self.subscribed.insert(id, (Box::new(row), (chunk.frame, chunk.ts_ns)));
        }
    }

    fn subscribed(&mut self, id: Option<u16>, granted: Option<u8>, out: &mut Out) {
        let Some((mut row, (frame, ts_ns))) = id.and_then(|id| self.subscribed.remove(&id)) else { return };
        (row.ack, row.granted_qos_level) = (true, granted);
        out.say(frame, ts_ns, Event::MqttSubscribe(row));
    }
}

/// The row of a connection, and its login.
fn say_connect(row: Box<MqttConnect>, password: Option<String>, success: Option<bool>, frame: u64, ts_ns: Ts, out: &mut Out) {
    if row.username.is_some() || password.is_some() {
        let login = login::credential("mqtt", row.username.clone(), password.unwrap_or_default(), success);
        out.say(frame, ts_ns, Event::Credential(Box::new(login)));
    }
    out.say(frame, ts_ns, Event::MqttConnect(row));
}
