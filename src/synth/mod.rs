//! Labelled captures made by code: the demo and the datasets that prove each rule.
//!
//! A scenario is a story told to a [`Net`]: hosts connect, ask, answer, and every frame they send is seen by one tap, with
//! the checksums, times to live, acknowledgements and delays that real machines would give it. The same seed gives the same
//! bytes on every machine. Outside hosts live in the documentation ranges (RFC 5737, RFC 3849), inside hosts in RFC 1918,
//! names end in `.example` or `example.com` (RFC 2606): nothing here points at anybody.

mod anomalies;
mod apps;
mod demo;
mod net;
mod rng;
mod scale;
mod scenes;
mod tcp;
mod truth;
mod wire;

pub use demo::demo;
pub use net::{Host, Net, Os};
pub use rng::Rng;
pub use scale::{Load, Profile, Scale, scale};
pub use scenes::{SCENARIOS, Scenario, list, scenario};
pub use tcp::Tcp;
pub use truth::{Deed, Instance, Truth};

use crate::capture::write::PcapWriter;
use crate::model::{LinkType, Ts};
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
pub fn write_pcap(capture: &Capture, out: impl Write) -> io::Result<()> {
    let mut writer = PcapWriter::new(out, LinkType::ETHERNET, false)?;
    capture.frames.iter().try_for_each(|(ts, bytes)| writer.frame(*ts, bytes.len() as u32, bytes))?;
    writer.finish().map(drop)
}

#[cfg(test)]
mod announced;
#[cfg(test)]
mod storey;
#[cfg(test)]
mod tests;
