//! Findings that belong together → one incident: who played which part, who acted on whom, where it came in, how bad it is, and a title.

use super::cast::{self, Player};
use super::hosts::Part;
use super::{Known, timeline_of};
use crate::model::report::{Deed, Incident};
use crate::model::time::short;
use crate::model::{Finding, Outcome, Severity};
use std::collections::BTreeMap;

/// Lines of an incident's timeline: a story that is longer is not read.
const LINES: usize = 30;
/// Pairs of hosts told: a scan has hundreds.
const DEEDS: usize = 256;
/// Steps of the path in a title.
const STEPS: usize = 4;
/// Each doubling of the number of hosts that were taken adds this share.
const SPREAD: f64 = 0.05;
/// What an attack on the heart of a network weighs more.
const CROWN: f64 = 1.2;
/// Roles of such hosts.
const CROWN_ROLES: [&str; 3] = ["dc", "ot_plc", "ot_hmi"];

/// The incident that `findings` make, without a name.
pub(super) fn tell(findings: &[&Finding], known: &Known<'_>) -> Incident {
    let mut in_time: Vec<&Finding> = findings.to_vec();
    in_time.sort_by(|a, b| (a.first_ns, &a.id).cmp(&(b.first_ns, &b.id)));
    let players = cast::cast(&in_time, known);
    let risk = risk(&in_time, &players, known);
    Incident {
        id: String::new(),
        title: title(&in_time, &players),
        severity: Severity::of_risk(risk),
        risk,
        confidence: confidence(&in_time),
        first_ns: in_time.iter().map(|finding| finding.first_ns).min().unwrap_or_default(),
        last_ns: in_time.iter().map(|finding| finding.last_ns).max().unwrap_or_default(),
        hosts: players.iter().map(|player| player.role.ip.clone()).collect(),
        tactics: super::tactics(in_time.iter().copied()),
        findings: in_time.iter().map(|finding| finding.id.clone()).collect(),
        entry: entry(&players, &in_time),
        background: players.iter().all(|player| player.entered.is_none()) && in_time.iter().all(|finding| from_outside(finding, known)),
        roles: players.into_iter().map(|player| player.role).collect(),
        deeds: deeds(&in_time),
        timeline: timeline_of(&in_time, LINES),
    }
}

/// An attempt of a stranger on one of ours: the weather of the Internet.
fn from_outside(finding: &Finding, known: &Known<'_>) -> bool {
    finding.outcome <= Outcome::Guessing
        && !finding.actors.is_empty()
        && !finding.actors.iter().any(|actor| known.is_home(actor))
        && finding.targets.iter().any(|target| known.is_home(target))
}

/// 0 to 100: that of the host that is worst off, more where several were taken or the heart of the network was.
fn risk(findings: &[&Finding], players: &[Player], known: &Known<'_>) -> f64 {
    let gravest = findings.iter().map(|finding| finding.risk).fold(0.0, f64::max);
    let worst = players.iter().map(|player| player.role.risk).fold(gravest, f64::max);
    let taken = players.iter().filter(|player| player.entered.is_some()).count().max(1);
    let is_crown = |player: &Player| player.entered.is_some() && known.has_role(&player.role.ip, &CROWN_ROLES);
    let crown = if players.iter().any(is_crown) { CROWN } else { 1.0 };
    let risk = (worst * (1.0 + SPREAD * (taken as f64).log2()) * crown).min(100.0);
    (risk * 1e6).round() / 1e6
}

/// P(at least one family of evidence is right).
fn confidence(findings: &[&Finding]) -> f64 {
    let mut families: BTreeMap<&str, f64> = BTreeMap::new();
    for finding in findings {
        let best = families.entry(&finding.family).or_default();
        *best = best.max(finding.confidence);
    }
    let wrong: f64 = families.values().map(|confidence| 1.0 - confidence).product();
    ((1.0 - wrong) * 1e6).round() / 1e6
}

/// Who acted on whom, each pair of hosts once, the gravest first.
fn deeds(findings: &[&Finding]) -> Vec<Deed> {
    let mut pairs: BTreeMap<(&str, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        for actor in &finding.actors {
            for target in finding.targets.iter().filter(|target| *target != actor) {
                pairs.entry((actor, target)).or_default().push(finding);
            }
        }
    }
    let mut deeds: Vec<Deed> = pairs.into_iter().map(|((from, to), of)| deed(from, to, &of)).collect();
    deeds.sort_by(|a, b| b.risk.total_cmp(&a.risk).then(a.first_ns.cmp(&b.first_ns)).then_with(|| (&a.from, &a.to).cmp(&(&b.from, &b.to))));
    deeds.truncate(DEEDS);
    deeds
}

fn deed(from: &str, to: &str, of: &[&Finding]) -> Deed {
    let gravest = of.iter().copied().reduce(|best, other| if other.risk > best.risk { other } else { best });
    Deed {
        from: from.to_owned(),
        to: to.to_owned(),
        what: gravest.map(head).unwrap_or_default(),
        tactic: gravest.map(|finding| finding.tactic.clone()).unwrap_or_default(),
        severity: gravest.map(|finding| finding.severity).unwrap_or_default(),
        risk: gravest.map(|finding| finding.risk).unwrap_or_default(),
        first_ns: of.iter().map(|finding| finding.first_ns).min().unwrap_or_default(),
        last_ns: of.iter().map(|finding| finding.last_ns).max().unwrap_or_default(),
        findings: of.iter().map(|finding| finding.id.clone()).collect(),
    }
}

/// What a rule is called: its title up to the explanation.
fn head(finding: &Finding) -> String {
    let title = finding.title.as_str();
    let end = [": ", ", ", " ("].iter().filter_map(|mark| title.find(mark)).min().unwrap_or(title.len());
    title[..end].to_owned()
}

/// Where it came in, or that this is not in the capture. Empty where nobody got in as far as is seen.
fn entry(players: &[Player], in_time: &[&Finding]) -> String {
    let ours = || players.iter().filter(|player| player.role.internal);
    let Some((first, (at, id))) =
        ours().filter_map(|player| Some((player, player.entered.clone()?))).min_by_key(|(_, entered)| entered.clone())
    else {
        let attacker = ours().find(|player| player.role.part == "attacker");
        return attacker.map_or(String::new(), |player| {
            format!("{} acts from inside; who uses it, and since when, is not in this capture.", player.role.ip)
        });
    };
    let Some(finding) = in_time.iter().find(|finding| finding.id == id) else { return String::new() };
    let host = &first.role.ip;
    match finding.actors.iter().find(|actor| *actor != host) {
        Some(actor) if finding.targets.contains(host) => format!("It came in on {host} {}, from {actor} ({id}).", short(at)),
        _ => format!("How {host} was taken over is not in this capture: {id} {} is the first sign.", short(at)),
    }
}

/// One finding speaks for itself; several are the path of the host that is worst off, in order of time.
fn title(in_time: &[&Finding], players: &[Player]) -> String {
    if let [only] = in_time {
        return only.says.clone();
    }
    let subject = players.iter().find(|player| player.role.internal && player.role.part != "far_end").or(players.first());
    let Some(subject) = subject else { return in_time.first().map(|finding| finding.says.clone()).unwrap_or_default() };
    let steps = steps(in_time);
    let shown: Vec<String> = steps.iter().take(STEPS).map(|finding| step(finding, &subject.role.ip)).collect();
    let more = match steps.len().saturating_sub(shown.len()) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("{} {}: {}{more}", subject.role.ip, subject.role.state, shown.join(" → "))
}

/// The gravest finding of each kind of trouble, in order of time; beyond what a title holds, the mildest go.
fn steps<'a>(in_time: &[&'a Finding]) -> Vec<&'a Finding> {
    let mut families: BTreeMap<&str, &Finding> = BTreeMap::new();
    for &finding in in_time {
        let best = families.entry(&finding.family).or_insert(finding);
        if finding.risk > best.risk {
            *best = finding;
        }
    }
    let mut steps: Vec<&Finding> = families.into_values().collect();
    steps.sort_by(|a, b| b.risk.total_cmp(&a.risk).then_with(|| a.id.cmp(&b.id)));
    let rest = steps.split_off(STEPS.min(steps.len()));
    steps.sort_by(|a, b| (a.first_ns, &a.id).cmp(&(b.first_ns, &b.id)));
    steps.extend(rest);
    steps
}

/// `Port scan of 10.0.0.7 12:03:04`, seen from `subject`.
fn step(finding: &Finding, subject: &str) -> String {
    let others = |names: &[String]| match names {
        [] => None,
        [one] if one == subject => None,
        [one] => Some(one.clone()),
        many => Some(format!("{} hosts", many.len())),
    };
    let acts = finding.actors.iter().any(|actor| actor == subject);
    let with = if acts {
        others(&finding.targets).map(|to| format!(" to {to}"))
    } else if finding.targets.iter().any(|target| target == subject) {
        others(&finding.actors).map(|from| format!(" from {from}"))
    } else {
        others(&finding.actors).map(|by| format!(" by {by}"))
    };
    let when = short(finding.first_ns);
    let clock = when.split_once(' ').map_or(when.as_str(), |(_, clock)| clock);
    format!("{}{} {clock}", head(finding), with.unwrap_or_default())
}

/// What a part in a finding means for the state of a host, gravest last.
pub(super) fn is_in(part: Part) -> bool {
    matches!(part, Part::Accessed | Part::Compromised)
}
