//! Rows of one rule → findings, so that a scan of a thousand hosts is one line and not a thousand.
//!
//! 1. Rows with the same key are one finding.
//! 2. What one actor did to many targets is one finding (fan-out), then what many did to one target (fan-in).
//! 3. Many attempts from outside on the inside are background noise of the Internet: one finding.

use super::row::{Hit, once};
use super::rules::Rule;
use super::score;
use super::words::{self, Who};
use crate::model::finding::{Finding, Outcome, Severity};
use crate::model::{HomeNets, time};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A reader follows three lines about one actor; the fourth makes it a pattern.
const FAN: usize = 3;
/// Attempts from outside beyond which single lines only hide the rest.
const BACKGROUND: usize = 10;
/// Frames kept per finding.
const FRAMES: usize = 200;
/// Flows kept per finding; the evidence says how many there were.
const FLOWS: usize = 1_000;
/// Addresses and accounts kept per finding; the evidence says how many there were.
const NAMES: usize = 256;

/// Rows that are one finding.
struct Group {
    key: String,
    hits: Vec<Hit>,
}

/// The findings that the rows of `rule` make, without ids, in no promised order.
pub fn fold(rule: &Rule, hits: Vec<Hit>, home: &HomeNets) -> Vec<Finding> {
    let mut groups = by_key(rule, hits);
    groups = gather(groups, FAN, |lead| Some(format!("actor={} {}", lead.actor.as_deref()?, lead.outcome.name())));
    groups = gather(groups, FAN, |lead| Some(format!("target={} {}", lead.target.as_deref()?, lead.outcome.name())));
    groups = gather(groups, BACKGROUND, |lead| comes_from_outside(lead, home).then(|| "background".to_owned()));
    groups.into_iter().map(|group| finding(rule, group)).collect()
}

/// Step 1. The gravest hit stands first in each group.
fn by_key(rule: &Rule, hits: Vec<Hit>) -> Vec<Group> {
    let mut groups: BTreeMap<String, Vec<Hit>> = BTreeMap::new();
    for hit in hits {
        let parts: Vec<String> = rule.header.key.iter().map(|part| part_of_key(&hit, part)).collect();
        groups.entry(parts.join(" ")).or_default().push(hit);
    }
    groups.into_iter().map(|(key, hits)| Group { key, hits: gravest_first(rule, hits) }).collect()
}

fn part_of_key(hit: &Hit, part: &str) -> String {
    let value = match part {
        "actor" => hit.actor.clone(),
        "target" => hit.target.clone(),
        "user" => hit.user.clone(),
        field => hit.evidence.get(field).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
    };
    format!("{part}={}", value.as_deref().unwrap_or("-"))
}

/// Orders by risk, then by everything else, so that no tie is left open.
fn gravest_first(rule: &Rule, mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by_cached_key(|hit| {
        let milli = (risk_of(rule, hit) * 1e6) as i64;
        let evidence = Json::Object(hit.evidence.clone()).to_string();
        (-milli, hit.first_ns, hit.actor.clone(), hit.target.clone(), hit.user.clone(), evidence)
    });
    hits
}

fn risk_of(rule: &Rule, hit: &Hit) -> f64 {
    let impact = hit.impact.unwrap_or(rule.header.impact);
    score::risk(impact, score::confidence(rule.header.prior, &hit.terms), hit.outcome)
}

/// Steps 2 and 3: groups of one `trait_of` become one, where there are more than `most` of them.
fn gather(groups: Vec<Group>, most: usize, trait_of: impl Fn(&Hit) -> Option<String>) -> Vec<Group> {
    let trait_of_group = |group: &Group| group.hits.first().and_then(&trait_of);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in groups.iter().filter_map(trait_of_group) {
        *counts.entry(name).or_default() += 1;
    }
    let (mut gathered, mut single) = (BTreeMap::<String, Vec<Hit>>::new(), Vec::new());
    for group in groups {
        match trait_of_group(&group).filter(|name| counts.get(name).is_some_and(|&n| n > most)) {
            Some(name) => gathered.entry(name).or_default().extend(group.hits),
            None => single.push(group),
        }
    }
    single.extend(gathered.into_iter().map(|(key, hits)| Group { key, hits }));
    single
}

fn comes_from_outside(lead: &Hit, home: &HomeNets) -> bool {
    let at_home = |name: &Option<String>| name.as_deref().and_then(|name| name.parse::<IpAddr>().ok()).map(|addr| home.contains(addr));
    lead.outcome <= Outcome::Guessing && at_home(&lead.actor) == Some(false) && at_home(&lead.target) == Some(true)
}

fn finding(rule: &Rule, group: Group) -> Finding {
    let header = &rule.header;
    let rows = group.hits.len();
    let hits = gravest_first(rule, group.hits);
    let Some(lead) = hits.first() else { unreachable!("a group is made of at least one hit") };
    let actors = names(hits.iter().filter_map(|hit| hit.actor.as_deref()));
    let targets = names(hits.iter().flat_map(Hit::targets));
    let users = names(hits.iter().filter_map(|hit| hit.user.as_deref()));
    let mut flows: Vec<_> = hits.iter().flat_map(|hit| hit.flows.iter().copied()).collect();
    flows.sort_unstable();
    flows.dedup();
    let risk = risk_of(rule, lead);
    let first_ns = hits.iter().map(|hit| hit.first_ns).min().unwrap_or(lead.first_ns);
    let last_ns = hits.iter().map(|hit| hit.last_ns).max().unwrap_or(lead.last_ns);
    let mut finding = Finding {
        id: String::new(),
        rule: header.id.clone(),
        title: header.title.clone(),
        says: words::sentence(&header.says, lead, &Who { actors: &actors, targets: &targets, users: &users }),
        severity: Severity::of_risk(risk),
        confidence: score::confidence(header.prior, &lead.terms),
        risk,
        outcome: lead.outcome,
        attack: header.attack.clone(),
        tactic: rule.tactic.clone(),
        family: header.family.clone(),
        first_seen: time::rfc3339(first_ns),
        last_seen: time::rfc3339(last_ns),
        first_ns,
        last_ns,
        evidence: evidence(rule, lead, rows, &[("flows", flows.len()), ("actors", actors.len()), ("targets", targets.len())]),
        terms: lead.terms.clone(),
        flows: flows.iter().take(FLOWS).map(ToString::to_string).collect(),
        frames: once(hits.iter().flat_map(|hit| hit.frames.iter().copied())).into_iter().take(FRAMES).collect(),
        wireshark: display_filter(rule, lead, &actors, &targets),
        benign: header.benign.clone(),
        folded: rows as u64,
        key: format!("{} {}", header.id, group.key),
        incident: None,
        actors,
        targets,
        users,
    };
    for names in [&mut finding.actors, &mut finding.targets, &mut finding.users] {
        names.truncate(NAMES);
    }
    finding
}

/// Distinct names: those of the gravest hits first.
fn names<'a>(all: impl Iterator<Item = &'a str>) -> Vec<String> {
    once(all).into_iter().map(str::to_owned).collect()
}

/// What was seen in the gravest row, the thresholds in force, and how much was folded into it.
fn evidence(rule: &Rule, lead: &Hit, rows: usize, totals: &[(&str, usize)]) -> Json {
    let mut evidence = lead.evidence.clone();
    let thresholds: Map<String, Json> =
        rule.params.iter().filter_map(|param| Some((param.name.clone(), param.value.threshold()?))).collect();
    if !thresholds.is_empty() {
        evidence.insert("thresholds".into(), Json::Object(thresholds));
    }
    if rows > 1 {
        evidence.insert("rows".into(), rows.into());
    }
    for &(what, total) in totals {
        if total > if what == "flows" { FLOWS } else { NAMES } {
            evidence.insert(format!("{what}_total"), total.into());
        }
    }
    Json::Object(evidence)
}

/// The rule's own filter for a single row; for folded ones, or without one, the addresses.
fn display_filter(rule: &Rule, lead: &Hit, actors: &[String], targets: &[String]) -> String {
    let own = rule.header.filter.as_deref().filter(|_| actors.len() <= 1 && targets.len() <= 1);
    if let Some(filter) = own.and_then(|template| words::filter(template, lead)) {
        return filter;
    }
    let sides = [actors, targets].into_iter().filter(|side| (1..=FAN).contains(&side.len()));
    let parts: Vec<String> = sides.filter_map(any_of).collect();
    parts.join(" && ")
}

/// `ip.addr == a`, or several of them in brackets.
fn any_of(names: &[String]) -> Option<String> {
    let one = |name: &String| match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => Some(format!("ip.addr == {name}")),
        Ok(IpAddr::V6(_)) => Some(format!("ipv6.addr == {name}")),
        Err(_) if is_mac(name) => Some(format!("eth.addr == {name}")),
        Err(_) => None,
    };
    let parts: Vec<String> = names.iter().map(one).collect::<Option<_>>()?;
    Some(if parts.len() == 1 { parts.concat() } else { format!("({})", parts.join(" || ")) })
}

fn is_mac(name: &str) -> bool {
    name.len() == 17 && name.split(':').all(|pair| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FlowId;
    use std::path::Path;

    fn rule(key: &str) -> Rule {
        let text = format!(
            "/*\nid = \"x\"\ntitle = \"X\"\nattack = [\"T1046\"]\nimpact = 50\nprior = 0.5\nfamily = \"f\"\nreads = [\"flows\"]\n\
             window = \"capture\"\nkey = {key}\nfires_on = \"x\"\nbenign = \"b\"\nsays = \"{{actor}} hit {{target}} {{n}} times\"\n\
             [params]\nleast = 3 # least\n*/\nSELECT $least"
        );
        Rule::parse(Path::new("discovery/x.sql"), &text, "test").unwrap()
    }

    fn hit(actor: &str, target: &str, n: u64, outcome: Outcome) -> Hit {
        let evidence = serde_json::json!({ "n": n }).as_object().cloned().unwrap();
        let (first_ns, last_ns) = (n as i64, n as i64 + 5);
        let terms = vec![crate::model::finding::Term { name: "n".into(), weight: 0.1, value: n as f64 }];
        let (actor, target) = (Some(actor.into()), Some(target.into()));
        Hit {
            actor,
            target,
            more_targets: Vec::new(),
            user: None,
            first_ns,
            last_ns,
            outcome,
            terms,
            evidence,
            flows: vec![FlowId(n * 16)],
            frames: vec![n],
            impact: None,
        }
    }

    fn shown(mut findings: Vec<Finding>) -> Vec<String> {
        findings.sort_by(|a, b| a.key.cmp(&b.key));
        findings.iter().map(|f| format!("{} ×{}", f.says, f.folded)).collect()
    }

    #[test]
    fn three_targets_of_an_actor_stay_apart_and_four_become_one() {
        let hits = |n: u64| (1..=n).map(|i| hit("10.0.0.9", &format!("10.0.0.{i}"), i, Outcome::Confirmed)).collect();
        assert_eq!(fold(&rule("[\"actor\", \"target\"]"), hits(3), &HomeNets::default()).len(), 3);
        let four = fold(&rule("[\"actor\", \"target\"]"), hits(4), &HomeNets::default());
        assert_eq!(shown(four.clone()), ["10.0.0.9 hit 10.0.0.4, 10.0.0.3 and 2 more 4 times ×4"]);
        assert_eq!((four[0].first_ns, four[0].last_ns, four[0].frames.as_slice()), (1, 9, &[4, 3, 2, 1][..]));
        assert_eq!(four[0].evidence["thresholds"]["least"], 3);
    }

    #[test]
    fn the_gravest_row_speaks_for_all_rows_of_its_key() {
        let hits = vec![hit("10.0.0.9", "10.0.0.1", 9, Outcome::Attempt), hit("10.0.0.9", "10.0.0.1", 2, Outcome::Confirmed)];
        let made = fold(&rule("[\"actor\", \"target\"]"), hits, &HomeNets::default());
        assert_eq!((made.len(), made[0].outcome, made[0].evidence["n"].as_u64(), made[0].folded), (1, Outcome::Confirmed, Some(2), 2));
    }

    #[test]
    fn many_sources_on_one_target_are_one_distributed_finding() {
        let hits = (1..=5).map(|i| hit(&format!("192.0.2.{i}"), "10.0.0.1", i, Outcome::Confirmed)).collect();
        assert_eq!(
            shown(fold(&rule("[\"actor\"]"), hits, &HomeNets::default())),
            ["192.0.2.5, 192.0.2.4 and 3 more hit 10.0.0.1 5 times ×5"]
        );
    }

    #[test]
    fn attempts_from_outside_fold_only_once_they_are_many() {
        let hits = |n: u64| (1..=n).map(|i| hit(&format!("192.0.2.{i}"), &format!("10.0.0.{i}"), i, Outcome::Attempt)).collect();
        assert_eq!(fold(&rule("[\"actor\"]"), hits(10), &HomeNets::default()).len(), 10);
        assert_eq!(fold(&rule("[\"actor\"]"), hits(11), &HomeNets::default()).len(), 1);
    }

    #[test]
    fn the_order_of_rows_changes_nothing() {
        let mut hits: Vec<Hit> = (1..=6).map(|i| hit("10.0.0.9", &format!("10.0.0.{i}"), 7, Outcome::Confirmed)).collect();
        let forward = fold(&rule("[\"actor\"]"), hits.clone(), &HomeNets::default());
        hits.reverse();
        assert_eq!(forward, fold(&rule("[\"actor\"]"), hits, &HomeNets::default()));
    }

    #[test]
    fn filters_name_hosts_of_both_families_and_hardware() {
        let names = |list: &[&str]| list.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        assert_eq!(any_of(&names(&["10.0.0.1", "::1"])).unwrap(), "(ip.addr == 10.0.0.1 || ipv6.addr == ::1)");
        assert_eq!(any_of(&names(&["02:00:5e:00:00:01"])).unwrap(), "eth.addr == 02:00:5e:00:00:01");
        assert_eq!(any_of(&names(&["evil.example"])), None);
    }
}
