//! Labelled captures made by code: the demo and the datasets that prove each rule.
//!
//! A scenario is a story told to a [`Net`]: hosts connect, ask, answer, and every frame they send is seen by one tap, with
//! the checksums, times to live, acknowledgements and delays that real machines would give it. The same seed gives the same
//! bytes on every machine. Outside hosts live in the documentation ranges (RFC 5737, RFC 3849), inside hosts in RFC 1918,
//! names end in `.example` or `example.com` (RFC 2606): nothing here points at anybody.

mod apps;
mod net;
mod rng;
mod scenes;
mod tcp;
mod truth;
mod wire;

pub use net::{Host, Net, Os};
pub use rng::Rng;
pub use scenes::{SCENARIOS, Scenario, scenario};
pub use tcp::Tcp;
pub use truth::{Deed, Instance, Truth};

use crate::model::Ts;
use std::io::{self, Write};

/// A finished capture: Ethernet frames in time order, and what they were.
#[derive(Clone, Debug)]
pub struct Capture {
    /// Time and bytes of each frame; times are whole microseconds.
    pub frames: Vec<(Ts, Vec<u8>)>,
    /// The labels.
    pub truth: Truth,
}

/// Writes a capture as classic pcap: little-endian, microseconds, Ethernet.
pub fn write_pcap(capture: &Capture, mut out: impl Write) -> io::Result<()> {
    write_header(&mut out)?;
    capture.frames.iter().try_for_each(|(ts, bytes)| write_record(&mut out, *ts, bytes))
}

/// The 24 bytes that open a classic pcap file.
fn write_header(out: &mut impl Write) -> io::Result<()> {
    const MAGIC: u32 = 0xa1b2_c3d4;
    const SNAPLEN: u32 = 262_144;
    out.write_all(&MAGIC.to_le_bytes())?;
    out.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
    out.write_all(&SNAPLEN.to_le_bytes())?;
    out.write_all(&1_u32.to_le_bytes())
}

/// One packet record: 16 bytes and the frame.
fn write_record(out: &mut impl Write, ts: Ts, bytes: &[u8]) -> io::Result<()> {
    let (seconds, rest) = (ts.div_euclid(1_000_000_000), ts.rem_euclid(1_000_000_000));
    let length = bytes.len() as u32;
    for word in [seconds as u32, (rest / 1_000) as u32, length, length] {
        out.write_all(&word.to_le_bytes())?;
    }
    out.write_all(bytes)
}

#[cfg(test)]
mod tests;
