//! The report for tickets and chats: GitHub-flavoured Markdown that also reads as plain text.
//!
//! Two ways to write a string from a packet, and no third: [`prose`] escapes whatever has a meaning in Markdown, and [`code`]
//! puts it in a code span whose fence is longer than any in it. Links and mentions do not survive in prose, since many
//! trackers link bare addresses by themselves: `http://` becomes `http[:]//`, `@` becomes `[at]`, as analysts write them anyway.

use super::facts::{changes_by_kind, coverage, host_state, measures, part_played, tally};
use super::text::{clipped, count, label, shell_word, thousands, visible};
use super::{Error, Renderer};
use crate::model::report::{Deed, Host, Incident, Part, Report, Sentence, SetAside, Unusual};
use crate::model::time::{human_bytes, short};
use crate::model::{Finding, Ts};
use std::fmt::Write;

/// `report.md`.
pub struct Markdown;

/// Findings told in full; trackers cut long texts.
const FINDINGS: usize = 30;
/// Incidents told: what a reader takes in within half an hour.
const INCIDENTS: usize = 15;
/// Pairs of hosts of one incident.
const DEEDS: usize = 12;
/// Hosts in the table.
const HOSTS: usize = 20;
/// Rows of the other tables.
const ROWS: usize = 60;
/// Unusual things told.
const UNUSUAL: usize = 10;
/// Characters of one string.
const CHARS: usize = 600;

impl Renderer for Markdown {
    fn name(&self) -> &'static str {
        "md"
    }

    fn file_name(&self) -> &'static str {
        "report.md"
    }

    fn render(&self, report: &Report) -> Result<Vec<u8>, Error> {
        let mut page = Page(String::with_capacity(16 << 10));
        verdict(&mut page, report);
        story(&mut page, report);
        seen(&mut page, report);
        incidents(&mut page, report);
        hosts(&mut page, report);
        findings(&mut page, report);
        put_aside(&mut page, report);
        timeline(&mut page, report);
        unusual(&mut page, report);
        rules(&mut page, report);
        evidence(&mut page, report);
        flaws(&mut page, report);
        run(&mut page, report);
        Ok(page.0.into_bytes())
    }
}

/// Text whose blocks are separated by one empty line.
struct Page(String);

impl Page {
    fn block(&mut self, text: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn list(&mut self, items: impl Iterator<Item = String>) {
        let items: Vec<String> = items.map(|item| format!("- {item}")).collect();
        if !items.is_empty() {
            self.block(&items.join("\n"));
        }
    }

    /// Cells are escaped already.
    fn table<const N: usize>(&mut self, head: [&str; N], rows: impl Iterator<Item = [String; N]>) {
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            return;
        }
        let mut text = format!("| {} |\n|{}", head.join(" | "), " --- |".repeat(N));
        for row in rows {
            let _ = write!(text, "\n| {} |", row.join(" | "));
        }
        self.block(&text);
    }

    fn more(&mut self, shown: usize, all: u64, what: &str, query: &str) {
        let left = all.saturating_sub(shown as u64);
        if left > 0 {
            self.block(&format!("{} more in the case: {}", count(left, what), code(&format!("vigil sql CASE \"{query}\""))));
        }
    }
}

/// `text` with everything that Markdown, HTML or a tracker would act on made inert.
fn prose(text: &str) -> String {
    let text = clipped(text, CHARS).replace("://", "[:]//").replace('@', "[at]");
    let mut out = String::with_capacity(text.len() + 16);
    let mut leading = true;
    for (at, c) in text.char_indices() {
        match c {
            // Entities, because tables look at `|` and `\` before anything else does.
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' | '\\' | '`' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            '*' | '_' | '{' | '}' | '[' | ']' | '#' | '~' | '!' | '$' | '^' | '=' => out.extend(['\\', c]),
            // A list begins only at the beginning.
            '-' | '+' if at == 0 => out.extend(['\\', c]),
            '.' | ')' if leading && text[at + 1..].chars().next().is_none_or(char::is_whitespace) => out.extend(['\\', c]),
            '.' if text[..at].get(at.saturating_sub(3)..).is_some_and(|before| before.eq_ignore_ascii_case("www")) => {
                out.push_str("\\[.\\]")
            }
            other => out.push(other),
        }
        leading = leading && c.is_ascii_digit();
    }
    out
}

/// `text` in a code span.
fn code(text: &str) -> String {
    let text = clipped(text, CHARS);
    if text.is_empty() {
        return "–".to_owned();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let blank = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// `text` in a code span inside a table; as prose where a table would read the code span wrongly.
fn cell(text: &str) -> String {
    if text.contains(['|', '\\', '`']) || text.contains(super::text::deceives) { prose(text) } else { code(text) }
}

fn cells(items: &[String], most: usize) -> String {
    if items.is_empty() {
        return "–".to_owned();
    }
    let mut said: Vec<String> = items.iter().take(most).map(|item| cell(item)).collect();
    if items.len() > most {
        said.push(format!("{} more", items.len() - most));
    }
    said.join(" ")
}

fn when(ts: Option<Ts>) -> String {
    ts.map_or("–".to_owned(), short)
}

fn verdict(page: &mut Page, report: &Report) {
    page.block(&format!("# vigil report: {}", prose(&report.case)));
    let severity = report.verdict.severity.map_or("NO ALARM".to_owned(), |severity| severity.name().to_uppercase());
    page.block(&format!("**{severity}** – {}", prose(&report.verdict.line)));
    let actions: Vec<String> =
        report.verdict.actions.iter().enumerate().map(|(n, action)| format!("{}. {}", n + 1, prose(action))).collect();
    if !actions.is_empty() {
        page.block(&actions.join("\n"));
    }
}

/// The case in words; incidents are for the other formats.
fn story(page: &mut Page, report: &Report) {
    let Some(told) = report.prose.first() else { return };
    page.block("## Story");
    for part in Part::ALL {
        let cited = |sentence: &Sentence| match sentence.cites.as_slice() {
            [] => prose(&sentence.text),
            cites => format!("{} ({})", prose(&sentence.text), cells(cites, 6)),
        };
        if told.part(part).next().is_some() {
            page.block(&format!("### {}", part.heading()));
            page.list(told.part(part).map(cited));
        }
    }
}

fn seen(page: &mut Page, report: &Report) {
    page.block("## What was seen, and what was not");
    let rows = coverage(&report.coverage).into_iter().map(|fact| {
        let doubt = if fact.doubt { " **(!)**" } else { "" };
        [format!("{}{doubt}", fact.label), prose(&fact.value), prose(&fact.note)]
    });
    page.table(["", "", ""], rows);
    page.list(report.coverage.blind_spots.iter().map(|blind| prose(blind)));
    page.table(
        ["Not decoded", "Frames", ""],
        report.coverage.undecoded.iter().take(ROWS).map(|s| [prose(&s.name), thousands(s.count), prose(&s.note)]),
    );
    page.block("Silence is never “clean”: a rule that stayed silent says only that its pattern was not among what could be seen.");
}

/// Findings that belong together, with who acted on whom.
fn incidents(page: &mut Page, report: &Report) {
    if report.incidents.is_empty() {
        return;
    }
    page.block("## Incidents");
    for incident in report.incidents.iter().take(INCIDENTS) {
        one_incident(page, incident);
    }
    let all = report.incidents.len();
    page.more(all.min(INCIDENTS), all as u64, "incident", "SELECT id, severity, title FROM incidents ORDER BY risk DESC");
}

fn one_incident(page: &mut Page, incident: &Incident) {
    page.block(&format!("### {} · {} · {}", prose(&incident.id), incident.severity.name(), prose(&incident.title)));
    let path: Vec<String> = incident.tactics.iter().map(|tactic| prose(&label(tactic))).collect();
    let of = |part: &str| {
        let ips: Vec<String> = incident.roles.iter().filter(|role| role.part == part).map(|role| role.ip.clone()).collect();
        (!ips.is_empty()).then(|| format!("{}: {}", part_played(part), cells(&ips, 8)))
    };
    let mut facts = vec![
        format!("Risk {:.0}, confidence {:.0} %; findings {}", incident.risk, incident.confidence * 100.0, cells(&incident.findings, 12)),
        format!("{} to {} UTC: {}", short(incident.first_ns), short(incident.last_ns), path.join(" → ")),
    ];
    facts.extend(["attacker", "pivot", "victim", "far_end"].into_iter().filter_map(of));
    if !incident.entry.is_empty() {
        facts.push(prose(&incident.entry));
    }
    if incident.background {
        facts.push("Background of the Internet: strangers tried, and nothing came of it.".into());
    }
    page.list(facts.into_iter());
    let row = |deed: &Deed| [cell(&deed.from), cell(&deed.to), prose(&deed.what), short(deed.first_ns), cells(&deed.findings, 6)];
    page.table(["Who", "Whom", "What", "Since (UTC)", "Findings"], incident.deeds.iter().take(DEEDS).map(row));
}

fn hosts(page: &mut Page, report: &Report) {
    if report.hosts.is_empty() {
        return;
    }
    page.block("## Hosts by risk");
    let row = |host: &Host| {
        [
            format!("{:.0} {}", host.risk, host.severity.name()),
            cell(&host.ip),
            cells(&host.names, 2),
            prose(host_state(&host.state)),
            prose(&host.tactics.iter().map(|tactic| label(tactic)).collect::<Vec<_>>().join(", ")),
            cells(&host.findings, 8),
        ]
    };
    page.table(["Risk", "Host", "Names", "State", "Tactics", "Findings"], report.hosts.iter().take(HOSTS).map(row));
    page.more(report.hosts.len().min(HOSTS), report.hosts_total, "host", "SELECT * FROM host_risk ORDER BY risk DESC");
}

/// Findings that people put aside.
fn put_aside(page: &mut Page, report: &Report) {
    let aside = &report.set_aside;
    if aside.is_empty() {
        return;
    }
    page.block(&format!("{} put aside by people, in none of the figures above:", count(aside.len() as u64, "finding")));
    let until = |one: &SetAside| one.expires.as_deref().map(|until| format!(" until {}", prose(until))).unwrap_or_default();
    page.list(aside.iter().take(ROWS).map(|one| {
        format!(
            "{} ({}) {}: {} ({}, {}{})",
            prose(&one.finding),
            one.severity.name(),
            prose(&one.title),
            prose(&one.reason),
            prose(&one.author),
            prose(&one.at),
            until(one)
        )
    }));
}

fn findings(page: &mut Page, report: &Report) {
    page.block("## Findings");
    if report.findings.is_empty() {
        page.block("No rule fired.");
        return;
    }
    let parts: Vec<String> = tally(&report.findings).iter().filter(|(_, n)| *n > 0).map(|(s, n)| format!("{n} {}", s.name())).collect();
    page.block(&format!("{}: {}.", count(report.findings.len() as u64, "finding"), parts.join(", ")));
    for finding in report.findings.iter().take(FINDINGS) {
        one_finding(page, finding);
        let mine = report.remarks.iter().filter(|remark| remark.finding == finding.id).take(ROWS);
        page.list(mine.map(|remark| format!("Note by {}, {}: {}", prose(&remark.author), prose(&remark.at), prose(&remark.text))));
    }
    page.more(
        FINDINGS.min(report.findings.len()),
        report.findings.len() as u64,
        "finding",
        "SELECT id, severity, says FROM findings ORDER BY risk DESC",
    );
}

fn one_finding(page: &mut Page, finding: &Finding) {
    page.block(&format!("### {} · {} · {}", prose(&finding.id), finding.severity.name(), prose(&finding.title)));
    // A leading mark keeps hostile text from opening a block of its own.
    page.block(&format!("> {}", prose(&finding.says)));
    let frames: Vec<String> = finding.frames.iter().take(12).map(u64::to_string).collect();
    let more = finding.frames.len().saturating_sub(12);
    let mut facts = vec![
        format!(
            "Risk {:.0}, confidence {:.0} %, outcome {}",
            finding.risk,
            finding.confidence * 100.0,
            label(finding.outcome.name()).to_lowercase()
        ),
        format!("ATT&CK {} ({})", cells(&finding.attack, 4), prose(&label(&finding.tactic))),
        format!("{} → {}", cells(&finding.actors, 6), cells(&finding.targets, 6)),
        format!("{} to {} UTC", short(finding.first_ns), short(finding.last_ns)),
        format!("Frames {}{}", frames.join(", "), if more > 0 { format!(" and {more} more") } else { String::new() }),
    ];
    if !finding.users.is_empty() {
        facts.push(format!("Accounts {}", cells(&finding.users, 6)));
    }
    if !finding.wireshark.is_empty() {
        facts.push(format!("Wireshark {}", code(&finding.wireshark)));
    }
    if !finding.id.is_empty() && finding.id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        facts.push(format!("Packets {}", code(&format!("vigil carve CASE {id} -o {id}.pcapng", id = finding.id))));
    }
    facts.push(format!("Rule {}", code(&format!("vigil rules show {}", shell_word(&finding.rule)))));
    page.list(facts.into_iter());
    let rows = measures(&finding.evidence).into_iter().take(ROWS);
    page.table(["Evidence", "Observed", "Threshold"], rows.map(|m| [prose(&m.name), prose(&m.observed), prose(&m.threshold)]));
    if !finding.benign.is_empty() {
        page.block(&format!("*What harmless thing looks like this:* {}", prose(&finding.benign)));
    }
}

fn timeline(page: &mut Page, report: &Report) {
    if report.timeline.is_empty() {
        return;
    }
    page.block("## Timeline");
    let rows = report.timeline.iter().take(ROWS);
    page.table(
        ["Time (UTC)", "Finding", "Tactic", ""],
        rows.map(|e| [short(e.ts_ns), format!("{} {}", cell(&e.finding), e.severity.name()), prose(&label(&e.tactic)), prose(&e.says)]),
    );
}

/// What has changed, what is unlike the rest, and what outside knowledge there was: only where there is something to say.
fn unusual(page: &mut Page, report: &Report) {
    let row =
        |one: &Unusual| [one.ts_ns.map(short).unwrap_or_default(), prose(&one.says), one.flow.as_deref().map(cell).unwrap_or_default()];
    if report.changes_total > 0 {
        page.block("## What has changed");
        page.block(&format!("{}.", prose(&changes_by_kind(report))));
        page.table(["Time (UTC)", "What", "Flow"], report.changes.iter().take(ROWS).map(row));
        let shown = ROWS.min(report.changes.len());
        page.more(shown, report.changes_total, "change", "SELECT * FROM anomalies WHERE model IN ('novelty', 'baseline', 'gone')");
    }
    if !report.unusual.is_empty() {
        page.block("## Unlike the rest");
        page.block("No findings: what models rank first among what the rules left over.");
        page.table(["Time (UTC)", "What", "Flow"], report.unusual.iter().take(UNUSUAL).map(row));
    }
    page.list(report.notes.iter().take(ROWS).map(|note| prose(note)));
}

fn rules(page: &mut Page, report: &Report) {
    if report.rules.is_empty() {
        return;
    }
    page.block("## Rules and what became of them");
    let rows = report.rules.iter().map(|r| {
        let status = if r.why.is_empty() { label(&r.status) } else { format!("{}: {}", label(&r.status), r.why) };
        [cell(&r.id), prose(&status), thousands(r.findings), cells(&r.attack, 4), cell(&r.sha256)]
    });
    page.table(["Rule", "Status", "Findings", "ATT&CK", "SHA-256"], rows);
}

fn evidence(page: &mut Page, report: &Report) {
    if report.evidence.is_empty() {
        return;
    }
    page.block("## Evidence");
    let rows = report.evidence.iter().take(ROWS).map(|e| {
        let hashes = format!("sha256 {}<br>blake3 {}", cell(&e.sha256), cell(&e.blake3));
        let span = format!("{} to {}", when(e.first_ts), when(e.last_ts));
        let path = std::iter::once(&e.path).chain(&e.also_at).map(|path| cell(path)).collect::<Vec<_>>().join("<br>also at ");
        [path, format!("{}, {}", prose(&e.format), prose(&e.links.join(", "))), human_bytes(e.bytes), thousands(e.frames), span, hashes]
    });
    page.table(["File", "Format", "Size", "Frames", "Time (UTC)", "Hashes"], rows);
    page.more(ROWS.min(report.evidence.len()), report.evidence.len() as u64, "file", "SELECT * FROM captures");
}

fn flaws(page: &mut Page, report: &Report) {
    if !report.damage.is_empty() {
        page.block("## Damage");
        let rows = report.damage.iter().take(ROWS);
        page.table(
            ["File", "After frame", "Offset", "Kind", ""],
            rows.map(|d| [cell(&d.path), d.after_frame.to_string(), d.offset.to_string(), prose(&label(&d.kind)), prose(&d.detail)]),
        );
        page.more(ROWS.min(report.damage.len()), report.coverage.damaged, "place", "SELECT * FROM damage");
    }
    if !report.weird.is_empty() {
        page.block("## Oddities");
        page.table(["What", "Times", ""], report.weird.iter().take(ROWS).map(|w| [cell(&w.name), thousands(w.count), prose(&w.note)]));
    }
}

fn run(page: &mut Page, report: &Report) {
    let run = &report.run;
    page.block("## Run");
    let argv: Vec<String> = run.argv.iter().map(|word| shell_word(word)).collect();
    let mut facts = vec![format!(
        "vigil {}, started {}, {:.1} s, {}",
        prose(&run.version),
        prose(&run.started),
        run.seconds,
        count(run.threads as u64, "thread")
    )];
    facts.push(format!("Command {}", code(&argv.join(" "))));
    facts.push(format!("CASE is {}", code(&visible(&run.folder))));
    page.list(facts.into_iter());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn an_attack_reads_as_a_ticket() {
        insta::assert_snapshot!(String::from_utf8(Markdown.render(&fixture::attack()).unwrap()).unwrap());
    }

    #[test]
    fn damage_reads_as_a_ticket() {
        insta::assert_snapshot!(String::from_utf8(Markdown.render(&fixture::damaged()).unwrap()).unwrap());
    }

    #[test]
    fn prose_disarms_links_mentions_markup_and_lists() {
        let said =
            ["[a](http://x) ![i](y)", "<b>&amp;", "www.evil.example me@x", "- item", "12. item", "a|b\\c`d", "10.0.0.5 sent 1.2 GB - all"]
                .map(prose);
        let wanted = [
            r"\[a\](http\[:\]//x) \!\[i\](y)",
            "&lt;b&gt;&amp;amp;",
            r"www\[.\]evil.example me\[at\]x",
            r"\- item",
            r"12\. item",
            "a&#124;b&#92;c&#96;d",
            "10.0.0.5 sent 1.2 GB - all",
        ];
        assert_eq!(said, wanted);
    }

    #[test]
    fn an_incident_says_who_played_which_part_and_who_acted_on_whom() {
        let text = String::from_utf8(Markdown.render(&fixture::told()).unwrap()).unwrap();
        let told = text.split_once("\n## Incidents\n").expect("a section").1.split_once("\n## ").expect("it ends").0;
        for wanted in ["### I1 · ", "| Who | Whom | What |", "attacker: `203.0.113.66`", "far end: ", "Exfiltration"] {
            assert!(told.contains(wanted), "{wanted} in {told}");
        }
    }

    #[test]
    fn a_code_span_cannot_be_closed_from_inside() {
        assert_eq!(["a", "a`b", "``", " x", ""].map(code), ["`a`", "``a`b``", "``` `` ```", "`  x `", "–"]);
    }

    #[test]
    fn a_long_report_names_what_it_leaves_out() {
        let text = String::from_utf8(Markdown.render(&fixture::huge()).unwrap()).unwrap();
        assert!(text.contains("4,970 findings more in the case") && text.contains("61,184 hosts more in the case"), "{}", text.len());
        assert!(text.len() < 200_000, "{}", text.len());
    }
}
