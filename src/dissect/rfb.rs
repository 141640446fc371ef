//! RFB (VNC; RFC 6143): versions, security, the desktop. Nothing is read of the pictures.

use super::tls::bytes::Bytes;
use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape, login};
use crate::model::{Dir, Event, Proto, Ts, event::Rfb};

/// How RFB is recognised and read.
pub const PROTOCOL: Protocol = Protocol { name: "rfb", over: &[Proto::Tcp], probe, make: |_| Box::new(Session::default()) };

/// Bytes that wait: every message of the handshake is shorter.
const WAITING_MAX: usize = 16 << 10;

fn probe(probe: &Probe<'_>) -> Answer {
    let magics: [&[u8]; 3] = [b"RFB 003.", b"RFB 004.", b"RFB 005."];
    let best = |magic: &&[u8]| probe.bytes.starts_with(magic);
    match () {
        () if magics.iter().any(best) => Answer::Certain,
        () if magics.iter().any(|magic| magic.starts_with(probe.bytes)) => Answer::Unsure,
        () => Answer::NotForUs,
    }
}

/// Where the handshake stands. It is a dialogue: what one says depends on what the other said.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Step {
    #[default]
    ServerVersion,
    ClientVersion,
    Security,
    Choice,
    Challenge,
    Response,
    /// Apple Remote Desktop: parameters of a key exchange, then credentials of this many bytes more than 128.
    AppleKey,
    AppleCredentials(usize),
    Result,
    Share,
    Desktop,
    Over,
}

#[derive(Default)]
struct Session {
    row: Box<Rfb>,
    place: Option<(u64, Ts)>,
    step: Step,
    chosen: u8,
    /// Minor version both speak: 3, 7 or 8.
    minor: u8,
    buffers: [Vec<u8>; 2],
    lost: bool,
    seen: bool,
}

fn method(number: u8) -> String {
    match number {
        0 => "Invalid",
        1 => "None",
        2 => "VNC",
        5 => "RA2",
        6 => "RA2ne",
        16 => "Tight",
        17 => "Ultra",
        18 => "TLS",
        19 => "VeNCrypt",
        20 => "GTK-VNC SASL",
        21 => "MD5 hash authentication",
        22 => "Colin Dean xvp",
        30 => "Apple Remote Desktop",
        other => return format!("unknown-{other}"),
    }
    .to_owned()
}

/// `RFB 003.008\n`: both numbers as text.
fn version(bytes: &mut Bytes<'_>) -> Option<(String, String)> {
    let line = bytes.take(12)?;
    let (major, minor) = (line.get(4..7)?, line.get(8..11)?);
    line.starts_with(b"RFB ").then(|| (escape(major, 3), escape(minor, 3)))
}

fn long(bytes: &mut Bytes<'_>) -> Option<usize> {
    Some(usize::from(bytes.u16()?) << 16 | usize::from(bytes.u16()?))
}

fn words(bytes: &mut Bytes<'_>) -> Option<String> {
    let length = long(bytes)?;
    // Some servers announce more than they send.
    Some(escape(bytes.take(length.min(bytes.0.len()))?, 1_024))
}

impl Session {
    /// Who speaks next.
    fn speaker(&self) -> Option<Dir> {
        match self.step {
            Step::ServerVersion | Step::Security | Step::Challenge | Step::AppleKey | Step::Result | Step::Desktop => Some(Dir::Resp),
            Step::ClientVersion | Step::Choice | Step::Response | Step::AppleCredentials(_) | Step::Share => Some(Dir::Orig),
            Step::Over => None,
        }
    }

    /// Goes on as far as the bytes allow.
    fn advance(&mut self) {
        while let Some(dir) = self.speaker() {
            let buffer = std::mem::take(&mut self.buffers[dir.index()]);
            let mut bytes = Bytes(&buffer);
            let next = self.one(&mut bytes);
            self.buffers[dir.index()] = if next.is_some() { bytes.0.to_vec() } else { buffer };
            match next {
                Some(step) => self.step = step,
                None => return,
            }
        }
    }

    fn one(&mut self, bytes: &mut Bytes<'_>) -> Option<Step> {
        let row = &mut self.row;
        match self.step {
            Step::ServerVersion => {
                let (major, minor) = version(bytes)?;
                (row.server_major_version, row.server_minor_version) = (Some(major), Some(minor));
                Some(Step::ClientVersion)
            }
            Step::ClientVersion => {
                let (major, minor) = version(bytes)?;
                self.minor = if minor.as_str() >= "008" {
                    8
                } else if minor == "007" {
                    7
                } else {
                    3
                };
                (row.client_major_version, row.client_minor_version) = (Some(major), Some(minor));
                Some(Step::Security)
            }
            Step::Security if self.minor == 3 => {
                let number = u8::try_from(long(bytes)?).ok()?;
                row.offered = vec![number];
                Some(self.choose(number))
            }
            Step::Security => {
                let offered = bytes.vec8()?;
                if offered.is_empty() {
                    row.reason = words(bytes);
                    return Some(Step::Over);
                }
                row.offered = offered.to_vec();
                Some(Step::Choice)
            }
            Step::Choice => {
                let number = bytes.u8()?;
                Some(self.choose(number))
            }
            Step::Challenge => bytes.take(16).map(|_| Step::Response),
            Step::Response => bytes.take(16).map(|_| Step::Result),
            Step::AppleKey => {
                bytes.u16()?;
                let length = usize::from(bytes.u16()?);
                bytes.take(2 * length)?;
                Some(Step::AppleCredentials(length))
            }
            Step::AppleCredentials(length) => bytes.take(128 + length).map(|_| Step::Result),
            Step::Result => {
                let accepted = long(bytes)? == 0;
                row.auth = Some(accepted);
                if !accepted {
                    row.reason = words(bytes);
                }
                Some(if accepted { Step::Share } else { Step::Over })
            }
            Step::Share => {
                row.share_flag = Some(bytes.u8()? != 0);
                Some(Step::Desktop)
            }
            Step::Desktop => {
                let (width, height) = (bytes.u16()?, bytes.u16()?);
                bytes.take(16)?;
                let name = words(bytes)?;
                (row.width, row.height, row.desktop_name) = (Some(width), Some(height), Some(name));
                Some(Step::Over)
            }
            Step::Over => None,
        }
    }

    fn choose(&mut self, number: u8) -> Step {
        self.chosen = number;
        self.row.authentication_method = Some(method(number));
        match number {
            1 if self.minor < 8 => Step::Share,
            1 => Step::Result,
            2 => Step::Challenge,
            30 => Step::AppleKey,
            // What follows is encrypted, or another dialogue.
            _ => Step::Over,
        }
    }
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, _out: &mut Out) {
        self.place.get_or_insert((chunk.frame, chunk.ts_ns));
        self.seen = true;
        if self.lost {
            return;
        }
        let buffer = &mut self.buffers[chunk.dir.index()];
        if buffer.len() < WAITING_MAX {
            buffer.extend_from_slice(chunk.bytes);
        }
        self.advance();
        if self.row.server_major_version.is_none() && chunk.dir == Dir::Orig {
            // One side alone: the client still tells its version.
            if let Some((major, minor)) = version(&mut Bytes(&self.buffers[0])) {
                (self.row.client_major_version, self.row.client_minor_version) = (Some(major), Some(minor));
            }
        }
        self.lost |= chunk.cut > 0;
    }

    fn gap(&mut self, _dir: Dir, _missing: u64, _out: &mut Out) {
        self.lost = true;
    }

    fn end(&mut self, out: &mut Out) {
        let Some((frame, ts_ns)) = self.place.take() else { return };
        if self.chosen == 2 && !matches!(self.step, Step::Challenge | Step::Response) {
            let login = login::credential("vnc", None, String::new(), self.row.auth);
            out.say(frame, ts_ns, Event::Credential(Box::new(login)));
        }
        out.say(frame, ts_ns, Event::Rfb(std::mem::take(&mut self.row)));
    }

    fn confirmed(&self) -> bool {
        self.seen
    }

    fn wants(&self, _dir: Dir) -> bool {
        !self.lost && self.step != Step::Over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
    use proptest::prelude::*;

    fn session(client: &str, result: u8) -> Vec<Step> {
        let offer: &[u8] = if client == "003" { &[0, 0, 0, 2] } else { &[1, 2] };
        let mut steps = vec![down("RFB 003.008\n"), up(format!("RFB 003.{client}\n")), down(offer)];
        if client != "003" {
            steps.push(up([2]));
        }
        steps.extend([down([7; 16]), up([8; 16]), down([0, 0, 0, result])]);
        if result == 0 {
            let desktop = [&[4, 0, 3, 0][..], &[0; 16], &[0, 0, 0, 4], b"desk"].concat();
            steps.extend([up([1]), down(desktop), down("picture")]);
        }
        steps
    }

    fn row(steps: &[Step]) -> Rfb {
        let events = said(conn(Proto::Tcp, 5_900), steps);
        let Some(Event::Rfb(row)) = events.last() else { panic!("{events:?}") };
        (**row).clone()
    }

    #[test]
    fn a_login_is_told_in_both_dialects() {
        for (client, minor) in [("003", "003"), ("008", "008")] {
            let row = row(&session(client, 0));
            assert_eq!((row.authentication_method.as_deref(), row.auth, row.share_flag), (Some("VNC"), Some(true), Some(true)));
            assert_eq!((row.width, row.height, row.desktop_name.as_deref()), (Some(1_024), Some(768), Some("desk")));
            assert_eq!((row.client_minor_version.as_deref(), row.server_minor_version.as_deref()), (Some(minor), Some("008")));
        }
        let (events, service) = play(conn(Proto::Tcp, 5_900), &session("008", 1));
        assert!(
            matches!(&events[0].event, Event::Credential(login) if login.service == "vnc" && login.success == Some(false)),
            "{events:?}"
        );
        assert_eq!(service, "rfb");
    }

    #[test]
    fn a_refusal_and_one_side_are_told_as_far_as_they_go() {
        let refused = row(&[down("RFB 003.008\n"), up("RFB 003.008\n"), down(b"\0\0\0\0\x04busy")]);
        assert_eq!((refused.reason.as_deref(), refused.authentication_method), (Some("busy"), None));
        assert_eq!(row(&[up("RFB 003.008\n")]).client_major_version.as_deref(), Some("003"));
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_and_flips_are_survived(sizes in proptest::collection::vec(1usize..12, 1..5), turn in 0usize..7, at in 0usize..16, to: u8) {
            let steps = session("008", 0);
            let mut whole = steps.clone();
            whole.pop();
            // The desktop's name is read when its length is there: cut there it may be shorter.
            let (a, b) = (row(&whole), row(&cut(&whole, &sizes)));
            prop_assert_eq!((a.auth, a.width, a.share_flag), (b.auth, b.width, b.share_flag));
            let mut steps = steps;
            if let Step::Data(_, bytes) = &mut steps[turn] && let Some(byte) = bytes.get_mut(at) {
                *byte = to;
            }
            prop_assert!(said(conn(Proto::Tcp, 5_900), &steps).len() <= 2);
        }
    }
}
