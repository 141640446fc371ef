//! The report in a dozen lines or two, with the next commands to type.
//!
//! A gutter of labels on the left, one thing a line, nothing wider than the terminal. Names from packets reach the terminal
//! only after [`visible`]: an escape sequence in a host name is shown, not obeyed.

use super::facts::{changes_by_kind, coverage, host_state, tally};
use super::text::{count, shell_path, shell_word, thousands, visible};
use crate::model::report::{Host, Incident};
use crate::model::{Finding, Report, Severity};
use std::fmt::Write;

/// Columns of the label at the left.
const GUTTER: usize = 10;
/// Below this a table is unreadable whatever one does.
const NARROWEST: usize = 40;
/// Wider lines tire the eye.
const WIDEST: usize = 140;
/// Hosts and findings shown; the report has the others.
const HOSTS: usize = 4;
const FINDINGS: usize = 5;
/// Incidents shown, each instead of a host: the page stays as long as it was.
const INCIDENTS: usize = 2;
const CHANGES: usize = 3;
const NOTES: usize = 4;
/// Lines a sentence may take before it is cut.
const VERDICT_LINES: usize = 3;
const BLIND_SPOTS: usize = 2;

/// The report for a terminal `width` columns wide; with ANSI colours only if `colour`. Ends with a line end.
pub fn terminal(report: &Report, width: usize, colour: bool) -> String {
    let mut page = Page { text: String::new(), width: width.clamp(NARROWEST, WIDEST), colour };
    verdict(&mut page, report);
    incidents(&mut page, report);
    hosts(&mut page, report);
    findings(&mut page, report);
    put_aside(&mut page, report);
    unusual(&mut page, report);
    seen(&mut page, report);
    next(&mut page, report);
    packets(&mut page, report);
    page.text
}

fn verdict(page: &mut Page, report: &Report) {
    let (name, paint) = match report.verdict.severity {
        Some(severity) => (severity.name().to_uppercase(), paint_of(severity)),
        None => ("NO ALARM".to_owned(), BOLD),
    };
    page.entry(&name, paint, &report.verdict.line, VERDICT_LINES);
    // A narrow terminal has no room for second lines.
    let lines = if page.width >= 90 { 2 } else { 1 };
    for (index, action) in report.verdict.actions.iter().take(3).enumerate() {
        page.entry(if index == 0 { "do first" } else { "" }, DIM, &format!("{}. {action}", index + 1), lines);
    }
}

/// Findings that belong together; one finding alone stands below anyway.
fn incidents(page: &mut Page, report: &Report) {
    for incident in told_first(report) {
        let words = format!("risk {:.0}  {}", incident.risk, incident.title);
        page.entry(&clip(&incident.id, GUTTER - 1), paint_of(incident.severity), &words, 1);
    }
}

fn told_first(report: &Report) -> impl Iterator<Item = &Incident> {
    report.incidents.iter().filter(|incident| incident.findings.len() > 1 && !incident.background).take(INCIDENTS)
}

fn hosts(page: &mut Page, report: &Report) {
    let risky: Vec<&Host> = report.hosts.iter().filter(|host| !host.findings.is_empty()).take(HOSTS - told_first(report).count()).collect();
    let name_of = |host: &Host| host.names.first().cloned().unwrap_or_default();
    let widest =
        |of: &dyn Fn(&Host) -> String, most: usize| risky.iter().map(|host| columns(&visible(&of(host)))).max().unwrap_or(0).min(most);
    let (ip, state, name) =
        (widest(&|host| host.ip.clone(), 39), widest(&|host| host_state(&host.state).to_owned(), 13), widest(&name_of, 24));
    let risk = widest(&|host| format!("{:.0}", host.risk), 3);
    for (index, host) in risky.iter().enumerate() {
        let tactics = host.tactics.iter().map(|tactic| tactic.replace(['_', '-'], " ")).collect::<Vec<_>>().join(", ");
        let columns = [
            pad(&host.ip, ip),
            format!("risk {:>risk$.0}", host.risk),
            pad(host_state(&host.state), state),
            pad(&name_of(host), name),
            tactics,
        ];
        page.entry(if index == 0 { "hosts" } else { "" }, DIM, columns.join("  ").trim_end(), 1);
    }
}

fn findings(page: &mut Page, report: &Report) {
    let all = &report.findings;
    if all.is_empty() {
        return;
    }
    let parts: Vec<String> = tally(all).iter().filter(|(_, n)| *n > 0).map(|(severity, n)| format!("{n} {}", severity.name())).collect();
    page.entry("findings", DIM, &format!("{} in all: {}", thousands(all.len() as u64), parts.join(", ")), 1);
    for finding in all.iter().take(FINDINGS) {
        page.entry(&format!("  {}", clip(&finding.id, GUTTER - 3)), paint_of(finding.severity), &one_line(finding, page.width), 1);
    }
}

/// Findings that people put aside, also where nothing else is left.
fn put_aside(page: &mut Page, report: &Report) {
    if !report.set_aside.is_empty() {
        let n = report.set_aside.len() as u64;
        page.entry("put aside", DIM, &format!("{} by people: vigil suppress {} --list", count(n, "finding"), case_of(report)), 1);
    }
}

/// How to get the packets of each finding shown, and the filter that shows them in Wireshark.
fn packets(page: &mut Page, report: &Report) {
    let case = case_of(report);
    let plain = |finding: &&Finding| !finding.id.is_empty() && finding.id.bytes().all(|b| b.is_ascii_alphanumeric());
    for (index, finding) in report.findings.iter().take(FINDINGS).filter(plain).enumerate() {
        let command = format!("vigil carve {case} {id} -o {id}.pcapng", id = finding.id);
        let room = page.width.saturating_sub(GUTTER + columns(&command) + 2);
        // A filter is there to be copied: half of one is worse than none.
        let fits = !finding.wireshark.is_empty() && columns(&visible(&finding.wireshark)) <= room;
        let filter = if fits { format!("  {}", visible(&finding.wireshark)) } else { String::new() };
        page.command(if index == 0 { "packets" } else { "" }, &format!("{command}{filter}"));
    }
}

/// The case folder as it is typed.
fn case_of(report: &Report) -> String {
    shell_path(if report.run.folder.is_empty() { &report.case } else { &report.run.folder })
}

/// `T1110.001  97 %  203.0.113.66 guessed …  [frame 20412 +6]`. The frame stays where the sentence does not fit.
fn one_line(finding: &Finding, width: usize) -> String {
    let attack = finding.attack.first().map_or("–", String::as_str);
    let head = format!("{}  {:>3.0} %  ", pad(attack, 9), finding.confidence * 100.0);
    let frame = match (finding.frames.first(), finding.frames.len()) {
        (None, _) => String::new(),
        (Some(first), 1) => format!("  [frame {first}]"),
        (Some(first), n) => format!("  [frame {first} +{}]", n - 1),
    };
    let room = width.saturating_sub(GUTTER + columns(&head) + columns(&frame));
    format!("{head}{}{frame}", clip(&finding.says, room))
}

/// What has changed since the baseline, by kind and with the first of them; then what outside knowledge there was.
fn unusual(page: &mut Page, report: &Report) {
    if report.changes_total > 0 {
        page.entry("changed", DIM, &changes_by_kind(report), 1);
        report.changes.iter().take(CHANGES).for_each(|change| page.entry("", DIM, &change.says, 1));
    } else if report.notes.iter().any(|note| note.starts_with("compared with")) {
        page.entry("changed", DIM, "nothing since the baseline", 1);
    }
    for (index, note) in report.notes.iter().filter(|note| !note.starts_with("compared with")).take(NOTES).enumerate() {
        page.entry(if index == 0 { "notes" } else { "" }, DIM, note, 1);
    }
}

fn seen(page: &mut Page, report: &Report) {
    let facts = coverage(&report.coverage);
    let say = |name: &str| facts.iter().find(|fact| fact.label == name).map_or(String::new(), |fact| fact.value.clone());
    page.entry("seen", DIM, &format!("{}; {} decoded, {} of payload encrypted", say("Read"), say("Decoded"), say("Encrypted")), 1);
    let c = &report.coverage;
    let rules = format!("{} rules ran, {} fired, {} could not apply", c.rules_run, c.rules_fired, c.rules_not_applicable);
    page.entry("", DIM, &rules, 1);
    let doubts: Vec<String> = facts
        .iter()
        .filter(|fact| fact.doubt && !matches!(fact.label, "Read" | "Decoded" | "Encrypted" | "Rules"))
        .map(|fact| format!("{} {}", fact.label.to_lowercase(), fact.value))
        .collect();
    if !doubts.is_empty() {
        page.entry("doubts", paint_of(Severity::Medium), &doubts.join("; "), 2);
    }
    for (index, blind) in c.blind_spots.iter().take(BLIND_SPOTS).enumerate() {
        page.entry(if index == 0 { "not seen" } else { "" }, paint_of(Severity::Medium), blind, 1);
    }
}

fn next(page: &mut Page, report: &Report) {
    let case = case_of(report);
    let mut commands = vec![format!("vigil report {case} --format html")];
    if let Some(finding) = report.findings.first() {
        commands.push(format!("vigil sql {case} \"SELECT id, severity, says FROM findings ORDER BY risk DESC\""));
        commands.push(format!("vigil explain {case}"));
        commands.push(format!("vigil rules show {}", shell_word(&finding.rule)));
    } else {
        commands.push(format!("vigil sql {case} \"SELECT service, count(*) FROM flows GROUP BY ALL ORDER BY 2 DESC\""));
    }
    for (index, command) in commands.iter().enumerate() {
        page.command(if index == 0 { "next" } else { "" }, command);
    }
}

const BOLD: &str = "1";
const DIM: &str = "2";

fn paint_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "1;31",
        Severity::High => "31",
        Severity::Medium => "33",
        Severity::Low => "36",
        Severity::Info => "2",
    }
}

/// Lines under a gutter.
struct Page {
    text: String,
    width: usize,
    colour: bool,
}

impl Page {
    /// `words` beside `label`, broken at blanks into at most `lines` lines; what does not fit is cut with `…`.
    fn entry(&mut self, label: &str, paint: &str, words: &str, lines: usize) {
        for (index, line) in wrap(words, self.width - GUTTER, lines).into_iter().enumerate() {
            self.gutter(if index == 0 { label } else { "" }, paint);
            self.text.push_str(&line);
            self.text.push('\n');
        }
    }

    /// A command is never cut or broken: it is there to be copied.
    fn command(&mut self, label: &str, command: &str) {
        self.gutter(label, DIM);
        self.text.push_str(command);
        self.text.push('\n');
    }

    fn gutter(&mut self, label: &str, paint: &str) {
        let padded = pad(label, GUTTER - 1);
        if self.colour && !label.is_empty() {
            let _ = write!(self.text, "\u{1b}[{paint}m{padded}\u{1b}[0m ");
        } else {
            let _ = write!(self.text, "{padded} ");
        }
    }
}

/// Columns that `c` takes at most. Exact tables change with every Unicode release; what matters is never to take a wide
/// character for a narrow one, so all beyond the European scripts count two, but for punctuation, arrows and boxes.
fn columns_of(c: char) -> usize {
    match c {
        '\u{0}'..'\u{1100}' | '\u{2010}'..'\u{2318}' | '\u{2500}'..'\u{25fc}' => 1,
        _ => 2,
    }
}

fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// `text`, visible, in at most `room` columns, with `…` where it was cut.
fn clip(text: &str, room: usize) -> String {
    let text = visible(text);
    if columns(&text) <= room {
        return text.into_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += columns_of(*c);
        used <= room
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    if room > 0 {
        cut.truncate(cut.trim_end().len());
        cut.push('…');
    }
    cut
}

/// `text` in exactly `room` columns (or fewer, where a wide character does not fit).
fn pad(text: &str, room: usize) -> String {
    let mut cell = clip(text, room);
    cell.extend(std::iter::repeat_n(' ', room.saturating_sub(columns(&cell))));
    cell
}

/// `text`, visible, in at most `lines` lines of at most `room` columns, broken at blanks where there are any.
fn wrap(text: &str, room: usize, lines: usize) -> Vec<String> {
    let text = visible(text);
    let mut wrapped: Vec<String> = Vec::new();
    let mut rest = text.trim_end();
    while wrapped.len() + 1 < lines && columns(rest) > room {
        let mut used = 0;
        let end = rest.char_indices().find(|(_, c)| {
            used += columns_of(*c);
            used > room
        });
        let end = end.map_or(rest.len(), |(at, _)| at);
        // A blank in the first half would leave a ragged line: better to break the word.
        let at = rest[..end].rfind(' ').filter(|at| *at > end / 2).unwrap_or(end);
        let (line, after) = rest.split_at(at);
        wrapped.push(line.trim_end().to_owned());
        rest = after.trim_start();
    }
    wrapped.push(clip(rest, room));
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn an_attack_fits_on_a_screen() {
        insta::assert_snapshot!(terminal(&fixture::attack(), 100, false));
    }

    #[test]
    fn findings_that_belong_together_stand_before_the_hosts() {
        let text = terminal(&fixture::told(), 100, false);
        let lines: Vec<&str> = text.lines().collect();
        let place = |start: &str| lines.iter().position(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start} in {text}"));
        assert!(lines[place("I1 ")].contains("10.0.0.5") && place("I1 ") < place("hosts "), "{text}");
        assert_eq!(lines.len(), terminal(&fixture::attack(), 100, false).lines().count(), "{text}");
    }

    #[test]
    fn a_narrow_terminal_loses_words_not_figures() {
        insta::assert_snapshot!(terminal(&fixture::attack(), 60, false));
    }

    #[test]
    fn silence_is_said_together_with_what_was_not_seen() {
        insta::assert_snapshot!(terminal(&fixture::benign_without_findings(), 100, false));
    }

    #[test]
    fn damage_raises_doubts() {
        insta::assert_snapshot!(terminal(&fixture::damaged(), 100, false));
    }

    #[test]
    fn no_line_but_a_command_is_wider_than_the_terminal_and_there_are_at_most_31_but_for_what_was_asked_for() {
        for report in [
            fixture::attack(),
            fixture::told(),
            fixture::benign(),
            fixture::damaged(),
            fixture::hostile(),
            fixture::huge(),
            fixture::empty(),
        ] {
            for width in [0, 40, 60, 80, 100, 140, 500] {
                let text = terminal(&report, width, false);
                let asked_for = if report.changes_total > 0 { 1 + CHANGES + NOTES } else { 0 };
                assert!((3..=31 + asked_for).contains(&text.lines().count()), "{text}");
                let prose = text.lines().take_while(|line| !line.starts_with("next"));
                prose.for_each(|line| assert!(columns(line) <= width.clamp(NARROWEST, WIDEST), "{width}: {line}"));
            }
        }
    }

    #[test]
    fn colour_adds_escape_sequences_and_nothing_else() {
        for report in [fixture::attack(), fixture::hostile()] {
            let (plain, coloured) = (terminal(&report, 100, false), terminal(&report, 100, true));
            assert!(!plain.contains('\u{1b}'));
            let mut stripped = String::new();
            let mut pieces = coloured.split("\u{1b}[");
            stripped.push_str(pieces.next().unwrap());
            for piece in pieces {
                let (codes, rest) = piece.split_once('m').expect("a colour ends in m");
                assert!(codes.bytes().all(|b| b.is_ascii_digit() || b == b';'), "{codes}");
                stripped.push_str(rest);
            }
            assert_eq!(stripped, plain);
            assert!(coloured.len() > plain.len());
        }
    }

    #[test]
    fn wide_characters_are_never_taken_for_narrow_ones() {
        assert_eq!(columns("a世🦀é…"), 7);
        assert_eq!(clip("世界世界", 5), "世界…");
        assert_eq!(pad("世", 4), "世  ");
        assert_eq!(wrap("one two three four", 8, 2), ["one two", "three f…"]);
    }
}
