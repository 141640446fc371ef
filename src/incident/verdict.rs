//! The one line, and what to do first. Never "clean": without findings it says what was looked at and what could not be.

use super::Facts;
use super::advice::things_to_do;
use crate::model::report::{Host, RuleRun, Verdict};
use crate::model::{Finding, Outcome, Severity};
use std::collections::BTreeSet;

/// Actions named: a person does one thing after the other.
const ACTIONS: usize = 3;

/// The verdict.
pub(super) fn say(findings: &[Finding], hosts: &[Host], runs: &[RuleRun], facts: &Facts) -> Verdict {
    let worth: Vec<&Finding> =
        findings.iter().filter(|finding| finding.severity > Severity::Info && finding.outcome != Outcome::BenignTrigger).collect();
    let Some(gravest) = worth.first() else { return quiet(findings, runs, facts) };
    let line = if gravest.severity >= Severity::Medium { urgent(gravest, &worth, hosts) } else { minor(&worth) };
    Verdict { severity: Some(gravest.severity), line, actions: actions(&worth, facts) }
}

/// `2 hosts need action: …`.
fn urgent(gravest: &Finding, worth: &[&Finding], hosts: &[Host]) -> String {
    let grave: Vec<&Finding> = worth.iter().copied().filter(|finding| finding.severity >= Severity::Medium).collect();
    let ours = hosts.iter().any(|host| host.internal);
    let troubled = hosts.iter().filter(|host| host.internal == ours && host.severity >= Severity::Medium).count();
    let lead = match troubled {
        0 => "Action is needed".to_owned(),
        1 => "1 host needs action".to_owned(),
        n => format!("{n} hosts need action"),
    };
    let next = grave.iter().skip(1).find(|finding| finding.family != gravest.family);
    let second = next.map_or(String::new(), |finding| format!("; {}", brief(&finding.says)));
    let shown = 1 + usize::from(next.is_some());
    let rest = grave.len().saturating_sub(shown);
    let more = if rest > 0 { format!("; {rest} more of medium severity or above") } else { String::new() };
    format!("{lead}: {}{second}{more}.", brief(&gravest.says))
}

/// A sentence without its details: what stands before the first comma, semicolon or bracket. The finding has the rest.
fn brief(says: &str) -> &str {
    let end = [", ", "; ", " ("].iter().filter_map(|mark| says.find(mark)).min();
    end.map_or(says, |end| &says[..end])
}

fn minor(worth: &[&Finding]) -> String {
    let Some(first) = worth.first() else { return String::new() };
    let rest = match worth.len() - 1 {
        0 => String::new(),
        n => format!(" ({n} more like it in weight)"),
    };
    format!("Nothing here needs action today by what was seen. Worth a look: {}{rest}.", first.says)
}

/// No rule fired, or only on things known to be harmless.
fn quiet(findings: &[Finding], runs: &[RuleRun], facts: &Facts) -> Verdict {
    if facts.frames == 0 {
        let (line, action) = if facts.damaged > 0 {
            ("Nothing could be read from this evidence, so nothing can be said about it.", "Check that the file is a capture, and whole.")
        } else {
            (
                "This evidence holds no packets, so nothing can be said about it.",
                "Check that the capture ran where and when there was traffic, and its filter.",
            )
        };
        return Verdict { severity: None, line: line.into(), actions: vec![action.into()] };
    }
    let ran = runs.iter().filter(|run| ["fired", "silent"].contains(&run.status.as_str())).count();
    let mut line = format!("{ran} rules looked at {} frames in {} flows and found nothing worth a report", facts.frames, facts.flows);
    if !findings.is_empty() {
        line.push_str(&format!(
            ", only {} of note",
            if findings.len() == 1 { "one thing".into() } else { format!("{} things", findings.len()) }
        ));
    }
    let blind: BTreeSet<&str> = runs.iter().filter(|run| run.status == "not_applicable").map(|run| run.why.as_str()).collect();
    if !blind.is_empty() {
        let unable = runs.iter().filter(|run| run.status == "not_applicable").count();
        let reasons: Vec<&str> = blind.into_iter().take(4).collect();
        line.push_str(&format!("; {unable} rules could not apply: {}", reasons.join(", ")));
    }
    line.push_str(". That is no proof that nothing happened.");
    let severity = findings.iter().map(|finding| finding.severity).max();
    Verdict { severity, line, actions: Vec::new() }
}

/// What to do about the gravest findings.
fn actions(worth: &[&Finding], facts: &Facts) -> Vec<String> {
    things_to_do(worth, &facts.hosts, ACTIONS).into_iter().map(|(_, advice)| advice).collect()
}
