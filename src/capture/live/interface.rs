//! One interface: a thread that takes frames from the kernel and hands them on in parcels.

use super::merge::{Intake, Parcel};
use crate::model::{Block, FrameMeta, LinkType, Ts};
use pcap::{Active, Capture};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A parcel is sent when it holds this many bytes, or is this old.
const PARCEL_BYTES: usize = 1 << 20;
const PARCEL_AGE: Duration = Duration::from_millis(100);
/// Pause when the kernel has nothing: far shorter than it takes to fill its buffer.
const NAP: Duration = Duration::from_millis(2);
/// Frames between two looks at the clock.
const FRAMES_PER_LOOK: u32 = 64;
/// Pause between two looks at the kernel's counters.
const COUNTING: Duration = Duration::from_millis(500);
/// After the order to stop, frames are taken this long: the kernel hands over the last ones with a delay of 50 ms.
const FAREWELL: Duration = Duration::from_millis(200);

/// An open interface.
pub(super) struct Device {
    /// Its name.
    pub(super) name: String,
    /// Its handle.
    pub(super) capture: Capture<Active>,
    /// Link type of its frames.
    pub(super) link: LinkType,
}

/// What an interface counts. Only its own thread writes.
#[derive(Debug, Default)]
pub struct Counts {
    /// Frames handed on.
    frames: AtomicU64,
    /// Frames that the kernel saw, drops included.
    received: AtomicU64,
    /// Frames that the kernel dropped, its buffer being full.
    kernel: AtomicU64,
    /// Frames that the interface or its driver dropped.
    device: AtomicU64,
    /// Frames that vigil dropped, its queue being full.
    ours: AtomicU64,
    /// Why it was given up, if so.
    lost: Mutex<Option<String>>,
}

/// The counts at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Frames handed on.
    pub frames: u64,
    /// Frames that the kernel saw, drops included.
    pub received: u64,
    /// Frames that the kernel dropped.
    pub kernel: u64,
    /// Frames that the interface dropped.
    pub device: u64,
    /// Frames that vigil dropped.
    pub ours: u64,
}

impl Counted {
    /// All that was dropped.
    pub fn dropped(&self) -> u64 {
        self.kernel + self.device + self.ours
    }

    /// What was added since `before`.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            frames: self.frames - before.frames,
            received: self.received - before.received,
            kernel: self.kernel - before.kernel,
            device: self.device - before.device,
            ours: self.ours - before.ours,
        }
    }
}

impl Counts {
    /// The counts now.
    pub fn now(&self) -> Counted {
        Counted {
            frames: self.frames.load(Relaxed),
            received: self.received.load(Relaxed),
            kernel: self.kernel.load(Relaxed),
            device: self.device.load(Relaxed),
            ours: self.ours.load(Relaxed),
        }
    }

    /// Why the interface was given up, if so.
    pub fn lost(&self) -> Option<String> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The thread's own things.
pub(super) struct Worker {
    number: usize,
    device: Device,
    counts: Arc<Counts>,
    intake: Arc<Intake>,
    send: Sender<Parcel>,
    stop: Arc<AtomicBool>,
    block: Block,
    in_file: u64,
    sent: Instant,
    counted: Instant,
    /// The kernel counts in 32 bits, which wrap round.
    last: [u32; 3],
}

impl Worker {
    pub(super) fn new(
        number: usize,
        device: Device,
        counts: Arc<Counts>,
        intake: Arc<Intake>,
        send: Sender<Parcel>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        let now = Instant::now();
        Self { number, device, counts, intake, send, stop, block: Block::default(), in_file: 0, sent: now, counted: now, last: [0; 3] }
    }

    pub(super) fn run(mut self) {
        let mut ends: Option<Instant> = None;
        let mut since_look = 0;
        loop {
            let link = self.device.link;
            let idle = match self.device.capture.next_packet() {
                Ok(packet) => {
                    take(&mut self.block, &packet, link, self.number as u32, &mut self.in_file);
                    false
                }
                Err(pcap::Error::TimeoutExpired) => true,
                Err(error) => {
                    *self.counts.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(super::said(&error));
                    break;
                }
            };
            since_look += 1;
            if idle || since_look >= FRAMES_PER_LOOK {
                since_look = 0;
                let now = Instant::now();
                self.tidy(now);
                if self.stop.load(Relaxed) && now >= *ends.get_or_insert(now + FAREWELL) {
                    break;
                }
            }
            if self.block.bytes.len() >= PARCEL_BYTES {
                self.hand_over();
            }
            if idle {
                std::thread::sleep(NAP);
            }
        }
        self.count();
        self.hand_over();
    }

    /// What is due by the clock.
    fn tidy(&mut self, now: Instant) {
        if now.duration_since(self.sent) >= PARCEL_AGE {
            self.hand_over();
            self.sent = now;
        }
        if now.duration_since(self.counted) >= COUNTING {
            self.count();
            self.counted = now;
        }
    }

    /// Sends what was gathered, or drops it where the queue is full: this thread never waits.
    fn hand_over(&mut self) {
        if self.block.frames.is_empty() {
            return;
        }
        let block = std::mem::take(&mut self.block);
        let frames = block.frames.len() as u64;
        let parcel = Parcel { block, arrived: Instant::now() };
        if self.intake.admit(&parcel) && self.send.send(parcel).is_ok() {
            self.counts.frames.fetch_add(frames, Relaxed);
        } else {
            self.counts.ours.fetch_add(frames, Relaxed);
        }
    }

    fn count(&mut self) {
        let Ok(stat) = self.device.capture.stats() else { return };
        let now = [stat.received, stat.dropped, stat.if_dropped];
        let sums = [&self.counts.received, &self.counts.kernel, &self.counts.device];
        for ((sum, now), last) in sums.into_iter().zip(now).zip(&mut self.last) {
            sum.fetch_add(u64::from(now.wrapping_sub(*last)), Relaxed);
            *last = now;
        }
    }
}

/// Copies a packet into a block.
pub(super) fn take(block: &mut Block, packet: &pcap::Packet<'_>, link: LinkType, capture: u32, in_file: &mut u64) {
    *in_file += 1;
    let caplen = packet.data.len() as u32;
    // With nanosecond precision the field named for microseconds holds nanoseconds. On some systems both fields are narrower.
    #[allow(clippy::useless_conversion)]
    let (seconds, nanos) = (i64::from(packet.header.ts.tv_sec), i64::from(packet.header.ts.tv_usec));
    let ts_ns: Ts = seconds.saturating_mul(crate::model::time::SECOND).saturating_add(nanos);
    block.frames.push(FrameMeta {
        number: 0,
        in_file: *in_file,
        offset: 0,
        ts_ns,
        capture,
        caplen,
        wire_len: packet.header.len.max(caplen),
        start: block.bytes.len() as u32,
        link,
    });
    block.bytes.extend_from_slice(packet.data);
}
