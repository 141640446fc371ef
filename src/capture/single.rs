//! One capture on the calling thread: for callers that hold it in memory, such as tests and fuzzers.

use std::io::Read;

use super::error::Error;
use super::ledger::Sink;
use super::reader::{Pause, Reader, Turn};
use super::stored::{Input, Stored};
use crate::model::{Block, CaptureInfo};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 << 10;
/// There is no other capture whose turn could come.
const FOREVER: Turn = Turn { rank: 0, until: None };

/// Reads one capture to its end and hands over its blocks: the same frames and damage as [`super::open`], without its threads and hashes.
pub fn read(input: impl Read + Send + 'static, mut take: impl FnMut(Block)) -> Result<CaptureInfo, Error> {
    let mut reader = Reader::open(Stored::new(Input::Stream(Box::new(input)), CHUNK_BYTES), String::new());
    if let Some(why) = reader.not_a_capture() {
        return Err(Error::NoCapture(why.to_string()));
    }
    let mut sink = Sink::default();
    while reader.pump(&mut sink, &FOREVER) != Pause::End {
        take(std::mem::take(&mut sink.block));
    }
    let info = reader.finish(&mut sink);
    let Block { frames, damage, secrets, .. } = &sink.block;
    if !(frames.is_empty() && damage.is_empty() && secrets.is_empty()) {
        take(sink.block);
    }
    Ok(info)
}
