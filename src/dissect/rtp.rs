//! RTP and RTCP (RFC 3550) where SIP announced them: a row for each source that a flow carries, with what was lost and how unevenly it came.
//! The media itself is not read.

use super::{Chunk, Dissector, Out, Protocol, escape};
use crate::model::{Dir, Event, Proto, Ts, event::Rtp};

/// How announced media is read. It is in no registry: by content alone a signature names it.
pub const MEDIA: Protocol =
    Protocol { name: "rtp", over: &[Proto::Udp], probe: |_| super::Answer::NotForUs, make: |_| Box::new(Media::default()) };

/// Sources told apart in one flow.
const SOURCES_MAX: usize = 32;
/// RTCP packets read of one datagram.
const COMPOUND_MAX: usize = 32;
/// A jump of the sequence number further than this is a new beginning (RFC 3550 A.1).
const DROPOUT_MAX: u16 = 3_000;

/// Codecs of fixed numbers with their clocks in hertz (RFC 3551 6).
const CODECS: [(u8, &str, u32); 24] = [
    (0, "PCMU", 8_000),
    (3, "GSM", 8_000),
    (4, "G723", 8_000),
    (5, "DVI4", 8_000),
    (6, "DVI4", 16_000),
    (7, "LPC", 8_000),
    (8, "PCMA", 8_000),
    // Its clock is half its rate: an old mistake that stayed (RFC 3551 4.5.2).
    (9, "G722", 8_000),
    (10, "L16", 44_100),
    (11, "L16", 44_100),
    (12, "QCELP", 8_000),
    (13, "CN", 8_000),
    (14, "MPA", 90_000),
    (15, "G728", 8_000),
    (16, "DVI4", 11_025),
    (17, "DVI4", 22_050),
    (18, "G729", 8_000),
    (25, "CelB", 90_000),
    (26, "JPEG", 90_000),
    (28, "nv", 90_000),
    (31, "H261", 90_000),
    (32, "MPV", 90_000),
    (33, "MP2T", 90_000),
    (34, "H263", 90_000),
];

/// Whether a datagram could be media or its control: version 2, and a header that is whole.
pub fn looks(bytes: &[u8]) -> bool {
    match bytes {
        [first, ..] if first >> 6 != 2 => false,
        [_, kind, ..] if is_control(*kind) => bytes.len() >= 8,
        _ => bytes.len() >= 12,
    }
}

/// RTCP's types, which RTP with a marker cannot have beside it (RFC 5761 4).
fn is_control(kind: u8) -> bool {
    (192..=223).contains(&kind)
}

#[derive(Default)]
struct Media {
    sources: Vec<Source>,
    reports: Vec<Report>,
}

/// A source as its packets show it.
struct Source {
    dir: Dir,
    ssrc: u32,
    payload_type: u8,
    place: (u64, Ts),
    last_ns: Ts,
    packets: u64,
    late: u64,
    /// First and highest sequence number, the latter with its rounds.
    first: u64,
    highest: u64,
    /// Transit time of the last packet, and the jitter so far, in units of the clock (RFC 3550 A.8).
    transit: Option<f64>,
    jitter: f64,
}

/// A source as reports of either side have it.
struct Report {
    dir: Dir,
    ssrc: u32,
    place: (u64, Ts),
    last_ns: Ts,
    packets: Option<u64>,
    lost: Option<i64>,
    jitter: Option<u32>,
    cname: Option<String>,
}

/// A big-endian number at a place.
fn be<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    be(bytes, at).map(u32::from_be_bytes)
}

impl Media {
    fn packet(&mut self, chunk: &Chunk<'_>) -> Option<()> {
        let bytes = chunk.bytes;
        let payload_type = bytes.get(1)? & 0x7f;
        let (number, stamp, ssrc) = (u16::from_be_bytes(be(bytes, 2)?), be32(bytes, 4)?, be32(bytes, 8)?);
        let at = self.sources.iter().position(|source| (source.dir, source.ssrc) == (chunk.dir, ssrc));
        let source = match at {
            Some(at) => self.sources.get_mut(at)?,
            None if self.sources.len() < SOURCES_MAX => {
                self.sources.push(Source::new(chunk, ssrc, payload_type, number));
                self.sources.last_mut()?
            }
            None => return None,
        };
        source.take(number, stamp, chunk.ts_ns);
        Some(())
    }

    /// A datagram of control packets (RFC 3550 6.4, 6.5).
    fn control(&mut self, chunk: &Chunk<'_>) -> Option<()> {
        let mut rest = chunk.bytes;
        for _ in 0..COMPOUND_MAX {
            let (count, kind) = (usize::from(rest.first()? & 0x1f), *rest.get(1)?);
            let length = 4 * (usize::from(u16::from_be_bytes(be(rest, 2)?)) + 1);
            let (packet, later) = rest.split_at_checked(length.min(rest.len()))?;
            match kind {
                200 => {
                    let sent = be32(packet, 20).map(u64::from);
                    self.report(chunk, be32(packet, 4)?)?.packets = sent;
                    self.blocks(chunk, packet.get(28..)?, count);
                }
                201 => self.blocks(chunk, packet.get(8..)?, count),
                202 => {
                    // The first source's name alone: mixers, which have several, are rare.
                    let cname = packet.get(8).is_some_and(|item| *item == 1).then(|| {
                        let length = packet.get(9).copied().map_or(0, usize::from);
                        packet.get(10..10 + length).map(|name| escape(name, 255))
                    });
                    if let Some(Some(cname)) = cname {
                        self.report(chunk, be32(packet, 4)?)?.cname = Some(cname);
                    }
                }
                _ => {}
            }
            rest = later;
        }
        None
    }

    fn blocks(&mut self, chunk: &Chunk<'_>, bytes: &[u8], count: usize) {
        for block in bytes.as_chunks::<24>().0.iter().take(count) {
            let [a, b, c, d, _, e, f, g, ..] = *block;
            // Of three bytes, signed: duplicates may make it negative.
            let lost = i64::from(i32::from_be_bytes([e, f, g, 0]) >> 8);
            let Some(report) = self.report(chunk, u32::from_be_bytes([a, b, c, d])) else { return };
            (report.lost, report.jitter) = (Some(lost), be32(block, 12));
        }
    }

    fn report(&mut self, chunk: &Chunk<'_>, ssrc: u32) -> Option<&mut Report> {
        let at = self.reports.iter().position(|report| (report.dir, report.ssrc) == (chunk.dir, ssrc));
        if at.is_none() && self.reports.len() < SOURCES_MAX {
            let place = (chunk.frame, chunk.ts_ns);
            self.reports.push(Report {
                dir: chunk.dir,
                ssrc,
                place,
                last_ns: place.1,
                packets: None,
                lost: None,
                jitter: None,
                cname: None,
            });
        }
        let report = match at {
            Some(at) => self.reports.get_mut(at)?,
            None => self.reports.last_mut().filter(|report| (report.dir, report.ssrc) == (chunk.dir, ssrc))?,
        };
        report.last_ns = chunk.ts_ns;
        Some(report)
    }
}

impl Source {
    fn new(chunk: &Chunk<'_>, ssrc: u32, payload_type: u8, number: u16) -> Self {
        Self {
            dir: chunk.dir,
            ssrc,
            payload_type,
            place: (chunk.frame, chunk.ts_ns),
            last_ns: chunk.ts_ns,
            packets: 0,
            late: 0,
            first: u64::from(number),
            highest: u64::from(number),
            transit: None,
            jitter: 0.0,
        }
    }

    /// Hertz of its clock; `None` where SDP alone would tell.
    fn codec(&self) -> Option<(&'static str, u32)> {
        CODECS.iter().find(|(number, ..)| *number == self.payload_type).map(|(_, name, clock)| (*name, *clock))
    }

    fn take(&mut self, number: u16, stamp: u32, ts_ns: Ts) {
        self.last_ns = ts_ns;
        self.packets += 1;
        let ahead = number.wrapping_sub(self.highest as u16);
        if self.packets == 1 || ahead == 0 {
            // The first, or a duplicate.
        } else if ahead < DROPOUT_MAX {
            self.highest += u64::from(ahead);
        } else if ahead > u16::MAX - DROPOUT_MAX {
            self.late += 1;
        } else {
            // A sender that begins anew: what went before is counted as it was.
            let expected = self.highest - self.first + 1;
            self.highest = (self.highest | 0xffff) + 1 + u64::from(number);
            self.first = self.highest - expected;
        }
        let Some((_, clock)) = self.codec() else { return };
        // Both in units of the clock; what counts is the difference alone, so that wrapping stamps hurt once.
        let arrival = (ts_ns - self.place.1) as f64 * f64::from(clock) / 1e9;
        let transit = arrival - f64::from(stamp);
        if let Some(before) = self.transit.replace(transit) {
            let difference = (transit - before).abs();
            // Silence moves stamps and clock alike; a jump of hours is another stream under the same name.
            if difference < f64::from(u32::MAX / 2) {
                self.jitter += (difference - self.jitter) / 16.0;
            }
        }
    }

    fn row(&self) -> Rtp {
        let codec = self.codec();
        let expected = i64::try_from(self.highest - self.first + 1).unwrap_or(i64::MAX);
        Rtp {
            kind: "rtp",
            is_orig: self.dir == Dir::Orig,
            ssrc: self.ssrc,
            payload_type: Some(self.payload_type),
            codec: codec.map(|(name, _)| name),
            packets: Some(self.packets),
            lost: Some(expected.saturating_sub(i64::try_from(self.packets).unwrap_or(i64::MAX))),
            late: Some(self.late),
            jitter: codec.map(|(_, clock)| rounded(self.jitter / f64::from(clock))),
            jitter_units: codec.map(|_| self.jitter as u32),
            cname: None,
            duration: seconds(self.place.1, self.last_ns),
        }
    }
}

impl Report {
    fn row(self) -> Rtp {
        Rtp {
            kind: "rtcp",
            is_orig: self.dir == Dir::Orig,
            ssrc: self.ssrc,
            packets: self.packets,
            lost: self.lost,
            jitter_units: self.jitter,
            cname: self.cname,
            duration: seconds(self.place.1, self.last_ns),
            ..Rtp::default()
        }
    }
}

fn seconds(from: Ts, to: Ts) -> f64 {
    rounded(to.saturating_sub(from) as f64 / 1e9)
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

impl Dissector for Media {
    fn data(&mut self, chunk: &Chunk<'_>, _out: &mut Out) {
        if !looks(chunk.bytes) {
            return;
        }
        let _ = if chunk.bytes.get(1).is_some_and(|kind| is_control(*kind)) { self.control(chunk) } else { self.packet(chunk) };
    }

    fn end(&mut self, out: &mut Out) {
        for source in std::mem::take(&mut self.sources) {
            out.say(source.place.0, source.place.1, Event::Rtp(Box::new(source.row())));
        }
        for report in std::mem::take(&mut self.reports) {
            let (frame, ts_ns) = report.place;
            out.say(frame, ts_ns, Event::Rtp(Box::new(report.row())));
        }
    }

    fn confirmed(&self) -> bool {
        !(self.sources.is_empty() && self.reports.is_empty())
    }

    fn service(&self, name: &'static str) -> &'static str {
        if self.sources.is_empty() { "rtcp" } else { name }
    }
}

#[cfg(test)]
mod tests {
    use super::super::expect::Kind;
    use super::super::testing::conn;
    use super::super::{Conversation, Setting};
    use super::*;
    use proptest::prelude::*;

    fn media(number: u16, stamp: u32) -> Vec<u8> {
        [&[0x80, 0][..], &number.to_be_bytes(), &stamp.to_be_bytes(), &[0, 0, 0, 7], &[0xff; 160]].concat()
    }

    /// Datagrams at milliseconds.
    fn listen(datagrams: &[(i64, Vec<u8>)]) -> (Vec<Rtp>, &'static str) {
        let mut conversation = Conversation::perhaps(conn(Proto::Udp, 40_002), Some(Kind::Rtp), Setting::default());
        let mut events = Vec::new();
        for (frame, (at, bytes)) in (1..).zip(datagrams) {
            conversation.data(&Chunk { dir: Dir::Orig, bytes, cut: 0, frame, ts_ns: at * 1_000_000 }, &mut events);
        }
        let service = conversation.service();
        conversation.end(&mut events);
        (events.into_iter().filter_map(|event| if let Event::Rtp(row) = event.event { Some(*row) } else { None }).collect(), service)
    }

    #[test]
    fn losses_and_jitter_are_those_of_the_rfc_over_the_end_of_the_numbers() {
        // Twenty milliseconds each, one lost, one five milliseconds late.
        let numbers = [65_534u16, 65_535, 0, 2, 3];
        let datagrams = (0i64..).zip(numbers).map(|(n, number)| {
            let step = i64::from(number.wrapping_sub(65_534));
            (step * 20 + if n == 4 { 5 } else { 0 }, media(number, (step * 160) as u32))
        });
        let (rows, service) = listen(&datagrams.collect::<Vec<_>>());
        let [row] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!((row.kind, row.ssrc, row.codec, row.packets, row.lost, row.late), ("rtp", 7, Some("PCMU"), Some(5), Some(1), Some(0)));
        // Five milliseconds are forty units; a sixteenth of it is 2.5.
        assert_eq!((row.jitter, row.jitter_units, row.duration, service), (Some(0.000_313), Some(2), 0.105, "rtp"));
    }

    #[test]
    fn reports_tell_what_the_other_side_heard() {
        let sender = [
            &[0x81, 200, 0, 12][..],
            &[0, 0, 0, 7],
            &[0; 12],
            &[0, 0, 0, 99],
            &[0; 4],
            &[0, 0, 0, 8, 64, 0xff, 0xff, 0xff],
            &[0; 4],
            &[0, 0, 0, 30],
            &[0; 8],
        ]
        .concat();
        let names = [&[0x81, 202, 0, 3][..], &[0, 0, 0, 7, 1, 3], b"a@b", &[0]].concat();
        let (rows, service) = listen(&[(0, [sender, names].concat())]);
        let [own, heard] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!((own.kind, own.ssrc, own.packets, own.cname.as_deref()), ("rtcp", 7, Some(99), Some("a@b")));
        assert_eq!((heard.ssrc, heard.lost, heard.jitter_units, service), (8, Some(-1), Some(30), "rtcp"));
    }

    #[test]
    fn what_was_announced_but_is_no_media_is_somebody_else_s() {
        let binding = [&b"\0\x01\0\0\x21\x12\xa4\x42"[..], &[5; 12]].concat();
        let (rows, service) = listen(&[(0, binding)]);
        assert_eq!((rows.len(), service), (0, "stun"));
    }

    proptest! {
        #[test]
        fn any_datagrams_are_survived_in_bounds(datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..80), control: bool) {
            let mark = |bytes: &mut Vec<u8>| if let [first, kind, ..] = &mut bytes[..] {
                (*first, *kind) = (*first & 0x3f | 0x80, if control { 200 + *kind % 3 } else { *kind });
            };
            let datagrams: Vec<_> = (0..).zip(datagrams).map(|(at, mut bytes)| { mark(&mut bytes); (at, bytes) }).collect();
            prop_assert!(listen(&datagrams).0.len() <= 2 * SOURCES_MAX);
        }

        #[test]
        fn any_order_counts_every_packet(numbers in proptest::collection::vec(any::<u16>(), 1..100)) {
            let datagrams: Vec<_> = (0..).zip(&numbers).map(|(at, number)| (at, media(*number, 0))).collect();
            prop_assert_eq!(listen(&datagrams).0[0].packets, Some(numbers.len() as u64));
        }
    }
}
