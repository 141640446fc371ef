//! Capture time. vigil never asks the wall clock about evidence: every time in a case is packet time.

use chrono::{DateTime, Utc};

/// Nanoseconds since the Unix epoch, UTC. Negative values are legal: damaged captures hold them.
pub type Ts = i64;

/// One second in [`Ts`] units.
pub const SECOND: i64 = 1_000_000_000;

/// `2026-11-21T21:17:52.123456Z`; microseconds always shown so that columns align.
pub fn rfc3339(ts: Ts) -> String {
    DateTime::<Utc>::from_timestamp_nanos(ts).format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// `2026-11-21 21:17:52` for tables that people read.
pub fn short(ts: Ts) -> String {
    DateTime::<Utc>::from_timestamp_nanos(ts).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A duration as people say it: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`, `3 d 04 h`.
pub fn human_duration(ns: i64) -> String {
    let seconds = ns.max(0) as f64 / SECOND as f64;
    let whole = seconds.round() as i64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..120 => format!("{whole} s"),
        120..7_200 => format!("{} min {:02} s", whole / 60, whole % 60),
        7_200..172_800 => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {:02} h", whole / 86_400, whole % 86_400 / 3600),
    }
}

/// A byte count as people say it, in powers of 1000: `812 B`, `1.4 MB`.
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_read_like_speech() {
        let said: Vec<String> = [400_000_000, 12 * SECOND, 185 * SECOND, 7_800 * SECOND, 273_600 * SECOND].map(human_duration).into();
        assert_eq!(said, ["0.4 s", "12 s", "3 min 05 s", "2 h 10 min", "3 d 04 h"]);
        assert_eq!([812, 1_400_000, 999_950, 1_000].map(human_bytes), ["812 B", "1.4 MB", "1.0 MB", "1.0 kB"]);
    }

    #[test]
    fn times_before_the_epoch_are_printed_not_refused() {
        assert_eq!(rfc3339(-1_000), "1969-12-31T23:59:59.999999Z");
    }
}
