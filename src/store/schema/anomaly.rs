//! `tcp_anomaly` and `frag`: what a third hand leaves behind.

use super::events::{EventRow, place};
use super::flows::Hex;
use crate::model::anomaly::{Frag, TcpAnomaly, Witness};
use crate::store::column::{Columns, filled};

/// `tcp_anomaly`
pub fn tcp_anomaly<'a>() -> Columns<EventRow<'a, TcpAnomaly>> {
    type Pick = fn(&TcpAnomaly) -> &Witness;
    const BOTH: [(&str, &str, Pick); 2] = [("a", "earlier", |odd| &odd.a), ("b", "later", |odd| &odd.b)];
    let columns = place()
        .text("kind", "`overlap_diff` the same place, other bytes; `rst_race` payload after a reset; `synack_diff_isn` another SYN-ACK; `ttl_outlier` a reset from elsewhere.", |r: &EventRow<'_, TcpAnomaly>| filled(r.kind))
        .bool("is_orig", "Both segments are said to come from the originator.", |r| r.is_orig)
        .big("seq", "Sequence number of the later segment.", |r| r.seq)
        .big("len", "Its payload bytes.", |r| r.len);
    BOTH.into_iter().fold(columns, |columns, (name, which, pick)| {
        columns
            .big(format!("frame_{name}"), format!("Frame of the {which} segment."), move |r| pick(r).frame)
            .int(format!("ttl_{name}"), format!("TTL or hop limit of the {which} segment."), move |r| pick(r).ttl)
            .big(format!("ip_id_{name}"), format!("IP identification of the {which} segment."), move |r| pick(r).ip_id)
            .shown(format!("bytes_{name}"), format!("First bytes of the {which} segment where both overlap, hex, at most 16."), move |r| {
                (!pick(r).bytes.is_empty()).then(|| Hex(pick(r).bytes.clone()))
            })
    })
}

/// `frag`
pub fn frag<'a>() -> Columns<EventRow<'a, Frag>> {
    Columns::new()
        .moment("ts", "Time of the first fragment.", |r: &EventRow<'_, Frag>| r.at.ts_ns)
        .big("frame", "Its frame, case number.", |r| r.at.frame)
        .shown("src", "Source.", |r| Some(r.src))
        .shown("dst", "Destination.", |r| Some(r.dst))
        .big("id", "IP identification.", |r| r.id)
        .int("proto", "IANA protocol number.", |r| r.proto)
        .big("n_frags", "Fragments seen.", |r| r.fragments)
        .bigs("frames", "Their frames, at most 256; of a complete datagram the last is the one that completed it.", |r| r.frames.as_slice())
        .bool("overlap", "Some repeat bytes of others.", |r| r.overlap)
        .bool("diff_bytes", "Some contradict bytes of others.", |r| r.differs)
        .big("min_frag", "Payload bytes of the shortest one but the last.", |r| (r.shortest != u32::MAX).then_some(r.shortest))
        .big("max_off", "Where the farthest ends, bytes.", |r| r.end)
        .bool("complete", "The datagram was put together.", |r| r.complete)
        .text("dropped", "Why it was given up: `incomplete_fragment_set`, `fragment_memory_exceeded`; NULL if it was not.", |r| r.dropped)
}
