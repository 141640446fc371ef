//! Interfaces: for each a thread that copies frames into parcels and never waits. What finds no room in the queue is a counted drop.
//!
//! ```text
//! kernel ring ─▶ thread per interface ──parcels, bounded in bytes──▶ merge by time ─▶ blocks
//! ```
//!
//! Opening and starting are two steps, so that rights can be given up between them.

mod beginnings;
mod interface;
mod merge;
mod paced;
mod rights;

pub use beginnings::Beginnings;
pub use interface::{Counted, Counts};
pub use merge::Interfaces;
pub use paced::{Paced, Speed};
pub use rights::{Rights, give_up};

use super::Error;
use crate::model::LinkType;
use interface::{Device, Worker};
use merge::Intake;
use pcap::{Active, Capture, Precision};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::channel;

/// The kernel hands over frames at the latest after this time, milliseconds.
const KERNEL_PATIENCE_MS: i32 = 50;

/// How interfaces are listened to.
#[derive(Clone, Debug)]
pub struct Listening {
    /// BPF expression, applied by the kernel.
    pub filter: Option<String>,
    /// Frames to other hosts as well.
    pub promiscuous: bool,
    /// Bytes kept of each frame.
    pub snaplen: u32,
    /// The kernel's buffer for each interface, bytes.
    pub buffer_bytes: u32,
    /// Bytes that may wait between capture and analysis, over all interfaces.
    pub queue_bytes: usize,
}

impl Default for Listening {
    fn default() -> Self {
        Self { filter: None, promiscuous: true, snaplen: 262_144, buffer_bytes: 64 << 20, queue_bytes: 128 << 20 }
    }
}

/// Interfaces that are open, and not yet listened to.
pub struct Opened {
    devices: Vec<Device>,
    listening: Listening,
}

/// Opens interfaces by name; `any` is all of them.
pub fn open(names: &[String], listening: &Listening) -> Result<Opened, Error> {
    let devices = names.iter().map(|name| device(name, listening)).collect::<Result<_, _>>()?;
    Ok(Opened { devices, listening: listening.clone() })
}

fn device(name: &str, listening: &Listening) -> Result<Device, Error> {
    let failed = |error: pcap::Error| refused(name, &error);
    let small = |bytes: u32| i32::try_from(bytes).unwrap_or(i32::MAX);
    let opened = Capture::from_device(name)
        .map_err(failed)?
        .promisc(listening.promiscuous)
        .snaplen(small(listening.snaplen))
        .buffer_size(small(listening.buffer_bytes))
        .timeout(KERNEL_PATIENCE_MS)
        .precision(Precision::Nano)
        .open()
        .map_err(failed)?;
    let mut capture: Capture<Active> = opened.setnonblock().map_err(failed)?;
    if let Some(expression) = &listening.filter {
        let optimize = true;
        let wrong = |error: pcap::Error| Error::Filter { expression: expression.clone(), why: said(&error) };
        capture.filter(expression, optimize).map_err(wrong)?;
    }
    let link = LinkType(u16::try_from(capture.get_datalink().0).unwrap_or(u16::MAX));
    Ok(Device { name: name.into(), capture, link })
}

/// What libpcap said, without its own name for the kind of error.
fn said(error: &pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(said) => said.clone(),
        other => other.to_string(),
    }
}

/// Tells missing rights and misspelt names from all else: these a person can mend.
fn refused(name: &str, error: &pcap::Error) -> Error {
    let why = said(error);
    let lower = why.to_lowercase();
    if lower.contains("permission") || lower.contains("not permitted") {
        let program = std::env::current_exe().map_or_else(|_| "vigil".into(), |path| path.display().to_string());
        return Error::NoRight { interface: name.into(), program };
    }
    if lower.contains("no such device") {
        let mut known: Vec<String> = pcap::Device::list().unwrap_or_default().into_iter().map(|device| device.name).collect();
        known.sort();
        return Error::NoInterface { interface: name.into(), known: known.join(", ") };
    }
    Error::Interface { interface: name.into(), why }
}

impl Opened {
    /// Starts to listen. Frames are numbered from `first` on. Ends when `stop` is set and what the kernel holds has been taken.
    pub fn start(self, first: u64, stop: &Arc<AtomicBool>) -> Result<Interfaces, Error> {
        let (send, receive) = channel();
        let intake = Arc::new(Intake::new(self.listening.queue_bytes));
        let mut seats = Vec::new();
        for (number, device) in self.devices.into_iter().enumerate() {
            let seat = merge::Seat::new(&device);
            let worker = Worker::new(number, device, seat.counts.clone(), intake.clone(), send.clone(), stop.clone());
            let thread =
                std::thread::Builder::new().name(format!("capture-{number}")).spawn(move || worker.run()).map_err(Error::Thread)?;
            seats.push(seat.with(thread));
        }
        Ok(Interfaces::new(receive, intake, seats, self.listening, first))
    }
}

/// Addresses of this machine's interfaces.
pub fn addresses() -> BTreeSet<IpAddr> {
    let devices = pcap::Device::list().unwrap_or_default();
    devices.into_iter().flat_map(|device| device.addresses).map(|address| address.addr).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_cure() {
        let not_allowed = refused("eth0", &pcap::Error::PcapError("socket: Operation not permitted".into())).to_string();
        assert!(not_allowed.contains("eth0") && not_allowed.contains("sudo setcap cap_net_raw+ep"), "{not_allowed}");
        let unknown = refused("eth9", &pcap::Error::PcapError("eth9: No such device exists".into())).to_string();
        assert!(unknown.contains("eth9") && unknown.contains("there are"), "{unknown}");
    }
}
