//! Frames of HTTP/2 (RFC 9113 4, 6) out of the bytes of one side. Bodies go by in pieces; all other frames are put together.

/// What the client says first (RFC 9113 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Length of a frame's header.
const HEADER: usize = 9;
/// Longest frame put together, beside bodies: that of four with default settings.
const FRAME_MAX: usize = 64 << 10;

/// Types of frames.
pub mod kind {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const RESET: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PROMISE: u8 = 5;
    pub const CONTINUATION: u8 = 9;
}

/// Flags of frames.
pub mod flag {
    pub const END_STREAM: u8 = 1;
    pub const END_HEADERS: u8 = 4;
    pub const PADDED: u8 = 8;
    pub const PRIORITY: u8 = 0x20;
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Header {
    /// Bytes behind it.
    pub length: usize,
    /// Type.
    pub kind: u8,
    /// Flags.
    pub flags: u8,
    /// Stream; 0 is the connection.
    pub stream: u32,
}

impl Header {
    /// Reads one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let [a, b, c, kind, flags, stream @ ..] = *bytes.first_chunk::<HEADER>()?;
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        Some(Self { length, kind, flags, stream: u32::from_be_bytes(stream) & 0x7fff_ffff })
    }

    /// Has a flag.
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// What comes out of a side.
#[derive(Debug, PartialEq)]
pub enum Piece<'a> {
    /// A whole frame, without padding.
    Frame(Header, Vec<u8>),
    /// Bytes of a body, and whether they end it.
    Body(u32, &'a [u8], bool),
    /// This is no HTTP/2.
    Broken,
}

/// One side's frames.
#[derive(Default)]
pub struct Frames {
    buffer: Vec<u8>,
    begun: bool,
    /// Within a body's frame.
    body: Option<Body>,
    /// Within padding, or a frame that is not read.
    skip: usize,
    broken: bool,
}

#[derive(Clone, Copy)]
struct Body {
    stream: u32,
    left: usize,
    pad: usize,
    end: bool,
}

impl Frames {
    /// Frames that go on in the middle of a connection: no preface is to come.
    pub fn begun() -> Self {
        Self { begun: true, ..Self::default() }
    }

    /// Whether nothing more can be read.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// The next piece off `rest`.
    pub fn next<'a>(&mut self, rest: &mut &'a [u8]) -> Option<Piece<'a>> {
        while !self.broken {
            let skipped = self.skip.min(rest.len());
            *rest = rest.get(skipped..)?;
            self.skip -= skipped;
            if let Some(body) = self.body.take() {
                return self.body(body, rest);
            }
            if rest.is_empty() && self.buffer.is_empty() {
                return None;
            }
            if !self.begun {
                // Only clients say it, and no frame is as long as one that began so would be.
                if self.buffer.is_empty() && rest.first() != PREFACE.first() {
                    self.begun = true;
                    continue;
                }
                self.fill(PREFACE.len(), rest);
                if !PREFACE.starts_with(&self.buffer) {
                    return self.breaks();
                }
                if self.buffer.len() < PREFACE.len() {
                    return None;
                }
                self.begun = true;
                self.buffer.clear();
                continue;
            }
            self.fill(HEADER, rest);
            let header = Header::read(&self.buffer)?;
            if header.kind == kind::DATA && header.stream != 0 {
                let padded = header.has(flag::PADDED) && header.length > 0;
                self.fill(HEADER + usize::from(padded), rest);
                let pad = match self.buffer.get(HEADER) {
                    Some(pad) if padded => usize::from(*pad),
                    None if padded => return None,
                    _ => 0,
                };
                self.buffer.clear();
                let Some(left) = (header.length - usize::from(padded)).checked_sub(pad) else { return self.breaks() };
                self.body = Some(Body { stream: header.stream, left, pad, end: header.has(flag::END_STREAM) });
                continue;
            }
            if header.length > FRAME_MAX {
                return self.breaks();
            }
            self.fill(HEADER + header.length, rest);
            if self.buffer.len() < HEADER + header.length {
                return None;
            }
            let frame = std::mem::take(&mut self.buffer).split_off(HEADER);
            return Some(Piece::Frame(header, frame));
        }
        None
    }

    fn breaks<'a>(&mut self) -> Option<Piece<'a>> {
        self.broken = true;
        self.buffer.clear();
        Some(Piece::Broken)
    }

    fn body<'a>(&mut self, mut body: Body, rest: &mut &'a [u8]) -> Option<Piece<'a>> {
        if rest.is_empty() && body.left > 0 {
            self.body = Some(body);
            return None;
        }
        let (now, later) = rest.split_at_checked(body.left.min(rest.len()))?;
        *rest = later;
        body.left -= now.len();
        if body.left > 0 {
            self.body = Some(body);
        } else {
            self.skip = body.pad;
        }
        Some(Piece::Body(body.stream, now, body.end && body.left == 0))
    }

    fn fill(&mut self, to: usize, rest: &mut &[u8]) {
        let (now, later) = rest.split_at(rest.len().min(to.saturating_sub(self.buffer.len())));
        self.buffer.extend_from_slice(now);
        *rest = later;
    }

    /// Bytes are lost: of which body, if of one alone, and whether that ends it. All else is out of step from here on.
    pub fn gap(&mut self, missing: u64) -> Option<(u32, bool)> {
        let missing = usize::try_from(missing).unwrap_or(usize::MAX);
        if let Some(body) = self.body.as_mut().filter(|body| missing <= body.left) {
            body.left -= missing;
            let (stream, over) = (body.stream, body.left == 0);
            let end = over && body.end;
            if over {
                self.skip = body.pad;
                self.body = None;
            }
            return Some((stream, end));
        }
        if missing <= self.skip {
            self.skip -= missing;
        } else {
            self.breaks();
        }
        None
    }
}

/// What a frame holds, without its padding.
pub fn unpadded<'a>(header: &Header, bytes: &'a [u8]) -> Option<&'a [u8]> {
    if !header.has(flag::PADDED) {
        return Some(bytes);
    }
    let (pad, rest) = bytes.split_first()?;
    rest.get(..rest.len().checked_sub(usize::from(*pad))?)
}
