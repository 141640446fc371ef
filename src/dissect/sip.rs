//! SIP (RFC 3261) over UDP and TCP: a row per response, with the request it answers (as Zeek has it).

use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape, login};
use crate::model::{Dir, Event, Proto, Ts, event::Sip};

/// How SIP is recognised and read.
pub const PROTOCOL: Protocol = Protocol { name: "sip", over: &[Proto::Tcp, Proto::Udp], probe, make: |_| Box::new(Dialogue::default()) };

/// Longest head of a message in a stream.
const HEAD_MAX: usize = 16 << 10;
/// Bytes of a header.
const VALUE_MAX: usize = 2_048;
/// Entries of a path: lost messages repeat themselves.
const PATH_MAX: usize = 64;

const METHODS: [&[u8]; 14] = [
    b"INVITE ",
    b"REGISTER ",
    b"OPTIONS ",
    b"ACK ",
    b"BYE ",
    b"CANCEL ",
    b"SUBSCRIBE ",
    b"NOTIFY ",
    b"MESSAGE ",
    b"INFO ",
    b"PUBLISH ",
    b"REFER ",
    b"UPDATE ",
    b"PRACK ",
];

/// Requests and status lines (RFC 3261 7).
fn probe(probe: &Probe<'_>) -> Answer {
    let bytes = probe.bytes;
    let status: &[u8] = b"SIP/2.0 ";
    if bytes.starts_with(status) || start_line(bytes).is_some_and(|line| line.ends_with(b" SIP/2.0")) {
        return Answer::Certain;
    }
    let open = status.starts_with(bytes)
        || METHODS
            .iter()
            .any(|method| method.starts_with(bytes) || bytes.starts_with(method) && bytes.len() < 1_024 && !bytes.contains(&b'\n'));
    if open && probe.proto == Proto::Tcp { Answer::Unsure } else { Answer::NotForUs }
}

/// The first line, of a request with a known method.
fn start_line(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().take(1_024).position(|&byte| byte == b'\n')?;
    let line = bytes.get(..end)?.trim_ascii_end();
    METHODS.iter().any(|method| line.starts_with(method)).then_some(line)
}

fn value(bytes: &[u8]) -> String {
    escape(bytes.trim_ascii(), VALUE_MAX)
}

/// Up to `;tag=`, `; branch=` …
fn before(bytes: &[u8], parameter: &[u8]) -> String {
    let spaced = [b"; ", parameter].concat();
    let tight = [b";", parameter].concat();
    let end = [memchr::memmem::find(bytes, &tight), memchr::memmem::find(bytes, &spaced)].into_iter().flatten().min();
    value(bytes.get(..end.unwrap_or(bytes.len())).unwrap_or(bytes))
}

/// `username="jane"` of an authorization.
fn user(authorization: &[u8]) -> Option<String> {
    let at = memchr::memmem::find(authorization, b"username=\"")? + 10;
    authorization.get(at..)?.split(|&byte| byte == b'"').next().map(|user| escape(user, 256))
}

#[derive(Default)]
struct Dialogue {
    open: Option<(Box<Sip>, (u64, Ts))>,
    sides: [Side; 2],
    confirmed: bool,
}

#[derive(Default)]
struct Side {
    head: Vec<u8>,
    skip: u64,
    lost: bool,
}

impl Dialogue {
    /// One message: its head, possibly cut.
    fn message(&mut self, head: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let mut lines = head.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let Some(first) = lines.next() else { return };
        let place = (chunk.frame, chunk.ts_ns);
        if let Some(status) = first.strip_prefix(b"SIP/2.0 ") {
            self.confirmed = true;
            let (row, _) = self.open.get_or_insert_with(|| (Box::default(), place));
            let (code, reason) = status.split_at(status.len().min(3));
            row.status_code = std::str::from_utf8(code).ok().and_then(|code| code.parse().ok());
            row.status_msg = Some(value(reason));
            headers(lines, |name, bytes| response_header(row, name, bytes));
            self.answered(chunk, out);
        } else if let Some(line) = first.trim_ascii_end().strip_suffix(b" SIP/2.0").filter(|line| line.contains(&b' ')) {
            self.confirmed = true;
            let (row, _) = self.open.get_or_insert_with(|| (Box::default(), place));
            let mut words = line.splitn(2, |&byte| byte == b' ');
            row.method = words.next().map(value);
            row.uri = words.next().map(value);
            headers(lines, |name, bytes| request_header(row, name, bytes));
        }
    }

    /// A row per response; a final one ends the transaction.
    fn answered(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let Some((row, (frame, ts_ns))) = &mut self.open else { return };
        row.reply_frame = Some(chunk.frame);
        out.say(*frame, *ts_ns, Event::Sip(row.clone()));
        let Some(code) = row.status_code.filter(|code| !(100..200).contains(code)) else { return };
        if let Some(user) = row.auth_user.take() {
            let success = match code {
                200..=299 => Some(true),
                401 | 403 | 407 => Some(false),
                _ => None,
            };
            let login = login::credential("sip", Some(user), String::new(), success);
            out.say(*frame, *ts_ns, Event::Credential(Box::new(login)));
        }
        self.open = None;
    }

    /// Messages of a stream: a head up to its empty line, a body of the length it tells.
    fn stream(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let mut rest = chunk.bytes;
        while !rest.is_empty() {
            let side = &mut self.sides[chunk.dir.index()];
            let n = usize::try_from(side.skip).unwrap_or(usize::MAX).min(rest.len());
            side.skip -= n as u64;
            rest = rest.get(n..).unwrap_or_default();
            if side.head.is_empty() {
                // Line ends between messages keep connections alive.
                rest = rest.trim_ascii_start();
                if side.lost && !(rest.starts_with(b"SIP/2.0 ") || start_line(rest).is_some()) {
                    return;
                }
                side.lost = false;
            }
            let seen = side.head.len();
            side.head.extend_from_slice(rest);
            let Some(end) = memchr::memmem::find(&side.head, b"\r\n\r\n").map(|end| end + 4) else {
                side.lost |= side.head.len() > HEAD_MAX;
                if side.lost {
                    side.head.clear();
                }
                return;
            };
            rest = rest.get(end.saturating_sub(seen)..).unwrap_or_default();
            let mut head = std::mem::take(&mut side.head);
            head.truncate(end);
            side.skip = body_length(&head);
            self.message(&head, chunk, out);
        }
    }
}

fn body_length(head: &[u8]) -> u64 {
    let mut length = 0;
    headers(head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end).skip(1), |name, bytes| {
        if matches!(name, "CONTENT-LENGTH" | "L") {
            length = number(bytes).unwrap_or(0);
        }
    });
    length
}

fn number(bytes: &[u8]) -> Option<u64> {
    std::str::from_utf8(bytes.trim_ascii()).ok()?.parse().ok()
}

/// Name, upper case, and value of each header line up to the empty one.
fn headers<'a>(lines: impl Iterator<Item = &'a [u8]>, mut each: impl FnMut(&str, &[u8])) {
    for line in lines.take_while(|line| !line.is_empty()) {
        let mut parts = line.splitn(2, |&byte| byte == b':');
        if let (Some(name), Some(bytes)) = (parts.next(), parts.next()) {
            each(&escape(name.trim_ascii(), 64).to_ascii_uppercase(), bytes.trim_ascii());
        }
    }
}

fn request_header(row: &mut Sip, name: &str, bytes: &[u8]) {
    match name {
        "CALL-ID" | "I" => row.call_id = Some(value(bytes)),
        "CONTENT-LENGTH" | "L" => row.request_body_len = number(bytes),
        "CSEQ" => row.seq = Some(value(bytes)),
        "DATE" => row.date = Some(value(bytes)),
        "FROM" | "F" => row.request_from = Some(before(bytes, b"tag=")),
        "REPLY-TO" => row.reply_to = Some(value(bytes)),
        "SUBJECT" | "S" => row.subject = Some(value(bytes)),
        "TO" | "T" => row.request_to = Some(value(bytes)),
        "USER-AGENT" => row.user_agent = Some(value(bytes)),
        "AUTHORIZATION" | "PROXY-AUTHORIZATION" => row.auth_user = user(bytes),
        "VIA" | "V" if row.request_path.len() < PATH_MAX => row.request_path.push(before(bytes, b"branch")),
        _ => {}
    }
}

fn response_header(row: &mut Sip, name: &str, bytes: &[u8]) {
    match name {
        "CONTENT-LENGTH" | "L" => row.response_body_len = number(bytes),
        "CONTENT-TYPE" | "C" => row.content_type = Some(value(bytes)),
        "WARNING" => row.warning = Some(value(bytes)),
        "FROM" | "F" => row.response_from = Some(before(bytes, b"tag=")),
        "TO" | "T" => row.response_to = Some(value(bytes)),
        "SERVER" => row.server = Some(value(bytes)),
        "VIA" | "V" if row.response_path.len() < PATH_MAX => row.response_path.push(before(bytes, b"branch")),
        _ => {}
    }
}

impl Dissector for Dialogue {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        if out.conn.proto == Proto::Tcp {
            self.stream(chunk, out);
            if chunk.cut > 0 {
                self.gap(chunk.dir, u64::from(chunk.cut), out);
            }
        } else {
            self.message(chunk.bytes, chunk, out);
        }
    }

    fn gap(&mut self, dir: Dir, missing: u64, _out: &mut Out) {
        let side = &mut self.sides[dir.index()];
        if missing <= side.skip {
            side.skip -= missing;
        } else {
            *side = Side { lost: true, ..Side::default() };
        }
    }

    fn end(&mut self, out: &mut Out) {
        if let Some((row, (frame, ts_ns))) = self.open.take() {
            out.say(frame, ts_ns, Event::Sip(row));
        }
    }

    fn confirmed(&self) -> bool {
        self.confirmed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
    use proptest::prelude::*;

    const REGISTER: &str = "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9\r\nFrom: <sip:a@example.org>;tag=1\r\n\
        To: <sip:a@example.org>\r\nCSeq: 1 REGISTER\r\nCall-ID: x\r\nUser-Agent: friendly\r\n\
        Authorization: Digest username=\"a\", realm=\"r\"\r\nContent-Length: 4\r\n\r\nbody";
    const TRYING: &str = "SIP/2.0 100 Trying\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9\r\nContent-Length: 0\r\n\r\n";
    const REFUSED: &str = "SIP/2.0 403 Wrong password\r\nTo: <sip:a@example.org>;tag=2\r\nContent-Length: 0\r\n\r\n";

    fn rows(events: &[Event]) -> Vec<Sip> {
        events.iter().filter_map(|event| if let Event::Sip(row) = event { Some((**row).clone()) } else { None }).collect()
    }

    #[test]
    fn every_response_is_a_row_and_a_refused_password_a_login() {
        for proto in [Proto::Udp, Proto::Tcp] {
            let (events, service) = play(conn(proto, 5_060), &[up(REGISTER), down(TRYING), down(REFUSED), up(REGISTER)]);
            let events: Vec<Event> = events.into_iter().map(|event| event.event).collect();
            let rows = rows(&events);
            assert_eq!(rows.iter().map(|row| row.status_code).collect::<Vec<_>>(), [Some(100), Some(403), None]);
            assert_eq!((rows[1].request_from.as_deref(), rows[1].auth_user.as_deref()), (Some("<sip:a@example.org>"), Some("a")));
            assert_eq!((rows[1].response_path.join(" "), rows[1].request_body_len), ("SIP/2.0/UDP 192.0.2.1".to_owned(), Some(4)));
            assert!(events.iter().any(|event| matches!(event, Event::Credential(login) if login.success == Some(false))));
            assert_eq!(service, "sip");
        }
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_and_flips_are_survived(sizes in proptest::collection::vec(1usize..60, 1..5), at in 0usize..300, to: u8, keep in 0usize..400) {
            let steps = [up(REGISTER), down(TRYING), down(REFUSED), up(REGISTER)];
            let untimed = |steps: &[Step]| {
                let mut rows = rows(&said(conn(Proto::Tcp, 5_060), steps));
                rows.iter_mut().for_each(|row| row.reply_frame = None);
                rows
            };
            prop_assert_eq!(untimed(&steps), untimed(&cut(&steps, &sizes)));
            let mut bytes = REGISTER.as_bytes().to_vec();
            bytes.truncate(keep);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = to;
            }
            for proto in [Proto::Udp, Proto::Tcp] {
                prop_assert!(said(conn(proto, 5_060), &[up(&bytes), Step::Gap(Dir::Orig, 9), down(REFUSED)]).len() <= 4);
            }
        }
    }
}
