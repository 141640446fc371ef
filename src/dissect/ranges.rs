//! Parts of one file that were fetched range by range (RFC 9110 14), over one connection or several: one row for each connection, and all of them tell
//! of the whole file, as Zeek's do.

use crate::model::event::{ByteRange, File};
use crate::model::{AppEvent, Event, Ts, time::SECOND};
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

/// A file is over after this silence: Zeek's file timeout.
const SILENCE: i64 = 120 * SECOND;
/// Files under way; beyond it the oldest is said.
const OPEN_MAX: usize = 4_096;
/// Connections and separate ranges of one file.
const ROWS_MAX: usize = 64;
const SPANS_MAX: usize = 1_024;

/// A file as it is named: server, URL, length.
type Name = (IpAddr, String, u64);

/// The files under way.
#[derive(Default)]
pub struct Ranges {
    open: BTreeMap<Name, Whole>,
    /// When each was last looked at, or begun.
    order: VecDeque<(Ts, Name)>,
}

#[derive(Default)]
struct Whole {
    rows: Vec<AppEvent>,
    /// First byte and the one behind the last, in order, apart from each other.
    spans: Vec<(u64, u64)>,
    last_ns: Ts,
}

impl Ranges {
    /// Takes the parts out of `events`, which are in order of frames, and puts the files in that are over at `now`.
    pub fn gather(&mut self, events: &mut Vec<AppEvent>, now: Option<Ts>) {
        let mut done = Vec::new();
        if events.iter().any(|event| part(event).is_some()) {
            let (parts, others): (Vec<_>, Vec<_>) = events.drain(..).partition(|event| part(event).is_some());
            *events = others;
            parts.into_iter().for_each(|event| self.part(event, &mut done));
        }
        while let Some((since, _)) = self.order.front() {
            let over = now.is_some_and(|now| since.saturating_add(SILENCE) < now);
            if !over && self.open.len() <= OPEN_MAX {
                break;
            }
            let Some((since, name)) = self.order.pop_front() else { break };
            match self.open.get(&name).map(|whole| whole.last_ns) {
                // It went on since then.
                Some(last_ns) if over && last_ns != since => self.order.push_back((last_ns, name)),
                Some(_) => done.extend(self.open.remove(&name).into_iter().flat_map(Whole::finish)),
                None => {}
            }
        }
        events.extend(done);
    }

    /// Says all of them, the capture being over.
    pub fn finish(&mut self) -> Vec<AppEvent> {
        self.order.clear();
        std::mem::take(&mut self.open).into_values().flat_map(Whole::finish).collect()
    }

    fn part(&mut self, event: AppEvent, done: &mut Vec<AppEvent>) {
        let Some((name, range, seen)) = part(&event).map(|(name, range, seen)| (name, *range, seen)) else { return };
        let last_ns = event.ts_ns;
        if !self.open.contains_key(&name) {
            self.order.push_back((last_ns, name.clone()));
        }
        let whole = self.open.entry(name.clone()).or_default();
        let flow = event.conn.map(|conn| conn.flow);
        whole.cover(range.start, range.start.saturating_add(seen));
        whole.last_ns = last_ns;
        if !whole.rows.iter().any(|row| row.conn.map(|conn| conn.flow) == flow) {
            whole.rows.push(event);
        }
        if whole.rows.len() >= ROWS_MAX || whole.spans.len() >= SPANS_MAX {
            done.extend(self.open.remove(&name).into_iter().flat_map(Whole::finish));
        }
    }
}

/// The file that an event is a part of, where in it, and how much was seen.
fn part(event: &AppEvent) -> Option<(Name, &ByteRange, u64)> {
    let Event::File(file) = &event.event else { return None };
    let range = file.range.as_ref()?;
    Some(((event.conn?.resp_h, file.url.clone()?, range.total), range, file.seen_bytes))
}

impl Whole {
    fn cover(&mut self, mut from: u64, mut to: u64) {
        self.spans.retain(|&(start, end)| {
            let apart = end < from || start > to;
            if !apart {
                (from, to) = (from.min(start), to.max(end));
            }
            apart
        });
        let at = self.spans.partition_point(|&(start, _)| start < from);
        self.spans.insert(at, (from, to));
    }

    fn finish(self) -> Vec<AppEvent> {
        let seen: u64 = self.spans.iter().map(|(start, end)| end - start).sum();
        let reach = self.spans.first().zip(self.spans.last()).map_or(0, |(first, last)| last.1 - first.0);
        let fuid = self.rows.first().and_then(|row| if let Event::File(file) = &row.event { Some(file.fuid.clone()) } else { None });
        let mut rows = self.rows;
        for row in &mut rows {
            if let Event::File(file) = &mut row.event {
                tell(file, seen, reach - seen, fuid.as_deref().unwrap_or_default());
            }
        }
        rows
    }
}

fn tell(file: &mut File, seen: u64, missing: u64, fuid: &str) {
    file.total_bytes = file.range.take().map(|range| range.total);
    (file.seen_bytes, file.missing_bytes) = (seen, missing);
    file.complete = file.total_bytes == Some(seen);
    fuid.clone_into(&mut file.fuid);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::conn;
    use crate::model::{Conn, FlowId, Proto};
    use proptest::prelude::*;

    fn event(flow: u64, frame: u64, start: u64, seen: u64) -> AppEvent {
        let conn = Conn { flow: FlowId(flow), ..conn(Proto::Tcp, 80) };
        let range = Some(ByteRange { start, total: 100 });
        let file =
            File { source: "HTTP", fuid: format!("F{flow}-{frame}"), url: Some("/a".into()), seen_bytes: seen, range, ..File::default() };
        AppEvent { conn: Some(conn), frame, ts_ns: frame as Ts * SECOND, event: Event::File(Box::new(file)) }
    }

    fn told(events: &[AppEvent]) -> Vec<(u64, String, u64, u64, bool)> {
        let tell = |event: &AppEvent| match &event.event {
            Event::File(file) => (event.conn.unwrap().flow.0, file.fuid.clone(), file.seen_bytes, file.missing_bytes, file.complete),
            other => panic!("{other:?}"),
        };
        events.iter().map(tell).collect()
    }

    #[test]
    fn parts_of_several_connections_tell_of_one_file() {
        let mut ranges = Ranges::default();
        let mut events = vec![event(16, 1, 0, 20), event(32, 2, 60, 40), event(16, 3, 20, 20)];
        ranges.gather(&mut events, Some(4 * SECOND));
        assert!(events.is_empty());
        ranges.gather(&mut events, Some(200 * SECOND));
        assert_eq!(told(&events), [(16, "F16-1".into(), 80, 20, false), (32, "F16-1".into(), 80, 20, false)]);
        assert!(ranges.finish().is_empty());
    }

    #[test]
    fn a_file_that_goes_on_waits_for_its_last_part() {
        let mut ranges = Ranges::default();
        let mut events = vec![event(16, 1, 0, 50)];
        ranges.gather(&mut events, Some(SECOND));
        events.push(event(16, 100, 50, 50));
        ranges.gather(&mut events, Some(130 * SECOND));
        assert!(events.is_empty());
        assert_eq!(told(&ranges.finish()), [(16, "F16-1".into(), 100, 0, true)]);
    }

    proptest! {
        #[test]
        fn any_overlap_counts_each_byte_once(parts in proptest::collection::vec((0u64..3, 0u64..100, 0u64..60), 1..40), cut in 0usize..40) {
            let all: Vec<AppEvent> = parts.iter().enumerate().map(|(n, (flow, start, seen))| event(flow * 16, n as u64 + 1, *start, *seen)).collect();
            let mut bytes = std::collections::BTreeSet::new();
            parts.iter().for_each(|(_, start, seen)| bytes.extend(*start..start + seen));
            let (mut ranges, mut events) = (Ranges::default(), Vec::new());
            for part in all.chunks(cut.max(1)) {
                let mut now = part.to_vec();
                ranges.gather(&mut now, part.last().map(|event| event.ts_ns));
                events.extend(now);
            }
            events.extend(ranges.finish());
            let flows: std::collections::BTreeSet<_> = parts.iter().map(|(flow, ..)| flow).collect();
            prop_assert_eq!(events.len(), flows.len());
            for (.., seen, _, _) in told(&events) {
                prop_assert_eq!(seen, bytes.len() as u64);
            }
        }
    }
}
