//! What judges: `rules`, `train`, `eval`.

use crate::pipeline::eval::{Outputs, Published};
use clap::{Args, Subcommand};
use std::path::PathBuf;

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
    vigil eval truth.jsonl --captures pcaps/ --against before.json\n  \
    vigil eval truth.jsonl --captures pcaps/ --other suricata=eve/ --other zeek=logs/\n  \
    vigil eval labels/ --set cic-ids2017 --captures pcaps/\n  \
    vigil eval NSL-KDD/ --set nsl-kdd          the models alone: there are no packets\n\n\
    A manifest is JSON lines, one for each thing that was done: capture, kind (attack or benign), techniques, attackers, victims, and\n\
    first_ns, last_ns or frames where they are known. docs/evaluation.md has the format and how things are counted.")]
pub struct EvalArgs {
    /// Ground truth: JSON lines, a JSON list, or a folder of *.truth.jsonl; with --set, the folder of the set's own label files
    #[arg(value_name = "MANIFEST")]
    pub manifest: PathBuf,
    /// The ground truth is that of a published set, as downloaded: cic-ids2017 (its CSV files with addresses, corrected or not), ctu-13
    /// (*.binetflow), unsw-nb15 (NUSW-NB15_GT.csv or UNSW-NB15_1.csv to _4.csv), nsl-kdd (KDDTrain+.txt, KDDTest+.txt)
    #[arg(long, value_name = "NAME")]
    pub set: Option<Published>,
    /// Where the captures lie [default: beside the manifest]
    #[arg(long, value_name = "DIR")]
    pub captures: Option<PathBuf>,
    /// Folder of rules that add to, or replace, the built-in ones
    #[arg(long, value_name = "DIR")]
    pub rules: Vec<PathBuf>,
    /// Judge another tool by its outputs of the same captures as well: TOOL=DIR, with suricata (eve.json), zeek (notice.log, weird.log) or
    /// rita (rita.csv) as TOOL, and in DIR a folder for each capture, or files named NAME.eve.json
    #[arg(long, value_name = "TOOL=DIR")]
    pub other: Vec<Outputs>,
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
