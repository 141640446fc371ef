//! Tests of the floor as a whole: files in, blocks and rows out.

mod corpus;
mod damage;
mod formats;
mod many;

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
    assert_eq!(progress.frames(), reading.frames.len() as u64);
    assert_eq!(progress.bytes_read(), reading.captures.iter().map(|info| info.bytes).sum::<u64>());
    check(&reading);
    reading
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
