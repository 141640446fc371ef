//! `vigil report`: a finished case again, in other formats.

use super::analyze::{screen, shown};
use super::args::ReportArgs;
use super::{Exit, Failure};
use crate::pipeline;
use crate::report::{self, Format};
use std::io::Write;

/// Runs it.
pub fn run(args: ReportArgs) -> Result<Exit, Failure> {
    let report = pipeline::reopen(&args.case)?;
    let formats: Vec<Format> = args.format.iter().map(|format| (*format).into()).collect();
    let mut out = std::io::stdout().lock();
    match (formats.as_slice(), args.stdout) {
        ([], _) => out.write_all(screen(&report).as_bytes()).map_err(Failure::stdout)?,
        ([format], true) => out.write_all(&report::render(*format, &report)?).map_err(Failure::stdout)?,
        (_, true) => return Err(Failure::Usage("--stdout takes one format; leave it out to write several into the case".into())),
        (formats, false) => {
            for path in pipeline::write_reports(&report, formats, &args.case)? {
                writeln!(out, "{}", shown(&path)).map_err(Failure::stdout)?;
            }
        }
    }
    Ok(Exit::Quiet)
}
