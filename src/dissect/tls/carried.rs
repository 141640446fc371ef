//! A TLS handshake without records, as QUIC carries it (RFC 9001 4).

use super::MESSAGE_MAX;
use super::bytes::Bytes;
use super::session::Session;
use crate::dissect::{Chunk, Out};
use crate::model::Dir;

/// What a ClientHello tells whoever carries it.
pub struct Offer {
    /// SNI.
    pub server_name: Option<String>,
    /// First application protocol.
    pub protocol: Option<String>,
    /// JA4, of a whole hello.
    pub ja4: Option<String>,
}

/// A handshake over QUIC.
pub struct Handshake {
    session: Session,
    messages: [Vec<u8>; 2],
}

impl Default for Handshake {
    fn default() -> Self {
        Self { session: Session::over('q'), messages: Default::default() }
    }
}

impl Handshake {
    /// Takes the next bytes of a side in order. True if they completed a hello.
    pub fn data(&mut self, bytes: &[u8], chunk: &Chunk<'_>, out: &mut Out) -> bool {
        let dir = chunk.dir;
        self.messages[dir.index()].extend_from_slice(bytes);
        let mut hello = false;
        while let Some((kind, body)) = next_message(&mut self.messages[dir.index()]) {
            self.session.message(dir, kind, &body, chunk, out);
            hello |= matches!(kind, 1 | 2);
        }
        hello
    }

    /// A side begins its stream anew, as after a Retry.
    pub fn restart(&mut self) {
        self.messages = Default::default();
    }

    /// What the client offers, once known.
    pub fn offer(&self) -> Option<Offer> {
        self.session.offer()
    }

    /// The server has chosen: nothing further is in clear.
    pub fn is_answered(&self) -> bool {
        self.session.is_answered()
    }

    /// Says the row; half a ClientHello still tells a name.
    pub fn end(&mut self, out: &mut Out) {
        for dir in [Dir::Orig, Dir::Resp] {
            let broken = std::mem::take(&mut self.messages[dir.index()]);
            self.session.broken_message(dir, &broken);
        }
        self.session.say(out);
    }
}

/// The first whole message off the buffer; one that is too long empties it.
fn next_message(buffer: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let mut bytes = Bytes(buffer);
    let (kind, length) = (bytes.u8()?, bytes.u24()?);
    if length > MESSAGE_MAX {
        buffer.clear();
        return None;
    }
    let body = bytes.take(length)?.to_vec();
    *buffer = bytes.0.to_vec();
    Some((kind, body))
}
