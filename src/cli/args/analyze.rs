//! What reads packets: `analyze`, `live`, `demo`.

use super::{DoorArgs, ModelArgs};
use crate::model::Severity;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Formats of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// One self-contained page.
    Html,
    /// Everything, for programs.
    Json,
    /// For tickets.
    Md,
    /// Findings as a table.
    Csv,
}

/// Which hashes of the evidence are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HashChoice {
    /// SHA-256 and BLAKE3.
    Both,
    /// SHA-256 alone.
    Sha256,
    /// BLAKE3 alone: fastest.
    Blake3,
}

/// Models that look at every flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModelChoice {
    /// The Isolation Forest and the ensemble.
    All,
    /// The Isolation Forest alone.
    Forest,
    /// None: `flow_scores` stays empty.
    None,
}

/// Severities, as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SeverityChoice {
    /// Anything at all.
    Info,
    /// Low and above.
    Low,
    /// Medium and above.
    Medium,
    /// High and above.
    High,
    /// Critical only.
    Critical,
}

impl From<SeverityChoice> for Severity {
    fn from(choice: SeverityChoice) -> Self {
        match choice {
            SeverityChoice::Info => Self::Info,
            SeverityChoice::Low => Self::Low,
            SeverityChoice::Medium => Self::Medium,
            SeverityChoice::High => Self::High,
            SeverityChoice::Critical => Self::Critical,
        }
    }
}

/// `vigil analyze`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    vigil analyze dump.pcap --report html\n  \
    vigil analyze day1/ day2.pcapng.zst --out incident.vigil --home-net 10.0.0.0/8\n  \
    zcat big.pcap.gz | vigil analyze - --report html,json --out big.vigil\n  \
    vigil analyze dump.pcap --filter 'host 10.0.0.5 and tcp' --set beacon.min_calls=12\n  \
    vigil analyze dump.pcap --intel lists/ --geoip GeoLite2-City.mmdb --geoip GeoLite2-ASN.mmdb\n  \
    vigil analyze today.pcap --baseline yesterday.vigil      what has changed since\n  \
    vigil analyze dump.pcap --contamination 0.02 --set models.trees=200 --false-findings 0.1\n  \
    vigil analyze --reproduce dump.vigil         the same evidence and options: the same case? (3 if not)\n\n\
    Reads pcap (micro- and nanoseconds, both byte orders) and pcapng, plain or as .gz .zst .xz .bz2 .lz4.\n\
    Opens no socket and starts no process, unless a model is asked for with --llm.")]
pub struct AnalyzeArgs {
    /// Captures: files, folders (searched through), or - for standard input
    #[arg(required_unless_present = "reproduce", conflicts_with = "reproduce", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Analyse the evidence of a finished case again, with the options on record, and compare the two cases
    #[arg(long, value_name = "CASE", conflicts_with_all = ["report", "home_net", "filter", "rules", "set", "hash", "memory", "idle_timeout", "active_timeout", "reveal_secrets",
        "intel", "keylog", "geoip", "baseline", "sigma", "models", "contamination", "false_findings", "llm"])]
    pub reproduce: Option<PathBuf>,
    /// With --reproduce: where the evidence was moved to, a folder searched by hash, or a file
    #[arg(long, value_name = "DIR", requires = "reproduce")]
    pub evidence: Option<PathBuf>,
    /// Tell how far it is, as JSON lines on standard output
    #[arg(long, hide = true)]
    pub tell: bool,
    /// What it has in common with `live`.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// What `analyze` and `live` are both told
#[derive(Args, Debug)]
pub struct CommonArgs {
    /// Folder of the case [default: NAME.vigil in the current folder]
    #[arg(long, value_name = "DIR", env = "VIGIL_DB_PATH")]
    pub out: Option<PathBuf>,
    /// Reports to write into the case [default: none; findings.ndjson always]
    #[arg(long, value_name = "FORMAT,…", value_delimiter = ',')]
    pub report: Vec<ReportFormat>,
    /// Networks that count as ours [default: private, shared, link-local and unique-local ranges]
    #[arg(long, value_name = "CIDR,…", value_delimiter = ',')]
    pub home_net: Vec<String>,
    /// Only frames that match this BPF expression (as tcpdump's)
    #[arg(long, value_name = "BPF")]
    pub filter: Option<String>,
    /// Folder of rules that add to, or replace, the built-in ones
    #[arg(long, value_name = "DIR")]
    pub rules: Vec<PathBuf>,
    /// Tune a rule's parameter; `vigil rules show ID` lists them
    #[arg(long = "set", value_name = "RULE.PARAM=VALUE")]
    pub set: Vec<String>,
    /// Lists of known bad things: files or folders of plain lists, CSV, STIX 2.1 or MISP JSON
    #[arg(long, value_name = "PATH")]
    pub intel: Vec<PathBuf>,
    /// Key log with which TLS is read, as browsers and servers write it (NSS format); those inside of pcapng files are used anyway
    #[arg(long, value_name = "FILE")]
    pub keylog: Vec<PathBuf>,
    /// MMDB file that knows where addresses are: City, Country or ASN
    #[arg(long, value_name = "MMDB")]
    pub geoip: Vec<PathBuf>,
    /// What has changed since: a case folder, or a profile written by `vigil train`
    #[arg(long, value_name = "CASE|PROFILE")]
    pub baseline: Option<PathBuf>,
    /// Robust standard deviations from the usual that count as a change [default: 3.5]
    #[arg(long, value_name = "N")]
    pub sigma: Option<f64>,
    /// Models that look at every flow [default: all]
    #[arg(long, value_name = "WHICH")]
    pub models: Option<ModelChoice>,
    /// Share of flows that the Isolation Forest calls anomalous [default: 0.1]
    #[arg(long, value_name = "SHARE")]
    pub contamination: Option<f64>,
    /// False findings that models may make in a day of harmless traffic [default: 1]
    #[arg(long, value_name = "N")]
    pub false_findings: Option<f64>,
    /// Hashes of the evidence [default: both]
    #[arg(long, value_name = "WHICH")]
    pub hash: Option<HashChoice>,
    /// Memory to stay inside, such as 2G or 512M [default: 2G]
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<String>,
    /// Threads [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// End UDP, ICMP and TCP flows after this silence, such as 60s [default: 60s, 60s, 300s]
    #[arg(long, value_name = "TIME")]
    pub idle_timeout: Option<String>,
    /// Cut flows that last longer into several rows, such as 30m [default: never]
    #[arg(long, value_name = "TIME")]
    pub active_timeout: Option<String>,
    /// Exit with 1 from this severity on [default: medium]
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<SeverityChoice>,
    /// Write secrets seen in clear into the case instead of masking them
    #[arg(long)]
    pub reveal_secrets: bool,
    /// Print nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
    /// Print the result as JSON on standard output; live, one change of a finding a line
    #[arg(long)]
    pub json: bool,
    /// A model that tells it.
    #[command(flatten)]
    pub asked: ModelArgs,
}

/// `vigil live`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    vigil live eth0                                    until Ctrl-C; the case is eth0.vigil\n  \
    vigil live eth0 wlan0 --filter 'not port 22' --out office.vigil --duration 8h\n  \
    vigil live any --ring packets/ --ring-size 20G --keep 7d\n  \
    vigil live eth0 --json | jq -c 'select(.change == \"new\") | .finding.says'\n  \
    vigil live eth0 --train 10m                        learn what is usual for ten minutes, then tell what is not\n  \
    vigil live eth0 --baseline office.json             the same against what `vigil train` learnt\n  \
    vigil live --read dump.pcap --speed 10x            a file, replayed\n\n\
    What is usual is kept in the case (profile.json), or where --profile says, and follows the traffic segment by segment; without\n\
    --train the one that is there is used. What lies outside of it is a line of alerts.ndjson with change \"unusual\" and a row of the\n\
    table anomalies: no finding, rules make those.\n\n\
    Needs the right CAP_NET_RAW alone, and gives it up once the interfaces are open:\n  \
    sudo setcap cap_net_raw+ep $(command -v vigil)\n\n\
    Stopped by Ctrl-C or SIGTERM: everything is written and judged once more; a second Ctrl-C ends it at once. Run again on\n\
    the same case, it goes on. While it runs, `vigil sql` and `vigil report` read the segments that are closed.")]
pub struct LiveArgs {
    /// Interfaces; `any` for all
    #[arg(value_name = "IFACE")]
    pub interfaces: Vec<String>,
    /// Instead of interfaces, replay captures
    #[arg(long, value_name = "PATH")]
    pub read: Vec<PathBuf>,
    /// How fast captures are replayed: 1x as recorded, 10x, max
    #[arg(long, value_name = "SPEED", default_value = "max", requires = "read")]
    pub speed: String,
    /// End after this time, such as 30m
    #[arg(long, value_name = "TIME")]
    pub duration: Option<String>,
    /// Only frames to and from this machine, and broadcasts
    #[arg(long)]
    pub no_promiscuous: bool,
    /// Bytes kept of each frame
    #[arg(long, value_name = "BYTES", default_value_t = 262_144)]
    pub snaplen: u32,
    /// The kernel's buffer for each interface
    #[arg(long, value_name = "SIZE", default_value = "64M")]
    pub buffer: String,
    /// Time between two checks, by the clock of the packets
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub check_period: String,
    /// How far back rules look that judge a capture as a whole
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub look_back: String,
    /// Close a segment of the case after this time
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub segment: String,
    /// Close a segment when it is larger
    #[arg(long, value_name = "SIZE", default_value = "4G")]
    pub segment_size: String,
    /// Delete segments older than this, such as 7d [default: keep all]
    #[arg(long, value_name = "TIME")]
    pub keep: Option<String>,
    /// Keep packets in this folder, as pcapng files of which the oldest go
    #[arg(long, value_name = "DIR")]
    pub ring: Option<PathBuf>,
    /// Bytes of packets to keep
    #[arg(long, value_name = "SIZE", default_value = "2G")]
    pub ring_size: String,
    /// Learn anew what is usual here from the first traffic, for so long; then say what is not
    #[arg(long, value_name = "TIME", conflicts_with = "baseline")]
    pub train: Option<String>,
    /// Where that is kept [default: profile.json in the case]
    #[arg(long, value_name = "PATH", conflicts_with = "baseline")]
    pub profile: Option<PathBuf>,
    /// Do not look up which program of this machine a flow belongs to
    #[arg(long)]
    pub no_programs: bool,
    /// With --json, print the report as the last line
    #[arg(long, requires = "json")]
    pub report_at_end: bool,
    /// Serve the dashboard and API of this capture here, such as 127.0.0.1:3000
    #[arg(long, value_name = "ADDR:PORT")]
    pub serve: Option<std::net::SocketAddr>,
    /// Who may ask, and how.
    #[command(flatten)]
    pub door: DoorArgs,
    /// What it has in common with `analyze`.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// `vigil demo`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  vigil demo\n  vigil demo --out /tmp/demo --seed 7\n  \
    vigil demo --scenario dns-tunnel       one of the labelled captures that prove the rules\n  \
    vigil demo --flows 2000 --anomaly-rate 0.15\n  \
    vigil demo --list")]
pub struct DemoArgs {
    /// Folder to write the capture and the case into
    #[arg(long, value_name = "DIR", default_value = "vigil-demo")]
    pub out: PathBuf,
    /// Seed of the story: the same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Instead of the story, one of the scenarios
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Instead of the story, an hour of traffic of that many flows: DNS, HTTP and TLS of two thousand clients
    #[arg(long, value_name = "N", conflicts_with = "scenario", value_parser = clap::value_parser!(u64).range(1..=20_000_000))]
    pub flows: Option<u64>,
    /// With --flows: what share of the flows is strange (probes, check-ins, guessed passwords, uploads of megabytes), 0 to 1
    /// [default: 0.15, with --tiny 0]
    #[arg(long, value_name = "RATE", requires = "flows", value_parser = share)]
    pub anomaly_rate: Option<f64>,
    /// With --flows: small packets of few bytes and no protocol, two a flow, to try out a load
    #[arg(long, requires = "flows")]
    pub tiny: bool,
    /// Write the capture and what is in it, without analysing it
    #[arg(long)]
    pub capture_only: bool,
    /// List the scenarios and what each shows
    #[arg(long)]
    pub list: bool,
    /// Print the result as JSON on standard output
    #[arg(long, conflicts_with = "capture_only")]
    pub json: bool,
}

/// A share, 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| format!("{text:?} is not a number; try 0.15"))?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("a share lies between 0 and 1; try 0.15".into()) }
}
