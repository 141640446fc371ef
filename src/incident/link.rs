//! How strongly two findings belong together: shared hosts and things, closeness in time, an order that makes sense (DETECTIONS 5.3).

use super::{Known, stage};
use crate::model::time::SECOND;
use crate::model::{Finding, Ts};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Weight from which two findings are one story.
pub(super) const LINKED: f64 = 0.55;
const SAME_ACTOR: f64 = 0.35;
/// The actor of the later one was the target of the earlier: the attack moved on.
const PIVOT: f64 = 0.6;
const SAME_TARGET: f64 = 0.15;
/// A far host, a domain, a file or an account that both name.
const SAME_THING: f64 = 0.4;
/// Full when they overlap, fading over `FADE`.
const CLOSE: f64 = 0.3;
const FADE: i64 = 6 * 3600 * SECOND;
/// Silence after which a story is over.
const SILENCE: i64 = 12 * 3600 * SECOND;
/// The later one is the next step of an attack.
const IN_ORDER: f64 = 0.2;

/// Fields of the evidence whose equality means something: it does not come about by chance.
const THINGS: [&str; 9] = ["domain", "host", "name", "url", "sha256", "ja3", "ja4", "serial", "mark"];
/// Hosts with these roles are named by everything that happens in a network.
const HUBS: [&str; 6] = ["dc", "dns_resolver", "dhcp_server", "gateway", "mail", "ntp"];
/// A finding with more targets names them as a crowd.
const PEERS: usize = 3;
/// Values of things that stand for none.
const NOTHING: [&str; 5] = ["", "-", "nothing", "no name", "no name known"];

/// What of a finding can be shared with another.
pub(super) struct Thread<'a> {
    id: &'a str,
    actors: BTreeSet<&'a str>,
    targets: BTreeSet<&'a str>,
    things: BTreeSet<String>,
    stage: usize,
    first: Ts,
    last: Ts,
}

impl<'a> Thread<'a> {
    pub(super) fn of(finding: &'a Finding, known: &Known<'_>) -> Self {
        // Who is one of many targets is nothing special.
        let named = if finding.targets.len() <= PEERS { finding.targets.as_slice() } else { &[] };
        let is_far = |name: &&String| name.parse::<IpAddr>().is_ok() && !known.is_home(name);
        let far = named.iter().filter(is_far).map(|name| format!("peer {name}"));
        let accounts = finding.users.iter().map(|user| format!("account {user}"));
        let seen = THINGS.iter().filter_map(|field| {
            let value = finding.evidence.get(field)?.as_str()?;
            (!NOTHING.contains(&value)).then(|| format!("{} {value}", if *field == "host" { "domain" } else { field }))
        });
        Self {
            id: &finding.id,
            actors: finding.actors.iter().map(String::as_str).collect(),
            targets: finding.targets.iter().map(String::as_str).collect(),
            things: far.chain(accounts).chain(seen).collect(),
            stage: stage(&finding.tactic),
            first: finding.first_ns,
            last: finding.last_ns,
        }
    }

    /// How strongly two findings belong together.
    pub(super) fn weight(&self, other: &Self, known: &Known<'_>) -> f64 {
        let (first, second) = if (other.first, other.id) < (self.first, self.id) { (other, self) } else { (self, other) };
        let pause = second.first.saturating_sub(first.last).max(0);
        if pause > SILENCE {
            return 0.0;
        }
        let share = |x: &BTreeSet<&str>, y: &BTreeSet<&str>| x.intersection(y).any(|name| !known.has_role(name, &HUBS));
        let mut weight = 0.0;
        if !first.actors.is_disjoint(&second.actors) {
            weight += SAME_ACTOR;
        }
        if share(&first.targets, &second.actors) || share(&first.actors, &second.targets) {
            weight += PIVOT;
        }
        if share(&first.targets, &second.targets) {
            weight += SAME_TARGET;
        }
        if !first.things.is_disjoint(&second.things) {
            weight += SAME_THING;
        }
        if weight == 0.0 {
            return 0.0;
        }
        weight += CLOSE * (-(pause as f64) / FADE as f64).exp();
        if first.stage < second.stage {
            weight += IN_ORDER;
        }
        weight
    }
}
