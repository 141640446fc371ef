//! The fragments of one datagram. Where two overlap, the bytes that came first stay, as in Zeek.

use super::weird::Place;
use crate::model::Ts;
use crate::model::anomaly::Frag;
use std::net::IpAddr;

/// Bytes a set is counted for, beside those of its pieces.
pub(super) const OVERHEAD: usize = 256;
/// Bytes a piece is counted for, beside its own.
const PIECE_OVERHEAD: usize = 64;
/// Frames remembered of a datagram. 64,000 bytes in the smallest fragments that honest systems send are fewer.
const FRAMES_MAX: usize = 256;

/// Fragments with the same key.
pub(super) struct Set {
    /// Position among all sets, by first fragment.
    pub(super) arrival: u64,
    /// Newest packet time when the first fragment came.
    pub(super) since: Ts,
    /// That fragment.
    pub(super) place: Place,
    /// By offset, without overlap.
    pieces: Vec<Piece>,
    covered: usize,
    /// Length of the datagram's payload, once its last fragment has come.
    size: Option<u32>,
    /// Protocol and IP header length, told by the first fragment.
    head: Option<(u8, u32)>,
    fragments: u32,
    frames: Vec<u64>,
    overlap: Overlap,
    /// Payload bytes of the shortest that is not the last.
    shortest: u32,
    end: u32,
}

struct Piece {
    offset: u32,
    bytes: Box<[u8]>,
}

impl Piece {
    fn end(&self) -> u32 {
        self.offset + self.bytes.len() as u32
    }
}

/// How a fragment lies on those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Overlap {
    None,
    /// It repeats bytes.
    Same,
    /// It contradicts them.
    Different,
}

impl Set {
    pub(super) fn new(arrival: u64, since: Ts, place: Place) -> Self {
        Self {
            arrival,
            since,
            place,
            pieces: Vec::new(),
            covered: 0,
            size: None,
            head: None,
            fragments: 0,
            frames: Vec::new(),
            overlap: Overlap::None,
            shortest: u32::MAX,
            end: 0,
        }
    }

    /// Bytes it is counted for, without [`OVERHEAD`].
    pub(super) fn held(&self) -> usize {
        self.covered + self.pieces.len() * PIECE_OVERHEAD + self.frames.len() * size_of::<u64>()
    }

    /// Remembers the frame of a fragment. The newest always has a place: it may be the one that completes the datagram.
    pub(super) fn came_in(&mut self, frame: u64) {
        if self.frames.len() == FRAMES_MAX {
            self.frames.pop();
        }
        self.frames.push(frame);
    }

    /// Takes the protocol and the IP header length from the fragment at offset 0; the first such counts.
    pub(super) fn first(&mut self, proto: u8, header_len: u32) {
        self.head.get_or_insert((proto, header_len));
    }

    /// Takes note of where a fragment ends, and of its length. Returns `false` if that contradicts what others said of the whole length.
    pub(super) fn announce(&mut self, end: u32, len: u32, more: bool) -> bool {
        self.fragments = self.fragments.saturating_add(1);
        self.end = self.end.max(end);
        if more {
            self.shortest = self.shortest.min(len);
        }
        match self.size {
            None if more => true,
            None => {
                self.size = Some(end);
                true
            }
            Some(size) => {
                if !more {
                    self.size = Some(size.max(end));
                }
                if more { end <= size } else { end == size }
            }
        }
    }

    /// Files bytes at `offset`: only those that are new.
    pub(super) fn insert(&mut self, offset: u32, bytes: &[u8]) -> Overlap {
        let (mut at, mut rest, mut overlap) = (offset, bytes, Overlap::None);
        let mut index = self.pieces.partition_point(|piece| piece.end() <= offset);
        while !rest.is_empty() {
            let (gap, old) = match self.pieces.get(index) {
                None => (rest.len(), None),
                Some(piece) => (piece.offset.saturating_sub(at) as usize, Some(piece)),
            };
            if let Some(piece) = old.filter(|_| gap == 0) {
                let known = piece.bytes.get((at - piece.offset) as usize..).unwrap_or(&[]);
                let n = known.len().min(rest.len());
                let same = known.get(..n) == rest.get(..n);
                overlap = overlap.max(if same { Overlap::Same } else { Overlap::Different });
                at += n as u32;
                rest = rest.get(n..).unwrap_or(&[]);
            } else {
                let (new, after) = rest.split_at_checked(gap).unwrap_or((rest, &[]));
                self.pieces.insert(index, Piece { offset: at, bytes: new.into() });
                self.covered += new.len();
                at += new.len() as u32;
                rest = after;
            }
            index += 1;
        }
        self.overlap = self.overlap.max(overlap);
        overlap
    }

    /// The row of `frag`; `dropped` tells why it was given up.
    pub(super) fn row(&self, src: IpAddr, dst: IpAddr, id: u32, proto: u8, dropped: Option<&'static str>) -> Frag {
        Frag {
            src,
            dst,
            id,
            proto: self.head.map_or(proto, |(proto, _)| proto),
            fragments: self.fragments,
            frames: self.frames.clone(),
            overlap: self.overlap != Overlap::None,
            differs: self.overlap == Overlap::Different,
            shortest: self.shortest,
            end: self.end,
            complete: dropped.is_none(),
            dropped,
        }
    }

    /// Whether every byte is there, up to the end that was announced or beyond.
    pub(super) fn complete(&self) -> bool {
        let (Some(size), Some(last)) = (self.size, self.pieces.last()) else { return false };
        last.end() >= size && self.covered == last.end() as usize
    }

    /// The datagram's payload, its protocol and the length of its IP header.
    pub(super) fn into_datagram(self) -> (Vec<u8>, Option<(u8, u32)>) {
        let mut bytes = Vec::with_capacity(self.covered);
        for piece in &self.pieces {
            bytes.extend_from_slice(&piece.bytes);
        }
        (bytes, self.head)
    }
}
