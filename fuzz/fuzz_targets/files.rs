//! Any bytes as a capture in memory; every so often also as a file or a pipe beside a sound capture. Reading ends, the books agree with what
//! came, and the sound capture is whole.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::OnceCell;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use vigil::capture::write::PcapWriter;
use vigil::capture::{self, Files, Hash, Options, PacketSource};
use vigil::model::{CaptureInfo, LinkType};

/// Frames of the sound capture.
const SOUND_FRAMES: u64 = 3;
/// What a pipe holds without anybody reading.
const PIPE_BYTES: usize = 60 << 10;
/// Rows of damage of two captures: a thousand each, and the closing ones.
const DAMAGE_ROWS: usize = 2 * (1_000 + 16);

/// Bytes of comments that a capture may leave in memory.
const NOTED_BYTES: usize = 8 << 20;

thread_local! {
    /// The fuzzed and the sound file of this process.
    static PATHS: OnceCell<(PathBuf, PathBuf)> = const { OnceCell::new() };
}

fuzz_target!(|data: &[u8]| {
    in_memory(data);
    match data.len() % 32 {
        13 => beside_a_sound_capture(data),
        // Read once, and not to be looked at before.
        26 if data.len() <= PIPE_BYTES => through_a_pipe(data),
        _ => {}
    }
});

fn in_memory(data: &[u8]) {
    let (mut frames, mut bytes, mut damage) = (0, 0, 0);
    let told = capture::read(std::io::Cursor::new(data.to_vec()), |block| {
        assert!(block.bytes.len() <= 4 << 20 || block.frames.len() == 1, "{} bytes", block.bytes.len());
        for frame in block.iter() {
            frames += 1;
            bytes += frame.bytes.len() as u64;
            assert_eq!((frame.meta.number, frame.meta.in_file), (frames, frames));
            assert_eq!(frame.bytes.len(), frame.meta.caplen as usize);
            assert!(frame.meta.wire_len >= frame.meta.caplen);
        }
        damage += block.damage.len();
    });
    let Ok(info) = told else { return };
    check(&info, frames, bytes);
    assert!(damage <= DAMAGE_ROWS && info.bytes == data.len() as u64, "{damage} rows, {} of {} bytes", info.bytes, data.len());
}

/// What always holds of a capture of so many frames and bytes.
fn check(info: &CaptureInfo, frames: u64, bytes: u64) {
    assert_eq!((info.frames, info.frame_bytes, info.first_ts.is_some()), (frames, bytes, frames > 0));
    assert!(info.wire_bytes >= info.frame_bytes && info.truncated_frames <= info.frames);
    let noted: usize = info.beside.comments.iter().map(|comment| comment.text.len()).sum();
    assert!(noted <= NOTED_BYTES && info.beside.interfaces.len() <= 1_000 && info.beside.blocks.len() <= 1_000);
    assert!(info.beside.interfaces.iter().map(|interface| interface.frames).sum::<u64>() <= frames);
}

fn beside_a_sound_capture(data: &[u8]) {
    let (fuzzed, sound) = PATHS.with(|paths| paths.get_or_init(paths_of_this_process).clone());
    std::fs::write(&fuzzed, data).expect("the fuzzed file");
    read(&[fuzzed, sound]);
}

fn through_a_pipe(data: &[u8]) {
    let (_, sound) = PATHS.with(|paths| paths.get_or_init(paths_of_this_process).clone());
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(data).expect("room in the pipe");
    drop(writer);
    read(&[format!("/proc/self/fd/{}", reader.as_raw_fd()).into(), sound]);
}

fn paths_of_this_process() -> (PathBuf, PathBuf) {
    let path = |what| std::env::temp_dir().join(format!("vigil-fuzz-{what}-{}", std::process::id()));
    let mut writer = PcapWriter::new(Vec::new(), LinkType::ETHERNET, false).expect("a header");
    for number in 0..SOUND_FRAMES {
        writer.frame(1_700_000_000_000_000_000 + number as i64, 60, &[number as u8; 60]).expect("a frame");
    }
    std::fs::write(path("sound"), writer.finish().expect("a file")).expect("the sound file");
    (path("fuzzed"), path("sound"))
}

fn read(paths: &[PathBuf]) {
    let mut files: Box<Files> = Box::new(capture::open(paths, &Options { hash: Hash::Blake3 }).expect("the sound capture is one"));
    let (mut frames, mut bytes, mut damage) = (0, [0u64; 2], 0);
    let (mut per_capture, mut in_file) = ([0u64; 2], [0u64; 2]);
    while let Some(block) = files.next_block().expect("blocks") {
        assert!(!block.frames.is_empty() || !block.damage.is_empty());
        assert!(block.bytes.len() <= 4 << 20 || block.frames.len() == 1, "{} bytes", block.bytes.len());
        for frame in block.iter() {
            let meta = frame.meta;
            let id = meta.capture as usize;
            (frames, per_capture[id], bytes[id]) = (frames + 1, per_capture[id] + 1, bytes[id] + u64::from(meta.caplen));
            assert_eq!((meta.number, meta.in_file), (frames, in_file[id] + 1));
            assert_eq!(frame.bytes.len(), meta.caplen as usize);
            assert!(meta.wire_len >= meta.caplen);
            in_file[id] = meta.in_file;
        }
        damage += block.damage.len();
        files.recycle(block);
    }
    assert!(damage <= DAMAGE_ROWS, "{damage} rows");
    let captures: Vec<CaptureInfo> = files.captures().expect("the reading thread lives");
    for info in &captures {
        let id = info.id as usize;
        check(info, per_capture[id], bytes[id]);
        assert_eq!(info.blake3.len(), 64);
    }
    let sound = captures.iter().find(|info| info.path.contains("sound") || info.also_at.iter().any(|path| path.contains("sound")));
    let sound = sound.expect("the sound capture");
    assert_eq!((sound.frames, sound.damaged), (SOUND_FRAMES, 0));
}
