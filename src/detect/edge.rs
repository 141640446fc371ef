//! Where thresholds flip: the last value of a parameter at which a rule still fires on a case, and the first at which it is silent.
//!
//! A threshold that never flips on the case that proves its rule is not proven by it. People who tune a rule see how far they can go.

use super::params::Setting;
use super::row::Hit;
use super::rules::{Rule, Rules};
use super::{Error, Result, run};
use duckdb::Connection;

/// Factor between two values that are tried.
const STRIDE: f64 = 16.0;
/// Strides from the value in force, up: the last lies eleven orders of magnitude away.
const STRIDES: i32 = 9;
/// Halvings between two values of a fraction.
const HALVINGS: usize = 40;
/// Two fractions so close are one.
const CLOSE: f64 = 1e-4;

/// A threshold that decides whether a rule fires on a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// Name of the parameter.
    pub param: String,
    /// The last value, coming from the one in force, at which the rule fires.
    pub fires: f64,
    /// The next, at which it is silent.
    pub silent: f64,
    /// A threshold of another way to fire, and where it was moved to so that this one alone decides.
    pub shut: Option<(String, f64)>,
}

impl Rules {
    /// The edges of the numeric parameters of rule `id` on a case. None if it is silent there. Parameters that only weigh, or that stand for
    /// things that the case does not hold, have none.
    pub fn edges(&self, id: &str, db: &Connection) -> Result<Vec<Edge>> {
        let rule = self.expect(id)?;
        self.prepare(db)?;
        let trial = Trial { rule, db };
        if !trial.fires(&[])? {
            return Ok(Vec::new());
        }
        let mut edges = Vec::new();
        let mut idle: Vec<usize> = (0..rule.params.len()).filter(|&at| trial.start(at).is_some()).collect();
        for &at in &idle {
            edges.extend(trial.edges(at, None)?);
        }
        idle.retain(|&at| !edges.iter().any(|edge: &Edge| edge.param == trial.name(at)));
        // What fires in one of two ways falls silent only where the other is shut.
        for &at in &idle {
            for &other in idle.iter().filter(|&&other| other != at) {
                let found = trial.shuts(other)?.into_iter().map(|shut| trial.edges(at, Some((other, shut)))).collect::<Result<Vec<_>>>()?;
                let found: Vec<Edge> = found.into_iter().flatten().take(1).collect();
                if !found.is_empty() {
                    edges.extend(found);
                    break;
                }
            }
        }
        Ok(edges)
    }

    /// The numeric parameters of rule `id` that, moved far, change what it says of a case: how sure it is, how far it got, whom it names.
    pub fn weighing(&self, id: &str, db: &Connection) -> Result<Vec<String>> {
        let rule = self.expect(id)?;
        self.prepare(db)?;
        let trial = Trial { rule, db };
        let said = trial.hits(&[])?;
        let mut weighing = Vec::new();
        for at in (0..rule.params.len()).filter(|&at| trial.start(at).is_some()) {
            let [up, down] = trial.ladders(at);
            let ends = up.last().into_iter().chain(&down);
            // An end at which the statement overflows says nothing.
            if ends.map(|end| trial.hits(&[(at, *end)])).any(|hits| hits.is_ok_and(|hits| hits != said)) {
                weighing.push(trial.name(at).to_owned());
            }
        }
        Ok(weighing)
    }
}

/// A rule that is asked again and again with other values of its parameters.
struct Trial<'a> {
    rule: &'a Rule,
    db: &'a Connection,
}

impl Trial<'_> {
    fn name(&self, at: usize) -> &str {
        self.rule.params.get(at).map_or("", |param| param.name.as_str())
    }

    /// The value in force, if it is a number.
    fn start(&self, at: usize) -> Option<f64> {
        match self.rule.params.get(at)?.value {
            Setting::Int(n) => Some(n as f64),
            Setting::Float(x) => Some(x),
            _ => None,
        }
    }

    /// Values farther and farther from the one in force: up, and down to where no share or count reaches.
    fn ladders(&self, at: usize) -> [Vec<f64>; 2] {
        let start = self.start(at).unwrap_or_default().abs().max(1.0);
        [(1..=STRIDES).map(|stride| start * STRIDE.powi(stride)).collect(), vec![0.0, -1.0]]
    }

    /// The ends of both ladders, where the rule still fires.
    fn shuts(&self, at: usize) -> Result<Vec<f64>> {
        let ends = self.ladders(at).map(|ladder| ladder.last().copied().unwrap_or_default());
        Ok(ends.into_iter().filter(|end| matches!(self.fires(&[(at, *end)]), Ok(true))).collect())
    }

    /// Where the rule falls silent on the way up and on the way down, with another parameter moved aside.
    fn edges(&self, at: usize, shut: Option<(usize, f64)>) -> Result<Vec<Edge>> {
        let mut edges = Vec::new();
        for ladder in self.ladders(at) {
            // What still fires at the end is not asked on the way there.
            let at_end = ladder.last().map(|end| self.fires(&with(shut, at, *end)));
            if matches!(at_end, Some(Ok(true))) {
                continue;
            }
            if let Some((fires, silent)) = self.flip(at, &ladder, shut)? {
                let shut = shut.map(|(other, value)| (self.name(other).to_owned(), value));
                edges.push(Edge { param: self.name(at).to_owned(), fires, silent, shut });
            }
        }
        Ok(edges)
    }

    /// The two neighbouring values between which the rule falls silent.
    fn flip(&self, at: usize, ladder: &[f64], shut: Option<(usize, f64)>) -> Result<Option<(f64, f64)>> {
        let mut fires = self.start(at).unwrap_or_default();
        for &rung in ladder {
            // What overflows inside the statement says nothing about the threshold.
            match self.fires(&with(shut, at, rung)) {
                Ok(true) => fires = rung,
                Ok(false) => return self.narrow(at, fires, rung, shut).map(Some),
                Err(_) => return Ok(None),
            }
        }
        Ok(None)
    }

    fn narrow(&self, at: usize, mut fires: f64, mut silent: f64, shut: Option<(usize, f64)>) -> Result<(f64, f64)> {
        let whole = self.rule.params.get(at).is_some_and(|param| matches!(param.value, Setting::Int(_)));
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(fires, silent);
            let middle = if whole { middle.trunc() } else { middle };
            if middle == fires || middle == silent || (!whole && (silent - fires).abs() <= CLOSE * silent.abs().max(fires.abs())) {
                break;
            }
            if self.fires(&with(shut, at, middle))? { fires = middle } else { silent = middle }
        }
        Ok((fires, silent))
    }

    /// Whether the rule finds anything, with some parameters changed.
    fn fires(&self, changes: &[(usize, f64)]) -> Result<bool> {
        Ok(!self.hits(changes)?.is_empty())
    }

    /// What it says.
    fn hits(&self, changes: &[(usize, f64)]) -> Result<Vec<Hit>> {
        let mut rule = self.rule.clone();
        for &(at, value) in changes {
            if let Some(param) = rule.params.get_mut(at) {
                param.value = if matches!(param.value, Setting::Int(_)) { Setting::Int(value as i64) } else { Setting::Float(value) };
            }
        }
        run::ask(self.db, &rule).map_err(|why| Error::Rule { rule: rule.header.id.clone(), why })
    }
}

fn with(shut: Option<(usize, f64)>, at: usize, value: f64) -> Vec<(usize, f64)> {
    shut.into_iter().chain([(at, value)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn rules(statement: &str) -> Rules {
        let text = format!(
            "/*\nid = \"x\"\ntitle = \"X\"\nattack = [\"T1046\"]\nimpact = 50\nprior = 0.5\nfamily = \"f\"\nreads = [\"flows\"]\n\
             window = \"capture\"\nkey = [\"actor\"]\nfires_on = \"x\"\nbenign = \"b\"\nsays = \"s\"\n\
             [params]\nmin_n = 3 # least\nmax_share = 0.5 # most\nidle = 7 # nothing\nword = \"w\" # none\n*/\n\
             SELECT 'a' AS actor, NULL::VARCHAR AS target, NULL::VARCHAR AS user, TIMESTAMP '2026-01-01' AS first_seen,\n\
             TIMESTAMP '2026-01-01' AS last_seen, 'confirmed' AS outcome, [{{'name': $word, 'weight': 1.0, 'value': 1.0}}] AS terms,\n\
             {{'n': 300, 'idle': $idle}} AS evidence, []::BIGINT[] AS flows, [1] AS frames {statement}"
        );
        let mut rules = Rules::default();
        rules.add_for_tests(Rule::parse(Path::new("discovery/x.sql"), &text, "test").unwrap());
        rules
    }

    #[test]
    fn a_threshold_flips_right_behind_what_was_observed_and_an_idle_one_never() {
        let db = Connection::open_in_memory().unwrap();
        let edges = rules("WHERE 300 >= $min_n AND 0.25 <= $max_share").edges("x", &db).unwrap();
        assert_eq!(edges.iter().map(|edge| edge.param.as_str()).collect::<Vec<_>>(), ["min_n", "max_share"]);
        assert!(rules("").weighing("x", &db).unwrap() == ["idle"], "it stands in the evidence");
        assert_eq!((edges[0].fires, edges[0].silent), (300.0, 301.0));
        assert!(edges[1].fires >= 0.25 && edges[1].silent < 0.25 && edges[1].fires - edges[1].silent < 1e-4, "{edges:?}");
        assert_eq!(rules("WHERE 1 >= $min_n AND 1 <= $max_share").edges("x", &db).unwrap(), [], "it is silent to begin with");
    }

    #[test]
    fn of_two_ways_to_fire_each_flips_where_the_other_is_shut() {
        let db = Connection::open_in_memory().unwrap();
        let edges = rules("WHERE 300 >= $min_n OR 0.25 <= $max_share").edges("x", &db).unwrap();
        let said: Vec<_> = edges.iter().map(|edge| (edge.param.as_str(), edge.shut.clone().unwrap())).collect();
        assert_eq!((edges[0].fires, edges[0].silent), (300.0, 301.0));
        assert_eq!(said[0], ("min_n", ("max_share".to_owned(), -1.0)));
        assert_eq!(said[1].0, "max_share");
    }
}
