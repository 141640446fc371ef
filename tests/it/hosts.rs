//! Who is who: users, hosts and files that the labelled captures are known to hold are found, each with a frame.

use crate::desk::{Desk, shared};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Side of a capture, as its ground truth names them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Attacker,
    Victim,
    Anyone,
}
use Side::{Anyone, Attacker, Victim};

/// What captures hold beyond the words of their ground truth, read in them with another program: beginning of the capture's name, whose it is, claim, value.
const KNOWN: &[(&str, Side, &str, &str)] = &[
    ("lm-psexec", Attacker, "name", "02694w-win10"),
    ("lm-psexec", Victim, "name", "01566s-win16-ir.threebeesco.com"),
    ("lm-smbexec", Victim, "name", "01566s-win16-ir"),
    ("lm-wmi-process-create", Attacker, "name", "02694w-win10"),
    ("lm-atexec", Victim, "name", "chip_douglas-pc"),
    ("lm-remcom", Victim, "name", "chip_douglas-pc"),
    ("lm-remcom", Attacker, "name", "snicklefritz"),
    ("lm-rdp-sharprdp", Victim, "name", "msedgewin10"),
    ("exploit-printnightmare-1", Attacker, "name", "win10-0"),
    ("exploit-printnightmare-1", Victim, "name", "dc.lares.labs"),
    ("cred-dcshadow", Attacker, "name", "02694w-win10"),
    ("cred-overpass-the-hash", Attacker, "user", "chewbacca@picklesworth.local"),
    ("cred-overpass-the-hash", Attacker, "name", "chip_douglas-pc"),
    ("scan-lan-vuln-ms17-010", Victim, "name", "securitynik-xp"),
    ("scan-lan-vuln-ms17-010", Victim, "name", "metasploitable"),
    ("cleartext-telnet", Attacker, "user", "msfadmin"),
    ("cleartext-telnet", Victim, "name", "metasploitable"),
    ("c2-agenttesla-smtp", Victim, "name", "user-pc"),
    ("c2-beacon-lurk", Victim, "name", "dellxt"),
    ("c2-beacon-lurk", Victim, "os", "Windows XP / Server 2003"),
    ("c2-emotet-post", Victim, "os", "Windows 10 or later"),
    ("web-sqlmap-compromise", Victim, "name", "securitynik-win10"),
    ("exfil-smtp-evidence02", Victim, "name", "annlaptop"),
    ("ek-java-evidence05", Victim, "os", "Windows XP"),
    ("benign-windows-ad-browsing", Anyone, "name", "chip-douglas-pc"),
    ("benign-windows-ad-browsing", Anyone, "name", "win-cnneq7ocuqs.picklesworth.local"),
    ("benign-windows-ad-browsing", Anyone, "domain", "picklesworth.local"),
    ("benign-smb-fileserver", Anyone, "name", "client-win-fr"),
    ("benign-smb-fileserver", Anyone, "user", "user2"),
    ("benign-iot-lock-mqtt", Anyone, "name", "pgh200"),
    ("benign-iot-camera", Anyone, "name", "f4b85eff2b1b-mysimplelink"),
    ("benign-netflix", Anyone, "os", "Apple iOS 10.2"),
    ("benign-web-browsing-2026", Anyone, "name", "marco"),
    ("benign-gnutella", Anyone, "name", "msedgewin10"),
    ("benign-ssh-admin", Anyone, "os", "Ubuntu 11.04 to 11.10"),
];

/// What must be claimed of nobody: groups as machines, names that were only asked for.
const NOBODYS: &[(&str, &str)] = &[
    ("benign-windows-ad-browsing", "picklesworth"),
    ("benign-gnutella", "workgroup"),
    ("benign-gnutella", "puppet"),
    ("scan-lan-vuln-ms17-010", "workgroup"),
    ("benign-wechat", "lbjamwptxz"),
    ("c2-agenttesla", "isatap"),
];

/// Files that are only spoken of in a shell of no protocol.
const NEVER_SENT: [&str; 1] = ["msblast.exe"];

#[test]
fn users_hosts_and_files_of_the_labelled_captures_are_found_with_their_frames() {
    let Some(library) = shared("corpus") else { return };
    let truth: Value = serde_json::from_slice(&std::fs::read(library.join("truth.json")).expect("a list")).expect("JSON");
    let truth = truth.as_array().expect("a list of captures");
    let (next, wrong, asked) = (AtomicUsize::new(0), Mutex::new(Vec::new()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(capture) = truth.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let wanted = wanted(capture);
                    if wanted.is_empty() {
                        continue;
                    }
                    asked.fetch_add(wanted.len(), Ordering::Relaxed);
                    let missing = missing(&library, text(&capture["file"]), &wanted);
                    wrong.lock().unwrap().extend(missing);
                }
            });
        }
    });
    let (asked, mut wrong) = (asked.into_inner(), wrong.into_inner().unwrap());
    wrong.sort();
    println!("{asked} things asked, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked >= 200, "the ground truth names more than {asked}");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A question, and the statement that counts what answers it.
struct Wanted {
    what: String,
    sql: String,
    /// Nothing must answer.
    not: bool,
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn list(values: &[String]) -> String {
    values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(", ")
}

/// All that the ground truth of a capture names, and what is known besides.
fn wanted(capture: &Value) -> Vec<Wanted> {
    let addresses = |field: &str| -> Vec<String> {
        let listed = capture[field].as_array().into_iter().flatten().map(text);
        listed.filter(|name| name.parse::<Ipv4Addr>().is_ok()).map(str::to_owned).collect()
    };
    let (attackers, victims) = (addresses("attackers"), addresses("victims"));
    let mut wanted = Vec::new();
    let mut ask = |what: String, sql: String| wanted.push(Wanted { what, sql, not: false });
    for ip in [attackers.clone(), victims.clone(), addresses("hosts")].concat() {
        ask(format!("host {ip}"), format!("SELECT count(*) AS n FROM hosts WHERE ip = {}", quoted(&ip)));
    }
    for sentence in capture["expect"].as_array().into_iter().flatten().map(text) {
        for (name, ip) in named_addresses(sentence) {
            let sql = format!(
                "SELECT count(*) AS n FROM host_claims WHERE frame >= 1 AND ip = {} AND claim IN ('name', 'alias') AND value = {}",
                quoted(&ip),
                quoted(&name)
            );
            ask(format!("{ip} is {name}"), sql);
        }
        for (ip, mac) in hardware(sentence) {
            ask(format!("{ip} is at {mac}"), claim_of(&quoted(&ip), "mac", &mac));
        }
        if let Some(user) = user(sentence) {
            let sql = format!(
                "SELECT count(*) AS n FROM credentials JOIN host_claims h ON h.claim = 'user' AND h.value = \"user\" AND h.ip = id_orig_h AND h.frame >= 1 WHERE \"user\" = {}",
                quoted(&user)
            );
            ask(format!("user {user}"), sql);
        }
        for file in files(sentence) {
            let sql = format!(
                "SELECT count(*) AS n FROM files WHERE frame >= 1 AND (filename ILIKE '%' || {0} OR url ILIKE '%' || {0})",
                quoted(&file)
            );
            ask(format!("file {file}"), sql);
        }
    }
    for (_, side, claim, value) in KNOWN.iter().filter(|(start, ..)| text(&capture["file"]).starts_with(start)) {
        let who = match side {
            Attacker => list(&attackers),
            Victim => list(&victims),
            Anyone => "SELECT ip FROM hosts".to_owned(),
        };
        wanted.push(Wanted { what: format!("{claim} {value} of {side:?}"), sql: claim_of(&who, claim, value), not: false });
    }
    for (_, name) in NOBODYS.iter().filter(|(start, _)| text(&capture["file"]).starts_with(start)) {
        let sql = format!("SELECT count(*) AS n FROM host_claims WHERE claim = 'name' AND value = {}", quoted(name));
        wanted.push(Wanted { what: format!("{name}, which is no host's name"), sql, not: true });
    }
    wanted
}

fn claim_of(who: &str, claim: &str, value: &str) -> String {
    format!(
        "SELECT count(*) AS n FROM host_claims WHERE frame >= 1 AND confidence > 0 AND ip IN ({who}) AND claim = {} AND value = {}",
        quoted(claim),
        quoted(value)
    )
}

/// A word without what surrounds it in a sentence.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| matches!(c, '(' | ')' | ',' | ';' | '"' | ':'))
}

/// `example.org (192.0.2.1)`, and `192.0.2.1 (SNI example.org)`.
fn named_addresses(sentence: &str) -> Vec<(String, String)> {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let ip = |word: &str| bare(word).parse::<Ipv4Addr>().ok().map(|ip| ip.to_string());
    let name = |word: &str| {
        (word.contains('.') && ip(word).is_none() && word.ends_with(|c: char| c.is_ascii_alphabetic())).then(|| word.to_ascii_lowercase())
    };
    let mut found = Vec::new();
    for pair in words.windows(2) {
        if pair[1].starts_with('(')
            && let (Some(name), Some(ip)) = (name(pair[0]), ip(pair[1]))
        {
            found.push((name, ip));
        }
    }
    for three in words.windows(3) {
        if three[1] == "(SNI"
            && let (Some(ip), Some(name)) = (ip(three[0]), name(bare(three[2])))
        {
            found.push((name, ip));
        }
    }
    found
}

/// `192.0.2.1 (02:00:00:00:00:01)`, and `192.0.2.1 claimed by 02:00:00:00:00:01`.
fn hardware(sentence: &str) -> Vec<(String, String)> {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let mac = |word: &str| (bare(word).len() == 17 && bare(word).split(':').count() == 6).then(|| bare(word).to_owned());
    let found = (0..words.len()).filter_map(|at| {
        let ip = bare(words[at]).parse::<Ipv4Addr>().ok()?.to_string();
        let next = words
            .get(at + 1)
            .filter(|next| next.starts_with('('))
            .or_else(|| words.get(at + 3).filter(|_| words.get(at + 1) == Some(&"claimed")))?;
        Some((ip, mac(next)?))
    });
    found.collect()
}

/// `USER/PASS (ann/secret)`.
fn user(sentence: &str) -> Option<String> {
    let (_, rest) = sentence.split_once("USER/PASS (")?;
    rest.split_once('/').map(|(user, _)| user.to_owned())
}

/// Words that end like programs.
fn files(sentence: &str) -> Vec<String> {
    let words = sentence.split(|c: char| c.is_whitespace() || "()\",;".contains(c));
    let ends = |word: &&str| {
        [".exe", ".jar", ".class", ".dll"].iter().any(|ending| word.len() > ending.len() && word.to_ascii_lowercase().ends_with(ending))
    };
    words.filter(ends).filter(|word| !NEVER_SENT.contains(word)).map(str::to_owned).collect()
}

fn missing(library: &Path, capture: &str, wanted: &[Wanted]) -> Vec<String> {
    let desk = Desk::new();
    let path = library.join("captures").join(capture);
    let said = desk.vigil(["analyze", &path.to_string_lossy(), "--out", "x.vigil", "--quiet", "--threads", "1"]);
    if !matches!(said.code, 0 | 1 | 3) {
        return vec![format!("{capture}: exit code {}, {}", said.code, said.err.trim())];
    }
    let all: Vec<String> = wanted.iter().enumerate().map(|(n, wanted)| format!("SELECT {n} AS nth, n FROM ({})", wanted.sql)).collect();
    let rows = desk.sql("x.vigil", &format!("{} ORDER BY nth", all.join(" UNION ALL ")));
    assert_eq!(rows.len(), wanted.len(), "{capture}");
    let wrong = rows.iter().zip(wanted).filter(|(row, wanted)| (row["n"].as_u64().unwrap_or(0) > 0) == wanted.not);
    wrong.map(|(row, wanted)| format!("{capture}: {} ({} rows)", wanted.what, row["n"])).collect()
}
