//! All that a renderer sees. A renderer reads nothing else: no database, no file, no clock.

use super::{CapHit, Finding, Severity, Ts};
use serde::{Deserialize, Serialize};

/// The whole report.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Name of the case, from the evidence.
    pub case: String,
    /// One line that a person can act on.
    pub verdict: Verdict,
    /// What was seen and what could not be.
    pub coverage: Coverage,
    /// Hosts by risk, gravest first, at most 50.
    pub hosts: Vec<Host>,
    /// How many hosts there are in all.
    pub hosts_total: u64,
    /// Findings, gravest first.
    pub findings: Vec<Finding>,
    /// Findings that belong together, gravest first.
    pub incidents: Vec<Incident>,
    /// The story in order of time: one line per finding, at most 60.
    pub timeline: Vec<TimelineEntry>,
    /// Traffic over time.
    pub traffic: Traffic,
    /// Flows by service, most bytes first, at most 20.
    pub services: Vec<Share>,
    /// Rules and what became of each.
    pub rules: Vec<RuleRun>,
    /// The evidence with its hashes.
    pub evidence: Vec<Evidence>,
    /// Places where the evidence is damaged, at most 200.
    pub damage: Vec<DamageLine>,
    /// Oddities, most frequent first, at most 50: name, count, first frame.
    pub weird: Vec<Share>,
    /// What happened in words: the case first, then its incidents.
    pub prose: Vec<Prose>,
    /// Findings that people put aside: counted, and in none of the above.
    pub set_aside: Vec<SetAside>,
    /// What people noted on findings.
    pub remarks: Vec<Remark>,
    /// What has changed since the baseline, first of all what is new; at most 100.
    pub changes: Vec<Unusual>,
    /// How many changes there are in all.
    pub changes_total: u64,
    /// What is unlike the rest of the capture, farthest out first; at most 20. Not findings: a model ranks what rules left over.
    pub unusual: Vec<Unusual>,
    /// What is to be said of lists, maps and baselines that were given.
    pub notes: Vec<String>,
    /// What differs from run to run; the only part that may.
    pub run: Run,
}

/// Something new, gone or far from the usual.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Unusual {
    /// `novelty`, `gone`, `baseline`, `self`, `ensemble`.
    pub model: String,
    /// What was measured or is new: `host`, `service`, `bytes_out` …
    pub metric: String,
    /// Sentence.
    pub says: String,
    /// When, if it was not the whole capture.
    pub ts_ns: Option<Ts>,
    /// A flow to look at.
    pub flow: Option<String>,
    /// How far out: robust standard deviations, or `-log10` of a probability.
    pub score: f64,
}

/// The one line.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// Gravest severity found; `None` if nothing was found.
    pub severity: Option<Severity>,
    /// `2 hosts need action: 10.0.0.5 was guessed into over ssh and sent 1.2 GB out.`
    pub line: String,
    /// What to do first, one sentence each, at most three.
    pub actions: Vec<String>,
}

/// What was seen and what was not. Silence is never "clean".
#[derive(Clone, Debug, Default, Serialize)]
pub struct Coverage {
    /// Bytes of evidence read.
    pub bytes: u64,
    /// Frames read.
    pub frames: u64,
    /// Frames understood up to the transport layer, or ARP.
    pub decoded: u64,
    /// Frames that were not, by reason.
    pub undecoded: Vec<Share>,
    /// Flows.
    pub flows: u64,
    /// Payload bytes of flows in a protocol that is encrypted, of all payload bytes.
    pub encrypted_bytes: u64,
    /// All payload bytes.
    pub payload_bytes: u64,
    /// Flows of two-way protocols where only one side was seen.
    pub one_sided_flows: u64,
    /// Flows that are TCP, or UDP with an expected answer: what `one_sided_flows` is a share of.
    pub two_way_flows: u64,
    /// Flows that began before the capture.
    pub midstream_flows: u64,
    /// Frames snapped by the capturing program.
    pub truncated_frames: u64,
    /// TCP payload bytes acknowledged but not in the capture.
    pub missed_bytes: u64,
    /// Frames recognised as captured twice.
    pub duplicate_frames: u64,
    /// Drops that the capturing program reported itself.
    pub reported_drops: Option<u64>,
    /// Places of damage.
    pub damaged: u64,
    /// First frame's time.
    pub first_ts: Option<Ts>,
    /// Last frame's time.
    pub last_ts: Option<Ts>,
    /// Rules that ran.
    pub rules_run: u64,
    /// Rules that fired.
    pub rules_fired: u64,
    /// Rules that could not apply.
    pub rules_not_applicable: u64,
    /// Findings that people put aside.
    pub set_aside: u64,
    /// Caps reached.
    pub caps: Vec<CapHit>,
    /// Sentences on what this capture cannot show, gravest first.
    pub blind_spots: Vec<String>,
}

impl Coverage {
    /// Nanoseconds from first to last frame.
    pub fn span_ns(&self) -> i64 {
        self.last_ts.zip(self.first_ts).map_or(0, |(last, first)| last.saturating_sub(first))
    }
}

/// A host and its risk.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Host {
    /// Address.
    pub ip: String,
    /// Names, best first, at most 5.
    pub names: Vec<String>,
    /// Hardware addresses, at most 3 (none for hosts behind a router).
    pub macs: Vec<String>,
    /// In a home network.
    pub internal: bool,
    /// 0 to 100.
    pub risk: f64,
    /// Band of `risk`.
    pub severity: Severity,
    /// `clean`, `targeted`, `accessed`, `compromised`, `attacking`.
    pub state: String,
    /// ATT&CK tactics, in kill-chain order.
    pub tactics: Vec<String>,
    /// Findings that name it, gravest first.
    pub findings: Vec<String>,
    /// Roles: `dns_resolver`, `gateway` …
    pub roles: Vec<String>,
    /// Flows it took part in.
    pub flows: u64,
    /// Bytes it sent.
    pub bytes_out: u64,
    /// Bytes it received.
    pub bytes_in: u64,
    /// What is claimed of it, best first, at most 12.
    pub claims: Vec<Claim>,
}

/// Something said of a host: a row of `host_claims`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Claim {
    /// `name`, `os`, `user`, `vendor` …
    pub claim: String,
    /// Its value.
    pub value: String,
    /// Protocol that says it.
    pub source: String,
    /// What of it says it.
    pub ground: String,
    /// `host`, `others`, `inferred`.
    pub said_by: String,
    /// P(it is so), as far as its ground goes.
    pub confidence: f64,
    /// First frame that says it.
    pub frame: u64,
}

/// Findings that belong together: what happened, to whom, in which order.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Incident {
    /// `I1` is the gravest.
    pub id: String,
    /// One line that a person can act on.
    pub title: String,
    /// Band of `risk`.
    pub severity: Severity,
    /// 0 to 100.
    pub risk: f64,
    /// P(at least one kind of its evidence is right).
    pub confidence: f64,
    /// Earliest evidence.
    pub first_ns: Ts,
    /// Latest evidence.
    pub last_ns: Ts,
    /// Hosts concerned, gravest first, at most 256.
    pub hosts: Vec<String>,
    /// Tactics in kill-chain order.
    pub tactics: Vec<String>,
    /// Findings in order of time.
    pub findings: Vec<String>,
    /// Where it came in, or that this is not in the capture; empty where nobody got in as far as is seen.
    pub entry: String,
    /// Attempts of strangers that came to nothing: the weather of the Internet.
    pub background: bool,
    /// The same hosts with the parts that they play: the nodes of the graph.
    pub roles: Vec<Role>,
    /// Who acted on whom, gravest first, at most 256: the edges of the graph.
    pub deeds: Vec<Deed>,
    /// The story in order of time, at most 30 lines.
    pub timeline: Vec<TimelineEntry>,
}

impl Incident {
    /// Without some of its findings; `None` if none is left.
    pub fn without(mut self, gone: impl Fn(&str) -> bool) -> Option<Self> {
        let keep = |findings: &mut Vec<String>| {
            findings.retain(|id| !gone(id));
            !findings.is_empty()
        };
        self.roles.retain_mut(|role| keep(&mut role.findings));
        self.deeds.retain_mut(|deed| keep(&mut deed.findings));
        self.timeline.retain(|line| !gone(&line.finding));
        self.hosts.retain(|ip| self.roles.iter().any(|role| role.ip == *ip));
        keep(&mut self.findings).then_some(self)
    }
}

/// A host of an incident and its part in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Role {
    /// Address.
    pub ip: String,
    /// Its best name; empty if it has none.
    pub name: String,
    /// In a home network.
    pub internal: bool,
    /// `attacker`; `victim`; `pivot`: a victim through which the attack went on; `far_end`: the far end of what a victim sent or called.
    pub part: String,
    /// `clean`, `targeted`, `accessed`, `compromised`, `attacking`.
    pub state: String,
    /// 0 to 100, by this incident alone.
    pub risk: f64,
    /// Band of `risk`.
    pub severity: Severity,
    /// Findings of the incident that name it, in order of time.
    pub findings: Vec<String>,
}

/// What one host of an incident did to another.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Deed {
    /// Who acted.
    pub from: String,
    /// On whom.
    pub to: String,
    /// The gravest of it, in a few words.
    pub what: String,
    /// Tactic of that.
    pub tactic: String,
    /// Severity of that.
    pub severity: Severity,
    /// Risk of that.
    pub risk: f64,
    /// From when.
    pub first_ns: Ts,
    /// Until when.
    pub last_ns: Ts,
    /// Findings that say so, in order of time.
    pub findings: Vec<String>,
}

/// One line of the story.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TimelineEntry {
    /// When.
    pub ts_ns: Ts,
    /// How long it went on.
    pub until_ns: Ts,
    /// Which finding.
    pub finding: String,
    /// Tactic.
    pub tactic: String,
    /// Sentence.
    pub says: String,
    /// Severity.
    pub severity: Severity,
}

/// Traffic over time in buckets of equal width.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Traffic {
    /// Width of a bucket, nanoseconds.
    pub bucket_ns: i64,
    /// Start of the first bucket.
    pub from_ns: Ts,
    /// The buckets, without gaps, at most 400.
    pub buckets: Vec<Bucket>,
}

/// What passed in one bucket of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// Frames.
    pub frames: u64,
    /// Bytes on the wire.
    pub bytes: u64,
    /// Flows that began.
    pub flows: u64,
}

/// A named part of a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Share {
    /// Name.
    pub name: String,
    /// How many.
    pub count: u64,
    /// Bytes, where they are meant.
    pub bytes: u64,
    /// A detail, such as the first frame.
    pub note: String,
}

/// What became of a rule.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RuleRun {
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Tactic.
    pub tactic: String,
    /// Techniques.
    pub attack: Vec<String>,
    /// SHA-256 of its file.
    pub sha256: String,
    /// `fired`, `silent`, `not_applicable`, `failed`.
    pub status: String,
    /// Findings it made.
    pub findings: u64,
    /// Why it did not apply, or failed.
    pub why: String,
}

/// A piece of evidence.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Evidence {
    /// Index in the case.
    pub id: u32,
    /// Path as given.
    pub path: String,
    /// Format and compression.
    pub format: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256.
    pub sha256: String,
    /// BLAKE3.
    pub blake3: String,
    /// Frames read.
    pub frames: u64,
    /// First frame's time.
    pub first_ts: Option<Ts>,
    /// Last frame's time.
    pub last_ts: Option<Ts>,
    /// Link types.
    pub links: Vec<String>,
    /// Other paths with the same content.
    pub also_at: Vec<String>,
}

/// One place of damage.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DamageLine {
    /// Path of the evidence.
    pub path: String,
    /// After which frame of the file.
    pub after_frame: u64,
    /// At which offset.
    pub offset: u64,
    /// Kind.
    pub kind: String,
    /// Sentence.
    pub detail: String,
}

/// Words about the case or a part of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Prose {
    /// `case`, `I1` or `F3`.
    pub about: String,
    /// Who wrote it: `template`, or the model.
    pub narrator: String,
    /// The sentences.
    pub sentences: Vec<Sentence>,
    /// Sentences of a model that were left out because what they say does not follow from the findings.
    pub dropped: u64,
    /// Why it is not what was asked for, where it is not.
    pub note: String,
}

impl Prose {
    /// Its sentences of one part, in order.
    pub fn part(&self, part: Part) -> impl Iterator<Item = &Sentence> {
        self.sentences.iter().filter(move |sentence| sentence.part == part)
    }

    /// All of it as one text.
    pub fn text(&self) -> String {
        self.sentences.iter().map(|sentence| sentence.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The findings that it cites, in order, once each.
    pub fn cites(&self) -> Vec<String> {
        let mut cited: Vec<String> = Vec::new();
        for id in self.sentences.iter().flat_map(|sentence| &sentence.cites) {
            if !cited.contains(id) {
                cited.push(id.clone());
            }
        }
        cited
    }
}

/// What a sentence is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// What happened.
    #[default]
    Happened,
    /// Why that is suspicious.
    Suspicious,
    /// What to do next.
    Next,
}

impl Part {
    /// All, in the order in which they are read.
    pub const ALL: [Self; 3] = [Self::Happened, Self::Suspicious, Self::Next];

    /// As a heading.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Happened => "What happened",
            Self::Suspicious => "Why it is suspicious",
            Self::Next => "What to do next",
        }
    }
}

/// A sentence with what it rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// What it is for.
    pub part: Part,
    /// The sentence.
    pub text: String,
    /// Ids of findings that say so.
    pub cites: Vec<String>,
}

/// A finding that somebody put aside.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SetAside {
    /// Finding.
    pub finding: String,
    /// How grave it would be.
    pub severity: Severity,
    /// Its title.
    pub title: String,
    /// Suppression that covers it.
    pub suppression: String,
    /// How far that reaches: `finding`, `rule`, `host`, `pair`, `domain`.
    pub scope: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub author: String,
    /// When, RFC 3339.
    pub at: String,
    /// Until when, RFC 3339; `None` for good.
    pub expires: Option<String>,
}

/// What somebody noted on a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// Finding.
    pub finding: String,
    /// What makes it the same finding when the evidence is analysed again.
    #[serde(skip)]
    pub key: String,
    /// The note.
    pub text: String,
    /// Who.
    pub author: String,
    /// When, RFC 3339.
    pub at: String,
}

/// What differs from run to run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Run {
    /// vigil's version.
    pub version: String,
    /// The command line.
    pub argv: Vec<String>,
    /// Wall clock at start, RFC 3339.
    pub started: String,
    /// Seconds it took.
    pub seconds: f64,
    /// Threads.
    pub threads: usize,
    /// Case folder.
    pub folder: String,
}
