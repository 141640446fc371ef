//! Captures with ground truth → how well rules and models find what is in them (DETECTIONS 3).
//!
//! Each capture is analysed as any other, under a name that tells nothing, and its case is thrown away. Rules are judged by the capture: is
//! the attack found, and what else is cried. Models are judged by the flow: each member of the ensemble against the flows of the attacks.

mod curve;
mod others;
mod published;
mod truth;

pub use curve::{Counts, Curves};
pub use others::{Outputs, Tool};
pub use published::{ClassReport, Kind, LabelFile, Published, SetReport};

use super::{Error, Observer, Options};
use crate::detect::models::table::Judged;
use crate::model::{Finding, Severity};
use crate::store::open_read_only;
use curve::{curves, share};
use duckdb::Connection;
use others::Claim;
use published::Labels;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use truth::{Deed, Ends};

/// Memory for reading a case back.
const MEMORY: u64 = 512 << 20;
/// What somebody reads of a list.
const READ: usize = 10;
/// The scores that are compared: name, and what of a row of `scores` it is; more is stranger.
const MEMBERS: [(&str, &str); 6] = [
    ("isolation forest, classic", "anomaly_score"),
    ("isolation forest", "forest"),
    ("extended forest", "extended"),
    ("tails", "tails"),
    ("rarity", "rarity"),
    ("ensemble", "-log10(greatest(p, 1e-300))"),
];
/// Where flows are called anomalous: by which rule, and when it holds.
const CALLS: [(&str, &str); 8] = [
    ("classic: is_anomaly (the tenth part)", "is_anomaly"),
    ("classic: score at least 0.6", "anomaly_score >= 0.6"),
    ("classic: score at least 0.8", "anomaly_score >= 0.8"),
    ("ensemble: p at most 0.05", "p <= 0.05"),
    ("ensemble: p at most 0.01", "p <= 0.01"),
    ("ensemble: p at most 0.001", "p <= 0.001"),
    ("ensemble: p at most 0.0001", "p <= 0.0001"),
    ("ensemble: one false finding a day", "flow_id IN (SELECT flow_id FROM anomalies WHERE model = 'ensemble' AND flagged)"),
];

/// How many of them can be asked of rows that are no flows.
const TABLE_CALLS: usize = 7;

/// What is evaluated.
#[derive(Clone, Debug)]
pub struct Request {
    /// Ground truth: a file, or a folder of them.
    pub manifest: PathBuf,
    /// Where the captures lie, if not beside it.
    pub captures: Option<PathBuf>,
    /// Folder for cases while they are needed.
    pub scratch: PathBuf,
    /// How captures are analysed; paths and folder are filled in.
    pub options: Options,
    /// What other tools said of them.
    pub others: Vec<Outputs>,
    /// The ground truth is that of a published set, in its own files.
    pub set: Option<Published>,
}

/// What came of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Evaluated {
    /// The published set, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<SetReport>,
    /// How well rules find what is there.
    pub rules: Rules,
    /// How well other tools do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Other>,
    /// Each score against the flows of attacks: means over the captures that hold both kinds.
    pub members: Vec<Member>,
    /// Captures that the means are of.
    pub mixed: usize,
    /// Share of attack flows in these, on average: what a coin's PR-AUC would be.
    pub prevalence: f64,
    /// Ways to call flows anomalous, over all captures.
    pub calls: Vec<Call>,
    /// One line a capture.
    pub captures: Vec<Captured>,
}

/// Rules, by the capture.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Rules {
    /// Captures with an attack.
    pub attacks: u64,
    /// Of these, found at low severity or above.
    pub found_low: u64,
    /// At medium or above.
    pub found_medium: u64,
    /// Among the first ten findings.
    pub found_first: u64,
    /// Findings of medium or more in them.
    pub medium: u64,
    /// Of these, naming an attacker or victim.
    pub medium_right: u64,
    /// Findings of low or more in an attack capture, in the middle.
    pub median_findings: u64,
    /// Captures without an attack.
    pub benign: u64,
    /// Of these, with a finding of medium or more.
    pub benign_crying: u64,
    /// Findings of low severity in them.
    pub benign_low: u64,
}

/// Another tool, judged by what it said. It need not have named the technique.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Other {
    /// Name.
    pub tool: String,
    /// Captures of which there is an output; its figures are of these alone.
    pub captures: u64,
    /// Its figures.
    pub rules: Rules,
}

/// One score.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Member {
    /// Name.
    pub name: String,
    /// Means over captures.
    #[serde(flatten)]
    pub curves: Curves,
}

/// One way to call flows anomalous.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Call {
    /// Name.
    pub name: String,
    /// In captures with attacks.
    pub attacks: Counts,
    /// In captures without: what is flagged there is a false alarm.
    pub benign: Counts,
}

/// What became of one capture.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Captured {
    /// File.
    pub file: String,
    /// Whether it holds an attack.
    pub attack: bool,
    /// The gravest finding that hits, if one does.
    pub hit: Option<String>,
    /// Other findings of medium or more.
    pub wrong: Vec<String>,
    /// Findings of low or more.
    pub findings: u64,
    /// Flows.
    pub flows: u64,
    /// Of these, part of an attack.
    pub attack_flows: u64,
    /// Area under precision and recall, by member; none where one kind is missing.
    pub pr_auc: Vec<Option<f64>>,
}

/// Runs it; `told` hears of each capture.
pub fn eval(request: &Request, observer: &dyn Observer, mut told: impl FnMut(&Captured)) -> Result<Evaluated, Error> {
    if request.set == Some(Published::NslKdd) {
        return table(request);
    }
    let mut run = Run::new(request)?;
    for (number, (path, deeds)) in run.captures()?.into_iter().enumerate() {
        told(run.capture(&path, &deeds, number, observer)?);
    }
    Ok(run.finish())
}

/// An evaluation that goes on.
struct Run<'a> {
    request: &'a Request,
    /// Labels of a published set, row by row.
    set: Option<(Labels, SetReport)>,
    evaluated: Evaluated,
    /// Of the members' curves.
    sums: Vec<Curves>,
    own: Judge,
    others: Vec<Judge>,
}

impl<'a> Run<'a> {
    fn new(request: &'a Request) -> Result<Self, Error> {
        let mut evaluated = Evaluated::default();
        evaluated.calls.extend(CALLS.iter().map(|(name, _)| Call { name: (*name).into(), ..Call::default() }));
        Ok(Self {
            request,
            set: request.set.map(|set| published::read(set, &request.manifest)).transpose()?,
            evaluated,
            sums: vec![Curves::default(); MEMBERS.len()],
            own: Judge::default(),
            others: vec![Judge::default(); request.others.len()],
        })
    }

    /// The captures, and what a manifest says was done in them.
    fn captures(&self) -> Result<BTreeMap<PathBuf, Vec<Deed>>, Error> {
        let folder = self.request.captures.as_deref();
        let labelled = match self.set {
            Some(_) => published::captures(folder.unwrap_or(&self.request.manifest))?.into_iter().map(|path| (path, Vec::new())).collect(),
            None => truth::read(&self.request.manifest, folder)?,
        };
        match self.request.others.iter().find(|outputs| !labelled.keys().any(|path| outputs.has(path))) {
            Some(outputs) => Err(outputs.none()),
            None => Ok(labelled),
        }
    }

    fn capture(&mut self, path: &Path, deeds: &[Deed], number: usize, observer: &dyn Observer) -> Result<&Captured, Error> {
        let findings: Vec<Claim> = findings(self.request, path, number, observer)?.iter().map(Claim::from).collect();
        let case = open_read_only(&self.request.scratch.join(CASE), MEMORY, 1)?;
        let (labels, deeds) = self.labels(case.connection(), deeds)?;
        for (outputs, judge) in self.request.others.iter().zip(&mut self.others) {
            if let Some(claims) = outputs.of(path)? {
                judge.capture(&claims, &deeds, false);
            }
        }
        let mut captured = self.own.capture(&findings, &deeds, true);
        captured.file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        (captured.flows, captured.attack_flows) =
            (labels.len() as u64, labels.iter().filter(|attack| **attack == Some(true)).count() as u64);
        self.evaluated.count_calls(case.connection(), &labels, captured.attack)?;
        let members = members(case.connection(), &labels)?;
        captured.pr_auc = members.iter().map(|curves| curves.map(|curves| six(curves.pr_auc))).collect();
        if let Some(all) = members.into_iter().collect::<Option<Vec<Curves>>>() {
            self.evaluated.mixed += 1;
            self.evaluated.prevalence += share(captured.attack_flows, labels.iter().flatten().count() as u64);
            for (sum, one) in self.sums.iter_mut().zip(all) {
                (sum.roc_auc, sum.pr_auc) = (sum.roc_auc + one.roc_auc, sum.pr_auc + one.pr_auc);
            }
        }
        self.evaluated.captures.push(captured);
        // It was just put there.
        self.evaluated.captures.last().ok_or_else(|| truth::unreadable(path, "was not counted"))
    }

    /// Of each scored flow, in the order of `scores`, whether it is part of an attack; and what was done.
    fn labels(&mut self, db: &Connection, deeds: &[Deed]) -> Result<(Vec<Option<bool>>, Vec<Deed>), Error> {
        let flows = ends(db)?;
        let Some((labels, report)) = &mut self.set else {
            let attack = |ends: &Ends| Some(deeds.iter().any(|deed| deed.is_attack() && deed.holds(ends)));
            return Ok((flows.iter().map(attack).collect(), deeds.to_vec()));
        };
        let labelled = labels.of(&flows);
        let found: Vec<bool> = column(db, IN_FINDINGS)?;
        let improbable: Vec<Option<bool>> = column(db, "p <= 0.01")?;
        report.count(&labelled, &found, &improbable);
        let attack = |flow: &Option<(Option<u16>, published::Kind)>| flow.and_then(|(_, kind)| kind.is_attack());
        Ok((labelled.flows.iter().map(attack).collect(), labelled.deeds))
    }

    fn finish(self) -> Evaluated {
        let mut evaluated = self.evaluated;
        let n = evaluated.mixed.max(1) as f64;
        evaluated.prevalence = six(evaluated.prevalence / n);
        let mean = |sum: &Curves| Curves { roc_auc: six(sum.roc_auc / n), pr_auc: six(sum.pr_auc / n) };
        evaluated.members =
            MEMBERS.iter().zip(&self.sums).map(|((name, _), sum)| Member { name: (*name).into(), curves: mean(sum) }).collect();
        evaluated.rules = self.own.finish();
        evaluated.set = self.set.map(|(_, report)| report);
        for (outputs, judge) in self.request.others.iter().zip(self.others) {
            let rules = judge.finish();
            evaluated.others.push(Other { tool: outputs.tool.name().into(), captures: rules.attacks + rules.benign, rules });
        }
        evaluated
    }
}

/// A set without packets: the models alone.
fn table(request: &Request) -> Result<Evaluated, Error> {
    let pool = super::pool(request.options.threads)?;
    let found = published::kdd::run(&request.manifest, &pool, &request.options.models)?;
    let mut evaluated = Evaluated { mixed: 1, set: Some(found.report), ..Evaluated::default() };
    let attacks = found.rows.iter().filter(|(_, attack)| *attack).count() as u64;
    evaluated.prevalence = six(share(attacks, found.rows.len() as u64));
    for (at, (name, _)) in MEMBERS.iter().enumerate() {
        let scored: Vec<(f64, bool)> = found.rows.iter().map(|(said, attack)| (strangeness(said, at), *attack)).collect();
        let of = curves(&scored).unwrap_or_default();
        let curves = Curves { roc_auc: six(of.roc_auc), pr_auc: six(of.pr_auc) };
        evaluated.members.push(Member { name: (*name).into(), curves });
    }
    for (at, (name, _)) in CALLS.iter().enumerate().take(TABLE_CALLS) {
        let mut call = Call { name: (*name).into(), ..Call::default() };
        found.rows.iter().for_each(|(said, attack)| call.attacks.count(is_called(said, at), *attack));
        evaluated.calls.push(call);
    }
    Ok(evaluated)
}

/// Of [`CALLS`], in their order: all but the last, which asks for days.
fn is_called(said: &Judged, call: usize) -> bool {
    match call {
        0 => said.is_anomaly,
        1 => said.score >= 0.6,
        2 => said.score >= 0.8,
        at => [0.05, 0.01, 0.001, 0.0001].get(at - 3).is_some_and(|most| said.p <= *most),
    }
}

/// Of [`MEMBERS`], in their order; more is stranger.
fn strangeness(said: &Judged, member: usize) -> f64 {
    match member {
        0 => said.score,
        5 => -said.p.max(1e-300).log10(),
        // Who was not asked saw nothing.
        at => Some(said.members[at - 1]).filter(|score| score.is_finite()).unwrap_or(f64::MIN),
    }
}

/// Which flows are part of a finding of low severity or more.
const IN_FINDINGS: &str = "flow_id IN (SELECT flow_id FROM finding_flows JOIN findings ON id = finding_id WHERE severity IN ('low', 'medium', 'high', 'critical'))";
/// Name of the case in the scratch folder.
const CASE: &str = "eval.vigil";

/// The findings of a capture. It is read under another name, since names of labelled captures tell what is in them.
fn findings(request: &Request, path: &Path, number: usize, observer: &dyn Observer) -> Result<Vec<Finding>, Error> {
    let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    let neutral = request.scratch.join(format!("capture-{number:04}{ending}"));
    let failed = |error| Error::Write { what: neutral.display().to_string(), error };
    // A hard link costs nothing; across file systems the bytes are copied.
    std::fs::hard_link(path, &neutral).or_else(|_| std::fs::copy(path, &neutral).map(drop)).map_err(failed)?;
    let mut options = request.options.clone();
    (options.paths, options.folder) = (vec![neutral.clone()], request.scratch.join(CASE));
    // The list of a capture lies beside it.
    let list = path.with_extension("list");
    options.intel.extend(list.is_file().then_some(list));
    let analyzed = super::analyze(&options, observer);
    std::fs::remove_file(&neutral).map_err(failed)?;
    Ok(analyzed?.report.findings)
}

/// One tool, judged capture by capture.
#[derive(Clone, Debug, Default)]
struct Judge {
    rules: Rules,
    /// Claims of low or more in each attack capture.
    lengths: Vec<u64>,
}

impl Judge {
    /// `technique`: the right host is not enough, the technique must be right as well.
    fn capture(&mut self, claims: &[Claim], deeds: &[Deed], technique: bool) -> Captured {
        let attacks: Vec<&Deed> = deeds.iter().filter(|deed| deed.is_attack()).collect();
        let named = |claim: &Claim| claim.hosts.iter().any(|host| attacks.iter().any(|deed| deed.names(host)));
        let meant = |claim: &Claim| !technique || attacks.iter().any(|deed| deed.is_meant_by(&claim.attack));
        let hits = |claim: &&Claim| claim.severity >= Severity::Low && named(claim) && meant(claim);
        let medium = || claims.iter().filter(|claim| claim.severity >= Severity::Medium);
        let low = claims.iter().filter(|claim| claim.severity >= Severity::Low).count() as u64;
        let hit = claims.iter().find(hits);
        let rules = &mut self.rules;
        if attacks.is_empty() {
            rules.benign += 1;
            rules.benign_crying += u64::from(medium().next().is_some());
            rules.benign_low += low - medium().count() as u64;
        } else {
            self.lengths.push(low);
            rules.attacks += 1;
            rules.found_low += u64::from(hit.is_some());
            rules.found_medium += u64::from(medium().any(|claim| hits(&claim)));
            rules.found_first += u64::from(claims.iter().take(READ).any(|claim| hits(&claim)));
            rules.medium += medium().count() as u64;
            rules.medium_right += medium().filter(|claim| named(claim)).count() as u64;
        }
        let wrong = medium().filter(|claim| !named(claim)).map(|claim| claim.rule.clone()).collect();
        Captured { attack: !attacks.is_empty(), hit: hit.map(|claim| claim.rule.clone()), wrong, findings: low, ..Captured::default() }
    }

    fn finish(mut self) -> Rules {
        self.lengths.sort_unstable();
        let median_findings = self.lengths.get(self.lengths.len() / 2).copied().unwrap_or_default();
        Rules { median_findings, ..self.rules }
    }
}

/// The scored flows, in the order of `scores`.
fn ends(db: &Connection) -> Result<Vec<Ends>, Error> {
    let sql = "SELECT first_frame, id_orig_h, id_orig_p, id_resp_h, id_resp_p, proto, ts_ns, last_ts_ns FROM scores JOIN flows USING (flow_id) \
               ORDER BY flow_id";
    let mut statement = db.prepare(sql)?;
    let ends = statement.query_map([], |row| {
        Ok(Ends {
            frame: row.get::<_, i64>(0)?.unsigned_abs(),
            orig: row.get(1)?,
            orig_p: row.get(2)?,
            resp: row.get(3)?,
            resp_p: row.get(4)?,
            proto: row.get(5)?,
            ts_ns: row.get(6)?,
            end_ns: row.get(7)?,
        })
    })?;
    Ok(ends.collect::<duckdb::Result<_>>()?)
}

/// The curves of each member; none where it has no score or one kind of flow is missing.
fn members(db: &Connection, labels: &[Option<bool>]) -> Result<Vec<Option<Curves>>, Error> {
    let curves_of = |what: &str| -> Result<Option<Curves>, Error> {
        let scores: Vec<Option<f64>> = column(db, &format!("({what})::DOUBLE"))?;
        // A member that was not asked of a flow saw nothing in it; one that was asked of none said nothing.
        let asked = scores.iter().any(Option::is_some);
        let labelled = |(score, label): (Option<f64>, &Option<bool>)| Some((score.unwrap_or(f64::MIN), (*label)?));
        let scored: Vec<(f64, bool)> = scores.into_iter().zip(labels).filter_map(labelled).collect();
        Ok(curves(&scored).filter(|_| asked))
    };
    MEMBERS.iter().map(|(_, what)| curves_of(what)).collect()
}

impl Evaluated {
    fn count_calls(&mut self, db: &Connection, labels: &[Option<bool>], attack: bool) -> Result<(), Error> {
        for (call, (_, holds)) in self.calls.iter_mut().zip(CALLS) {
            let flags: Vec<Option<bool>> = column(db, holds)?;
            let counts = if attack { &mut call.attacks } else { &mut call.benign };
            let labelled = flags.iter().zip(labels).filter_map(|(flag, label)| Some((flag.unwrap_or(false), (*label)?)));
            labelled.for_each(|(flag, label)| counts.count(flag, label));
        }
        Ok(())
    }
}

/// An expression over `scores`, in the order of flows.
fn column<T: duckdb::types::FromSql>(db: &Connection, what: &str) -> Result<Vec<T>, Error> {
    let mut statement = db.prepare(&format!("SELECT {what} FROM scores ORDER BY flow_id"))?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<duckdb::Result<_>>()?)
}

fn six(x: f64) -> f64 {
    (x * 1e6).round() / 1e6
}
