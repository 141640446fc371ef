//! What the packets of a flow look like in the order of both directions: lengths, pauses, the first with payload, the first frames.

use crate::model::flow::Moments;
use crate::model::{Dir, Ts, time::SECOND};

/// First packets, and first payload-carrying packets, that are kept.
const FIRST: usize = 8;

/// One packet, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Its frame.
    pub frame: u64,
    /// Its time.
    pub ts_ns: Ts,
    /// IP length.
    pub len: u32,
    /// Payload length, negative from the responder.
    pub data: i32,
}

impl Look {
    /// Of a packet.
    pub fn new(dir: Dir, frame: u64, ts_ns: Ts, len: u32, payload_len: u32) -> Self {
        let data = i32::try_from(payload_len).unwrap_or(i32::MAX);
        Self { frame, ts_ns, len, data: if dir == Dir::Orig { data } else { -data } }
    }
}

/// The packets so far, from the second on.
#[derive(Clone, Debug)]
pub struct Shape {
    /// IP lengths.
    pub len: Moments,
    /// Gaps in seconds.
    pub iat: Moments,
    last_ns: Ts,
    last_data_ns: Option<Ts>,
    lens: [i32; FIRST],
    iats_us: [i64; FIRST],
    datas: u8,
    frames: [u64; FIRST],
    framed: u8,
}

impl Shape {
    /// After one packet.
    pub fn after(first: &Look) -> Self {
        let mut shape = Self {
            len: Moments::default(),
            iat: Moments::default(),
            last_ns: first.ts_ns,
            last_data_ns: None,
            lens: [0; FIRST],
            iats_us: [0; FIRST],
            datas: 0,
            frames: [0; FIRST],
            framed: 0,
        };
        shape.frame(first.frame);
        shape.len.push(f64::from(first.len));
        shape.data(first);
        shape
    }

    /// Takes the number of a frame, copies included.
    pub fn frame(&mut self, frame: u64) {
        let at = usize::from(self.framed);
        if at < FIRST && (at == 0 || self.frames[at - 1] != frame) {
            self.frames[at] = frame;
            self.framed += 1;
        }
    }

    /// Takes a packet that is no copy.
    pub fn packet(&mut self, look: &Look) {
        self.len.push(f64::from(look.len));
        self.iat.push(look.ts_ns.saturating_sub(self.last_ns) as f64 / SECOND as f64);
        self.last_ns = look.ts_ns;
        self.data(look);
    }

    fn data(&mut self, look: &Look) {
        let at = usize::from(self.datas);
        if look.data != 0 && at < FIRST {
            self.lens[at] = look.data;
            self.iats_us[at] = self.last_data_ns.map_or(0, |before| look.ts_ns.saturating_sub(before) / 1_000);
            self.last_data_ns = Some(look.ts_ns);
            self.datas += 1;
        }
    }

    /// Originator and responder change places.
    pub fn flip(&mut self) {
        self.lens.iter_mut().for_each(|len| *len = -*len);
    }

    /// Lengths of the first packets with payload, and their distances in microseconds.
    pub fn firsts(&self) -> (Vec<i32>, Vec<i64>) {
        let n = usize::from(self.datas);
        (self.lens[..n].to_vec(), self.iats_us[..n].to_vec())
    }

    /// The first frames and `last`.
    pub fn frames(&self, last: u64) -> Vec<u64> {
        let mut frames = self.frames[..usize::from(self.framed)].to_vec();
        if frames.last() != Some(&last) {
            frames.push(last);
        }
        frames
    }
}
