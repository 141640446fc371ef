//! Runs every rule on a case.

use super::header::{Header, Need};
use super::row::{COLUMNS, Hit, IMPACT, TARGETS};
use super::rules::{Rule, Rules};
use super::{Error, Result, fold};
use crate::model::report::RuleRun;
use crate::model::{Finding, HomeNets};
use duckdb::Connection;
use duckdb::types::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Of flows that carried data, the share with only one side in the capture beyond which it is a one-sided tap.
const ONE_SIDED: f64 = 0.3;
/// Fewer such flows than this say nothing about the tap.
const ONE_SIDED_LEAST: i64 = 5;
/// Why a rule failed that needed more memory than there is.
const STARVED: &str = "it ran out of memory; give more with --memory";

/// What the rules are told beyond the tables.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Which networks are ours.
    pub home: HomeNets,
    /// Rules that may run at the same time, at least one.
    pub threads: usize,
}

/// What the rules found.
#[derive(Clone, Debug, Default)]
pub struct Detected {
    /// Gravest first, with ids.
    pub findings: Vec<Finding>,
    /// What became of each rule, by id.
    pub runs: Vec<RuleRun>,
    /// How long each rule took, in the order of `runs`. Differs from run to run, and stands in no case.
    pub took: Vec<Duration>,
    /// How long it took to make what the rules share.
    pub shared: Duration,
}

impl Rules {
    /// Asks every rule. A rule that fails is reported as failed; the others go on.
    ///
    /// Rules run beside each other, each on one thread of DuckDB: most are small, and sharing one among threads costs more than it saves.
    pub fn run(&self, db: &Connection, settings: &Settings) -> Result<Detected> {
        let began = Instant::now();
        self.share(db)?;
        let capture = Capture::look(db)?;
        let shared = began.elapsed();
        let before = threads(db, 1)?;
        let mut answers = self.ask_all(db, settings, &capture)?;
        // Alone, a rule has all the memory there is: whether it fails must not depend on what ran beside it.
        for (answer, rule) in answers.iter_mut().zip(self.list()).filter(|(answer, _)| answer.starved) {
            *answer = Answer::of(rule, db, &capture, settings)?;
        }
        threads(db, before)?;
        self.unshare(db)?;
        let mut detected = Detected { shared, ..Detected::default() };
        for answer in answers {
            detected.findings.extend(answer.findings);
            detected.runs.push(answer.run);
            detected.took.push(answer.took);
        }
        rank(&mut detected.findings);
        Ok(detected)
    }

    /// The answer of each rule, in the order of the rules.
    fn ask_all(&self, db: &Connection, settings: &Settings, capture: &Capture) -> Result<Vec<Answer>> {
        let rules: Vec<&Rule> = self.list().collect();
        let next = AtomicUsize::new(0);
        let work = |db: Connection| -> Result<Vec<(usize, Answer)>> {
            self.join(&db)?;
            let mut answers = Vec::new();
            while let Some((place, rule)) = Some(next.fetch_add(1, Relaxed)).and_then(|place| Some((place, rules.get(place)?))) {
                answers.push((place, Answer::of(rule, &db, capture, settings)?));
            }
            Ok(answers)
        };
        let mut answers = std::thread::scope(|scope| {
            let mut beside = Vec::new();
            for number in 1..settings.threads.clamp(1, rules.len().max(1)) {
                let db = another(db)?;
                // Where no further thread is lent, this one does the work.
                let thread = std::thread::Builder::new().name(format!("rules-{number}")).spawn_scoped(scope, || work(db));
                beside.extend(thread);
            }
            let mut answers = work(another(db)?)?;
            for thread in beside {
                answers.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok::<_, Error>(answers)
        })?;
        answers.sort_by_key(|(place, _)| *place);
        Ok(answers.into_iter().map(|(_, answer)| answer).collect())
    }
}

/// What a rule said of a case.
struct Answer {
    run: RuleRun,
    findings: Vec<Finding>,
    /// Memory ran out.
    starved: bool,
    took: Duration,
}

impl Answer {
    fn of(rule: &Rule, db: &Connection, capture: &Capture, settings: &Settings) -> Result<Self> {
        let began = Instant::now();
        let answer = Self::ask(rule, db, capture, settings)?;
        Ok(Self { took: began.elapsed(), ..answer })
    }

    fn ask(rule: &Rule, db: &Connection, capture: &Capture, settings: &Settings) -> Result<Self> {
        let mut answer = Self { run: started(rule), findings: Vec::new(), starved: false, took: Duration::ZERO };
        if let Some(why) = capture.lacks(db, rule)? {
            (answer.run.status, answer.run.why) = ("not_applicable".into(), why);
            return Ok(answer);
        }
        match ask(db, rule) {
            Ok(hits) => {
                answer.findings = fold::fold(rule, hits, &settings.home);
                answer.run.status = if answer.findings.is_empty() { "silent" } else { "fired" }.into();
                answer.run.findings = answer.findings.len() as u64;
            }
            Err(why) => {
                answer.starved = why == STARVED;
                (answer.run.status, answer.run.why) = ("failed".into(), why);
            }
        }
        Ok(answer)
    }
}

/// One more connection to the same database.
fn another(db: &Connection) -> Result<Connection> {
    db.try_clone().map_err(|source| Error::Database { doing: "opening a connection for rules".into(), source })
}

/// Sets how many threads a statement of this database may use; returns how many it was.
fn threads(db: &Connection, number: i64) -> Result<i64> {
    let wrong = |source| Error::Database { doing: "choosing the number of threads".into(), source };
    let before = db.query_row("SELECT current_setting('threads')::BIGINT", [], |row| row.get(0)).map_err(wrong)?;
    db.execute_batch(&format!("SET threads = {number}")).map_err(wrong)?;
    Ok(before)
}

fn started(rule: &Rule) -> RuleRun {
    RuleRun {
        id: rule.header.id.clone(),
        title: rule.header.title.clone(),
        tactic: rule.tactic.clone(),
        attack: rule.header.attack.clone(),
        sha256: rule.sha256.clone(),
        ..RuleRun::default()
    }
}

/// Gravest first; ties by time, rule and key, so that nothing depends on chance.
pub fn order(a: &Finding, b: &Finding) -> std::cmp::Ordering {
    let grave = b.severity.cmp(&a.severity).then(b.risk.total_cmp(&a.risk));
    grave.then(a.first_ns.cmp(&b.first_ns)).then_with(|| a.rule.cmp(&b.rule)).then_with(|| a.key.cmp(&b.key))
}

/// Puts findings in order and names them.
fn rank(findings: &mut [Finding]) {
    findings.sort_by(order);
    for (place, finding) in findings.iter_mut().enumerate() {
        finding.id = format!("F{}", place + 1);
    }
}

/// The rows that a rule returns.
pub(super) fn ask(db: &Connection, rule: &Rule) -> Result<Vec<Hit>, String> {
    let said = |error: duckdb::Error| plainly(&error.to_string());
    let mut statement = db.prepare(&rule.sql()).map_err(said)?;
    let mut rows = statement.query([]).map_err(said)?;
    let names: Vec<String> = rows.as_ref().map(|statement| statement.column_names()).unwrap_or_default();
    if let Some(missing) = COLUMNS.iter().find(|column| !names.iter().any(|name| name == *column)) {
        return Err(format!("its result has no column `{missing}`"));
    }
    let mut hits = Vec::new();
    while let Some(row) = rows.next().map_err(said)? {
        let mut values: BTreeMap<&str, Value> = BTreeMap::new();
        for (at, name) in
            names.iter().enumerate().filter(|(_, name)| [IMPACT, TARGETS].contains(&name.as_str()) || COLUMNS.contains(&name.as_str()))
        {
            values.insert(name, row.get(at).map_err(said)?);
        }
        hits.push(Hit::read(|column| values.get(column).cloned().unwrap_or(Value::Null))?);
    }
    Ok(hits)
}

/// What DuckDB said, without figures that differ from run to run.
fn plainly(error: &str) -> String {
    if error.to_lowercase().contains("out of memory") {
        return STARVED.into();
    }
    error.lines().next().unwrap_or_default().to_owned()
}

/// What the capture is good for.
struct Capture {
    one_sided: f64,
    has_payload: bool,
}

impl Capture {
    /// Flows whose one side sent data, or acknowledged, without a packet of the other: a tap that sees one direction.
    /// Bare SYNs do not count, or every scan of silent hosts would look like one.
    fn look(db: &Connection) -> Result<Self> {
        let sql = "SELECT count(*) FILTER (orig_pkts = 0 OR resp_pkts = 0), count(*) FROM flows \
                   WHERE proto = 'tcp' AND (coalesce(orig_bytes, 0) > 0 OR coalesce(resp_bytes, 0) > 0)";
        let wrong = |source| Error::Database { doing: "judging whether both directions were captured".into(), source };
        let (one_sided, all): (i64, i64) = db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(wrong)?;
        let share = if all < ONE_SIDED_LEAST { 0.0 } else { one_sided as f64 / all as f64 };
        let payload = "SELECT count(*) > 0 FROM flows WHERE service <> ''";
        let wrong = |source| Error::Database { doing: "judging whether payload was captured".into(), source };
        let has_payload = db.query_row(payload, [], |row| row.get(0)).map_err(wrong)?;
        Ok(Self { one_sided: share, has_payload })
    }

    /// Why `rule` cannot speak about this capture, if so.
    fn lacks(&self, db: &Connection, rule: &Rule) -> Result<Option<String>> {
        for table in &rule.header.reads {
            // The name comes from a rule file, never from packets; quoting keeps odd ones harmless.
            let sql = format!("SELECT count(*) = 0 FROM (SELECT 1 FROM \"{}\" LIMIT 1)", table.replace('"', "\"\""));
            let wrong =
                |source| Error::Database { doing: format!("looking whether {table} has rows, for rule {}", rule.header.id), source };
            if db.query_row(&sql, [], |row| row.get(0)).map_err(wrong)? {
                return Ok(Some(absence(table)));
            }
        }
        Ok(rule.header.needs.iter().find_map(|need| match need {
            Need::TwoSided if self.one_sided > ONE_SIDED => {
                Some(format!("one-sided capture: {:.0} % of the connections with data show only one direction", self.one_sided * 100.0))
            }
            Need::Payload if !self.has_payload => Some("no payload in this capture that a protocol could be recognised in".into()),
            _ => None,
        }))
    }
}

/// Tables that a rule names and the database lacks.
pub(super) fn tables_exist(header: &Header, db: &Connection) -> Result<Vec<String>, duckdb::Error> {
    let mut missing = Vec::new();
    for table in header.reads.iter().chain(&header.also) {
        let sql = "SELECT count(*) > 0 FROM duckdb_tables() WHERE table_name = ? AND NOT temporary";
        if !db.query_row(sql, [table], |row| row.get::<_, bool>(0))? {
            missing.push(table.clone());
        }
    }
    Ok(missing)
}

/// `no DNS in this capture`.
fn absence(table: &str) -> String {
    let what = match table {
        "flows" => "IP traffic",
        "dns" => "DNS",
        "http" => "clear-text HTTP",
        "tls" => "TLS handshakes",
        "x509" => "visible certificates",
        "ssh" => "SSH",
        "ftp" => "FTP",
        "files" => "files transferred in clear",
        "credentials" => "logins in clear",
        "icmp" => "ICMP",
        "arp" => "ARP",
        "payloads" => "payload bytes",
        "indicators" => return "no lists of known bad things were given (--intel)".into(),
        other => return format!("no rows in {other}"),
    };
    format!("no {what} in this capture")
}
