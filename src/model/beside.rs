//! What a capture says beside its packets: all of it as its writer claims, none of it proven.

use super::{CapHit, LinkType, Mac, Ts};
use std::fmt;
use std::sync::Arc;

/// Everything that one capture says beside its packets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Where it was captured: rows of `capture_interfaces`.
    pub interfaces: Vec<Interface>,
    /// What people and programs noted: rows of `comments`.
    pub comments: Vec<Comment>,
    /// Names that the capturing host knew for addresses: rows of `resolved_names`.
    pub names: Vec<ResolvedName>,
    /// Blocks that hold neither packets nor any of the above: rows of `capture_blocks`.
    pub blocks: Vec<OtherBlock>,
    /// Caps that were reached while this was gathered.
    pub caps: Vec<CapHit>,
}

/// An interface as described in the capture, and what its counters said last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Section of the file, from 0.
    pub section: u32,
    /// Number within the section, from 0.
    pub id: u32,
    /// Link type of its frames.
    pub link: LinkType,
    /// Snap length, 0 for none.
    pub snaplen: u32,
    /// Name of the device.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Which packets were captured.
    pub filter: String,
    /// Operating system of the capturing host.
    pub os: String,
    /// Hardware of the interface.
    pub hardware: String,
    /// Hardware address.
    pub mac: Option<Mac>,
    /// Addresses with their networks, as told.
    pub addresses: Vec<String>,
    /// Bits per second.
    pub speed: Option<u64>,
    /// Unit of its times: `10^-6 s`.
    pub resolution: String,
    /// Seconds added to its times.
    pub offset_s: i64,
    /// Frames in the file.
    pub frames: u64,
    /// Of these, frames marked as received.
    pub inbound: u64,
    /// Frames marked as sent.
    pub outbound: u64,
    /// Frames marked with an error of the link layer.
    pub faulty: u64,
    /// Packets lost before those in the file, as counted packet by packet.
    pub lost_between: u64,
    /// Packets that the interface received.
    pub received: Option<u64>,
    /// Packets that the interface dropped for want of resources.
    pub dropped: Option<u64>,
    /// Packets that passed the filter.
    pub filter_accepted: Option<u64>,
    /// Packets that the operating system dropped.
    pub os_dropped: Option<u64>,
    /// Packets handed to the capturing program.
    pub delivered: Option<u64>,
    /// When capturing began.
    pub started: Option<Ts>,
    /// When it ended.
    pub ended: Option<Ts>,
}

/// What a comment is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// A section: the capture as a whole.
    #[default]
    Section,
    /// An interface.
    Interface,
    /// A packet.
    Packet,
    /// The counters of an interface.
    Statistics,
    /// A block of names.
    Names,
    /// A block of secrets.
    Secrets,
}

impl About {
    /// As stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Section => "section",
            Self::Interface => "interface",
            Self::Packet => "packet",
            Self::Statistics => "statistics",
            Self::Names => "names",
            Self::Secrets => "secrets",
        }
    }
}

/// Something noted in the capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comment {
    /// Section of the file, from 0.
    pub section: u32,
    /// What it is about.
    pub about: About,
    /// Interface, where it is about one or about a packet of one.
    pub interface: Option<u32>,
    /// Frame number in the case, where it is about a packet.
    pub frame: Option<u64>,
    /// Its number in the file.
    pub frame_in_file: Option<u64>,
    /// `comment`, `hardware`, `os`, `application`, `link_error`, or `custom` with its enterprise number.
    pub kind: String,
    /// The text.
    pub text: String,
}

/// A name for an address, as the capturing host resolved it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResolvedName {
    /// The address as canonical text.
    pub address: String,
    /// The name.
    pub name: String,
    /// Name or address of the server that was asked, empty if not told.
    pub server: String,
}

/// A block that holds no packets: custom, journal entries, types that nobody knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherBlock {
    /// Section of the file, from 0.
    pub section: u32,
    /// Byte offset of the first in the decompressed file.
    pub offset: u64,
    /// Frame read just before it in the file, 0 if none.
    pub after_frame: u64,
    /// Block type.
    pub kind: u32,
    /// Private enterprise number of a custom block.
    pub pen: Option<u32>,
    /// How many: unknown types share a row.
    pub count: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// How the content of the first begins: as text where it is text, else in hex.
    pub content: String,
}

impl OtherBlock {
    /// What the type is called, empty if unknown.
    pub fn name(&self) -> &'static str {
        match self.kind {
            9 => "systemd_journal",
            0x0bad => "custom",
            0x4000_0bad => "custom_not_to_copy",
            0x0201..=0x0220 => "sysdig",
            _ => "",
        }
    }
}

/// Secrets with which traffic can be decrypted. They are shown to nobody unless asked for.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// Evidence file.
    pub capture: u32,
    /// Section of the file, from 0.
    pub section: u32,
    /// Byte offset of the block in the decompressed file.
    pub offset: u64,
    /// Frame read just before in the file, 0 if none: they are meant for what follows.
    pub after_frame: u64,
    /// Secrets type: 0x544c534b is a TLS key log.
    pub kind: u32,
    /// As written.
    pub bytes: Arc<[u8]>,
}

impl Secrets {
    /// What the kind is called, empty if unknown.
    pub fn name(&self) -> &'static str {
        match self.kind {
            0x544c_534b => "tls_key_log",
            0x5353_484b => "ssh_key_log",
            0x5747_4b4c => "wireguard_key_log",
            0x5a4e_574b => "zigbee_nwk_key",
            0x5a41_504b => "zigbee_aps_key",
            0x5541_504b => "opc_ua_key_log",
            _ => "",
        }
    }

    /// Lines of a key log that are no comments; for other kinds, one.
    pub fn entries(&self) -> u64 {
        if !self.name().ends_with("key_log") {
            return 1;
        }
        let lines = self.bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        lines.filter(|line| !line.is_empty() && !line.starts_with(b"#")).count() as u64
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { capture, section, offset, after_frame, kind, bytes } = self;
        write!(f, "Secrets {{ capture: {capture}, section: {section}, offset: {offset}, after_frame: {after_frame}, kind: {kind:#x}, ")?;
        write!(f, "bytes: {} kept to themselves }}", bytes.len())
    }
}
