//! Simple protocols that say what matters in their first messages: queues, caches, tunnels, swarms, miners. One row a flow.

mod amqp;
mod bittorrent;
mod stratum;
#[cfg(test)]
mod tests;

use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape, hex, login};
use crate::model::{Conn, Dir, Event, Proto, Ts, event::Greeting};

/// AMQP (versions 0.9.1 and 1.0): greeting, programs, user, virtual host.
pub const AMQP: Protocol =
    Protocol { name: "amqp", over: &[Proto::Tcp], probe: |probe| begins(probe, b"AMQP\0"), make: |conn| make(conn, "amqp", amqp::read) };
/// BitTorrent between peers.
pub const BITTORRENT: Protocol = Protocol {
    name: "bittorrent",
    over: &[Proto::Tcp],
    probe: |probe| begins(probe, b"\x13BitTorrent protocol"),
    make: |conn| make(conn, "bittorrent", bittorrent::peer),
};
/// BitTorrent's distributed hash table (BEP 5).
pub const DHT: Protocol = Protocol {
    name: "bittorrent",
    over: &[Proto::Udp],
    probe: |probe| sure(bittorrent::is_dht(probe.bytes)),
    make: |conn| make(conn, "bittorrent", bittorrent::dht),
};
/// Mining pools: Stratum, and what Monero's and Ethereum's miners speak.
pub const STRATUM: Protocol =
    Protocol { name: "stratum", over: &[Proto::Tcp], probe: stratum::probe, make: |conn| make(conn, "stratum", stratum::read) };
/// Memcached, as text.
pub const MEMCACHED: Protocol =
    Protocol { name: "memcached", over: &[Proto::Tcp], probe: memcached_probe, make: |conn| make(conn, "memcached", memcached) };
/// WireGuard's handshake.
pub const WIREGUARD: Protocol = Protocol {
    name: "wireguard",
    over: &[Proto::Udp],
    probe: |probe| {
        let shape = matches!((probe.bytes, probe.bytes.len()), ([1, 0, 0, 0, ..], 148) | ([2, 0, 0, 0, ..], 92) | ([3, 0, 0, 0, ..], 64));
        sure(shape)
    },
    make: |conn| make(conn, "wireguard", wireguard),
};

/// Bytes of each direction of a stream that are looked at.
const HEAD_MAX: usize = 4_096;
/// Datagrams that are looked at.
const DATAGRAMS_MAX: u64 = 64;
/// Bytes of a text.
const TEXT_MAX: usize = 256;

fn sure(yes: bool) -> Answer {
    if yes { Answer::Certain } else { Answer::NotForUs }
}

fn begins(probe: &Probe<'_>, magic: &[u8]) -> Answer {
    match (probe.bytes.starts_with(magic), magic.starts_with(probe.bytes)) {
        (true, _) => Answer::Certain,
        (false, true) => Answer::Unsure,
        _ => Answer::NotForUs,
    }
}

fn make(conn: &Conn, service: &'static str, read: Read) -> Box<dyn Dissector> {
    let seen = Seen { row: Greeting { service, ..Greeting::default() }, secret: None };
    Box::new(Session { stream: conn.proto == Proto::Tcp, read, seen, heads: Default::default(), torn: [false; 2], first: None })
}

/// Takes the beginning of a direction, or a datagram.
type Read = fn(&mut Seen, Dir, &[u8]);

/// What is known so far.
pub(super) struct Seen {
    row: Greeting,
    /// A secret that travelled in clear.
    secret: Option<String>,
}

struct Session {
    stream: bool,
    read: Read,
    seen: Seen,
    heads: [Vec<u8>; 2],
    torn: [bool; 2],
    first: Option<(u64, Ts)>,
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, _out: &mut Out) {
        self.first.get_or_insert((chunk.frame, chunk.ts_ns));
        let row = &mut self.seen.row;
        row.messages += 1;
        row.answered |= chunk.dir == Dir::Resp;
        let at = chunk.dir.index();
        match (self.heads.get_mut(at), self.torn.get_mut(at)) {
            (Some(head), Some(torn)) if self.stream => {
                let room = if *torn { 0 } else { HEAD_MAX.saturating_sub(head.len()) };
                head.extend(chunk.bytes.iter().take(room));
                *torn |= chunk.cut > 0;
            }
            _ => (self.read)(&mut self.seen, chunk.dir, chunk.bytes),
        }
    }

    fn gap(&mut self, dir: Dir, _missing: u64, _out: &mut Out) {
        if let Some(torn) = self.torn.get_mut(dir.index()) {
            *torn = true;
        }
    }

    fn end(&mut self, out: &mut Out) {
        let Some((frame, ts_ns)) = self.first.take() else { return };
        if self.stream {
            for (dir, head) in [Dir::Orig, Dir::Resp].into_iter().zip(std::mem::take(&mut self.heads)) {
                (self.read)(&mut self.seen, dir, &head);
            }
        }
        let row = std::mem::take(&mut self.seen.row);
        if let Some(secret) = self.seen.secret.take() {
            let login = login::credential(row.service, row.user.clone(), secret, None);
            out.say(frame, ts_ns, Event::Credential(Box::new(login)));
        }
        out.say(frame, ts_ns, Event::Greeting(Box::new(row)));
    }

    fn confirmed(&self) -> bool {
        self.first.is_some()
    }

    fn wants(&self, dir: Dir) -> bool {
        let full = self.heads.get(dir.index()).is_some_and(|head| head.len() >= HEAD_MAX);
        let torn = self.torn.get(dir.index()).is_some_and(|torn| *torn);
        if self.stream { !full && !torn } else { self.seen.row.messages < DATAGRAMS_MAX }
    }
}

/// At home: a command or an answer, as text or binary.
fn memcached_probe(probe: &Probe<'_>) -> Answer {
    const COMMANDS: [&[u8]; 9] = [b"get ", b"gets ", b"set ", b"add ", b"stats", b"version", b"delete ", b"flush_all", b"incr "];
    const ANSWERS: [&[u8]; 5] = [b"STAT ", b"VALUE ", b"STORED\r\n", b"END\r\n", b"VERSION "];
    if ![probe.orig_p, probe.resp_p].contains(&11_211) {
        return Answer::NotForUs;
    }
    let words: &[&[u8]] = if probe.dir == Dir::Orig { &COMMANDS } else { &ANSWERS };
    match probe.bytes {
        [0x80 | 0x81, 0..=0x1f, ..] => sure(probe.bytes.len() >= 24),
        text if words.iter().any(|word| text.starts_with(word)) => Answer::Certain,
        text if words.iter().any(|word| word.starts_with(text)) => Answer::Unsure,
        _ => Answer::NotForUs,
    }
}

/// The first command; of the answers the version.
fn memcached(seen: &mut Seen, dir: Dir, head: &[u8]) {
    let mut lines = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end);
    match dir {
        Dir::Orig if head.first().is_some_and(|first| *first < 0x80) => seen.row.subject = lines.next().map(|line| escape(line, TEXT_MAX)),
        Dir::Orig => {}
        Dir::Resp => {
            let told = lines.find_map(|line| line.strip_prefix(b"VERSION ").or_else(|| line.strip_prefix(b"STAT version ")));
            seen.row.version = told.map(|version| escape(version, 64));
        }
    }
}

/// The sender's index of the first initiation.
fn wireguard(seen: &mut Seen, _dir: Dir, datagram: &[u8]) {
    if let [1, 0, 0, 0, a, b, c, d, ..] = datagram {
        seen.row.subject.get_or_insert_with(|| hex(&[*a, *b, *c, *d]));
    }
}
