//! Interfaces of a section and their clocks.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::beside::{INTERFACE_CHARS_MAX, said};
use super::super::ledger::Ledger;
use super::options::{COMMENT, Options, text};
use super::{LINK_UNKNOWN, half, word};
use crate::model::beside::{About, Interface as Told};
use crate::model::{LinkType, Mac, Ts, time::SECOND};

/// `if_tsresol` where it is not given: microseconds.
const RESOLUTION_DEFAULT: u8 = 6;
/// Addresses kept of an interface.
const ADDRESSES_MAX: usize = 64;

/// Codes of options.
mod code {
    pub(super) const NAME: u16 = 2;
    pub(super) const DESCRIPTION: u16 = 3;
    pub(super) const IPV4: u16 = 4;
    pub(super) const IPV6: u16 = 5;
    pub(super) const MAC: u16 = 6;
    pub(super) const SPEED: u16 = 8;
    pub(super) const RESOLUTION: u16 = 9;
    pub(super) const FILTER: u16 = 11;
    pub(super) const OS: u16 = 12;
    pub(super) const OFFSET: u16 = 14;
    pub(super) const HARDWARE: u16 = 15;
    pub(super) const STARTED: u16 = 2;
    pub(super) const ENDED: u16 = 3;
    pub(super) const RECEIVED: u16 = 4;
    pub(super) const DROPPED: u16 = 5;
    pub(super) const ACCEPTED: u16 = 6;
    pub(super) const OS_DROPPED: u16 = 7;
    pub(super) const DELIVERED: u16 = 8;
}

/// An interface as described.
pub(super) struct Interface {
    /// Link type of its frames.
    pub(super) link: LinkType,
    /// Snap length, 0 for none.
    pub(super) snaplen: u32,
    /// How its times are counted.
    pub(super) clock: Clock,
    /// Drops, as the last statistics block says.
    reported_drops: Option<u64>,
    /// Drops, summed over its packets.
    counted_drops: u64,
    /// The row that it becomes, where there is room for one.
    pub(super) told: Option<Box<Told>>,
}

impl Interface {
    /// Reads the body of a description: number `id` of its section.
    pub(super) fn new(body: &[u8], big_endian: bool, section: u32, id: u32, row: bool) -> Option<Self> {
        let (link, snaplen) = (LinkType(half(big_endian, body, 0)?), word(big_endian, body, 4)?);
        let options = Options::new(body.get(8..)?, big_endian);
        let offset_s = options.u64(code::OFFSET).unwrap_or(0).cast_signed();
        let resolution = options.get(code::RESOLUTION).and_then(|value| value.first().copied()).unwrap_or(RESOLUTION_DEFAULT);
        let clock = Clock::new(resolution, offset_s);
        let told = row.then(|| Box::new(told(options, Told { section, id, link, snaplen, offset_s, ..Told::default() }, resolution)));
        Some(Self { link, snaplen, clock, reported_drops: None, counted_drops: 0, told })
    }

    /// An interface whose description is damaged.
    pub(super) fn unknown() -> Self {
        Self { link: LINK_UNKNOWN, snaplen: 0, clock: Clock::default(), reported_drops: None, counted_drops: 0, told: None }
    }

    /// Enters what the description says into the books.
    pub(super) fn tell(&self, ledger: &mut Ledger) {
        ledger.link(self.link);
        ledger.info.snaplen = ledger.info.snaplen.max(self.snaplen);
        let Some(told) = &self.told else { return };
        let texts = [
            ("interface", &told.name),
            ("interface description", &told.description),
            ("interface system", &told.os),
            ("interface hardware", &told.hardware),
            ("capture filter", &told.filter),
        ];
        for (label, text) in texts {
            ledger.said(label, text);
        }
    }

    /// Takes the counters of a statistics block: those of a later one include those of an earlier.
    pub(super) fn count(&mut self, options: Options<'_>) {
        let (dropped, os_dropped) = (options.u64(code::DROPPED), options.u64(code::OS_DROPPED));
        if dropped.is_some() || os_dropped.is_some() {
            self.reported_drops = Some(dropped.unwrap_or(0).saturating_add(os_dropped.unwrap_or(0)));
        }
        let clock = self.clock;
        // Two words, the higher first, each in the byte order of the section.
        let moment = |code| {
            let value = options.get(code)?;
            let (high, low) = (options.word_of(value, 0)?, options.word_of(value, 4)?);
            Some(clock.ns(u64::from(high) << 32 | u64::from(low)).0)
        };
        let Some(told) = &mut self.told else { return };
        let later = |old: Option<u64>, code| options.u64(code).or(old);
        told.received = later(told.received, code::RECEIVED);
        told.dropped = dropped.or(told.dropped);
        told.filter_accepted = later(told.filter_accepted, code::ACCEPTED);
        told.os_dropped = os_dropped.or(told.os_dropped);
        told.delivered = later(told.delivered, code::DELIVERED);
        told.started = moment(code::STARTED).or(told.started);
        told.ended = moment(code::ENDED).or(told.ended);
    }

    /// Notes packets that were lost before one of its own.
    pub(super) fn lost(&mut self, drops: u64) {
        self.counted_drops = self.counted_drops.saturating_add(drops);
    }

    /// Frames that the capturing program lost on it; none if it says nothing.
    pub(super) fn drops(&self) -> Option<u64> {
        self.reported_drops.or((self.counted_drops > 0).then_some(self.counted_drops))
    }

    /// Its row, if it has one.
    pub(super) fn into_told(self) -> Option<Told> {
        self.told.map(|told| Told { lost_between: self.counted_drops, ..*told })
    }
}

fn told(options: Options<'_>, bare: Told, resolution: u8) -> Told {
    let text = |code| said(&options.text(code), INTERFACE_CHARS_MAX);
    // The first byte of a filter says what language it is in; 0 is text.
    let filter = match options.get(code::FILTER) {
        Some([0, filter @ ..]) => said(&String::from_utf8_lossy(filter), INTERFACE_CHARS_MAX),
        _ => String::new(),
    };
    let exponent = resolution & 0x7f;
    Told {
        name: text(code::NAME),
        description: text(code::DESCRIPTION),
        filter,
        os: text(code::OS),
        hardware: text(code::HARDWARE),
        mac: options.get(code::MAC).and_then(|value| value.first_chunk()).map(|mac| Mac(*mac)),
        addresses: options.into_iter().filter_map(|option| address(option.code, option.value)).take(ADDRESSES_MAX).collect(),
        speed: options.u64(code::SPEED),
        resolution: format!("{}^-{exponent} s", if resolution & 0x80 == 0 { 10 } else { 2 }),
        ..bare
    }
}

/// An address of the interface with the length of its network.
fn address(code: u16, value: &[u8]) -> Option<String> {
    match code {
        code::IPV4 => {
            let (address, mask) = (value.first_chunk::<4>()?, value.get(4..)?.first_chunk::<4>()?);
            Some(format!("{}/{}", Ipv4Addr::from(*address), u32::from_be_bytes(*mask).leading_ones()))
        }
        code::IPV6 => Some(format!("{}/{}", Ipv6Addr::from(*value.first_chunk::<16>()?), value.get(16)?)),
        _ => None,
    }
}

/// Keeps the comments of a block.
pub(super) fn comments(options: Options<'_>, about: About, interface: Option<u32>, ledger: &mut Ledger) {
    for option in options.into_iter().filter(|option| option.code == COMMENT) {
        let text = text(option.value);
        match about {
            About::Section => ledger.said("comment", &text),
            About::Interface => ledger.said("interface comment", &text),
            _ => {}
        }
        ledger.comment(about, interface, "comment", text);
    }
    for (kind, text) in options.custom_texts() {
        ledger.comment(about, interface, &kind, text);
    }
}

/// Turns units of an interface's clock into nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    multiply: u64,
    divide: u128,
    offset_ns: i128,
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(RESOLUTION_DEFAULT, 0)
    }
}

impl Clock {
    /// `resolution` as in `if_tsresol`: a negative power of 10, or of 2 with the highest bit set. `offset` in seconds.
    fn new(resolution: u8, offset: i64) -> Self {
        let exponent = u32::from(resolution & 0x7f);
        let (multiply, divide) = match (resolution & 0x80 != 0, exponent) {
            (true, _) => (SECOND as u64, 1 << exponent),
            (false, 0..=9) => (10u64.pow(9 - exponent), 1),
            // No clock is finer than 10^-47 s: beyond, every time is zero.
            (false, _) => (1, 10u128.checked_pow(exponent - 9).unwrap_or(u128::MAX)),
        };
        Self { multiply, divide, offset_ns: i128::from(offset) * i128::from(SECOND) }
    }

    /// Nanoseconds since the epoch, and whether they fit; what does not is moved to the nearest that does.
    #[inline]
    pub(super) fn ns(&self, units: u64) -> (Ts, bool) {
        if let (1, 0, Some(ns)) = (self.divide, self.offset_ns, units.checked_mul(self.multiply)) {
            return Ts::try_from(ns).map_or((Ts::MAX, false), |ns| (ns, true));
        }
        let ns = u128::from(units) * u128::from(self.multiply) / self.divide;
        let ns = i128::try_from(ns).unwrap_or(i128::MAX).saturating_add(self.offset_ns);
        Ts::try_from(ns).map_or((if ns < 0 { Ts::MIN } else { Ts::MAX }, false), |ns| (ns, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resolution_gives_nanoseconds() {
        let second = |resolution: u8, units: u64| Clock::new(resolution, 0).ns(units).0;
        assert_eq!(second(0, 3), 3 * SECOND);
        assert_eq!(second(3, 3_001), 3_001_000_000);
        assert_eq!(second(6, 1_340_954_905_298_858), 1_340_954_905_298_858_000);
        assert_eq!(second(9, 7), 7);
        assert_eq!(second(12, 7_999), 7);
        assert_eq!(second(0x80 | 1, 3), 1_500_000_000);
        assert_eq!(second(0x80 | 32, (5 << 32) + (1 << 31)), 5_500_000_000);
    }

    #[test]
    fn times_that_do_not_fit_stop_at_the_border() {
        assert_eq!(Clock::new(0, 0).ns(u64::MAX), (Ts::MAX, false));
        assert_eq!(Clock::new(6, i64::MAX).ns(u64::MAX), (Ts::MAX, false));
        assert_eq!(Clock::new(6, i64::MIN).ns(0), (Ts::MIN, false));
        assert_eq!(Clock::new(127, 0).ns(u64::MAX), (0, true));
        assert_eq!(Clock::new(0xff, 0).ns(u64::MAX), (0, true));
        assert_eq!(Clock::new(6, -10).ns(1_000_000), (-9 * SECOND, true));
    }
}
