//! `flows`, `flow_shape` and `payloads`: one row per flow each, kept apart so that scans of `flows` stay narrow.

use crate::model::flow::{EndReason, Flow, IpIds, Moments, Side};
use crate::model::{HomeNets, Mac};
use crate::store::column::{Columns, filled};
use std::fmt;
use std::ops::Deref;

/// A flow, and which of its ends are ours.
pub struct FlowRow<'a> {
    flow: &'a Flow,
    local_orig: bool,
    local_resp: bool,
}

impl<'a> FlowRow<'a> {
    /// Judges both ends by the home networks.
    pub fn new(flow: &'a Flow, home: &HomeNets) -> Self {
        Self { flow, local_orig: home.contains(flow.orig_h), local_resp: home.contains(flow.resp_h) }
    }
}

impl Deref for FlowRow<'_> {
    type Target = Flow;
    fn deref(&self) -> &Flow {
        self.flow
    }
}

fn direction(row: &FlowRow<'_>) -> &'static str {
    match (row.local_orig, row.local_resp) {
        (true, false) => "out",
        (false, true) => "in",
        (true, true) => "lat",
        (false, false) => "ext",
    }
}

fn seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}

fn hardware(mac: Mac) -> Option<Hardware> {
    (!mac.is_zero()).then_some(Hardware(mac))
}

/// `flows`: Zeek's conn log, then where it lies in the evidence, then the sixteen features.
pub fn flows<'a>() -> Columns<FlowRow<'a>> {
    features(place(conn()))
}

fn conn<'a>() -> Columns<FlowRow<'a>> {
    Columns::new()
        .big("flow_id", "Unique: first frame * 16 + nesting depth.", |r: &FlowRow<'_>| r.id)
        .moment("ts", "First packet.", |r| r.ts_ns)
        .moment("last_ts", "Last packet.", |r| r.last_ns)
        .shown("id_orig_h", "Originator's address, canonical text.", |r| Some(r.orig_h))
        .int("id_orig_p", "Originator's port; ICMP type.", |r| r.orig_p)
        .shown("id_resp_h", "Responder's address, canonical text.", |r| Some(r.resp_h))
        .int("id_resp_p", "Responder's port; ICMP code, or type of the counterpart.", |r| r.resp_p)
        .text("proto", "`tcp`, `udp`, `icmp`, `sctp`, `unknown_transport`.", |r| Some(r.proto.name()))
        .text(
            "service",
            "Protocols confirmed by content, or told by the first bytes of frames that were cut short, joined by commas; NULL if none.",
            |r| filled(&r.service),
        )
        .double("duration", "Seconds from first to last packet as Zeek counts; NULL for a single packet.", |r| r.duration_ns.map(seconds))
        .big("orig_bytes", "Payload bytes of the originator; TCP by sequence numbers.", |r| r.orig.bytes)
        .big("resp_bytes", "Payload bytes of the responder; TCP by sequence numbers.", |r| r.resp.bytes)
        .text("conn_state", "Zeek's state: `SF`, `S0`, `REJ` …", |r| Some(r.conn_state))
        .bool("local_orig", "The originator lies in a home network.", |r| r.local_orig)
        .bool("local_resp", "The responder lies in a home network.", |r| r.local_resp)
        .text("direction", "`out` ours to theirs, `in` theirs to ours, `lat` ours to ours, `ext` neither ours.", |r| Some(direction(r)))
        .big("missed_bytes", "Payload bytes missing in the capture, both sides, of connections whose handshake was seen.", |r| {
            r.missed_bytes
        })
        .text("history", "Zeek's letters, upper case from the originator.", |r| Some(&r.history))
        .big("orig_pkts", "Packets of the originator, every one.", |r| r.orig.pkts)
        .big("orig_ip_bytes", "Sum of their IP lengths.", |r| r.orig.ip_bytes)
        .big("resp_pkts", "Packets of the responder, every one.", |r| r.resp.pkts)
        .big("resp_ip_bytes", "Sum of their IP lengths.", |r| r.resp.ip_bytes)
        .bigs(
            "tunnel_parents",
            "The tunnels it travels in, innermost only: rows of `flows`, or of `tunnel` where no flow carries them.",
            |r| r.tunnel_parents.as_slice(),
        )
        .int("ip_proto", "IANA protocol number.", |r| r.ip_proto)
        .text("community_id", "Community ID v1, seed 0.", |r| filled(&r.community_id))
        .int("vlan", "Outer VLAN id.", |r| r.vlans[0])
        .int("inner_vlan", "Inner VLAN id.", |r| r.vlans[1])
        .shown("orig_l2_addr", "Hardware address of the originator's frames.", |r| hardware(r.orig.mac))
        .shown("resp_l2_addr", "Hardware address of the responder's frames.", |r| hardware(r.resp.mac))
}

fn place<'a>(columns: Columns<FlowRow<'a>>) -> Columns<FlowRow<'a>> {
    columns
        .int("capture_id", "Evidence file of its first frame (`captures`).", |r| r.capture)
        .big("first_frame", "First frame, case number (`packets.parquet`).", |r| r.first_frame)
        .big("last_frame", "Last frame, case number.", |r| r.last_frame)
        .bigs("frames", "Frames worth showing: the first eight and the last, ascending.", |r| r.frames.as_slice())
        .int("layer", "Nesting depth, 0 outermost.", |r| r.layer)
        .text("end_reason", "Why it was written: `closed`, `idle`, `active`, `capture_end`, `memory`.", |r| Some(r.end.name()))
        .bool("midstream", "No SYN seen: it began before the capture, or on another path.", |r| r.midstream)
        .bool("flipped", "Originator was changed after the first packet (Zeek's `^`).", |r| r.flipped)
        .int("first_flags", "TCP flags of the first packet: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128.", |r| {
            r.first_flags
        })
        .bool("open_at_end", "Still open when the capture ended.", |r| r.end == EndReason::CaptureEnd)
}

fn counted(side: &Side) -> u64 {
    side.pkts.saturating_sub(side.dup_pkts)
}

fn features<'a>(columns: Columns<FlowRow<'a>>) -> Columns<FlowRow<'a>> {
    columns
        .double("flow_duration", "Last packet minus first packet, seconds.", |r| seconds(r.last_ns.saturating_sub(r.ts_ns)))
        .big("total_fwd_packets", "Packets of the originator without capture duplicates.", |r| counted(&r.orig))
        .big("total_bwd_packets", "Packets of the responder without capture duplicates.", |r| counted(&r.resp))
        .big("total_packets", "Packets of both without capture duplicates.", |r| counted(&r.orig) + counted(&r.resp))
        .double("packet_length_mean", "Mean IP length, bytes.", |r| r.len.mean())
        .double("packet_length_std", "Sample standard deviation (n-1) of the IP length; NULL below two packets.", |r| r.len.std())
        .double("fwd_packet_length_mean", "The same, originator's packets.", |r| r.orig.len.mean())
        .double("fwd_packet_length_std", "The same, originator's packets.", |r| r.orig.len.std())
        .double("bwd_packet_length_mean", "The same, responder's packets.", |r| r.resp.len.mean())
        .double("bwd_packet_length_std", "The same, responder's packets.", |r| r.resp.len.std())
        .double("iat_mean", "Mean gap between consecutive packets of the flow, seconds.", |r| r.iat.mean())
        .double("iat_std", "Sample standard deviation (n-1) of these gaps; NULL below two gaps.", |r| r.iat.std())
        .double("fwd_iat_mean", "The same between packets of the originator.", |r| r.orig.iat.mean())
        .double("fwd_iat_std", "The same between packets of the originator.", |r| r.orig.iat.std())
        .double("bwd_iat_mean", "The same between packets of the responder.", |r| r.resp.iat.mean())
        .double("bwd_iat_std", "The same between packets of the responder.", |r| r.resp.iat.std())
}

type Pick = fn(&Flow) -> &Side;
const SIDES: [(&str, Pick); 2] = [("orig", |flow| &flow.orig), ("resp", |flow| &flow.resp)];

/// `flow_shape`: what the packets of a flow look like, side by side.
pub fn flow_shape<'a>() -> Columns<FlowRow<'a>> {
    let mut columns = syn(Columns::new().big("flow_id", "Flow.", |r: &FlowRow<'_>| r.id));
    for (who, pick) in SIDES {
        columns = moments(histograms(tcp(columns, who, pick), who, pick), who, pick);
    }
    columns
}

fn syn<'a>(columns: Columns<FlowRow<'a>>) -> Columns<FlowRow<'a>> {
    columns
        .double("rtt_syn", "Seconds from SYN to SYN-ACK.", |r| r.rtt_syn)
        .int("syn_mss", "Maximum segment size of the first SYN.", |r| (r.syn.seen && r.syn.mss > 0).then_some(r.syn.mss))
        .int("syn_wscale", "Window scale of the first SYN.", |r| r.syn.wscale)
        .int("syn_window", "Window of the first SYN.", |r| r.syn.seen.then_some(r.syn.window))
        .shown("syn_opts", "Option kinds of the first SYN in order, joined by `-`: a fingerprint of the stack.", |r| {
            r.syn.seen.then_some(OptionKinds(r.syn.option_kinds))
        })
        .ints("first_lens", "Lengths of the first eight packets with payload, negative from the responder.", |r| r.first_lens.as_slice())
        .bigs("first_iats_us", "Microseconds from the packet before, for each of these.", |r| r.first_iats_us.as_slice())
}

struct OptionKinds([u8; 12]);

impl fmt::Display for OptionKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = self.0.iter().rposition(|kind| *kind != 0).map_or(0, |last| last + 1);
        for (index, kind) in self.0.iter().take(used).enumerate() {
            write!(f, "{}{kind}", if index > 0 { "-" } else { "" })?;
        }
        Ok(())
    }
}

fn tcp<'a>(columns: Columns<FlowRow<'a>>, who: &str, pick: Pick) -> Columns<FlowRow<'a>> {
    const FLAGS: [&str; 8] = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"];
    let columns = columns
        .big(format!("{who}_payload_bytes"), "Payload bytes of the packets themselves, retransmissions included.", move |r| {
            pick(r).payload_bytes
        })
        .big(format!("{who}_data_pkts"), "Packets with payload.", move |r| pick(r).data_pkts)
        .big(format!("{who}_dup_pkts"), "Packets recognised as captured twice.", move |r| pick(r).dup_pkts)
        .big(format!("{who}_missed_bytes"), "Payload bytes missing in the capture, handshake seen or not.", move |r| pick(r).missed_bytes)
        .big(format!("{who}_gaps"), "Times that bytes were missing.", move |r| pick(r).gaps)
        .big(
            format!("{who}_bad_checksums"),
            "Packets with a wrong TCP or UDP checksum; those left to the network card are not counted.",
            move |r| pick(r).bad_checksums,
        )
        .big(format!("{who}_retrans"), "Retransmitted segments.", move |r| pick(r).retrans)
        .big(format!("{who}_ooo"), "Segments out of order.", move |r| pick(r).ooo)
        .big(format!("{who}_zero_win"), "Segments with a zero window.", move |r| pick(r).zero_win)
        .big(format!("{who}_dup_acks"), "Duplicate acknowledgements.", move |r| pick(r).dup_acks)
        .int(format!("{who}_ttl_min"), "Least TTL or hop limit.", move |r| (pick(r).pkts > 0).then_some(pick(r).ttl_min))
        .int(format!("{who}_ttl_max"), "Greatest TTL or hop limit.", move |r| (pick(r).pkts > 0).then_some(pick(r).ttl_max))
        .int(format!("{who}_init_win"), "First window, unscaled.", move |r| pick(r).init_win)
        .int(format!("{who}_tos"), "DSCP and ECN byte of the first packet.", move |r| (pick(r).pkts > 0).then_some(pick(r).tos))
        .text(
            format!("{who}_ipid_mode"),
            "How IP identifications follow each other: `zero`, `constant`, `rising`, `mixed`; NULL below two packets, and for IPv6.",
            move |r| pick(r).ip_ids.filter(|_| r.orig_h.is_ipv4()).map(IpIds::name),
        );
    FLAGS.into_iter().enumerate().fold(columns, |columns, (bit, flag)| {
        columns.int(format!("{who}_{flag}"), format!("Packets with {}.", flag.to_uppercase()), move |r| pick(r).flags[bit])
    })
}

/// Most flows are short: sixteen bins each way of two histograms would be half of the cells of `flow_shape`, nearly all zero.
fn used(bins: &[u32]) -> &[u32] {
    let end = bins.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
    bins.get(..end).unwrap_or_default()
}

fn histograms<'a>(columns: Columns<FlowRow<'a>>, who: &str, pick: Pick) -> Columns<FlowRow<'a>> {
    columns
        .ints(format!("{who}_len_hist"), "Packets by floor(log2(IP length)), 16 bins; zero bins at the end are left out.", move |r| {
            used(&pick(r).len_hist)
        })
        .ints(format!("{who}_iat_hist"), "Gaps by floor(log2(microseconds)) / 2, 16 bins; zero bins at the end are left out.", move |r| {
            used(&pick(r).iat_hist)
        })
        .double(format!("{who}_max_gap"), "Longest pause between two data packets, seconds.", move |r| pick(r).max_gap)
}

fn moments<'a>(columns: Columns<FlowRow<'a>>, who: &str, pick: Pick) -> Columns<FlowRow<'a>> {
    type Series = fn(&Side) -> &Moments;
    const SERIES: [(&str, &str, Series); 3] = [
        ("len", "IP length, bytes", |side| &side.len),
        ("payload", "transport payload length, bytes", |side| &side.payload_len),
        ("iat", "gap to the packet before in this direction, seconds", |side| &side.iat),
    ];
    let mut columns = columns;
    for (name, what, series) in SERIES {
        let of = move |r: &FlowRow<'_>| *series(pick(r));
        columns = columns.double(format!("{who}_{name}_min"), format!("Least {what}."), move |r| some(&of(r), of(r).min)).double(
            format!("{who}_{name}_max"),
            format!("Greatest {what}."),
            move |r| some(&of(r), of(r).max),
        );
        // Mean and deviation of length and gap are features of `flows` already.
        if name == "payload" {
            columns = columns.double(format!("{who}_{name}_mean"), format!("Mean {what}."), move |r| of(r).mean()).double(
                format!("{who}_{name}_std"),
                format!("Sample standard deviation of the {what}."),
                move |r| of(r).std(),
            );
        }
    }
    columns
}

fn some(moments: &Moments, value: f64) -> Option<f64> {
    (moments.n > 0).then_some(value)
}

/// `payloads`: how the bytes of each side begin. Only flows that carried any.
pub fn payloads<'a>() -> Columns<FlowRow<'a>> {
    let mut columns = Columns::new().big("flow_id", "Flow.", |r: &FlowRow<'_>| r.id);
    for (who, pick) in SIDES {
        columns = columns
            .shown(format!("{who}_first_bytes"), "First payload bytes, at most 64, hex.", move |r| {
                (!pick(r).first_bytes.is_empty()).then(|| Hex(pick(r).first_bytes.clone()))
            })
            .double(format!("{who}_entropy"), "Shannon entropy of the first 256 payload bytes, bits per byte.", move |r| pick(r).entropy)
            .double(format!("{who}_printable"), "Share of printable ASCII in the first 256 payload bytes.", move |r| pick(r).printable);
    }
    columns
}

/// Whether a flow has a row in `payloads`.
pub fn has_payload(flow: &Flow) -> bool {
    [&flow.orig, &flow.resp].into_iter().any(|side| !side.first_bytes.is_empty() || side.entropy.is_some() || side.printable.is_some())
}

/// Bytes as lower-case hex.
pub struct Hex<B>(pub B);

impl<B: AsRef<[u8]>> fmt::Display for Hex<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        // Through a buffer: a call of the formatter per digit shows in the time it takes to store a million flows.
        let mut digits = [0; 64];
        for part in self.0.as_ref().chunks(32) {
            for (byte, pair) in part.iter().zip(digits.chunks_exact_mut(2)) {
                pair[0] = DIGITS[usize::from(byte >> 4)];
                pair[1] = DIGITS[usize::from(byte & 15)];
            }
            f.write_str(std::str::from_utf8(&digits[..part.len() * 2]).unwrap_or_default())?;
        }
        Ok(())
    }
}

/// A hardware address, for the same reason not by way of six formatted numbers.
struct Hardware(Mac);

impl fmt::Display for Hardware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b':'; 17];
        for (byte, pair) in self.0.0.iter().zip(text.chunks_mut(3)) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}
