//! ICMP (RFC 792) and ICMPv6 (RFC 4443): every message is a row, up to a cap per flow.

use super::{Out, entropy, hex};
use crate::model::event::{IcmpMessage, Weird};
use crate::model::packet::Icmp;
use crate::model::{Dir, Event, Ts};
use etherparse::LaxIpSlice;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher};
use std::net::IpAddr;

/// Echo requests remembered per flow until their reply comes; a ping has one or two under way.
const MOST_REQUESTS: usize = 64;
/// Payload bytes shown.
const SHOWN: usize = 32;
/// Windows fills its echo requests with the letters from `a` to `w`, again and again.
const WINDOWS_LETTERS: u8 = 23;
/// Times that ping programs put before their filler: none, 32 bits, `timeval` of 32 and of 64 bits.
const TIMESTAMPS: [usize; 4] = [0, 4, 8, 16];
/// Filler bytes needed to recognise one.
const LEAST_FILLER: usize = 8;

/// The messages of one flow.
pub struct Messages {
    cap: u32,
    rows: u32,
    capped: bool,
    requests: VecDeque<Request>,
}

/// What is remembered of an echo request.
struct Request {
    dir: Dir,
    id: u16,
    seq: u16,
    /// Length and hash of a payload that was captured whole.
    payload: Option<(usize, u64)>,
}

impl Messages {
    /// Says at most `cap` rows.
    pub fn new(cap: u32) -> Self {
        Self { cap, rows: 0, capped: false, requests: VecDeque::new() }
    }

    /// Takes one message: `payload` is what was captured after the eight-byte header, `payload_len` how much it was.
    #[expect(clippy::too_many_arguments, reason = "what one packet says of itself; a struct would be filled once and read once")]
    pub fn message(
        &mut self,
        conn_dir: Dir,
        v6: bool,
        icmp: &Icmp,
        payload: &[u8],
        payload_len: u32,
        frame: u64,
        ts_ns: Ts,
        out: &mut Out,
    ) {
        if self.rows >= self.cap {
            self.say_capped(frame, ts_ns, out);
            return;
        }
        self.rows += 1;
        let echo = Echo::of(v6, icmp.kind);
        let inner = if is_error(v6, icmp.kind) { Inner::of(payload) } else { Inner::default() };
        let row = IcmpMessage {
            v6,
            is_orig: conn_dir == Dir::Orig,
            kind: icmp.kind,
            code: icmp.code,
            echo_id: echo.map(|_| icmp.id),
            echo_seq: echo.map(|_| icmp.seq),
            len: payload_len,
            entropy: entropy(payload),
            reply_match: echo.and_then(|echo| self.pair(echo, conn_dir, icmp, payload, payload_len)),
            pattern: pattern(payload),
            first_bytes: hex(payload.get(..SHOWN).unwrap_or(payload)),
            inner_src: inner.src,
            inner_dst: inner.dst,
            inner_proto: inner.proto,
            inner_sport: inner.ports.map(|(sport, _)| sport),
            inner_dport: inner.ports.map(|(_, dport)| dport),
            payload_sha: if payload.len() == payload_len as usize { digest(payload) } else { String::new() },
            gateway: gateway(v6, icmp, payload),
        };
        out.say(frame, ts_ns, Event::Icmp(Box::new(row)));
    }

    /// Remembers a request; compares a reply with the latest request of its number.
    fn pair(&mut self, echo: Echo, dir: Dir, icmp: &Icmp, payload: &[u8], payload_len: u32) -> Option<bool> {
        let whole = payload.len() == payload_len as usize;
        let print = whole.then(|| (payload.len(), hash(payload)));
        match echo {
            Echo::Request => {
                if self.requests.len() == MOST_REQUESTS {
                    self.requests.pop_front();
                }
                self.requests.push_back(Request { dir, id: icmp.id, seq: icmp.seq, payload: print });
                None
            }
            Echo::Reply => {
                let asked = |request: &&Request| (request.dir, request.id, request.seq) == (dir.flip(), icmp.id, icmp.seq);
                let request = self.requests.iter().rev().find(asked)?;
                Some(request.payload? == print?)
            }
        }
    }

    fn say_capped(&mut self, frame: u64, ts_ns: Ts, out: &mut Out) {
        if !self.capped {
            self.capped = true;
            let addl = format!("{} messages kept", self.cap);
            out.say(frame, ts_ns, Event::Weird(Box::new(Weird { name: "icmp_rows_capped".into(), addl, source: "icmp", count: 1 })));
        }
    }
}

#[derive(Clone, Copy)]
enum Echo {
    Request,
    Reply,
}

impl Echo {
    fn of(v6: bool, kind: u8) -> Option<Self> {
        match (v6, kind) {
            (false, 8) | (true, 128) => Some(Self::Request),
            (false, 0) | (true, 129) => Some(Self::Reply),
            _ => None,
        }
    }
}

/// Whether the message quotes the packet it is about: unreachable, source quench, redirect, time exceeded, parameter problem; for
/// ICMPv6 all below 128 do (RFC 4443 2.1), and four are assigned.
fn is_error(v6: bool, kind: u8) -> bool {
    if v6 { matches!(kind, 1..=4) } else { matches!(kind, 3 | 4 | 5 | 11 | 12) }
}

/// The packet that an error message quotes, as far as it is quoted: often the IP header and eight bytes.
#[derive(Default)]
struct Inner {
    src: Option<IpAddr>,
    dst: Option<IpAddr>,
    proto: Option<u8>,
    ports: Option<(u16, u16)>,
}

impl Inner {
    fn of(quoted: &[u8]) -> Self {
        let Ok((ip, _)) = LaxIpSlice::from_slice(quoted) else { return Self::default() };
        let payload = ip.payload();
        let later_fragment = match &ip {
            LaxIpSlice::Ipv4(v4) => v4.header().fragments_offset().value() > 0,
            LaxIpSlice::Ipv6(_) => payload.fragmented,
        };
        // TCP, UDP, DCCP, SCTP and UDP-Lite begin with both ports.
        let ports = match (payload.ip_number.0, payload.payload) {
            (6 | 17 | 33 | 132 | 136, &[a, b, c, d, ..]) if !later_fragment => {
                Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
            }
            _ => None,
        };
        Self { src: Some(ip.source_addr()), dst: Some(ip.destination_addr()), proto: Some(payload.ip_number.0), ports }
    }
}

/// The filler that ping programs use, if the payload is nothing else.
fn pattern(payload: &[u8]) -> &'static str {
    let Some(&first) = payload.first() else { return "" };
    let after_time = |is_filler: fn(&[u8]) -> bool| {
        TIMESTAMPS.iter().filter_map(|&len| payload.get(len..)).any(|filler| filler.len() >= LEAST_FILLER && is_filler(filler))
    };
    if payload.iter().all(|&byte| byte == 0) || after_time(|filler| filler.iter().all(|&byte| byte == 0)) {
        "zero"
    } else if payload.len() >= LEAST_FILLER && payload.iter().all(|&byte| byte == first) {
        "constant"
    } else if payload.len() >= LEAST_FILLER
        && payload.iter().zip((b'a'..b'a' + WINDOWS_LETTERS).cycle()).all(|(&byte, letter)| byte == letter)
    {
        "windows"
    } else if after_time(|filler| filler.windows(2).all(|pair| matches!(pair, [a, b] if a.wrapping_add(1) == *b))) {
        "increment"
    } else {
        ""
    }
}

/// The router that a redirect names: in the header (RFC 792), for ICMPv6 as the first address after it (RFC 4861 4.5).
fn gateway(v6: bool, icmp: &Icmp, payload: &[u8]) -> Option<IpAddr> {
    match (v6, icmp.kind) {
        (false, 5) => Some((u32::from(icmp.id) << 16 | u32::from(icmp.seq)).to_be_bytes().into()),
        (true, 137) => payload.first_chunk::<16>().map(|target| IpAddr::from(*target)),
        _ => None,
    }
}

/// Enough of SHA-256 to tell payloads apart.
fn digest(payload: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, payload);
    hex(digest.as_ref().get(..8).unwrap_or_default())
}

/// The same on every run: the standard hasher without random keys.
fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests;
