//! Lines of HTTP/1: splitting them off a stream, and reading the first line of a message (RFC 9112 section 3).

/// A line longer than this keeps its beginning only.
const LINE_MAX: usize = 64 << 10;

/// Collects bytes until a line is whole.
#[derive(Default)]
pub struct LineBuffer {
    bytes: Vec<u8>,
}

impl LineBuffer {
    /// Takes bytes up to a line feed off `rest`. Returns the line without its end once it is whole.
    pub fn take(&mut self, rest: &mut &[u8]) -> Option<Vec<u8>> {
        let end = memchr::memchr(b'\n', rest);
        let (now, later) = rest.split_at(end.map_or(rest.len(), |at| at + 1));
        *rest = later;
        let room = LINE_MAX.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&now[..now.len().min(room)]);
        end?;
        let mut line = std::mem::take(&mut self.bytes);
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Some(line)
    }

    /// What there is of an unfinished line.
    pub fn unfinished(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Forgets an unfinished line.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Whether part of a line waits.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// `GET /index.html HTTP/1.1`
#[derive(Debug, PartialEq)]
pub struct RequestLine<'a> {
    /// Method as sent.
    pub method: &'a [u8],
    /// Everything between method and version, as sent.
    pub target: &'a [u8],
    /// `1.1`; `None` is HTTP/0.9, which has none.
    pub version: Option<String>,
}

/// Reads a request line. Without a version it must be a path or an URL: that is how HTTP/0.9 asked, and what broken clients send.
pub fn request_line(line: &[u8]) -> Option<RequestLine<'_>> {
    let line = line.trim_ascii_start();
    let end = line.iter().position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')))?;
    let (method, rest) = line.split_at(end);
    if method.is_empty() || !method[0].is_ascii_alphabetic() || !matches!(rest.first(), Some(b' ' | b'\t')) {
        return None;
    }
    let rest = rest.trim_ascii();
    if let Some(at) = version_at(rest) {
        return Some(RequestLine { method, target: rest[..at].trim_ascii_end(), version: Some(version(&rest[at + 5..])) });
    }
    let legacy = method.len() >= 3 && (rest.starts_with(b"/") || rest.starts_with(b"http://"));
    legacy.then_some(RequestLine { method, target: rest, version: None })
}

/// Where ` HTTP/` begins that ends the line (targets may hold blanks and even `HTTP/`).
fn version_at(rest: &[u8]) -> Option<usize> {
    let at = rest.len() - rest.iter().rev().position(|&byte| byte == b' ' || byte == b'\t').unwrap_or(rest.len());
    let last = rest.get(at..).unwrap_or(rest);
    last.get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"HTTP/")).then_some(at)
}

/// `HTTP/1.1 200 OK`
#[derive(Debug, PartialEq)]
pub struct StatusLine<'a> {
    /// `1.1`
    pub version: String,
    /// `200`
    pub code: u16,
    /// `OK`
    pub reason: &'a [u8],
}

/// Reads a status line.
pub fn status_line(line: &[u8]) -> Option<StatusLine<'_>> {
    let rest = line.get(..5).filter(|word| word.eq_ignore_ascii_case(b"HTTP/")).and_then(|_| line.get(5..))?;
    let blank = rest.iter().position(|byte| byte.is_ascii_whitespace())?;
    let (number, rest) = rest.split_at(blank);
    let rest = rest.trim_ascii();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits != 3 {
        return None;
    }
    let code = rest[..3].iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    Some(StatusLine { version: version(number), code, reason: rest[3..].trim_ascii() })
}

/// `1.1`; what is no version is `0.0`, as Zeek has it, and a missing minor number is 0.
fn version(text: &[u8]) -> String {
    let mut parts = text.splitn(2, |&byte| byte == b'.');
    let number = |part: Option<&[u8]>| part.and_then(|p| std::str::from_utf8(p).ok()).and_then(|p| p.parse::<u8>().ok());
    match (number(parts.next()), number(parts.next())) {
        (Some(major), minor) => format!("{major}.{}", minor.unwrap_or(0)),
        (None, _) => "0.0".to_owned(),
    }
}

/// Percent-decoding of a target (RFC 3986 2.1). Zeek logs targets so, and signatures are written for it.
pub fn unescape(target: &[u8]) -> Vec<u8> {
    let hex = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut out = Vec::with_capacity(target.len());
    let mut at = 0;
    while let Some(&byte) = target.get(at) {
        let pair = (byte == b'%').then(|| target.get(at + 1..at + 3)).flatten();
        match pair.and_then(|pair| Some(hex(pair[0])? << 4 | hex(pair[1])?)) {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_lines_are_read_as_servers_read_them() {
        let read = |line: &'static [u8]| {
            request_line(line).map(|r| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                (text(r.method), text(r.target), r.version.unwrap_or_default())
            })
        };
        let said = |m: &str, t: &str, v: &str| Some((m.to_owned(), t.to_owned(), v.to_owned()));
        assert_eq!(read(b"GET / HTTP/1.1"), said("GET", "/", "1.1"));
        assert_eq!(read(b"get  /a b  http/1.0 "), said("get", "/a b", "1.0"));
        assert_eq!(read(b"OPTIONS HTTP/1.1"), said("OPTIONS", "", "1.1"));
        assert_eq!(read(b"CCM_POST / HTTP/1."), said("CCM_POST", "/", "1.0"));
        assert_eq!(read(b"GET /old"), said("GET", "/old", ""));
        assert_eq!((read(b"GET/ HTTP/1.1"), read(b"\x16\x03\x01 x"), read(b"220 ready"), read(b"")), (None, None, None, None));
    }

    #[test]
    fn status_lines_need_a_code_of_three_digits() {
        assert_eq!(status_line(b"http/1.1 200 OK").map(|s| (s.version, s.code)), Some(("1.1".to_owned(), 200)));
        assert_eq!(status_line(b"HTTP/!.4 206 t").map(|s| s.version), Some("0.0".to_owned()));
        assert_eq!(status_line(b"HTTP/1.0 404").map(|s| s.reason), Some(&b""[..]));
        assert_eq!((status_line(b"HTTP/1.1 20 x"), status_line(b"SSH-2.0-x")), (None, None));
    }

    #[test]
    fn broken_percent_signs_stay() {
        assert_eq!(unescape(b"%41%2f%zz%4"), b"A/%zz%4");
    }
}
