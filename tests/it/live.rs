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
fn whoever_reads_a_case_while_its_segments_are_merged_sees_every_row_once() {
    let desk = Desk::new();
    let capture = desk.write("attack.pcap", crate::desk::pcap_of(&vigil::synth::demo(5)));
    let path = capture.to_string_lossy();
    let args = ["live", "--read", &path, "--speed", "max", "--out", "x.vigil", "--quiet", "--segment", "20s"];
    let mut child = desk.command(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("vigil starts");
    let (mut seen, mut most) = (Vec::new(), 0);
    let ended = loop {
        let ended = child.try_wait().expect("it can be asked");
        if desk.path("x.vigil/findings.ndjson").exists() {
            let counts = desk.sql("x.vigil", "SELECT count(*) AS n, count(DISTINCT flow_id) AS d FROM flows");
            seen.push((counts[0]["n"].as_u64().unwrap_or(0), counts[0]["d"].as_u64().unwrap_or(1)));
            let files = std::fs::read_dir(desk.path("x.vigil/segments")).unwrap().map(|entry| entry.unwrap().file_name());
            most = most.max(files.filter(|name| name.to_string_lossy().ends_with(".duckdb")).count());
        }
        if let Some(ended) = ended {
            break ended;
        }
    };
    assert!(matches!(ended.code(), Some(0 | 1)), "{:?}", Said::from(child.wait_with_output().unwrap()));
    println!("{} looks, at most {most} files", seen.len());
    assert!(seen.iter().all(|(rows, distinct)| rows == distinct), "{seen:?}");
    assert!(seen.windows(2).all(|pair| pair[0].0 <= pair[1].0), "rows went and came back: {seen:?}");
    assert!(seen.last().is_some_and(|(rows, _)| *rows > 0));
    let numbers = desk.sql("x.vigil", "SELECT count(*) AS n FROM runs");
    // Of 180 pages of 20 s a busy machine writes fewer and longer ones: a segment is turned between two looks, never within one.
    assert!(numbers[0]["n"].as_u64() > Some(60), "an hour has many pages: {numbers:?}");
    let left = std::fs::read_dir(desk.path("x.vigil/segments")).unwrap().count();
    assert!(left < 40, "{left} files are left");
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

/// Gives both ends of a cable an address: 198.18.0.1 and 198.18.0.2 (RFC 2544).
fn address(cable: &Cable) {
    for (name, address) in cable.names.iter().zip(["198.18.0.1/30", "198.18.0.2/30"]) {
        for step in [format!("-n {name} addr add {address} dev v0"), format!("-n {name} link set lo up")] {
            let ran = std::process::Command::new("ip").args(step.split(' ')).status();
            assert!(ran.is_ok_and(|status| status.success()), "ip {step}");
        }
    }
}

/// Runs a command in one of a cable's namespaces.
fn within(namespace: &str, command: &[&str]) -> std::process::Command {
    let mut run = std::process::Command::new("ip");
    run.args(["netns", "exec", namespace]).args(command).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    run
}

/// No test of its own: a server that answers with one line and closes, or a client that says one word and stays for a moment, in another namespace.
#[test]
fn serves_or_calls_when_asked_to() {
    use std::io::{Read, Write};
    if let Ok(place) = std::env::var("VIGIL_SERVE") {
        let listener = std::net::TcpListener::bind(place).expect("the port is free");
        for mut caller in listener.incoming().flatten() {
            let _ = caller.read(&mut [0; 512]);
            let _ = caller.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nyes");
        }
    }
    if let Ok(place) = std::env::var("VIGIL_CALL") {
        let mut server = std::net::TcpStream::connect(place).expect("someone listens");
        server.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("it is heard");
        let mut answer = String::new();
        let _ = server.read_to_string(&mut answer);
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn programs_are_named_at_both_ends() {
    const CALLS: usize = 20;
    let desk = Desk::new();
    let Some(cable) = Cable::lay("who") else { return };
    address(&cable);
    let this = std::env::current_exe().expect("this program").display().to_string();
    let itself = [this.as_str(), "live::serves_or_calls_when_asked_to", "--exact"];
    let child = cable.watch(&desk, &["live", "v0", "--out", "n.vigil", "--quiet", "--check-period", "2s"]);
    let there = within(&cable.names[0], &itself).env("VIGIL_SERVE", "198.18.0.1:8080").spawn();
    let here = within(&cable.names[1], &itself).env("VIGIL_SERVE", "198.18.0.2:8081").spawn();
    let mut servers = [there.expect("a server starts"), here.expect("a server starts")];
    std::thread::sleep(Duration::from_secs(2));
    let curl = |namespace: &str, url: &str| within(namespace, &["curl", "-s", url]).status().is_ok_and(|status| status.success());
    let has_curl = std::process::Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok();
    for _ in 0..CALLS {
        // From outside to the server here; from here to the server outside.
        let called = within(&cable.names[0], &itself).env("VIGIL_CALL", "198.18.0.2:8081").status();
        assert!(called.is_ok_and(|status| status.success()));
        let called = within(&cable.names[1], &itself).env("VIGIL_CALL", "198.18.0.1:8080").status();
        assert!(called.is_ok_and(|status| status.success()));
        if has_curl {
            assert!(curl(&cable.names[1], "http://198.18.0.1:8080/"));
        }
    }
    std::thread::sleep(Duration::from_secs(1));
    let term = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(term.is_ok_and(|status| status.success()));
    let said = Said::from(child.wait_with_output().expect("it ends"));
    for server in &mut servers {
        let _ = server.kill();
        let _ = server.wait();
    }
    assert!(matches!(said.code, 0 | 1), "{said:?}");
    let named = desk.sql(
        "n.vigil",
        "SELECT id_resp_p AS port, originator, executable, count(*) AS n, count(DISTINCT pid) AS pids, min(user) AS user \
         FROM flow_process JOIN flows USING (flow_id) GROUP BY ALL ORDER BY ALL",
    );
    let count = |port: u64, originator: bool, name: &str| -> u64 {
        let right = |row: &&Value| {
            row["port"] == port && row["originator"] == originator && row["executable"].as_str().is_some_and(|text| text.ends_with(name))
        };
        named.iter().filter(right).filter_map(|row| row["n"].as_u64()).sum()
    };
    let all: u64 = named.iter().filter_map(|row| row["n"].as_u64()).sum();
    let (served, called, curled) = (count(8081, false, &this), count(8080, true, &this), count(8080, true, "curl"));
    println!("of {CALLS} each: the server {served}, the client {called}, curl {curled}");
    assert_eq!(all, served + called + curled, "nothing else is named: {named:?}");
    assert_eq!(served, CALLS as u64, "a server is always there: {named:?}");
    assert!(called >= CALLS as u64 / 2, "{named:?}");
    // A process that lives for a few milliseconds may be gone before it was looked for, where processors are busy.
    assert!(!has_curl || curled >= CALLS as u64 / 4, "{named:?}");
}

/// A small disk of its own; gone with it.
struct Disk(PathBuf);

impl Disk {
    /// `None`, with a line that says so, where this user may not.
    fn mount(path: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(path).expect("a folder");
        let size = format!("size={size}");
        let mount = std::process::Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(path).status();
        if !mount.is_ok_and(|status| status.success()) {
            println!("SKIPPED: a disk of its own needs the right to mount one (root)");
            return None;
        }
        Some(Self(path.into()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_told_and_survived_and_the_case_opens_again() {
    let desk = Desk::new();
    let Some(_disk) = Disk::mount(&desk.path("disk"), "24m") else { return };
    let capture = desk.write("attack.pcap", crate::desk::pcap_of(&vigil::synth::demo(5)));
    let path = capture.to_string_lossy();
    let args = ["live", "--read", &path, "--speed", "400x", "--out", "disk/x.vigil", "--check-period", "5s", "--segment", "5m", "--json"];
    let child = desk.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("vigil starts");
    let began = Instant::now();
    while !desk.path("disk/x.vigil/segments/00000003.duckdb").exists() && began.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(50));
    }
    // Someone else fills it to the last byte.
    let mut filler = std::fs::File::create(desk.path("disk/filler")).expect("a file");
    while std::io::Write::write_all(&mut filler, &[0; 65_536]).is_ok() {}
    drop(filler);
    let said = Said::from(child.wait_with_output().expect("it ends"));
    assert_eq!(said.code, 3, "evidence is incomplete: {said:?}");
    assert!(said.err.to_lowercase().contains("no space") || said.err.contains("disk"), "it is told: {said:?}");
    assert!(said.err.lines().count() < 30, "and not again and again: {said:?}");
    let reported: Vec<Value> = said.out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let alerts = desk.read("disk/x.vigil/alerts.ndjson");
    let written = reported.iter().filter(|change| alerts.contains(&change["finding"]["key"].to_string())).count();
    println!("{} changes reported, {written} of them on disk; said: {}", reported.len(), said.err);
    let _ = std::fs::remove_file(desk.path("disk/filler"));
    let flows = desk.sql("disk/x.vigil", "SELECT count(*) AS n FROM flows");
    assert!(flows[0]["n"].as_u64() > Some(0), "{flows:?}");
    ends_well(&desk.vigil(["live", "--read", &path, "--out", "disk/x.vigil", "--quiet"]));
    assert!(desk.sql("disk/x.vigil", "SELECT count(*) AS n FROM flows")[0]["n"].as_u64() > flows[0]["n"].as_u64(), "it goes on");
}

#[test]
fn what_is_usual_is_learnt_first_and_held_against_what_follows() {
    let desk = Desk::new();
    let capture = desk.write("attack.pcap", crate::desk::pcap_of(&vigil::synth::demo(5)));
    let path = capture.to_string_lossy();
    let args = ["live", "--read", &path, "--speed", "200x", "--out", "x.vigil", "--segment", "10m", "--train", "15m", "--json"];
    let said = desk.vigil(args);
    ends_well(&said);
    let lines: Vec<Value> = said.out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let unusual: Vec<&Value> = lines.iter().filter(|line| line["change"] == "unusual").collect();
    assert!(!unusual.is_empty(), "the break-in is not what was usual before: {said:?}");
    assert!(unusual.iter().all(|line| line["says"].as_str().is_some_and(|says| !says.is_empty()) && line["anomaly"]["model"].is_string()));
    assert_eq!(desk.read("x.vigil/alerts.ndjson").lines().count(), lines.len(), "all of it is kept");
    let stored = desk.sql("x.vigil", "SELECT model, count(*) AS n FROM anomalies GROUP BY model ORDER BY model");
    let models: Vec<&str> = stored.iter().filter_map(|row| row["model"].as_str()).collect();
    assert!(models.contains(&"novelty") && !models.contains(&"gone"), "{stored:?}");
    let scored = desk.sql("x.vigil", "SELECT count(*) AS n, count(anomaly_score) AS scored FROM flow_scores");
    assert_eq!(scored[0]["n"], scored[0]["scored"], "every flow has its score");
    let profile: Value = serde_json::from_str(&desk.read("x.vigil/profile.json")).expect("a profile");
    let span = |profile: &Value| profile["span"][1].as_i64();
    // On a machine that is too busy for any check but the last, no more is learnt, and what follows is judged all the same.
    let late = ["live", "--read", &path, "--speed", "max", "--out", "late.vigil", "--check-period", "1d", "--train", "15m", "--json"];
    let late = desk.vigil(late);
    ends_well(&late);
    assert!(late.out.lines().any(|line| line.contains("\"change\":\"unusual\"")), "{late:?}");
    let learnt: Value = serde_json::from_str(&desk.read("late.vigil/profile.json")).expect("a profile");
    assert!(learnt["evidence"].is_array() && learnt["span"][0] == profile["span"][0], "{}", learnt["span"]);
    // It is used by the next run, and by an analysis; someone else's is not written to.
    std::fs::copy(desk.path("x.vigil/profile.json"), desk.path("mine.json")).unwrap();
    let again = desk.vigil(["live", "--read", &path, "--out", "y.vigil", "--json", "--baseline", "mine.json"]);
    ends_well(&again);
    let mine: Value = serde_json::from_str(&desk.read("mine.json")).unwrap();
    assert_eq!(span(&mine), span(&profile));
    assert!(!desk.path("y.vigil/profile.json").exists());
    let is_new = |line: &&Value| line["anomaly"]["model"] == "novelty";
    let told: Vec<Value> = again.out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(unusual.iter().any(is_new), "hosts that were swept are new: {unusual:?}");
    assert_eq!(told.iter().find(is_new), None, "what was learnt from the same traffic is no news");
    let wrong = desk.vigil(["live", "--read", &path, "--out", "z.vigil", "--baseline", "attack.pcap"]);
    assert!(wrong.code == 2 && wrong.err.contains("baseline") && !desk.path("z.vigil").exists(), "{wrong:?}");
}
