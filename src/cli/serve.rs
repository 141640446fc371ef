//! `vigil serve`: a finished case over HTTP.

use super::args::{ServeArgs, SqlWorkerArgs};
use super::settings::Settings;
use super::{Exit, Failure};
use crate::serve::{self, Begun, Options};
use std::io::Write;
use std::time::Duration;

/// Memory unless the settings say less: reading takes less than analysing.
const MEMORY: u64 = 1 << 30;

/// Runs it until it is told to stop.
pub fn run(args: ServeArgs) -> Result<Exit, Failure> {
    let settings = Settings::resolve(None)?;
    let options = Options {
        case: args.case,
        addr: args.addr,
        hosts: args.hosts,
        login: args.login,
        users: args.users.unwrap_or_else(serve::default_users),
        memory: settings.memory.value.min(MEMORY),
        threads: settings.threads.value,
        sql_timeout: Duration::from_secs(args.sql_timeout),
    };
    serve::run(options, said)?;
    Ok(Exit::Quiet)
}

fn said(begun: &Begun) {
    // Flushed, since whoever starts vigil from a program waits for this line.
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "http://{}/", begun.addr).and_then(|()| out.flush());
    if begun.login && !begun.addr.ip().is_loopback() {
        eprintln!("vigil: a login is demanded, but there is no TLS: across a network, put a proxy that adds it before vigil");
    }
}

/// The process that `serve` starts for SQL.
pub fn worker(args: SqlWorkerArgs) -> Result<Exit, Failure> {
    serve::worker(&args.case, args.rows, args.seconds)?;
    Ok(Exit::Quiet)
}
