//! DTLS (RFC 6347, RFC 9147): records stand in datagrams, and handshake messages come in fragments that may be lost, doubled and
//! out of order. What is put together goes to the same [`Session`] as TLS.

use super::bytes::Bytes;
use super::record::content;
use super::session::Session;
use crate::dissect::{Answer, Chunk, Dissector, Out, Probe, Protocol};
use crate::model::{Dir, Proto};

/// How DTLS is recognised and read.
pub const PROTOCOL: Protocol = Protocol { name: "dtls", over: &[Proto::Udp], probe, make: |_| Box::new(Reader::default()) };

/// Handshake messages told apart by their number, which a mask of 64 bits counts.
const MESSAGES_MAX: u16 = 64;
/// Messages per direction of which fragments wait.
const PARTIAL_MAX: usize = 8;
/// Longest message put together: a certificate chain fits.
const MESSAGE_MAX: usize = 64 << 10;
/// Fragments of one message that wait to be joined.
const PIECES_MAX: usize = 64;

fn probe(probe: &Probe<'_>) -> Answer {
    if is_hello(probe.bytes) { Answer::Certain } else { Answer::NotForUs }
}

/// A record in clear with a handshake message that opens a connection, or answers one that does.
pub fn is_hello(datagram: &[u8]) -> bool {
    let mut bytes = Bytes(datagram);
    let Some(Record { kind: content::HANDSHAKE, epoch: 0, body }) = Record::next(&mut bytes) else { return false };
    let Some(fragment) = Fragment::next(&mut Bytes(body)) else { return false };
    let versioned = matches!(fragment.bytes, [0xfe, 0xfc..=0xff, ..]) || fragment.offset > 0;
    matches!(fragment.kind, 1..=3) && versioned && fragment.length <= MESSAGE_MAX
}

/// A record of the epoch before encryption, or the outside of a later one.
struct Record<'a> {
    kind: u8,
    epoch: u16,
    body: &'a [u8],
}

impl<'a> Record<'a> {
    /// The next record of a datagram. `None` at its end, at something else, or at the short headers of DTLS 1.3 (RFC 9147 4), whose
    /// records are all encrypted.
    fn next(bytes: &mut Bytes<'a>) -> Option<Self> {
        let kind = bytes.u8().filter(|kind| (content::CHANGE_CIPHER_SPEC..=26).contains(kind))?;
        let version = bytes.u16()?;
        let epoch = bytes.u16()?;
        bytes.take(6)?;
        let announced = usize::from(bytes.u16()?);
        // OpenSSL before 0.9.8f said 0x0100; later versions count down from 1.0.
        let known = matches!(version, 0x0100 | 0xfefc..=0xfeff);
        // A snapped datagram holds less than its last record.
        let body = bytes.take(announced.min(bytes.0.len()))?;
        known.then_some(Self { kind, epoch, body })
    }
}

/// A part of a handshake message (RFC 6347 4.2.2).
struct Fragment<'a> {
    kind: u8,
    length: usize,
    number: u16,
    offset: usize,
    bytes: &'a [u8],
}

impl<'a> Fragment<'a> {
    fn next(bytes: &mut Bytes<'a>) -> Option<Self> {
        let kind = bytes.u8()?;
        let length = bytes.u24()?;
        let number = bytes.u16()?;
        let (offset, part) = (bytes.u24()?, bytes.u24()?);
        let bytes = bytes.take(part.min(bytes.0.len()))?;
        (offset + part <= length).then_some(Self { kind, length, number, offset, bytes })
    }
}

/// A message of which parts are here.
struct Partial {
    kind: u8,
    number: u16,
    length: usize,
    /// Offset and bytes, by offset.
    pieces: Vec<(usize, Vec<u8>)>,
}

impl Partial {
    fn add(&mut self, fragment: &Fragment<'_>) {
        let at = self.pieces.partition_point(|(offset, _)| *offset < fragment.offset);
        let doubled = self.pieces.get(at).is_some_and(|(offset, bytes)| *offset == fragment.offset && bytes.len() >= fragment.bytes.len());
        if !doubled && self.pieces.len() < PIECES_MAX {
            self.pieces.insert(at, (fragment.offset, fragment.bytes.to_vec()));
        }
    }

    /// The message, once nothing of it is missing.
    fn whole(&self) -> Option<Vec<u8>> {
        let mut out: Vec<u8> = Vec::with_capacity(self.length);
        for (offset, bytes) in &self.pieces {
            let known = out.len().checked_sub(*offset)?;
            out.extend_from_slice(bytes.get(known..).unwrap_or_default());
        }
        (out.len() == self.length).then_some(out)
    }
}

#[derive(Default)]
struct Side {
    partial: Vec<Partial>,
    /// Messages that were read: repetitions say nothing new.
    read: u64,
    encrypted: bool,
}

impl Side {
    /// Takes a fragment in; gives the message that it completes.
    fn fragment(&mut self, fragment: &Fragment<'_>) -> Option<(u8, Vec<u8>)> {
        let mark = 1u64.checked_shl(u32::from(fragment.number)).filter(|_| fragment.number < MESSAGES_MAX)?;
        if self.read & mark != 0 || fragment.length > MESSAGE_MAX {
            return None;
        }
        let message = if fragment.bytes.len() == fragment.length {
            (fragment.kind, fragment.bytes.to_vec())
        } else {
            let at = self.waiting(fragment);
            let partial = self.partial.get_mut(at)?;
            partial.add(fragment);
            (partial.kind, partial.whole()?)
        };
        self.read |= mark;
        self.partial.retain(|partial| partial.number != fragment.number);
        Some(message)
    }

    /// Where the parts of this message are kept; the oldest others make room.
    fn waiting(&mut self, fragment: &Fragment<'_>) -> usize {
        let same = |partial: &Partial| (partial.number, partial.kind, partial.length) == (fragment.number, fragment.kind, fragment.length);
        if let Some(at) = self.partial.iter().position(same) {
            return at;
        }
        if self.partial.len() >= PARTIAL_MAX {
            self.partial.remove(0);
        }
        self.partial.push(Partial { kind: fragment.kind, number: fragment.number, length: fragment.length, pieces: Vec::new() });
        self.partial.len() - 1
    }
}

struct Reader {
    sides: [Side; 2],
    session: Session,
}

impl Default for Reader {
    fn default() -> Self {
        Self { sides: Default::default(), session: Session::over('d') }
    }
}

impl Reader {
    fn record(&mut self, record: &Record<'_>, chunk: &Chunk<'_>, out: &mut Out) {
        let clear = record.epoch == 0;
        match record.kind {
            content::CHANGE_CIPHER_SPEC if clear => {
                let again = std::mem::replace(&mut self.sides[chunk.dir.index()].encrypted, true);
                if !again {
                    self.session.change_cipher_spec(chunk.dir);
                }
                if self.sides.iter().all(|side| side.encrypted) {
                    self.session.established(out);
                }
            }
            content::ALERT if clear => self.session.alert(chunk.dir, record.body),
            content::HANDSHAKE if clear => {
                let mut bytes = Bytes(record.body);
                while let Some(fragment) = Fragment::next(&mut bytes) {
                    if let Some((kind, body)) = self.sides[chunk.dir.index()].fragment(&fragment) {
                        self.session.message(chunk.dir, kind, &body, chunk, out);
                    }
                }
            }
            content::DATA => self.session.data(chunk.dir, out),
            content::HEARTBEAT => self.session.heartbeat(chunk.dir, record.body, !clear),
            _ => {}
        }
    }
}

impl Dissector for Reader {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        if self.session.is_said() {
            return;
        }
        // The short header of an encrypted record: 001CSLEE.
        if let Some(0x20..=0x3f) = chunk.bytes.first() {
            self.session.data(chunk.dir, out);
            return;
        }
        let mut bytes = Bytes(chunk.bytes);
        while let Some(record) = Record::next(&mut bytes) {
            self.record(&record, chunk, out);
        }
    }

    fn end(&mut self, out: &mut Out) {
        for dir in [Dir::Orig, Dir::Resp] {
            // Of a ClientHello that never became whole, the beginning still tells a name.
            let begun = self.sides[dir.index()].partial.iter().find(|partial| partial.kind == 1);
            if let Some((0, bytes)) = begun.and_then(|partial| partial.pieces.first()) {
                self.session.broken_message(dir, &[&[1, 0, 0, 0], bytes.as_slice()].concat());
            }
        }
        self.session.say(out);
    }

    fn confirmed(&self) -> bool {
        self.session.is_known()
    }
}

#[cfg(test)]
mod tests;
