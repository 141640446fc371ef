//! Search filters as text (RFC 4511 4.5.1.7 in the form of RFC 4515).

use crate::dissect::ber::Tlv;

/// Nested deeper than this, a filter is cut.
const DEPTH_MAX: u8 = 32;
/// Bytes of text.
const TEXT_MAX: usize = 4_096;

/// The filter as text, not yet made safe to print.
pub fn text(filter: Tlv<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    write(filter, DEPTH_MAX, &mut out);
    out.truncate(TEXT_MAX);
    out
}

fn write(filter: Tlv<'_>, depth: u8, out: &mut Vec<u8>) {
    if depth == 0 || out.len() >= TEXT_MAX {
        return;
    }
    out.push(b'(');
    let mut parts = filter.inside();
    match filter.tag {
        0xa0..=0xa2 => {
            out.push(b"&|!"[usize::from(filter.tag - 0xa0)]);
            parts.for_each(|part| write(part, depth - 1, out));
        }
        0xa3 | 0xa5 | 0xa6 | 0xa8 => {
            let sign: &[u8] = match filter.tag {
                0xa3 => b"=",
                0xa5 => b">=",
                0xa6 => b"<=",
                _ => b"~=",
            };
            out.extend(parts.next().map_or(&[][..], |name| name.value));
            out.extend(sign);
            parts.take(1).for_each(|value| escaped(value.value, out));
        }
        0xa4 => {
            out.extend(parts.next().map_or(&[][..], |name| name.value));
            out.push(b'=');
            let mut starred = false;
            for part in parts.next().into_iter().flat_map(|list| list.inside()) {
                if part.tag != 0x80 && !starred {
                    out.push(b'*');
                }
                escaped(part.value, out);
                starred = part.tag != 0x82;
                if starred {
                    out.push(b'*');
                }
            }
        }
        0x87 => {
            out.extend(filter.value);
            out.extend(b"=*");
        }
        0xa9 => extensible(filter, out),
        other => out.extend(format!("?{other:02x}").bytes()),
    }
    out.push(b')');
}

/// `attribute:dn:rule:=value`.
fn extensible(filter: Tlv<'_>, out: &mut Vec<u8>) {
    let part = |tag| filter.inside().find(|part| part.tag == tag).map(|part| part.value);
    out.extend(part(0x82).unwrap_or_default());
    if part(0x84).is_some_and(|value| value.first().is_some_and(|&byte| byte != 0)) {
        out.extend(b":dn");
    }
    if let Some(rule) = part(0x81) {
        out.push(b':');
        out.extend(rule);
    }
    out.extend(b":=");
    escaped(part(0x83).unwrap_or_default(), out);
}

/// A value: what has a meaning in filters is written as its number.
fn escaped(value: &[u8], out: &mut Vec<u8>) {
    for &byte in value {
        match byte {
            b'(' | b')' | b'*' | b'\\' | 0 => out.extend(format!("\\{byte:02x}").bytes()),
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::ber::Ber;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, content.len() as u8], content].concat()
    }

    fn pair(tag: u8, name: &[u8], value: &[u8]) -> Vec<u8> {
        tlv(tag, &[tlv(4, name), tlv(4, value)].concat())
    }

    fn shown(bytes: &[u8]) -> String {
        String::from_utf8(text(Ber(bytes).next().unwrap())).unwrap()
    }

    #[test]
    fn filters_read_as_people_write_them() {
        let substrings = tlv(0xa4, &[tlv(4, b"mail"), tlv(0x30, &[tlv(0x80, b"a"), tlv(0x81, b"b"), tlv(0x82, b"c")].concat())].concat());
        let ends = tlv(0xa4, &[tlv(4, b"mail"), tlv(0x30, &tlv(0x82, b"@x"))].concat());
        let rule = tlv(0xa9, &[tlv(0x81, b"1.2.840.113556.1.4.803"), tlv(0x82, b"userAccountControl"), tlv(0x83, b"4194304")].concat());
        let not = tlv(0xa2, &pair(0xa5, b"n", b"1"));
        let and = tlv(0xa0, &[pair(0xa3, b"cn", b"a(b)*\\"), tlv(0x87, b"servicePrincipalName"), not].concat());
        assert_eq!(shown(&and), "(&(cn=a\\28b\\29\\2a\\5c)(servicePrincipalName=*)(!(n>=1)))");
        assert_eq!((shown(&substrings), shown(&ends)), ("(mail=a*b*c)".to_owned(), "(mail=*@x)".to_owned()));
        assert_eq!(shown(&rule), "(userAccountControl:1.2.840.113556.1.4.803:=4194304)");
    }

    #[test]
    fn depth_is_bounded() {
        let mut filter = tlv(0x87, b"x");
        for _ in 0..60 {
            filter = tlv(0xa2, &filter);
        }
        assert!(shown(&filter).len() < 200);
    }
}
