//! The record of the work: evidence, damage, what was read and what was not, which version did it.

use crate::model::beside::{Comment, Interface, OtherBlock, ResolvedName, Secrets};
use crate::model::{CaptureInfo, Damage, FlowProcess, LinkType, Ts};
use crate::store::column::{Columns, filled};

/// A row of `captures`, its lists made into text.
pub struct CaptureRow<'a> {
    info: &'a CaptureInfo,
    links: Vec<String>,
}

impl<'a> CaptureRow<'a> {
    /// Of one evidence file.
    pub fn new(info: &'a CaptureInfo) -> Self {
        Self { info, links: info.links.iter().copied().map(LinkType::name).collect() }
    }
}

/// `captures`
pub fn captures<'a>() -> Columns<CaptureRow<'a>> {
    Columns::new()
        .int("capture_id", "Index in the case, from 0.", |r: &CaptureRow<'_>| r.info.id)
        .text("path", "Path as given, `-` for standard input.", |r| Some(&r.info.path))
        .text(
            "format",
            "`pcap`, `pcap-ns`, `pcap-modified`, `pcapng`, with `-be` where big-endian, `snoop`; NULL if not recognised.",
            |r| filled(&r.info.format),
        )
        .text("compression", "`gzip`, `zstd`, `xz`, `bzip2`, `lz4`; NULL if none.", |r| filled(&r.info.compression))
        .big("bytes", "Size of the file as stored.", |r| r.info.bytes)
        .text("sha256", "Of the file as stored, hex.", |r| filled(&r.info.sha256))
        .text("blake3", "Of the file as stored, hex.", |r| filled(&r.info.blake3))
        .big("frames", "Frames read.", |r| r.info.frames)
        .big("frame_bytes", "Captured bytes of these frames.", |r| r.info.frame_bytes)
        .big("wire_bytes", "Their bytes on the wire.", |r| r.info.wire_bytes)
        .big("truncated_frames", "Frames captured shorter than they were.", |r| r.info.truncated_frames)
        .big("snaplen", "Largest snap length announced, 0 if unlimited or unknown.", |r| r.info.snaplen)
        .texts("links", "Link types.", |r| &r.links)
        .moment("first_ts", "Earliest frame.", |r| r.info.first_ts)
        .moment("last_ts", "Latest frame.", |r| r.info.last_ts)
        .big("backward_jumps", "Frames earlier than the frame before.", |r| r.info.backward_jumps)
        .big("reported_drops", "Drops announced by the capturing program; NULL if it did not say.", |r| r.info.reported_drops)
        .texts("comments", "Capturing application, hardware, system and comments.", |r| &r.info.comments)
        .big("damaged", "Rows of `damage` that belong to it.", |r| r.info.damaged)
        .texts("also_at", "Given again under these paths: read once.", |r| &r.info.also_at)
}

/// Something that a capture says beside its packets, with the capture that says it.
pub struct Said<'a, T> {
    capture: u32,
    said: &'a T,
}

impl<'a, T> Said<'a, T> {
    /// What all captures say of one kind, in order.
    pub fn by(captures: &'a [CaptureInfo], pick: impl Fn(&'a CaptureInfo) -> &'a [T] + Copy) -> Vec<Self> {
        captures.iter().flat_map(|info| pick(info).iter().map(|said| Said { capture: info.id, said })).collect()
    }
}

/// `capture_interfaces`
pub fn capture_interfaces<'a>() -> Columns<Said<'a, Interface>> {
    Columns::new()
        .int("capture_id", "Evidence file.", |r: &Said<'_, Interface>| r.capture)
        .int("section", "Section of the file, from 0.", |r| r.said.section)
        .int("interface", "Number within the section, from 0.", |r| r.said.id)
        .text("name", "Name of the device.", |r| filled(&r.said.name))
        .text("description", "What it is.", |r| filled(&r.said.description))
        .text("filter", "Which packets were captured.", |r| filled(&r.said.filter))
        .text("os", "Operating system of the capturing host.", |r| filled(&r.said.os))
        .text("hardware", "Hardware of the interface.", |r| filled(&r.said.hardware))
        .shown("mac", "Hardware address.", |r| r.said.mac)
        .texts("addresses", "Addresses with the lengths of their networks.", |r| &r.said.addresses)
        .big("speed", "Bits per second.", |r| r.said.speed)
        .shown("link", "Link type.", |r| Some(r.said.link.name()))
        .big("snaplen", "Snap length, 0 for none.", |r| r.said.snaplen)
        .text("resolution", "Unit of its times.", |r| filled(&r.said.resolution))
        .big("offset_s", "Seconds added to its times.", |r| r.said.offset_s)
        .big("frames", "Frames in the file.", |r| r.said.frames)
        .big("inbound", "Frames marked as received by the capturing host.", |r| r.said.inbound)
        .big("outbound", "Frames marked as sent by it.", |r| r.said.outbound)
        .big("faulty", "Frames marked with an error of the link layer; see `comments`.", |r| r.said.faulty)
        .big("lost_between", "Packets lost between those in the file, as counted packet by packet.", |r| r.said.lost_between)
        .big("received", "Packets that the interface received; NULL if it did not say.", |r| r.said.received)
        .big("dropped", "Packets that the interface dropped; NULL if it did not say.", |r| r.said.dropped)
        .big("filter_accepted", "Packets that passed the filter; NULL if it did not say.", |r| r.said.filter_accepted)
        .big("os_dropped", "Packets that the operating system dropped; NULL if it did not say.", |r| r.said.os_dropped)
        .big("delivered", "Packets handed to the capturing program; NULL if it did not say.", |r| r.said.delivered)
        .moment("started", "When capturing began.", |r| r.said.started)
        .moment("ended", "When it ended.", |r| r.said.ended)
}

/// `comments`
pub fn comments<'a>() -> Columns<Said<'a, Comment>> {
    Columns::new()
        .int("capture_id", "Evidence file.", |r: &Said<'_, Comment>| r.capture)
        .int("section", "Section of the file, from 0.", |r| r.said.section)
        .text("about", "`section`, `interface`, `packet`, `statistics`, `names`, `secrets`.", |r| Some(r.said.about.name()))
        .int("interface", "Interface that it is about, or that captured the packet.", |r| r.said.interface)
        .big("frame", "Frame number in the case, where it is about a packet.", |r| r.said.frame)
        .big("frame_in_file", "Its number in the file.", |r| r.said.frame_in_file)
        .text("kind", "`comment`, `hardware`, `os`, `application`, `link_error`, or `custom` and an enterprise number.", |r| {
            Some(&r.said.kind)
        })
        .text("text", "What is said.", |r| Some(&r.said.text))
}

/// `resolved_names`
pub fn resolved_names<'a>() -> Columns<Said<'a, ResolvedName>> {
    Columns::new()
        .int("capture_id", "Evidence file.", |r: &Said<'_, ResolvedName>| r.capture)
        .text("address", "IP or hardware address.", |r| Some(&r.said.address))
        .text("name", "The name that the capturing host knew.", |r| Some(&r.said.name))
        .text("server", "Server that was asked; NULL if not told.", |r| filled(&r.said.server))
}

/// `capture_blocks`
pub fn capture_blocks<'a>() -> Columns<Said<'a, OtherBlock>> {
    Columns::new()
        .int("capture_id", "Evidence file.", |r: &Said<'_, OtherBlock>| r.capture)
        .int("section", "Section of the file, from 0.", |r| r.said.section)
        .big("offset", "Byte offset of the first in the decompressed file.", |r| r.said.offset)
        .big("after_frame", "Frame read just before it in that file, 0 if none.", |r| r.said.after_frame)
        .big("type", "Block type.", |r| r.said.kind)
        .text("name", "What the type is called; NULL if unknown.", |r| filled(r.said.name()))
        .big("pen", "Private enterprise number of a custom block.", |r| r.said.pen)
        .big("count", "How many: unknown types share a row.", |r| r.said.count)
        .big("bytes", "Bytes of their bodies.", |r| r.said.bytes)
        .text("content", "How the content of the first begins: text where it is text, else hex.", |r| filled(&r.said.content))
}

/// A row of `decryption_secrets`.
pub struct SecretsRow<'a> {
    secrets: &'a Secrets,
    content: Option<String>,
}

impl<'a> SecretsRow<'a> {
    /// Of one block; its content only where secrets are to be revealed.
    pub fn new(secrets: &'a Secrets, reveal: bool) -> Self {
        Self { secrets, content: reveal.then(|| String::from_utf8_lossy(&secrets.bytes).into_owned()) }
    }
}

/// `decryption_secrets`
pub fn decryption_secrets<'a>() -> Columns<SecretsRow<'a>> {
    Columns::new()
        .int("capture_id", "Evidence file.", |r: &SecretsRow<'_>| r.secrets.capture)
        .int("section", "Section of the file, from 0.", |r| r.secrets.section)
        .big("offset", "Byte offset of the block in the decompressed file.", |r| r.secrets.offset)
        .big("after_frame", "Frame read just before it in that file, 0 if none.", |r| r.secrets.after_frame)
        .big("type", "Type of secrets.", |r| r.secrets.kind)
        .text("name", "`tls_key_log`, `ssh_key_log`, `wireguard_key_log` …; NULL if unknown.", |r| filled(r.secrets.name()))
        .big("bytes", "Their length.", |r| r.secrets.bytes.len() as u64)
        .big("entries", "Lines of a key log; 1 for other kinds.", |r| r.secrets.entries())
        .text("content", "As written, if secrets are to be revealed; else NULL.", |r| r.content.as_deref())
}

/// `damage`
pub fn damage() -> Columns<Damage> {
    Columns::new()
        .int("capture_id", "Evidence file.", |r: &Damage| r.capture)
        .big("after_frame", "Frame read just before it in that file, 0 if none.", |r| r.after_frame)
        .big("offset", "Byte offset in the decompressed file.", |r| r.offset)
        .big("skipped", "Bytes skipped to resume, 0 if none or to the end.", |r| r.skipped)
        .text("kind", "What: `cut_short`, `bad_record` …", |r| Some(r.kind.name()))
        .bool("loses_evidence", "Evidence is missing because of it.", |r| r.kind.loses_evidence())
        .text("detail", "A sentence with the numbers.", |r| filled(&r.detail))
}

/// Frames of one capture that ended the same way: a row of `packets_summary`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PacketsSummary {
    /// Evidence file.
    pub capture: u32,
    /// `transport`, `arp` … where reading reached its end, or the layer at which it stopped.
    pub layer: String,
    /// Why it stopped; empty where it did not.
    pub reason: String,
    /// The number not understood.
    pub number: Option<u32>,
    /// Frames.
    pub frames: u64,
    /// Bytes on the wire.
    pub bytes: u64,
}

/// `packets_summary`
pub fn packets_summary() -> Columns<PacketsSummary> {
    Columns::new()
        .int("capture_id", "Evidence file.", |r: &PacketsSummary| r.capture)
        .text("layer", "Layer reached, or at which reading stopped.", |r| Some(&r.layer))
        .text("reason", "Why it stopped; NULL where the frame was read to its end.", |r| filled(&r.reason))
        .big("number", "The link type, ether type or protocol not understood.", |r| r.number)
        .big("frames", "Frames.", |r| r.frames)
        .big("bytes", "Their bytes on the wire.", |r| r.bytes)
}

/// What passed in one bucket of time: a row of `statistics`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatisticsRow {
    /// Start of the bucket.
    pub ts_ns: Ts,
    /// Its width.
    pub bucket_ns: i64,
    /// Frames.
    pub frames: u64,
    /// Bytes on the wire.
    pub bytes: u64,
    /// Flows that began.
    pub flows: u64,
}

/// `statistics`
pub fn statistics() -> Columns<StatisticsRow> {
    Columns::new()
        .moment("ts", "Start of the bucket.", |r: &StatisticsRow| r.ts_ns)
        .big("bucket_ns", "Its width.", |r| r.bucket_ns)
        .big("frames", "Frames.", |r| r.frames)
        .big("bytes", "Bytes on the wire.", |r| r.bytes)
        .big("flows", "Flows that began.", |r| r.flows)
}

/// What made the case, as far as it is the same on every run: the row of `runs`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunRow {
    /// Options that shape the result, as JSON; not the number of threads, nor paths of output.
    pub options: serde_json::Value,
    /// Limits in force, as JSON.
    pub limits: serde_json::Value,
}

/// `runs`
pub fn runs() -> Columns<RunRow> {
    Columns::new()
        .text("version", "vigil's version.", |_: &RunRow| Some(env!("CARGO_PKG_VERSION")))
        .int("schema", "Version of these tables.", |_| super::VERSION)
        .shown("options", "Options that shape the result, JSON.", |r| Some(r.options.to_string()))
        .shown("limits", "Limits in force, JSON.", |r| Some(r.limits.to_string()))
}

/// Something vigil has to say about its own work: a row of `system_logs`. Never a time of the clock on the wall.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemLog {
    /// `info`, `warning`, `error`.
    pub level: String,
    /// Floor that says it.
    pub source: String,
    /// What.
    pub message: String,
    /// How often.
    pub count: u64,
}

/// `system_logs`
pub fn system_logs() -> Columns<SystemLog> {
    Columns::new()
        .text("level", "`info`, `warning`, `error`.", |r: &SystemLog| Some(&r.level))
        .text("source", "Floor that says it.", |r| Some(&r.source))
        .text("message", "What.", |r| Some(&r.message))
        .big("count", "How often.", |r| r.count)
}

/// `flow_process`
pub fn flow_process() -> Columns<FlowProcess> {
    Columns::new()
        .big("flow_id", "Flow (`flows.flow_id`).", |r: &FlowProcess| r.flow)
        .moment("ts", "First packet of the flow.", |r| r.ts_ns)
        .bool("originator", "The program's end is the originator.", |r| r.originator)
        .big("pid", "Process id.", |r| r.pid)
        .text("executable", "Path of the executable; its short name where the path may not be read.", |r| filled(&r.executable))
        .text("command", "Its arguments, joined by spaces and capped.", |r| filled(&r.command))
        .big("uid", "User id that owns the socket.", |r| r.uid)
        .text("user", "Name of that user; NULL if unknown.", |r| filled(&r.user))
}
