//! The detection of a live case, on a thread of its own: it looks at the case as it stood at one moment while capture goes on.

use super::super::Error;
use super::drops::Drops;
use super::register::{Asked, Change, Register};
use super::usual::{Span, Unusual, Usual};
use crate::detect::{self, Rules};
use crate::enrich::Knowledge;
use crate::model::report::RuleRun;
use crate::model::time::SECOND;
use crate::model::{Finding, Flow, HomeNets, Ts};
use crate::store::live::{Desk, FindingsFile, Lens, Marks, Sealing, Segment};
use crate::store::{Case, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// A window is looked at this many times over: what began before its edge is seen whole.
const SIGHT: i64 = 3;
/// A look is repeated after this many times what it cost: an old case with long windows does not use up the machine.
const REST: u32 = 10;
/// Flows that one look takes in: beyond, it reaches less far back.
const MOST_FLOWS: u64 = 3_000_000;

/// An order to the judge.
pub enum Order {
    /// Flows that are open; the first part of a look begins a new list.
    Open(Vec<Flow>),
    /// Seal the segments that are closed.
    Seal,
    /// Look, and judge.
    Check(Check),
}

/// What a check needs.
pub struct Check {
    /// Capture time: nothing later is looked at.
    pub now: Ts,
    /// Time of the first frame of this run.
    pub first: Ts,
    /// Time of the first frame of the case; `None` where an earlier run saw it.
    pub begins: Option<Ts>,
    /// How far the open segment is looked at, from its writer.
    pub marks: Receiver<(Marks, Segment)>,
    /// What was dropped so far.
    pub drops: Drops,
    /// Segments that end before may go.
    pub keep_since: Option<Ts>,
    /// The stream is over: every rule looks at everything.
    pub last: bool,
}

/// What came of a check.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What changed.
    pub changes: Vec<Change>,
    /// What is not as usual.
    pub unusual: Vec<Unusual>,
    /// What is worth knowing besides.
    pub notices: Vec<String>,
    /// Findings that stand, by severity, mildest first.
    pub standing: [u64; 5],
    /// How long it took.
    pub took: Duration,
    /// What went wrong.
    pub troubles: Vec<String>,
    /// Segments deleted.
    pub deleted: usize,
}

/// Rules that look equally far back.
struct Sight {
    rules: Rules,
    /// Nanoseconds.
    back: i64,
    /// Not before this moment.
    due: Instant,
}

/// What a judge works with.
pub struct Bench {
    /// Where the case is looked at.
    pub desk: Desk,
    /// What is asked.
    pub rules: Rules,
    /// How far back rules look that want the whole capture, nanoseconds.
    pub look_back: i64,
    /// What the rules are told.
    pub settings: detect::Settings,
    /// What is known from outside.
    pub knowledge: Knowledge,
    /// What is usual.
    pub usual: Usual,
    /// Findings of an earlier run.
    pub findings: Vec<Finding>,
    /// Where findings are kept.
    pub file: FindingsFile,
    /// Segments that are to be sealed.
    pub retired: Receiver<Segment>,
}

/// The judge.
pub struct Judge {
    desk: Desk,
    all: Rules,
    sights: Vec<Sight>,
    look_back: i64,
    settings: detect::Settings,
    knowledge: Knowledge,
    usual: Usual,
    /// What is usual is not looked at before this moment.
    usual_due: Instant,
    register: Register,
    file: FindingsFile,
    runs: BTreeMap<String, RuleRun>,
    retired: Receiver<Segment>,
    /// Time of the first frame, if the case began with this run.
    begins: Option<Ts>,
    fresh: bool,
    /// What went wrong at the last check.
    told: Vec<String>,
}

impl Judge {
    /// At a bench.
    pub fn new(bench: Bench) -> Self {
        let Bench { desk, rules, look_back, settings, knowledge, usual, findings, file, retired } = bench;
        Self {
            desk,
            sights: sights(&rules, look_back),
            all: rules,
            look_back,
            settings,
            knowledge,
            usual,
            usual_due: Instant::now(),
            register: Register::resume(findings),
            file,
            runs: BTreeMap::new(),
            retired,
            begins: None,
            fresh: true,
            told: Vec::new(),
        }
    }

    /// Takes flows that are open at the moment of the coming check.
    pub fn open(&mut self, flows: &[Flow]) -> Result<(), StoreError> {
        if std::mem::replace(&mut self.fresh, false) {
            self.desk.clear_open()?;
        }
        self.desk.add_open(flows)
    }

    /// Seals what is closed, without a look: what is not sealed yet takes memory. What goes wrong is told by the next check.
    pub fn seal_closed(&mut self) {
        self.seal_retired(&mut Vec::new());
    }

    /// Looks and judges. What goes wrong is told, and tried again at the next check.
    pub fn check(&mut self, check: &Check) -> Verdict {
        let started = Instant::now();
        self.begins = check.begins;
        let mut verdict = Verdict::default();
        if std::mem::replace(&mut self.fresh, true)
            && let Err(error) = self.desk.clear_open()
        {
            verdict.troubles.push(error.to_string());
        }
        let Ok((marks, current)) = check.marks.recv() else { return verdict };
        self.seal_retired(&mut verdict.troubles);
        if let Err(error) = self.desk.tidy(marks.segment) {
            verdict.troubles.push(error.to_string());
        }
        if let Err(error) = self.desk.let_go(check.now.saturating_sub(self.look_back)) {
            verdict.troubles.push(error.to_string());
        }
        if let Some(before) = check.keep_since {
            match self.desk.delete_before(before) {
                Ok(deleted) => verdict.deleted = deleted,
                Err(error) => verdict.troubles.push(error.to_string()),
            }
        }
        let looks = if check.last {
            vec![(self.all.clone(), self.look_back, None)]
        } else {
            let due = |(at, sight): (usize, &Sight)| (Instant::now() >= sight.due).then(|| (sight.rules.clone(), sight.back, Some(at)));
            self.sights.iter().enumerate().filter_map(due).collect()
        };
        for (rules, back, place) in looks {
            let began = Instant::now();
            match self.look(&rules, back, check, &marks, &current) {
                Ok(changes) => verdict.changes.extend(changes),
                Err(error) => verdict.troubles.push(error),
            }
            if let Some(sight) = place.and_then(|at| self.sights.get_mut(at)) {
                sight.due = Instant::now() + began.elapsed() * REST;
            }
        }
        if !verdict.changes.is_empty()
            && let Err(error) = self.file.keep(&verdict.changes, &self.register.standing())
        {
            verdict.troubles.push(error.to_string());
        }
        let looked = self.unusual(check, &marks, &current);
        verdict.troubles.extend(looked.err());
        match self.tell() {
            Ok(unusual) => verdict.unusual = unusual,
            Err(error) => verdict.troubles.push(error.to_string()),
        }
        verdict.notices = self.take_notices();
        // What goes wrong at every check, such as sealing on a full disk, is told once.
        let troubles = verdict.troubles.clone();
        verdict.troubles.retain(|trouble| !self.told.contains(trouble));
        self.told = troubles;
        verdict.standing = self.register.counts();
        verdict.took = started.elapsed();
        verdict
    }

    /// Seals the last segment, nothing being written any more. Returns what is not as usual in it and was not told yet.
    pub fn finish(&mut self, last: Segment) -> Result<Vec<Unusual>, StoreError> {
        self.seal_retired(&mut Vec::new());
        self.seal(Some(last))?;
        self.tell()
    }

    /// Keeps what is unusual and not told yet.
    fn tell(&mut self) -> Result<Vec<Unusual>, StoreError> {
        let unusual = self.usual.take_unusual();
        if !unusual.is_empty() {
            self.file.tell(&unusual)?;
        }
        Ok(unusual)
    }

    /// What is to be told, once.
    pub fn take_notices(&mut self) -> Vec<String> {
        self.usual.take_notices()
    }

    /// What became of each rule so far.
    pub fn rules(&self) -> Vec<RuleRun> {
        self.runs.values().cloned().collect()
    }

    fn seal_retired(&mut self, troubles: &mut Vec<String>) {
        let mut done = self.seal(None);
        while let Ok(segment) = self.retired.try_recv() {
            done = self.seal(Some(segment));
        }
        troubles.extend(done.err().map(|error| error.to_string()));
    }

    /// Seals a segment, and those with which that failed before.
    fn seal(&mut self, closed: Option<Segment>) -> Result<(), StoreError> {
        let rules = self.rules();
        let Self { desk, knowledge, settings, usual, register, .. } = self;
        let (known, standing) = (known(knowledge, &settings.home), register.standing());
        desk.seal(closed, &mut Sealing { rules: &rules, known: &known, judged: &mut |case: &Case| usual.segment(case, &standing) })
    }

    /// What is not as usual in the last windows; or what is usual, while that is still learnt.
    fn unusual(&mut self, check: &Check, marks: &Marks, current: &Segment) -> Result<(), String> {
        if !check.last && Instant::now() < self.usual_due {
            return Ok(());
        }
        let began = Instant::now();
        // A check that comes late, or none but the last, learns from the time that was set and judges what came after it.
        while let Some(span) = self.usual.wants(check.first, check.now, check.last) {
            self.look_at_usual(span, check, marks, current).map_err(|error| error.to_string())?;
            if span.until.is_none_or(|until| until > check.now) {
                break;
            }
        }
        self.usual_due = Instant::now() + began.elapsed() * REST;
        Ok(())
    }

    fn look_at_usual(&mut self, span: Span, check: &Check, marks: &Marks, current: &Segment) -> Result<(), Error> {
        let since = self.reach(check.now, check.now.saturating_sub(span.since), marks);
        self.desk.look(Lens { since, until: span.until, marks }, current)?;
        self.desk.derive(|_| Ok(()))?;
        self.usual.look(self.desk.connection(), span, check.now, &self.register.standing())
    }

    /// One look through one window.
    fn look(&mut self, rules: &Rules, back: i64, check: &Check, marks: &Marks, current: &Segment) -> Result<Vec<Change>, String> {
        let since = self.reach(check.now, back, marks);
        self.desk.look(Lens { since, until: None, marks }, current).map_err(|error| error.to_string())?;
        self.desk.derive(known(&self.knowledge, &self.settings.home)).map_err(|error| error.to_string())?;
        let detected = rules.run(self.desk.connection(), &self.settings).map_err(|error| error.to_string())?;
        // Whether a rule that could not speak would have said something again is unknown.
        let asked: BTreeSet<String> =
            detected.runs.iter().filter(|run| ["fired", "silent"].contains(&run.status.as_str())).map(|run| run.id.clone()).collect();
        for run in detected.runs {
            self.note(run);
        }
        Ok(self.register.take(detected.findings, &Asked { rules: &asked, since, now: check.now }, &check.drops))
    }

    /// A rule that fired once has fired, whatever later looks say.
    fn note(&mut self, run: RuleRun) {
        let standing = self.register.standing().iter().filter(|finding| finding.rule == run.id).count() as u64;
        let before = self.runs.get(&run.id);
        let spoke = before.is_some_and(|before| before.status == "fired") && run.status != "failed";
        let run = if spoke && run.status != "fired" { RuleRun { status: "fired".into(), findings: standing, ..run } } else { run };
        self.runs.insert(run.id.clone(), run);
    }

    /// How far back a look reaches: a window's length, but no further than so many flows.
    fn reach(&self, now: Ts, back: i64, marks: &Marks) -> Option<Ts> {
        let since = now.saturating_sub(back);
        let mut flows = marks.rows.get("flows").copied().unwrap_or(0);
        for segment in self.desk.segments().iter().rev() {
            flows += segment.flows();
            if flows > MOST_FLOWS {
                return Some(since.max(segment.last_ns.unwrap_or(since)));
            }
        }
        // All there is, where all of it lies within the window: clocks of captures may run back.
        if self.begins.is_some_and(|begins| begins >= since) {
            return None;
        }
        Some(since)
    }
}

/// Adds what lists and maps say of the facts of a case. What they cannot use was told when they were read.
fn known<'a>(knowledge: &'a Knowledge, home: &'a HomeNets) -> impl Fn(&Case) -> Result<(), StoreError> + 'a {
    move |case| if knowledge.is_empty() { Ok(()) } else { knowledge.store(case, home).map(drop) }
}

/// Rules by how far they look back.
fn sights(rules: &Rules, look_back: i64) -> Vec<Sight> {
    const STEPS: [i64; 2] = [600 * SECOND, 3_600 * SECOND];
    let step = |rule: &detect::Rule| STEPS.iter().copied().find(|step| rule.header.window_ns().is_some_and(|window| window <= *step));
    let mut sights = Vec::new();
    for wanted in [Some(STEPS[0]), Some(STEPS[1]), None] {
        let rules = rules.only(|rule| step(rule) == wanted);
        if rules.list().next().is_some() {
            let back = wanted.map_or(look_back, |step| look_back.min(step * SIGHT));
            sights.push(Sight { rules, back, due: Instant::now() });
        }
    }
    sights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_in_one_sight_that_shows_its_window() {
        let rules = Rules::load(&[], &[]).unwrap();
        let sights = sights(&rules, 86_400 * SECOND);
        let seen: Vec<String> = sights.iter().flat_map(|sight| sight.rules.list().map(|rule| rule.header.id.clone())).collect();
        assert_eq!(seen.len(), rules.list().count());
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len());
        for sight in &sights {
            assert!(sight.rules.list().all(|rule| rule.header.window_ns().is_none_or(|window| window < sight.back)));
        }
    }
}
