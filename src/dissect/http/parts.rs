//! Bodies that hold several things: forms that upload files (RFC 7578) and the like. Each part with a name is a file of its own, since it is
//! what was sent: nobody has ever seen a file with the digest of the whole form.

use crate::dissect::Out;
use crate::dissect::mail::message::{Carrier, Message};
use crate::model::{Dir, Ts};

/// Kinds whose parts are files. A part of `byteranges` is a piece of one.
const KINDS: [&str; 3] = ["multipart/form-data", "multipart/mixed", "multipart/related"];

/// A body under way.
pub struct Parts(Message);

impl Parts {
    /// Of a body with this `Content-Type`; `None` if it holds one thing.
    pub fn of(content_type: &str, dir: Dir, url: Option<String>, place: (u64, Ts), out: &mut Out) -> Option<Self> {
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !KINDS.contains(&kind.as_str()) {
            return None;
        }
        let mut message = Message::of_named_parts(Carrier { source: "HTTP", is_orig: dir == Dir::Orig }, url);
        message.data(format!("Content-Type: {content_type}\r\n\r\n").as_bytes(), place, out);
        Some(Self(message))
    }

    /// The next bytes.
    pub fn data(&mut self, bytes: &[u8], place: (u64, Ts), out: &mut Out) {
        self.0.data(bytes, place, out);
    }

    /// Bytes are lost.
    pub fn gap(&mut self, missing: u64) {
        self.0.gap(missing);
    }

    /// The body is over: whether there was a file in it.
    pub fn finish(self, whole: bool, place: (u64, Ts), out: &mut Out) -> bool {
        !self.0.finish(whole, place, out).fuids.is_empty()
    }
}
