//! Signs of a third hand in a TCP connection: segments of one side that one sender would hardly have sent (RFC 5961 names the attacks).

use super::body::Arrival;
use super::tcp::Effect;
use crate::model::Dir;
use crate::model::anomaly::{TcpAnomaly, Witness};
use crate::model::packet::tcp_flags;

/// Rows per connection: the first ones tell.
const MOST: u8 = 8;
/// Bytes of a segment that are kept for comparison.
const HEAD: usize = 16;
/// Segments per direction that are kept.
const RECENT: usize = 4;
/// Routes change by a hop or two; a sender elsewhere differs by more.
const HOPS: u8 = 3;

/// What is remembered of both sides.
#[derive(Default)]
pub struct Watch {
    before: [Option<Mark>; 2],
    found: u8,
}

/// A segment without its bytes.
#[derive(Clone, Copy)]
struct Mark {
    frame: u64,
    ip_id: u32,
    ttl: u8,
}

impl Mark {
    fn witness(self, bytes: &[u8]) -> Witness {
        Witness { frame: self.frame, ttl: self.ttl, ip_id: self.ip_id, bytes: bytes.to_vec() }
    }
}

/// How the last segments with payload of one direction began.
#[derive(Default)]
pub struct Heads {
    sent: [Option<Head>; RECENT],
    at: u8,
}

#[derive(Clone, Copy)]
struct Head {
    mark: Mark,
    seq: u32,
    bytes: [u8; HEAD],
    len: u8,
}

impl Heads {
    /// Bytes of an earlier segment and of this one where they overlap and differ.
    fn contradicted<'a>(&'a self, seq: u32, payload: &'a [u8]) -> Option<(Mark, &'a [u8], &'a [u8])> {
        self.sent.iter().flatten().find_map(|old| {
            let known = old.bytes.get(..usize::from(old.len))?;
            let ahead = seq.wrapping_sub(old.seq) as i32;
            let (a, b) = match usize::try_from(ahead) {
                Ok(ahead) => (known.get(ahead..)?, payload),
                Err(_) => (known, payload.get(ahead.unsigned_abs() as usize..)?),
            };
            let n = a.len().min(b.len());
            // A single byte is how TCP asks whether the other side is still there.
            (n > 1 && a[..n] != b[..n]).then(|| (old.mark, &a[..n], &b[..n]))
        })
    }

    fn keep(&mut self, mark: Mark, seq: u32, payload: &[u8]) {
        let len = payload.len().min(HEAD);
        let mut bytes = [0; HEAD];
        bytes[..len].copy_from_slice(&payload[..len]);
        self.sent[usize::from(self.at) % RECENT] = Some(Head { mark, seq, bytes, len: len as u8 });
        self.at = (self.at + 1) % RECENT as u8;
    }
}

impl Watch {
    /// Looks at a segment and at what it did; `heads` are those of its direction, once there is payload at all.
    pub fn segment(&mut self, seen: &Arrival<'_>, effect: &Effect, heads: Option<&mut Heads>) -> Option<TcpAnomaly> {
        let Arrival { dir, packet, ip, tcp, payload, .. } = *seen;
        if tcp.checksum_ok == Some(false) {
            // No receiver believes it.
            return None;
        }
        let mark = Mark { frame: packet.frame, ip_id: ip.id, ttl: ip.ttl };
        let before = self.before[dir.index()].replace(mark);
        let is_rst = tcp.flags & tcp_flags::RST != 0;
        let mut pair = before.and_then(|before| Some((odd_pair(before, mark, is_rst, effect)?, before.witness(&[]), mark.witness(&[]))));
        if let Some(heads) = heads.filter(|_| !payload.is_empty() && !is_rst) {
            if effect.retransmission && pair.is_none() {
                let found = heads.contradicted(tcp.seq, payload);
                pair = found.map(|(old, a, b)| ("overlap_diff", old.witness(a), mark.witness(b)));
            }
            heads.keep(mark, tcp.seq, payload);
        }
        let (kind, a, b) = pair.filter(|_| self.found < MOST)?;
        self.found += 1;
        Some(TcpAnomaly { kind, is_orig: dir == Dir::Orig, seq: tcp.seq, len: packet.payload_len, a, b })
    }

    /// Originator and responder change places.
    pub fn flip(&mut self) {
        self.before.swap(0, 1);
    }
}

/// What is odd about two segments in a row of one side.
fn odd_pair(before: Mark, now: Mark, is_rst: bool, effect: &Effect) -> Option<&'static str> {
    if effect.another_syn_ack {
        return Some("synack_diff_isn");
    }
    if effect.data_after_reset {
        return Some("rst_race");
    }
    (is_rst && before.ttl.abs_diff(now.ttl) >= HOPS).then_some("ttl_outlier")
}
