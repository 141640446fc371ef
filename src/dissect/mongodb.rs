//! MongoDB's wire protocol: commands in OP_MSG and OP_QUERY with their answers, logins, and whom the client says to be.

mod bson;
#[cfg(test)]
mod tests;

use super::messages::{Fields, Framed, Length, Speaker};
use super::{Answer, Chunk, Out, Probe, Protocol, escape, login};
use crate::model::{Dir, Event, Proto, Ts, event::Mongodb};
use bson::{Document, Element};
use std::collections::BTreeMap;

/// How MongoDB is recognised and read.
pub const PROTOCOL: Protocol =
    Protocol { name: "mongodb", over: &[Proto::Tcp], probe, make: |conn| Box::new(Framed::new(conn, Session::default())) };

/// Bytes kept of a message: the command stands first.
const MESSAGE_MAX: usize = 16_384;
/// The largest message of the protocol.
const BELIEVED_MAX: u32 = 48_000_000;
/// Commands that wait for their answer.
const PENDING_MAX: usize = 256;
/// Bytes of a name.
const NAME_MAX: usize = 256;

/// Operations of the wire protocol.
mod op {
    pub const REPLY: u32 = 1;
    pub const QUERY: u32 = 2_004;
    pub const COMPRESSED: u32 = 2_012;
    pub const MSG: u32 = 2_013;
}

fn probe(probe: &Probe<'_>) -> Answer {
    let home = [probe.orig_p, probe.resp_p].contains(&27_017);
    let mut fields = Fields(probe.bytes);
    match (fields.le32(), fields.le32(), fields.le32(), fields.le32()) {
        (Some(16..BELIEVED_MAX), Some(_), Some(answered), Some(op::QUERY | 2_010..=op::MSG)) => {
            if probe.dir == Dir::Resp || answered == 0 {
                Answer::Certain
            } else {
                Answer::NotForUs
            }
        }
        (Some(36..BELIEVED_MAX), _, Some(_), Some(op::REPLY)) if probe.dir == Dir::Resp && home => Answer::Certain,
        (Some(16..BELIEVED_MAX), _, _, None) if home => Answer::Unsure,
        _ => Answer::NotForUs,
    }
}

#[derive(Default)]
struct Session {
    /// By request id.
    pending: BTreeMap<u32, (Box<Mongodb>, (u64, Ts))>,
    application: Option<String>,
    seen: bool,
}

impl Speaker for Session {
    const MOST: usize = MESSAGE_MAX;

    fn length(&self, _dir: Dir, bytes: &[u8]) -> Length {
        let mut fields = Fields(bytes);
        match (fields.le32(), fields.take(8).and_then(|_| fields.le32())) {
            (Some(length @ 16..BELIEVED_MAX), Some(1 | 2_001..=2_013)) => Length::Is(length as usize),
            (Some(16..BELIEVED_MAX) | None, None) => Length::More,
            _ => Length::Wrong,
        }
    }

    fn message(&mut self, message: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let mut fields = Fields(message);
        let (Some(_), Some(id), Some(answers), Some(code)) = (fields.le32(), fields.le32(), fields.le32(), fields.le32()) else { return };
        self.seen = true;
        match chunk.dir {
            Dir::Orig => self.request(id, code, fields, chunk, out),
            Dir::Resp => self.answer(answers, code, fields, chunk, out),
        }
    }

    fn end(&mut self, out: &mut Out) {
        let mut left: Vec<_> = std::mem::take(&mut self.pending).into_values().collect();
        left.sort_by_key(|(_, place)| *place);
        left.into_iter().for_each(|(row, place)| say(row, place, out));
    }

    fn confirmed(&self) -> bool {
        self.seen
    }
}

impl Session {
    fn request(&mut self, id: u32, code: u32, mut fields: Fields<'_>, chunk: &Chunk<'_>, out: &mut Out) {
        let mut row = Mongodb { opcode: opcode(code), ..Mongodb::default() };
        match code {
            op::MSG => {
                fields.le32();
                // The section of kind 0 is the command; documents in sections of kind 1 belong to it.
                while let Some(kind) = fields.u8() {
                    if kind == 0 {
                        self.command(Document(fields.0), &mut row);
                        break;
                    }
                    let Some(length) = fields.le32().and_then(|length| usize::try_from(length).ok()) else { break };
                    if fields.take(length.saturating_sub(4)).is_none() {
                        break;
                    }
                }
            }
            op::QUERY => {
                fields.le32();
                let name = escape(fields.until_zero().unwrap_or_default(), NAME_MAX);
                let (database, collection) = name.split_once('.').map_or((name.as_str(), ""), |pair| pair);
                row.database = Some(database.to_owned());
                fields.take(8);
                if collection == "$cmd" {
                    self.command(Document(fields.0), &mut row);
                } else {
                    (row.command, row.collection) = (Some("find".to_owned()), Some(collection.to_owned()));
                }
            }
            2_001 | 2_002 | 2_005 | 2_006 => {
                fields.le32();
                let name = escape(fields.until_zero().unwrap_or_default(), NAME_MAX);
                if let Some((database, collection)) = name.split_once('.') {
                    (row.database, row.collection) = (Some(database.to_owned()), Some(collection.to_owned()));
                }
            }
            _ => {}
        }
        row.application.clone_from(&self.application);
        let place = (chunk.frame, chunk.ts_ns);
        let answered = matches!(code, op::MSG | op::QUERY | op::COMPRESSED | 2_005);
        if !answered || self.pending.len() >= PENDING_MAX {
            say(Box::new(row), place, out);
        } else if let Some((old, place)) = self.pending.insert(id, (Box::new(row), place)) {
            say(old, place, out);
        }
    }

    /// The first element names the command, its text the collection.
    fn command(&mut self, document: Document<'_>, row: &mut Mongodb) {
        for (at, (name, element)) in document.elements().enumerate() {
            let text = || if let Element::Text(text) = element { Some(escape(text, NAME_MAX)) } else { None };
            match name {
                _ if at == 0 => {
                    row.command = Some(escape(name, NAME_MAX));
                    row.collection = text();
                }
                b"$db" => row.database = text(),
                b"mechanism" => row.mechanism = text(),
                b"user" => row.user = text(),
                b"payload" => row.user = row.user.take().or(scram_user(&element)),
                b"client" => self.application = client(&element).or(self.application.take()),
                b"speculativeAuthenticate" => {
                    if let Element::Document(inner) = element {
                        for (name, element) in inner.elements() {
                            match (name, &element) {
                                (b"mechanism", Element::Text(text)) => row.mechanism = Some(escape(text, NAME_MAX)),
                                (b"payload", _) => row.user = row.user.take().or(scram_user(&element)),
                                _ => {}
                            }
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn answer(&mut self, answers: u32, code: u32, mut fields: Fields<'_>, chunk: &Chunk<'_>, out: &mut Out) {
        let Some((mut row, place)) = self.pending.remove(&answers) else { return };
        let document = match code {
            op::MSG => fields.take(5).map(|_| Document(fields.0)),
            // Flags, cursor, start, number.
            op::REPLY => fields.take(20).map(|_| Document(fields.0)),
            _ => None,
        };
        row.reply_frame = Some(chunk.frame);
        for (name, element) in document.iter().flat_map(|document| document.elements()) {
            match (name, element) {
                (b"ok", Element::Number(number)) => row.success = Some(number != 0.0),
                (b"errmsg" | b"$err", Element::Text(text)) => row.response = Some(escape(text, 1_024)),
                _ => {}
            }
        }
        say(row, place, out);
    }
}

/// The row, and the login in it.
fn say(row: Box<Mongodb>, (frame, ts_ns): (u64, Ts), out: &mut Out) {
    if row.user.is_some() && matches!(row.command.as_deref(), Some("saslStart" | "authenticate")) {
        let mut login = login::credential("mongodb", row.user.clone(), String::new(), row.success.filter(|success| !success));
        login.realm.clone_from(&row.database);
        out.say(frame, ts_ns, Event::Credential(Box::new(login)));
    }
    out.say(frame, ts_ns, Event::Mongodb(row));
}

/// The user in the first message of SCRAM (RFC 5802 7) or PLAIN (RFC 4616).
fn scram_user(element: &Element<'_>) -> Option<String> {
    let Element::Binary(payload) = element else { return None };
    let user = match payload.strip_prefix(b"\0") {
        Some(plain) => plain.split(|&byte| byte == 0).next()?,
        None => payload.split(|&byte| byte == b',').find_map(|part| part.strip_prefix(b"n="))?,
    };
    Some(escape(user, NAME_MAX))
}

/// `driver nodejs 4.1`, or the name of the application.
fn client(element: &Element<'_>) -> Option<String> {
    let Element::Document(client) = element else { return None };
    let mut found = Vec::new();
    for (name, element) in client.elements() {
        if let (b"application" | b"driver", Element::Document(inner)) = (name, element) {
            let texts =
                inner.elements().filter_map(|(_, element)| if let Element::Text(text) = element { Some(escape(text, 64)) } else { None });
            found.extend(texts.take(2));
        }
    }
    (!found.is_empty()).then(|| found.join(" "))
}

fn opcode(code: u32) -> &'static str {
    match code {
        2_001 => "update",
        2_002 => "insert",
        op::QUERY => "query",
        2_005 => "get_more",
        2_006 => "delete",
        2_007 => "kill_cursors",
        2_010 => "command",
        2_011 => "command_reply",
        op::COMPRESSED => "compressed",
        op::MSG => "msg",
        _ => "",
    }
}
