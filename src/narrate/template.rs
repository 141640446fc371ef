//! Prose without a model: the same findings give the same words.

use super::words::{confidence, host, list, outcome, sentence, tactic, technique};
use super::{About, Narrator, Story};
use crate::incident;
use crate::model::report::{Incident, Part, Prose, Sentence};
use crate::model::time::{human_duration, short};
use crate::model::{Finding, Severity};
use std::collections::BTreeSet;

/// Findings of an incident that are told one by one; a story with more is not read.
const TOLD: usize = 8;
/// Terms of a confidence that are named.
const TERMS: usize = 3;
/// Things to do that are named.
const ACTIONS: usize = 4;
/// Incidents that the case names.
const INCIDENTS: usize = 4;

/// The narrator that needs nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Template;

impl Narrator for Template {
    fn name(&self) -> String {
        "template".into()
    }

    fn tell(&mut self, story: &Story<'_>, about: &About) -> Option<Prose> {
        let sentences = match about {
            About::Case => case(story),
            About::Finding(_) => finding(story, story.findings_of(about)?.first()?),
            About::Incident(id) => {
                let row = story.incidents.iter().find(|row| row.id == *id)?;
                incident(story, row, &story.findings_of(about)?)?
            }
        };
        Some(Prose { about: about.to_string(), narrator: self.name(), sentences, ..Prose::default() })
    }
}

fn say(part: Part, text: &str, cites: &[&Finding]) -> Sentence {
    Sentence { part, text: sentence(text), cites: cites.iter().map(|finding| finding.id.clone()).collect() }
}

// A finding

fn finding(story: &Story<'_>, it: &Finding) -> Vec<Sentence> {
    let mut told = vec![say(Part::Happened, &it.says, &[it]), say(Part::Happened, &when(it), &[it])];
    if let Some(names) = names(story, it) {
        told.push(say(Part::Happened, &names, &[it]));
    }
    told.push(say(Part::Suspicious, &meaning("it", it), &[it]));
    if let Some(weighed) = weighed(it) {
        told.push(say(Part::Suspicious, &weighed, &[it]));
    }
    if !it.benign.is_empty() {
        told.push(say(Part::Suspicious, &format!("Before acting, rule out what looks alike and is harmless: {}", it.benign), &[it]));
    }
    told.push(say(Part::Next, &incident::advice(it, story.hosts), &[it]));
    told.push(say(Part::Next, &proof(it), &[it]));
    told
}

fn when(it: &Finding) -> String {
    let lasted = it.last_ns.saturating_sub(it.first_ns);
    let frames = match it.frames.as_slice() {
        [] => String::new(),
        [one] => format!("; the packet that shows it is frame {one}"),
        [first, ..] => format!("; the packets that show it begin with frame {first}"),
    };
    if lasted <= 0 {
        return format!("It was seen at {} UTC{frames}", short(it.first_ns));
    }
    format!("It was seen from {} to {} UTC, {}{frames}", short(it.first_ns), short(it.last_ns), human_duration(lasted))
}

/// Names of the hosts, where the sentence of the rule gives addresses alone.
fn names(story: &Story<'_>, it: &Finding) -> Option<String> {
    let of = |ips: &[String]| -> Vec<String> {
        ips.iter()
            .map(|ip| (ip, host(ip, story.hosts)))
            .filter(|(ip, named)| *ip != named && !it.says.contains(named.as_str()))
            .map(|(_, named)| named)
            .collect()
    };
    let known: Vec<String> = [of(&it.actors), of(&it.targets)].concat();
    let users = (!it.users.is_empty()).then(|| {
        format!("{} {}", if it.users.len() == 1 { "the account concerned is" } else { "accounts concerned are" }, list(&it.users, 4))
    });
    let hosts = (!known.is_empty()).then(|| format!("the hosts are known as {}", list(&known, 4)));
    match (hosts, users) {
        (None, None) => None,
        (hosts, users) => Some([hosts, users].into_iter().flatten().collect::<Vec<_>>().join("; ")),
    }
}

/// What a finding is a sign of, how far it got, and how sure that is.
fn meaning(subject: &str, it: &Finding) -> String {
    let techniques: Vec<String> = it.attack.iter().map(|id| technique(id)).collect();
    let stands = if techniques.is_empty() { String::new() } else { format!("{subject} is a sign of {}; ", list(&techniques, 3)) };
    format!("{stands}{}; the confidence is {:.0} %: {}", outcome(it), it.confidence * 100.0, confidence(it.confidence))
}

/// What moved the confidence most, in the words of the rule.
fn weighed(it: &Finding) -> Option<String> {
    let mut terms: Vec<(&str, f64)> = it.terms.iter().map(|term| (term.name.as_str(), term.weight * term.value)).collect();
    terms.retain(|(_, adds)| adds.abs() > 0.05);
    terms.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(b.0)));
    let some = |wanted: fn(f64) -> bool| -> Vec<String> {
        terms.iter().filter(|(_, adds)| wanted(*adds)).take(TERMS).map(|(name, _)| tactic(name)).collect()
    };
    let (speaks_for, against) = (some(|adds| adds > 0.0), some(|adds| adds < 0.0));
    match (speaks_for.is_empty(), against.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("What speaks for it most: {}", list(&speaks_for, 3))),
        (true, false) => Some(format!("What speaks against it: {}", list(&against, 3))),
        (false, false) => Some(format!("What speaks for it most: {}; what speaks against it: {}", list(&speaks_for, 3), list(&against, 3))),
    }
}

fn proof(it: &Finding) -> String {
    let filter =
        if it.wireshark.is_empty() { String::new() } else { format!(", and the filter `{}` shows them in Wireshark", it.wireshark) };
    format!("Look at the packets: `vigil carve CASE {id} -o {id}.pcapng` writes them{filter}", id = it.id)
}

// An incident

fn incident(story: &Story<'_>, row: &Incident, members: &[&Finding]) -> Option<Vec<Sentence>> {
    let (first, gravest) = (members.first()?, gravest(members)?);
    let mut told = vec![say(Part::Happened, &opening(row, members), &[])];
    if let Some(opening) = told.first_mut() {
        opening.cites = members.iter().take(TOLD).map(|it| it.id.clone()).collect();
    }
    let shown = shown(members);
    for it in &shown {
        told.push(say(Part::Happened, &format!("At {} UTC {}", short(it.first_ns), it.says), &[it]));
    }
    if shown.len() < members.len() {
        let rest: Vec<&Finding> = members.iter().filter(|it| !shown.iter().any(|other| other.id == it.id)).copied().collect();
        let ids: Vec<String> = rest.iter().map(|it| it.id.clone()).collect();
        told.push(say(Part::Happened, &format!("Milder findings belong to it too: {}", list(&ids, 6)), &rest));
    }
    told.push(say(Part::Happened, &concerned(story, row), members.get(..1).unwrap_or_default()));
    told.push(say(Part::Suspicious, &meaning(&format!("the gravest part, {},", gravest.id), gravest), &[gravest]));
    told.extend(connected(row, members));
    if gravest.id != first.id && !gravest.benign.is_empty() {
        told.push(say(
            Part::Suspicious,
            &format!("Before acting, rule out what looks like {} and is harmless: {}", gravest.id, gravest.benign),
            &[gravest],
        ));
    }
    told.extend(actions(story, members));
    told.push(say(Part::Next, &format!("Keep its packets: `vigil carve CASE {id} -o {id}.pcapng` writes them", id = row.id), &[gravest]));
    Some(told)
}

fn gravest<'a>(members: &[&'a Finding]) -> Option<&'a Finding> {
    members.iter().copied().reduce(|best, it| if it.risk > best.risk { it } else { best })
}

fn opening(row: &Incident, members: &[&Finding]) -> String {
    let lasted = row.last_ns.saturating_sub(row.first_ns);
    let span = if lasted <= 0 {
        format!("at {} UTC", short(row.first_ns))
    } else {
        format!("from {} UTC, for {}", short(row.first_ns), human_duration(lasted))
    };
    let parts = match members.len() {
        1 => "one finding".to_owned(),
        n => format!("{n} findings that belong together"),
    };
    format!("{} is an incident of {} severity, {span}: {parts}", row.id, row.severity.name())
}

/// The gravest, in order of time.
fn shown<'a>(members: &[&'a Finding]) -> Vec<&'a Finding> {
    let mut by_risk: Vec<&Finding> = members.to_vec();
    by_risk.sort_by(|a, b| b.risk.total_cmp(&a.risk).then_with(|| a.id.cmp(&b.id)));
    let kept: BTreeSet<&str> = by_risk.iter().take(TOLD).map(|it| it.id.as_str()).collect();
    members.iter().copied().filter(|it| kept.contains(it.id.as_str())).collect()
}

fn concerned(story: &Story<'_>, row: &Incident) -> String {
    let said: Vec<String> = row
        .hosts
        .iter()
        .map(|ip| match story.hosts.iter().find(|known| known.ip == *ip) {
            Some(known) if !matches!(known.state.as_str(), "" | "clean") => {
                let place = if known.internal { "inside" } else { "outside" };
                format!("{} ({place}, {})", host(ip, story.hosts), known.state)
            }
            _ => host(ip, story.hosts),
        })
        .collect();
    match said.as_slice() {
        [] => "no address is known of those concerned".into(),
        [one] => format!("concerned is {one}"),
        _ => format!("concerned are {}", list(&said, 5)),
    }
}

/// Why these findings are one story.
fn connected(row: &Incident, members: &[&Finding]) -> Vec<Sentence> {
    let mut told = Vec::new();
    if members.len() > 1 && row.tactics.len() > 1 {
        let steps: Vec<String> = row.tactics.iter().map(|name| tactic(name)).collect();
        told.push(say(
            Part::Suspicious,
            &format!("Together they cover {}, steps that an attack takes one after the other", list(&steps, 6)),
            members.get(..TOLD.min(members.len())).unwrap_or_default(),
        ));
    }
    let pivot = members.iter().enumerate().find_map(|(at, later)| {
        let earlier = members.iter().take(at).find(|earlier| earlier.targets.iter().any(|target| later.actors.contains(target)))?;
        let through = earlier.targets.iter().find(|target| later.actors.contains(target))?;
        Some((*earlier, *later, through))
    });
    if let Some((earlier, later, through)) = pivot {
        let text = format!(
            "{through} was the target in {} and acts itself in {}: the attack seems to have moved on from there",
            earlier.id, later.id
        );
        told.push(say(Part::Suspicious, &text, &[earlier, later]));
    }
    let families: BTreeSet<&str> = members.iter().map(|it| it.family.as_str()).collect();
    if families.len() > 1 {
        let text = format!(
            "{} kinds of evidence, each of its own, point the same way; that at least one is right has a probability of {:.0} %",
            families.len(),
            (row.confidence * 100.0).min(99.0)
        );
        told.push(say(Part::Suspicious, &text, members.get(..TOLD.min(members.len())).unwrap_or_default()));
    }
    told
}

/// What to do, gravest first.
fn actions(story: &Story<'_>, members: &[&Finding]) -> Vec<Sentence> {
    let mut by_risk: Vec<&Finding> = members.to_vec();
    by_risk.sort_by(|a, b| b.risk.total_cmp(&a.risk).then_with(|| a.id.cmp(&b.id)));
    incident::things_to_do(&by_risk, story.hosts, ACTIONS).iter().map(|(it, advice)| say(Part::Next, advice, &[it])).collect()
}

// The case

fn case(story: &Story<'_>) -> Vec<Sentence> {
    let worth: Vec<&Finding> = story.findings.iter().filter(|it| it.severity > Severity::Info).collect();
    let mut told = vec![say(Part::Happened, &story.verdict.line, &[])];
    if let Some(first) = told.first_mut() {
        first.cites = worth.iter().take(3).map(|it| it.id.clone()).collect();
    }
    for row in story.incidents.iter().take(INCIDENTS) {
        let members: Vec<&Finding> = story.findings.iter().filter(|it| row.findings.contains(&it.id)).collect();
        if !members.is_empty() {
            told.push(say(Part::Happened, &format!("{} ({}): {}", row.id, row.severity.name(), row.title), &members));
        }
    }
    if story.incidents.len() > INCIDENTS {
        let rest: Vec<String> = story.incidents.iter().skip(INCIDENTS).map(|row| row.id.clone()).collect();
        told.push(say(Part::Happened, &format!("Milder incidents: {}", list(&rest, 6)), &[]));
    }
    if let Some(it) = worth.first() {
        told.push(say(Part::Suspicious, &meaning(&format!("the gravest finding, {},", it.id), it), &[it]));
    }
    for blind in story.coverage.blind_spots.iter().take(3) {
        told.push(say(Part::Suspicious, &format!("What this capture cannot show: {blind}"), &[]));
    }
    let actions = story.verdict.actions.iter();
    let cited = |action: &str| -> Vec<&Finding> { story.findings.iter().filter(|it| action.contains(&format!("({})", it.id))).collect() };
    told.extend(actions.map(|action| say(Part::Next, action, &cited(action))));
    if worth.is_empty() {
        told.push(say(Part::Next, "Read what the capture could not show before calling this network clean", &[]));
    }
    told
}
