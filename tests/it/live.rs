//! Live: what is said at the end of a stream is what an analysis of the same packets says, and nothing reported before is lost.

use crate::desk::{Desk, Said, scenario, shared};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Captures of the corpus that are replayed.
const CAPTURES: usize = 12;
/// Captures that are sent over a cable, and how long each may last, seconds.
const SENT: usize = 16;
const SHORT: f64 = 12.0;
/// Names that a finding keeps.
const MOST_NAMES: usize = 256;
/// Kills of a running capture.
const KILLS: usize = 20;

/// What a finding says, without what differs between an endless and a finished stream.
type Said4 = (String, Vec<String>, Vec<String>, String);

fn findings(case: &Path) -> BTreeSet<Said4> {
    let text = std::fs::read_to_string(case.join("findings.ndjson")).unwrap_or_default();
    let names = |value: &Value| {
        let mut names: Vec<String> = value.as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_string)).collect();
        names.sort();
        // Of more names a finding keeps those that came first, which a cable may change.
        if names.len() >= MOST_NAMES { vec![format!("{} names", names.len())] } else { names }
    };
    let said = |line: &str| {
        let finding: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text = |name: &str| finding[name].as_str().unwrap_or_default().to_string();
        (text("rule"), names(&finding["actors"]), names(&finding["targets"]), text("outcome"))
    };
    text.lines().map(said).collect()
}

fn ends_well(said: &Said) {
    assert!(matches!(said.code, 0 | 1 | 3), "{said:?}");
}

/// Both ways, and what they differ in.
fn compare(desk: &Desk, capture: &Path, more: &[&str]) -> (BTreeSet<Said4>, BTreeSet<Said4>) {
    let path = capture.to_string_lossy();
    ends_well(&desk.vigil(["analyze", &path, "--out", "a.vigil", "--quiet"]));
    let _ = std::fs::remove_dir_all(desk.path("l.vigil"));
    let live = ["live", "--read", &path, "--speed", "max", "--out", "l.vigil", "--quiet", "--look-back", "30d"];
    ends_well(&desk.vigil(live.into_iter().chain(more.iter().copied())));
    (findings(&desk.path("a.vigil")), findings(&desk.path("l.vigil")))
}

#[test]
fn replayed_captures_end_with_the_findings_of_an_analysis() {
    let Some(library) = shared("corpus/captures") else { return };
    let mut captures: Vec<PathBuf> = std::fs::read_dir(library).unwrap().map(|entry| entry.unwrap().path()).collect();
    captures.sort();
    let desk = Desk::new();
    let (mut told, mut wrong) = (0, Vec::new());
    for capture in captures.iter().step_by((captures.len() / CAPTURES).max(1)) {
        let (analysed, lived) = compare(&desk, capture, &[]);
        told += analysed.len();
        if analysed != lived {
            let name = capture.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let only = |a: &BTreeSet<Said4>, b: &BTreeSet<Said4>| a.difference(b).cloned().collect::<Vec<_>>();
            wrong.push(format!("{name}: analysed {:?}, live {:?}", only(&analysed, &lived), only(&lived, &analysed)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(told > 10, "captures without findings compare nothing: {told}");
}

#[test]
fn segments_change_nothing_in_what_is_found_and_are_read_as_one_case() {
    let desk = Desk::new();
    let capture = desk.write("attack.pcap", crate::desk::pcap_of(&vigil::synth::demo(5)));
    let (analysed, lived) = compare(&desk, &capture, &["--segment", "5m"]);
    assert_eq!(analysed, lived);
    assert!(analysed.len() > 3, "{analysed:?}");
    let segments = std::fs::read_dir(desk.path("l.vigil/segments")).unwrap().count();
    assert!(segments > 4, "{segments} segments in an hour");
    let ask = |case: &str, what: &str| desk.sql(case, what);
    for what in [
        "SELECT count(*) AS n, sum(orig_pkts + resp_pkts)::BIGINT AS p FROM flows",
        "SELECT count(*) AS n FROM dns",
        "SELECT sum(frames)::BIGINT AS n FROM captures",
        "SELECT count(*) AS n FROM packets",
        "SELECT count(*) AS n, sum(flows)::BIGINT AS f FROM hosts",
        "SELECT sum(frames)::BIGINT AS n FROM packets_summary",
        "SELECT count(*) AS n FROM findings",
    ] {
        assert_eq!(ask("a.vigil", what), ask("l.vigil", what), "{what}");
    }
    let report = desk.vigil(["report", "l.vigil", "--format", "json", "--stdout"]).json();
    let analysed = desk.vigil(["report", "a.vigil", "--format", "json", "--stdout"]).json();
    for what in ["frames", "decoded", "flows", "payload_bytes", "rules_fired"] {
        assert_eq!(report["coverage"][what], analysed["coverage"][what], "{what}");
    }
}

#[test]
fn changes_of_findings_come_as_lines_of_json_and_each_finding_is_new_once() {
    let desk = Desk::new();
    let capture = desk.write("attack.pcap", scenario("port-scan-vertical"));
    let said = desk.vigil(["live", "--read", &capture.to_string_lossy(), "--json", "--out", "x.vigil"]);
    let changes: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect();
    let new: Vec<&Value> = changes.iter().filter(|change| change["change"] == "new").collect();
    let ids: BTreeSet<String> = new.iter().map(|change| change["finding"]["id"].to_string()).collect();
    assert!(!new.is_empty() && ids.len() == new.len(), "{said:?}");
    assert_eq!(desk.read("x.vigil/alerts.ndjson").lines().count(), changes.len());
}

/// A replay at recorded speed, running.
fn start(desk: &Desk, capture: &Path, speed: &str) -> Child {
    let path = capture.to_string_lossy();
    let args = ["live", "--read", &path, "--speed", speed, "--out", "x.vigil", "--check-period", "1s", "--segment", "20s", "--json"];
    desk.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("vigil starts")
}

#[test]
fn a_killed_capture_leaves_a_case_that_opens_and_has_every_finding_that_was_reported() {
    let desk = Desk::new();
    let capture = desk.write("attack.pcap", crate::desk::pcap_of(&vigil::synth::demo(5)));
    let mut told = 0;
    for kill in 0..KILLS {
        // Every fourth goes on with the case that was killed before: there little is new.
        let goes_on = kill % 4 == 3;
        if !goes_on {
            let _ = std::fs::remove_dir_all(desk.path("x.vigil"));
        }
        let mut child = start(&desk, &capture, "800x");
        // After so many changes were reported, and a moment that is another each time.
        let mut lines = BufReader::new(child.stdout.take().expect("it speaks")).lines().map_while(Result::ok);
        let mut said: Vec<String> = lines.by_ref().take(if goes_on { 0 } else { kill % 5 }).collect();
        std::thread::sleep(Duration::from_millis(500 + 61 * kill as u64));
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        said.extend(lines);
        // The last line may be torn; what was on it was not reported.
        let reported = said.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let reported: Vec<String> =
            reported.filter(|change| change["change"] != "withdrawn").map(|change| change["finding"]["key"].to_string()).collect();
        told += reported.len();
        let alerts = desk.read("x.vigil/alerts.ndjson");
        for key in &reported {
            assert!(alerts.contains(key), "kill {kill}: {key} is lost");
        }
        let flows = desk.sql("x.vigil", "SELECT count(*) AS n FROM flows");
        assert!(flows[0]["n"].as_i64().is_some(), "{flows:?}");
        ends_well(&desk.vigil(["report", "x.vigil"]));
        println!("kill {kill}: {} changes reported, {} flows", reported.len(), flows[0]["n"]);
    }
    assert!(told > 10, "{told} changes were reported before a kill");
    // And it goes on.
    let said = desk.vigil(["live", "--read", &capture.to_string_lossy(), "--out", "x.vigil", "--quiet"]);
    ends_well(&said);
}

#[test]
fn an_order_to_stop_ends_a_capture_with_everything_written() {
    let desk = Desk::new();
    let capture = desk.write("attack.pcap", crate::desk::pcap_of(&vigil::synth::demo(5)));
    let child = start(&desk, &capture, "100x");
    std::thread::sleep(Duration::from_secs(4));
    let term = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(term.is_ok_and(|status| status.success()));
    let said = Said::from(child.wait_with_output().expect("it ends"));
    ends_well(&said);
    let manifest: Value = serde_json::from_str(&desk.read("x.vigil/manifest.json")).unwrap();
    assert_eq!(manifest["complete"], true);
    let counted = desk
        .sql("x.vigil", "SELECT (SELECT sum(frames) FROM captures)::BIGINT AS a, (SELECT sum(frames) FROM packets_summary)::BIGINT AS b");
    assert!(counted[0]["a"].as_i64().unwrap_or(0) > 0 && counted[0]["a"] == counted[0]["b"], "{counted:?}");
}

#[test]
fn what_cannot_be_done_is_said_with_its_cure() {
    let desk = Desk::new();
    let nothing = desk.vigil(["live"]);
    assert!(nothing.code == 2 && nothing.err.contains("vigil live eth0"), "{nothing:?}");
    let both = desk.vigil(["live", "lo", "--read", "x.pcap"]);
    assert!(both.code == 2 && both.err.contains("not both"), "{both:?}");
    let unknown = desk.vigil(["live", "no-such-if0"]);
    assert!(unknown.code == 2 && (unknown.err.contains("no interface") || unknown.err.contains("setcap")), "{unknown:?}");
    let speed = desk.vigil(["live", "--read", "x.pcap", "--speed", "fast"]);
    assert!(speed.code == 2 && speed.err.contains("10x"), "{speed:?}");
}

/// Two network namespaces joined by a cable; gone with it.
struct Cable {
    names: [String; 2],
}

impl Cable {
    /// `None`, with a line that says so, where this user may not.
    fn lay(tag: &str) -> Option<Self> {
        let names = ["a", "b"].map(|end| format!("vigil-{tag}-{}-{end}", std::process::id()));
        let cable = Self { names };
        let [a, b] = &cable.names;
        let steps = [
            format!("netns add {a}"),
            format!("netns add {b}"),
            format!("-n {a} link add v0 type veth peer name v0 netns {b}"),
            // Neither end speaks for itself: no address, no neighbour discovery.
            format!("-n {a} link set v0 addrgenmode none"),
            format!("-n {b} link set v0 addrgenmode none"),
            format!("-n {a} link set v0 mtu 9000 up"),
            format!("-n {b} link set v0 mtu 9000 up"),
        ];
        for step in steps {
            let ran = std::process::Command::new("ip").args(step.split(' ')).stderr(Stdio::null()).status();
            if !ran.is_ok_and(|status| status.success()) {
                println!("SKIPPED: `ip {step}` does not work here; network namespaces need root");
                return None;
            }
        }
        Some(cable)
    }

    /// `vigil ARGS` in the second namespace.
    fn watch(&self, desk: &Desk, args: &[&str]) -> Child {
        let mut command = std::process::Command::new("ip");
        command.args(["netns", "exec", &self.names[1], crate::desk::VIGIL]).args(args).current_dir(desk.folder());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("ip starts")
    }

    /// Sends the frames of a capture from the first namespace; returns how many. This very program is run there as the sender.
    fn send(&self, capture: &Path, speed: f64) -> u64 {
        let mut command = std::process::Command::new("ip");
        command.args(["netns", "exec", &self.names[0]]).arg(std::env::current_exe().expect("this program"));
        command.args(["live::sends_frames_when_asked_to", "--exact", "--nocapture"]);
        command.env("VIGIL_SEND", capture).env("VIGIL_SEND_SPEED", speed.to_string());
        let said = Said::of(command);
        let sent = said.out.lines().find_map(|line| line.split_once("SENT ")?.1.trim().parse().ok());
        sent.unwrap_or_else(|| panic!("nothing was sent: {said:?}"))
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = std::process::Command::new("ip").args(["netns", "del", name]).stderr(Stdio::null()).status();
        }
    }
}

/// No test of its own: the sender that [`Cable::send`] runs in another namespace.
#[test]
fn sends_frames_when_asked_to() {
    let Some(path) = std::env::var_os("VIGIL_SEND") else { return };
    let speed: f64 = std::env::var("VIGIL_SEND_SPEED").ok().and_then(|speed| speed.parse().ok()).unwrap_or(1.0);
    let mut cable = pcap::Capture::from_device("v0").unwrap().open().unwrap();
    let mut file = pcap::Capture::from_file(path).unwrap();
    let (began, mut first, mut sent) = (Instant::now(), None, 0u64);
    while let Ok(packet) = file.next_packet() {
        let at = packet.header.ts.tv_sec as f64 + packet.header.ts.tv_usec as f64 / 1e6;
        let due = Duration::from_secs_f64((at - *first.get_or_insert(at)).max(0.0) / speed);
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        // What is longer than the cable takes, or cut, cannot be sent as it was.
        if cable.sendpacket(packet.data).is_ok() {
            sent += 1;
        }
    }
    println!("SENT {sent}");
}

/// Watches a cable while a capture is sent over it; returns what was sent and the case's name.
fn watched(desk: &Desk, tag: &str, capture: &Path, speed: f64, more: &[&str]) -> Option<u64> {
    let cable = Cable::lay(tag)?;
    let _ = std::fs::remove_dir_all(desk.path("n.vigil"));
    let args = [&["live", "v0", "--out", "n.vigil", "--quiet", "--no-programs", "--check-period", "2s"], more].concat();
    let child = cable.watch(desk, &args);
    let began = Instant::now();
    while !desk.path("n.vigil/segments/00000001.duckdb").exists() && began.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(500));
    let sent = cable.send(capture, speed);
    std::thread::sleep(Duration::from_millis(500));
    // `ip netns exec` becomes vigil: the id is vigil's.
    let term = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(term.is_ok_and(|status| status.success()));
    let said = Said::from(child.wait_with_output().expect("it ends"));
    assert!(matches!(said.code, 0 | 1), "{said:?}");
    Some(sent)
}

#[test]
fn an_interface_is_seen_whole_and_judged_as_the_file_that_was_sent_over_it() {
    let desk = Desk::new();
    for (tag, name) in [("scan", "port-scan-vertical"), ("log", "log4shell"), ("icmp", "icmp-tunnel")] {
        let capture = desk.write("sent.pcap", scenario(name));
        let ring = desk.path("ring").display().to_string();
        let Some(sent) = watched(&desk, tag, &capture, 50.0, &["--ring", &ring, "--ring-size", "64M"]) else { return };
        let counts =
            desk.sql("n.vigil", "SELECT sum(frames)::BIGINT AS frames, coalesce(sum(reported_drops), 0)::BIGINT AS drops FROM captures");
        let count = |what: &str| counts[0][what].as_u64().unwrap_or(0);
        assert_eq!(count("frames") + count("drops"), sent, "{name}: {counts:?}");
        let kept = desk.sql("n.vigil", "SELECT count(*) AS n FROM packets JOIN captures USING (capture_id) WHERE path LIKE '%ring-%'");
        assert_eq!(kept[0]["n"].as_u64(), Some(count("frames")), "{name}: every frame is in the ring");
    }
}

#[test]
fn real_captures_sent_over_a_cable_give_the_findings_of_an_analysis() {
    let Some(library) = shared("corpus") else { return };
    let truth: Value = serde_json::from_slice(&std::fs::read(library.join("truth.json")).unwrap()).unwrap();
    let short = truth.as_array().into_iter().flatten().filter(|entry| {
        let number = |name: &str| entry[name].as_f64();
        number("duration_s").is_some_and(|seconds| seconds <= SHORT) && number("packets").is_some_and(|packets| packets <= 20_000.0)
    });
    let names: Vec<String> = short.filter_map(|entry| entry["file"].as_str().map(str::to_string)).collect();
    let step = (names.len() / SENT).max(1);
    let desk = Desk::new();
    let (mut compared, mut wrong) = (0, Vec::new());
    for name in names.iter().step_by(step) {
        let capture = library.join("captures").join(name);
        // What is no Ethernet, or compressed, or pcapng with several links, cannot be sent over a cable.
        let Ok(file) = pcap::Capture::from_file(&capture) else { continue };
        if file.get_datalink() != pcap::Linktype::ETHERNET {
            continue;
        }
        ends_well(&desk.vigil(["analyze", &capture.to_string_lossy(), "--out", "a.vigil", "--quiet"]));
        let Some(sent) = watched(&desk, "real", &capture, 1.0, &[]) else { return };
        let frames = desk.sql("n.vigil", "SELECT sum(frames + coalesce(reported_drops, 0))::BIGINT AS n FROM captures");
        let all = desk.sql("a.vigil", "SELECT sum(frames)::BIGINT AS n FROM captures");
        if frames[0]["n"].as_u64() != Some(sent) {
            wrong.push(format!("{name}: {sent} sent, {frames:?} seen or dropped"));
        }
        // Frames that could not be sent change what can be found.
        if all[0]["n"].as_u64() == Some(sent) {
            compared += 1;
            let (analysed, lived) = (findings(&desk.path("a.vigil")), findings(&desk.path("n.vigil")));
            if analysed != lived {
                wrong.push(format!("{name}: analysed {analysed:?}, live {lived:?}"));
            }
        }
    }
    println!("{compared} captures compared");
    assert!(compared >= 10 || !wrong.is_empty(), "{compared} captures prove little");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
