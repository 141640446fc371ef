//! Many captures, one case: a thread reads them, merges them in time and hands over blocks.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use super::error::Error;
use super::evidence::{self, Access, Evidence};
use super::hash::{Hash, Hashers};
use super::ledger::{BLOCK_BYTES, BLOCK_FRAMES, Sink};
use super::progress::Progress;
use super::reader::{Pause, Reader, Turn};
use super::stored::{CHUNK_BYTES, Stored};
use crate::model::{Block, CaptureInfo, Damage, DamageKind, Secrets, Ts};

/// Finished blocks that may wait before reading waits too.
const QUEUE: usize = 3;
/// With this many captures open at once, each reads in smaller pieces, so that memory stays bounded.
const MANY: usize = 16;
/// The smaller piece, bytes.
const CHUNK_BYTES_MANY: usize = 64 << 10;

/// Where frames come from: files, or later an interface.
pub trait PacketSource {
    /// The next frames in case order; none at the end.
    fn next_block(&mut self) -> Result<Option<Block>, Error>;

    /// Takes a block back that is no longer needed, so that its memory is used again.
    fn recycle(&mut self, _block: Block) {}

    /// What is known of each piece of evidence, hashes included. Blocks not yet fetched are read and dropped, so that hashes are whole.
    fn captures(self: Box<Self>) -> Result<Vec<CaptureInfo>, Error>;
}

/// How evidence is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Which hashes are computed.
    pub hash: Hash,
}

/// Capture files and streams as one case.
pub struct Files {
    blocks: Receiver<Block>,
    used: SyncSender<Block>,
    progress: Arc<Progress>,
    reading: Option<JoinHandle<Vec<CaptureInfo>>>,
}

/// Opens `paths`: captures, folders that hold some, `-` for standard input.
///
/// Fails only on what the person at the keyboard can mend. What is wrong inside the evidence becomes rows of damage.
pub fn open(paths: &[PathBuf], options: &Options) -> Result<Files, Error> {
    let evidence = evidence::gather(paths)?;
    let sizes = evidence.iter().map(|piece| match piece.access {
        Access::File(bytes) => Some(bytes),
        Access::Stream => None,
        Access::Refused(_) => Some(0),
    });
    let progress = Arc::new(Progress::new(sizes.sum()));
    let desk =
        Desk { hashers: Arc::new(Hashers::start(options.hash).map_err(Error::Thread)?), progress: progress.clone(), open: Arc::default() };
    let mut seats = desk.seat(evidence)?;
    if seats.iter().all(|seat| seat.evidence.not_a_capture.is_some()) {
        return Err(Error::NoCapture(refusals(paths, &seats)));
    }
    for (id, seat) in seats.iter_mut().enumerate() {
        seat.number(id as u32);
    }
    let (send, blocks) = sync_channel(QUEUE);
    let (used, back) = sync_channel(QUEUE + 2);
    let reading = std::thread::Builder::new()
        .name("reader".into())
        .spawn(move || Merge::new(desk, seats, Outlet { send, back }).run())
        .map_err(Error::Thread)?;
    Ok(Files { blocks, used, progress, reading: Some(reading) })
}

impl Files {
    /// How far reading is.
    pub fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }
}

impl PacketSource for Files {
    fn next_block(&mut self) -> Result<Option<Block>, Error> {
        // A thread that died also ends the channel: `captures`, which asks for its result, tells the two apart.
        Ok(self.blocks.recv().ok())
    }

    fn recycle(&mut self, block: Block) {
        // A full channel means that there are blocks enough.
        let _ = self.used.try_send(block);
    }

    fn captures(mut self: Box<Self>) -> Result<Vec<CaptureInfo>, Error> {
        for _ in &self.blocks {}
        self.reading.take().and_then(|thread| thread.join().ok()).ok_or(Error::ReaderDied)
    }
}

/// What readers of one case share.
struct Desk {
    hashers: Arc<Hashers>,
    progress: Arc<Progress>,
    open: Arc<AtomicUsize>,
}

/// A piece of evidence with its reader while it is being read.
struct Seat {
    evidence: Evidence,
    /// Its number with the hashers.
    ticket: u32,
    reader: Option<Reader>,
    /// Damage met while the first frame of a stream was looked for.
    damage: Vec<Damage>,
    /// Secrets met then.
    secrets: Vec<Secrets>,
}

impl Desk {
    /// Gives every piece of evidence its place. Streams are opened now: their first frame cannot be looked at twice.
    fn seat(&self, evidence: Vec<Evidence>) -> Result<Vec<Seat>, Error> {
        let mut seats: Vec<Seat> = Vec::new();
        for (ticket, mut evidence) in evidence.into_iter().enumerate() {
            let (ticket, mut sink, mut reader) = (ticket as u32, Sink::default(), None);
            if matches!(evidence.access, Access::Stream) {
                let mut stream = self.reader(&evidence, ticket).map_err(|error| Error::opening(evidence.path.clone(), error))?;
                evidence.not_a_capture = stream.not_a_capture().map(str::to_string);
                if let Pause::Later(first) = stream.pump(&mut sink, &Turn::NEVER) {
                    evidence.first_ts = Some(first);
                }
                reader = Some(stream);
            }
            let Block { damage, secrets, .. } = sink.block;
            seats.push(Seat { evidence, ticket, reader, damage, secrets });
        }
        seats.sort_by(|one, other| evidence::order(&one.evidence, &other.evidence));
        Ok(seats)
    }

    fn reader(&self, evidence: &Evidence, ticket: u32) -> std::io::Result<Reader> {
        let input = evidence::input(evidence)?;
        let chunk_bytes = if self.open.load(Relaxed) < MANY { CHUNK_BYTES } else { CHUNK_BYTES_MANY };
        let stored = Stored::new(input, chunk_bytes).hashed(ticket, self.hashers.clone());
        Ok(Reader::open(stored.observed(self.progress.clone(), self.open.clone()), evidence.shown.clone()))
    }
}

/// What was given, and why none of it can be read.
fn refusals(paths: &[PathBuf], seats: &[Seat]) -> String {
    let why = |seat: &Seat| format!("{:?}: {}", seat.evidence.path, seat.evidence.not_a_capture.as_deref().unwrap_or_default());
    match seats {
        [] => paths.iter().map(|path| format!("{path:?}")).collect::<Vec<_>>().join(", "),
        [one] => why(one),
        [one, rest @ ..] => format!("{}, nor in {} more", why(one), rest.len()),
    }
}

/// Where blocks leave the thread, and come back for use again.
struct Outlet {
    send: SyncSender<Block>,
    back: Receiver<Block>,
}

/// Reads the captures, always going on with the one whose next frame is due.
struct Merge {
    desk: Desk,
    seats: Vec<Seat>,
    /// Time of each unfinished capture's next frame, and its place.
    due: BinaryHeap<Reverse<(Ts, usize)>>,
    sink: Sink,
    outlet: Outlet,
    done: Vec<CaptureInfo>,
}

/// Nobody wants the frames any more.
struct Abandoned;

impl Merge {
    fn new(desk: Desk, seats: Vec<Seat>, outlet: Outlet) -> Self {
        let due = seats.iter().enumerate().map(|(rank, seat)| Reverse((seat.evidence.first_ts.unwrap_or(Ts::MIN), rank))).collect();
        let mut merge = Self { desk, seats, due, sink: Sink::default(), outlet, done: Vec::new() };
        merge.sink.block = merge.fresh();
        merge
    }

    fn run(mut self) -> Vec<CaptureInfo> {
        while let Some(Reverse((_, rank))) = self.due.pop() {
            if self.turn(rank).is_err() {
                return self.done;
            }
        }
        let Block { frames, damage, secrets, .. } = &self.sink.block;
        if !(frames.is_empty() && damage.is_empty() && secrets.is_empty()) && self.flush().is_err() {
            return self.done;
        }
        let Self { desk, seats, outlet, mut done, .. } = self;
        // The last block may be worked on while the hashes are finished.
        drop(outlet);
        let digests = Arc::into_inner(desk.hashers).map(Hashers::finish).unwrap_or_default();
        done.sort_by_key(|info| info.id);
        for info in &mut done {
            let ticket = seats.get(info.id as usize).map(|seat| seat.ticket);
            if let Some(digests) = ticket.and_then(|ticket| digests.get(&ticket)) {
                info.sha256.clone_from(&digests.sha256);
                info.blake3.clone_from(&digests.blake3);
            }
        }
        done
    }

    /// Lets one capture go on until another is due.
    fn turn(&mut self, rank: usize) -> Result<(), Abandoned> {
        let turn = Turn { rank, until: self.due.peek().map(|Reverse(other)| *other) };
        let mut reader = match self.take_reader(rank) {
            Ok(reader) => reader,
            Err(error) => {
                self.unreadable(rank, &error);
                return Ok(());
            }
        };
        loop {
            match reader.pump(&mut self.sink, &turn) {
                Pause::Full => self.flush()?,
                Pause::Later(ts) => {
                    self.due.push(Reverse((ts, rank)));
                    self.seats[rank].reader = Some(reader);
                    return Ok(());
                }
                Pause::End => {
                    let mut info = reader.finish(&mut self.sink);
                    info.also_at = std::mem::take(&mut self.seats[rank].evidence.also_at);
                    self.done.push(info);
                    return Ok(());
                }
            }
        }
    }

    /// The reader of a capture, opened when its first frame is due, so that files of which thousands follow each other are not all open.
    fn take_reader(&mut self, rank: usize) -> std::io::Result<Reader> {
        let seat = &mut self.seats[rank];
        self.sink.block.damage.append(&mut seat.damage);
        self.sink.block.secrets.append(&mut seat.secrets);
        match seat.reader.take() {
            Some(reader) => Ok(reader),
            None => {
                let mut reader = self.desk.reader(&seat.evidence, seat.ticket)?;
                reader.number(rank as u32);
                Ok(reader)
            }
        }
    }

    /// Books evidence that cannot be opened: it may hold what the others do not.
    fn unreadable(&mut self, rank: usize, error: &std::io::Error) {
        let (evidence, id) = (&mut self.seats[rank].evidence, rank as u32);
        let (path, also_at) = (evidence.shown.clone(), std::mem::take(&mut evidence.also_at));
        self.done.push(CaptureInfo { id, path, also_at, damaged: 1, ..CaptureInfo::default() });
        let detail = format!("cannot be read: {error}");
        let damage = Damage { capture: id, after_frame: 0, offset: 0, skipped: 0, kind: DamageKind::ReadError, detail };
        self.sink.block.damage.push(damage);
    }

    fn flush(&mut self) -> Result<(), Abandoned> {
        let fresh = self.fresh();
        let block = std::mem::replace(&mut self.sink.block, fresh);
        self.desk.progress.seen(block.frames.len() as u64);
        self.outlet.send.send(block).map_err(|_| Abandoned)
    }

    /// An empty block, if possible one that was used before.
    fn fresh(&self) -> Block {
        match self.outlet.back.try_recv() {
            Ok(mut block) => {
                block.bytes.clear();
                block.frames.clear();
                block.damage.clear();
                block.secrets.clear();
                block
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => {
                Block { bytes: Vec::with_capacity(BLOCK_BYTES), frames: Vec::with_capacity(BLOCK_FRAMES), ..Block::default() }
            }
        }
    }
}

impl Seat {
    /// Gives the capture its place in the case.
    fn number(&mut self, id: u32) {
        for damage in &mut self.damage {
            damage.capture = id;
        }
        for secrets in &mut self.secrets {
            secrets.capture = id;
        }
        if let Some(reader) = &mut self.reader {
            reader.number(id);
        }
    }
}
