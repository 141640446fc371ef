//! SOCKS 4 and 5 (RFC 1928, 1929): the request and its answer; then the stream is somebody else's.

use super::tls::bytes::Bytes;
use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape, login};
use crate::model::{Dir, Event, Proto, Ts, event::Socks};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How SOCKS is recognised and read.
pub const PROTOCOL: Protocol = Protocol { name: "socks", over: &[Proto::Tcp], probe, make: |_| Box::new(Request::default()) };

/// Bytes that wait: every message is far shorter.
const WAITING_MAX: usize = 2_048;

/// SOCKS 5's greeting exactly, or SOCKS 4's request.
fn probe(probe: &Probe<'_>) -> Answer {
    match probe.bytes {
        _ if probe.dir == Dir::Resp => Answer::NotForUs,
        [5] | [4] => Answer::Unsure,
        [5, count @ 1..=9, methods @ ..] => {
            let known = methods.iter().all(|method| matches!(method, 0..=9 | 0x80..=0x8f));
            match methods.len().cmp(&usize::from(*count)) {
                std::cmp::Ordering::Less if known => Answer::Unsure,
                std::cmp::Ordering::Equal if known => Answer::Certain,
                _ => Answer::NotForUs,
            }
        }
        [4, 1 | 2, _, _, _, _, _, _, user @ ..] if user.last() == Some(&0) => {
            let text = user.len() < 300 && user.iter().all(|byte| matches!(byte, 0 | b' '..=b'~'));
            if text { Answer::Certain } else { Answer::NotForUs }
        }
        [4, 1 | 2, rest @ ..] if rest.len() < 300 => Answer::Unsure,
        _ => Answer::NotForUs,
    }
}

/// What a side says next.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Step {
    #[default]
    Greeting,
    Login,
    Request,
    Over,
}

#[derive(Default)]
struct Request {
    row: Box<Socks>,
    place: Option<(u64, Ts)>,
    secret: Option<String>,
    accepted: Option<bool>,
    steps: [Step; 2],
    buffers: [Vec<u8>; 2],
    granted: bool,
    lost: bool,
}

/// An address with its type, and a port (RFC 1928 5).
fn target(bytes: &mut Bytes<'_>) -> Option<(Option<IpAddr>, Option<String>, u16)> {
    let (address, name) = match bytes.u8()? {
        1 => (Some(IpAddr::V4(Ipv4Addr::from(*bytes.take(4)?.first_chunk::<4>()?))), None),
        4 => (Some(IpAddr::V6(Ipv6Addr::from(*bytes.take(16)?.first_chunk::<16>()?))), None),
        3 => (None, Some(escape(bytes.vec8()?, 255))),
        _ => return None,
    };
    Some((address, name, bytes.u16()?))
}

fn command(number: u8) -> Option<&'static str> {
    [None, Some("connect"), Some("bind"), Some("udp associate")].get(usize::from(number)).copied().flatten()
}

/// Answers of version 5 (RFC 1928 6) and 4.
fn status(code: u8) -> String {
    match code {
        0 | 0x5a => "succeeded",
        1 | 0x5b => "general SOCKS server failure",
        2 => "connection not allowed by ruleset",
        3 => "Network unreachable",
        4 => "Host unreachable",
        5 => "Connection refused",
        6 => "TTL expired",
        7 => "Command not supported",
        8 => "Address type not supported",
        0x5c => "request rejected: client runs no identd",
        0x5d => "request rejected: identd names another user",
        other => return format!("unknown-{other}"),
    }
    .to_owned()
}

/// Up to a zero.
fn string(bytes: &mut Bytes<'_>) -> Option<String> {
    let end = bytes.0.iter().position(|&byte| byte == 0)?;
    let text = escape(bytes.take(end)?, 255);
    bytes.u8()?;
    Some(text)
}

impl Request {
    /// One message of a side off its buffer, or `None` while it is not whole.
    fn message(&mut self, chunk: &Chunk<'_>) -> Option<()> {
        let at = chunk.dir.index();
        let buffer = std::mem::take(&mut self.buffers[at]);
        let mut bytes = Bytes(&buffer);
        let next = match chunk.dir {
            Dir::Orig => self.client(&mut bytes),
            Dir::Resp => self.server(&mut bytes, chunk),
        };
        self.buffers[at] = if next.is_some() { bytes.0.to_vec() } else { buffer };
        self.steps[at] = next?;
        Some(())
    }

    fn client(&mut self, bytes: &mut Bytes<'_>) -> Option<Step> {
        match self.steps[0] {
            Step::Greeting if bytes.0.first() == Some(&4) => {
                bytes.u8()?;
                let row = &mut self.row;
                let number = bytes.u8()?;
                let port = bytes.u16()?;
                let address = *bytes.take(4)?.first_chunk::<4>()?;
                let user = string(bytes)?;
                // An address of 0.0.0.x announces a name (SOCKS 4a).
                let name = if address[..3] == [0; 3] && address[3] != 0 { Some(string(bytes)?) } else { None };
                (row.version, row.command, row.request_p) = (4, command(number), Some(port));
                row.user = Some(user).filter(|user| !user.is_empty());
                row.request_host = name.is_none().then(|| Ipv4Addr::from(address).into());
                row.request_name = name;
                Some(Step::Over)
            }
            Step::Greeting => {
                bytes.u8().filter(|&version| version == 5)?;
                bytes.vec8()?;
                self.row.version = 5;
                Some(Step::Request)
            }
            Step::Login | Step::Request => match bytes.u8()? {
                1 => {
                    let (user, secret) = (escape(bytes.vec8()?, 255), escape(bytes.vec8()?, 255));
                    (self.row.user, self.secret) = (Some(user), Some(secret));
                    Some(Step::Request)
                }
                5 => {
                    let number = bytes.u8()?;
                    bytes.u8()?;
                    let (host, name, port) = target(bytes)?;
                    let row = &mut self.row;
                    (row.command, row.request_host, row.request_name, row.request_p) = (command(number), host, name, Some(port));
                    Some(Step::Over)
                }
                _ => Some(Step::Over),
            },
            Step::Over => None,
        }
    }

    fn server(&mut self, bytes: &mut Bytes<'_>, chunk: &Chunk<'_>) -> Option<Step> {
        if self.row.version == 4 {
            bytes.u8()?;
            let code = bytes.u8()?;
            let port = bytes.u16()?;
            let address = Ipv4Addr::from(*bytes.take(4)?.first_chunk::<4>()?);
            self.granted = code == 0x5a;
            let row = &mut self.row;
            (row.status, row.bound_p, row.bound_host) = (Some(status(code)), Some(port), Some(address.into()));
            row.reply_frame = Some(chunk.frame);
            return Some(Step::Over);
        }
        match self.steps[1] {
            Step::Greeting => {
                bytes.u8()?;
                match bytes.u8()? {
                    2 => Some(Step::Login),
                    0xff => {
                        self.row.status = Some("no acceptable method".to_owned());
                        Some(Step::Over)
                    }
                    _ => Some(Step::Request),
                }
            }
            Step::Login => {
                bytes.u8()?;
                self.accepted = Some(bytes.u8()? == 0);
                Some(Step::Request)
            }
            Step::Request => {
                bytes.u8()?;
                let code = bytes.u8()?;
                bytes.u8()?;
                let (host, name, port) = target(bytes)?;
                self.granted = code == 0;
                let row = &mut self.row;
                (row.status, row.bound_host, row.bound_name, row.bound_p) = (Some(status(code)), host, name, Some(port));
                row.reply_frame = Some(chunk.frame);
                Some(Step::Over)
            }
            Step::Over => None,
        }
    }
}

impl Dissector for Request {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        self.place.get_or_insert((chunk.frame, chunk.ts_ns));
        let at = chunk.dir.index();
        if !self.wants(chunk.dir) {
            return;
        }
        self.buffers[at].extend_from_slice(chunk.bytes);
        while self.steps[at] != Step::Over && !self.buffers[at].is_empty() && self.message(chunk).is_some() {}
        if self.buffers[at].len() > WAITING_MAX || chunk.cut > 0 {
            self.lost = true;
        }
        if self.steps == [Step::Over; 2] {
            self.end(out);
        }
    }

    fn gap(&mut self, _dir: Dir, _missing: u64, _out: &mut Out) {
        self.lost = true;
    }

    fn end(&mut self, out: &mut Out) {
        self.buffers = Default::default();
        let Some((frame, ts_ns)) = self.place.filter(|_| self.row.version != 0) else { return };
        if let Some(secret) = self.secret.take() {
            let login = login::credential("socks", self.row.user.clone(), secret, self.accepted);
            out.say(frame, ts_ns, Event::Credential(Box::new(login)));
        }
        out.say(frame, ts_ns, Event::Socks(std::mem::take(&mut self.row)));
    }

    fn confirmed(&self) -> bool {
        self.place.is_some()
    }

    fn hands_over(&self) -> bool {
        self.granted
    }

    fn wants(&self, dir: Dir) -> bool {
        !self.lost && self.steps[dir.index()] != Step::Over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
    use proptest::prelude::*;

    fn session() -> Vec<Step> {
        vec![
            up([5, 2, 0, 2]),
            down([5, 2]),
            up(b"\x01\x03bob\x06secret"),
            down([1, 0]),
            up(b"\x05\x01\0\x03\x0bexample.org\x01\xbb"),
            down([5, 0, 0, 1, 192, 0, 2, 7, 0x10, 0x20]),
            up("anything"),
        ]
    }

    #[test]
    fn a_request_with_a_login_is_a_row_and_a_credential() {
        let (events, service) = play(conn(Proto::Tcp, 1_080), &session());
        let [login, row] = &events[..] else { panic!("{events:?}") };
        assert!(matches!(&login.event, Event::Credential(login) if login.user.as_deref() == Some("bob") && login.success == Some(true)));
        let Event::Socks(row) = &row.event else { panic!("{row:?}") };
        assert_eq!((row.version, row.request_name.as_deref(), row.request_p, service), (5, Some("example.org"), Some(443), "socks"));
        assert_eq!((row.status.as_deref(), row.bound_host, row.bound_p), (Some("succeeded"), Some([192, 0, 2, 7].into()), Some(0x1020)));
    }

    #[test]
    fn version_4_with_a_name_is_read() {
        let events = said(conn(Proto::Tcp, 1_080), &[up(b"\x04\x01\0\x50\0\0\0\x01me\0example.org\0"), down([0, 0x5b, 0, 0, 0, 0, 0, 0])]);
        assert!(
            matches!(&events[..], [Event::Socks(row)] if row.request_name.as_deref() == Some("example.org") && row.status.as_deref() == Some("general SOCKS server failure")),
            "{events:?}"
        );
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_and_flips_are_survived(sizes in proptest::collection::vec(1usize..12, 1..5), turn in 0usize..6, at in 0usize..16, to: u8) {
            let strip = |mut events: Vec<Event>| {
                events.iter_mut().for_each(|event| if let Event::Socks(row) = event { row.reply_frame = None });
                events
            };
            prop_assert_eq!(strip(said(conn(Proto::Tcp, 1_080), &session())), strip(said(conn(Proto::Tcp, 1_080), &cut(&session(), &sizes))));
            let mut steps = session();
            if let Step::Data(_, bytes) = &mut steps[turn] && let Some(byte) = bytes.get_mut(at) {
                *byte = to;
            }
            prop_assert!(said(conn(Proto::Tcp, 1_080), &steps).len() <= 3);
        }
    }
}
