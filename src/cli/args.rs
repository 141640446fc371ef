//! What was typed. Every flag here works; every example was run.

use crate::model::Severity;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Packets in, an answer that can be defended out.
#[derive(Parser, Debug)]
#[command(
    name = "vigil",
    version,
    about = "Offline-first forensic pcap analyzer: one binary, no stack, an answer you can defend",
    after_help = "Examples:\n  \
        vigil demo                                   a generated attack, analysed, and its report named\n  \
        vigil analyze dump.pcap --report html        verdict on screen, case and report in dump.vigil/\n  \
        vigil live eth0                              the same on an interface, until Ctrl-C\n  \
        vigil sql dump.vigil \"SELECT title, actors FROM findings ORDER BY risk DESC\"\n\n\
        Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage, 3 evidence damaged or incomplete\n\
        (results are still written), 4 internal error.",
    max_term_width = 110
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Analyse captures: files, folders or `-` for standard input become one case
    Analyze(Box<AnalyzeArgs>),
    /// Watch interfaces: the same judgement while packets come, for as long as it is wanted
    Live(Box<LiveArgs>),
    /// Generate a small labelled capture of an attack, analyse it, and name the report
    Demo(DemoArgs),
    /// Query a case with SQL, read-only
    Sql(SqlArgs),
    /// Write a report of a finished case in other formats
    Report(ReportArgs),
    /// Serve a case, or a folder of cases: dashboard and API
    Serve(ServeArgs),
    /// Add, list and remove those who may log in to a served case
    User(UserArgs),
    /// Write the packets of a finding, flow, host or query into a capture that Wireshark opens
    Carve(CarveArgs),
    /// Check that a case and its evidence are still what they were
    Verify(VerifyArgs),
    /// Put findings aside, with a reason; take it back; list what is put aside
    Suppress(SuppressArgs),
    /// Note something on a finding
    Comment(CommentArgs),
    /// Tell what happened, why it is suspicious and what to do next
    Explain(ExplainArgs),
    /// Write a case in formats of other programs
    Export(ExportArgs),
    /// List, show and test the detection rules
    Rules(RulesArgs),
    /// Learn what is usual from captures or cases, for `vigil analyze --baseline`
    Train(TrainArgs),
    /// Judge rules and models on captures of which it is known what is in them
    Eval(EvalArgs),
    /// Print the settings in force and where each comes from
    Config(ConfigArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write one page per command into a folder
    Man(ManArgs),
    /// One statement from standard input, for `serve`
    #[command(hide = true)]
    SqlWorker(SqlWorkerArgs),
}

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

/// Shapes of query results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    /// Aligned columns.
    Table,
    /// Comma-separated, formulas defused.
    Csv,
    /// One JSON object a line.
    Json,
}

/// `vigil sql`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    vigil sql dump.vigil \"SELECT id_resp_h, sum(resp_bytes) AS bytes FROM flows GROUP BY ALL ORDER BY bytes DESC LIMIT 10\"\n  \
    vigil sql dump.vigil -f hunt.sql --format csv > rows.csv\n  \
    vigil sql dump.vigil                       lists the tables and their columns\n\n\
    The case is opened read-only and queries cannot reach files or the network. Any DuckDB client of the same\n\
    release opens case.duckdb as well. `packets` is the packet index.")]
pub struct SqlArgs {
    /// Case folder
    #[arg(value_name = "CASE")]
    pub case: PathBuf,
    /// Statement; without one, the tables are listed
    #[arg(value_name = "QUERY", conflicts_with = "file")]
    pub query: Option<String>,
    /// Read the statement from a file, or - for standard input
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Shape of the rows
    #[arg(long, value_enum, default_value_t = RowFormat::Table)]
    pub format: RowFormat,
    /// Same as --format json
    #[arg(long)]
    pub json: bool,
}

/// `vigil carve`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    vigil carve dump.vigil F3 -o F3.pcapng                       the packets of a finding\n  \
    vigil carve dump.vigil I1 -o I1.pcapng --context 5s          of an incident, and all within 5 s of them\n  \
    vigil carve dump.vigil flow:1042 host:10.0.0.5 -o two.pcapng\n  \
    vigil carve dump.vigil \"SELECT flow_id FROM http WHERE method = 'POST'\" -o posts.pcapng\n  \
    vigil carve dump.vigil F5 --files seized/                    the files it transferred, as SHA256.bin\n  \
    vigil carve dump.vigil F3 -o F3.pcapng --evidence /mnt/evidence\n\n\
    Written is pcapng with the original times, link types and interfaces; comments name the finding and the frame\n\
    of the evidence. The evidence is hashed while it is read: if it changed, nothing is written (exit code 3).\n\
    A finding is all packets of its flows and all frames it names; --frames-only leaves the flows out.")]
pub struct CarveArgs {
    /// Case folder
    #[arg(value_name = "CASE")]
    pub case: PathBuf,
    /// F3, I1, flow:1042, flow:1042/1, host:10.0.0.5, frame:17-40, or a query that answers with flow_id or frame
    #[arg(required = true, value_name = "SELECTION")]
    pub selections: Vec<String>,
    /// Capture to write, pcapng
    #[arg(long, short, value_name = "FILE", required_unless_present = "files")]
    pub out: Option<PathBuf>,
    /// Write transferred files into this folder, each named SHA256.bin; never run or overwritten
    #[arg(long, value_name = "DIR")]
    pub files: Option<PathBuf>,
    /// Also packets within this time of those chosen, such as 5s
    #[arg(long, value_name = "TIME")]
    pub context: Option<String>,
    /// Of findings only the frames they name
    #[arg(long)]
    pub frames_only: bool,
    /// Where the evidence was moved to: a folder, searched by hash, or a file
    #[arg(long, value_name = "DIR")]
    pub evidence: Option<PathBuf>,
    /// Print what was written as JSON
    #[arg(long)]
    pub json: bool,
}

/// `vigil verify`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    vigil verify dump.vigil\n  \
    vigil verify dump.vigil --evidence /mnt/evidence     the evidence was moved; it is found by its hash\n  \
    vigil verify dump.vigil --json | jq '.checks[] | select(.state != \"same\")'\n\n\
    Looked at: the chain of the journal, the manifest, every file and table of the case, the rules, reports, evidence.\n\
    Exit codes: 0 all is as it was, 3 something differs or is missing. Nothing is written.")]
pub struct VerifyArgs {
    /// Case folder
    #[arg(value_name = "CASE")]
    pub case: PathBuf,
    /// Where the evidence was moved to: a folder, searched by hash, or a file
    #[arg(long, value_name = "DIR")]
    pub evidence: Option<PathBuf>,
    /// Print everything that was looked at as JSON
    #[arg(long)]
    pub json: bool,
}

/// How far a suppression reaches, as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScopeChoice {
    /// This finding, also when the evidence is analysed again.
    Finding,
    /// Everything that its rule finds.
    Rule,
    /// What its rule finds of the same actors alone.
    Host,
    /// What its rule finds between the same actors and targets alone.
    Pair,
    /// What its rule finds about a domain alone.
    Domain,
}

/// `vigil suppress`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    vigil suppress dump.vigil F7 --reason 'nightly backup'\n  \
    vigil suppress dump.vigil F7 --reason 'monitoring asks every minute' --scope pair --expires 30d\n  \
    vigil suppress dump.vigil F2 --reason 'our CDN' --scope domain --domain '*.cdn.example'\n  \
    vigil suppress dump.vigil --list\n  \
    vigil suppress dump.vigil --undo S4          or --undo F7: all that puts F7 aside\n\n\
    A suppression stays within the rule of its finding. A domain example.com is the name and all names under it,\n\
    *.example.com only the names under it; what the public registers under, such as co.uk, is refused. A finding\n\
    that speaks of further hosts or domains is not put aside. Findings stay in the case: reports, terminal and\n\
    `vigil sql` (findings.suppressed, suppressions) leave them out when they are read, and count them.")]
pub struct SuppressArgs {
    /// Case folder
    #[arg(value_name = "CASE")]
    pub case: PathBuf,
    /// Finding
    #[arg(value_name = "FINDING", required_unless_present_any = ["list", "undo"], conflicts_with_all = ["list", "undo"])]
    pub finding: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["list", "undo"])]
    pub reason: Option<String>,
    /// How far it reaches
    #[arg(long, value_enum, default_value_t = ScopeChoice::Finding)]
    pub scope: ScopeChoice,
    /// With --scope domain: which [default: the one that the finding names]
    #[arg(long, value_name = "NAME")]
    pub domain: Option<String>,
    /// Who [default: the user that is logged in]
    #[arg(long, value_name = "NAME", env = "VIGIL_AUTHOR")]
    pub author: Option<String>,
    /// For how long, such as 12h, 30d or 8w [default: for good]
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,
    /// List suppressions, those undone and expired too
    #[arg(long)]
    pub list: bool,
    /// Take back a suppression, or all that put a finding aside
    #[arg(long, value_name = "ID", conflicts_with = "list")]
    pub undo: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `vigil comment`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  vigil comment dump.vigil F7 'asked the owner: a test, see ticket 4711' --author kim")]
pub struct CommentArgs {
    /// Case folder
    #[arg(value_name = "CASE")]
    pub case: PathBuf,
    /// Finding
    #[arg(value_name = "FINDING")]
    pub finding: String,
    /// What is to be noted
    #[arg(value_name = "TEXT")]
    pub text: String,
    /// Who [default: the user that is logged in]
    #[arg(long, value_name = "NAME", env = "VIGIL_AUTHOR")]
    pub author: Option<String>,
}

/// APIs of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ApiChoice {
    /// Anthropic's Messages API; the key is in ANTHROPIC_API_KEY.
    Anthropic,
    /// Chat completions as OpenAI, Ollama, llama.cpp, LM Studio and vLLM speak them; the key, if any, is in OPENAI_API_KEY.
    Openai,
}

/// A model that tells the case in words
#[derive(Args, Debug)]
#[command(next_help_heading = "In the words of a model")]
pub struct ModelArgs {
    /// Have the case told by a model instead of the template: findings are sent to it, nothing else
    #[arg(long, value_name = "API")]
    pub llm: Option<ApiChoice>,
    /// Model [default: claude-sonnet-4-5 for anthropic]
    #[arg(long, value_name = "NAME", requires = "llm")]
    pub model: Option<String>,
    /// Base address of the server [default: https://api.anthropic.com, http://127.0.0.1:11434]
    #[arg(long, value_name = "URL", requires = "llm")]
    pub server: Option<String>,
    /// Send real names also to a model on another machine
    #[arg(long, requires = "llm", conflicts_with = "pseudonyms")]
    pub real_names: bool,
    /// Send pseudonyms also to a model on this machine
    #[arg(long, requires = "llm")]
    pub pseudonyms: bool,
    /// Tokens to spend at most, both ways together
    #[arg(long, value_name = "TOKENS", default_value_t = 100_000, requires = "llm")]
    pub budget: u64,
    /// Time for one answer
    #[arg(long, value_name = "TIME", default_value = "120s", requires = "llm")]
    pub timeout: String,
}

/// `vigil explain`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    vigil explain dump.vigil                       the case and its incidents, told by a template: nothing leaves\n  \
    vigil explain dump.vigil I1 F3\n  \
    vigil explain dump.vigil --llm anthropic --dry-run      prints exactly what would be sent\n  \
    vigil explain dump.vigil I1 --llm anthropic\n  \
    vigil explain dump.vigil --llm openai --server http://127.0.0.1:11434 --model qwen3:14b\n\n\
    A model is asked only with --llm. It is sent findings, never payloads, packets or paths; addresses, names, accounts\n\
    and hardware are replaced by pseudonyms unless it runs on this machine. A sentence that cites no finding, or names\n\
    what its findings do not hold, is dropped and counted. Where it fails, the template takes over and says why. What\n\
    it said goes to the journal, into reports, and is not asked for twice.")]
pub struct ExplainArgs {
    /// Case folder
    #[arg(value_name = "CASE")]
    pub case: PathBuf,
    /// case, I1 or F3 [default: the case and all its incidents]
    #[arg(value_name = "WHAT")]
    pub what: Vec<String>,
    /// The model, if one is asked.
    #[command(flatten)]
    pub asked: ModelArgs,
    /// Print what would be sent, and send nothing
    #[arg(long, requires = "llm")]
    pub dry_run: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Formats of other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// STIX 2.1 bundle, for intelligence platforms.
    Stix,
    /// Layer of the ATT&CK Navigator.
    Navigator,
    /// Events of Timesketch, JSON lines.
    Timesketch,
    /// Suricata's EVE, JSON lines: alerts and flows.
    Eve,
    /// Every table as a Parquet file in a folder.
    Parquet,
}

/// `vigil export`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    vigil export dump.vigil --format stix -o dump.stix.json\n  \
    vigil export dump.vigil --format navigator -o layer.json     open it in the ATT&CK Navigator\n  \
    vigil export dump.vigil --format timesketch -o dump.jsonl\n  \
    vigil export dump.vigil --format eve -o - | jq 'select(.event_type == \"alert\")'\n  \
    vigil export dump.vigil --format parquet -o tables/\n\n\
    The same case gives the same bytes. Findings that were put aside are left out and counted.")]
pub struct ExportArgs {
    /// Case folder
    #[arg(value_name = "CASE")]
    pub case: PathBuf,
    /// Format
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// File to write, - for standard output; with parquet a folder
    #[arg(long, short, value_name = "PATH")]
    pub out: PathBuf,
    /// Print what was written as JSON
    #[arg(long)]
    pub json: bool,
}

/// `vigil report`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  vigil report dump.vigil                    the summary again\n  \
    vigil report dump.vigil --format html,md   writes report.html and report.md into the case\n  \
    vigil report dump.vigil --format json --stdout | jq .verdict")]
pub struct ReportArgs {
    /// Case folder
    #[arg(value_name = "CASE")]
    pub case: PathBuf,
    /// Formats; without one, the summary is printed
    #[arg(long, value_name = "FORMAT,…", value_delimiter = ',')]
    pub format: Vec<ReportFormat>,
    /// Print instead of writing into the case (one format)
    #[arg(long)]
    pub stdout: bool,
}

/// `vigil serve`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  vigil serve dump.vigil                     dashboard at http://127.0.0.1:3000/\n  \
    vigil serve dump.vigil --addr 127.0.0.1:0  on a free port\n  \
    vigil serve cases/                         all cases in a folder\n  \
    vigil user add ann --role analyst && vigil serve dump.vigil --addr 0.0.0.0:3000 --host vigil.example \\\n  \
    \u{20}   --tls-cert chain.pem --tls-key key.pem\n\n\
    On loopback no login is asked for; any other address demands one. A live case is shown as its segments are sealed;\n\
    `vigil live --serve` shows it as it is written. The API describes itself at /api/v1/openapi.json.")]
pub struct ServeArgs {
    /// Case folder, or a folder of cases
    #[arg(value_name = "CASE|DIR")]
    pub case: PathBuf,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", env = "VIGIL_API_ADDR", default_value = "127.0.0.1:3000")]
    pub addr: std::net::SocketAddr,
    /// Who may ask, and how.
    #[command(flatten)]
    pub door: DoorArgs,
    /// Captures that are sent here go into this folder, with the cases made of them [default: the current folder on loopback, else none are taken]
    #[arg(long, value_name = "DIR")]
    pub captures: Option<PathBuf>,
    /// Bytes that a capture may have which is sent here
    #[arg(long, value_name = "SIZE", default_value = "4G")]
    pub capture_size: String,
}

/// Who may ask a server, and how: what `serve` and `live --serve` have in common
#[derive(Args, Debug)]
pub struct DoorArgs {
    /// Name by which browsers may ask for this server, beside addresses and localhost
    #[arg(long = "host", value_name = "NAME")]
    pub hosts: Vec<String>,
    /// Demand a login on loopback as well
    #[arg(long)]
    pub login: bool,
    /// File of users [default: vigil/users.toml in your configuration folder]
    #[arg(long, value_name = "FILE")]
    pub users: Option<PathBuf>,
    /// Certificate chain in PEM: serve https
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Seconds that a statement of SQL may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=50))]
    pub sql_timeout: u64,
}

/// `vigil sql-worker`
#[derive(Args, Debug)]
pub struct SqlWorkerArgs {
    /// Case folder
    pub case: PathBuf,
    /// Rows to hand over
    #[arg(long)]
    pub rows: usize,
    /// Seconds that the server waits
    #[arg(long)]
    pub seconds: u64,
}

/// `vigil user`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  vigil user add ann --role analyst\n  vigil user key backup-script --role viewer\n  \
    vigil user list\n  vigil user remove ann\n\n\
    Roles: viewer reads; analyst also asks in SQL and says what became of findings; admin also sees how the server\n\
    is set up. A running server reads the file when it starts.")]
pub struct UserArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub action: UserAction,
    /// File of users [default: vigil/users.toml in your configuration folder]
    #[arg(long, value_name = "FILE", global = true)]
    pub users: Option<PathBuf>,
}

/// What to do with users.
#[derive(Subcommand, Debug)]
pub enum UserAction {
    /// Add a user, or give one another password; asks for the password, or reads it from a pipe
    Add {
        /// Name
        name: String,
        /// viewer, analyst or admin
        #[arg(long, default_value = "analyst")]
        role: crate::serve::Role,
    },
    /// Make an API key and print it, once
    Key {
        /// Name
        name: String,
        /// viewer, analyst or admin
        #[arg(long, default_value = "viewer")]
        role: crate::serve::Role,
    },
    /// List users and keys
    List,
    /// Remove a user and the key of that name
    Remove {
        /// Name
        name: String,
    },
}

/// `vigil rules`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  vigil rules list\n  vigil rules show dns-tunnel\n  vigil rules test --rules my-rules/\n  \
    vigil rules time dump.vigil                  what each costs on a case")]
pub struct RulesArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub action: RulesAction,
}

/// What to do with rules.
#[derive(Subcommand, Debug)]
pub enum RulesAction {
    /// List id, severity at best, techniques and title
    List {
        /// Folder of rules that add to, or replace, the built-in ones
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a rule's file, with the values in force
    Show {
        /// Id
        id: String,
        /// Folder of rules that add to, or replace, the built-in ones
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
    /// Run all rules on a finished case and say how long each takes, the slowest first; the case stays as it is
    Time {
        /// Case folder
        case: PathBuf,
        /// Folder of rules that add to, or replace, the built-in ones
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
        /// Memory, as for `analyze`: a quarter of it is DuckDB's [default: 2G]
        #[arg(long, value_name = "SIZE")]
        memory: Option<String>,
        /// Threads [default: all processors]
        #[arg(long, value_name = "N")]
        threads: Option<usize>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Check that rules parse, bind on an empty case, fire on their dataset and keep silent on its look-alike
    Test {
        /// Ids [default: all]
        ids: Vec<String>,
        /// Folder of rules that add to, or replace, the built-in ones
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
}

/// `vigil train`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  vigil train monday.pcap tuesday.pcap -o office.profile\n  \
    vigil train monday.vigil -o office.profile\n  \
    vigil train wednesday.pcap -o office.profile --update      the old fades by 3 % a day, the new adds\n  \
    vigil analyze thursday.pcap --baseline office.profile\n\n\
    A profile holds how often hosts and flows took which values, by peer group, and what was ever seen: hosts, services, destinations,\n\
    fingerprints. What hosts did that rules found at something counts for next to nothing.")]
pub struct TrainArgs {
    /// Captures, and folders of cases
    #[arg(required = true, value_name = "PCAP|CASE")]
    pub paths: Vec<PathBuf>,
    /// The profile
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// Add to the profile that is there, and let it fade by the days that passed
    #[arg(long)]
    pub update: bool,
    /// Networks that count as ours, for captures [default: private, shared, link-local and unique-local ranges]
    #[arg(long, value_name = "CIDR,…", value_delimiter = ',')]
    pub home_net: Vec<String>,
    /// Print nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
}

/// `vigil eval`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  vigil eval datasets/                       the generated captures, with their labels\n  \
    vigil eval truth.jsonl --captures pcaps/ --save now.json\n  \
    vigil eval truth.jsonl --captures pcaps/ --against before.json\n\n\
    A manifest is JSON lines, one for each thing that was done: capture, kind (attack or benign), techniques, attackers, victims, and\n\
    first_ns, last_ns or frames where they are known. docs/evaluation.md has the format and how things are counted.")]
pub struct EvalArgs {
    /// Ground truth: JSON lines, a JSON list, or a folder of *.truth.jsonl
    #[arg(value_name = "MANIFEST")]
    pub manifest: PathBuf,
    /// Where the captures lie [default: beside the manifest]
    #[arg(long, value_name = "DIR")]
    pub captures: Option<PathBuf>,
    /// Folder of rules that add to, or replace, the built-in ones
    #[arg(long, value_name = "DIR")]
    pub rules: Vec<PathBuf>,
    /// Write everything that was measured, as JSON
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Show what an earlier run saved beside it
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// No line for each capture
    #[arg(long, short)]
    pub quiet: bool,
}

/// `vigil config`
#[derive(Args, Debug)]
pub struct ConfigArgs {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `vigil completions`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  vigil completions bash > ~/.local/share/bash-completion/completions/vigil")]
pub struct CompletionsArgs {
    /// Shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `vigil man`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  vigil man | man -l -\n  vigil man --out ~/.local/share/man/man1")]
pub struct ManArgs {
    /// Write one page per command into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
