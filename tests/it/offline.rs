//! Offline: `analyze` opens no socket and starts no process, and needs no network at all.

use crate::desk::{Desk, Said, VIGIL, pcap_of, usable};
use std::process::Command;

/// Calls that make a process; threads are made by the same call with a flag of their own.
const MAKES_A_PROCESS: [&str; 4] = ["clone(", "clone3(", "fork(", "vfork("];
/// Calls that only a program with a socket has use for.
const USES_A_SOCKET: [&str; 5] = ["socket(", "socketpair(", "connect(", "sendto(", "bind("];

fn desk_with_an_attack() -> Desk {
    let desk = Desk::new();
    desk.write("attack.pcap", pcap_of(&vigil::synth::demo(1)));
    desk
}

/// `command -- vigil ARGS`, on the desk.
fn under(desk: &Desk, outer: &[&str], args: &[&str]) -> Said {
    let mut command = Command::new(outer[0]);
    command.args(&outer[1..]).arg(VIGIL).args(args).current_dir(desk.folder());
    Said::of(command)
}

#[test]
fn an_empty_network_namespace_changes_nothing() {
    let Some(unshare) = [&["unshare", "-n"][..], &["unshare", "-rn"][..]].into_iter().find(|outer| usable(outer[0], &[outer[1], "true"]))
    else {
        println!("SKIPPED: no right to make a network namespace");
        return;
    };
    let desk = desk_with_an_attack();
    let analyze = ["analyze", "attack.pcap", "--report", "html,json,md,csv", "--out"];
    let outside = desk.vigil(analyze.into_iter().chain(["with/x.vigil"])).well();
    let inside = under(&desk, unshare, &[&analyze[..], &["without/x.vigil"]].concat()).well();
    assert_eq!(outside.code, inside.code);
    let findings = [desk.read("with/x.vigil/findings.ndjson"), desk.read("without/x.vigil/findings.ndjson")];
    assert!(findings[0] == findings[1] && !findings[0].is_empty());
    assert_eq!(desk.read("with/x.vigil/findings.csv"), desk.read("without/x.vigil/findings.csv"));
}

#[test]
fn analysis_opens_no_socket_and_starts_no_process() {
    if !usable("strace", &["-f", "-o", "/dev/null", "true"]) {
        return;
    }
    let desk = desk_with_an_attack();
    let strace = ["strace", "-f", "-e", "trace=network,process", "-o", "calls.txt"];
    under(&desk, &strace, &["analyze", "attack.pcap", "--report", "html,json,md,csv"]).well();
    let calls = desk.read("calls.txt");
    let seen = |wanted: &[&str]| {
        calls.lines().filter(|line| wanted.iter().any(|call| line.contains(call))).map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!(seen(&["execve("]).len(), 1, "vigil itself, and nothing else, is executed:\n{}", seen(&["execve("]).join("\n"));
    assert_eq!(seen(&USES_A_SOCKET), Vec::<String>::new());
    let processes: Vec<_> = seen(&MAKES_A_PROCESS).into_iter().filter(|call| !call.contains("CLONE_THREAD")).collect();
    assert_eq!(processes, Vec::<String>::new());
    assert!(calls.contains("CLONE_THREAD"), "the trace sees what vigil does, such as its threads:\n{calls}");
}
