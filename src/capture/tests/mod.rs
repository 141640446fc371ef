//! Tests of the floor as a whole: files in, blocks and rows out.

mod beside;
mod corpus;
mod damage;
mod formats;
mod many;
mod snoop;

use super::write::PcapWriter;
use super::{Options, PacketSource, open};
use crate::model::{CaptureInfo, Damage, DamageKind, FrameMeta, LinkType, Ts};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A moment that the tests begin at.
const START: Ts = 1_700_000_000_000_000_000;

/// All that reading gives.
#[derive(Debug, Default, PartialEq)]
struct Reading {
    frames: Vec<FrameMeta>,
    bytes: Vec<Vec<u8>>,
    damage: Vec<Damage>,
    captures: Vec<CaptureInfo>,
}

impl Reading {
    fn kinds(&self) -> Vec<DamageKind> {
        self.damage.iter().map(|damage| damage.kind).collect()
    }
}

/// Reads `paths` to the end and checks what every reading must hold.
fn read(paths: &[&Path]) -> Reading {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    let mut source = Box::new(open(&paths, &Options::default()).unwrap());
    let progress = source.progress();
    let mut reading = Reading::default();
    while let Some(mut block) = source.next_block().unwrap() {
        reading.bytes.extend(block.iter().map(|frame| frame.bytes.to_vec()));
        reading.frames.append(&mut block.frames);
        reading.damage.append(&mut block.damage);
        source.recycle(block);
    }
    reading.captures = source.captures().unwrap();
    if let ([path], [info]) = (&paths[..], &reading.captures[..])
        && path.is_file()
    {
        same_on_this_thread(path, &reading, info);
    }
    assert_eq!(progress.frames(), reading.frames.len() as u64);
    assert_eq!(progress.bytes_read(), reading.captures.iter().map(|info| info.bytes).sum::<u64>());
    check(&reading);
    reading
}

/// Reading without threads gives the same but for hashes and the name.
fn same_on_this_thread(path: &Path, reading: &Reading, info: &CaptureInfo) {
    let mut alone = Reading::default();
    let told = super::read(std::fs::File::open(path).unwrap(), |mut block| {
        alone.bytes.extend(block.iter().map(|frame| frame.bytes.to_vec()));
        alone.frames.append(&mut block.frames);
        alone.damage.append(&mut block.damage);
    });
    let told = told.unwrap();
    let named = CaptureInfo { path: info.path.clone(), sha256: info.sha256.clone(), blake3: info.blake3.clone(), ..told };
    assert_eq!((&alone.frames, &alone.bytes, &alone.damage, &named), (&reading.frames, &reading.bytes, &reading.damage, info));
}

/// Numbers are consecutive, bytes are there, books agree.
fn check(reading: &Reading) {
    let mut in_file = vec![0; reading.captures.len()];
    for (index, (frame, bytes)) in reading.frames.iter().zip(&reading.bytes).enumerate() {
        in_file[frame.capture as usize] += 1;
        assert_eq!((frame.number, frame.in_file), (index as u64 + 1, in_file[frame.capture as usize]));
        assert_eq!(frame.caplen as usize, bytes.len());
        assert!(frame.wire_len >= frame.caplen);
    }
    for (id, info) in reading.captures.iter().enumerate() {
        let mine: Vec<_> = reading.frames.iter().filter(|frame| frame.capture as usize == id).collect();
        assert_eq!((info.id as usize, info.frames), (id, mine.len() as u64));
        assert_eq!(info.frame_bytes, mine.iter().map(|frame| u64::from(frame.caplen)).sum::<u64>());
        assert_eq!(info.first_ts, mine.iter().map(|frame| frame.ts_ns).min());
        assert_eq!(info.damaged, reading.damage.iter().filter(|damage| damage.capture as usize == id).count() as u64);
        let stored = std::fs::read(&info.path).unwrap();
        assert_eq!((info.bytes, info.blake3.as_str()), (stored.len() as u64, blake3::hash(&stored).to_hex().as_str()));
        assert_eq!(info.sha256.len(), 64);
    }
}

/// Reads a capture given as bytes.
fn read_bytes(bytes: &[u8]) -> Reading {
    let folder = TempDir::new().unwrap();
    read(&[&put(&folder, "capture", bytes)])
}

fn put(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Bytes of a frame that differ from those of its neighbours.
fn body(number: usize, length: usize) -> Vec<u8> {
    (0..length).map(|at| (number * 31 + at * 7 + at / 9) as u8 | 0x80).collect()
}

/// A pcap of frames of varied length, one each millisecond from `start`.
fn pcap(start: Ts, frames: usize) -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), LinkType::ETHERNET, false).unwrap();
    for number in 0..frames {
        let bytes = body(number, 42 + number * 37 % 900);
        writer.frame(start + number as i64 * 1_000_000, bytes.len() as u32, &bytes).unwrap();
    }
    writer.finish().unwrap()
}

/// Builds pcapng files by hand, in either byte order, with mistakes where a test wants them.
struct Ng {
    big_endian: bool,
    bytes: Vec<u8>,
}

impl Ng {
    /// A section header.
    fn new(big_endian: bool) -> Self {
        let mut ng = Self { big_endian, bytes: Vec::new() };
        ng.section(big_endian, &[]);
        ng
    }

    fn section(&mut self, big_endian: bool, options: &[u8]) {
        self.big_endian = big_endian;
        let body = [self.u32(0x1a2b_3c4d), self.u16(1), self.u16(0), vec![0xff; 8], options.to_vec()].concat();
        self.block(0x0a0d_0d0a, &body);
    }

    fn interface(&mut self, link: u16, snaplen: u32, options: &[u8]) {
        let body = [self.u16(link), self.u16(0), self.u32(snaplen), options.to_vec()].concat();
        self.block(1, &body);
    }

    fn packet(&mut self, interface: u32, units: u64, wire_len: u32, bytes: &[u8], options: &[u8]) {
        let fields = [interface, (units >> 32) as u32, units as u32, bytes.len() as u32, wire_len];
        let mut body: Vec<u8> = fields.iter().flat_map(|field| self.u32(*field)).collect();
        body.extend(bytes);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(options);
        self.block(6, &body);
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let length = self.u32(body.len() as u32 + 12);
        self.bytes.extend([self.u32(kind), length.clone(), body.to_vec(), length].concat());
    }

    fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut option = [self.u16(code), self.u16(value.len() as u16), value.to_vec()].concat();
        option.resize(option.len().next_multiple_of(4), 0);
        option
    }

    fn u16(&self, value: u16) -> Vec<u8> {
        if self.big_endian { value.to_be_bytes().into() } else { value.to_le_bytes().into() }
    }

    fn u32(&self, value: u32) -> Vec<u8> {
        if self.big_endian { value.to_be_bytes().into() } else { value.to_le_bytes().into() }
    }

    fn u64(&self, value: u64) -> Vec<u8> {
        if self.big_endian { value.to_be_bytes().into() } else { value.to_le_bytes().into() }
    }
}

/// A pcapng of the frames that [`pcap`] makes.
fn pcapng(start: Ts, frames: usize, big_endian: bool) -> Vec<u8> {
    let mut ng = Ng::new(big_endian);
    ng.interface(1, 0, &[]);
    for number in 0..frames {
        let bytes = body(number, 42 + number * 37 % 900);
        ng.packet(0, (start / 1000) as u64 + number as u64 * 1_000, bytes.len() as u32, &bytes, &[]);
    }
    ng.bytes
}
