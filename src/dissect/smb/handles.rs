//! Open files and pipes: what was read and written through each, told when it is closed.

use crate::dissect::dce_rpc::Association;
use crate::dissect::files::{FileReader, mime_type};
use crate::dissect::{Out, entropy};
use crate::model::windows::SmbFile;
use crate::model::{Dir, Ts};
use std::collections::VecDeque;

/// Handles open at once in one connection; beyond that the oldest is told and let go.
const HANDLES_MAX: usize = 256;
/// First bytes read and written of which entropy is taken.
const SAMPLE: usize = 1_024;

/// An open file or pipe.
#[derive(Default)]
pub struct Handle {
    /// The row that its opening becomes.
    pub row: SmbFile,
    /// Where it was asked for.
    pub place: (u64, Ts),
    /// Size of the file when it was opened, if the server told.
    pub size: Option<u64>,
    /// The server opened it.
    pub opened: bool,
    /// A pipe's calls.
    pub calls: Option<Box<Association>>,
    transfers: [Transfer; 2],
}

/// Bytes of one direction.
#[derive(Default)]
struct Transfer {
    reader: Option<FileReader>,
    next: u64,
    place: (u64, Ts),
    sample: Vec<u8>,
}

impl Transfer {
    fn data(&mut self, offset: u64, bytes: &[u8], place: (u64, Ts)) {
        let room = SAMPLE.saturating_sub(self.sample.len());
        self.sample.extend(bytes.iter().take(room));
        if self.reader.is_none() {
            self.place = place;
        }
        let reader = self.reader.get_or_insert_with(FileReader::default);
        if offset > self.next {
            reader.gap(offset - self.next);
            self.next = offset;
        }
        // What was read before is not read again.
        let known = usize::try_from(self.next - offset).unwrap_or(usize::MAX);
        if let Some(fresh) = bytes.get(known..).filter(|fresh| !fresh.is_empty()) {
            reader.data(fresh);
            self.next = self.next.saturating_add(fresh.len() as u64);
        }
    }
}

impl Handle {
    /// Asked for at `place`.
    pub fn new(row: SmbFile, place: (u64, Ts)) -> Self {
        Self { row, place, ..Self::default() }
    }

    /// Counts a read or write that was asked for or answered.
    pub fn count(&mut self, dir: Dir, bytes: u64) {
        let (count, sum) = match dir {
            Dir::Orig => (&mut self.row.writes, &mut self.row.write_bytes),
            Dir::Resp => (&mut self.row.reads, &mut self.row.read_bytes),
        };
        *count = count.saturating_add(1);
        *sum = sum.saturating_add(bytes);
    }

    /// Takes bytes of a read (`Resp`) or write (`Orig`).
    pub fn data(&mut self, dir: Dir, offset: u64, bytes: &[u8], place: (u64, Ts), out: &mut Out) {
        if bytes.is_empty() {
            return;
        }
        if self.row.is_pipe {
            let room = SAMPLE.saturating_sub(self.transfer(dir).sample.len());
            self.transfer(dir).sample.extend(bytes.iter().take(room));
            let name = self.row.name.clone();
            self.calls.get_or_insert_with(|| Box::new(Association::new("smb", name))).data(dir, bytes, place, out);
        } else {
            self.transfer(dir).data(offset, bytes, place);
        }
    }

    /// Bytes of a pipe are lost; a file notices by its offsets.
    pub fn gap(&mut self, dir: Dir, missing: u64, out: &mut Out) {
        if let Some(calls) = &mut self.calls {
            calls.gap(dir, missing, out);
        }
    }

    fn transfer(&mut self, dir: Dir) -> &mut Transfer {
        let [orig, resp] = &mut self.transfers;
        if dir == Dir::Orig { orig } else { resp }
    }

    /// Fills in what is known of its bytes by now.
    pub fn measure(&mut self) {
        let [written, read] = &self.transfers;
        self.row.entropy_read = entropy(&read.sample);
        self.row.entropy_write = entropy(&written.sample);
        let head = [written, read].into_iter().filter_map(|side| side.reader.as_ref()).find_map(|reader| mime_type(reader.head()));
        self.row.mime_type = head.filter(|_| !self.row.is_pipe).map(str::to_owned);
    }

    /// The files that passed through it. Of a write nobody says how long the file is to be: it is whole only if the handle was `closed`.
    pub fn say_files(&mut self, closed: bool, out: &mut Out) {
        let transfers = std::mem::take(&mut self.transfers);
        for (transfer, is_orig) in transfers.into_iter().zip([true, false]) {
            let Some(reader) = transfer.reader else { continue };
            let seen = reader.seen();
            let total = self.size.filter(|_| !is_orig);
            let mut file = reader.finish(if is_orig { closed } else { total == Some(seen) });
            file.source = "SMB";
            file.is_orig = is_orig;
            file.total_bytes = total;
            file.filename = self.row.name.clone();
            file.url = match (&self.row.path, &self.row.name) {
                (Some(path), Some(name)) => Some(format!("{path}\\\\{name}")),
                _ => None,
            };
            out.file(transfer.place.0, transfer.place.1, file);
        }
    }
}

/// All of one connection, oldest first.
#[derive(Default)]
pub struct Handles(VecDeque<(u128, Handle)>);

impl Handles {
    /// An open one.
    pub fn get(&mut self, id: u128) -> Option<&mut Handle> {
        self.0.iter_mut().find(|(known, _)| *known == id).map(|(_, handle)| handle)
    }

    /// Opens one; what must be closed for it comes back.
    pub fn open(&mut self, id: u128, handle: Handle) -> Option<Handle> {
        let stale = self.close(id).or_else(|| if self.0.len() >= HANDLES_MAX { self.pop() } else { None });
        self.0.push_back((id, handle));
        stale
    }

    /// Closes one.
    pub fn close(&mut self, id: u128) -> Option<Handle> {
        let at = self.0.iter().position(|(known, _)| *known == id)?;
        self.0.remove(at).map(|(_, handle)| handle)
    }

    /// Closes the oldest.
    pub fn pop(&mut self) -> Option<Handle> {
        self.0.pop_front().map(|(_, handle)| handle)
    }
}
