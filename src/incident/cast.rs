//! Who plays which part in an incident: attacker, victim, pivot, far end (DETECTIONS 5.3, step 5).
//!
//! A host that attacks was itself taken over only if the capture shows it: an entry, a download or a controller beforehand, at most a day
//! earlier. Otherwise it is an attacker, whoever sits there.

use super::hosts::{self, Part};
use super::{Known, story};
use crate::model::report::Role;
use crate::model::time::SECOND;
use crate::model::{Finding, Severity, Ts};
use std::collections::BTreeMap;

/// An entry that lies farther back explains nothing.
const BELIEVED: i64 = 24 * 3600 * SECOND;
/// Hosts of an incident that are told apart: a scan has hundreds.
const HOSTS: usize = 256;

/// A host of an incident.
pub(super) struct Player {
    pub(super) role: Role,
    /// When somebody got in, or the first sign of it, and the finding that says so.
    pub(super) entered: Option<(Ts, String)>,
}

/// Hosts that `findings` name, gravest first.
pub(super) fn cast(findings: &[&Finding], known: &Known<'_>) -> Vec<Player> {
    let mut named: BTreeMap<&str, Vec<(&Finding, Part)>> = BTreeMap::new();
    for &finding in findings {
        for name in finding.actors.iter().chain(&finding.targets) {
            let parts = named.entry(name).or_default();
            if parts.last().is_none_or(|(last, _)| last.id != finding.id) {
                parts.extend(hosts::part(finding, name).map(|part| (finding, part)));
            }
        }
    }
    let mut players: Vec<Player> = named.into_iter().map(|(name, parts)| player(name, &parts, known)).collect();
    let order = |role: &Role| ["pivot", "attacker", "victim", "far_end"].iter().position(|part| *part == role.part);
    players.sort_by(|a, b| {
        let (a, b) = (&a.role, &b.role);
        b.risk.total_cmp(&a.risk).then(b.internal.cmp(&a.internal)).then(order(a).cmp(&order(b))).then_with(|| a.ip.cmp(&b.ip))
    });
    players.truncate(HOSTS);
    players
}

fn player(name: &str, parts: &[(&Finding, Part)], known: &Known<'_>) -> Player {
    let first = |wanted: fn(Part) -> bool| {
        let own = parts.iter().filter(|(_, part)| wanted(*part));
        own.map(|(finding, _)| (finding.first_ns, finding.id.clone())).min()
    };
    let entered = first(story::is_in);
    let attacks = first(|part| part == Part::Attacking);
    let risk = hosts::risk(parts);
    let part = part_played(name, parts, entered.as_ref().map(|(at, _)| *at), attacks.map(|(at, _)| at));
    let role = Role {
        ip: name.to_owned(),
        name: known.name_of(name),
        internal: known.is_home(name),
        part: part.to_owned(),
        // What became of a far end is not in the capture.
        state: if part == "far_end" { String::new() } else { hosts::state(parts).to_owned() },
        risk,
        severity: Severity::of_risk(risk),
        findings: parts.iter().map(|(finding, _)| finding.id.clone()).collect(),
    };
    Player { role, entered }
}

fn part_played(name: &str, parts: &[(&Finding, Part)], entered: Option<Ts>, attacks: Option<Ts>) -> &'static str {
    let acts = |finding: &Finding| finding.actors.iter().any(|actor| actor == name);
    // A controller may have been called before the capture began: that it is called at all says who acts here.
    let serves = parts.iter().any(|(finding, part)| story::is_in(*part) && acts(finding));
    let explained = |entered: Ts, attacks: Ts| serves || (0..=BELIEVED).contains(&attacks.saturating_sub(entered));
    match (entered, attacks) {
        (Some(entered), Some(attacks)) if explained(entered, attacks) => "pivot",
        (_, Some(_)) => "attacker",
        (Some(_), None) => "victim",
        // The far end of a call home, of an upload, of a login: it is named because of what the other side did of its own accord.
        (None, None) if parts.iter().all(|(finding, _)| hosts::calls_out(finding) && !acts(finding)) => "far_end",
        (None, None) => "victim",
    }
}
