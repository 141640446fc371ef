//! LDAP over TCP and UDP (RFC 4511, MS-ADTS 6.3.3): a row per operation, searches in a table of their own. What a SASL layer only
//! signs is read, what it seals is not.

mod filter;
mod names;
mod operations;
mod sasl;
mod wrapped;
#[cfg(test)]
mod tests;

use super::ber::{self, Ber, Tlv};
use super::{Answer, Chunk, Dissector, Out, Probe, Protocol};
use crate::model::{Dir, Proto, Ts};
use operations::{Operations, op};

/// Over TCP.
pub const TCP: Protocol = Protocol { name: "ldap_tcp", over: &[Proto::Tcp], probe: probe_tcp, make: |_| Box::new(Stream::default()) };
/// Over UDP (CLDAP).
pub const UDP: Protocol =
    Protocol { name: "ldap_udp", over: &[Proto::Udp], probe: |probe| judge(probe.bytes, false), make: |_| Box::new(Datagrams::default()) };

/// Longest message kept whole; of longer ones the beginning is read: entries with pictures are long, what matters stands first.
const MESSAGE_MAX: usize = 64 << 10;
/// Bytes read of a message that is longer.
const BEGINNING: usize = 4 << 10;
/// Longest message believed.
const BELIEVED_MAX: usize = 64 << 20;

fn probe_tcp(probe: &Probe<'_>) -> Answer {
    // Begun before the capture, and wrapped: other protocols frame tokens like this too.
    let at_home = [389, 3_268].iter().any(|port| [probe.orig_p, probe.resp_p].contains(port));
    if at_home && wrapped::begins(probe.bytes) { Answer::Certain } else { judge(probe.bytes, true) }
}

/// LDAPMessage (RFC 4511 4.1.1): a sequence of a message id and an operation that looks like one.
fn judge(bytes: &[u8], stream: bool) -> Answer {
    let unsure = if stream { Answer::Unsure } else { Answer::NotForUs };
    let Some((tag, length, head)) = ber::header(bytes) else {
        return if bytes.len() < 6 && matches!(bytes, [] | [0x30] | [0x30, 0x81..=0x84, ..]) { unsure } else { Answer::NotForUs };
    };
    if tag != 0x30 || !(5..=BELIEVED_MAX).contains(&length) {
        return Answer::NotForUs;
    }
    match message(bytes).map(|(_, operation)| looks_right(operation)) {
        Some(true) => Answer::Certain,
        Some(false) => Answer::NotForUs,
        None if bytes.len() < head + 16 && matches!(bytes.get(head..), Some([] | [2, ..])) => unsure,
        None => Answer::NotForUs,
    }
}

/// Message id and operation.
fn message(bytes: &[u8]) -> Option<(i64, Tlv<'_>)> {
    let mut fields = Ber(bytes).next().filter(|message| message.tag == 0x30)?.inside();
    let id = fields.expect(2).filter(|id| (1..=4).contains(&id.length))?;
    Some((ber::integer(id.value)?, fields.next()?))
}

/// Whether an operation begins as its kind does: a session may be seen from any message on.
fn looks_right(operation: Tlv<'_>) -> bool {
    let mut parts = operation.inside();
    let (first, second) = (parts.next(), parts.next());
    let begins = |tag: u8| first.is_some_and(|first| first.tag == tag);
    let named_then = |tag: u8| begins(4) && second.is_some_and(|second| second.tag == tag);
    match operation.tag {
        op::BIND => first.is_some_and(|version| version.tag == 2 && matches!(version.value, [2 | 3])),
        op::SEARCH | op::ENTRY => begins(4),
        op::ADD | op::MODIFY | op::COMPARE => named_then(0x30),
        op::RENAME => named_then(4),
        // What has no parts: a name, the id of what is no longer wanted, nothing.
        op::DELETE => operation.value.contains(&b'=') && !operation.value.iter().any(u8::is_ascii_control),
        op::ABANDON => (1..=4).contains(&operation.length) && operation.value.iter().any(|byte| *byte != 0),
        op::UNBIND => operation.length == 0,
        op::EXTENDED => first.is_some_and(|name| name.tag == 0x80 && name.value.first().is_some_and(u8::is_ascii_digit)),
        op::BIND_RESULT
        | op::SEARCH_DONE
        | op::MODIFY_RESULT
        | op::ADD_RESULT
        | op::DELETE_RESULT
        | op::RENAME_RESULT
        | op::COMPARE_RESULT
        | op::EXTENDED_RESULT => first.is_some_and(|code| code.tag == 0x0a && matches!(code.value, [0..=123])),
        _ => false,
    }
}

#[derive(Default)]
struct Datagrams {
    operations: Operations,
    confirmed: bool,
}

impl Dissector for Datagrams {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        // An answer's entries and its end come in one datagram.
        let mut rest = Ber(chunk.bytes);
        loop {
            let before = rest.0;
            if rest.next().is_none() {
                return;
            }
            let Some((id, operation)) = message(before) else { return };
            self.confirmed = true;
            self.operations.message(id, operation, (before.len() - rest.0.len()) as u64, chunk, out);
        }
    }

    fn end(&mut self, out: &mut Out) {
        self.operations.end(out);
    }

    fn confirmed(&self) -> bool {
        self.confirmed
    }
}

#[derive(Default)]
struct Stream {
    operations: Operations,
    sides: [Side; 2],
    /// Frame and time of the last bytes.
    last: (u64, Ts),
    confirmed: bool,
    /// TLS may begin.
    tls: bool,
}

#[derive(Default)]
struct Side {
    buffer: Vec<u8>,
    /// Rest of a message that was read as far as it matters.
    skip: u64,
    lost: bool,
    /// Wrapped, or something else: nothing more to read.
    over: bool,
}

impl Stream {
    /// One message off the buffer; `false` where none is whole yet.
    fn next(&mut self, chunk: &Chunk<'_>, out: &mut Out) -> bool {
        let side = &mut self.sides[chunk.dir.index()];
        let (whole, wraps) = match side.buffer.as_slice() {
            [] => return false,
            [0, a, b, c, ..] => (4 + usize::from(*a) * 65_536 + usize::from(u16::from_be_bytes([*b, *c])), true),
            bytes => match ber::header(bytes) {
                Some((0x30, length, head)) => (head + length, false),
                None if bytes.len() < 6 && matches!(bytes[0], 0 | 0x30) => return false,
                _ => (usize::MAX, false),
            },
        };
        if whole > BELIEVED_MAX {
            side.over = true;
            return false;
        }
        if side.buffer.len() < whole && !(whole > MESSAGE_MAX && side.buffer.len() >= BEGINNING) {
            return false;
        }
        let rest = side.buffer.split_off(whole.min(side.buffer.len()));
        let bytes = std::mem::replace(&mut side.buffer, rest);
        side.skip = (whole - bytes.len()) as u64;
        if wraps {
            let content = wrapped::content(bytes.get(4..).unwrap_or_default(), bytes.len() == whole);
            self.messages(&content.unwrap_or_default(), chunk, out);
        } else if !self.messages(&bytes, chunk, out) {
            self.sides[chunk.dir.index()].over = true;
        }
        true
    }

    /// The messages in these bytes, the last perhaps cut. False if there is none.
    fn messages(&mut self, bytes: &[u8], chunk: &Chunk<'_>, out: &mut Out) -> bool {
        let mut rest = Ber(bytes);
        let mut any = false;
        while let Some((id, operation)) = message(rest.0) {
            let Some(element) = rest.next() else { break };
            self.take(id, operation, element.length as u64, chunk, out);
            any = true;
        }
        any
    }

    fn take(&mut self, id: i64, operation: Tlv<'_>, length: u64, chunk: &Chunk<'_>, out: &mut Out) {
        self.confirmed = true;
        self.tls |= self.operations.message(id, operation, length, chunk, out);
    }

    /// What the end or a loss left of a message is read as far as it goes.
    fn unfinished(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let left = std::mem::take(&mut self.sides[chunk.dir.index()].buffer);
        if let Some((id, operation)) = message(&left).filter(|(_, operation)| looks_right(*operation)) {
            self.take(id, operation, left.len() as u64, chunk, out);
        }
    }
}

impl Dissector for Stream {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        self.last = (chunk.frame, chunk.ts_ns);
        let side = &mut self.sides[chunk.dir.index()];
        let skipped = usize::try_from(side.skip).unwrap_or(usize::MAX).min(chunk.bytes.len());
        side.skip -= skipped as u64;
        let bytes = chunk.bytes.get(skipped..).unwrap_or_default();
        if side.lost && !bytes.is_empty() {
            // Messages often begin where segments do.
            if !message(bytes).is_some_and(|(_, operation)| op::is_known(operation.tag)) && !wrapped::begins(bytes) {
                return;
            }
            side.lost = false;
        }
        side.buffer.extend_from_slice(bytes);
        while !self.sides[chunk.dir.index()].over && self.next(chunk, out) {
            let side = &mut self.sides[chunk.dir.index()];
            let skipped = usize::try_from(side.skip).unwrap_or(usize::MAX).min(side.buffer.len());
            side.buffer.drain(..skipped);
            side.skip -= skipped as u64;
        }
        if self.sides[chunk.dir.index()].over {
            self.sides[chunk.dir.index()].buffer = Vec::new();
        }
        if chunk.cut > 0 {
            self.gap(chunk.dir, u64::from(chunk.cut), out);
        }
    }

    fn gap(&mut self, dir: Dir, missing: u64, out: &mut Out) {
        let side = &mut self.sides[dir.index()];
        if missing <= side.skip {
            side.skip -= missing;
            return;
        }
        (side.skip, side.lost) = (0, true);
        let (frame, ts_ns) = self.last;
        self.unfinished(&Chunk { dir, bytes: &[], cut: 0, frame, ts_ns }, out);
    }

    fn end(&mut self, out: &mut Out) {
        self.operations.end(out);
    }

    fn confirmed(&self) -> bool {
        self.confirmed
    }

    fn service(&self, name: &'static str) -> &'static str {
        self.operations.carried().unwrap_or(name)
    }

    fn hands_over(&self) -> bool {
        self.tls
    }

    fn wants(&self, dir: Dir) -> bool {
        !self.sides[dir.index()].over
    }
}
