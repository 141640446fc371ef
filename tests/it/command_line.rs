//! The command line keeps its word: exit codes, errors with a cure, output that programs can read, calm in pipes.

use crate::desk::{Desk, Said, demo, pcap_of, scenario, usable};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

const SUBCOMMANDS: [&str; 17] = [
    "analyze",
    "demo",
    "sql",
    "report",
    "carve",
    "verify",
    "suppress",
    "comment",
    "explain",
    "export",
    "serve",
    "user",
    "rules",
    "eval",
    "config",
    "completions",
    "man",
];

fn demo_case() -> String {
    demo().to_string_lossy().into_owned()
}

/// An error as promised: nothing on standard output, one message on standard error that holds all of `words`, this exit code.
#[track_caller]
fn refused(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, code, "{said:?}");
    assert_eq!(said.out, "", "an error is no output");
    assert_eq!(said.err.matches("vigil: ").count(), 1, "exactly one message: {}", said.err);
    assert!(said.err.starts_with("vigil: ") && said.err.ends_with('\n'), "{}", said.err);
    assert_calm(&said.err);
    for word in words {
        assert!(said.err.contains(word), "{word:?} is not said in: {}", said.err);
    }
}

/// An error found by the parser of the command line itself: usage follows the message.
#[track_caller]
fn misread(said: &Said, words: &[&str]) {
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
    assert!(said.err.starts_with("error: ") && said.err.contains("--help"), "{}", said.err);
    assert_calm(&said.err);
    for word in words {
        assert!(said.err.contains(word), "{word:?} is not said in: {}", said.err);
    }
}

/// No colour, no bars, no panic.
#[track_caller]
fn assert_calm(text: &str) {
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "control characters in {text:?}");
    assert!(!text.contains("panicked"), "{text}");
}

// Exit codes

#[test]
fn exit_code_0_says_that_nothing_reaches_the_bar_and_1_that_something_does() {
    let desk = Desk::new();
    desk.write("scan.pcap", scenario("port-scan-vertical"));
    desk.write("calm.pcap", scenario("sweep-arp-benign"));
    assert_eq!(desk.vigil(["analyze", "calm.pcap"]).well().code, 0);
    assert_eq!(desk.vigil(["analyze", "scan.pcap", "--fail-on", "info"]).well().code, 1);
    assert_eq!(desk.vigil(["analyze", "scan.pcap", "--fail-on", "critical"]).well().code, 0);
}

#[test]
fn exit_code_3_says_that_evidence_is_missing_and_goes_before_1() {
    let desk = Desk::new();
    let mut bytes = scenario("port-scan-vertical");
    bytes.truncate(bytes.len() - 7);
    desk.write("cut.pcap", bytes);
    let said = desk.vigil(["analyze", "cut.pcap", "--fail-on", "info"]);
    assert_eq!((said.code, said.err.as_str()), (3, ""));
    assert!(said.out.contains("damage"), "the summary says so: {}", said.out);
    assert!(desk.path("cut.vigil/case.duckdb").exists());
}

#[test]
fn exit_code_4_says_that_the_fault_is_not_the_users() {
    let desk = Desk::new();
    desk.write("calm.pcap", scenario("sweep-icmp-benign"));
    desk.vigil(["analyze", "calm.pcap"]).well();
    desk.write("calm.vigil/findings.ndjson", "{ this is no finding\n");
    refused(&desk.vigil(["report", "calm.vigil"]), 4, &["findings.ndjson"]);
}

// Errors: the thing, the place, the cure

#[test]
fn evidence_that_is_not_there_is_named() {
    let desk = Desk::new();
    refused(&desk.vigil(["analyze", "nowhere.pcap"]), 2, &["nowhere.pcap", "no such file", "check the spelling"]);
    assert!(!desk.path("nowhere.vigil").exists(), "nothing is left behind");
}

#[test]
fn a_folder_without_captures_is_named() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("notes")).unwrap();
    desk.write("notes/readme.txt", "not a capture");
    refused(&desk.vigil(["analyze", "notes"]), 2, &["notes", "pcap"]);
    assert!(!desk.path("notes.vigil").exists());
}

#[test]
fn a_text_file_is_no_capture() {
    let desk = Desk::new();
    desk.write("notes.txt", "Dear diary, today I captured no packets at all.\n".repeat(20));
    refused(&desk.vigil(["analyze", "notes.txt"]), 2, &["notes.txt", "pcap, pcapng"]);
}

#[test]
fn an_empty_file_is_no_capture() {
    let desk = Desk::new();
    desk.write("empty.pcap", "");
    refused(&desk.vigil(["analyze", "empty.pcap"]), 2, &["empty.pcap"]);
}

#[test]
fn a_place_that_cannot_be_written_to_is_named() {
    let desk = Desk::new();
    desk.write("calm.pcap", scenario("sweep-icmp-benign"));
    desk.write("file", "in the way");
    // Works for root as well, whom no permission stops.
    refused(&desk.vigil(["analyze", "calm.pcap", "--out", "file/case.vigil"]), 2, &["file/case.vigil", "--out"]);
}

#[test]
fn a_folder_with_other_things_in_it_is_left_alone() {
    let desk = Desk::new();
    desk.write("calm.pcap", scenario("sweep-icmp-benign"));
    std::fs::create_dir(desk.path("letters")).unwrap();
    desk.write("letters/mother.txt", "Dear mother");
    refused(&desk.vigil(["analyze", "calm.pcap", "--out", "letters"]), 2, &["letters", "not empty", "--out"]);
    assert_eq!(desk.read("letters/mother.txt"), "Dear mother");
}

#[test]
fn a_filter_that_makes_no_sense_is_quoted_with_an_example() {
    let desk = Desk::new();
    desk.write("calm.pcap", scenario("sweep-icmp-benign"));
    refused(&desk.vigil(["analyze", "calm.pcap", "--filter", "hosst 1.2.3.4"]), 2, &["hosst 1.2.3.4", "tcpdump", "host 10.0.0.5"]);
}

#[test]
fn a_parameter_that_does_not_exist_gets_the_nearest_one_suggested() {
    let desk = Desk::new();
    desk.write("calm.pcap", scenario("sweep-icmp-benign"));
    let set = |given| desk.vigil(["analyze", "calm.pcap", "--set", given]);
    refused(&set("dns-tunel.min_names=9"), 2, &["dns-tunel", "did you mean `dns-tunnel`?"]);
    refused(&set("dns-tunnel.min_nams=9"), 2, &["min_nams", "did you mean `min_names`?"]);
    refused(&set("dns-tunnel.min_names=lots"), 2, &["lots", "whole number"]);
    refused(&set("dns-tunnel"), 2, &["RULE.PARAM=VALUE"]);
}

#[test]
fn settings_out_of_range_say_what_they_take_and_where_they_came_from() {
    let desk = Desk::new();
    desk.write("calm.pcap", scenario("sweep-icmp-benign"));
    let with = |flag, value| desk.vigil(["analyze", "calm.pcap", flag, value]);
    refused(&with("--memory", "12 parsecs"), 2, &["memory", "12 parsecs", "flag", "512M"]);
    refused(&with("--memory", "3M"), 2, &["256M"]);
    refused(&with("--idle-timeout", "soon"), 2, &["idle-timeout", "soon", "90s"]);
    refused(&with("--home-net", "office"), 2, &["office", "10.0.0.0/8"]);
    refused(&with("--threads", "0"), 2, &["threads", "1 to 1024"]);
    let mut from_environment = desk.command(["config"]);
    from_environment.env("VIGIL_MEMORY", "much");
    refused(&Said::of(from_environment), 2, &["memory", "much", "VIGIL_MEMORY"]);
    desk.write("vigil.toml", "memori = \"2G\"\n");
    refused(&desk.vigil(["config"]), 2, &["vigil.toml", "memori"]);
}

#[test]
fn words_that_are_not_known_are_answered_with_those_that_are() {
    let desk = Desk::new();
    misread(&desk.vigil(["analyze", "x.pcap", "--report", "pdf"]), &["pdf", "html", "json", "md", "csv"]);
    misread(&desk.vigil(["report", "x.vigil", "--format", "docx"]), &["docx", "html"]);
    misread(&desk.vigil(["sql", "x.vigil", "SELECT 1", "--format", "xml"]), &["xml", "table", "csv", "json"]);
    misread(&desk.vigil(["analyze", "x.pcap", "--hash", "md5"]), &["md5", "blake3"]);
    misread(&desk.vigil(["analyze", "x.pcap", "--fail-on", "bad"]), &["bad", "critical"]);
    misread(&desk.vigil(["analyse", "x.pcap"]), &["analyse", "analyze"]);
    misread(&desk.vigil(["analyze", "x.pcap", "--reprot", "html"]), &["--reprot", "--report"]);
    misread(&desk.vigil(["analyze"]), &["PATH"]);
    refused(&desk.vigil(["rules", "show", "dns-tunel"]), 2, &["dns-tunel", "did you mean `dns-tunnel`?"]);
    refused(&desk.vigil(["rules", "list", "--rules", "nowhere"]), 2, &["nowhere"]);
    refused(&desk.vigil(["demo", "--scenario", "bank-robbery"]), 2, &["bank-robbery", "vigil demo --list"]);
}

#[test]
fn a_case_that_is_none_is_named() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("folder")).unwrap();
    for command in [&["sql", "folder", "SELECT 1"][..], &["report", "folder"]] {
        refused(&desk.vigil(command.iter().copied()), 2, &["folder", "not a vigil case", "NAME.vigil"]);
    }
    for command in [&["sql", "gone.vigil", "SELECT 1"][..], &["report", "gone.vigil"]] {
        refused(&desk.vigil(command.iter().copied()), 2, &["gone.vigil", "vigil analyze"]);
    }
}

#[test]
fn a_query_that_is_wrong_is_answered_by_the_database_in_one_message() {
    let desk = Desk::new();
    let case = demo_case();
    refused(&desk.vigil(["sql", &case, "SELEKT 1"]), 2, &["SELEKT"]);
    refused(&desk.vigil(["sql", &case, "SELECT id_orig FROM flows"]), 2, &["id_orig_h"]);
    refused(&desk.vigil(["sql", &case, "-f", "hunt.sql"]), 2, &["hunt.sql"]);
}

#[test]
fn a_query_can_neither_change_the_case_nor_reach_a_file() {
    let desk = Desk::new();
    let case = demo_case();
    let secret = desk.write("secret.csv", "a,b\n1,2\n");
    let read = format!("SELECT * FROM read_csv('{}')", secret.display());
    for query in ["DELETE FROM flows", "DROP TABLE findings", "COPY flows TO 'flows.csv'", "INSTALL httpfs", "ATTACH 'x.db'", read.as_str()]
    {
        let said = desk.vigil(["sql", &case, query]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{query}: {said:?}");
    }
    assert!(!desk.path("flows.csv").exists());
    assert!(desk.vigil(["sql", &case, "SELECT count(*) AS n FROM flows", "--json"]).json()["n"].as_u64() > Some(100));
}

#[test]
fn a_demo_of_so_many_flows_is_the_same_for_the_same_seed_and_says_which_frames_are_strange() {
    let desk = Desk::new();
    let made = |out: &str, seed: &str| {
        desk.vigil(["demo", "--flows", "300", "--anomaly-rate", "0.2", "--seed", seed, "--capture-only", "--out", out]).well();
        std::fs::read(desk.path(out).join("flows-300.pcap")).expect("the capture")
    };
    assert!(made("a", "5") == made("b", "5") && made("c", "6") != made("a", "5"));
    let truth = std::fs::read_to_string(desk.path("a/flows-300.truth.jsonl")).expect("the labels");
    assert!(truth.lines().count() == 4 && truth.contains("port-scan-vertical"), "{truth}");
    desk.vigil(["analyze", "a/flows-300.pcap", "--quiet"]);
    let flows = desk.vigil(["sql", "flows-300.vigil", "SELECT count(*) AS n FROM flows", "--json"]).json();
    assert!(flows["n"].as_u64() >= Some(300), "{flows}");
}

// Output

#[test]
fn the_run_in_the_readme_is_what_the_demo_prints() {
    let desk = Desk::new();
    let said = desk.vigil(["demo"]).out;
    let run = said.split("\n  vigil-demo/").next().unwrap_or_default().trim_end();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let mut parts: Vec<&str> = readme.split("```\n").collect();
    let at = parts.iter().position(|part| part.starts_with("CRITICAL")).expect("the README has a run");
    let text = format!("{run}\n");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        parts[at] = &text;
        std::fs::write(path, parts.join("```\n")).unwrap();
    } else {
        assert_eq!(parts[at], text, "UPDATE_DOCS=1 writes it");
    }
}

#[test]
fn with_json_standard_output_is_json_and_nothing_else() {
    let desk = Desk::new();
    desk.write("scan.pcap", scenario("port-scan-vertical"));
    let report = desk.vigil(["analyze", "scan.pcap", "--json", "--report", "html"]).well().json();
    assert!(report["coverage"]["frames"].as_u64() > Some(0), "{report}");
    assert!(desk.vigil(["demo", "--json", "--scenario", "sweep-icmp"]).well().json()["findings"].is_array());
    assert!(desk.vigil(["config", "--json"]).well().json()["memory"]["source"].is_string());
    let rules = desk.vigil(["rules", "list", "--json"]).well();
    let ids: Vec<String> =
        rules.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].to_string()).collect();
    assert!(ids.len() >= 12, "{ids:?}");
    let rows = desk.sql("scan.vigil", "SELECT flow_id, ts, id_orig_h FROM flows ORDER BY flow_id LIMIT 3");
    assert!(rows.len() == 3 && rows[0]["id_orig_h"].is_string());
}

#[test]
fn quiet_prints_nothing_but_errors() {
    let desk = Desk::new();
    desk.write("scan.pcap", scenario("port-scan-vertical"));
    let said = desk.vigil(["analyze", "scan.pcap", "--quiet", "--report", "html"]).well();
    assert_eq!(said.out, "");
    refused(&desk.vigil(["analyze", "gone.pcap", "--quiet"]), 2, &["gone.pcap"]);
}

#[test]
fn in_a_pipe_there_is_neither_colour_nor_a_bar() {
    let desk = Desk::new();
    desk.write("scan.pcap", scenario("port-scan-vertical"));
    let said = desk.vigil(["analyze", "scan.pcap"]).well();
    assert_calm(&said.out);
    assert!(said.out.lines().count() >= 5 && said.out.lines().all(|line| line.chars().count() <= 160), "{}", said.out);
    assert_calm(&desk.vigil(["report", "scan.vigil"]).well().out);
}

#[test]
fn a_reader_who_has_had_enough_is_no_error() {
    let desk = Desk::new();
    let case = demo_case();
    for args in [
        &["sql", &case, "SELECT range, repeat('x', 200) FROM range(100000)", "--format", "csv"][..],
        &["sql", &case, "SELECT range, repeat('x', 200) FROM range(100000)"],
        &["report", &case, "--format", "html", "--stdout"],
    ] {
        let mut command = desk.command(args.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        let mut complaint = String::new();
        child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
        assert_eq!((child.wait().unwrap().code(), complaint.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn tables_for_people_align_and_tell_how_many_rows() {
    let desk = Desk::new();
    let said = desk.vigil(["sql", &demo_case(), "SELECT proto, count(*) AS flows FROM flows GROUP BY proto ORDER BY proto"]).well();
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines[0].starts_with("proto") && lines[1].starts_with('─'), "{}", said.out);
    assert_eq!(lines.last(), Some(&format!("({} rows)", lines.len() - 3).as_str()));
    let listed = desk.vigil(["sql", &demo_case()]).well();
    assert!(listed.out.contains("flows") && listed.out.contains("findings"), "{}", listed.out);
}

// Help, manual, completions

#[test]
fn every_subcommand_has_help_with_its_flags_and_the_page_names_them_all() {
    let desk = Desk::new();
    let page = desk.vigil(["--help"]).well().out;
    for subcommand in SUBCOMMANDS {
        assert!(page.contains(&format!("\n  {subcommand} ")), "{subcommand} is missing in: {page}");
        let help = desk.vigil([subcommand, "--help"]).well();
        assert_eq!(help.code, 0);
        assert!(help.out.contains("Usage: vigil"), "{}", help.out);
        assert_calm(&help.out);
    }
    assert!(page.contains("Exit codes") && page.contains("Examples"), "{page}");
    assert!(desk.vigil(["--version"]).well().out.starts_with("vigil "));
}

#[test]
fn examples_in_help_name_flags_that_exist() {
    let desk = Desk::new();
    for subcommand in SUBCOMMANDS {
        let help = desk.vigil([subcommand, "--help"]).well().out;
        let Some((flags, examples)) = help.split_once("Example") else { continue };
        let used = examples.split([' ', '\n', '\'']).filter(|word| word.starts_with("--"));
        for flag in used {
            // `vigil rules test --rules` belongs to a subcommand of the subcommand.
            let nested = |inner: &&str| desk.vigil([subcommand, inner, "--help"]).out.contains(flag);
            assert!(flags.contains(flag) || ["test", "add"].iter().any(nested), "{subcommand} {flag}");
        }
    }
}

#[test]
fn the_manual_is_a_page_that_man_can_show() {
    let desk = Desk::new();
    let page = desk.vigil(["man"]).well().out;
    assert!(page.contains(".TH vigil 1") && page.contains(".SH"), "{page}");
    desk.vigil(["man", "--out", "man1"]).well();
    let pages = std::fs::read_dir(desk.path("man1")).unwrap().count();
    assert!(pages > SUBCOMMANDS.len(), "{pages} pages");
    if !usable("man", &["--version"]) {
        return;
    }
    let mut man = Command::new("man")
        .args(["-l", "-"])
        .env("MANPAGER", "cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    man.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let shown = Said::from(man.wait_with_output().unwrap());
    if !shown.out.contains("vigil") && shown.err.contains("minimized") {
        println!("SKIPPED: `man` shows no pages on this minimized system");
        return;
    }
    assert!(shown.code == 0 && shown.out.contains("analyze"), "{shown:?}");
}

#[test]
fn completions_are_scripts_that_their_shells_can_parse() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = desk.vigil(["completions", shell]).well().out;
        assert!(script.contains("analyze") && script.contains("report"), "{shell}");
        let file = desk.write(&format!("vigil.{shell}"), script);
        if matches!(shell, "bash" | "zsh" | "fish") && usable(shell, &["-c", "true"]) {
            let said = Said::of({
                let mut check = Command::new(shell);
                check.arg("-n").arg(&file);
                check
            });
            assert!(said.code == 0 && said.err.is_empty(), "{shell}: {said:?}");
        }
    }
}

// The same evidence by other ways

#[test]
fn standard_input_and_compressed_files_say_what_the_plain_file_says() {
    let desk = Desk::new();
    let plain = scenario("dns-tunnel");
    desk.write("dump.pcap", &plain);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    desk.write("dump.pcap.gz", gzip.finish().unwrap());
    desk.write("dump.pcap.zst", zstd::encode_all(plain.as_slice(), 1).unwrap());
    let fingerprint = |case: &str| {
        let open = vigil::store::open_read_only(&desk.path(case), 1 << 30, 1).unwrap();
        let mut tables = vigil::store::fingerprint(open.connection()).unwrap();
        // Path, size and hash of the file are its own.
        assert!(tables.remove("captures").is_some());
        tables
    };
    desk.vigil(["analyze", "dump.pcap", "--out", "plain.vigil"]).well();
    desk.vigil_fed(["analyze", "-", "--out", "fed.vigil"], &plain).well();
    let wanted = fingerprint("plain.vigil");
    assert_eq!(fingerprint("fed.vigil"), wanted);
    for (file, case) in [("dump.pcap.gz", "gz.vigil"), ("dump.pcap.zst", "zst.vigil")] {
        desk.vigil(["analyze", file, "--out", case]).well();
        assert_eq!(fingerprint(case), wanted, "{file}");
    }
}

#[test]
fn a_filter_leaves_out_and_says_so() {
    let desk = Desk::new();
    desk.write("demo.pcap", pcap_of(&vigil::synth::demo(1)));
    let all = desk.vigil(["analyze", "demo.pcap", "--out", "all.vigil", "--json"]).well().json();
    let some = desk.vigil(["analyze", "demo.pcap", "--out", "some.vigil", "--filter", "udp port 53", "--json"]).well().json();
    assert_eq!(all["coverage"]["frames"], some["coverage"]["frames"], "every frame read is counted");
    let protocols = desk.sql("some.vigil", "SELECT DISTINCT proto, id_resp_p FROM flows");
    assert_eq!(protocols, [serde_json::json!({ "proto": "udp", "id_resp_p": 53 })]);
    let left_out = some["coverage"]["undecoded"].as_array().unwrap().iter().find(|share| share["name"] == "left_out_by_filter");
    assert!(left_out.is_some_and(|share| share["count"].as_u64() > Some(0)), "{some}");
}

#[test]
fn a_case_is_replaced_by_a_new_analysis_and_its_journal_stays() {
    let desk = Desk::new();
    desk.write("scan.pcap", scenario("port-scan-vertical"));
    desk.write("calm.pcap", scenario("sweep-icmp-benign"));
    desk.vigil(["analyze", "scan.pcap", "--out", "x.vigil"]).well();
    desk.write("x.vigil/notes.txt", "mine");
    desk.vigil(["analyze", "calm.pcap", "--out", "x.vigil"]).well();
    assert_eq!(desk.read("x.vigil/notes.txt"), "mine");
    let evidence = desk.sql("x.vigil", "SELECT path FROM captures");
    assert_eq!(evidence, [serde_json::json!({ "path": "calm.pcap" })]);
}

#[test]
fn settings_come_from_flag_then_environment_then_file_then_default() {
    let desk = Desk::new();
    let source = |said: Said| said.well().json()["memory"].clone();
    let asked = |environment: &[(&str, &str)]| {
        let mut command = desk.command(["config", "--json"]);
        command.envs(environment.iter().copied());
        source(Said::of(command))
    };
    assert_eq!(asked(&[]), serde_json::json!({ "value": "2G", "source": "default" }));
    desk.write("vigil.toml", "memory = \"3G\"\n");
    assert_eq!(asked(&[]), serde_json::json!({ "value": "3G", "source": "vigil.toml" }));
    let environment = [("VIGIL_MEMORY", "4G")];
    assert_eq!(asked(&environment), serde_json::json!({ "value": "4G", "source": "environment VIGIL_MEMORY" }));
    desk.write("calm.pcap", scenario("sweep-icmp-benign"));
    let mut analyze = desk.command(["analyze", "calm.pcap", "--memory", "1G"]);
    Said::of({
        analyze.envs(environment);
        analyze
    })
    .well();
    let manifest: serde_json::Value = serde_json::from_str(&desk.read("calm.vigil/manifest.json")).unwrap();
    assert_eq!(manifest["run"]["options"]["memory"].as_u64(), Some(1 << 30), "{manifest}");
}

#[test]
fn the_demo_shows_an_attack_and_names_its_report() {
    let desk = Desk::new();
    let said = desk.vigil(["demo", "--out", "show"]).well();
    assert_eq!(said.code, 0, "finding the attack is its success");
    assert!(said.out.contains("report.html"), "{}", said.out);
    for file in ["show/demo.pcap", "show/demo.truth.jsonl", "show/demo.vigil/report.html"] {
        assert!(desk.path(file).exists(), "{file}");
    }
    let again = Desk::new();
    again.vigil(["demo", "--out", "show"]).well();
    assert!(std::fs::read(desk.path("show/demo.pcap")).unwrap() == std::fs::read(again.path("show/demo.pcap")).unwrap());
    let listed = desk.vigil(["demo", "--list"]).well().out;
    assert!(listed.contains("dns-tunnel") && listed.lines().count() > 20, "{listed}");
}
