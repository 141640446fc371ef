//! One file per subcommand; what was typed → what was meant.
//!
//! `args` is what was typed, `settings` is what was meant: flag, then environment, then `vigil.toml`, then default.

mod analyze;
pub mod args;
mod carve;
mod config;
mod demo;
mod eval;
mod explain;
mod export;
mod failure;
mod live;
mod papers;
mod progress;
mod report;
mod rules;
mod screen;
mod serve;
mod settings;
mod sql;
mod suppress;
mod user;
mod verify;
mod train;

use args::{Cli, Command};
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

pub use failure::{Exit, Failure};

/// Parses the command line, runs it, prints an error once, and gives the exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not mistakes.
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Quiet };
            let _ = error.print();
            return code.into();
        }
    };
    match run(cli) {
        Ok(exit) => exit.into(),
        // A closed pipe downstream is the reader's choice, not an error.
        Err(failure) if failure.is_broken_pipe() => Exit::Quiet.into(),
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "vigil: {}", plain(&failure.to_string()));
            failure.exit().into()
        }
    }
}

/// What a message quotes, such as a query or a path, may hold anything: its lines stay lines, tabs become spaces, the rest is written out.
fn plain(message: &str) -> String {
    let shown = message.lines().map(|line| crate::report::visible(&line.replace('\t', "    ")).into_owned());
    shown.collect::<Vec<_>>().join("\n")
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Analyze(args) => analyze::run(args),
        Command::Live(args) => live::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Sql(args) => sql::run(args),
        Command::Carve(args) => carve::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Suppress(args) => suppress::run(args),
        Command::Comment(args) => suppress::comment(args),
        Command::Explain(args) => explain::run(args),
        Command::Export(args) => export::run(args),
        Command::Report(args) => report::run(args),
        Command::Serve(args) => serve::run(args),
        Command::User(args) => user::run(args),
        Command::SqlWorker(args) => serve::worker(args),
        Command::Rules(args) => rules::run(args),
        Command::Train(args) => train::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Config(args) => config::run(args),
        Command::Completions(args) => papers::completions(args),
        Command::Man(args) => papers::man(args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_keep_their_lines_and_show_what_would_deceive() {
        assert_eq!(plain("no such column\n\tdid you mean \u{202e}ts\u{7}"), "no such column\n    did you mean \\u{202e}ts\\u{7}");
    }
}
