//! House rules that a machine can keep.

use crate::{files, relative, root};
use std::path::PathBuf;

/// Ways of asking the clock, or chance, in SQL.
const SQL_CLOCKS: [&str; 10] = [
    "now()",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtime",
    "today()",
    "get_current_time",
    "transaction_timestamp",
    "random()",
    "uuid()",
];
/// Ways of asking the wall clock in Rust.
const RUST_CLOCKS: [&str; 3] = ["SystemTime::now", "Utc::now", "Local::now"];
/// Who may ask it: those who write the record of the run, and of what people did later.
const MAY_ASK: [&str; 4] = ["src/pipeline/", "src/cli/", "src/main.rs", "src/store/journal.rs"];
/// Beginnings of paths that exist on one machine only.
const SOMEONES_PATHS: [&str; 3] = ["/home/", "/Users/", "/root/"];

/// Lines of files that a rule forbids, named so that they can be found.
fn offences(paths: &[PathBuf], forbids: impl Fn(&str) -> bool) -> Vec<String> {
    let mut offences = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().enumerate().filter(|(_, line)| forbids(line));
        offences.extend(lines.map(|(number, line)| format!("{}:{}: {}", relative(path), number + 1, line.trim())));
    }
    offences
}

fn statement(line: &str) -> String {
    line.split("--").next().unwrap_or_default().to_lowercase()
}

#[test]
fn no_query_asks_the_wall_clock_or_chance() {
    let asks = |line: &str| SQL_CLOCKS.iter().any(|clock| statement(line).contains(clock));
    assert!(asks("SELECT now() - ts") && !asks("SELECT ts -- not now()"));
    let offences = offences(&files(&root().join("queries"), ".sql"), asks);
    assert!(offences.is_empty(), "time in a query is capture time:\n{}", offences.join("\n"));
}

#[test]
fn only_the_record_of_a_run_asks_the_wall_clock() {
    let mut sources = files(&root().join("src"), ".rs");
    sources.retain(|path| !MAY_ASK.iter().any(|place| relative(path).starts_with(place)));
    assert!(sources.len() > 10);
    let offences = offences(&sources, |line| RUST_CLOCKS.iter().any(|clock| line.contains(clock)));
    assert!(offences.is_empty(), "same evidence, same case: no wall clock here:\n{}", offences.join("\n"));
}

#[test]
fn nothing_names_a_path_of_one_machine() {
    let mut built_from =
        vec!["Cargo.toml", "build.rs", "Makefile", ".cargo/config.toml", ".ci/run"].into_iter().map(|file| root().join(file)).collect();
    let mut all: Vec<PathBuf> = [files(&root().join("scripts"), ""), files(&root().join("queries"), "")].concat();
    all.append(&mut built_from);
    let someones = |line: &str| SOMEONES_PATHS.iter().any(|path| line.contains(path));
    let mut found = offences(&all, someones);
    all.extend(
        ["src", "tests", "docs"]
            .into_iter()
            .flat_map(|folder| files(&root().join(folder), ""))
            .filter(|path| path.extension().is_some_and(|ending| ["rs", "md", "sql", "html", "toml"].iter().any(|text| ending == *text))),
    );
    let here = root().display().to_string();
    found.extend(offences(&all, |line| line.contains(&here)));
    assert!(found.is_empty(), "the project works wherever it is cloned:\n{}", found.join("\n"));
}

#[test]
fn every_rule_is_called_as_its_file() {
    for path in files(&root().join("queries"), ".sql") {
        let inner = path.components().any(|part| part.as_os_str().to_string_lossy().starts_with('_'));
        let text = std::fs::read_to_string(&path).unwrap();
        // Files without a header are helpers: views, macros, examples.
        if inner || !text.starts_with("/*") {
            continue;
        }
        let id = text
            .lines()
            .find_map(|line| line.strip_prefix("id")?.trim_start().strip_prefix('=')?.trim().strip_prefix('"')?.split('"').next());
        assert_eq!(id, path.file_stem().and_then(|stem| stem.to_str()), "{}", relative(&path));
    }
}
