//! Content-Transfer-Encoding undone as bytes come by (RFC 2045 6).

/// How a part is encoded.
#[derive(Debug)]
pub(super) enum Coding {
    /// 7bit, 8bit, binary, or something unknown: as it is.
    Identity,
    /// Six bits a letter; letters so far, and how many.
    Base64 { bits: u32, letters: u8, over: bool },
    /// `=XX`; what of an escape has come, and blanks that may end the line.
    Quoted { escape: Vec<u8>, blanks: Vec<u8> },
}

/// Blanks held back at most: no sender writes longer lines (RFC 2045 6.7).
const BLANKS: usize = 1_024;

impl Coding {
    /// By its name.
    pub fn of(name: &str) -> Self {
        match name.trim().to_ascii_lowercase().as_str() {
            "base64" => Self::Base64 { bits: 0, letters: 0, over: false },
            "quoted-printable" => Self::Quoted { escape: Vec::new(), blanks: Vec::new() },
            _ => Self::Identity,
        }
    }

    /// The next bytes, decoded.
    pub fn decode(&mut self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Identity => bytes.to_vec(),
            Self::Base64 { bits, letters, over } => base64(bytes, bits, letters, over),
            Self::Quoted { escape, blanks } => quoted(bytes, escape, blanks),
        }
    }
}

impl Coding {
    /// What is left when the content ends: senders forget the padding.
    pub fn rest(&mut self) -> Vec<u8> {
        match self {
            Self::Base64 { letters: 2.., .. } => self.decode(b"="),
            _ => Vec::new(),
        }
    }
}

/// Line ends and foreign letters are passed over; padding ends a group, and what follows begins another.
fn base64(bytes: &[u8], bits: &mut u32, letters: &mut u8, over: &mut bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 3 / 4 + 3);
    for &byte in bytes {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                let group = *bits << (6 * (4 - u32::from(*letters)));
                let whole = usize::from(letters.saturating_sub(1));
                if !*over {
                    out.extend(group.to_be_bytes().iter().skip(1).take(whole));
                }
                (*bits, *letters, *over) = (0, 0, true);
                continue;
            }
            _ => continue,
        };
        *over = false;
        *bits = *bits << 6 | u32::from(value);
        *letters += 1;
        if *letters == 4 {
            out.extend(bits.to_be_bytes().iter().skip(1));
            (*bits, *letters) = (0, 0);
        }
    }
    out
}

fn quoted(bytes: &[u8], escape: &mut Vec<u8>, blanks: &mut Vec<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        if !escape.is_empty() {
            escape.push(byte);
            unescape(escape, &mut out);
            continue;
        }
        match byte {
            b' ' | b'\t' if blanks.len() < BLANKS => blanks.push(byte),
            // Blanks at the end of a line were added on the way (RFC 2045 6.7 rule 3).
            b'\r' | b'\n' => {
                blanks.clear();
                out.push(byte);
            }
            byte => {
                out.append(blanks);
                if byte == b'=' { escape.push(byte) } else { out.push(byte) }
            }
        }
    }
    out
}

/// Settles an escape once it is whole: a byte, a line that goes on, or no escape at all.
fn unescape(escape: &mut Vec<u8>, out: &mut Vec<u8>) {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    match escape.as_slice() {
        [_, b'\n'] | [_, b'\r', b'\n'] => escape.clear(),
        [_, b'\r'] => {}
        [_, high] if digit(*high).is_some() => {}
        [_, high, low] if digit(*high).is_some() && digit(*low).is_some() => {
            out.extend(digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low));
            escape.clear();
        }
        _ => out.append(escape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    fn decode(name: &str, text: &[u8], step: usize) -> Vec<u8> {
        let mut coding = Coding::of(name);
        let mut out: Vec<u8> = text.chunks(step.max(1)).flat_map(|chunk| coding.decode(chunk)).collect();
        out.extend(coding.rest());
        out
    }

    #[test]
    fn quoted_printable_is_undone_however_it_is_cut() {
        let text = b"caf=C3=A9 =3D \t \r\nsoft=\r\nbreak=\nhere =zz =4x";
        for step in 1..12 {
            assert_eq!(decode("Quoted-Printable", text, step), b"caf\xc3\xa9 =\r\nsoftbreakhere =zz =4x", "step {step}");
        }
    }

    #[test]
    fn base64_may_be_padded_in_the_middle_and_hold_nonsense() {
        assert_eq!(decode("BASE64", b"TWE=\r\n!TWFu\r\nTQ==", 3), b"MaManM");
        assert_eq!(decode("base64", b"====", 1), b"");
        assert_eq!(decode("base64", b"TWFuTWE", 2), b"ManMa", "padding forgotten");
        assert_eq!(decode("x-uuencode", b"as it is", 3), b"as it is");
    }

    proptest! {
        #[test]
        fn base64_gives_back_what_was_encoded(bytes in proptest::collection::vec(any::<u8>(), 0..300), step in 1usize..40) {
            let text = STANDARD.encode(&bytes).into_bytes();
            let lines: Vec<u8> = text.chunks(76).flat_map(|line| [line, b"\r\n"].concat()).collect();
            prop_assert_eq!(decode("base64", &lines, step), bytes);
        }

        #[test]
        fn any_bytes_decode_to_no_more_than_they_are(bytes in proptest::collection::vec(any::<u8>(), 0..300), step in 1usize..40) {
            for name in ["base64", "quoted-printable", "8bit"] {
                prop_assert!(decode(name, &bytes, step).len() <= bytes.len());
            }
        }
    }
}
