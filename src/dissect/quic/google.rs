//! Google's QUIC before the standard: its ClientHello is a list of tags, in clear up to Q046.

use crate::dissect::escape;

/// Tags read of one message.
const TAGS_MAX: usize = 128;

/// What a CHLO tells.
#[derive(Debug, Default, PartialEq)]
pub struct Hello {
    /// `SNI`.
    pub server_name: Option<String>,
    /// `UAID`.
    pub user_agent: Option<String>,
    /// `ALPN`.
    pub alpn: Option<String>,
}

/// Where the version stands in the headers of versions up to Q043: behind flags and the connection id.
pub fn old_header(datagram: &[u8]) -> Option<(&[u8], [u8; 4])> {
    // Flags: a version, and an id of eight bytes.
    let (flags, rest) = datagram.split_first()?;
    if flags & 0x09 != 0x09 || flags & 0xc0 != 0 {
        return None;
    }
    let (id, rest) = rest.split_at_checked(8)?;
    let version = *rest.first_chunk::<4>()?;
    matches!(version, [b'Q', b'0', b'0'..=b'9', b'0'..=b'9']).then_some((id, version))
}

/// Reads a CHLO, wherever in `payload` it begins: packet number, hash and frame headers before it depend on the version.
pub fn hello(payload: &[u8]) -> Option<Hello> {
    let at = memchr::memmem::find(payload, b"CHLO")?;
    let message = payload.get(at + 4..)?;
    let [low, high, 0, 0] = *message.first_chunk::<4>()? else { return None };
    let count = usize::from(u16::from_le_bytes([low, high])).min(TAGS_MAX);
    let index = message.get(4..)?;
    let values = index.get(8 * usize::from(u16::from_le_bytes([low, high]))..)?;
    let mut hello = Hello::default();
    let mut start = 0;
    for entry in index.as_chunks::<8>().0.iter().take(count) {
        let [a, b, c, d, ends @ ..] = *entry;
        let end = usize::try_from(u32::from_le_bytes(ends)).ok()?;
        let Some(value) = values.get(start..end) else { break };
        start = end;
        let text = || Some(escape(value, 512)).filter(|text| !text.is_empty());
        match &[a, b, c, d] {
            b"SNI\0" => hello.server_name = text(),
            b"UAID" => hello.user_agent = text(),
            b"ALPN" => hello.alpn = text(),
            _ => {}
        }
    }
    Some(hello)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A CHLO with these tags.
    fn chlo(tags: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut message = b"CHLO".to_vec();
        message.extend((tags.len() as u32).to_le_bytes());
        let mut end = 0u32;
        for (tag, value) in tags {
            end += value.len() as u32;
            message.extend(*tag);
            message.extend(end.to_le_bytes());
        }
        tags.iter().for_each(|(_, value)| message.extend(*value));
        message
    }

    #[test]
    fn names_stand_in_the_tags() {
        let bytes = chlo(&[(b"PAD\0", &[b'-'; 30]), (b"SNI\0", b"www.example.com"), (b"UAID", b"Agent 1"), (b"ALPN", b"h3")]);
        let packet = [&[0xa4; 20][..], &bytes].concat();
        let read = hello(&packet).unwrap();
        assert_eq!((read.server_name.as_deref(), read.user_agent.as_deref()), (Some("www.example.com"), Some("Agent 1")));
        for cut in 0..packet.len() {
            let half = hello(&packet[..cut]);
            assert!(half.is_none_or(|half| half.server_name.is_none() || half.server_name == read.server_name));
        }
    }
}
