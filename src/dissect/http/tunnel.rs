//! What goes on inside an HTTP connection once it has become something else: a CONNECT tunnel (RFC 9110 9.3.6), where bytes pass as they
//! are, or a WebSocket (RFC 6455), where they stand in frames, masked by the client. Either way another conversation begins.

use crate::dissect::{Chunk, Conversation, Out, Setting};
use crate::model::{Conn, Dir};

/// Services inside, and what the flow is called then. Others are known by the outside alone.
const INSIDE: [(&str, [&str; 2]); 12] = [
    ("ssl", ["http,ssl", "http,websocket,ssl"]),
    ("ssh", ["http,ssh", "http,websocket,ssh"]),
    ("smtp", ["http,smtp", "http,websocket,smtp"]),
    ("smtp,ssl", ["http,smtp,ssl", "http,websocket,smtp,ssl"]),
    ("imap", ["http,imap", "http,websocket,imap"]),
    ("pop3", ["http,pop3", "http,websocket,pop3"]),
    ("ftp", ["http,ftp", "http,websocket,ftp"]),
    ("irc", ["http,irc", "http,websocket,irc"]),
    ("mqtt", ["http,mqtt", "http,websocket,mqtt"]),
    ("rdp", ["http,rdp", "http,websocket,rdp"]),
    ("rfb", ["http,rfb", "http,websocket,rfb"]),
    ("xmpp", ["http,xmpp", "http,websocket,xmpp"]),
];

/// A conversation inside the connection.
pub struct Tunnel {
    inside: Conversation,
    /// Of a WebSocket.
    frames: Option<[Frames; 2]>,
}

impl Tunnel {
    /// Bytes as they are.
    pub fn plain(conn: Conn, setting: Setting) -> Self {
        Self { inside: Conversation::within(conn, setting), frames: None }
    }

    /// Bytes in frames.
    pub fn websocket(conn: Conn, setting: Setting) -> Self {
        Self { inside: Conversation::within(conn, setting), frames: Some(Default::default()) }
    }

    /// Takes the next bytes of the outside.
    pub fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let Some(frames) = &mut self.frames else { return self.inside.data(chunk, &mut out.events) };
        frames[chunk.dir.index()].take(chunk.bytes, |bytes| self.inside.data(&Chunk { bytes, ..*chunk }, &mut out.events));
    }

    /// Bytes of the outside are lost.
    pub fn gap(&mut self, dir: Dir, missing: u64, out: &mut Out) {
        let lost = match &mut self.frames {
            Some(frames) => frames[dir.index()].gap(missing),
            None => missing,
        };
        self.inside.gap(dir, lost, &mut out.events);
    }

    /// `dir` has sent its last byte.
    pub fn fin(&mut self, dir: Dir, out: &mut Out) {
        self.inside.fin(dir, &mut out.events);
    }

    /// The connection is over.
    pub fn end(&mut self, out: &mut Out) {
        self.inside.end(&mut out.events);
    }

    /// Whether bytes of `dir` are of use inside.
    pub fn wants(&self, dir: Dir) -> bool {
        self.inside.wants(dir)
    }

    /// What the flow is called.
    pub fn service(&self) -> &'static str {
        let framed = self.frames.is_some();
        let outside = if framed { "http,websocket" } else { "http" };
        let service = self.inside.service();
        // What was read inside of TLS is in the rows, and in `tls.decrypted`.
        let service = if service.starts_with("ssl") { "ssl" } else { service };
        let known = INSIDE.iter().find(|(inside, _)| *inside == service);
        known.map_or(outside, |(_, names)| names[usize::from(framed)])
    }
}

/// Takes the payload of data frames out of one direction (RFC 6455 5.2).
#[derive(Default)]
struct Frames {
    head: Vec<u8>,
    left: u64,
    mask: Option<[u8; 4]>,
    /// Position in the mask.
    at: usize,
    /// This frame's payload is data, not control.
    data: bool,
    /// Compressed, closed or out of step: nothing more can be read.
    over: bool,
}

impl Frames {
    fn take(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
        while !bytes.is_empty() && !self.over {
            if self.left > 0 {
                let n = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                let (now, later) = bytes.split_at(n);
                let payload = self.unmasked(now);
                self.left -= n as u64;
                bytes = later;
                if self.data {
                    each(&payload);
                }
                continue;
            }
            let Some((&byte, later)) = bytes.split_first() else { return };
            self.head.push(byte);
            bytes = later;
            self.header();
        }
    }

    /// Begins a frame once its header is whole.
    fn header(&mut self) {
        let [first, second, rest @ ..] = self.head.as_slice() else { return };
        let extended = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let masked = second & 0x80 != 0;
        if rest.len() < extended + if masked { 4 } else { 0 } {
            return;
        }
        let long = rest.iter().take(extended).fold(0u64, |length, &byte| length << 8 | u64::from(byte));
        self.left = if extended == 0 { u64::from(second & 0x7f) } else { long };
        self.mask = rest.get(extended..).and_then(|mask| mask.first_chunk().copied()).filter(|_| masked);
        let opcode = first & 15;
        self.data = opcode <= 2;
        // A reserved bit means an extension, in practice compression; unknown opcodes mean that this is no frame.
        self.over = first & 0x70 != 0 || matches!(opcode, 3..=8 | 11..);
        self.at = 0;
        self.head.clear();
    }

    fn unmasked(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some(mask) = self.mask else { return bytes.to_vec() };
        let out = bytes.iter().enumerate().map(|(n, byte)| byte ^ mask[(self.at + n) % 4]).collect();
        self.at = (self.at + bytes.len()) % 4;
        out
    }

    /// Bytes are lost: of the payload inside, as many as this returns. Beyond one frame all is lost.
    fn gap(&mut self, missing: u64) -> u64 {
        if missing > self.left {
            self.over = true;
            return missing;
        }
        self.left -= missing;
        self.at = (self.at + (missing % 4) as usize) % 4;
        if self.data { missing } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(opcode: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
        let bit = if mask.is_some() { 0x80 } else { 0 };
        let mut out = vec![0x80 | opcode];
        match payload.len() {
            short @ ..126 => out.push(bit | short as u8),
            long => out.extend([&[bit | 126][..], &(long as u16).to_be_bytes()].concat()),
        }
        out.extend(mask.unwrap_or_default().iter().take(if mask.is_some() { 4 } else { 0 }));
        out.extend(payload.iter().enumerate().map(|(n, byte)| byte ^ mask.map_or(0, |mask| mask[n % 4])));
        out
    }

    fn read(stream: &[u8], sizes: &[usize]) -> Vec<u8> {
        let (mut frames, mut out, mut rest) = (Frames::default(), Vec::new(), stream);
        let mut sizes = sizes.iter().copied().cycle();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(sizes.next().unwrap_or(1).clamp(1, rest.len()));
            frames.take(now, |bytes| out.extend_from_slice(bytes));
            rest = later;
        }
        out
    }

    #[test]
    fn compressed_frames_and_what_follows_a_close_are_not_read() {
        let mut squeezed = frame(2, None, b"xx");
        squeezed[0] |= 0x40;
        assert_eq!(read(&[frame(1, None, b"ab"), squeezed, frame(1, None, b"cd")].concat(), &[100]), b"ab");
        assert_eq!(read(&[frame(1, None, b"ab"), frame(8, None, b"\x03\xe8"), frame(1, None, b"cd")].concat(), &[100]), b"ab");
    }

    #[test]
    fn a_loss_within_a_frame_keeps_step_and_mask() {
        let stream = frame(2, Some([1, 2, 3, 4]), b"0123456789");
        let mut frames = Frames::default();
        let mut out = Vec::new();
        frames.take(&stream[..8], |bytes| out.extend_from_slice(bytes));
        assert_eq!(frames.gap(3), 3);
        frames.take(&stream[11..], |bytes| out.extend_from_slice(bytes));
        assert_eq!(out, b"0156789");
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_payload(sizes in proptest::collection::vec(1usize..50, 1..6), mask: Option<[u8; 4]>) {
            let stream = [frame(2, mask, &[7; 300]), frame(9, mask, b"ping"), frame(0, mask, b"end")].concat();
            prop_assert_eq!(read(&stream, &sizes), [&[7; 300][..], b"end"].concat());
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(read(&bytes, &[7]).len() <= bytes.len());
        }
    }
}
