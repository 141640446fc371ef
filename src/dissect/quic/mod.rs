//! QUIC as far as it is in clear: Initial packets, whose keys anybody can derive (RFC 9000, 9001, 9369, the drafts, Google's own),
//! with the TLS hellos inside; of everything else the headers.

mod frames;
mod google;
mod header;
mod keys;
mod stream;

use super::tls::bytes;
use super::tls::carried::Handshake;
use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, hex};
use crate::model::{Dir, Event, Proto, Ts, event::Quic};
use bytes::Bytes;
use frames::Frame;
use header::{Kind, Long, Version, varint};
use keys::Keys;
use stream::Stream;

/// How QUIC is recognised and read.
pub const PROTOCOL: Protocol = Protocol { name: "quic", over: &[Proto::Udp], probe, make: |_| Box::new(Connection::default()) };

/// Letters of `history` (Zeek's `max_history_length`).
const HISTORY_MAX: usize = 100;
/// Packets that no key opens before nobody tries any more.
const FAILURES_MAX: u32 = 64;
/// Versions listed of a version negotiation.
const VERSIONS_MAX: usize = 32;

fn probe(probe: &Probe<'_>) -> Answer {
    let long = Long::read(probe.bytes).is_some_and(|long| long.is_convincing(probe.bytes.len()));
    let old = probe.bytes.len() > 20 && google::old_header(probe.bytes).is_some();
    if long || old { Answer::Certain } else { Answer::NotForUs }
}

#[derive(Default)]
struct Connection {
    row: Quic,
    place: Option<(u64, Ts)>,
    version: Option<Version>,
    /// Who sent the first Initial that opened, if one did.
    client: Option<Dir>,
    keys: Option<Keys>,
    /// Connection id that the keys come from.
    keyed_by: Vec<u8>,
    failures: u32,
    crypto: [Stream; 2],
    tls: Handshake,
    /// A hello was read in this flow: it carries TLS.
    has_tls: bool,
    short: [u64; 2],
    /// The last row ended with a close: its stragglers open none.
    closed: Option<String>,
}

impl Connection {
    fn is_client(&self, dir: Dir) -> bool {
        dir == self.client.unwrap_or(Dir::Orig)
    }

    fn letter(&mut self, dir: Dir, letter: char) {
        if self.row.history.len() < HISTORY_MAX {
            self.row.history.push(if self.is_client(dir) { letter } else { letter.to_ascii_lowercase() });
        }
    }

    /// One packet off the datagram; `None` where the rest is none.
    fn packet<'a>(&mut self, datagram: &'a [u8], chunk: &Chunk<'_>, out: &mut Out) -> Option<&'a [u8]> {
        let Some(long) = Long::read(datagram) else {
            self.no_long_header(datagram, chunk);
            return None;
        };
        if self.closed.as_ref().is_some_and(|closed| *closed == hex(long.dcid) || !self.is_client(chunk.dir)) {
            return None;
        }
        if !long.version.is_known() && !long.version.is_grease() && long.version.0 != 0 && self.row.version.is_empty() {
            self.unknown(&long, chunk, out);
            return None;
        }
        self.place.get_or_insert((chunk.frame, chunk.ts_ns));
        match long.kind() {
            Kind::Negotiation => {
                self.row.server_versions = long.versions().take(VERSIONS_MAX).map(Version::name).collect();
                return None;
            }
            Kind::Retry => {
                self.ids(&long, chunk.dir);
                self.retry(chunk.dir, out);
                return None;
            }
            _ => {}
        }
        self.ids(&long, chunk.dir);
        if long.version.is_google_clear() {
            self.letter(chunk.dir, 'I');
            self.google_hello(chunk, long.rest);
            return None;
        }
        self.sized(&long, datagram, chunk, out)
    }

    /// A packet that tells its length: the rest of the datagram behind it.
    fn sized<'a>(&mut self, long: &Long<'a>, datagram: &'a [u8], chunk: &Chunk<'_>, out: &mut Out) -> Option<&'a [u8]> {
        let mut bytes = Bytes(long.rest);
        let kind = long.kind();
        if kind == Kind::Initial {
            let token = usize::try_from(varint(&mut bytes)?).ok()?;
            bytes.take(token)?;
        }
        let length = usize::try_from(varint(&mut bytes)?).ok()?;
        let number_at = datagram.len() - bytes.0.len();
        let missing = length > bytes.0.len();
        let end = number_at + length.min(bytes.0.len());
        let (packet, rest) = datagram.split_at_checked(end)?;
        match kind {
            Kind::Initial => {
                self.letter(chunk.dir, 'I');
                self.initial(long, packet, number_at, missing, chunk, out);
            }
            Kind::ZeroRtt => self.letter(chunk.dir, 'Z'),
            _ => self.letter(chunk.dir, 'H'),
        }
        Some(rest)
    }

    /// A short header, Google's old one, or none at all.
    fn no_long_header(&mut self, datagram: &[u8], chunk: &Chunk<'_>) {
        if let Some((id, version)) = google::old_header(datagram) {
            self.place.get_or_insert((chunk.frame, chunk.ts_ns));
            self.name(Version(u32::from_be_bytes(version)));
            if self.is_client(chunk.dir) && self.row.client_initial_dcid.is_none() {
                (self.row.client_initial_dcid, self.row.dcid_len) = (Some(hex(id)), Some(8));
            }
            self.letter(chunk.dir, 'I');
            self.google_hello(chunk, datagram);
            return;
        }
        let old = self.version.is_some_and(Version::is_google_clear);
        if self.place.is_none() {
            return;
        }
        if datagram.first().is_some_and(|first| first & 0x40 != 0 || old) {
            let count = &mut self.short[chunk.dir.index()];
            *count += 1;
            if count.is_power_of_two() {
                self.letter(chunk.dir, 'O');
            }
        } else if !datagram.is_empty() {
            self.letter(chunk.dir, 'X');
        }
    }

    fn name(&mut self, version: Version) {
        if self.row.version.is_empty() {
            self.row.version = version.name();
            self.version = Some(version);
        }
    }

    fn ids(&mut self, long: &Long<'_>, dir: Dir) {
        self.name(long.version);
        if !self.is_client(dir) {
            self.row.server_scid = Some(hex(long.scid));
            return;
        }
        if self.row.client_initial_dcid.is_none() && !long.dcid.is_empty() {
            self.row.client_initial_dcid = Some(hex(long.dcid));
            self.row.dcid_len = u8::try_from(long.dcid.len()).ok();
        }
        self.row.client_scid = Some(hex(long.scid));
    }

    fn initial(&mut self, long: &Long<'_>, packet: &[u8], number_at: usize, missing: bool, chunk: &Chunk<'_>, out: &mut Out) {
        if self.tls.is_answered() || self.failures >= FAILURES_MAX {
            return;
        }
        // Shorter than it says only where the capture cut it.
        let cut = missing && chunk.cut > 0;
        let known = self.keys.as_mut().and_then(|keys| {
            let client = chunk.dir == self.client.unwrap_or(Dir::Orig);
            keys.open(client, packet, number_at, cut)
        });
        let payload = known.or_else(|| self.new_keys(long, packet, number_at, cut, chunk.dir));
        let Some(payload) = payload else {
            self.failures += 1;
            return;
        };
        self.frames(&payload, long, chunk, out);
    }

    /// The first packet of a connection, or the first behind a Retry that was not seen, carries what its keys come from.
    fn new_keys(&mut self, long: &Long<'_>, packet: &[u8], number_at: usize, cut: bool, dir: Dir) -> Option<Vec<u8>> {
        if long.dcid == self.keyed_by || cut && self.keys.is_some() {
            return None;
        }
        for salt in keys::salts(long.version) {
            let mut keys = Keys::new(salt, long.version, long.dcid)?;
            if let Some(payload) = keys.open(true, packet, number_at, cut) {
                self.client = Some(dir);
                self.keys = Some(keys);
                self.keyed_by = long.dcid.to_vec();
                self.crypto = Default::default();
                self.tls.restart();
                return Some(payload);
            }
        }
        None
    }

    fn frames(&mut self, payload: &[u8], long: &Long<'_>, chunk: &Chunk<'_>, out: &mut Out) {
        let mut close = false;
        let stream = &mut self.crypto[chunk.dir.index()];
        frames::each(payload, long.version.is_google(), |frame| match frame {
            Frame::Crypto(offset, bytes) => stream.put(offset, bytes),
            Frame::Close(_) => close = true,
        });
        while let Some(bytes) = self.crypto[chunk.dir.index()].next() {
            if long.version.is_google_crypto() {
                self.google_hello(chunk, &bytes);
            } else if self.tls.data(&bytes, chunk, out) {
                self.hello(chunk.dir, out);
            }
        }
        if close {
            self.letter(chunk.dir, 'C');
            self.closed = Some(self.row.client_initial_dcid.clone().unwrap_or_default());
            self.tls.end(out);
            self.say(out);
        }
    }

    fn hello(&mut self, dir: Dir, out: &mut Out) {
        self.has_tls = true;
        self.letter(dir, 'S');
        if let Some(offer) = self.tls.offer() {
            (self.row.server_name, self.row.client_protocol, self.row.ja4) = (offer.server_name, offer.protocol, offer.ja4);
            self.row.decrypted = true;
        }
        if self.tls.is_answered() {
            // All that is in clear was read: let go of what is needed no more.
            self.tls.end(out);
            (self.keys, self.crypto) = (None, Default::default());
        }
    }

    fn google_hello(&mut self, chunk: &Chunk<'_>, payload: &[u8]) {
        let Some(hello) = google::hello(payload).filter(|_| !self.row.decrypted) else { return };
        self.letter(chunk.dir, 'S');
        self.row.decrypted = true;
        (self.row.server_name, self.row.user_agent, self.row.client_protocol) = (hello.server_name, hello.user_agent, hello.alpn);
    }

    /// The server wants to hear the hello again, under another key.
    fn retry(&mut self, dir: Dir, out: &mut Out) {
        self.letter(dir, 'R');
        self.row.server_scid = None;
        self.say(out);
        self.keys = None;
        self.keyed_by.clear();
        self.crypto = Default::default();
        self.tls.restart();
    }

    /// A version that nobody knows is one row (as Zeek does it).
    fn unknown(&mut self, long: &Long<'_>, chunk: &Chunk<'_>, out: &mut Out) {
        self.place.get_or_insert((chunk.frame, chunk.ts_ns));
        self.ids(long, chunk.dir);
        self.letter(chunk.dir, 'U');
        self.closed = Some(self.row.client_initial_dcid.clone().unwrap_or_default());
        self.say(out);
    }

    /// Says the row and begins another.
    fn say(&mut self, out: &mut Out) {
        let Some((frame, ts_ns)) = self.place.take() else { return };
        self.short = [0; 2];
        out.say(frame, ts_ns, Event::Quic(Box::new(std::mem::take(&mut self.row))));
    }
}

impl Dissector for Connection {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let mut rest = chunk.bytes;
        while !rest.is_empty() {
            let Some(behind) = self.packet(rest, chunk, out) else { return };
            rest = behind;
        }
    }

    fn end(&mut self, out: &mut Out) {
        self.tls.end(out);
        self.say(out);
    }

    fn confirmed(&self) -> bool {
        true
    }

    fn service(&self, name: &'static str) -> &'static str {
        if self.has_tls { "quic,ssl" } else { name }
    }

    fn wants(&self, _dir: Dir) -> bool {
        self.row.history.len() < HISTORY_MAX
    }
}

#[cfg(test)]
mod tests;
