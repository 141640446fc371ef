//! One message as it passes by (RFC 5322, 2045 to 2049): the headers of its first part are kept, the content of every part becomes a file.

use super::coding::Coding;
use super::cut::{Cutter, Piece};
use super::words;
use crate::dissect::files::FileReader;
use crate::dissect::{Out, escape};
use crate::model::Ts;
use crate::model::event::File;

/// Headers kept of the first part, and bytes of each.
const HEADERS: usize = 256;
const HEADER_BYTES: usize = 8_192;
/// Parts within parts that are followed.
const DEPTH: usize = 16;
/// Parts of one message that become files.
const PARTS: u32 = 512;
/// Longest boundary allowed (RFC 2046 5.1.1), with room for those who do not care.
const BOUNDARY: usize = 256;
/// Links kept of a message, and bytes of each.
const URLS: usize = 64;
const URL_BYTES: usize = 512;
/// Text of one part that is searched for links.
const TEXT: usize = 64 << 10;

/// Where the message travels: what its files are called.
#[derive(Clone, Copy)]
pub(in crate::dissect) struct Carrier {
    /// Zeek's name of the protocol.
    pub source: &'static str,
    /// Sent by the originator.
    pub is_orig: bool,
}

/// A message under way.
pub(in crate::dissect) struct Message {
    carrier: Carrier,
    /// Where its files are from, if that has an address.
    url: Option<String>,
    /// Only parts with names are files.
    named: bool,
    cutter: Cutter,
    state: State,
    boundaries: Vec<Vec<u8>>,
    header: Vec<u8>,
    /// Headers of the part under way that say how to read it.
    part: Part,
    parts: u32,
    /// Line end that belongs to the boundary, if one follows.
    line_end: Vec<u8>,
    lost: bool,
    /// What is known of it so far.
    pub seen: Seen,
}

/// What a message told.
#[derive(Default, Debug)]
pub(in crate::dissect) struct Seen {
    /// Headers of the first part: names upper case, values unfolded.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Its parts in `files`.
    pub fuids: Vec<String>,
    /// Names of parts.
    pub names: Vec<String>,
    /// Links in its texts.
    pub urls: Vec<String>,
    /// Bytes.
    pub bytes: u64,
}

enum State {
    Headers,
    Body(Box<Body>),
    /// Between parts, or behind the last.
    Outside,
}

/// Headers of a part that matter for reading it.
#[derive(Default)]
struct Part {
    kind: Vec<u8>,
    disposition: Vec<u8>,
    coding: Vec<u8>,
}

/// The content of a part.
struct Body {
    coding: Coding,
    reader: Option<FileReader>,
    /// Kept of a text, to look for links.
    text: Option<Vec<u8>>,
    declared: Option<String>,
    name: Option<String>,
    number: u32,
    place: (u64, Ts),
}

impl Message {
    /// Before its first byte.
    pub fn new(carrier: Carrier) -> Self {
        Self {
            carrier,
            url: None,
            named: false,
            cutter: Cutter::default(),
            state: State::Headers,
            boundaries: Vec::new(),
            header: Vec::new(),
            part: Part::default(),
            parts: 1,
            line_end: Vec::new(),
            lost: false,
            seen: Seen::default(),
        }
    }

    /// The same for what is sent to or from an address, and of which only parts with names are files.
    pub fn of_named_parts(carrier: Carrier, url: Option<String>) -> Self {
        Self { url, named: true, ..Self::new(carrier) }
    }

    /// The next bytes, wherever they are cut.
    pub fn data(&mut self, mut bytes: &[u8], place: (u64, Ts), out: &mut Out) {
        while let Some(piece) = self.cutter.next(&mut bytes) {
            self.piece(&piece, place, out);
        }
    }

    /// The next line, or a piece of a long one.
    pub(super) fn piece(&mut self, piece: &Piece, place: (u64, Ts), out: &mut Out) {
        self.seen.bytes += piece.bytes.len() as u64;
        let text = piece.bytes.trim_ascii_end();
        if piece.first && !self.boundaries.is_empty() && self.is_boundary(text, out) {
            return;
        }
        match self.state {
            State::Headers => self.header_line(piece, place),
            State::Body(_) => self.body(piece, place),
            State::Outside => {}
        }
    }

    /// Bytes are missing.
    pub fn gap(&mut self, missing: u64) {
        self.cutter.gap();
        self.lost = true;
        self.line_end.clear();
        match &mut self.state {
            State::Body(body) => body.reader.get_or_insert_default().gap(missing),
            State::Headers => self.header.clear(),
            State::Outside => {}
        }
    }

    /// The message is over: `complete` if its end was seen.
    pub fn finish(mut self, complete: bool, place: (u64, Ts), out: &mut Out) -> Seen {
        if let Some(piece) = self.cutter.rest() {
            self.piece(&piece, place, out);
        }
        self.keep_header();
        self.end_part(complete, out);
        self.seen
    }

    fn is_boundary(&mut self, line: &[u8], out: &mut Out) -> bool {
        let Some(rest) = line.strip_prefix(b"--") else { return false };
        let found = self.boundaries.iter().enumerate().rev().find_map(|(at, boundary)| {
            let after = rest.strip_prefix(boundary.as_slice())?;
            (after.is_empty() || after == b"--").then_some((at, after == b"--"))
        });
        let Some((at, last)) = found else { return false };
        self.keep_header();
        self.end_part(true, out);
        self.boundaries.truncate(if last { at } else { at + 1 });
        self.state = State::Outside;
        if !last {
            self.begin_part();
        }
        true
    }

    fn begin_part(&mut self) {
        self.parts = self.parts.saturating_add(1);
        self.part = Part::default();
        self.state = State::Headers;
    }

    fn header_line(&mut self, piece: &Piece, place: (u64, Ts)) {
        let line = piece.bytes.strip_suffix(b"\n").unwrap_or(&piece.bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let goes_on = !piece.first || matches!(line.first(), Some(b' ' | b'\t'));
        if line.is_empty() && piece.first {
            self.keep_header();
            self.begin_body(place);
            return;
        }
        if !goes_on {
            self.keep_header();
        }
        let room = HEADER_BYTES.saturating_sub(self.header.len());
        self.header.extend(line.iter().take(room));
    }

    fn keep_header(&mut self) {
        let header = std::mem::take(&mut self.header);
        let Some(colon) = header.iter().position(|&byte| byte == b':') else { return };
        let (name, value) = header.split_at(colon);
        let (name, value) = (name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii());
        match () {
            () if name.eq_ignore_ascii_case(b"content-type") => self.part.kind = value.to_vec(),
            () if name.eq_ignore_ascii_case(b"content-disposition") => self.part.disposition = value.to_vec(),
            () if name.eq_ignore_ascii_case(b"content-transfer-encoding") => self.part.coding = value.to_vec(),
            () => {}
        }
        if self.parts == 1 && self.seen.headers.len() < HEADERS {
            self.seen.headers.push((escape(name, 64).to_ascii_uppercase(), value.to_vec()));
        }
    }

    /// The empty line: what follows is content, parts, or a message of its own.
    fn begin_body(&mut self, place: (u64, Ts)) {
        let part = std::mem::take(&mut self.part);
        let kind = escape(part.kind.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii(), 128).to_ascii_lowercase();
        if kind.starts_with("multipart/") && self.boundaries.len() < DEPTH {
            let boundary = words::parameter(&part.kind, "boundary").filter(|text| !text.is_empty() && text.len() <= BOUNDARY);
            if let Some(boundary) = boundary {
                self.boundaries.push(boundary.into_bytes());
                self.state = State::Outside;
                return;
            }
        }
        if kind == "message/rfc822" && self.parts < PARTS {
            self.begin_part();
            return;
        }
        if self.parts > PARTS {
            self.state = State::Outside;
            return;
        }
        let name = words::parameter(&part.disposition, "filename").or_else(|| words::parameter(&part.kind, "name"));
        self.state = State::Body(Box::new(Body {
            coding: Coding::of(&String::from_utf8_lossy(&part.coding)),
            reader: None,
            text: (kind.is_empty() || kind.starts_with("text/")).then(Vec::new),
            declared: Some(kind).filter(|kind| !kind.is_empty()),
            name: name.filter(|name| !name.is_empty()),
            number: self.parts,
            place,
        }));
    }

    fn body(&mut self, piece: &Piece, place: (u64, Ts)) {
        let State::Body(body) = &mut self.state else { return };
        let end = piece.bytes.iter().rposition(|&byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |at| at + 1);
        // Only what ends the line is held back: carriage returns within a binary part stay where they are.
        let end = if piece.bytes.ends_with(b"\n") { end.max(piece.bytes.len().saturating_sub(2)) } else { piece.bytes.len() };
        let (text, line_end) = piece.bytes.split_at(end);
        let held = std::mem::take(&mut self.line_end);
        body.take(&held, place);
        body.take(text, place);
        self.line_end = line_end.to_vec();
    }

    fn end_part(&mut self, complete: bool, out: &mut Out) {
        self.line_end.clear();
        let State::Body(mut body) = std::mem::replace(&mut self.state, State::Outside) else { return };
        let rest = body.coding.rest();
        let place = body.place;
        body.keep(&rest, place);
        let Body { reader, text, declared, name, number, place, .. } = *body;
        self.find_links(&text.unwrap_or_default());
        let is_file = name.is_some() || !self.named;
        let Some(reader) = reader.filter(|reader| reader.seen() > 0 && is_file) else { return };
        let mut file: File = reader.finish(complete);
        if let Some(name) = &name {
            self.seen.names.push(name.clone());
        }
        (file.source, file.is_orig, file.depth) = (self.carrier.source, self.carrier.is_orig, number);
        (file.filename, file.declared_mime) = (name, declared);
        file.url.clone_from(&self.url);
        self.seen.fuids.push(out.file(place.0, place.1, file));
    }

    fn find_links(&mut self, text: &[u8]) {
        for url in links(text) {
            if self.seen.urls.len() >= URLS {
                break;
            }
            let url = escape(url, URL_BYTES);
            if !self.seen.urls.contains(&url) {
                self.seen.urls.push(url);
            }
        }
    }
}

impl Body {
    fn take(&mut self, bytes: &[u8], place: (u64, Ts)) {
        let content = self.coding.decode(bytes);
        self.keep(&content, place);
    }

    fn keep(&mut self, content: &[u8], place: (u64, Ts)) {
        if content.is_empty() {
            return;
        }
        let begun = self.reader.as_ref().is_some_and(|reader| reader.seen() > 0);
        if !begun {
            self.place = place;
        }
        if let Some(text) = &mut self.text {
            let room = TEXT.saturating_sub(text.len());
            text.extend(content.iter().take(room));
        }
        self.reader.get_or_insert_default().data(content);
    }
}

/// Links in a text: from their scheme to the first byte that no link has.
fn links(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    const SCHEMES: [&[u8]; 4] = [b"http", b"https", b"ftp", b"hxxp"];
    memchr::memmem::find_iter(text, b"://").filter_map(move |at| {
        let before = text.get(..at)?;
        let start = before.iter().rposition(|byte| !byte.is_ascii_alphabetic()).map_or(0, |at| at + 1);
        let scheme = before.get(start..)?;
        if !SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
            return None;
        }
        let rest = text.get(at + 3..)?;
        let ends = |byte: &u8| {
            byte.is_ascii_whitespace()
                || byte.is_ascii_control()
                || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
        };
        let len = rest.iter().position(ends).unwrap_or(rest.len());
        let url = text.get(start..at + 3 + len)?;
        let url = url.strip_suffix(b")").or(url.strip_suffix(b".")).or(url.strip_suffix(b",")).unwrap_or(url);
        (len > 0).then_some(url)
    })
}
