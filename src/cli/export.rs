//! `vigil export`: a case for other programs.

use super::analyze::shown;
use super::args::{ExportArgs, ExportFormat};
use super::{Exit, Failure};
use crate::pipeline::export::{self, Format};
use std::io::Write;

impl From<ExportFormat> for Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Stix => Self::Stix,
            ExportFormat::Navigator => Self::Navigator,
            ExportFormat::Timesketch => Self::Timesketch,
            ExportFormat::Eve => Self::Eve,
            ExportFormat::Parquet => Self::Parquet,
        }
    }
}

/// Runs it.
pub fn run(args: ExportArgs) -> Result<Exit, Failure> {
    let written = export::export(&args.case, args.format.into(), &args.out)?;
    if args.out.as_os_str() == "-" {
        return Ok(Exit::Quiet);
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        let json = serde_json::to_string_pretty(&written).unwrap_or_default();
        writeln!(out, "{json}").map_err(Failure::stdout)?;
        return Ok(Exit::Quiet);
    }
    for file in &written.files {
        writeln!(out, "{}  {}", shown(&file.path), file.holds).map_err(Failure::stdout)?;
    }
    if written.set_aside > 0 {
        writeln!(out, "  left out: {} findings that were put aside", written.set_aside).map_err(Failure::stdout)?;
    }
    Ok(Exit::Quiet)
}
