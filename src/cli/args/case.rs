//! What reads a finished case: `sql`, `carve`, `verify`, `export`, `report`.

use super::ReportFormat;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

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
