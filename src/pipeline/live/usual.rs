//! What is usual on this network: learnt for a while, then held against what happens, and kept up to date segment by segment.
//!
//! A check judges the last two windows as soon as they show something. What is stored is judged once more when a segment is sealed, whole, so
//! that it does not depend on when checks happened to look.

use super::super::{Error, SUSPECT_RISK, pool, profile_of};
use super::LiveOptions;
use crate::detect::baseline::{self, Mode, Profile, WINDOW_S};
use crate::detect::models::{self, Which};
use crate::model::time::{self, SECOND};
use crate::model::{Finding, Ts};
use crate::store::{Anomaly, Case, SystemLog};
use duckdb::Connection;
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Where a profile lies in a live case, unless it is told.
const PROFILE: &str = "profile.json";
/// Told things that are remembered, so that none is told twice; beyond, the oldest are forgotten.
const MOST_TOLD: usize = 65_536;
/// Lines of one check at most, the strangest first.
const MOST_LINES: usize = 100;
/// Flows of a segment that all models score, and that the Isolation Forest alone scores: sealing takes a bounded time.
const ALL_MODELS: i64 = 300_000;
const FOREST_ALONE: i64 = 3_000_000;

/// Something unusual: a line of `alerts.ndjson`.
#[derive(Clone, Debug, Serialize)]
pub struct Unusual {
    /// Capture time of the check, RFC 3339.
    pub at: String,
    /// Always `unusual`.
    pub change: &'static str,
    /// In a sentence.
    pub says: String,
    /// Others of the same kind, between the same two hosts or of the same host, that are not told one by one.
    pub more: u64,
    /// What it is: a row of `anomalies`.
    pub anomaly: serde_json::Value,
}

/// What a look takes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// What ends before is left out.
    pub since: Ts,
    /// What begins then or later is left out: it is not what was to be learnt from.
    pub until: Option<Ts>,
}

/// What is known of an anomaly that was told: what was measured of whom, and in which window.
type Told = (String, String, String, Option<i64>);

/// What is usual.
pub struct Usual {
    /// As far as it is known.
    profile: Option<Profile>,
    /// Where it is kept; somebody else's baseline is not written to.
    path: Option<PathBuf>,
    /// Still to be learnt for so long, nanoseconds.
    train: Option<i64>,
    /// What was seen before was learnt already.
    learnt_until: Option<Ts>,
    /// What was seen before was looked at.
    looked_until: Option<Ts>,
    sigma: f64,
    models: models::Settings,
    pool: rayon::ThreadPool,
    told: BTreeMap<Told, Ts>,
    /// What is still to be told. Sealing tells too: what a segment teaches is no news to a later look.
    pending: Vec<Unusual>,
    notices: Vec<String>,
}

impl Usual {
    /// The profile of an earlier run, another's baseline, or nothing yet.
    pub fn new(options: &LiveOptions, folder: &Path) -> Result<Self, Error> {
        let common = &options.common;
        let own = options.profile.clone().unwrap_or_else(|| folder.join(PROFILE));
        let (profile, path) = match &common.baseline {
            _ if options.train.is_some() => (None, Some(own)),
            Some(baseline) => (Some(profile_of(baseline)?), None),
            None if own.exists() => (Some(Profile::load(&own)?), Some(own)),
            None => (None, Some(own)),
        };
        Ok(Self {
            profile,
            path,
            train: options.train,
            learnt_until: None,
            looked_until: None,
            sigma: common.sigma,
            models: common.models,
            // Beside capture, which is not to wait.
            pool: pool(common.threads.div_ceil(2))?,
            told: BTreeMap::new(),
            pending: Vec::new(),
            notices: Vec::new(),
        })
    }

    /// What is to be said of it at the beginning.
    pub fn says(&self) -> Option<String> {
        match (&self.profile, self.train) {
            (_, Some(train)) => Some(format!("learning what is usual for {} s of traffic; rules run meanwhile", train / SECOND)),
            (Some(profile), None) => Some(format!("compared with {}", profile.says())),
            (None, None) => None,
        }
    }

    /// What the next look has to take in, if one is needed now: all of the training when it is over, afterwards the last windows and
    /// what came since the last look.
    pub fn wants(&self, begins: Ts, now: Ts, last: bool) -> Option<Span> {
        if let Some(train) = self.train {
            let ends = begins.saturating_add(train);
            return (last || now >= ends).then_some(Span { since: begins, until: Some(ends) });
        }
        self.profile.as_ref()?;
        let window = WINDOW_S * SECOND;
        let begins = |at: Ts| at.div_euclid(window) * window;
        let seen = self.looked_until.map_or(now, |until| until.min(now));
        Some(Span { since: begins(seen).min(begins(now) - window), until: None })
    }

    /// Takes a look at a span: learns from it, or has something to tell of it that is unusual and was not told yet.
    pub fn look(&mut self, db: &Connection, span: Span, now: Ts, findings: &[&Finding]) -> Result<(), Error> {
        let until = span.until.map_or(now, |until| until.min(now));
        if let Some(train) = self.train {
            let learnt = baseline::observe(db, &suspects(findings))?;
            let long = learnt.span.is_some_and(|(first, last)| last - first >= train - train / 10);
            let short = if long { "" } else { ", which is less than was wanted" };
            self.notices.push(format!("what is usual was learnt from {}{short}", learnt.says()));
            (self.learnt_until, self.looked_until) = (Some(until), Some(until));
            self.train = None;
            self.keep(learnt);
            return Ok(());
        }
        let Some(profile) = &self.profile else { return Ok(()) };
        // What is to be said of the profile itself is said of whole segments.
        let (found, _) = baseline::judge(db, profile, Mode::Trained, self.sigma)?;
        self.looked_until = Some(until);
        let news = self.news(found, now);
        self.pending.extend(news);
        Ok(())
    }

    /// What was not told yet, strangest first.
    fn news(&mut self, mut found: Vec<Anomaly>, now: Ts) -> Vec<Unusual> {
        found.retain(|anomaly| anomaly.model != GONE);
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.says.cmp(&b.says)));
        let mut news: Vec<Unusual> = Vec::new();
        let mut lines: BTreeMap<Told, usize> = BTreeMap::new();
        let mut untold = 0_u64;
        for anomaly in &found {
            let name = name(anomaly);
            if let Some(line) = lines.get(&name).and_then(|at| news.get_mut(*at)) {
                line.more += 1;
            } else if let Some(told) = self.told.get_mut(&name) {
                *told = now;
            } else if news.len() < MOST_LINES {
                lines.insert(name.clone(), news.len());
                self.told.insert(name, now);
                let says = anomaly.says.clone();
                news.push(Unusual { at: time::rfc3339(now), change: "unusual", says, more: 0, anomaly: row(anomaly) });
            } else {
                untold += 1;
            }
        }
        for line in news.iter_mut().filter(|line| line.more > 0) {
            line.says.push_str(&format!(", and {} more like it", line.more));
        }
        if untold > 0 {
            self.notices.push(format!(
                "{untold} unusual things more than are told at once; `anomalies` has all of them when the segment is sealed"
            ));
        }
        if self.told.len() > MOST_TOLD {
            let mut times: Vec<Ts> = self.told.values().copied().collect();
            times.sort_unstable();
            let old = times.get(times.len() - MOST_TOLD / 2).copied().unwrap_or(now);
            self.told.retain(|_, told| *told >= old);
        }
        news
    }

    /// Scores a segment that is being sealed, stores what is unusual in it, and learns from it.
    pub fn segment(&mut self, case: &Case, findings: &[&Finding]) {
        let db = case.connection();
        let done = db.execute_batch("BEGIN TRANSACTION").map_err(Error::from).and_then(|()| self.judge_segment(case, &suspects(findings)));
        let done = done.and_then(|()| db.execute_batch("COMMIT").map_err(Error::from));
        if let Err(error) = done {
            // The segment is sealed without: what rules say does not depend on it.
            let _ = db.execute_batch("ROLLBACK");
            self.notices.push(format!("a segment is not scored: {error}"));
        }
    }

    fn judge_segment(&mut self, case: &Case, suspects: &[String]) -> Result<(), Error> {
        let db = case.connection();
        let (flows, first, last): (i64, Option<Ts>, Option<Ts>) =
            db.query_row("SELECT count(*), min(ts_ns), max(last_ts_ns) FROM flows", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let which = match self.models.which {
            Which::All if flows <= ALL_MODELS => Which::All,
            Which::All | Which::Forest if flows <= FOREST_ALONE => Which::Forest,
            _ => Which::None,
        };
        if which != self.models.which {
            let message = format!("{flows} flows in a segment: scored by {}, so that sealing takes a bounded time", which.name());
            case.append_system_logs(&[log("warning", message)])?;
        }
        let take = |rows: &[crate::store::FlowScore]| case.append_scores(rows).map_err(Error::from);
        let (anomalies, logs) = models::run(db, &self.pool, &models::Settings { which, ..self.models }, suspects, take)?;
        case.append_anomalies(&anomalies)?;
        case.append_system_logs(&logs)?;
        let Some(profile) = self.profile.clone() else { return Ok(()) };
        let (mut changes, logs) = baseline::judge(db, &profile, Mode::Trained, self.sigma)?;
        // Nobody is expected to be seen every hour.
        changes.retain(|anomaly| anomaly.model != GONE);
        case.append_anomalies(&changes)?;
        let news = self.news(changes, last.unwrap_or_default());
        self.pending.extend(news);
        case.append_system_logs(&logs)?;
        self.notices.extend(logs.into_iter().filter(|log| log.level == "warning").map(|log| log.message));
        let learnt_already = self.learnt_until.is_some_and(|until| first.is_none_or(|first| first <= until));
        if self.path.is_some() && flows > 0 && !learnt_already {
            let newer = baseline::observe(db, suspects)?;
            let mut profile = profile;
            profile.update(&newer);
            self.keep(profile);
        }
        Ok(())
    }

    fn keep(&mut self, profile: Profile) {
        if let Some(path) = &self.path
            && let Err(error) = profile.save(path)
        {
            self.notices.push(error.to_string());
        }
        self.profile = Some(profile);
    }

    /// What is unusual, once.
    pub fn take_unusual(&mut self) -> Vec<Unusual> {
        std::mem::take(&mut self.pending)
    }

    /// What is to be told, once.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }
}

/// What the baseline calls things that are not seen any more: in a look of some minutes nearly all are not.
const GONE: &str = "gone";

fn suspects(findings: &[&Finding]) -> Vec<String> {
    let grave = findings.iter().filter(|finding| finding.risk >= SUSPECT_RISK);
    let names: BTreeSet<String> = grave.flat_map(|finding| finding.actors.iter().cloned()).collect();
    names.into_iter().collect()
}

fn log(level: &str, message: String) -> SystemLog {
    SystemLog { level: level.into(), source: "models".into(), message, count: 1 }
}

/// By what an anomaly is known: something new is new once, a measure is one of its window, and flows from one host to a service of
/// another are told together.
fn name(anomaly: &Anomaly) -> Told {
    let of_flow = || anomaly.says.split_once(": ").map_or("", |(whom, _)| whom).to_owned();
    let whom = anomaly.entity.clone().unwrap_or_else(of_flow);
    let window = |ts: Ts| ts.div_euclid(WINDOW_S * SECOND);
    let when = anomaly.ts_ns.filter(|_| anomaly.model != "novelty").map(window);
    (anomaly.model.clone(), anomaly.metric.clone(), whom, when)
}

fn row(anomaly: &Anomaly) -> serde_json::Value {
    json!({
        "flow_id": anomaly.flow.map(|flow| flow.0),
        "entity": anomaly.entity,
        "model": anomaly.model,
        "score": anomaly.score,
        "peers": anomaly.peers,
        "metric": anomaly.metric,
        "observed": anomaly.observed,
        "baseline": anomaly.baseline,
        "deviation": anomaly.deviation,
        "ts": anomaly.ts_ns.map(time::rfc3339),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{From, Options};

    fn usual(folder: &Path, train: Option<i64>) -> Usual {
        let mut options =
            LiveOptions::new(Options::new(Vec::new(), folder.into()), From::Files { speed: crate::capture::live::Speed::Max });
        options.train = train;
        Usual::new(&options, folder).unwrap()
    }

    fn anomaly(model: &str, entity: &str, ts: Ts) -> Anomaly {
        let says = format!("{model} {entity} {ts}");
        Anomaly { model: model.into(), entity: Some(entity.into()), metric: "flows".into(), ts_ns: Some(ts), says, ..Anomaly::default() }
    }

    #[test]
    fn something_new_is_told_once_and_a_measure_once_a_window() {
        let folder = tempfile::tempdir().unwrap();
        let mut usual = usual(folder.path(), None);
        let found = vec![anomaly("novelty", "a", 1), anomaly("baseline", "b", 1), anomaly("gone", "c", 1)];
        assert_eq!(usual.news(found, 10).len(), 2, "what is gone is not told");
        let later = WINDOW_S * SECOND;
        let again = vec![anomaly("novelty", "a", 2), anomaly("baseline", "b", 2), anomaly("baseline", "b", later)];
        let told: Vec<String> = usual.news(again, 20).into_iter().map(|told| told.says).collect();
        assert_eq!(told, [format!("baseline b {later}")]);
    }

    #[test]
    fn flows_of_one_host_to_one_service_are_one_line_and_what_is_too_much_is_told_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let mut usual = usual(folder.path(), None);
        let flow = |resp: &str, score: f64| {
            let says = format!("2001:db8::1 to {resp} port 53: sent {score} B, usually 72 B (dns)");
            Anomaly { entity: None, score, says, ..anomaly("baseline", "", 1) }
        };
        let found = vec![flow("2001:db8::2", 5.0), flow("2001:db8::2", 9.0), flow("2001:db8::3", 7.0)];
        let told: Vec<String> = usual.news(found, 1).into_iter().map(|told| told.says).collect();
        let expected = [
            "2001:db8::1 to 2001:db8::2 port 53: sent 9 B, usually 72 B (dns), and 1 more like it",
            "2001:db8::1 to 2001:db8::3 port 53: sent 7 B, usually 72 B (dns)",
        ];
        assert_eq!(told, expected);
        let many = (0..MOST_LINES + 7).map(|at| anomaly("novelty", &at.to_string(), 1)).collect();
        assert_eq!(usual.news(many, 2).len(), MOST_LINES);
        assert!(usual.take_notices().concat().starts_with("7 unusual things more"), "what is not told is counted");
    }

    #[test]
    fn memory_of_what_was_told_is_bounded_and_loses_the_oldest_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut usual = usual(folder.path(), None);
        for hour in 0..1_400 {
            let found = (0..MOST_LINES).map(|at| anomaly("novelty", &format!("{hour} {at}"), hour)).collect();
            assert_eq!(usual.news(found, hour).len(), MOST_LINES);
            assert!(usual.told.len() <= MOST_TOLD);
        }
        assert!(usual.told.values().all(|told| *told >= 700), "{:?}", usual.told.values().min());
    }

    #[test]
    fn a_look_for_training_waits_until_its_time_is_over_or_the_end_comes() {
        let folder = tempfile::tempdir().unwrap();
        let usual = usual(folder.path(), Some(60 * SECOND));
        assert_eq!(usual.wants(5 * SECOND, 64 * SECOND, false), None);
        let all = Span { since: 5 * SECOND, until: Some(65 * SECOND) };
        assert_eq!(usual.wants(5 * SECOND, 65 * SECOND, false), Some(all));
        assert_eq!(usual.wants(5 * SECOND, 3_000 * SECOND, false), Some(all), "what comes after is not learnt, however late the look");
        assert_eq!(usual.wants(5 * SECOND, 20 * SECOND, true), Some(all));
    }

    #[test]
    fn what_came_between_two_looks_is_looked_at_however_far_they_are_apart() {
        let folder = tempfile::tempdir().unwrap();
        let mut usual = usual(folder.path(), None);
        usual.profile = Some(Profile::new());
        let window = WINDOW_S * SECOND;
        let from = |since: Ts| Some(Span { since, until: None });
        assert_eq!(usual.wants(0, 10 * window + 1, false), from(9 * window));
        usual.looked_until = Some(3 * window + 1);
        assert_eq!(usual.wants(0, 10 * window + 1, false), from(3 * window));
        usual.looked_until = Some(10 * window);
        assert_eq!(usual.wants(0, 10 * window + 1, false), from(9 * window));
    }
}
