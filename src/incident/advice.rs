//! What a person does about a finding: sentences by kind of trouble, the first that fits.

use super::hosts::{Part, part};
use crate::model::Finding;
use crate::model::report::Host;
use When::{Always, FromHome, Known, Tactic, TargetTaken, Technique};
use std::collections::BTreeSet;

/// When a sentence fits, beside its family or tactic.
enum When {
    Always,
    /// The finding claims this technique.
    Technique(&'static str),
    /// The rule's tactic.
    Tactic(&'static str),
    /// An actor is one of ours.
    FromHome,
    /// The attack on the target worked.
    TargetTaken,
    /// The finding knows this.
    Known(&'static str),
}

/// `{name|otherwise}` is what the finding says, `{name:16}` its first letters. `id` ends each sentence.
type Advice = (&'static str, When, &'static str);

const BY_FAMILY: [Advice; 26] = [
    (
        "guessing-success",
        Always,
        "Reset the password of {users|the guessed account} on {target}, end its sessions, and see what was done after the login ({id}).",
    ),
    ("guessing", Always, "See that {target} slows down or locks out repeated logins, and block {actor} ({id})."),
    ("cleartext", Always, "Change the password of {users|that account} on {target} and move {service|it} to an encrypted protocol ({id})."),
    ("scan", FromHome, "Find out who scans from {actor}, and isolate it if nobody ordered that ({id})."),
    ("web-scan", FromHome, "Find out who scans from {actor}, and isolate it if nobody ordered that ({id})."),
    ("scan", Always, "See that only what must be reachable on {target} is; block {actor} if it goes on ({id})."),
    ("web-scan", Always, "See that only what must be reachable on {target} is; block {actor} if it goes on ({id})."),
    // What a web server does itself against clients that keep it waiting.
    ("flood", Technique("T1499.002"), "Limit connections, requests and the time for one per client on {target}, and block {actor} ({id})."),
    ("flood", Always, "Have the provider filter the traffic toward {target}, and switch on SYN cookies or a scrubbing service ({id})."),
    ("fragments", Always, "Drop fragments that overlap toward {target} at the border, and see whether it still answers ({id})."),
    (
        "ransomware",
        Always,
        "Unplug {actor} now, cut {target} off from writing, and keep its last good backup from being overwritten ({id}).",
    ),
    (
        "control",
        Always,
        "Ask the plant whether somebody ordered this; if not, see to {target} by hand and cut {actor} off from the controllers ({id}).",
    ),
    ("control-discovery", Always, "Find out what runs on {actor}, and keep it from reaching the controllers ({id})."),
    (
        "insecure-management",
        Always,
        "Change the community or switch the service off on {target}, and let only the management network reach it ({id}).",
    ),
    ("collection", Always, "Find out why {actor} reads so much of {target}, and where it went from there ({id})."),
    (
        "webshell",
        Always,
        "Take {target} off the network, keep its memory and disk, and look for the page and for how it came there ({id}).",
    ),
    ("mail", Tactic("impact"), "Isolate {actor}, and look for the program on it that sends mail ({id})."),
    ("mail", Always, "Find {actor}'s messages on {target} and in the mailboxes behind it, and what was opened of them ({id})."),
    ("tls-downgrade", Always, "Find out who stands between {actor} and {target}, and what was sent meanwhile ({id})."),
    ("weak-tls", Always, "Switch off {cipher|what protects nothing} on {target} ({id})."),
    ("mitm", Always, "Find {actor} by its switch port, unplug it, and change passwords that were typed meanwhile ({id})."),
    (
        "download",
        Known("sha256"),
        "Look for the program on {target} (SHA-256 {sha256:16}…) and for what it did since; block {actor} ({id}).",
    ),
    ("download", Always, "Look for the program on {target} and for what it did since; block {actor} ({id})."),
    ("web-exploit", TargetTaken, "Take {target} off the network and treat it as taken over; keep its memory and disk ({id})."),
    ("web-exploit", Always, "See in the logs of {target} whether the attack worked, patch it, and block {actor} ({id})."),
    ("exfil", Always, "Find out what {actor} sent to {target}, stop it, and judge whether it must be reported ({id})."),
];

/// Where no family has a sentence. A resolver or proxy on the way is not the enemy: where the name is known, the name is blocked.
const BY_TACTIC: [Advice; 10] = [
    ("command-and-control", Known("domain"), "Isolate {actor}, keep its memory, and block {domain} at the border ({id})."),
    ("command-and-control", Known("name"), "Isolate {actor}, keep its memory, and block {name} at the border ({id})."),
    ("command-and-control", Always, "Isolate {actor}, keep its memory, and block {target} at the border ({id})."),
    ("exfiltration", Known("domain"), "Isolate {actor}, keep its memory, and block {domain} at the border ({id})."),
    ("exfiltration", Known("name"), "Isolate {actor}, keep its memory, and block {name} at the border ({id})."),
    ("exfiltration", Always, "Isolate {actor}, keep its memory, and block {target} at the border ({id})."),
    ("lateral-movement", Always, "Isolate {actor} and {target}; reset the accounts used between them ({id})."),
    ("execution", Always, "Isolate {actor} and {target}; reset the accounts used between them ({id})."),
    ("persistence", Always, "Isolate {actor} and {target}; reset the accounts used between them ({id})."),
    ("credential-access", Always, "Reset the accounts that {target} holds or that were used from {actor} ({id})."),
];

/// What to do about one finding, in a sentence that ends in its id.
pub fn advice(finding: &Finding, hosts: &[Host]) -> String {
    let fits = |advice: &&Advice, of: &str| advice.0 == of && advice.1.holds(finding, hosts);
    let family = BY_FAMILY.iter().find(|advice| fits(advice, &finding.family));
    let found = family.or_else(|| BY_TACTIC.iter().find(|advice| fits(advice, &finding.tactic)));
    fill(found.map_or("Look at {id}: {title}.", |advice| advice.2), finding)
}

/// What to do about `findings`, in their order and at most `most` things: once per kind of trouble, and nothing twice.
pub fn things_to_do<'a>(findings: &[&'a Finding], hosts: &[Host], most: usize) -> Vec<(&'a Finding, String)> {
    let (mut kinds, mut said) = (BTreeSet::new(), BTreeSet::new());
    findings
        .iter()
        .filter(|finding| kinds.insert(finding.family.as_str()))
        .map(|finding| (*finding, advice(finding, hosts)))
        .filter(|(finding, text)| said.insert(text.replace(&finding.id, "")))
        .take(most)
        .collect()
}

impl When {
    fn holds(&self, finding: &Finding, hosts: &[Host]) -> bool {
        match self {
            Self::Always => true,
            Self::Technique(id) => finding.attack.iter().any(|claimed| claimed == id),
            Self::Tactic(tactic) => finding.tactic == *tactic,
            Self::FromHome => finding.actors.iter().any(|name| super::is_home(name, hosts)),
            Self::TargetTaken => {
                let of_target = finding.targets.first().and_then(|target| part(finding, target));
                matches!(of_target, Some(Part::Compromised | Part::Accessed))
            }
            Self::Known(name) => said(name, finding).is_some(),
        }
    }
}

/// What a finding says under a name: who took part, or a field of its evidence.
fn said(name: &str, finding: &Finding) -> Option<String> {
    match name {
        "id" => Some(finding.id.clone()),
        "title" => Some(finding.title.clone()),
        "actor" => some(&finding.actors),
        "target" => some(&finding.targets),
        "users" => some(&finding.users),
        field => finding.evidence.get(field).and_then(|value| value.as_str()).map(str::to_owned),
    }
}

/// The sentence with its gaps filled.
fn fill(sentence: &str, finding: &Finding) -> String {
    let (mut text, mut rest) = (String::new(), sentence);
    while let Some((before, (gap, after))) = rest.split_once('{').and_then(|(before, after)| Some((before, after.split_once('}')?))) {
        let (gap, otherwise) = gap.split_once('|').unwrap_or((gap, nobody(gap)));
        let (name, letters) = gap.split_once(':').unwrap_or((gap, ""));
        let letters = letters.parse().unwrap_or(usize::MAX);
        text.push_str(before);
        text.extend(said(name, finding).unwrap_or_else(|| otherwise.into()).chars().take(letters));
        rest = after;
    }
    text.push_str(rest);
    text
}

fn nobody(name: &str) -> &'static str {
    match name {
        "actor" => "the source",
        _ => "the target",
    }
}

/// `a`, `a and b`, `a and 3 others`.
fn some(names: &[String]) -> Option<String> {
    match names {
        [] => None,
        [one] => Some(one.clone()),
        [one, two] => Some(format!("{one} and {two}")),
        [one, rest @ ..] => Some(format!("{one} and {} others", rest.len())),
    }
}
