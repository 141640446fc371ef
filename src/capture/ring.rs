//! A ring of packets on disk: pcapng files that follow each other, of which the oldest goes when there are too many bytes.
//!
//! With a ring its files are the evidence of a live case: frames get the number and the offset that they have there.

use super::Error;
use super::write::PcapNgWriter;
use crate::model::{Block, CaptureInfo, LinkType, Ts, time::SECOND};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The ring is made of about so many files.
const FILES: u64 = 32;
/// Files are no smaller and no larger than this, unless time closes them.
const FILE_BYTES_LEAST: u64 = 1 << 20;
const FILE_BYTES_MOST: u64 = 256 << 20;
/// A file is closed when it holds this much capture time.
const FILE_SPAN: i64 = 600 * SECOND;
/// Beginning and ending of the names of its files; between them stands the number.
const PREFIX: &str = "ring-";
const SUFFIX: &str = ".pcapng";

/// Counts and hashes what goes to a file.
struct Tee {
    file: BufWriter<File>,
    hash: blake3::Hasher,
    bytes: Arc<AtomicU64>,
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes.fetch_add(bytes.len() as u64, Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The file that is being written.
struct Current {
    writer: PcapNgWriter<Tee>,
    bytes: Arc<AtomicU64>,
    path: PathBuf,
    info: CaptureInfo,
    first_ns: Ts,
    /// Interfaces described in it, by capture id.
    described: Vec<u32>,
}

/// The ring.
pub struct Ring {
    folder: PathBuf,
    most: u64,
    file_bytes: u64,
    /// Name and link type of each interface.
    interfaces: Vec<(String, LinkType)>,
    /// Closed files, oldest first, with their sizes.
    stored: VecDeque<(PathBuf, u64)>,
    current: Option<Current>,
    next: u32,
    /// Files that were closed since they were last asked for.
    closed: Vec<CaptureInfo>,
}

impl Ring {
    /// A ring in `folder` of at most `most` bytes. Files that an earlier run left there belong to it.
    pub fn open(folder: &Path, most: u64, interfaces: Vec<(String, LinkType)>) -> Result<Self, Error> {
        let failed = |source| Error::Ring { path: folder.into(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        let folder = folder.canonicalize().map_err(failed)?;
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if let Some(number) = number_of(&entry.file_name().to_string_lossy()) {
                found.push((number, entry.path(), entry.metadata().map_err(failed)?.len()));
            }
        }
        found.sort();
        let next = found.last().map_or(0, |(number, ..)| *number) + 1;
        let stored = found.into_iter().map(|(_, path, bytes)| (path, bytes)).collect();
        let file_bytes = (most / FILES).clamp(FILE_BYTES_LEAST, FILE_BYTES_MOST);
        Ok(Self { folder, most, file_bytes, interfaces, stored, current: None, next, closed: Vec::new() })
    }

    /// Writes the frames of a block, and gives them the place that they have in the ring.
    pub fn keep(&mut self, block: &mut Block) -> Result<(), Error> {
        for index in 0..block.frames.len() {
            let (ts_ns, interface) = block.frames.get(index).map_or((0, 0), |frame| (frame.ts_ns, frame.capture));
            let mut current = match self.current.take() {
                Some(current) if !self.is_full(&current, ts_ns) => current,
                full => {
                    if let Some(full) = full {
                        self.close(full)?;
                    }
                    self.begin(ts_ns)?
                }
            };
            let path = current.path.clone();
            let written = current.frame(&self.interfaces, block, index, interface);
            self.current = Some(current);
            written.map_err(|source| Error::Ring { path, source })?;
        }
        Ok(())
    }

    /// Hands what was written to the system, so that a crash loses little.
    pub fn flush(&mut self) -> Result<(), Error> {
        let Some(current) = &mut self.current else { return Ok(()) };
        current.writer.flush().map_err(|source| Error::Ring { path: current.path.clone(), source })
    }

    /// What is known of the files written to since the last time, the current one last.
    pub fn captures(&mut self) -> Vec<CaptureInfo> {
        let mut infos = std::mem::take(&mut self.closed);
        if let Some(current) = &self.current {
            infos.push(CaptureInfo { bytes: current.bytes.load(Relaxed), ..current.info.clone() });
        }
        infos
    }

    /// Ends the current file.
    pub fn finish(&mut self) -> Result<(), Error> {
        match self.current.take() {
            Some(current) => self.close(current),
            None => Ok(()),
        }
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        let current = self.current.as_ref().map_or(0, |current| current.bytes.load(Relaxed));
        current + self.stored.iter().map(|(_, bytes)| bytes).sum::<u64>()
    }

    fn is_full(&self, current: &Current, now: Ts) -> bool {
        current.bytes.load(Relaxed) >= self.file_bytes || now.saturating_sub(current.first_ns) >= FILE_SPAN
    }

    fn begin(&mut self, first_ns: Ts) -> Result<Current, Error> {
        let path = self.folder.join(format!("{PREFIX}{:08}{SUFFIX}", self.next));
        let failed = |source| Error::Ring { path: path.clone(), source };
        self.make_room()?;
        let bytes = Arc::new(AtomicU64::new(0));
        let file = BufWriter::new(File::create(&path).map_err(failed)?);
        let tee = Tee { file, hash: blake3::Hasher::new(), bytes: bytes.clone() };
        let writer = PcapNgWriter::new(tee, concat!("vigil ", env!("CARGO_PKG_VERSION")), "").map_err(failed)?;
        let info = CaptureInfo {
            // Numbers below are those of the interfaces.
            id: self.interfaces.len() as u32 + self.next,
            path: path.display().to_string(),
            format: "pcapng".into(),
            ..CaptureInfo::default()
        };
        self.next += 1;
        Ok(Current { writer, bytes, path, info, first_ns, described: Vec::new() })
    }

    fn close(&mut self, mut current: Current) -> Result<(), Error> {
        let tee = current.writer.finish().map_err(|source| Error::Ring { path: current.path.clone(), source })?;
        current.info.bytes = tee.bytes.load(Relaxed);
        current.info.blake3 = tee.hash.finalize().to_hex().to_string();
        self.stored.push_back((current.path, current.info.bytes));
        self.closed.push(current.info);
        Ok(())
    }

    /// Removes the oldest files until another one fits.
    fn make_room(&mut self) -> Result<(), Error> {
        while self.bytes() + self.file_bytes > self.most {
            let Some((path, _)) = self.stored.pop_front() else { return Ok(()) };
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(Error::Ring { path, source }),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Current {
    fn frame(&mut self, interfaces: &[(String, LinkType)], block: &mut Block, index: usize, interface: u32) -> io::Result<()> {
        let place = match self.described.iter().position(|known| *known == interface) {
            Some(place) => place as u32,
            None => {
                let unknown = (String::new(), block.frame(index).meta.link);
                let (name, link) = interfaces.get(interface as usize).unwrap_or(&unknown);
                self.described.push(interface);
                self.writer.interface(*link, name)?
            }
        };
        let offset = self.bytes.load(Relaxed);
        let frame = block.frame(index);
        self.writer.frame(place, frame.meta.ts_ns, frame.meta.wire_len, frame.bytes, "")?;
        self.info.frames += 1;
        if let Some(meta) = block.frames.get_mut(index) {
            (meta.capture, meta.in_file, meta.offset) = (self.info.id, self.info.frames, offset);
        }
        Ok(())
    }
}

fn number_of(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FrameMeta;

    fn block(first: u64, count: u64, bytes: usize) -> Block {
        let mut block = Block::default();
        for number in first..first + count {
            block.frames.push(FrameMeta {
                number,
                in_file: number,
                offset: 0,
                ts_ns: number as i64 * 1_000_000,
                capture: (number % 2) as u32,
                caplen: bytes as u32,
                wire_len: bytes as u32,
                start: block.bytes.len() as u32,
                link: LinkType::ETHERNET,
            });
            block.bytes.extend(std::iter::repeat_n(number as u8, bytes));
        }
        block
    }

    fn interfaces() -> Vec<(String, LinkType)> {
        ["eth0", "eth1"].map(|name| (name.to_string(), LinkType::ETHERNET)).to_vec()
    }

    #[test]
    fn frames_are_found_in_the_ring_where_they_say_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let mut ring = Ring::open(folder.path(), 64 << 20, interfaces()).unwrap();
        let mut kept = block(1, 5, 100);
        ring.keep(&mut kept).unwrap();
        ring.finish().unwrap();
        let infos = ring.captures();
        assert_eq!((infos.len(), infos[0].frames, infos[0].blake3.len()), (1, 5, 64));
        let file = fs::read(&infos[0].path).unwrap();
        for frame in kept.iter() {
            let start = frame.meta.offset as usize + 28;
            assert_eq!((&file[start..start + 100], frame.meta.capture), (frame.bytes, infos[0].id));
        }
        let mut read = Vec::new();
        crate::capture::read(std::io::Cursor::new(file), |block| read.extend(block.frames)).unwrap();
        let places = |frames: &[FrameMeta]| frames.iter().map(|frame| (frame.in_file, frame.offset, frame.ts_ns)).collect::<Vec<_>>();
        assert_eq!(places(&read), places(&kept.frames), "as a reader of the file sees them");
    }

    #[test]
    fn the_oldest_files_go_and_a_new_run_goes_on_where_the_last_one_ended() {
        let folder = tempfile::tempdir().unwrap();
        let most = 4 << 20;
        for run in 0..2u64 {
            let mut ring = Ring::open(folder.path(), most, interfaces()).unwrap();
            for part in 0..100 {
                ring.keep(&mut block(1 + (run * 100 + part) * 100, 100, 1_000)).unwrap();
                assert!(ring.bytes() <= most + (1 << 20), "{}", ring.bytes());
            }
            ring.finish().unwrap();
        }
        let mut names: Vec<String> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        assert!(names.len() <= 4 && !names.contains(&"ring-00000001.pcapng".to_string()), "{names:?}");
    }
}
