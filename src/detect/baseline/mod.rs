//! Baselines: what is usual on this network, and what has changed.
//!
//! ```text
//! case ─observe→ Profile (sketches of measures by peer group, and what was ever seen) ─judge→ anomalies
//! ```
//!
//! Three ways to have a profile: of the capture itself ([`Mode::Itself`]: who is unlike the others, or unlike himself), from other evidence
//! (`vigil train`, or any case given to `--baseline`), and the latter kept up to date (`vigil train --update`: the old fades, the new adds).
//!
//! A window of a host, or a flow, is compared with its own kind: the most specific group that is large enough, drawn towards the wider one.
//! What hosts did that rules found at something weighs next to nothing. Nothing here makes findings.

mod judge;
mod observe;
mod profile;
mod sketch;
mod usual;

#[cfg(test)]
mod tests;

pub use judge::judge;
pub use observe::{measures, observe};
pub use profile::{Error as ProfileError, Profile};

/// What a profile is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The capture that is judged.
    Itself,
    /// Other evidence.
    Trained,
}

/// Width of a window, seconds.
pub const WINDOW_S: i64 = 300;

/// Measures of a host in a window: name, whether it counts things, what it is.
const OF_WINDOWS: [(&str, bool, &str); 7] = [
    ("flows", true, "flows begun"),
    ("peers", true, "different addresses talked to"),
    ("ports", true, "different ports talked to"),
    ("failures", true, "TCP connections that came to nothing"),
    ("missing_names", true, "names asked for that do not exist"),
    ("bytes_out", false, "IP bytes sent in these flows"),
    ("bytes_in", false, "IP bytes received in these flows"),
];

/// Measures of a flow: name, column of `flows`.
const OF_FLOWS: [(&str, &str); 4] = [
    ("flow_duration", "flow_duration"),
    ("orig_ip_bytes", "orig_ip_bytes"),
    ("resp_ip_bytes", "resp_ip_bytes"),
    ("total_packets", "total_packets"),
];

/// Things that are known once they were seen: kind, and what people call one.
const OF_SETS: [(&str, &str); 4] =
    [("host", "host"), ("service", "service"), ("destination", "destination"), ("fingerprint", "fingerprint")];
