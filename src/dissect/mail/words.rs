//! Text in headers that is not ASCII: encoded words (RFC 2047), and parameters in another character set or in pieces (RFC 2231).

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Senders forget the padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);
/// Pieces of one parameter.
const PIECES: usize = 64;

/// A header value with its encoded words undone; `None` if there are none.
pub(super) fn decoded(value: &[u8]) -> Option<String> {
    let mut out = String::new();
    let (mut rest, mut found) = (value, false);
    while let Some((before, word, after)) = next_word(rest) {
        // Blanks between two encoded words only separate them.
        if !(found && before.iter().all(u8::is_ascii_whitespace)) {
            out.push_str(&readable(&String::from_utf8_lossy(before)));
        }
        out.push_str(&readable(&word));
        (rest, found) = (after, true);
    }
    out.push_str(&readable(&String::from_utf8_lossy(rest)));
    found.then_some(out)
}

/// The next `=?charset?encoding?text?=`: what stands before, its text, what follows.
fn next_word(bytes: &[u8]) -> Option<(&[u8], String, &[u8])> {
    let mut from = 0;
    loop {
        let at = from + memchr::memmem::find(bytes.get(from..)?, b"=?")?;
        let word = bytes.get(at + 2..)?;
        if let Some((text, used)) = encoded_word(word) {
            return Some((bytes.get(..at)?, text, word.get(used..)?));
        }
        from = at + 2;
    }
}

fn encoded_word(word: &[u8]) -> Option<(String, usize)> {
    let mut fields = word.splitn(3, |&byte| byte == b'?');
    let (charset, encoding, rest) = (fields.next()?, fields.next()?, fields.next()?);
    let end = memchr::memmem::find(rest, b"?=")?;
    let text = rest.get(..end)?;
    let bytes = match encoding {
        b"B" | b"b" => LENIENT.decode(text).ok()?,
        b"Q" | b"q" => {
            let spaced: Vec<u8> = text.iter().map(|&byte| if byte == b'_' { b' ' } else { byte }).collect();
            unescaped(&spaced, b'=')
        }
        _ => return None,
    };
    Some((text_of(charset, &bytes), charset.len() + encoding.len() + 2 + end + 2))
}

/// A parameter of a header such as `Content-Disposition`, whichever way it is written.
pub(super) fn parameter(value: &[u8], name: &str) -> Option<String> {
    let fields = fields(value);
    let find = |wanted: &str| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_slice());
    if let Some(plain) = find(name) {
        return Some(decoded(plain).unwrap_or_else(|| readable(&String::from_utf8_lossy(plain))));
    }
    if let Some(extended) = find(&format!("{name}*")) {
        return Some(readable(&charset_text(extended)));
    }
    let (mut whole, mut charset, mut any) = (Vec::new(), Vec::new(), false);
    for n in 0..PIECES {
        if let Some(piece) = find(&format!("{name}*{n}")) {
            whole.extend_from_slice(piece);
        } else if let Some(piece) = find(&format!("{name}*{n}*")) {
            let (set, text) = if n == 0 { split_charset(piece) } else { (&b""[..], piece) };
            charset.extend_from_slice(set);
            whole.extend(unescaped(text, b'%'));
        } else {
            break;
        }
        any = true;
    }
    any.then(|| readable(&text_of(&charset, &whole)))
}

/// `charset'language'text`
fn charset_text(value: &[u8]) -> String {
    let (charset, text) = split_charset(value);
    text_of(charset, &unescaped(text, b'%'))
}

fn split_charset(value: &[u8]) -> (&[u8], &[u8]) {
    let mut fields = value.splitn(3, |&byte| byte == b'\'');
    match (fields.next(), fields.next(), fields.next()) {
        (Some(charset), Some(_), Some(text)) => (charset, text),
        _ => (b"", value),
    }
}

/// `; name=value` pairs behind the first value, quotes taken off.
fn fields(value: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = value.iter().position(|&byte| byte == b';').and_then(|at| value.get(at + 1..)).unwrap_or_default();
    while let Some(equals) = rest.iter().position(|&byte| byte == b'=') {
        if found.len() >= PIECES {
            break;
        }
        let name = String::from_utf8_lossy(rest.get(..equals).unwrap_or_default());
        let name = name.rsplit(';').next().unwrap_or_default().trim().to_owned();
        let (text, after) = field_value(rest.get(equals + 1..).unwrap_or_default().trim_ascii_start());
        found.push((name, text));
        rest = after;
    }
    found
}

fn field_value(rest: &[u8]) -> (Vec<u8>, &[u8]) {
    let [b'"', quoted @ ..] = rest else {
        let end = rest.iter().position(|&byte| byte == b';').unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        return (text.trim_ascii().to_vec(), after.get(1..).unwrap_or_default());
    };
    let mut text = Vec::new();
    let mut bytes = quoted.iter().enumerate();
    while let Some((at, &byte)) = bytes.next() {
        match byte {
            b'"' => {
                let after = quoted.get(at + 1..).unwrap_or_default();
                let next = after.iter().position(|&byte| byte == b';').map_or(after.len(), |at| at + 1);
                return (text, after.get(next..).unwrap_or_default());
            }
            b'\\' => text.extend(bytes.next().map(|(_, &byte)| byte)),
            byte => text.push(byte),
        }
    }
    (text, &[])
}

/// `=XX` or `%XX` undone.
fn unescaped(text: &[u8], mark: u8) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|&byte| char::from(byte).to_digit(16)).map(|digit| digit as u8);
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match (byte == mark, digit(text.get(at + 1)), digit(text.get(at + 2))) {
            (true, Some(high), Some(low)) => {
                out.push(high << 4 | low);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// UTF-8 where it is; else a letter a byte, as Latin-1 has it: the names of other character sets are many, and this shows them all.
fn text_of(_charset: &[u8], bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// Control characters shown as `\xNN`.
fn readable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { out.push_str(&format!("\\x{:02x}", u32::from(c))) } else { out.push(c) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn encoded_words_are_undone() {
        assert_eq!(decoded(b"=?UTF-8?B?w4RwZmVs?= und =?iso-8859-1?q?B=E4r_en?=").as_deref(), Some("Äpfel und Bär en"));
        assert_eq!(decoded(b"=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=").as_deref(), Some("ab"), "blanks between words only separate them");
        assert_eq!(decoded(b"plain =? text"), None);
        assert_eq!(decoded(b"=?utf-8?Q?=E2=80=AEfdp.exe?=").as_deref(), Some("\u{202e}fdp.exe"), "a trick of direction stays visible");
    }

    #[test]
    fn parameters_are_found_plain_extended_and_in_pieces() {
        let read = |value: &str| parameter(value.as_bytes(), "filename");
        assert_eq!(read("attachment; filename=a.txt").as_deref(), Some("a.txt"));
        assert_eq!(read("attachment; x=1; FileName=\"a \\\"b\\\";c.txt\"; y=2").as_deref(), Some("a \"b\";c.txt"));
        assert_eq!(read("attachment; filename*=UTF-8''%e2%82%ac.exe").as_deref(), Some("€.exe"));
        assert_eq!(
            read("attachment; filename*0*=us-ascii'en'This%20is; filename*1=\" a\"; filename*2=.zip").as_deref(),
            Some("This is a.zip")
        );
        assert_eq!(read("attachment; filename=\"=?utf-8?B?w6kuZXhl?=\"").as_deref(), Some("é.exe"));
        assert_eq!((read("attachment"), read("")), (None, None));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decoded(&bytes);
            let _ = parameter(&[b"a; filename", bytes.as_slice()].concat(), "filename");
        }
    }
}
