//! Interfaces of a section and their clocks.

use pcap_parser::{InterfaceDescriptionBlock, OptionCode};

use super::super::ledger::Ledger;
use super::{number, text};
use crate::model::{LinkType, Ts, time::SECOND};

/// `if_tsresol` where it is not given: microseconds.
const RESOLUTION_DEFAULT: u8 = 6;
/// `if_hardware`.
const IF_HARDWARE: OptionCode = OptionCode(15);

/// An interface as described.
pub(super) struct Interface {
    /// Link type of its frames.
    pub(super) link: LinkType,
    /// Snap length, 0 for none.
    pub(super) snaplen: u32,
    /// How its times are counted.
    pub(super) clock: Clock,
    /// Drops, as the last statistics block says.
    pub(super) reported_drops: Option<u64>,
    /// Drops, summed over its packets.
    pub(super) counted_drops: u64,
}

impl Interface {
    /// Reads a description.
    pub(super) fn new(described: &InterfaceDescriptionBlock<'_>, big_endian: bool) -> Self {
        let option = |code| described.options.iter().find(|option| option.code == code);
        let offset = option(OptionCode::IfTsoffset).and_then(|option| number(big_endian, option)).unwrap_or(0) as i64;
        Self {
            link: LinkType(described.linktype.0 as u16),
            snaplen: described.snaplen,
            clock: Clock::new(described.if_tsresol, offset),
            reported_drops: None,
            counted_drops: 0,
        }
    }

    /// Enters what the description says into the books.
    pub(super) fn tell(&self, described: &InterfaceDescriptionBlock<'_>, ledger: &mut Ledger) {
        ledger.link(self.link);
        ledger.info.snaplen = ledger.info.snaplen.max(self.snaplen);
        let labels = [
            (OptionCode::IfName, "interface"),
            (OptionCode::IfDescription, "interface description"),
            (OptionCode::IfOs, "interface system"),
            (IF_HARDWARE, "interface hardware"),
            (OptionCode::Comment, "interface comment"),
        ];
        for option in &described.options {
            if let Some((_, label)) = labels.iter().find(|(code, _)| *code == option.code) {
                ledger.comment(label, &text(option));
            }
            // The first byte of a filter says what language it is in; 0 is text.
            if let (OptionCode::IfFilter, Ok([0, filter @ ..])) = (option.code, option.as_bytes()) {
                ledger.comment("capture filter", &String::from_utf8_lossy(filter));
            }
        }
    }

    /// Frames that the capturing program lost on it; none if it says nothing.
    pub(super) fn drops(&self) -> Option<u64> {
        self.reported_drops.or((self.counted_drops > 0).then_some(self.counted_drops))
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

    /// Nanoseconds since the epoch; what does not fit is moved to the nearest that does.
    #[inline]
    pub(super) fn ns(&self, units: u64) -> Ts {
        if let (1, 0, Some(ns)) = (self.divide, self.offset_ns, units.checked_mul(self.multiply)) {
            return Ts::try_from(ns).unwrap_or(Ts::MAX);
        }
        let ns = u128::from(units) * u128::from(self.multiply) / self.divide;
        let ns = i128::try_from(ns).unwrap_or(i128::MAX).saturating_add(self.offset_ns);
        Ts::try_from(ns).unwrap_or(if ns < 0 { Ts::MIN } else { Ts::MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resolution_gives_nanoseconds() {
        let second = |resolution: u8, units: u64| Clock::new(resolution, 0).ns(units);
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
        assert_eq!(Clock::new(0, 0).ns(u64::MAX), Ts::MAX);
        assert_eq!(Clock::new(6, i64::MAX).ns(u64::MAX), Ts::MAX);
        assert_eq!(Clock::new(6, i64::MIN).ns(0), Ts::MIN);
        assert_eq!(Clock::new(127, 0).ns(u64::MAX), 0);
        assert_eq!(Clock::new(0xff, 0).ns(u64::MAX), 0);
        assert_eq!(Clock::new(6, -10).ns(1_000_000), -9 * SECOND);
    }
}
