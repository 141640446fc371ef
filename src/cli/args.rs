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
    /// Generate a small labelled capture of an attack, analyse it, and name the report
    Demo(DemoArgs),
    /// Query a case with SQL, read-only
    Sql(SqlArgs),
    /// Write a report of a finished case in other formats
    Report(ReportArgs),
    /// Serve a finished case: dashboard and API
    Serve(ServeArgs),
    /// Add, list and remove those who may log in to a served case
    User(UserArgs),
    /// List, show and test the detection rules
    Rules(RulesArgs),
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
    vigil analyze dump.pcap --filter 'host 10.0.0.5 and tcp' --set beacon.min_events=12\n\n\
    Reads pcap (micro- and nanoseconds, both byte orders) and pcapng, plain or as .gz .zst .xz .bz2 .lz4.\n\
    Opens no socket and starts no process.")]
pub struct AnalyzeArgs {
    /// Captures: files, folders (searched through), or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
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
    /// Print the result as JSON on standard output
    #[arg(long)]
    pub json: bool,
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
    /// With --flows: what share of the flows is strange (probes, check-ins, guessed passwords, uploads), 0 to 1
    #[arg(long, value_name = "RATE", requires = "flows", default_value_t = 0.15, value_parser = share)]
    pub anomaly_rate: f64,
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
    vigil user add ann --role analyst && vigil serve dump.vigil --addr 0.0.0.0:3000 --host vigil.example\n\n\
    On loopback no login is asked for; any other address demands one. There is no TLS: across a network, put a\n\
    proxy that adds it before vigil. The API describes itself at /api/v1/openapi.json.")]
pub struct ServeArgs {
    /// Case folder
    #[arg(value_name = "CASE")]
    pub case: PathBuf,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", env = "VIGIL_API_ADDR", default_value = "127.0.0.1:3000")]
    pub addr: std::net::SocketAddr,
    /// Name by which browsers may ask for this server, beside addresses and localhost
    #[arg(long = "host", value_name = "NAME")]
    pub hosts: Vec<String>,
    /// Demand a login on loopback as well
    #[arg(long)]
    pub login: bool,
    /// File of users [default: vigil/users.toml in your configuration folder]
    #[arg(long, value_name = "FILE")]
    pub users: Option<PathBuf>,
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
#[command(after_help = "Examples:\n  vigil rules list\n  vigil rules show dns-tunnel\n  vigil rules test --rules my-rules/")]
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
    /// Check that rules parse, bind on an empty case, fire on their dataset and keep silent on its look-alike
    Test {
        /// Ids [default: all]
        ids: Vec<String>,
        /// Folder of rules that add to, or replace, the built-in ones
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
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
