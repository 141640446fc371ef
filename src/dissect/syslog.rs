//! Syslog (RFC 3164, 5424) over UDP and TCP (RFC 6587): one row a message.

use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape};
use crate::model::{Dir, Event, Proto, Ts, event::Syslog};

/// Over UDP.
pub const UDP: Protocol = Protocol {
    name: "syslog",
    over: &[Proto::Udp],
    probe: |probe: &Probe<'_>| if is_message(probe.bytes) { Answer::Certain } else { Answer::NotForUs },
    make: |_| Box::new(Log::default()),
};
/// Over TCP: `<pri>` alone or behind the octet count of RFC 6587, on the ports in use.
pub const TCP: Protocol = Protocol { name: "syslog_tcp", over: &[Proto::Tcp], probe: probe_tcp, make: |_| Box::new(Log::default()) };

/// Rows of a flow.
const ROWS_MAX: u32 = 10_000;
/// Bytes of a message.
const MESSAGE_MAX: usize = 4_096;
/// Bytes a stream may wait for the end of a message.
const WAITING_MAX: usize = 64 << 10;

const FACILITIES: [&str; 24] = [
    "KERN", "USER", "MAIL", "DAEMON", "AUTH", "SYSLOG", "LPR", "NEWS", "UUCP", "CRON", "AUTHPRIV", "FTP", "NTP", "AUDIT", "ALERT", "CLOCK",
    "LOCAL0", "LOCAL1", "LOCAL2", "LOCAL3", "LOCAL4", "LOCAL5", "LOCAL6", "LOCAL7",
];
const SEVERITIES: [&str; 8] = ["EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG"];

/// `<pri>` up to 191, then text (RFC 3164 4.1.1): the number and what follows it.
fn priority(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let rest = bytes.strip_prefix(b"<")?;
    let digits = rest.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    let number = std::str::from_utf8(rest.get(..digits)?).ok()?.parse::<u16>().ok()?;
    let text = rest.get(digits..)?.strip_prefix(b">")?;
    (number <= 191).then_some((number, text))
}

fn is_message(bytes: &[u8]) -> bool {
    priority(bytes)
        .is_some_and(|(_, text)| text.len() > 3 && text.iter().take(16).all(|&byte| byte >= b' ' || byte == b'\t' || byte == b'\n'))
}

/// Length of an octet count with its space, and the count.
fn counted(bytes: &[u8]) -> Option<(usize, usize)> {
    let digits = bytes.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
    let count = std::str::from_utf8(bytes.get(..digits)?).ok()?.parse().ok()?;
    (bytes.get(digits) == Some(&b' ')).then_some((digits + 1, count))
}

fn probe_tcp(probe: &Probe<'_>) -> Answer {
    let home = [514, 601, 1_468, 1_514, 5_140, 6_514, 10_514].contains(&probe.resp_p);
    let message = counted(probe.bytes).and_then(|(head, _)| probe.bytes.get(head..)).unwrap_or(probe.bytes);
    if home && probe.dir == Dir::Orig && is_message(message) { Answer::Certain } else { Answer::NotForUs }
}

#[derive(Default)]
struct Log {
    rows: u32,
    buffer: Vec<u8>,
    /// Frame and time of the last bytes.
    last: (u64, Ts),
    lost: bool,
}

impl Log {
    fn say(&mut self, bytes: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let Some((number, text)) = priority(bytes).filter(|_| self.rows < ROWS_MAX) else { return };
        self.rows += 1;
        let name = |list: &[&'static str], at: u16| list.get(usize::from(at)).copied().unwrap_or("UNSPECIFIED");
        let row = Syslog {
            facility: name(&FACILITIES, number >> 3),
            severity: name(&SEVERITIES, number & 7),
            message: escape(text, MESSAGE_MAX),
        };
        out.say(chunk.frame, chunk.ts_ns, Event::Syslog(Box::new(row)));
    }

    /// The next message of a stream: counted, or up to the end of its line.
    fn next(&mut self) -> Option<Vec<u8>> {
        let (head, length, tail) = match counted(&self.buffer) {
            Some((head, count)) => (head, count, 0),
            None => (0, self.buffer.iter().position(|&byte| byte == b'\n' || byte == 0)?, 1),
        };
        if self.buffer.len() < head + length + tail {
            return None;
        }
        let rest = self.buffer.split_off(head + length + tail);
        let message = std::mem::replace(&mut self.buffer, rest);
        message.get(head..head + length).map(<[u8]>::to_vec)
    }
}

impl Dissector for Log {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        if out.conn.proto != Proto::Tcp {
            self.say(chunk.bytes, chunk, out);
            return;
        }
        if chunk.dir == Dir::Resp {
            return;
        }
        if self.lost && counted(chunk.bytes).is_none() && priority(chunk.bytes).is_none() {
            return;
        }
        self.lost = false;
        self.last = (chunk.frame, chunk.ts_ns);
        self.buffer.extend_from_slice(chunk.bytes);
        while let Some(message) = self.next() {
            self.say(message.strip_suffix(b"\r").unwrap_or(&message), chunk, out);
        }
        if self.buffer.len() > WAITING_MAX || chunk.cut > 0 {
            self.gap(chunk.dir, 1, out);
        }
    }

    fn gap(&mut self, dir: Dir, _missing: u64, _out: &mut Out) {
        if dir == Dir::Orig {
            self.buffer.clear();
            self.lost = true;
        }
    }

    fn fin(&mut self, dir: Dir, out: &mut Out) {
        // The last line needs no end.
        let left = std::mem::take(&mut self.buffer);
        if dir == Dir::Orig && !left.is_empty() {
            let (frame, ts_ns) = self.last;
            self.say(&left, &Chunk { dir, bytes: &[], cut: 0, frame, ts_ns }, out);
        }
    }

    fn confirmed(&self) -> bool {
        self.rows > 0
    }

    fn wants(&self, _dir: Dir) -> bool {
        self.rows < ROWS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::{conn, cut, said, up};
    use proptest::prelude::*;

    fn told(events: &[Event]) -> Vec<String> {
        let rows = events.iter().filter_map(|event| if let Event::Syslog(row) = event { Some(row) } else { None });
        rows.map(|row| format!("{} {} {}", row.facility, row.severity, row.message)).collect()
    }

    #[test]
    fn both_framings_and_datagrams_give_messages() {
        let expected = ["AUTH CRIT Oct 11 22:14:15 host su: a", "LOCAL4 NOTICE 1 2026 h - - - b"];
        let (a, b) = ("<34>Oct 11 22:14:15 host su: a", "<165>1 2026 h - - - b");
        assert_eq!(told(&said(conn(Proto::Udp, 514), &[up(a), up(b)])), expected);
        assert_eq!(told(&said(conn(Proto::Tcp, 514), &[up(format!("{a}\n{b}\n"))])), expected);
        assert_eq!(told(&said(conn(Proto::Tcp, 601), &[up(format!("{} {a}{} {b}", a.len(), b.len()))])), expected);
        assert!(said(conn(Proto::Udp, 514), &[up("<192>not a priority")]).is_empty());
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_rows_and_any_byte_is_survived(sizes in proptest::collection::vec(1usize..40, 1..5), noise in proptest::collection::vec(any::<u8>(), 0..60)) {
            let steps = [up("<34>Oct 11 22:14:15 host su: a\n<13>Oct 11 22:14:16 host su: b\n")];
            // The first piece must show what it is.
            prop_assume!(sizes[0] > 8);
            prop_assert_eq!(told(&said(conn(Proto::Tcp, 514), &steps)), told(&said(conn(Proto::Tcp, 514), &cut(&steps, &sizes))));
            said(conn(Proto::Tcp, 514), &[steps[0].clone(), up(&noise)]);
            said(conn(Proto::Udp, 514), &[up(&noise)]);
        }
    }
}
