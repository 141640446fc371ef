//! What was typed. Every flag here works; every example was run.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

mod analyze;
mod case;
mod notes;
mod rules;
mod serve;

pub use analyze::{AnalyzeArgs, CommonArgs, DemoArgs, HashChoice, LiveArgs, ModelChoice, ReportFormat, SeverityChoice};
pub use case::{CarveArgs, ExportArgs, ExportFormat, ReportArgs, RowFormat, SqlArgs, VerifyArgs};
pub use notes::{ApiChoice, CommentArgs, ExplainArgs, ModelArgs, ScopeChoice, SuppressArgs};
pub use rules::{EvalArgs, RulesAction, RulesArgs, TrainArgs};
pub use serve::{DoorArgs, ServeArgs, SqlWorkerArgs, UserAction, UserArgs};

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
