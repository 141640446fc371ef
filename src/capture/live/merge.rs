//! Parcels of several interfaces become blocks in order of time.

use super::Listening;
use super::interface::{Counted, Counts, Device};
use crate::capture::{Error, PacketSource};
use crate::model::beside::Interface;
use crate::model::{Beside, Block, CaptureInfo, FrameMeta, LinkType, Ts};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The longest wait for a block; then an empty one tells that nothing came.
const WAIT: Duration = Duration::from_millis(250);
/// Of several interfaces, frames wait this long for earlier ones of the others: twice the age of a parcel.
const HOLD: Duration = Duration::from_millis(200);
/// A block is closed beyond this.
const BLOCK_BYTES: usize = 4 << 20;
const BLOCK_FRAMES: usize = 16_384;

/// Frames of one interface, in the kernel's order, not yet numbered.
pub(super) struct Parcel {
    /// They.
    pub(super) block: Block,
    /// When it was sent.
    pub(super) arrived: Instant,
}

impl Parcel {
    fn weight(&self) -> usize {
        self.block.bytes.len() + self.block.frames.len() * size_of::<FrameMeta>()
    }
}

/// The queue's bound, in bytes.
pub(super) struct Intake {
    held: AtomicUsize,
    most: usize,
}

impl Intake {
    pub(super) fn new(most: usize) -> Self {
        Self { held: AtomicUsize::new(0), most }
    }

    /// Whether there is room for a parcel; then it is taken. A parcel alone always fits.
    pub(super) fn admit(&self, parcel: &Parcel) -> bool {
        let weight = parcel.weight();
        let room = |held: usize| (held == 0 || held + weight <= self.most).then_some(held + weight);
        self.held.fetch_update(Relaxed, Relaxed, room).is_ok()
    }

    fn release(&self, parcel: &Parcel) {
        self.held.fetch_sub(parcel.weight(), Relaxed);
    }
}

/// An interface as the receiving side knows it.
pub(super) struct Seat {
    name: String,
    link: LinkType,
    pub(super) counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

impl Seat {
    pub(super) fn new(device: &Device) -> Self {
        Self { name: device.name.clone(), link: device.link, counts: Arc::default(), thread: None }
    }

    pub(super) fn with(mut self, thread: JoinHandle<()>) -> Self {
        self.thread = Some(thread);
        self
    }
}

/// Interfaces that are listened to.
pub struct Interfaces {
    parcels: Receiver<Parcel>,
    intake: Arc<Intake>,
    seats: Vec<Seat>,
    listening: Listening,
    /// Parcels that wait for earlier frames, as they came, each with how many of its frames are gone.
    waiting: Vec<(Parcel, usize)>,
    next: u64,
    over: bool,
}

impl Interfaces {
    pub(super) fn new(parcels: Receiver<Parcel>, intake: Arc<Intake>, seats: Vec<Seat>, listening: Listening, first: u64) -> Self {
        Self { parcels, intake, seats, listening, waiting: Vec::new(), next: first, over: false }
    }

    /// Name and counts of each interface.
    pub fn counts(&self) -> Vec<(String, Counted)> {
        self.seats.iter().map(|seat| (seat.name.clone(), seat.counts.now())).collect()
    }

    /// Interfaces that were given up, and why.
    pub fn lost(&self) -> Vec<(String, String)> {
        self.seats.iter().filter_map(|seat| Some((seat.name.clone(), seat.counts.lost()?))).collect()
    }

    /// Name and link type of each interface.
    pub fn links(&self) -> Vec<(String, LinkType)> {
        self.seats.iter().map(|seat| (seat.name.clone(), seat.link)).collect()
    }

    /// Cap of the queue in bytes.
    pub fn queue_bytes(&self) -> usize {
        self.listening.queue_bytes
    }

    /// What is known of each interface before a frame was seen: no counts.
    pub fn described(&self) -> Vec<CaptureInfo> {
        let describe = |(id, seat): (usize, &Seat)| {
            let interface = Interface {
                link: seat.link,
                snaplen: self.listening.snaplen,
                name: seat.name.clone(),
                filter: self.listening.filter.clone().unwrap_or_default(),
                resolution: "10^-9 s".into(),
                ..Interface::default()
            };
            CaptureInfo {
                id: id as u32,
                path: seat.name.clone(),
                format: "interface".into(),
                snaplen: self.listening.snaplen,
                links: vec![seat.link],
                beside: Beside { interfaces: vec![interface], ..Beside::default() },
                ..CaptureInfo::default()
            }
        };
        self.seats.iter().enumerate().map(describe).collect()
    }

    /// Takes what is there; waits for the first until `until`.
    fn gather(&mut self, until: Instant) {
        let mut bytes: usize = self.waiting.iter().map(|(parcel, _)| parcel.block.bytes.len()).sum();
        let mut first = self.waiting.is_empty();
        while bytes < BLOCK_BYTES {
            let patience = if first { until.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
            match self.parcels.recv_timeout(patience) {
                Ok(parcel) => {
                    self.intake.release(&parcel);
                    bytes += parcel.block.bytes.len();
                    self.waiting.push((parcel, 0));
                    first = false;
                }
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => {
                    self.over = true;
                    return;
                }
            }
        }
    }

    /// The time up to which no earlier frame is to come; `None` where all have to wait.
    fn ripe(&self) -> Option<Ts> {
        let full = self.waiting.iter().map(|(parcel, _)| parcel.block.bytes.len()).sum::<usize>() >= BLOCK_BYTES;
        let at_once = self.over || full || self.seats.len() == 1;
        let ripe = self.waiting.iter().filter(|(parcel, _)| at_once || parcel.arrived.elapsed() >= HOLD);
        ripe.filter_map(|(parcel, _)| parcel.block.newest()).max()
    }

    /// Frames up to `until` in order of time, ties as they came.
    fn block(&mut self, until: Ts) -> Block {
        let mut due: Vec<(Ts, usize, usize)> = Vec::new();
        for (at, (parcel, gone)) in self.waiting.iter().enumerate() {
            let rest = parcel.block.frames.iter().enumerate().skip(*gone);
            // Within an interface the order is the kernel's, whatever its clock says.
            due.extend(rest.take_while(|(_, frame)| frame.ts_ns <= until).map(|(index, frame)| (frame.ts_ns, at, index)));
        }
        if self.seats.len() > 1 {
            due.sort_by_key(|(ts, ..)| *ts);
        }
        let (mut block, mut taken) = (Block::default(), vec![0; self.waiting.len()]);
        for (_, at, index) in due {
            if block.frames.len() >= BLOCK_FRAMES {
                break;
            }
            let Some((parcel, _)) = self.waiting.get(at) else { continue };
            let frame = parcel.block.frame(index);
            let meta = FrameMeta { number: self.next, start: block.bytes.len() as u32, ..*frame.meta };
            block.bytes.extend_from_slice(frame.bytes);
            block.frames.push(meta);
            self.next += 1;
            if let Some(taken) = taken.get_mut(at) {
                *taken = (*taken).max(index + 1);
            }
        }
        for ((_, gone), taken) in self.waiting.iter_mut().zip(taken) {
            *gone = (*gone).max(taken);
        }
        self.waiting.retain(|(parcel, gone)| *gone < parcel.block.frames.len());
        block
    }
}

impl PacketSource for Interfaces {
    /// A block without frames tells that none came for a quarter of a second.
    fn next_block(&mut self) -> Result<Option<Block>, Error> {
        let until = Instant::now() + WAIT;
        loop {
            if !self.over {
                self.gather(until);
            }
            if let Some(ts) = self.ripe() {
                return Ok(Some(self.block(ts)));
            }
            if self.over && self.waiting.is_empty() {
                return Ok(None);
            }
            if Instant::now() >= until {
                return Ok(Some(Block::default()));
            }
            if !self.waiting.is_empty() {
                std::thread::sleep(HOLD / 20);
            }
        }
    }

    fn captures(mut self: Box<Self>) -> Result<Vec<CaptureInfo>, Error> {
        for thread in self.seats.iter_mut().filter_map(|seat| seat.thread.take()) {
            thread.join().map_err(|_| Error::ReaderDied)?;
        }
        Ok(self.described())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    fn parcel(interface: usize, times: &[Ts]) -> Parcel {
        let mut block = Block::default();
        for (at, ts_ns) in times.iter().enumerate() {
            block.frames.push(FrameMeta {
                number: 0,
                in_file: at as u64 + 1,
                offset: 0,
                ts_ns: *ts_ns,
                capture: interface as u32,
                caplen: 1,
                wire_len: 1,
                start: at as u32,
                link: LinkType::ETHERNET,
            });
            block.bytes.push(*ts_ns as u8);
        }
        Parcel { block, arrived: Instant::now() }
    }

    fn interfaces(count: usize, parcels: Receiver<Parcel>, most: usize) -> Interfaces {
        let seat = |number| Seat { name: format!("eth{number}"), link: LinkType::ETHERNET, counts: Arc::default(), thread: None };
        let seats = (0..count).map(seat).collect();
        Interfaces::new(parcels, Arc::new(Intake::new(most)), seats, Listening::default(), 1)
    }

    #[test]
    fn frames_of_two_interfaces_come_in_order_of_time_and_none_is_lost() {
        let (send, receive) = channel();
        let mut source = interfaces(2, receive, 1 << 20);
        for parcel in [parcel(0, &[1, 4, 9]), parcel(1, &[2, 3, 5]), parcel(0, &[10, 11])] {
            assert!(source.intake.admit(&parcel));
            send.send(parcel).unwrap();
        }
        drop(send);
        let mut seen = Vec::new();
        while let Some(block) = source.next_block().unwrap() {
            seen.extend(block.iter().map(|frame| (frame.meta.number, frame.meta.ts_ns, frame.bytes[0])));
        }
        let times = [1, 2, 3, 4, 5, 9, 10, 11];
        assert_eq!(seen, times.iter().enumerate().map(|(at, ts)| (at as u64 + 1, *ts, *ts as u8)).collect::<Vec<_>>());
    }

    #[test]
    fn a_full_queue_refuses_and_room_that_comes_back_is_used_again() {
        let intake = Intake::new(3 * size_of::<FrameMeta>() + 3);
        let (two, one) = (parcel(0, &[1, 2]), parcel(0, &[3]));
        assert!(intake.admit(&two) && intake.admit(&one));
        assert!(!intake.admit(&one), "the queue is full");
        intake.release(&two);
        assert!(intake.admit(&one));
    }

    #[test]
    fn a_block_without_frames_tells_that_nothing_came() {
        let (_send, receive) = channel();
        let block = interfaces(1, receive, 1).next_block().unwrap();
        assert!(block.is_some_and(|block| block.frames.is_empty()));
    }
}
