//! Flows that another flow announces: FTP's data connections (RFC 959, 2428), files offered over IRC (DCC), TFTP's transfers (RFC 1350),
//! media that SIP agrees on (RFC 3264).
//!
//! An announcement is read from the packet that makes it, before any flow takes its packets: so every flow of the same block can know of it,
//! whichever part of the flow table it belongs to. Nothing is believed for good: [`Kind::is_one_way`] and the bytes decide.

use super::ftp::Channel;
use super::{Protocol, irc, rtp, sdp, tftp, transfer};
use crate::model::event::DataChannel;
use crate::model::{Conn, FlowId, Proto};
use smallvec::SmallVec;
use std::net::IpAddr;

/// Bytes of a packet that are looked at.
const LOOKED_AT: usize = 4_096;
/// Longest packet of a client's command line.
const COMMAND: usize = 512;

/// What is expected of a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A data connection of FTP.
    FtpData,
    /// A file offered over IRC.
    DccData,
    /// A TFTP transfer.
    Tftp,
    /// Media and their control.
    Rtp,
}

impl Kind {
    /// Zeek's service name.
    pub fn service(self) -> &'static str {
        self.protocol().name
    }

    /// Who reads it.
    pub fn protocol(self) -> &'static Protocol {
        match self {
            Self::FtpData => &transfer::FTP_DATA,
            Self::DccData => &transfer::DCC_DATA,
            Self::Tftp => &tftp::TRANSFER,
            Self::Rtp => &rtp::MEDIA,
        }
    }

    /// Whether the first bytes could be that. Ways for media are mostly tried with something else before.
    pub(super) fn fits(self, bytes: &[u8]) -> bool {
        self != Self::Rtp || rtp::looks(bytes)
    }

    /// One side alone speaks in it, or it is something else.
    pub(super) fn is_one_way(self) -> bool {
        self == Self::FtpData
    }
}

/// A flow that will begin soon.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Announcement {
    /// Its ends, as far as known.
    pub channel: DataChannel,
    /// Transport.
    pub proto: Proto,
    /// What it will be.
    pub kind: Kind,
}

/// Announcements of one packet: an address told, and the sender's own, which is the one that counts behind address translation.
pub type Announcements = SmallVec<[Announcement; 2]>;

/// What a packet announces.
pub fn announced(proto: Proto, src: (IpAddr, u16), dst: (IpAddr, u16), payload: &[u8]) -> Announcements {
    let looked_at = &payload[..payload.len().min(LOOKED_AT)];
    let mut found = Announcements::new();
    match (proto, looked_at) {
        (
            Proto::Tcp | Proto::Udp,
            [b'I', b'N', b'V', b'I', ..] | [b'S', b'I', b'P', b'/', ..] | [b'A', b'C', b'K', b' ', ..] | [b'U', b'P', b'D', b'A', ..],
        ) => {
            media(looked_at, src.0, &mut found);
        }
        (Proto::Tcp, [b'2', b'0'..=b'9', b'0'..=b'9', ..]) => ftp_reply(looked_at, src, dst, &mut found),
        (Proto::Tcp, [b':' | b'@', ..]) => dcc(looked_at, &mut found),
        (Proto::Tcp, [b'A'..=b'Z' | b'a'..=b'z', ..]) => {
            if payload.len() <= COMMAND {
                ftp_command(looked_at, src, dst, &mut found);
            }
            if looked_at.get(..8).is_some_and(|word| word.eq_ignore_ascii_case(b"PRIVMSG ")) {
                dcc(looked_at, &mut found);
            }
        }
        (Proto::Udp, [0, 1 | 2, ..]) if tftp::is_request(looked_at) => {
            let channel = DataChannel { orig_h: Some(dst.0), resp_h: src.0, resp_p: src.1 };
            found.push(Announcement { channel, proto, kind: Kind::Tftp });
        }
        _ => {}
    }
    found
}

/// Media go to the address told, or, behind address translation, to the teller's own.
fn media(message: &[u8], teller: IpAddr, found: &mut Announcements) {
    for media in sdp::media(message) {
        for resp_h in std::iter::once(media.host).chain((teller != media.host).then_some(teller)) {
            for resp_p in [media.port, media.control] {
                let channel = DataChannel { orig_h: None, resp_h, resp_p };
                found.push(Announcement { channel, proto: Proto::Udp, kind: Kind::Rtp });
            }
        }
    }
}

fn ftp_reply(bytes: &[u8], src: (IpAddr, u16), dst: (IpAddr, u16), found: &mut Announcements) {
    for line in bytes.split(|&byte| byte == b'\n') {
        let code = match line.get(..3) {
            Some(b"227") => 227,
            Some(b"229") => 229,
            _ => continue,
        };
        let text = String::from_utf8_lossy(line.get(3..).unwrap_or_default());
        if let Some(channel) = Channel::of(&conn(dst, src), "", None, Some((code, &text))) {
            add(&channel, src.0, found);
        }
    }
}

fn ftp_command(bytes: &[u8], src: (IpAddr, u16), dst: (IpAddr, u16), found: &mut Announcements) {
    for line in bytes.split(|&byte| byte == b'\n') {
        let Some((word, arg)) = line.split_at_checked(5) else { continue };
        let command = [("PORT", &b"PORT "[..]), ("EPRT", b"EPRT ")].into_iter().find(|(_, known)| word.eq_ignore_ascii_case(known));
        let arg = String::from_utf8_lossy(arg);
        if let Some(channel) = command.and_then(|(name, _)| Channel::of(&conn(src, dst), name, Some(arg.trim()), None)) {
            add(&channel, src.0, found);
        }
    }
}

/// The client is `orig`.
fn conn(orig: (IpAddr, u16), resp: (IpAddr, u16)) -> Conn {
    Conn { flow: FlowId(0), orig_h: orig.0, orig_p: orig.1, resp_h: resp.0, resp_p: resp.1, proto: Proto::Tcp }
}

fn add(channel: &Channel, teller: IpAddr, found: &mut Announcements) {
    let Channel { orig_h, resp_h, resp_p, .. } = *channel;
    let mut push = |resp_h| {
        let channel = DataChannel { orig_h: Some(orig_h), resp_h, resp_p };
        found.push(Announcement { channel, proto: Proto::Tcp, kind: Kind::FtpData });
    };
    push(resp_h);
    if teller != resp_h {
        push(teller);
    }
}

fn dcc(bytes: &[u8], found: &mut Announcements) {
    if memchr::memmem::find(bytes, b"DCC SEND ").is_none() {
        return;
    }
    for line in bytes.split(|&byte| byte == b'\n') {
        if let Some(offer) = irc::Offer::find(line) {
            found.push(Announcement { channel: offer.channel(), proto: Proto::Tcp, kind: Kind::DccData });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CLIENT: (IpAddr, u16) = (IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 40_000);
    const SERVER: (IpAddr, u16) = (IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 2)), 21);

    fn channels(proto: Proto, from_client: bool, payload: &[u8]) -> Vec<String> {
        let (src, dst) = if from_client { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
        let show = |said: &Announcement| {
            let DataChannel { orig_h, resp_h, resp_p } = said.channel;
            format!("{} {} > {resp_h}:{resp_p}", said.kind.service(), orig_h.map_or("anybody".into(), |host| host.to_string()))
        };
        announced(proto, src, dst, payload).iter().map(show).collect()
    }

    #[test]
    fn each_way_to_agree_on_a_data_connection_is_understood() {
        let tcp = |from_client, text: &str| channels(Proto::Tcp, from_client, text.as_bytes());
        let passive = "ftp-data 192.0.2.1 > 198.51.100.2:4660";
        assert_eq!(tcp(false, "227 Entering Passive Mode (198,51,100,2,18,52).\r\n"), [passive]);
        assert_eq!(tcp(false, "200 ok\r\n229 Entering Extended Passive Mode (|||4660|)\r\n"), [passive]);
        assert_eq!(tcp(true, "port 192,0,2,1,18,52\r\n"), ["ftp-data 198.51.100.2 > 192.0.2.1:4660"]);
        assert_eq!(tcp(true, "TYPE I\r\nEPRT |2|2001:db8::1|4660|\r\n").len(), 2);
        assert_eq!(tcp(true, "PRIVMSG joe :\u{1}DCC SEND a.exe 3221225985 4660 9\u{1}\r\n"), ["irc-dcc-data anybody > 192.0.2.1:4660"]);
        assert_eq!(channels(Proto::Udp, true, b"\0\x01boot\0octet\0"), ["tftp 198.51.100.2 > 192.0.2.1:40000"]);
        let answer = b"SIP/2.0 200 OK\r\n\r\nv=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4660 RTP/AVP 0\r\n";
        assert_eq!(channels(Proto::Udp, true, answer), ["rtp anybody > 192.0.2.1:4660", "rtp anybody > 192.0.2.1:4661"]);
    }

    #[test]
    fn behind_address_translation_the_server_s_own_address_counts_too() {
        let said = channels(Proto::Tcp, false, b"227 Entering Passive Mode (10,0,0,7,18,52)\r\n");
        assert_eq!(said, ["ftp-data 192.0.2.1 > 10.0.0.7:4660", "ftp-data 192.0.2.1 > 198.51.100.2:4660"]);
    }

    #[test]
    fn other_texts_announce_nothing() {
        for text in [
            "220 ready\r\n",
            "GET /227 HTTP/1.1\r\n",
            "226 (1,2,3,4,5,6)\r\n",
            "PORTABLE 1,2,3,4,5,6\r\n",
            "227 no numbers\r\n",
            ":a DCC SEND\r\n",
        ] {
            assert!(channels(Proto::Tcp, false, text.as_bytes()).is_empty(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_announce_a_bounded_number_of_flows(bytes in proptest::collection::vec(any::<u8>(), 0..600), start in 0usize..5) {
            let start: &[u8] = [&b"227 "[..], b"PORT ", b":x PRIVMSG y :\x01DCC SEND ", b"\0\x01", b""][start];
            for proto in [Proto::Tcp, Proto::Udp] {
                let said = announced(proto, CLIENT, SERVER, &[start, &bytes].concat());
                prop_assert!(said.len() <= 2 * bytes.len() + 2);
            }
        }
    }
}
