//! STUN and TURN (RFC 5389, RFC 5766; RFC 3489 at home): transactions with the addresses they reveal.

use super::messages::Fields;
use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape, hex};
use crate::model::{Event, Proto, Ts, event::Stun};
use std::net::{IpAddr, SocketAddr};

/// How STUN over UDP is recognised and read; DTLS may follow it in the same flow (RFC 7983).
pub const PROTOCOL: Protocol = Protocol { name: "stun", over: &[Proto::Udp], probe, make: |_| Box::new(Session::default()) };

/// The cookie of RFC 5389.
const COOKIE: u32 = 0x2112_a442;
const HEADER: usize = 20;
/// Rows of a flow: consent is asked for every few seconds.
const ROWS_MAX: u32 = 100;
/// Bytes of a text.
const TEXT_MAX: usize = 256;

/// The cookie in a message whose length fits; without it, as in RFC 3489, at home only.
fn probe(probe: &Probe<'_>) -> Answer {
    // How much was cut off is not known here.
    let sent = if probe.cut { usize::MAX } else { probe.bytes.len() };
    if is_message(probe.bytes, sent, [probe.orig_p, probe.resp_p].contains(&3_478)) { Answer::Certain } else { Answer::NotForUs }
}

/// Whether `sent` bytes that begin so are one.
fn is_message(bytes: &[u8], sent: usize, home: bool) -> bool {
    let mut fields = Fields(bytes);
    let (Some(kind), Some(length), Some(cookie)) = (fields.be16(), fields.be16(), fields.be32()) else { return false };
    let whole = usize::from(length) + HEADER;
    let new = cookie == COOKIE && whole <= sent;
    let old = home && kind & 0xfeee == 0 && whole == sent;
    kind < 0x4000 && length % 4 == 0 && (new || old)
}

#[derive(Default)]
struct Session {
    open: Option<(Box<Stun>, (u64, Ts))>,
    rows: u32,
    seen: bool,
}

impl Session {
    fn say(&mut self, out: &mut Out) {
        if let Some((row, (frame, ts_ns))) = self.open.take()
            && self.rows < ROWS_MAX
        {
            self.rows += 1;
            out.say(frame, ts_ns, Event::Stun(row));
        }
    }
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        // Media and DTLS share the flow: what is no message is theirs.
        if !is_message(chunk.bytes, chunk.bytes.len() + chunk.cut as usize, true) {
            return;
        }
        self.seen = true;
        let Some(row) = read(chunk.bytes) else { return };
        match &mut self.open {
            Some((asked, _)) if asked.trans_id == row.trans_id && asked.method == row.method => {
                if matches!(row.class, "success" | "error") {
                    answer(asked, row, chunk.frame);
                    self.say(out);
                }
            }
            _ => {
                self.say(out);
                self.open = Some((Box::new(row), (chunk.frame, chunk.ts_ns)));
            }
        }
    }

    fn end(&mut self, out: &mut Out) {
        self.say(out);
    }

    fn confirmed(&self) -> bool {
        self.seen
    }
}

/// What the answer adds to the request.
fn answer(asked: &mut Stun, row: Stun, frame: u64) {
    asked.class = row.class;
    asked.mapped_address = row.mapped_address.or(asked.mapped_address.take());
    asked.relayed_address = row.relayed_address;
    asked.software = asked.software.take().or(row.software);
    asked.realm = row.realm.or(asked.realm.take());
    asked.error = row.error;
    asked.reply_frame = Some(frame);
}

fn read(bytes: &[u8]) -> Option<Stun> {
    let mut fields = Fields(bytes);
    let (kind, length) = (fields.be16()?, fields.be16()?);
    let id = fields.take(16)?;
    let (method, class) = names(kind);
    let mut row = Stun { method, class, trans_id: hex(id.get(4..)?), ..Stun::default() };
    let mut attributes = Fields(fields.0.get(..usize::from(length)).unwrap_or(fields.0));
    while let (Some(kind), Some(length)) = (attributes.be16(), attributes.be16()) {
        let Some(value) = attributes.take(usize::from(length).min(attributes.0.len())) else { break };
        attributes.take((4 - usize::from(length) % 4) % 4);
        match kind {
            0x0001 => row.mapped_address = row.mapped_address.or(address(value, None)),
            0x0020 | 0x8020 => row.mapped_address = address(value, Some(id)),
            0x0016 => row.relayed_address = address(value, Some(id)),
            0x0012 => row.peer_address = address(value, Some(id)),
            0x0006 => row.username = Some(escape(value, TEXT_MAX)),
            0x0014 => row.realm = Some(escape(value, TEXT_MAX)),
            0x8022 => row.software = Some(escape(value, TEXT_MAX)),
            0x0009 => row.error = error(value),
            _ => {}
        }
    }
    Some(row)
}

/// The method's bits stand around those of the class (RFC 5389 6).
fn names(kind: u16) -> (String, &'static str) {
    let method = kind & 0xf | kind >> 1 & 0x70 | kind >> 2 & 0xf80;
    let class = match (kind >> 4 & 1, kind >> 8 & 1) {
        (0, 0) => "request",
        (1, 0) => "indication",
        (0, _) => "success",
        _ => "error",
    };
    let name = match method {
        0x001 => "binding",
        0x002 => "shared_secret",
        0x003 => "allocate",
        0x004 => "refresh",
        0x006 => "send",
        0x007 => "data",
        0x008 => "create_permission",
        0x009 => "channel_bind",
        0x00a => "connect",
        0x00b => "connection_bind",
        0x00c => "connection_attempt",
        _ => return (format!("unknown-{method}"), class),
    };
    (name.to_owned(), class)
}

/// Family, port, address; combined with cookie and transaction id where `id` is given (RFC 5389 15.2).
fn address(value: &[u8], id: Option<&[u8]>) -> Option<String> {
    let mut fields = Fields(value);
    let (_, family, port) = (fields.u8()?, fields.u8()?, fields.be16()?);
    let mask = id.unwrap_or(&[0; 16]);
    let port = port ^ mask.first_chunk().map_or(0, |mask| u16::from_be_bytes(*mask));
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(fields.0.iter().zip(mask)).for_each(|(byte, (value, mask))| *byte = value ^ mask);
    let host = match (family, fields.0.len()) {
        (1, 4..) => IpAddr::from([bytes[0], bytes[1], bytes[2], bytes[3]]),
        (2, 16..) => IpAddr::from(bytes),
        _ => return None,
    };
    Some(SocketAddr::new(host, port).to_string())
}

fn error(value: &[u8]) -> Option<String> {
    let [_, _, class, number, words @ ..] = value else { return None };
    Some(format!("{} {}", u16::from(*class & 7) * 100 + u16::from(*number), escape(words, TEXT_MAX)).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::{conn, down, play, said, up};
    use crate::model::{AppEvent, Dir};
    use proptest::prelude::*;

    const ID: &[u8] = b"abcdefghijkl";

    fn message(kind: u16, attributes: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes()[..], &(attributes.len() as u16).to_be_bytes(), &COOKIE.to_be_bytes(), ID, attributes].concat()
    }

    #[test]
    fn a_transaction_is_one_row_with_the_mapped_address() {
        let answer = [0, 0x20, 0, 8, 0, 1, 0x21 ^ 0x12, 0x12 ^ 0x34, 0x21 ^ 192, 0x12, 0xa4 ^ 2, 0x42 ^ 7];
        let steps = [up(message(1, b"\x80\x22\0\x03abc\0")), down(message(0x0101, &answer)), up(message(0x0011, &[]))];
        let (events, service) = play(conn(Proto::Udp, 19_302), &steps);
        let rows: Vec<_> = events.iter().filter_map(|event| if let Event::Stun(row) = &event.event { Some(row) } else { None }).collect();
        assert_eq!((rows.len(), service, rows[0].method.as_str(), rows[0].class), (2, "stun", "binding", "success"));
        assert_eq!((rows[0].mapped_address.as_deref(), rows[0].software.as_deref()), (Some("192.0.2.7:4660"), Some("abc")));
        assert_eq!((rows[1].class, rows[0].reply_frame), ("indication", Some(2)));
    }

    #[test]
    fn a_message_of_which_the_end_was_cut_off_is_one_all_the_same() {
        let whole = message(1, b"\x80\x22\0\x03abc\0\0\x06\0\x08name:pwd");
        let (mut conversation, mut events) = (crate::dissect::Conversation::new(conn(Proto::Udp, 19_302)), Vec::new());
        let (bytes, rest) = whole.split_at(30);
        conversation.data(&Chunk { dir: Dir::Orig, bytes, cut: rest.len() as u32, frame: 1, ts_ns: 1 }, &mut events);
        conversation.end(&mut events);
        let software = |event: &AppEvent| if let Event::Stun(row) = &event.event { row.software.clone() } else { None };
        assert_eq!((events.iter().filter_map(software).collect::<Vec<_>>(), conversation.service()), (vec!["abc".to_owned()], "stun"));
    }

    #[test]
    fn dtls_follows_in_the_same_flow() {
        let hello = [&[1, 0, 0, 42, 0, 0, 0, 0, 0, 0, 0, 42, 0xfe, 0xfd][..], &[7; 32], &[0, 0, 0, 2, 0xc0, 0x2b, 1, 0]].concat();
        let record = [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, hello.len() as u8][..], &hello].concat();
        assert_eq!(play(conn(Proto::Udp, 19_302), &[up(message(1, &[])), up(record), down(message(0x0101, &[]))]).1, "dtls");
    }

    #[test]
    fn refusals_keep_their_words() {
        let events = said(conn(Proto::Udp, 3_478), &[up(message(3, &[])), down(message(0x0113, b"\0\x09\0\x10\0\0\x04\x01Unauthorized"))]);
        assert!(matches!(&events[0], Event::Stun(row) if row.error.as_deref() == Some("401 Unauthorized")), "{events:?}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..120), kind in 0u16..0x200) {
            let padded: Vec<u8> = noise.iter().copied().chain(std::iter::repeat_n(0, (4 - noise.len() % 4) % 4)).collect();
            prop_assert!(said(conn(Proto::Udp, 3_478), &[up(message(kind, &padded)), down(&noise)]).len() <= 2);
        }
    }
}
