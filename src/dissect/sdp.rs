//! Session descriptions (RFC 8866) inside of SIP: where media will be expected. Nothing else of them is read.

use std::net::IpAddr;

/// Media of one description.
const MEDIA_MAX: usize = 16;

/// Address and port where one kind of media is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media {
    /// Where.
    pub host: IpAddr,
    /// Its port.
    pub port: u16,
    /// The port of its control messages.
    pub control: u16,
}

/// What the description behind a SIP message's head announces as RTP.
pub fn media(message: &[u8]) -> Vec<Media> {
    let Some(body) = memchr::memmem::find(message, b"\r\n\r\n").and_then(|end| message.get(end + 4..)) else { return Vec::new() };
    let mut found: Vec<(Option<IpAddr>, u16, u16)> = Vec::new();
    let mut session = None;
    for line in body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
        let Some((kind, value)) = line.split_first_chunk::<2>() else { continue };
        let Ok(text) = std::str::from_utf8(value) else { continue };
        match kind {
            b"c=" => {
                let host = connection(text);
                match found.last_mut() {
                    Some(last) => last.0 = host,
                    None => session = host,
                }
            }
            b"m=" if found.len() < MEDIA_MAX => {
                // What is not media takes the lines behind it along.
                let port = rtp(text).unwrap_or(0);
                found.push((session, port, port.saturating_add(1)));
            }
            b"m=" => break,
            b"a=" => {
                let own = text.strip_prefix("rtcp:").and_then(|rest| rest.split_ascii_whitespace().next()?.parse().ok());
                if let (Some(last), Some(control)) = (found.last_mut(), own) {
                    last.2 = control;
                }
            }
            _ => {}
        }
    }
    let told = found.into_iter().filter(|(_, port, _)| *port != 0);
    told.filter_map(|(host, port, control)| Some(Media { host: host?, port, control })).collect()
}

/// `IN IP4 192.0.2.1`, or with a time to live and a number of addresses behind it. A host on hold says zero.
fn connection(text: &str) -> Option<IpAddr> {
    let mut words = text.split_ascii_whitespace();
    let (net, _family) = (words.next()?, words.next()?);
    let host: IpAddr = words.next()?.split('/').next()?.parse().ok()?;
    (net == "IN" && !host.is_unspecified()).then_some(host)
}

/// `audio 49170 RTP/AVP 0`: the port.
fn rtp(text: &str) -> Option<u16> {
    let mut words = text.split_ascii_whitespace();
    let (_kind, port, transport) = (words.next()?, words.next()?, words.next()?);
    let port = port.split('/').next()?.parse().ok()?;
    transport.contains("RTP/").then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OFFER: &str = "INVITE sip:b@example.org SIP/2.0\r\nContent-Type: application/sdp\r\n\r\nv=0\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 49170 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\nm=video 51372/2 RTP/SAVPF 99\r\nc=IN IP6 2001:db8::1\r\na=rtcp:53020\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 192.0.2.9\r\nm=audio 0 RTP/AVP 0\r\n";

    #[test]
    fn each_media_has_its_own_address_or_that_of_the_session() {
        let media = media(OFFER.as_bytes());
        let told: Vec<_> = media.iter().map(|media| format!("{}:{} {}", media.host, media.port, media.control)).collect();
        assert_eq!(told, ["192.0.2.1:49170 49171", "2001:db8::1:51372 53020"]);
        assert!(super::media(b"INVITE sip:b@example.org SIP/2.0\r\n\r\nm=audio 1 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n").is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_announce_a_bounded_number(at in 0usize..400, to: u8, more in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut bytes = [OFFER.as_bytes(), &more].concat();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = to;
            }
            prop_assert!(media(&bytes).len() <= MEDIA_MAX);
        }
    }
}
