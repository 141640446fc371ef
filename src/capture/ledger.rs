//! The books of one capture: what was read, what was damaged, and where its frames go.

use std::collections::{BTreeMap, BTreeSet};

use super::beside::Gathered;
use crate::model::beside::{About, Comment};
use crate::model::{Block, CaptureInfo, Damage, DamageKind, FrameMeta, LinkType, Ts, time};

/// A block is closed before it would hold more bytes than this.
pub(super) const BLOCK_BYTES: usize = 4 << 20;
/// A block is closed when it holds this many frames.
pub(super) const BLOCK_FRAMES: usize = 16_384;
/// Rows of damage kept per capture; what lies beyond is counted in closing rows.
const ROWS_MAX: u64 = 1_000;
/// Comments kept per capture, and characters kept of each.
const COMMENTS_MAX: usize = 200;
const COMMENT_CHARS_MAX: usize = 2_000;
/// A clock that moves further than this between two frames is worth a row.
const CLOCK_JUMP: i64 = 86_400 * time::SECOND;
/// What no link carries in one frame, bytes: jumbo frames have 9,000, IP packets 65,535, what USB moves at once stays below.
pub(super) const WIRE_LEN_MAX: u32 = 1 << 20;

/// The interface that took a frame, in the numbering of its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Section of the file, from 0.
    pub section: u32,
    /// Interface of the section, from 0.
    pub interface: u32,
}

/// Where frames of all captures are put, in case order.
#[derive(Default)]
pub(super) struct Sink {
    /// The block being filled.
    pub(super) block: Block,
    /// Frames numbered so far.
    pub(super) frames: u64,
    /// Where each frame of the block was taken, for those who want to know.
    pub(super) origins: Option<Vec<Origin>>,
}

impl Sink {
    /// Whether a frame of `caplen` bytes belongs to the next block.
    #[inline]
    pub(super) fn full(&self, caplen: usize) -> bool {
        self.block.frames.len() >= BLOCK_FRAMES || (!self.block.frames.is_empty() && self.block.bytes.len() + caplen > BLOCK_BYTES)
    }
}

/// A packet record as its file tells it.
pub(super) struct Record<'a> {
    /// Where the record begins in the decompressed file.
    pub(super) offset: u64,
    /// Time.
    pub(super) ts_ns: Ts,
    /// Length on the wire, as told.
    pub(super) wire_len: u32,
    /// Link type.
    pub(super) link: LinkType,
    /// Interface of the section, 0 where the format has none.
    pub(super) interface: u32,
    /// As captured.
    pub(super) bytes: &'a [u8],
}

/// What is known of one capture.
pub(super) struct Ledger {
    /// The row that it becomes.
    pub(super) info: CaptureInfo,
    links: BTreeSet<LinkType>,
    previous: Option<Ts>,
    hidden: BTreeMap<DamageKind, u64>,
    overlong: Option<Odd>,
    absurd: Option<Odd>,
    out_of_range: Option<(u64, u64, u64)>,
    /// What the capture says beside its packets.
    pub(super) gathered: Gathered,
    /// Section that is being read.
    pub(super) section: u32,
}

/// Frames whose lengths cannot be: some writers do it throughout, so they share a row.
struct Odd {
    after_frame: u64,
    offset: u64,
    first: String,
    count: u64,
}

impl Odd {
    #[cold]
    fn note(odd: &mut Option<Self>, record: &Record<'_>, after_frame: u64) {
        let first = || format!("the first is frame {} with {} of {} bytes", after_frame + 1, record.bytes.len(), record.wire_len);
        odd.get_or_insert_with(|| Self { after_frame, offset: record.offset, first: first(), count: 0 }).count += 1;
    }
}

impl Ledger {
    /// Empty books for the capture at `path`.
    pub(super) fn new(path: String) -> Self {
        let info = CaptureInfo { path, ..CaptureInfo::default() };
        Self {
            info,
            links: BTreeSet::new(),
            previous: None,
            hidden: BTreeMap::new(),
            overlong: None,
            absurd: None,
            out_of_range: None,
            gathered: Gathered::default(),
            section: 0,
        }
    }

    /// Time of the last frame read, if there was one.
    pub(super) fn previous(&self) -> Option<Ts> {
        self.previous
    }

    /// The time at which a frame takes its turn among the frames of other captures: time never runs back within a capture.
    #[inline]
    pub(super) fn turn(&self, ts_ns: Ts) -> Ts {
        self.info.last_ts.map_or(ts_ns, |latest| latest.max(ts_ns))
    }

    /// Notes that frames of this link type may come.
    pub(super) fn link(&mut self, link: LinkType) {
        self.links.insert(link);
    }

    /// Notes what the capturing program says about itself or a frame, for the row of the capture.
    pub(super) fn said(&mut self, label: &str, text: &str) {
        let text = text.trim_end_matches('\0').trim();
        if text.is_empty() || self.info.comments.len() >= COMMENTS_MAX {
            return;
        }
        let comment = format!("{label}: {}", text.chars().take(COMMENT_CHARS_MAX).collect::<String>());
        if !self.info.comments.contains(&comment) {
            self.info.comments.push(comment);
        }
    }

    /// Keeps a comment that is not about a packet.
    pub(super) fn comment(&mut self, about: About, interface: Option<u32>, kind: &str, text: String) {
        let comment = Comment { section: self.section, about, interface, kind: kind.into(), text, ..Comment::default() };
        self.gathered.comment(comment);
    }

    /// Keeps a comment about the frame read last.
    pub(super) fn packet_comment(&mut self, out: &Sink, interface: u32, kind: &str, text: String) {
        if text.is_empty() {
            return;
        }
        self.gathered.comment(Comment {
            section: self.section,
            about: About::Packet,
            interface: Some(interface),
            frame: Some(out.frames),
            frame_in_file: Some(self.info.frames),
            kind: kind.into(),
            text,
        });
    }

    /// Takes the capturing program's count of packets lost so far.
    pub(super) fn drops_so_far(&mut self, drops: u64) {
        self.info.reported_drops = Some(self.info.reported_drops.unwrap_or(0).max(drops));
    }

    /// Notes that the time of the frame read last does not fit.
    #[cold]
    pub(super) fn out_of_range(&mut self, offset: u64) {
        let frame = self.info.frames;
        self.out_of_range.get_or_insert((frame, offset, 0)).2 += 1;
    }

    /// Takes one frame over into the block.
    #[inline]
    pub(super) fn frame(&mut self, out: &mut Sink, record: &Record<'_>) {
        let caplen = record.bytes.len() as u32;
        let wire_len = self.believed(record, caplen);
        if let Some(previous) = self.previous {
            self.clock(out, previous, record);
        }
        let info = &mut self.info;
        info.frames += 1;
        info.frame_bytes += u64::from(caplen);
        info.wire_bytes += u64::from(wire_len);
        info.truncated_frames += u64::from(caplen < record.wire_len);
        info.first_ts = Some(info.first_ts.map_or(record.ts_ns, |first| first.min(record.ts_ns)));
        info.last_ts = Some(info.last_ts.map_or(record.ts_ns, |last| last.max(record.ts_ns)));
        self.previous = Some(record.ts_ns);
        out.frames += 1;
        out.block.frames.push(FrameMeta {
            number: out.frames,
            in_file: info.frames,
            offset: record.offset,
            ts_ns: record.ts_ns,
            capture: info.id,
            caplen,
            wire_len,
            start: out.block.bytes.len() as u32,
            link: record.link,
        });
        out.block.bytes.extend_from_slice(record.bytes);
        if let Some(origins) = &mut out.origins {
            origins.push(Origin { section: self.section, interface: record.interface });
        }
    }

    /// Adds a row of damage that was met after the last frame.
    pub(super) fn damage(&mut self, out: &mut Sink, kind: DamageKind, offset: u64, skipped: u64, detail: String) {
        self.info.damaged += 1;
        if self.info.damaged > ROWS_MAX {
            *self.hidden.entry(kind).or_default() += 1;
            return;
        }
        let (capture, after_frame) = (self.info.id, self.info.frames);
        out.block.damage.push(Damage { capture, after_frame, offset, skipped, kind, detail });
    }

    /// Writes the closing rows and gives the finished row of the capture.
    pub(super) fn close(mut self, out: &mut Sink, end: u64) -> CaptureInfo {
        let capture = self.info.id;
        let odd = [
            (self.overlong.take(), DamageKind::CaplenAboveLen, "claim to be longer captured than on the wire", "kept whole"),
            (self.absurd.take(), DamageKind::WireLenAbsurd, "claim a length that no wire carries", "counted as long as they were captured"),
        ];
        for (odd, kind, claim, fate) in odd {
            let Some(Odd { after_frame, offset, first, count }) = odd else { continue };
            let detail = format!("{count} frames {claim}; {first}; {fate}");
            self.info.damaged += 1;
            out.block.damage.push(Damage { capture, after_frame, offset, skipped: 0, kind, detail });
        }
        if let Some((frame, offset, count)) = self.out_of_range.take() {
            let detail =
                format!("{count} frames tell times before 1677 or after 2262, the first is frame {frame}; they were moved to the border");
            let (after_frame, kind) = (frame - 1, DamageKind::TimeOutOfRange);
            self.info.damaged += 1;
            out.block.damage.push(Damage { capture, after_frame, offset, skipped: 0, kind, detail });
        }
        for (kind, count) in std::mem::take(&mut self.hidden) {
            let detail = format!("{count} more places of this kind are not listed: {ROWS_MAX} rows a capture are");
            out.block.damage.push(Damage { capture, after_frame: self.info.frames, offset: end, skipped: 0, kind, detail });
        }
        self.info.links = self.links.into_iter().collect();
        self.info.beside = self.gathered.finish();
        self.info
    }

    /// The length on the wire, unless what the record says of it cannot be: then the captured one.
    #[inline]
    fn believed(&mut self, record: &Record<'_>, caplen: u32) -> u32 {
        if (caplen..=caplen.max(WIRE_LEN_MAX)).contains(&record.wire_len) {
            return record.wire_len;
        }
        let frames = self.info.frames;
        Odd::note(if record.wire_len < caplen { &mut self.overlong } else { &mut self.absurd }, record, frames);
        caplen
    }

    #[inline]
    fn clock(&mut self, out: &mut Sink, previous: Ts, record: &Record<'_>) {
        let step = record.ts_ns.saturating_sub(previous);
        if (0..=CLOCK_JUMP).contains(&step) {
            return;
        }
        self.info.backward_jumps += u64::from(step < 0);
        if step.saturating_abs() > CLOCK_JUMP {
            let (way, span) = (if step < 0 { "back" } else { "forward" }, time::human_duration(step.saturating_abs()));
            let detail = format!("the clock goes {way} by {span}, from {} to {}", time::rfc3339(previous), time::rfc3339(record.ts_ns));
            self.damage(out, DamageKind::ClockJump, record.offset, 0, detail);
        }
    }
}
