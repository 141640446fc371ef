//! What is counted of a segment while it is written: frames by capture, drops by interface, caps.

use super::drops::Drops;
use crate::capture::live::{Counted, Interfaces};
use crate::model::{Block, CapHit, CaptureInfo, Ts};
use crate::pipeline::{log_of, tally::Tally};
use crate::store::live::Books;
use crate::store::{RunRow, SystemLog};
use std::collections::BTreeMap;

/// The books of the case, page by page: a page is a segment.
pub struct Bookkeeping {
    run: RunRow,
    infos: BTreeMap<u32, CaptureInfo>,
    previous: BTreeMap<u32, Ts>,
    /// What interfaces had counted when the page began, and when they were last asked.
    page: Vec<Counted>,
    last: Vec<Counted>,
    asked: Option<Ts>,
    caps: BTreeMap<String, u64>,
    /// Rows that could not be written.
    pub rows_lost: u64,
    /// When packets were dropped.
    pub drops: Drops,
    /// Frames of the case.
    pub frames: u64,
    /// Bytes on the wire of the case.
    pub bytes: u64,
    /// Earliest and latest frame.
    pub span: Option<(Ts, Ts)>,
    /// Earliest frame of the page.
    pub page_begins: Option<Ts>,
}

impl Bookkeeping {
    /// Empty books.
    pub fn new(run: RunRow) -> Self {
        Self {
            run,
            infos: BTreeMap::new(),
            previous: BTreeMap::new(),
            page: Vec::new(),
            last: Vec::new(),
            asked: None,
            caps: BTreeMap::new(),
            rows_lost: 0,
            drops: Drops::default(),
            frames: 0,
            bytes: 0,
            span: None,
            page_begins: None,
        }
    }

    /// Says what captures are; what was counted of them stays.
    pub fn describe(&mut self, infos: Vec<CaptureInfo>) {
        for info in infos {
            let counted = self.infos.remove(&info.id).unwrap_or_default();
            let CaptureInfo { frames, frame_bytes, wire_bytes, truncated_frames, first_ts, last_ts, backward_jumps, .. } = counted;
            let mut links = info.links.clone();
            links.extend(counted.links);
            links.sort_unstable();
            links.dedup();
            let known = CaptureInfo { frames, frame_bytes, wire_bytes, truncated_frames, first_ts, last_ts, backward_jumps, links, ..info };
            self.infos.insert(known.id, known);
        }
    }

    /// Counts the frames of a block.
    pub fn block(&mut self, block: &Block) {
        for frame in &block.frames {
            let info = self.infos.entry(frame.capture).or_insert_with(|| CaptureInfo { id: frame.capture, ..CaptureInfo::default() });
            let (ts, wire) = (frame.ts_ns, u64::from(frame.wire_len));
            info.frames += 1;
            info.frame_bytes += u64::from(frame.caplen);
            info.wire_bytes += wire;
            info.truncated_frames += u64::from(frame.caplen < frame.wire_len);
            info.first_ts = Some(info.first_ts.map_or(ts, |first| first.min(ts)));
            info.last_ts = Some(info.last_ts.map_or(ts, |last| last.max(ts)));
            if !info.links.contains(&frame.link) {
                info.links.push(frame.link);
            }
            if self.previous.insert(frame.capture, ts).is_some_and(|before| ts < before) {
                info.backward_jumps += 1;
            }
            self.frames += 1;
            self.bytes += wire;
            self.span = Some(self.span.map_or((ts, ts), |(first, last)| (first.min(ts), last.max(ts))));
            self.page_begins = Some(self.page_begins.map_or(ts, |first| first.min(ts)));
        }
    }

    /// Asks interfaces what they dropped since they were last asked.
    pub fn ask(&mut self, interfaces: &Interfaces) {
        let counts: Vec<Counted> = interfaces.counts().into_iter().map(|(_, counts)| counts).collect();
        self.page.resize(counts.len(), Counted::default());
        self.last.resize(counts.len(), Counted::default());
        let dropped: u64 = counts.iter().zip(&self.last).map(|(now, last)| now.since(last).dropped()).sum();
        let now = self.span.map_or(0, |(_, last)| last);
        self.drops.note(self.asked.unwrap_or(now), now, dropped);
        self.asked = Some(now);
        self.last = counts;
    }

    /// The page as it stands.
    pub fn page(&self, tally: &Tally, caps: &[CapHit], interfaces: Option<&Interfaces>) -> Books {
        let mut captures: Vec<CaptureInfo> = self.infos.values().filter(|info| info.frames > 0 || interfaces.is_some()).cloned().collect();
        let mut logs: Vec<SystemLog> = self.new_caps(caps).into_iter().map(log_of).collect();
        if let Some(interfaces) = interfaces {
            self.add_counts(&mut captures, &mut logs, interfaces);
        }
        if self.rows_lost > 0 {
            let message = "rows could not be written: the disk was full".into();
            logs.push(SystemLog { level: "error".into(), source: "store".into(), message, count: self.rows_lost });
        }
        Books { captures, fates: tally.summary(), traffic: tally.statistics(), logs, run: self.run.clone() }
    }

    /// Begins the next page.
    pub fn turn(&mut self, caps: &[CapHit]) {
        // Hashed is what is over: files that the ring has closed.
        self.infos.retain(|_, info| info.blake3.is_empty());
        for info in self.infos.values_mut() {
            let CaptureInfo { id, path, format, bytes, snaplen, links, beside, .. } = std::mem::take(info);
            *info = CaptureInfo { id, path, format, bytes, snaplen, links, beside, ..CaptureInfo::default() };
        }
        self.page = self.last.clone();
        self.page_begins = None;
        self.rows_lost = 0;
        self.caps = caps.iter().map(|cap| (cap.cap.clone(), cap.hits)).collect();
    }

    /// Caps that were reached within the page.
    fn new_caps(&self, caps: &[CapHit]) -> Vec<CapHit> {
        let since = |cap: &CapHit| cap.hits - self.caps.get(&cap.cap).copied().unwrap_or(0).min(cap.hits);
        caps.iter().map(|cap| CapHit { hits: since(cap), ..cap.clone() }).filter(|cap| cap.hits > 0).collect()
    }

    /// What interfaces counted within the page. With a ring the rows are its files: the last one carries it.
    fn add_counts(&self, captures: &mut [CaptureInfo], logs: &mut Vec<SystemLog>, interfaces: &Interfaces) {
        let mut ours = 0;
        let described = interfaces.described();
        for ((at, described), (now, before)) in described.into_iter().enumerate().zip(self.last.iter().zip(&self.page)) {
            let counted = now.since(before);
            ours += counted.ours;
            let place = captures.iter().position(|info| info.id == described.id).or_else(|| captures.len().checked_sub(1));
            let Some(info) = place.and_then(|place| captures.get_mut(place)) else { continue };
            if info.id == described.id {
                info.bytes = info.frame_bytes;
            }
            info.reported_drops = Some(info.reported_drops.unwrap_or(0) + counted.dropped());
            for mut interface in described.beside.interfaces {
                interface.id = at as u32;
                interface.frames = counted.frames;
                interface.received = Some(counted.received);
                interface.dropped = Some(counted.device);
                interface.os_dropped = Some(counted.kernel);
                interface.delivered = Some(counted.frames);
                info.beside.interfaces.retain(|known| known.name != interface.name);
                info.beside.interfaces.push(interface);
            }
        }
        if ours > 0 {
            logs.push(log_of(CapHit { cap: "live_queue_bytes".into(), limit: interfaces.queue_bytes() as u64, hits: ours }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FrameMeta, LinkType};

    #[test]
    fn a_page_counts_its_own_frames_and_the_next_starts_anew() {
        let frame = |number: u64, ts_ns| FrameMeta {
            number,
            in_file: number,
            offset: 0,
            ts_ns,
            capture: 0,
            caplen: 10,
            wire_len: 20,
            start: 0,
            link: LinkType::ETHERNET,
        };
        let block = |frames: Vec<FrameMeta>| Block { frames, ..Block::default() };
        let mut books = Bookkeeping::new(RunRow::default());
        books.block(&block(vec![frame(1, 50), frame(2, 40)]));
        let page = books.page(&Tally::default(), &[], None);
        let info = &page.captures[0];
        assert_eq!((info.frames, info.wire_bytes, info.truncated_frames, info.backward_jumps), (2, 40, 2, 1));
        assert_eq!((info.first_ts, info.last_ts), (Some(40), Some(50)));
        books.turn(&[]);
        books.block(&block(vec![frame(3, 60)]));
        assert_eq!(books.page(&Tally::default(), &[], None).captures[0].frames, 1);
        assert_eq!((books.frames, books.span), (3, Some((40, 60))));
    }
}
