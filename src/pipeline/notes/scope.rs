//! How far a suppression reaches. Every scope stays within the rule of the finding that it was made from: what one rule says wrongly of a
//! host says nothing about what another rule will say of it.

use super::domain;
use crate::model::Finding;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// This finding: the same rule and the same key.
    #[default]
    Finding,
    /// Everything that the rule finds.
    Rule,
    /// What the rule finds of the same actors alone (of the same targets, where there is no actor).
    Host,
    /// What the rule finds between the same actors and the same targets alone.
    Pair,
    /// What the rule finds about a domain, and nothing but it.
    Domain,
}

/// What a finding is about, as far as suppressions look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Rule.
    pub rule: String,
    /// What makes it the same finding.
    pub key: String,
    /// Who does it.
    pub actors: Vec<String>,
    /// Who suffers it.
    pub targets: Vec<String>,
    /// Domains in its evidence.
    pub domains: Vec<String>,
}

/// Fields of evidence that hold names of hosts or domains.
const NAMES: [&str; 12] =
    ["domain", "domains", "name", "names", "named", "host", "hosts", "sni", "server_name", "query", "etld1", "url_host"];

impl Subject {
    /// Of a finding.
    pub fn of(finding: &Finding) -> Self {
        let (rule, key) = (finding.rule.clone(), finding.key.clone());
        Self {
            rule,
            key,
            actors: finding.actors.clone(),
            targets: finding.targets.clone(),
            domains: domains(&finding.evidence, &finding.targets),
        }
    }
}

/// Domains that evidence and targets name, sorted.
pub(super) fn domains(evidence: &Value, targets: &[String]) -> Vec<String> {
    let texts = NAMES.iter().filter_map(|field| evidence.get(*field)).flat_map(|value| match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>(),
        other => other.as_str().into_iter().collect(),
    });
    let mut found: Vec<String> = texts.chain(targets.iter().map(String::as_str)).filter_map(domain::name).collect();
    found.sort();
    found.dedup();
    found
}

impl Scope {
    /// As typed and stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Finding => "finding",
            Self::Rule => "rule",
            Self::Host => "host",
            Self::Pair => "pair",
            Self::Domain => "domain",
        }
    }

    /// Whether a finding can be put aside in this scope at all.
    pub(super) fn possible(self, subject: &Subject, id: &str) -> Result<(), String> {
        let instead = "use --scope rule, or none for this finding alone";
        match self {
            Self::Host if subject.actors.is_empty() && subject.targets.is_empty() => Err(format!("{id} names no host; {instead}")),
            Self::Pair if subject.actors.is_empty() || subject.targets.is_empty() => {
                Err(format!("{id} does not name both ends; {instead}"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a suppression made from `made` covers `other`. What speaks of further hosts or domains is not covered: it must be seen.
    pub(super) fn covers(self, made: &Subject, about: Option<&str>, other: &Subject) -> bool {
        let within = |few: &[String], many: &[String]| !few.is_empty() && few.iter().all(|one| many.contains(one));
        made.rule == other.rule
            && match self {
                Self::Finding => made.key == other.key,
                Self::Rule => true,
                Self::Host if made.actors.is_empty() => other.actors.is_empty() && within(&other.targets, &made.targets),
                Self::Host => within(&other.actors, &made.actors),
                Self::Pair => within(&other.actors, &made.actors) && within(&other.targets, &made.targets),
                Self::Domain => {
                    let covered = |name: &String| about.is_some_and(|about| domain::covers(about, name));
                    !other.domains.is_empty() && other.domains.iter().all(covered)
                }
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn subject(key: &str, actors: &[&str], targets: &[&str], domains: &[&str]) -> Subject {
        let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Subject { rule: "beacon".into(), key: key.into(), actors: own(actors), targets: own(targets), domains: own(domains) }
    }

    #[test]
    fn scopes_reach_as_far_as_they_say_and_never_beyond_the_rule() {
        let made = subject("k", &["10.0.0.1"], &["192.0.2.1"], &["a.example"]);
        let covered = |scope: Scope, other: &Subject| scope.covers(&made, Some("a.example"), other);
        let elsewhere = subject("other", &["10.0.0.1"], &["192.0.2.9"], &["b.example"]);
        assert!(covered(Scope::Finding, &made) && !covered(Scope::Finding, &elsewhere));
        assert!(covered(Scope::Rule, &elsewhere) && covered(Scope::Host, &elsewhere));
        assert!(!covered(Scope::Pair, &elsewhere) && !covered(Scope::Domain, &elsewhere));
        assert!(covered(Scope::Pair, &subject("other", &["10.0.0.1"], &["192.0.2.1"], &[])));
        assert!(covered(Scope::Domain, &subject("other", &["10.0.0.7"], &[], &["www.a.example", "a.example"])));
        let wider = subject("k2", &["10.0.0.1", "10.0.0.2"], &["192.0.2.1"], &["a.example", "b.example"]);
        for scope in [Scope::Host, Scope::Pair, Scope::Domain] {
            assert!(!covered(scope, &wider), "a finding that speaks of more must be seen: {}", scope.name());
        }
        for scope in [Scope::Finding, Scope::Rule, Scope::Host, Scope::Pair, Scope::Domain] {
            assert!(!covered(scope, &Subject { rule: "dga".into(), ..made.clone() }));
        }
    }

    #[test]
    fn domains_come_out_of_the_evidence() {
        let evidence =
            json!({ "domain": "Tunnel.Example.", "names": ["a.example", 3], "port": 443, "name": "no name known", "host": "10.0.0.1" });
        assert_eq!(domains(&evidence, &["198.51.100.1".into(), "c.example".into()]), ["a.example", "c.example", "tunnel.example"]);
    }
}
