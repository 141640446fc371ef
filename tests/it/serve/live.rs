//! Live cases: from the process that writes them, and from outside as their segments are sealed.

use super::stream::Listener;
use super::{Server, serve, told, until};
use crate::desk::{Desk, pcap_of};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// Replays the demo, much faster than it was, with a server beside; segments are sealed now and then.
pub fn live(speed: &str) -> Server {
    // The server ends with the capture, an hour long: what is looked at while it runs has to be seen before.
    let desk = Desk::new();
    let capture = desk.write("attack.pcap", pcap_of(&vigil::synth::demo(1)));
    let path = capture.to_string_lossy();
    let args = [
        "live",
        "--read",
        &path,
        "--speed",
        speed,
        "--out",
        "x.vigil",
        "--check-period",
        "30s",
        "--segment",
        "10m",
        "--serve",
        "127.0.0.1:0",
    ];
    let mut child = desk.command(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("vigil starts");
    let mut said = BufReader::new(child.stderr.take().expect("a pipe was asked for"));
    let mut line = String::new();
    while !line.starts_with("http://") {
        line.clear();
        assert!(said.read_line(&mut line).expect("it says where it listens") > 0, "it ended without a word");
    }
    // Whatever it says later is read, so that it never waits for a reader.
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    Server { child, addr: told(&line), desk }
}

#[test]
fn a_capture_is_shown_while_it_is_written() {
    let server = live("40x");
    let mut heard = Listener::new(&server, "/api/v1/stream");
    let first = heard.next("statistics");
    until("packets arrive", || {
        let now = heard.next("statistics");
        (now["frames"].as_u64() > first["frames"].as_u64() && now["frames_per_second"].as_f64() > Some(0.0)).then_some(())
    });
    let flows = until("flows that ended are in the tables", || {
        let flows = server.get("/api/v1/flows?total=true&limit=1").well().json()["total"].as_u64()?;
        (flows > 0).then_some(flows)
    });
    until("there are more of them", || {
        (server.get("/api/v1/flows?total=true&limit=1").well().json()["total"].as_u64()? > flows).then_some(())
    });
    let finding = heard.next("finding");
    let id = finding["finding"]["id"].as_str().unwrap().to_string();
    until("the finding has a page", || (server.get(&format!("/findings/{id}")).status == 200).then_some(()));
    for page in ["/", "/findings", "/incidents", "/hosts", "/flows", "/rules", "/logs", "/report", "/sql"] {
        until(page, || (server.get(page).status == 200).then_some(()));
    }
    until("rules are told", || (server.get("/rules").well().body.contains("fired")).then_some(()));
    assert!(server.get("/metrics").well().body.contains("vigil_live_frames_total"));
    let case = server.get("/api/v1/case").well().json();
    assert!(case["live"] == true && case["hosts"].as_u64() > Some(0), "{case}");
    // Triage of a finding that a capture still works on goes to the journal as well.
    let said = server.post(&format!("/api/v1/findings/{id}/triage"), &serde_json::json!({ "verb": "acknowledge" }));
    assert_eq!(said.well().json()["state"], "acknowledged");
}

#[test]
fn a_capture_with_a_server_ends_in_order_and_finds_what_it_finds_without() {
    let server = live("max");
    let mut server = std::mem::ManuallyDrop::new(server);
    let status = server.child.wait().expect("it ends");
    assert_eq!(status.code(), Some(1), "the demo holds an attack");
    let alone =
        server.desk.vigil(["live", "--read", "attack.pcap", "--out", "y.vigil", "--check-period", "30s", "--segment", "10m", "--quiet"]);
    assert_eq!(alone.code, 1, "{alone:?}");
    let rules = |case: &str| server.desk.sql(case, "SELECT rule, actors, targets FROM findings ORDER BY ALL");
    assert_eq!(rules("x.vigil"), rules("y.vigil"));
    drop(std::mem::ManuallyDrop::into_inner(server));
}

#[test]
fn a_live_case_is_shown_from_outside_as_its_segments_are_sealed() {
    let writing = live("40x");
    until("a segment is sealed", || (!writing.desk.path("x.vigil/segments/00000001.duckdb.wal").exists()).then_some(()));
    let outside = Desk::new();
    let case = writing.desk.path("x.vigil").to_string_lossy().into_owned();
    let reading = serve(outside, &case, &[]);
    let flows = |server: &Server| server.get("/api/v1/flows?total=true&limit=1").well().json()["total"].as_u64();
    let (first, mut heard) = (flows(&reading), Listener::new(&reading, "/api/v1/stream"));
    assert_eq!(heard.next("case")["live"], true);
    until("it grows by itself", || (flows(&reading) > first).then_some(()));
    // Findings that changed are told as well, before or between.
    until("whoever listens is told", || (heard.next("case")["flows"].as_u64() > first).then_some(()));
    assert!(reading.sql("SELECT count(*) AS n FROM flows").well().json()["rows"][0][0].as_u64() > Some(0));
}
