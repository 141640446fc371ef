//! Contents of files as they are read and written: each a row of `files`, said when it is whole, closed, quiet for long, or lost sight of.

use super::{Handle, Paths};
use crate::dissect::Out;
use crate::dissect::files::FileReader;
use crate::model::{Dir, Ts, time::SECOND};
use std::collections::VecDeque;

/// Files under way in one flow; beyond that the one that is quiet for longest is said.
const OPEN_MAX: usize = 64;
/// A file is over after this silence: Zeek's file timeout.
const SILENCE: i64 = 120 * SECOND;

/// Data of a read or write, of which the end may follow.
pub struct Data<'a> {
    /// The file.
    pub handle: Handle,
    /// Whether it is written.
    pub written: bool,
    /// Where it belongs.
    pub offset: u64,
    /// All its bytes.
    pub length: u64,
    /// Those that are here.
    pub here: &'a [u8],
    /// Size of the file, if it was told with them.
    pub size: Option<u64>,
}

/// Where the rest of the data goes.
#[derive(Default)]
pub struct Tail {
    handle: Handle,
    written: bool,
    offset: u64,
    left: u64,
}

/// All of one flow, as they began.
#[derive(Default)]
pub struct Transfers {
    open: VecDeque<Transfer>,
    /// When the quiet ones were last looked for.
    looked: Ts,
}

struct Transfer {
    handle: Handle,
    written: bool,
    dir: Dir,
    reader: FileReader,
    next: u64,
    /// Size of the file, if it was told.
    size: Option<u64>,
    /// The last write was refused.
    refused: bool,
    /// Written once more, and perhaps differently.
    altered: bool,
    place: (u64, Ts),
    last: Ts,
}

impl Tail {
    /// Bytes are behind us, seen or lost.
    pub fn pass(&mut self, bytes: u64) {
        let bytes = bytes.min(self.left);
        (self.offset, self.left) = (self.offset.saturating_add(bytes), self.left - bytes);
    }
}

impl Transfer {
    fn new(data: &Data<'_>, dir: Dir, place: (u64, Ts)) -> Self {
        let (handle, written, reader) = (data.handle.clone(), data.written, FileReader::default());
        Self { handle, written, dir, reader, next: 0, size: None, refused: false, altered: false, place, last: place.1 }
    }

    fn data(&mut self, offset: u64, bytes: &[u8], now: Ts) {
        self.last = now;
        if bytes.is_empty() {
            return;
        }
        if offset > self.next {
            self.reader.gap(offset - self.next);
            self.next = offset;
        }
        if self.written && offset < self.next && !self.repeats(offset, bytes) {
            self.altered = true;
        }
        // What was read before is not read again.
        let known = usize::try_from(self.next - offset).unwrap_or(usize::MAX);
        if let Some(fresh) = bytes.get(known..) {
            self.reader.data(fresh);
            self.next = self.next.saturating_add(fresh.len() as u64);
        }
    }

    /// Whether bytes are those that were written here before, as far as these are still at hand.
    fn repeats(&self, offset: u64, bytes: &[u8]) -> bool {
        let again = usize::try_from(self.next - offset).ok().and_then(|known| bytes.get(..known)).unwrap_or(bytes);
        let before = usize::try_from(offset).ok().and_then(|offset| self.reader.head().get(offset..));
        before.is_some_and(|before| before.starts_with(again))
    }
}

impl Transfers {
    /// Takes data that travels in `dir`, and says what the rest of it is.
    pub fn begin(&mut self, data: &Data<'_>, dir: Dir, place: (u64, Ts)) -> Option<Tail> {
        if data.length == 0 {
            return None;
        }
        let file = match self.position(&data.handle, data.written) {
            Some(at) => self.open.get_mut(at)?,
            None => {
                self.open.push_back(Transfer::new(data, dir, place));
                self.open.back_mut()?
            }
        };
        file.size = data.size.or(file.size);
        file.data(data.offset, data.here, place.1);
        let here = data.here.len() as u64;
        let left = data.length.checked_sub(here).filter(|&left| left > 0)?;
        Some(Tail { handle: data.handle.clone(), written: data.written, offset: data.offset.saturating_add(here), left })
    }

    /// Takes the next bytes of what was begun.
    pub fn more(&mut self, tail: &mut Tail, bytes: &[u8], now: Ts) {
        let bytes = usize::try_from(tail.left).ok().and_then(|left| bytes.get(..left)).unwrap_or(bytes);
        if let Some(file) = self.position(&tail.handle, tail.written).and_then(|at| self.open.get_mut(at)) {
            file.data(tail.offset, bytes, now);
        }
        tail.pass(bytes.len() as u64);
    }

    /// The server told how long the file is, or what it thinks of the last write.
    pub fn told(&mut self, handle: &[u8], written: bool, size: Option<u64>, refused: bool) {
        if let Some(file) = self.position(handle, written).and_then(|at| self.open.get_mut(at)) {
            file.size = size.or(file.size);
            file.refused = refused;
        }
    }

    /// Says those that were read to their end.
    pub fn whole(&mut self, paths: &Paths, out: &mut Out) {
        while let Some(at) = self.open.iter().position(|file| !file.written && file.size.is_some_and(|size| file.next >= size)) {
            self.say(at, false, paths, out);
        }
    }

    /// The file is closed.
    pub fn close(&mut self, handle: &[u8], paths: &Paths, out: &mut Out) {
        for written in [false, true] {
            if let Some(at) = self.position(handle, written) {
                self.say(at, true, paths, out);
            }
        }
    }

    /// Says what was quiet for long by `now`, and what is too much.
    pub fn tidy(&mut self, now: Ts, paths: &Paths, out: &mut Out) {
        while self.open.len() > OPEN_MAX
            && let Some(at) = (0..self.open.len()).min_by_key(|&at| self.open.get(at).map(|file| file.last))
        {
            self.say(at, false, paths, out);
        }
        if now.saturating_sub(self.looked) < SECOND {
            return;
        }
        self.looked = now;
        while let Some(at) = self.open.iter().position(|file| now.saturating_sub(file.last) > SILENCE) {
            self.say(at, false, paths, out);
        }
    }

    /// Says all of them.
    pub fn end(&mut self, paths: &Paths, out: &mut Out) {
        while !self.open.is_empty() {
            self.say(0, false, paths, out);
        }
    }

    fn position(&self, handle: &[u8], written: bool) -> Option<usize> {
        self.open.iter().position(|file| file.written == written && file.handle == handle)
    }

    /// Of what was written it counts whether it was `closed`, or is as long as the server says.
    fn say(&mut self, at: usize, closed: bool, paths: &Paths, out: &mut Out) -> Option<()> {
        let transfer = self.open.remove(at)?;
        if transfer.refused {
            return None;
        }
        let whole = transfer.size == Some(transfer.reader.seen());
        let whole = whole || (closed && transfer.written && transfer.size.is_none());
        let mut file = transfer.reader.finish(whole && !transfer.altered);
        file.source = "NFS";
        file.is_orig = transfer.dir == Dir::Orig;
        file.total_bytes = transfer.size;
        let spot = paths.known(&transfer.handle);
        file.filename = spot.and_then(|spot| spot.name()).map(str::to_owned);
        file.url = spot.map(super::paths::Spot::shown).filter(|path| !path.is_empty());
        out.file(transfer.place.0, transfer.place.1, file);
        Some(())
    }
}
