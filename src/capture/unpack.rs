//! Compressed evidence, undone while it is read: member after member, until the bytes end or stop making sense.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use super::magic::{Compression, skippable};
use super::stored::{Chunk, Pool, Stored};

/// Decompressed bytes asked for at a time where a decoder drops what it wrote when it meets damage: at most this much is lost.
const STEP_BYTES: usize = 16 << 10;
/// Decompressed bytes gathered in a buffer before they are parsed.
const BUFFER_BYTES: usize = 256 << 10;
/// Memory that an xz stream may ask for; `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 256 << 20;

/// The decompressed bytes of a compressed file.
pub(super) struct Unpack {
    compression: Compression,
    state: State,
    pool: Pool,
    failed: Option<io::Error>,
}

/// Where reading stands.
enum State {
    /// Inside a member.
    Member(Box<dyn Member>),
    /// Before the first member, between two, or behind the last.
    Between(Feed),
    /// Only while the state changes hands.
    Moving,
}

/// A decoder of one member that gives its input back.
trait Member: Read + Send {
    fn into_feed(self: Box<Self>) -> Feed;
    fn feed(&self) -> &Feed;
}

impl Unpack {
    /// Decompresses `stored`, of which `first` was read already.
    pub(super) fn new(compression: Compression, stored: Stored, first: Chunk) -> Self {
        Self { compression, state: State::Between(Feed { stored, chunk: first, past_end: false }), pool: Pool::default(), failed: None }
    }

    /// The next decompressed bytes behind `tail`; the same contract as [`Stored::chunk`].
    pub(super) fn chunk(&mut self, tail: &[u8], want: usize, used: Arc<Vec<u8>>) -> io::Result<Chunk> {
        let more = BUFFER_BYTES.max(want.saturating_sub(tail.len()));
        let mut pool = std::mem::take(&mut self.pool);
        let chunk = pool.chunk(tail, more, |buffer| self.fill(buffer));
        pool.give(used);
        self.pool = pool;
        chunk
    }

    /// The file beneath.
    pub(super) fn into_stored(self) -> Option<Stored> {
        match self.state {
            State::Member(member) => Some(member.into_feed().stored),
            State::Between(feed) => Some(feed.stored),
            State::Moving => None,
        }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut filled = 0;
        while filled < buffer.len() {
            let end = buffer.len().min(filled + STEP_BYTES);
            match self.step(&mut buffer[filled..end]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if filled > 0 => {
                    self.failed = Some(error);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// Some bytes, or none at the very end.
    fn step(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Moving) {
                State::Member(mut member) => match member.read(buffer) {
                    Ok(0) => {
                        let cut = self.compression == Compression::Lz4 && member.feed().past_end;
                        self.state = State::Between(member.into_feed());
                        if cut {
                            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the data ends inside a frame"));
                        }
                    }
                    result => {
                        self.state = State::Member(member);
                        return result;
                    }
                },
                State::Between(mut feed) => match feed.next_member(self.compression) {
                    Ok(true) => self.state = State::Member(member(self.compression, feed)?),
                    end => {
                        self.state = State::Between(feed);
                        return end.map(|_| 0);
                    }
                },
                State::Moving => return Ok(0),
            }
        }
    }
}

/// The stored bytes as a decoder wants them.
struct Feed {
    stored: Stored,
    chunk: Chunk,
    /// Somebody asked for more than there is.
    past_end: bool,
}

impl Feed {
    /// Moves to the next member of the same compression; false at a proper end of the file.
    fn next_member(&mut self, compression: Compression) -> io::Result<bool> {
        loop {
            self.at_least(6)?;
            let head = self.chunk.data();
            if head.is_empty() {
                return Ok(false);
            }
            if skippable(head) {
                self.skip_frame()?;
            } else if Compression::of(head) == Some(compression) {
                return Ok(true);
            } else if head.iter().all(|byte| *byte == 0) {
                // Padding: tapes and xz write zeros behind a member.
                self.chunk.start = self.chunk.end;
            } else if let Some(zeros) = head.iter().position(|byte| *byte != 0).filter(|zeros| *zeros > 0) {
                self.chunk.start += zeros;
            } else {
                let at = self.stored.bytes() - head.len() as u64;
                return Err(io::Error::other(format!("stored bytes from {at} on are no {} data", compression.name())));
            }
        }
    }

    /// Skips a frame of metadata: magic, length, content.
    fn skip_frame(&mut self) -> io::Result<()> {
        self.at_least(8)?;
        let length = self.chunk.data().get(4..8).and_then(|field| field.try_into().ok()).map(u32::from_le_bytes);
        let mut left = length.ok_or(io::ErrorKind::UnexpectedEof)? as usize + 8;
        while left > 0 {
            let step = left.min(self.fill_buf()?.len());
            if step == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.consume(step);
            left -= step;
        }
        Ok(())
    }

    /// Holds `want` bytes in one piece where the file has them.
    fn at_least(&mut self, want: usize) -> io::Result<()> {
        if self.chunk.data().len() < want {
            let old = std::mem::take(&mut self.chunk);
            self.chunk = self.stored.chunk(old.data(), want, Arc::default())?;
        }
        Ok(())
    }
}

impl BufRead for Feed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.chunk.start >= self.chunk.end {
            let used = std::mem::take(&mut self.chunk).bytes;
            self.chunk = self.stored.chunk(&[], 0, used)?;
            self.past_end |= self.chunk.end == 0;
        }
        Ok(self.chunk.data())
    }

    fn consume(&mut self, amount: usize) {
        self.chunk.start = (self.chunk.start + amount).min(self.chunk.end);
    }
}

impl Read for Feed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

fn member(compression: Compression, feed: Feed) -> io::Result<Box<dyn Member>> {
    Ok(match compression {
        Compression::Gzip => Box::new(flate2::bufread::GzDecoder::new(feed)),
        Compression::Bzip2 => Box::new(bzip2::bufread::BzDecoder::new(feed)),
        Compression::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(feed)),
        Compression::Zstd => Box::new(zstd::Decoder::with_buffer(feed)?.single_frame()),
        Compression::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, 0)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(feed, stream))
        }
    })
}

impl Member for flate2::bufread::GzDecoder<Feed> {
    fn into_feed(self: Box<Self>) -> Feed {
        self.into_inner()
    }

    fn feed(&self) -> &Feed {
        self.get_ref()
    }
}

impl Member for bzip2::bufread::BzDecoder<Feed> {
    fn into_feed(self: Box<Self>) -> Feed {
        self.into_inner()
    }

    fn feed(&self) -> &Feed {
        self.get_ref()
    }
}

impl Member for lz4_flex::frame::FrameDecoder<Feed> {
    fn into_feed(self: Box<Self>) -> Feed {
        self.into_inner()
    }

    fn feed(&self) -> &Feed {
        self.get_ref()
    }
}

impl Member for zstd::Decoder<'static, Feed> {
    fn into_feed(self: Box<Self>) -> Feed {
        self.finish()
    }

    fn feed(&self) -> &Feed {
        self.get_ref()
    }
}

impl Member for liblzma::bufread::XzDecoder<Feed> {
    fn into_feed(self: Box<Self>) -> Feed {
        self.into_inner()
    }

    fn feed(&self) -> &Feed {
        self.get_ref()
    }
}
