//! RDP (MS-RDPBCGR): negotiation and introductions in clear, TLS through the TLS reader, the logon from the session's shape.
//! One row a connection.

mod gcc;
mod login;
mod names;
#[cfg(test)]
mod tests;

use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape, tls};
use crate::model::event::{Rdp, X509};
use crate::model::{Dir, Event, Proto, Ts};
use login::Counted;

/// How RDP is recognised and read.
pub const PROTOCOL: Protocol = Protocol { name: "rdp", over: &[Proto::Tcp], probe, make: |conn| Box::new(Connection::new(conn)) };

/// Longest packet: the length has two bytes.
const PACKET_MAX: usize = 1 << 16;
/// Messages counted.
const INPUT_MAX: u32 = 10_000;

/// The part of a COTP connection request or confirm (RFC 905 13.3) after its fixed fields, in a TPKT (RFC 1006).
fn cotp_connect(bytes: &[u8]) -> Option<&[u8]> {
    let [3, 0, high, low, length, 0xe0 | 0xd0, _, _, _, _, _, variable @ ..] = bytes else { return None };
    (u16::from_be_bytes([*high, *low]) == u16::from(*length) + 5).then_some(variable)
}

/// A connection request or confirm (MS-RDPBCGR 2.2.1).
fn probe(probe: &Probe<'_>) -> Answer {
    let bytes = probe.bytes;
    if bytes.len() < 11 {
        return if [3, 0].starts_with(bytes.get(..2).unwrap_or(bytes)) { Answer::Unsure } else { Answer::NotForUs };
    }
    let Some(variable) = cotp_connect(bytes) else { return Answer::NotForUs };
    let announced = usize::from(bytes[2]) << 8 | usize::from(bytes[3]);
    match variable {
        [b'C', b'o', b'o', b'k', b'i', b'e', b':', ..] | [1..=3, _, 8, 0, ..] => Answer::Certain,
        short if short.len() < 7 && bytes.len() < announced => Answer::Unsure,
        [] if [probe.orig_p, probe.resp_p].contains(&3_389) => Answer::Certain,
        _ => Answer::NotForUs,
    }
}

struct Connection {
    row: Box<Rdp>,
    place: Option<(u64, Ts)>,
    sides: [Side; 2],
    /// TLS, once it began.
    tls: Option<Box<dyn Dissector>>,
    hello_seen: bool,
    /// CredSSP was chosen.
    credssp: bool,
    /// Both have introduced themselves: what follows is the session.
    introduced: bool,
    ended: bool,
    said: bool,
    conn: crate::model::Conn,
}

#[derive(Default)]
struct Side {
    buffer: Vec<u8>,
    lost: bool,
    counted: Counted,
}

impl Connection {
    fn new(conn: &crate::model::Conn) -> Self {
        Self {
            row: Box::default(),
            place: None,
            sides: Default::default(),
            tls: None,
            hello_seen: false,
            credssp: false,
            introduced: false,
            ended: false,
            said: false,
            conn: *conn,
        }
    }

    /// Packets off the buffer of a side.
    fn packets(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        while let Some(packet) = self.sides[chunk.dir.index()].next() {
            if let [3, 0, _, _, rest @ ..] = packet.as_slice() {
                self.packet(rest, chunk, out);
            } else {
                self.input(chunk.dir);
            }
        }
    }

    fn input(&mut self, dir: Dir) {
        if dir == Dir::Orig && self.introduced && self.row.input_pkts < INPUT_MAX {
            self.row.input_pkts += 1;
        }
    }

    /// One packet without its TPKT header.
    fn packet(&mut self, bytes: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        match bytes {
            [_, 0xe0, _, _, _, _, _, request @ ..] => self.request(request),
            [_, 0xd0, _, _, _, _, _, confirm @ ..] => self.confirm(confirm),
            [2, 0xf0, _, message @ ..] => self.message(message, chunk, out),
            _ => {}
        }
    }

    /// Cookie or routing token, then what security the client wants.
    fn request(&mut self, request: &[u8]) {
        let line = memchr::memmem::find(request, b"\r\n").map(|end| request.split_at(end));
        let (text, rest) = line.map_or((&[][..], request), |(text, rest)| (text, rest.get(2..).unwrap_or_default()));
        self.row.cookie = Some(String::new());
        if let Some(user) = text.strip_prefix(b"Cookie: mstshash=") {
            self.row.cookie = Some(escape(user, 512));
        } else if !text.is_empty() {
            self.row.routing_token = Some(escape(text, 512));
        }
        if let [1, _, 8, 0, protocols @ ..] = rest {
            self.row.requested_protocols = protocols.first_chunk().map(|protocols| u32::from_le_bytes(*protocols));
        }
    }

    fn confirm(&mut self, confirm: &[u8]) {
        let [kind @ (2 | 3), _, 8, 0, number @ ..] = confirm else {
            self.row.security_protocol = Some(names::security(0));
            return;
        };
        let Some(number) = number.first_chunk().map(|number| u32::from_le_bytes(*number)) else { return };
        if *kind == 3 {
            self.row.result = Some(names::failure(number));
            return;
        }
        self.row.security_protocol = Some(names::security(number));
        self.credssp = matches!(number, 2 | 8);
        if number != 0 {
            self.row.result = Some("encrypted".to_owned());
        }
    }

    /// A message of MCS (T.125).
    fn message(&mut self, message: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        match message {
            // Connect-Initial and Connect-Response.
            [0x7f, 0x65 | 0x66, ..] => {
                let mut certificates: Vec<X509> = Vec::new();
                gcc::read(message, &mut self.row, &mut certificates, chunk.ts_ns);
                for certificate in certificates {
                    out.say(chunk.frame, chunk.ts_ns, Event::X509(Box::new(certificate)));
                }
                if message[1] == 0x66 {
                    let result = message.windows(3).take(8).find(|part| part.starts_with(&[0x0a, 1])).map(|part| part[2]);
                    self.row.result = result.map(names::result);
                    self.introduced = true;
                }
            }
            // SendDataIndication: user, channel, priority, length, then the flags of the security header.
            [0x68, _, _, _, _, _, rest @ ..] => {
                let behind = rest.get(if rest.first().is_some_and(|length| length & 0x80 != 0) { 2 } else { 1 }..);
                self.row.licence_seen |= matches!(behind, Some([flags, _, _, _, ..]) if flags & 0x80 != 0);
            }
            [0x64, ..] => self.input(chunk.dir),
            _ => {}
        }
    }

    /// Bytes of TLS go to its reader as long as it wants them, and are counted.
    fn encrypted(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let conn = self.conn;
        let reader = self.tls.get_or_insert_with(|| (tls::PROTOCOL.make)(&conn));
        if reader.wants(chunk.dir) {
            reader.data(chunk, out);
        }
        let counted = &mut self.sides[chunk.dir.index()].counted;
        counted.data(chunk.bytes);
        if chunk.cut > 0 {
            counted.gap(u64::from(chunk.cut));
        }
        self.row.input_pkts = self.sides[0].counted.records.min(INPUT_MAX);
    }

    fn say(&mut self, out: &mut Out) {
        let Some((frame, ts_ns)) = self.place.filter(|_| !self.said) else { return };
        self.said = true;
        let row = &mut self.row;
        let [client, server] = &self.sides;
        (row.auth_success, row.auth_evidence) = match () {
            () if row.result.as_deref().is_some_and(|result| !matches!(result, "Success" | "encrypted")) => {
                (None, "the server refused the negotiation".to_owned())
            }
            () if self.tls.is_none() && row.licence_seen => {
                (None, "credentials were taken; whether they are right shows on the screen only".to_owned())
            }
            () if self.tls.is_none() => (None, "no session was set up".to_owned()),
            () if self.credssp => login::credssp(&client.counted, &server.counted, self.ended),
            () => (None, "without CredSSP the logon is a picture".to_owned()),
        };
        out.say(frame, ts_ns, Event::Rdp(Box::new(std::mem::take(row))));
    }
}

impl Side {
    /// The next whole packet: TPKT or fast path (MS-RDPBCGR 2.2.8.1.2).
    fn next(&mut self) -> Option<Vec<u8>> {
        let length = match *self.buffer.as_slice() {
            [3, 0, high, low, ..] => usize::from(u16::from_be_bytes([high, low])),
            [3, ..] | [] | [_] => return None,
            [_, short, ..] if short & 0x80 == 0 => usize::from(short),
            [_, high, low, ..] => usize::from(u16::from_be_bytes([high & 0x7f, low])),
            _ => return None,
        };
        if length < 2 {
            self.lost = true;
            self.buffer.clear();
            return None;
        }
        if self.buffer.len() < length {
            return None;
        }
        let rest = self.buffer.split_off(length);
        Some(std::mem::replace(&mut self.buffer, rest))
    }
}

impl Dissector for Connection {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        self.place.get_or_insert((chunk.frame, chunk.ts_ns));
        let chosen = self.row.result.as_deref() == Some("encrypted") && chunk.bytes.first() == Some(&22);
        self.hello_seen |= chosen || tls::is_hello(chunk.bytes);
        if self.hello_seen {
            self.encrypted(chunk, out);
            return;
        }
        let side = &mut self.sides[chunk.dir.index()];
        if side.lost {
            // Packets begin where segments do, more often than not.
            side.lost = !chunk.bytes.starts_with(&[3, 0]);
        }
        if !side.lost && side.buffer.len() < PACKET_MAX {
            side.buffer.extend_from_slice(chunk.bytes);
            self.packets(chunk, out);
        }
        if chunk.cut > 0 {
            self.gap(chunk.dir, u64::from(chunk.cut), out);
        }
    }

    fn gap(&mut self, dir: Dir, missing: u64, out: &mut Out) {
        if let Some(tls) = &mut self.tls {
            tls.gap(dir, missing, out);
            self.sides[dir.index()].counted.gap(missing);
            return;
        }
        let side = &mut self.sides[dir.index()];
        side.lost = true;
        let left = std::mem::take(&mut side.buffer);
        // Half an introduction still tells a name.
        if let ([3, 0, _, _, 2, 0xf0, _, 0x7f, 0x65 | 0x66, ..], Some((_, ts_ns))) = (left.as_slice(), self.place) {
            gcc::read(&left, &mut self.row, &mut Vec::new(), ts_ns);
        }
    }

    fn fin(&mut self, dir: Dir, out: &mut Out) {
        self.ended = true;
        if let Some(tls) = &mut self.tls {
            tls.fin(dir, out);
        }
    }

    fn end(&mut self, out: &mut Out) {
        if let Some(tls) = &mut self.tls {
            tls.end(out);
        }
        self.say(out);
    }

    fn confirmed(&self) -> bool {
        self.place.is_some()
    }

    fn service(&self, name: &'static str) -> &'static str {
        if self.tls.as_ref().is_some_and(|tls| tls.confirmed()) { "rdp,ssl" } else { name }
    }

    fn wants(&self, _dir: Dir) -> bool {
        self.row.input_pkts < INPUT_MAX
    }
}
