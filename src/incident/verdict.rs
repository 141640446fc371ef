//! The one line, and what to do first. Never "clean": without findings it says what was looked at and what could not be.

use super::Facts;
use super::hosts::{Part, part};
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
        let line = "Nothing could be read from this evidence, so nothing can be said about it.".to_owned();
        return Verdict { severity: None, line, actions: vec!["Check that the file is a capture, and whole.".into()] };
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

/// What to do about the gravest findings, once per kind of trouble.
fn actions(worth: &[&Finding], facts: &Facts) -> Vec<String> {
    let mut families = BTreeSet::new();
    worth
        .iter()
        .filter(|finding| families.insert(finding.family.as_str()))
        .map(|finding| action(finding, &facts.hosts))
        .take(ACTIONS)
        .collect()
}

/// What to do about one finding, in a sentence that ends in its id.
pub(super) fn action(finding: &Finding, hosts: &[Host]) -> String {
    let actor = some(&finding.actors, "the source");
    let target = some(&finding.targets, "the target");
    let field = |name: &str| finding.evidence.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    let id = &finding.id;
    match finding.family.as_str() {
        "guessing-success" => {
            format!(
                "Reset the password of {} on {target}, end its sessions, and see what was done after the login ({id}).",
                some(&finding.users, "the guessed account")
            )
        }
        "guessing" => format!("See that {target} slows down or locks out repeated logins, and block {actor} ({id})."),
        "cleartext" => {
            format!(
                "Change the password of {} on {target} and move {} to an encrypted protocol ({id}).",
                some(&finding.users, "that account"),
                field("service").unwrap_or_else(|| "it".into())
            )
        }
        "scan" | "web-scan" if is_home(&finding.actors, hosts) => {
            format!("Find out who scans from {actor}, and isolate it if nobody ordered that ({id}).")
        }
        "scan" | "web-scan" => format!("See that only what must be reachable on {target} is; block {actor} if it goes on ({id})."),
        // What a web server does itself against clients that keep it waiting.
        "flood" if finding.attack.iter().any(|id| id == "T1499.002") => {
            format!("Limit connections, requests and the time for one per client on {target}, and block {actor} ({id}).")
        }
        "fragments" => format!("Drop fragments that overlap toward {target} at the border, and see whether it still answers ({id})."),
        "ransomware" => {
            format!("Unplug {actor} now, cut {target} off from writing, and keep its last good backup from being overwritten ({id}).")
        }
        "control" => {
            format!(
                "Ask the plant whether somebody ordered this; if not, see to {target} by hand and cut {actor} off from the controllers ({id})."
            )
        }
        "control-discovery" => format!("Find out what runs on {actor}, and keep it from reaching the controllers ({id})."),
        "insecure-management" => {
            format!("Change the community or switch the service off on {target}, and let only the management network reach it ({id}).")
        }
        "collection" => format!("Find out why {actor} reads so much of {target}, and where it went from there ({id})."),
        "webshell" => {
            format!("Take {target} off the network, keep its memory and disk, and look for the page and for how it came there ({id}).")
        }
        "mail" if finding.tactic == "impact" => format!("Isolate {actor}, and look for the program on it that sends mail ({id})."),
        "mail" => format!("Find {actor}'s messages on {target} and in the mailboxes behind it, and what was opened of them ({id})."),
        "tls-downgrade" => format!("Find out who stands between {actor} and {target}, and what was sent meanwhile ({id})."),
        "weak-tls" => format!("Switch off {} on {target} ({id}).", field("cipher").unwrap_or_else(|| "what protects nothing".into())),
        "flood" => {
            format!("Have the provider filter the traffic toward {target}, and switch on SYN cookies or a scrubbing service ({id}).")
        }
        "mitm" => format!("Find {actor} by its switch port, unplug it, and change passwords that were typed meanwhile ({id})."),
        "download" => {
            let hash = field("sha256").map_or(String::new(), |hash| format!(" (SHA-256 {}…)", hash.chars().take(16).collect::<String>()));
            format!("Look for the program on {target}{hash} and for what it did since; block {actor} ({id}).")
        }
        "web-exploit" => match part_of_target(finding) {
            Some(Part::Compromised | Part::Accessed) => {
                format!("Take {target} off the network and treat it as taken over; keep its memory and disk ({id}).")
            }
            _ => format!("See in the logs of {target} whether the attack worked, patch it, and block {actor} ({id})."),
        },
        "exfil" => format!("Find out what {actor} sent to {target}, stop it, and judge whether it must be reported ({id})."),
        _ => match finding.tactic.as_str() {
            "command-and-control" | "exfiltration" => {
                // A resolver or proxy on the way is not the enemy: where the name is known, the name is blocked.
                let blocked = field("domain").or_else(|| field("name")).unwrap_or(target);
                format!("Isolate {actor}, keep its memory, and block {blocked} at the border ({id}).")
            }
            "lateral-movement" | "execution" | "persistence" => {
                format!("Isolate {actor} and {target}; reset the accounts used between them ({id}).")
            }
            "credential-access" => format!("Reset the accounts that {target} holds or that were used from {actor} ({id})."),
            _ => format!("Look at {id}: {}.", finding.title),
        },
    }
}

fn part_of_target(finding: &Finding) -> Option<Part> {
    finding.targets.first().and_then(|target| part(finding, target))
}

fn is_home(names: &[String], hosts: &[Host]) -> bool {
    names.iter().any(|name| super::is_home(name, hosts))
}

/// `a`, `a and b`, `a and 3 others`.
fn some(names: &[String], nobody: &str) -> String {
    match names {
        [] => nobody.to_owned(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, rest @ ..] => format!("{one} and {} others", rest.len()),
    }
}
