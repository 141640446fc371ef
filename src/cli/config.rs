//! `vigil config`: what is in force, and where each value came from.

use super::args::ConfigArgs;
use super::settings::Settings;
use super::{Exit, Failure};
use std::io::Write;

/// Prints the settings.
pub fn run(args: ConfigArgs) -> Result<Exit, Failure> {
    let rows = Settings::resolve(None)?.rows();
    let mut out = std::io::stdout().lock();
    if args.json {
        let entry =
            |(name, value, source): &(&str, String, String)| (name.to_string(), serde_json::json!({ "value": value, "source": source }));
        let map: serde_json::Map<String, serde_json::Value> = rows.iter().map(entry).collect();
        return writeln!(out, "{:#}", serde_json::Value::Object(map)).map_err(Failure::stdout).map(|()| Exit::Quiet);
    }
    let width = rows.iter().map(|(_, value, _)| value.len()).max().unwrap_or(0);
    for (name, value, source) in rows {
        writeln!(out, "{name:<15} {value:<width$}  ({source})").map_err(Failure::stdout)?;
    }
    Ok(Exit::Quiet)
}
