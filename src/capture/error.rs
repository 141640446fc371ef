//! Errors of this floor: only what the person at the keyboard can mend. Damage inside evidence is never an error, it is a row.

use std::io;
use std::path::PathBuf;

/// Why evidence could not be opened at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was given.
    #[error("no evidence given; name a capture, a folder of captures, or - for standard input")]
    NoPath,
    /// A path that does not exist.
    #[error("cannot open {0:?}: no such file or folder; check the spelling and the current folder")]
    NotFound(PathBuf),
    /// A path that this user may not read.
    #[error("cannot open {0:?}: permission denied; read it as its owner or with sudo")]
    Denied(PathBuf),
    /// Any other refusal of the operating system.
    #[error("cannot open {path:?}: {source}; copy it to a local disk and try again")]
    Io {
        /// What was to be opened.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Evidence was given, but none of it is a capture.
    #[error("no capture in {0}; vigil reads pcap, pcapng and snoop, plain or as .gz .zst .xz .bz2 .lz4")]
    NoCapture(String),
    /// The expression of `--filter` makes no sense to libpcap.
    #[error("the filter {expression:?} is not understood: {why}; write it as for tcpdump, such as 'host 10.0.0.5 and tcp port 80'")]
    Filter {
        /// As typed.
        expression: String,
        /// What libpcap said.
        why: String,
    },
    /// An interface that this user may not listen to.
    #[error(
        "not allowed to capture on {interface:?}: vigil needs the right CAP_NET_RAW. Give it once with `sudo setcap cap_net_raw+ep {program}`, or run vigil with sudo"
    )]
    NoRight {
        /// Which.
        interface: String,
        /// The program that needs the right.
        program: String,
    },
    /// An interface that does not exist.
    #[error("no interface {interface:?}; there are {known}. To replay a file, use --read FILE")]
    NoInterface {
        /// As typed.
        interface: String,
        /// Those that exist.
        known: String,
    },
    /// An interface that cannot be opened.
    #[error("cannot capture on {interface:?}: {why}; `ip link` tells whether it is up")]
    Interface {
        /// Which.
        interface: String,
        /// What libpcap said.
        why: String,
    },
    /// The ring of packets cannot be written.
    #[error("cannot write the ring of packets {path:?}: {source}; name another folder with --ring, or a smaller --ring-size")]
    Ring {
        /// Folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system lends no thread to read or hash with.
    #[error("cannot start a thread that reads the evidence: {0}; close other programs or raise the limit of processes (ulimit -u)")]
    Thread(io::Error),
    /// The reading thread ended without saying why.
    #[error("the thread that reads the evidence died; this is a defect of vigil: please report it with the message above")]
    ReaderDied,
}

impl Error {
    /// What the system said about `path`, with the cure where there is one.
    pub(super) fn opening(path: PathBuf, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound(path),
            io::ErrorKind::PermissionDenied => Self::Denied(path),
            _ => Self::Io { path, source },
        }
    }
}
