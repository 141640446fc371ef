//! A file replayed as if it came from an interface: at its own speed, a multiple of it, or as fast as can be.

use crate::capture::{Error, Files, PacketSource};
use crate::model::{Block, CaptureInfo, FrameMeta, Ts, time::SECOND};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Frames of a block: smaller than those of an analysis, so that time moves on in small steps.
const BLOCK_FRAMES: usize = 4_096;
/// Capture time of a block.
const BLOCK_SPAN: i64 = SECOND;
/// The longest wait for a frame that is not due; then an empty block tells that nothing came.
const WAIT: Duration = Duration::from_millis(100);

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// Without pauses.
    Max,
    /// So many times the recorded speed.
    Times(f64),
}

/// Capture files, paced.
pub struct Paced {
    files: Box<Files>,
    speed: Speed,
    stop: Arc<AtomicBool>,
    pieces: VecDeque<Block>,
    /// When the first frame was handed over, and its time.
    began: Option<(Instant, Ts)>,
}

impl Paced {
    /// Replays `files` until they end or `stop` is set.
    pub fn new(files: Files, speed: Speed, stop: Arc<AtomicBool>) -> Self {
        Self { files: Box::new(files), speed, stop, pieces: VecDeque::new(), began: None }
    }

    /// How long the next piece has to wait yet.
    fn early(&mut self, first: Ts) -> Duration {
        let Speed::Times(speed) = self.speed else { return Duration::ZERO };
        let (began, ts) = *self.began.get_or_insert_with(|| (Instant::now(), first));
        let due = first.saturating_sub(ts).max(0) as f64 / SECOND as f64 / speed;
        Duration::try_from_secs_f64(due).unwrap_or(Duration::MAX).saturating_sub(began.elapsed())
    }
}

impl PacketSource for Paced {
    fn next_block(&mut self) -> Result<Option<Block>, Error> {
        if self.stop.load(Relaxed) {
            return Ok(None);
        }
        if self.pieces.is_empty() {
            let Some(block) = self.files.next_block()? else { return Ok(None) };
            let span = if self.speed == Speed::Max { BLOCK_SPAN } else { BLOCK_SPAN / 4 };
            self.pieces = pieces(&block, span);
            self.files.recycle(block);
        }
        let first = self.pieces.front().and_then(|piece| piece.frames.first()).map(|frame| frame.ts_ns);
        let early = first.map_or(Duration::ZERO, |first| self.early(first));
        if !early.is_zero() {
            std::thread::sleep(early.min(WAIT));
            if early > WAIT {
                return Ok(Some(Block::default()));
            }
        }
        Ok(self.pieces.pop_front().or_else(|| Some(Block::default())))
    }

    fn captures(self: Box<Self>) -> Result<Vec<CaptureInfo>, Error> {
        self.files.captures()
    }
}

/// A block in pieces of at most `span` nanoseconds; damage and secrets travel with the first.
fn pieces(block: &Block, span: i64) -> VecDeque<Block> {
    let mut pieces = VecDeque::from([Block { damage: block.damage.clone(), secrets: block.secrets.clone(), ..Block::default() }]);
    for frame in block.iter() {
        let full = pieces.back().is_none_or(|piece| {
            let begins = piece.frames.first().map_or(frame.meta.ts_ns, |first| first.ts_ns);
            piece.frames.len() >= BLOCK_FRAMES || frame.meta.ts_ns.saturating_sub(begins).abs() >= span
        });
        if full {
            pieces.push_back(Block::default());
        }
        if let Some(piece) = pieces.back_mut() {
            piece.frames.push(FrameMeta { start: piece.bytes.len() as u32, ..*frame.meta });
            piece.bytes.extend_from_slice(frame.bytes);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LinkType;

    #[test]
    fn pieces_are_short_in_time_and_hold_every_frame_with_its_bytes() {
        let mut block = Block::default();
        for number in 1..=100u64 {
            let bytes = vec![number as u8; number as usize];
            block.frames.push(FrameMeta {
                number,
                in_file: number,
                offset: 0,
                ts_ns: number as i64 * SECOND / 10,
                capture: 0,
                caplen: bytes.len() as u32,
                wire_len: bytes.len() as u32,
                start: block.bytes.len() as u32,
                link: LinkType::RAW,
            });
            block.bytes.extend(bytes);
        }
        let pieces = pieces(&block, SECOND);
        assert_eq!(pieces.len(), 10);
        let seen: Vec<u64> = pieces
            .iter()
            .flat_map(Block::iter)
            .map(|frame| {
                assert_eq!(frame.bytes, vec![frame.meta.number as u8; frame.meta.number as usize]);
                frame.meta.number
            })
            .collect();
        assert_eq!(seen, (1..=100).collect::<Vec<_>>());
    }
}
