//! Judgements: what rules found, how it hangs together, and what is known from outside.

use crate::model::report::{Deed, Host, Incident, Role, RuleRun};
use crate::model::{Finding, FlowId, Ts};
use crate::store::column::{Columns, filled};

/// `rules`
pub fn rules() -> Columns<RuleRun> {
    Columns::new()
        .text("id", "Id: the name of its file.", |r: &RuleRun| Some(&r.id))
        .text("title", "Title.", |r| Some(&r.title))
        .text("tactic", "ATT&CK tactic: its folder.", |r| filled(&r.tactic))
        .texts("attack", "ATT&CK techniques, the most telling first.", |r| &r.attack)
        .text("sha256", "Of its file.", |r| filled(&r.sha256))
        .text("status", "`fired`, `silent`, `not_applicable`, `failed`.", |r| Some(&r.status))
        .big("findings", "Findings it made.", |r| r.findings)
        .text("why", "Why it did not apply, or failed.", |r| filled(&r.why))
}

/// `findings`
pub fn findings() -> Columns<Finding> {
    Columns::new()
        .text("id", "`F1` is the gravest.", |r: &Finding| Some(&r.id))
        .text("rule", "Rule (`rules`).", |r| Some(&r.rule))
        .text("title", "The rule's title.", |r| Some(&r.title))
        .text("says", "What happened, with the numbers.", |r| Some(&r.says))
        .text("severity", "Band of the risk: `info`, `low`, `medium`, `high`, `critical`.", |r| Some(r.severity.name()))
        .double("confidence", "P(true), 0.02 to 0.99.", |r| r.confidence)
        .double("risk", "0 to 100: impact × confidence × outcome.", |r| r.risk)
        .text("outcome", "`benign_trigger`, `attempt`, `guessing`, `likely`, `confirmed`.", |r| Some(r.outcome.name()))
        .texts("attack", "ATT&CK techniques, the most telling first.", |r| &r.attack)
        .text("tactic", "ATT&CK tactic.", |r| filled(&r.tactic))
        .text("family", "Mutually redundant rules share a family.", |r| filled(&r.family))
        .texts("actors", "Who does it.", |r| &r.actors)
        .texts("targets", "Who suffers it.", |r| &r.targets)
        .texts("users", "Accounts concerned.", |r| &r.users)
        .time("first_seen", "Earliest evidence, UTC.", |r| r.first_ns)
        .time("last_seen", "Latest evidence, UTC.", |r| r.last_ns)
        .big("first_ns", "Earliest evidence, nanoseconds since 1970-01-01.", |r| r.first_ns)
        .big("last_ns", "Latest evidence, nanoseconds since 1970-01-01.", |r| r.last_ns)
        .shown("evidence", "Observed values beside their thresholds, JSON.", |r| Some(r.evidence.to_string()))
        .shown("terms", "Terms of the confidence: name, weight, value; JSON.", |r| serde_json::to_string(&r.terms).ok())
        .texts("flows", "Flow ids as printed; as numbers in `finding_flows`.", |r| &r.flows)
        .bigs("frames", "Frames, the telling ones first, at most 200.", |r| r.frames.as_slice())
        .text("wireshark", "Display filter that shows it.", |r| filled(&r.wireshark))
        .text("benign", "What harmless thing looks like this.", |r| filled(&r.benign))
        .big("folded", "Rows of the rule folded into it.", |r| r.folded)
        .text("key", "What makes it the same finding.", |r| filled(&r.key))
        .text("incident", "Incident (`incidents`).", |r| r.incident.as_deref())
}

/// A flow of a finding: a row of `finding_flows`.
pub struct FindingFlow<'a> {
    /// Finding.
    pub finding: &'a str,
    /// Flow.
    pub flow: FlowId,
}

impl<'a> FindingFlow<'a> {
    /// The flows of a finding. What is no flow id is left out: it names nothing.
    pub fn of(finding: &'a Finding) -> impl Iterator<Item = Self> {
        finding.flows.iter().filter_map(|flow| Some(Self { finding: &finding.id, flow: flow.parse().ok()? }))
    }
}

/// `finding_flows`
pub fn finding_flows<'a>() -> Columns<FindingFlow<'a>> {
    Columns::new().text("finding_id", "Finding (`findings.id`).", |r: &FindingFlow<'_>| Some(r.finding)).big(
        "flow_id",
        "Flow (`flows.flow_id`).",
        |r| r.flow,
    )
}

/// `incidents`
pub fn incidents() -> Columns<Incident> {
    Columns::new()
        .text("id", "`I1` is the gravest.", |r: &Incident| Some(&r.id))
        .text("title", "One line that a person can act on.", |r| Some(&r.title))
        .text("severity", "Band of the risk.", |r| Some(r.severity.name()))
        .double("risk", "0 to 100.", |r| r.risk)
        .double("confidence", "P(at least one kind of its evidence is right).", |r| r.confidence)
        .moment("first_ts", "Earliest evidence.", |r| r.first_ns)
        .moment("last_ts", "Latest evidence.", |r| r.last_ns)
        .texts("hosts", "Hosts concerned, gravest first; with their parts in `incident_hosts`.", |r| &r.hosts)
        .texts("tactics", "ATT&CK tactics in kill-chain order.", |r| &r.tactics)
        .texts("findings", "Findings in order of time.", |r| &r.findings)
        .text("entry", "Where it came in, or that this is not in the capture; NULL where nobody got in as far as is seen.", |r| {
            filled(&r.entry)
        })
        .bool("background", "Attempts of strangers that came to nothing: the weather of the Internet.", |r| r.background)
}

/// A host of an incident: a row of `incident_hosts`.
pub struct IncidentHost<'a> {
    /// Incident.
    pub incident: &'a str,
    /// Host and part.
    pub role: &'a Role,
}

/// `incident_hosts`
pub fn incident_hosts<'a>() -> Columns<IncidentHost<'a>> {
    Columns::new()
        .text("incident", "Incident (`incidents.id`).", |r: &IncidentHost<'_>| Some(r.incident))
        .text("ip", "Address (`hosts`).", |r| Some(&r.role.ip))
        .text(
            "part",
            "`attacker`; `victim`; `pivot`: a victim through which it went on; `far_end`: the far end of what a victim sent or called.",
            |r| Some(&r.role.part),
        )
        .text("state", "`clean`, `targeted`, `accessed`, `compromised`, `attacking`.", |r| filled(&r.role.state))
        .double("risk", "0 to 100, by this incident alone.", |r| r.role.risk)
        .texts("findings", "Findings of the incident that name it, in order of time.", |r| &r.role.findings)
}

/// What one host of an incident did to another: a row of `incident_edges`.
pub struct IncidentEdge<'a> {
    /// Incident.
    pub incident: &'a str,
    /// The deed.
    pub deed: &'a Deed,
}

/// `incident_edges`
pub fn incident_edges<'a>() -> Columns<IncidentEdge<'a>> {
    Columns::new()
        .text("incident", "Incident (`incidents.id`).", |r: &IncidentEdge<'_>| Some(r.incident))
        .text("source", "Who acted.", |r| Some(&r.deed.from))
        .text("target", "On whom.", |r| Some(&r.deed.to))
        .text("what", "The gravest of it, in a few words.", |r| Some(&r.deed.what))
        .text("tactic", "ATT&CK tactic of that.", |r| filled(&r.deed.tactic))
        .text("severity", "Severity of that.", |r| Some(r.deed.severity.name()))
        .moment("first_ts", "From when.", |r| r.deed.first_ns)
        .moment("last_ts", "Until when.", |r| r.deed.last_ns)
        .texts("findings", "Findings that say so, in order of time.", |r| &r.deed.findings)
}

/// `host_risk`
pub fn host_risk() -> Columns<Host> {
    Columns::new()
        .text("ip", "Address (`hosts`).", |r: &Host| Some(&r.ip))
        .double("risk", "0 to 100.", |r| r.risk)
        .text("severity", "Band of the risk.", |r| Some(r.severity.name()))
        .text("state", "`clean`, `targeted`, `accessed`, `compromised`, `attacking`.", |r| filled(&r.state))
        .texts("tactics", "ATT&CK tactics in kill-chain order.", |r| &r.tactics)
        .texts("findings", "Findings that name it, gravest first.", |r| &r.findings)
}

/// Something unlike the rest: a row of `anomalies`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Anomaly {
    /// Flow, where it is one.
    pub flow: Option<FlowId>,
    /// Host, pair or other thing that is judged, where it is no flow.
    pub entity: Option<String>,
    /// Which model judged.
    pub model: String,
    /// Score; more is stranger.
    pub score: f64,
    /// Probability of such a score among the harmless.
    pub p: Option<f64>,
    /// Peers it was compared with.
    pub peers: Option<String>,
    /// The score lies beyond the model's threshold.
    pub flagged: bool,
    /// What was measured, where it is one thing: `bytes_out`, `services` …
    pub metric: String,
    /// The measure.
    pub observed: Option<f64>,
    /// What it usually is.
    pub baseline: Option<f64>,
    /// How far from usual, in robust standard deviations.
    pub deviation: Option<f64>,
    /// When: start of the window, or first packet.
    pub ts_ns: Option<Ts>,
    /// One sentence.
    pub says: String,
    /// What made it strange, JSON.
    pub why: serde_json::Value,
}

/// `anomalies`
pub fn anomalies() -> Columns<Anomaly> {
    Columns::new()
        .big("flow_id", "Flow, where it is one.", |r: &Anomaly| r.flow)
        .text("entity", "Host, pair or other thing judged, where it is no flow.", |r| r.entity.as_deref())
        .text("model", "Which model judged.", |r| Some(&r.model))
        .double("score", "More is stranger.", |r| r.score)
        .double("p", "Probability of such a score among the harmless.", |r| r.p)
        .text("peers", "What it was compared with.", |r| r.peers.as_deref())
        .bool("flagged", "The score lies beyond the model's threshold.", |r| r.flagged)
        .text("metric", "What was measured, where it is one thing.", |r| filled(&r.metric))
        .double("observed", "The measure.", |r| r.observed)
        .double("baseline", "What it usually is.", |r| r.baseline)
        .double("deviation", "How far from usual, in robust standard deviations.", |r| r.deviation)
        .moment("ts", "Start of the window that was judged; NULL for the whole capture.", |r| r.ts_ns)
        .text("says", "One sentence.", |r| filled(&r.says))
        .shown("why", "What made it strange, JSON.", |r| (!r.why.is_null()).then(|| r.why.to_string()))
}

/// What the models say of one flow: a row of `scores`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowScore {
    /// Flow.
    pub flow: i64,
    /// Score of the Isolation Forest, 0 to 1.
    pub score: f64,
    /// It is among the share of flows that the Isolation Forest calls anomalous.
    pub is_anomaly: bool,
    /// `HIGH`, `MEDIUM`, `LOW`.
    pub level: &'static str,
    /// Isolation score within the ensemble.
    pub forest: Option<f64>,
    /// The same of the extended forest.
    pub extended: Option<f64>,
    /// Sum of the tail probabilities' logarithms.
    pub tails: Option<f64>,
    /// Sum of the logarithms of how rare its kinds are.
    pub rarity: Option<f64>,
    /// P(a harmless flow looks as strange).
    pub p: Option<f64>,
}

/// `scores`
pub fn scores() -> Columns<FlowScore> {
    Columns::new()
        .big("flow_id", "Flow (`flows`).", |r: &FlowScore| r.flow)
        .double(
            "anomaly_score",
            "Isolation Forest on the sixteen features, standard-scaled: clip(0.5 - decision, 0, 1); above 0.5 is anomalous.",
            |r| r.score,
        )
        .bool("is_anomaly", "The decision is negative: it is among the share of flows set by --contamination.", |r| r.is_anomaly)
        .text("threat_level", "`HIGH` from a score of 0.8, `MEDIUM` from 0.6, `LOW` below.", |r| Some(r.level))
        .double("forest", "Isolation score, cuts along single features, 0 to 1.", |r| r.forest)
        .double(
            "extended",
            "Ensemble: isolation score, cuts through all features, 0 to 1; NULL where no other member saw anything unusual.",
            |r| r.extended,
        )
        .double("tails", "Ensemble: sum of -ln of tail probabilities over the features.", |r| r.tails)
        .double("rarity", "Ensemble: sum of -log10 of how often its kinds are seen.", |r| r.rarity)
        .double("p", "Ensemble: P(a harmless flow of this capture looks as strange); NULL in captures too small to tell.", |r| r.p)
}

/// A known bad thing: a row of `indicators`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Indicator {
    /// `ip`, `domain`, `url`, `ja3`, `ja4`, `sha256` …
    pub kind: String,
    /// The thing, in the form of the columns it is compared with.
    pub value: String,
    /// Who says so.
    pub source: String,
    /// What it stands for.
    pub threat: Option<String>,
    /// P(bad), 0 to 1.
    pub confidence: Option<f64>,
    /// Valid from.
    pub first_ns: Option<Ts>,
    /// Valid until.
    pub last_ns: Option<Ts>,
    /// When the entry, or the list, was made.
    pub listed_ns: Option<Ts>,
    /// As the list writes it.
    pub listed_as: String,
    /// SHA-256 of the list, hex.
    pub list_sha256: String,
}

/// `indicators`
pub fn indicators() -> Columns<Indicator> {
    Columns::new()
        .text("kind", "`ip`, `net`, `domain`, `url`, `md5`, `sha1`, `sha256`, `ja3`, `ja3s`, `ja4`.", |r: &Indicator| Some(&r.kind))
        .text("value", "The thing, in the form of the columns it is compared with.", |r| Some(&r.value))
        .text("source", "Who says so: the name of the list.", |r| Some(&r.source))
        .text("threat", "What it stands for.", |r| r.threat.as_deref())
        .double("confidence", "P(bad), 0 to 1.", |r| r.confidence)
        .moment("first_ts", "Valid from.", |r| r.first_ns)
        .moment("last_ts", "Valid until.", |r| r.last_ns)
        .moment("listed_ts", "When the entry was made, or the list; NULL where neither says.", |r| r.listed_ns)
        .text("listed_as", "As the list writes it: a network, where this address lies in one.", |r| filled(&r.listed_as))
        .text("list_sha256", "SHA-256 of the list, hex.", |r| filled(&r.list_sha256))
}

/// Where an address is said to be: a row of `places`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// Address.
    pub ip: String,
    /// ISO 3166 code.
    pub country: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Autonomous system.
    pub asn: Option<u32>,
    /// Its holder.
    pub organisation: Option<String>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Who says so.
    pub source: String,
}

/// `places`
pub fn places() -> Columns<Place> {
    Columns::new()
        .text("ip", "Address.", |r: &Place| Some(&r.ip))
        .text("country", "ISO 3166 code.", |r| r.country.as_deref())
        .text("city", "City.", |r| r.city.as_deref())
        .big("asn", "Autonomous system.", |r| r.asn)
        .text("organisation", "Its holder.", |r| r.organisation.as_deref())
        .double("latitude", "Degrees north.", |r| r.latitude)
        .double("longitude", "Degrees east.", |r| r.longitude)
        .text("source", "Who says so.", |r| Some(&r.source))
}

/// An entry of a list that rules join with: a row of `lists`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListEntry {
    /// Name of the list.
    pub list: String,
    /// Entry.
    pub value: String,
    /// Remark.
    pub note: Option<String>,
}

/// `lists`
pub fn lists() -> Columns<ListEntry> {
    Columns::new().text("list", "Name of the list.", |r: &ListEntry| Some(&r.list)).text("value", "Entry.", |r| Some(&r.value)).text(
        "note",
        "Remark.",
        |r| r.note.as_deref(),
    )
}

/// Prose about the case or a part of it: a row of `summaries`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// `case`, or the id of an incident, finding or host.
    pub subject: String,
    /// Who wrote it.
    pub narrator: String,
    /// Prose.
    pub says: String,
    /// Findings it cites.
    pub cites: Vec<String>,
}

/// `summaries`
pub fn summaries() -> Columns<Summary> {
    Columns::new()
        .text("subject", "`case`, or the id of an incident, finding or host.", |r: &Summary| Some(&r.subject))
        .text("narrator", "Who wrote it.", |r| Some(&r.narrator))
        .text("says", "Prose.", |r| Some(&r.says))
        .texts("cites", "Findings it cites.", |r| &r.cites)
}

/// A host: a row of `hosts`, derived from `flows`, `arp` and what is claimed of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostRow {
    /// Address.
    pub ip: String,
    /// In a home network.
    pub internal: bool,
    /// First seen.
    pub first_ns: Option<Ts>,
    /// Last seen.
    pub last_ns: Option<Ts>,
    /// Flows it took part in.
    pub flows: u64,
    /// IP bytes it sent.
    pub bytes_out: u64,
    /// IP bytes it received.
    pub bytes_in: u64,
    /// Hardware addresses.
    pub macs: Vec<String>,
    /// Names, best first.
    pub names: Vec<String>,
}

/// `hosts`
pub fn hosts() -> Columns<HostRow> {
    Columns::new()
        .text("ip", "Address.", |r: &HostRow| Some(&r.ip))
        .bool("internal", "In a home network.", |r| r.internal)
        .moment("first_ts", "First seen.", |r| r.first_ns)
        .moment("last_ts", "Last seen.", |r| r.last_ns)
        .big("flows", "Flows it took part in.", |r| r.flows)
        .big("bytes_out", "IP bytes it sent.", |r| r.bytes_out)
        .big("bytes_in", "IP bytes it received.", |r| r.bytes_in)
        .texts("macs", "Hardware addresses (`host_claims`); empty for hosts behind a router that no message tells of.", |r| &r.macs)
        .texts("names", "Names (`host_claims`), best first, at most 5.", |r| &r.names)
}

/// What a host is for: a row of `host_role`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostRole {
    /// Address.
    pub ip: String,
    /// Role.
    pub role: String,
    /// Why.
    pub why: String,
}

/// `host_role`
pub fn host_role() -> Columns<HostRole> {
    Columns::new()
        .text("ip", "Address (`hosts`).", |r: &HostRole| Some(&r.ip))
        .text("role", "`dc`, `kdc`, `dns_resolver`, `dhcp_server`, `ntp`, `gateway`, `mail`, `printer`, `nfs_server`, `ot_plc`.", |r| {
            Some(&r.role)
        })
        .text("why", "What it was inferred from.", |r| Some(&r.why))
}

/// Something said of a host: a row of `host_claims`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostClaim {
    /// Address.
    pub ip: Option<String>,
    /// Hardware address, where no other is known.
    pub mac: Option<String>,
    /// What is claimed.
    pub claim: String,
    /// Its value.
    pub value: String,
    /// Protocol that says it.
    pub source: String,
    /// What of it says it.
    pub ground: String,
    /// Who says it.
    pub said_by: String,
    /// P(it is so), as far as this ground goes.
    pub confidence: f64,
    /// First frame that says it.
    pub frame: u64,
    /// First said.
    pub first_ns: Option<Ts>,
    /// Last said.
    pub last_ns: Option<Ts>,
    /// How often.
    pub times: u64,
    /// What more there is to say.
    pub detail: Option<String>,
    /// Values left out.
    pub left_out: u64,
}

/// `host_claims`
pub fn host_claims() -> Columns<HostClaim> {
    Columns::new()
        .text("ip", "The host: its address (`hosts`); NULL where only its hardware address is known.", |r: &HostClaim| r.ip.as_deref())
        .text("mac", "The host, where `ip` is NULL: its hardware address.", |r| r.mac.as_deref())
        .text(
            "claim",
            "`name`, `alias` (a name that leads here by way of another), `mac`, `vendor`, `os`, `model`, `software`, `service`, `role`, `user` (logged in from here), `account` (let in here), `domain`.",
            |r| Some(&r.claim),
        )
        .text("value", "What is claimed; names in lower case.", |r| Some(&r.value))
        .text("source", "Protocol that says it: `dhcp`, `ntlm`, `dns`, `tls` …; `flows`, `ethernet` and `ieee` where it is inferred.", |r| Some(&r.source))
        .text("ground", "What of that protocol says it: `lease name`, `workstation`, `user agent` … (`hosts.md`).", |r| Some(&r.ground))
        .text("said_by", "`host` (of itself), `others`, `inferred`.", |r| Some(&r.said_by))
        .double("confidence", "P(it is so) as far as this ground goes, 0 to 1 (`hosts.md`).", |r| r.confidence)
        .big("frame", "First frame that says it, or of the first flow that shows it (`packets.parquet`).", |r| r.frame)
        .moment("first_ts", "First said.", |r| r.first_ns)
        .moment("last_ts", "Last said.", |r| r.last_ns)
        .big("times", "How often: messages, or flows.", |r| r.times)
        .text("detail", "What more there is to say: the text that it was read from, why it was inferred, who told.", |r| r.detail.as_deref())
        .big("left_out", "Further values of this host and claim that are not listed; on the last that is.", |r| r.left_out)
}
