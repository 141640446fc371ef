//! A message body as it comes by: counted, sniffed, hashed, and let go.

use crate::dissect::files::{FileReader, mime_type};
use crate::model::event::File;
use flate2::write::{DeflateDecoder, GzDecoder, ZlibDecoder};
use std::io::{self, Write};

/// Decoded bytes after which a body is taken for a decompression bomb.
const DECODED_MAX: u64 = 256 << 20;

/// What became of a body.
pub struct Body {
    file: FileReader,
    decoder: Decoder,
    prefix: Vec<u8>,
    prefix_max: usize,
    missing: u64,
    /// Frame and time of its first bytes.
    place: Option<(u64, i64)>,
}

/// Undoes `Content-Encoding` to count and to sniff, never to hash.
enum Decoder {
    None,
    /// The first byte will say whether `deflate` means zlib (RFC 9110) or the bare format that some servers send.
    Deflate,
    Zlib(ZlibDecoder<Sink>),
    Bare(DeflateDecoder<Sink>),
    Gzip(GzDecoder<Sink>),
    /// Broken or too large: decoded so far.
    Failed(Sink),
}

#[derive(Default)]
struct Sink {
    head: Vec<u8>,
    head_max: usize,
    total: u64,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.head_max.saturating_sub(self.head.len());
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.total += bytes.len() as u64;
        if self.total > DECODED_MAX { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Body {
    /// A body with the given `Content-Encoding`, of which the first `prefix_max` bytes are kept.
    pub fn new(encoding: Option<&str>, prefix_max: usize) -> Self {
        let sink = Sink { head_max: prefix_max, ..Sink::default() };
        let decoder = match encoding.map(str::to_ascii_lowercase).as_deref() {
            Some("gzip" | "x-gzip") => Decoder::Gzip(GzDecoder::new(sink)),
            Some("deflate") => Decoder::Deflate,
            _ => Decoder::None,
        };
        Self { file: FileReader::default(), decoder, prefix: Vec::new(), prefix_max, missing: 0, place: None }
    }

    /// Takes the next bytes, which came in `place`.
    pub fn data(&mut self, bytes: &[u8], place: (u64, i64)) {
        if bytes.is_empty() {
            return;
        }
        self.place.get_or_insert(place);
        let room = self.prefix_max.saturating_sub(self.prefix.len());
        self.prefix.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.file.data(bytes);
        if self.missing == 0 {
            self.decoder.data(bytes, self.prefix_max);
        }
    }

    /// Bytes are lost.
    pub fn gap(&mut self, missing: u64) {
        self.missing += missing;
        self.file.gap(missing);
    }

    /// Frame and time of the first bytes; `None` while there were none.
    pub fn place(&self) -> Option<(u64, i64)> {
        self.place
    }

    /// Bytes of content, decoded where it was encoded and whole.
    pub fn len(&mut self) -> u64 {
        let decoded = if self.missing == 0 { self.decoder.sink().map(|sink| sink.total) } else { None };
        decoded.unwrap_or(self.file.seen())
    }

    /// First bytes of content.
    pub fn prefix(&mut self) -> &[u8] {
        match self.decoder.sink() {
            Some(sink) => &sink.head,
            None => &self.prefix,
        }
    }

    /// Type by content.
    pub fn mime(&mut self) -> Option<&'static str> {
        match self.decoder.sink() {
            Some(sink) => mime_type(&sink.head),
            None => mime_type(self.file.head()),
        }
    }

    /// The file that it was, without names.
    pub fn finish(mut self, complete: bool) -> File {
        let mime = self.mime();
        let encoded = self.decoder.sink().is_some();
        let mut file = self.file.finish(complete);
        if encoded || file.mime_type.is_none() {
            file.mime_type = mime.map(str::to_owned);
        }
        file
    }
}

impl Decoder {
    fn data(&mut self, bytes: &[u8], head_max: usize) {
        if let Self::Deflate = self {
            let sink = Sink { head_max, ..Sink::default() };
            let zlib = bytes.first().is_some_and(|first| first & 0x0f == 8 && first >> 4 <= 7);
            *self = if zlib { Self::Zlib(ZlibDecoder::new(sink)) } else { Self::Bare(DeflateDecoder::new(sink)) };
        }
        let result = match self {
            Self::None | Self::Deflate | Self::Failed(_) => Ok(()),
            Self::Zlib(decoder) => decoder.write_all(bytes),
            Self::Bare(decoder) => decoder.write_all(bytes),
            Self::Gzip(decoder) => decoder.write_all(bytes),
        };
        if result.is_err() {
            let sink = self.sink().map(std::mem::take).unwrap_or_default();
            // What never decoded at all was not encoded, whatever its header said.
            *self = if sink.total == 0 { Self::None } else { Self::Failed(sink) };
        }
    }

    /// Where decoded bytes went, with all that can be decoded so far.
    fn sink(&mut self) -> Option<&mut Sink> {
        match self {
            Self::None | Self::Deflate => None,
            Self::Failed(sink) => Some(sink),
            Self::Zlib(decoder) => {
                let _ = decoder.flush();
                Some(decoder.get_mut())
            }
            Self::Bare(decoder) => {
                let _ = decoder.flush();
                Some(decoder.get_mut())
            }
            Self::Gzip(decoder) => {
                let _ = decoder.flush();
                Some(decoder.get_mut())
            }
        }
    }
}
