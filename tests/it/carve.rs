//! From a finding to its packets: exactly those, as they were captured, out of evidence that is still what it was.

use crate::desk::{Desk, Said, demo, pcap_of, scenario, shared, usable};
use pcap_parser::{Block, PcapBlockOwned, create_reader};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// A packet: nanoseconds, length on the wire, link type, bytes.
type Packet = (u64, u32, i32, Vec<u8>);

/// Packets and their comments in a carved capture.
fn packets(path: &Path) -> Vec<(Packet, String)> {
    let mut reader = create_reader(1 << 20, std::fs::File::open(path).unwrap()).unwrap();
    let (mut links, mut all) = (Vec::new(), Vec::new());
    loop {
        match reader.next() {
            Ok((used, block)) => {
                match block {
                    PcapBlockOwned::NG(Block::InterfaceDescription(it)) => links.push(it.linktype.0),
                    PcapBlockOwned::NG(Block::EnhancedPacket(it)) => {
                        let ts = (u64::from(it.ts_high) << 32) | u64::from(it.ts_low);
                        let comment = it.options.iter().find_map(|option| option.as_str().ok()).unwrap_or_default().to_owned();
                        let data = it.data[..it.caplen as usize].to_vec();
                        all.push(((ts, it.origlen, links[it.if_id as usize], data), comment));
                    }
                    _ => {}
                }
                reader.consume(used);
            }
            Err(pcap_parser::PcapError::Eof) => return all,
            Err(pcap_parser::PcapError::Incomplete(_)) => reader.refill().unwrap(),
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value}"))
}

/// The frames that a finding's carved file must hold: those of its flows and those it names.
fn expected(desk: &Desk, case: &str, id: &str) -> Vec<u64> {
    let rows = desk.sql(
        case,
        &format!(
            "SELECT frame FROM packets p WHERE flow_id IN (SELECT flow_id FROM finding_flows WHERE finding_id = '{id}') \
             OR list_has_any(inner_flow_ids, (SELECT coalesce(list(flow_id), []) FROM finding_flows WHERE finding_id = '{id}')) \
             OR frame IN (SELECT unnest(frames) FROM findings WHERE id = '{id}') ORDER BY frame"
        ),
    );
    rows.iter().map(|row| number(&row["frame"])).collect()
}

/// The number of the case in a comment.
fn frame_of(comment: &str) -> u64 {
    let line = comment.lines().find_map(|line| line.strip_prefix("frame ")).unwrap_or_else(|| panic!("no frame in {comment:?}"));
    line.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{line}"))
}

/// Analyses a finding's packets alone: its flows must be what they were. How many there are.
fn flows_come_out_again(desk: &Desk, case: &str, id: &str, carved: &str) -> usize {
    let folder = format!("{carved}.vigil");
    desk.vigil(["analyze", carved, "--out", &folder, "--models", "none", "--quiet"]);
    let shape = "SELECT community_id, orig_pkts, resp_pkts, orig_bytes, resp_bytes, conn_state, history, service FROM flows";
    let its = format!("WHERE flow_id IN (SELECT flow_id FROM finding_flows WHERE finding_id = '{id}')");
    let before = desk.sql(case, &format!("{shape} {its} ORDER BY ALL"));
    let after: BTreeSet<String> = desk.sql(&folder, shape).iter().map(Value::to_string).collect();
    for flow in &before {
        assert!(after.contains(&flow.to_string()), "{case} {id}: {flow} is not among {} flows: {after:#?}", after.len());
    }
    std::fs::remove_dir_all(desk.path(&folder)).unwrap();
    before.len()
}

#[test]
fn every_finding_of_the_demo_is_carved_to_exactly_its_packets_and_its_flows_come_out_again() {
    let (desk, case) = (Desk::new(), demo().to_string_lossy());
    let findings = desk.sql(&case, "SELECT id, title FROM findings ORDER BY id");
    assert!(findings.len() >= 8, "{findings:?}");
    for finding in &findings {
        let (id, title) = (finding["id"].as_str().unwrap(), finding["title"].as_str().unwrap());
        let out = format!("{id}.pcapng");
        let said = desk.vigil(["carve", &case, id, "-o", &out, "--json"]).well();
        let carved = packets(&desk.path(&out));
        let frames: Vec<u64> = carved.iter().map(|(_, comment)| frame_of(comment)).collect();
        assert_eq!(frames, expected(&desk, &case, id), "{id}");
        assert_eq!(number(&said.json()["packets"]), frames.len() as u64);
        assert!(carved.iter().any(|(_, comment)| comment.starts_with(&format!("{id}: {title}"))), "a comment names {id}");
        flows_come_out_again(&desk, &case, id, &out);
    }
}

/// Packets of a pcap with microseconds, by number from 1.
fn of_pcap(bytes: &[u8]) -> BTreeMap<u64, (u64, Vec<u8>)> {
    let (mut rest, header) = pcap_parser::parse_pcap_header(bytes).unwrap();
    let unit = if header.is_nanosecond_precision() { 1 } else { 1_000 };
    let mut all = BTreeMap::new();
    while let Ok((after, frame)) = pcap_parser::parse_pcap_frame(rest) {
        let ns = u64::from(frame.ts_sec) * 1_000_000_000 + u64::from(frame.ts_usec) * unit;
        all.insert(all.len() as u64 + 1, (ns, frame.data.to_vec()));
        rest = after;
    }
    all
}

/// A pcap cut in two files, each with the header.
fn halves(bytes: &[u8]) -> [Vec<u8>; 2] {
    let (rest, _) = pcap_parser::parse_pcap_header(bytes).unwrap();
    let (mut at, mut left) = (rest, of_pcap(bytes).len() / 2);
    while left > 0 {
        at = pcap_parser::parse_pcap_frame(at).unwrap().0;
        left -= 1;
    }
    let cut = bytes.len() - at.len();
    [bytes[..cut].to_vec(), [&bytes[..24], &bytes[cut..]].concat()]
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[test]
fn packets_come_out_of_compressed_evidence_and_several_files_as_they_were_captured() {
    let desk = Desk::new();
    let whole = pcap_of(&vigil::synth::demo(1));
    let [first, second] = halves(&whole);
    desk.write("a.pcap.gz", gzipped(&first));
    desk.write("b.pcap.zst", zstd::encode_all(&second[..], 3).unwrap());
    desk.vigil(["analyze", "a.pcap.gz", "b.pcap.zst", "--out", "two.vigil", "--quiet"]);
    desk.vigil(["carve", "two.vigil", "I1", "-o", "I1.pcapng"]).well();
    let truth = of_pcap(&whole);
    let carved = packets(&desk.path("I1.pcapng"));
    assert!(carved.len() > 100);
    let mut files = [0, 0];
    for ((ts, wire_len, link, data), comment) in &carved {
        let (ns, bytes) = &truth[&frame_of(comment)];
        assert_eq!((ts, data, link), (ns, bytes, &1), "{comment}");
        assert!(*wire_len as usize >= data.len());
        files[usize::from(comment.contains("b.pcap.zst"))] += 1;
    }
    assert!(files.iter().all(|n| *n > 0), "both files were read: {files:?}");
}

#[test]
fn evidence_that_was_changed_is_refused_by_name_and_hashes_and_nothing_is_written() {
    let desk = Desk::new();
    desk.write("calm.pcap", scenario("dns-tunnel"));
    desk.vigil(["analyze", "calm.pcap", "--quiet"]);
    let before = desk.sql("calm.vigil", "SELECT sha256 FROM captures")[0]["sha256"].as_str().unwrap().to_owned();
    let mut bytes = scenario("dns-tunnel");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    desk.write("calm.pcap", &bytes);
    let said = desk.vigil(["carve", "calm.vigil", "F1", "-o", "F1.pcapng"]);
    let now = ring::digest::digest(&ring::digest::SHA256, &bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!((said.code, said.out.as_str()), (3, ""));
    for word in ["calm.pcap", before.as_str(), now.as_str(), "--evidence"] {
        assert!(said.err.contains(word), "{word} is not said: {}", said.err);
    }
    let left: Vec<_> = std::fs::read_dir(desk.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "only evidence and case: {left:?}");
}

#[test]
fn evidence_that_was_moved_is_found_by_its_hash_under_any_name() {
    let desk = Desk::new();
    desk.write("calm.pcap", scenario("dns-tunnel"));
    desk.vigil(["analyze", "calm.pcap", "--quiet"]);
    std::fs::create_dir_all(desk.path("kept/deep")).unwrap();
    desk.write("kept/calm.pcap", scenario("sweep-icmp"));
    std::fs::rename(desk.path("calm.pcap"), desk.path("kept/deep/renamed.bin")).unwrap();
    let said = desk.vigil(["carve", "calm.vigil", "F1", "-o", "F1.pcapng"]);
    assert_eq!(said.code, 3);
    assert!(said.err.contains("--evidence"), "{}", said.err);
    let said = desk.vigil(["carve", "calm.vigil", "F1", "-o", "F1.pcapng", "--evidence", "kept"]).well();
    assert!(said.out.contains("renamed.bin"), "{}", said.out);
    assert!(!packets(&desk.path("F1.pcapng")).is_empty());
}

#[test]
fn flows_hosts_frames_and_queries_can_be_carved_and_what_names_nothing_is_refused_with_a_cure() {
    let (desk, case) = (Desk::new(), demo().to_string_lossy());
    let flow = &desk
        .sql(&case, "SELECT flow_id, orig_pkts + resp_pkts AS n, id_orig_h FROM flows WHERE service = 'http' ORDER BY flow_id LIMIT 1")[0];
    let (id, host) = (number(&flow["flow_id"]), flow["id_orig_h"].as_str().unwrap());
    let count = |what: &str, more: &[&str]| {
        let out = format!("{}.pcapng", desk.sql(&case, "SELECT 1 AS x").len() + std::fs::read_dir(desk.folder()).unwrap().count());
        let said = desk.vigil([&["carve", &case, what, "-o", &out, "--json"][..], more].concat()).well();
        (number(&said.json()["packets"]), packets(&desk.path(&out)))
    };
    assert_eq!(count(&format!("flow:{}", id / 16), &[]).0, number(&flow["n"]));
    assert_eq!(count(&format!("SELECT flow_id FROM flows WHERE flow_id = {id}"), &[]).0, number(&flow["n"]));
    assert_eq!(count("SELECT 17 AS frame", &[]).0, 1);
    assert_eq!(count("frame:10-19", &[]).0, 10);
    let of_host =
        desk.sql(&case, &format!("SELECT sum(orig_pkts + resp_pkts)::BIGINT AS n FROM flows WHERE '{host}' IN (id_orig_h, id_resp_h)"));
    assert!(count(&format!("host:{host}"), &[]).0 >= number(&of_host[0]["n"]));
    let (around, all) = count("frame:100", &["--context", "2s"]);
    let alone = packets(&desk.path("x.pcapng").with_file_name({
        desk.vigil(["carve", &case, "frame:100", "-o", "x.pcapng"]).well();
        "x.pcapng"
    }));
    let centre = alone[0].0.0;
    assert!(around > 1 && all.iter().all(|((ts, ..), _)| ts.abs_diff(centre) <= 2_000_000_000));
    assert_eq!(all.iter().filter(|(_, comment)| comment.starts_with("context")).count() as u64, around - 1);
    for (what, cure) in [
        ("F999", "F1 to F"),
        ("I99", "I1"),
        ("flow:999999999", "vigil sql"),
        ("host:203.0.113.254", "vigil sql"),
        ("everything", "flow:1042"),
        ("SELECT 1 AS one", "flow_id or frame"),
        ("SELECT flow_id FROM flows WHERE false", "nothing to carve"),
        ("SELECT nonsense FROM flows", "nonsense"),
    ] {
        let said = desk.vigil(["carve", &case, what, "-o", "none.pcapng"]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{what}: {said:?}");
        assert!(said.err.contains(cure), "{what}: {}", said.err);
        assert!(!desk.path("none.pcapng").exists());
    }
    let said = desk.vigil(["carve", &case, "frame:1", "-o", "x.pcapng"]);
    assert_eq!(said.code, 2, "what is there stays: {said:?}");
}

#[test]
fn transferred_files_are_written_by_their_hash_and_never_over_others() {
    let desk = Desk::new();
    desk.write("load.pcap", scenario("executable-download"));
    desk.vigil(["analyze", "load.pcap", "--quiet"]);
    let known = desk.sql(
        "load.vigil",
        "SELECT sha256, seen_bytes FROM files WHERE sha256 IS NOT NULL AND flow_id IN (SELECT flow_id FROM finding_flows WHERE finding_id = 'F1')",
    );
    assert!(!known.is_empty());
    let said = desk.vigil(["carve", "load.vigil", "F1", "--files", "seized", "--json"]).well();
    for file in &known {
        let sha = file["sha256"].as_str().unwrap();
        let bytes = std::fs::read(desk.path(&format!("seized/{sha}.bin"))).unwrap_or_else(|error| panic!("{sha}: {error}; {said:?}"));
        let digest: String =
            ring::digest::digest(&ring::digest::SHA256, &bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((digest.as_str(), bytes.len() as u64), (sha, number(&file["seen_bytes"])));
    }
    let sha = known[0]["sha256"].as_str().unwrap();
    desk.write(&format!("seized/{sha}.bin"), "mine");
    let said = desk.vigil(["carve", "load.vigil", "F1", "--files", "seized"]).well();
    assert!(said.out.contains("was there already"), "{}", said.out);
    assert_eq!(desk.read(&format!("seized/{sha}.bin")), "mine");
}

#[test]
fn wireshark_opens_what_was_carved_and_sees_the_finding() {
    if !usable("tshark", &["--version"]) {
        return;
    }
    let (desk, case) = (Desk::new(), demo().to_string_lossy());
    desk.vigil(["carve", &case, "F1", "-o", "F1.pcapng"]).well();
    let said = Said::of({
        let mut command = Command::new("tshark");
        command.args(["-r"]).arg(desk.path("F1.pcapng")).args(["-T", "fields", "-e", "frame.number", "-e", "frame.comment"]);
        command
    });
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.out.lines().count(), expected(&desk, &case, "F1").len());
    assert!(said.out.contains("F1: "), "{}", said.out.lines().next().unwrap_or_default());
}

/// Captures that others recorded, in all formats that they used.
#[test]
fn findings_on_real_captures_end_in_packets_that_tshark_reads_and_vigil_counts_alike() {
    let Some(folder) = shared("corpus/captures") else { return };
    let tshark = usable("tshark", &["--version"]);
    let mut captures: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    captures.sort();
    let desk = Desk::new();
    let (mut findings, mut flows) = (0, 0);
    for (n, capture) in captures.iter().enumerate() {
        let case = format!("{n}.vigil");
        let path = capture.to_string_lossy();
        desk.vigil(["analyze", &path, "--out", &case, "--models", "none", "--quiet"]);
        // Fragments come with the datagram that they make up.
        let fragments: BTreeSet<u64> = desk
            .sql(&case, "SELECT DISTINCT unnest(frames) AS frame FROM frag WHERE complete")
            .iter()
            .map(|row| number(&row["frame"]))
            .collect();
        for row in desk.sql(&case, "SELECT id FROM findings ORDER BY id") {
            let id = row["id"].as_str().unwrap();
            let out = format!("{case}.{id}.pcapng");
            let said = desk.vigil(["carve", &case, id, "-o", &out, "--json"]);
            assert_eq!(said.code, 0, "{path} {id}: {said:?}");
            let carved = packets(&desk.path(&out));
            let frames: BTreeSet<u64> = carved.iter().map(|(_, comment)| frame_of(comment)).collect();
            assert_eq!(frames.len(), carved.len(), "{path} {id}: no frame twice");
            let wanted: BTreeSet<u64> = expected(&desk, &case, id).into_iter().collect();
            assert!(wanted.is_subset(&frames), "{path} {id}");
            assert!(frames.difference(&wanted).all(|frame| fragments.contains(frame)), "{path} {id}");
            if tshark {
                let mut command = Command::new("tshark");
                command.arg("-r").arg(desk.path(&out)).args(["-T", "fields", "-e", "frame.number"]);
                let said = Said::of(command);
                assert_eq!((said.code, said.out.lines().count()), (0, frames.len()), "{path} {id}: {}", said.err);
            }
            flows += flows_come_out_again(&desk, &case, id, &out);
            std::fs::remove_file(desk.path(&out)).unwrap();
            findings += 1;
        }
        std::fs::remove_dir_all(desk.path(&case)).unwrap();
    }
    println!("{findings} findings of {} captures carved, {flows} flows came out again", captures.len());
    assert!(findings >= 100, "{findings} findings of {} captures", captures.len());
}
