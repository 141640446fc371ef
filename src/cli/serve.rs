//! `vigil serve`: cases over HTTP.

use super::args::{DoorArgs, ServeArgs, SqlWorkerArgs};
use super::settings::{Settings, parse_bytes};
use super::{Exit, Failure};
use crate::serve::{self, Begun, Door, Options};
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Memory unless the settings say less: reading takes less than analysing.
const MEMORY: u64 = 1 << 30;

/// Runs it until it is told to stop.
pub fn run(args: ServeArgs) -> Result<Exit, Failure> {
    let settings = Settings::resolve(None)?;
    let size = &args.capture_size;
    let capture_bytes = parse_bytes(size).map_err(|why| Failure::Usage(format!("--capture-size {size}: {why}")))?;
    // On loopback, dropping a capture on the dashboard is what typing `vigil analyze` in this folder is.
    let here = args.addr.ip().is_loopback().then(|| ".".into());
    let captures = args.captures.or(here).map(|folder| folder.canonicalize().map_err(|error| no_folder(&folder, &error))).transpose()?;
    let options = Options { captures, capture_bytes, ..door(&args.door, args.addr, &settings, &args.case) };
    Door::open(options)?.serve(|begun| said_on(&mut std::io::stdout().lock(), begun))?;
    Ok(Exit::Quiet)
}

fn no_folder(folder: &Path, error: &std::io::Error) -> Failure {
    Failure::Usage(format!("--captures '{}': {error}; name a folder that is there", folder.display()))
}

/// A server of the case at `place`, which takes no captures.
pub fn door(args: &DoorArgs, addr: SocketAddr, settings: &Settings, place: &Path) -> Options {
    Options {
        place: place.into(),
        addr,
        hosts: args.hosts.clone(),
        login: args.login,
        users: args.users.clone().unwrap_or_else(serve::default_users),
        tls: args.tls_cert.clone().zip(args.tls_key.clone()),
        memory: settings.memory.value.min(MEMORY),
        threads: settings.threads.value,
        sql_timeout: Duration::from_secs(args.sql_timeout),
        captures: None,
        capture_bytes: 0,
    }
}

/// Says where it listens.
pub fn said_on(out: &mut impl Write, begun: &Begun) {
    let scheme = if begun.tls { "https" } else { "http" };
    // Flushed, since whoever starts vigil from a program waits for this line.
    let _ = writeln!(out, "{scheme}://{}/", begun.addr).and_then(|()| out.flush());
    if begun.login && !begun.tls && !begun.addr.ip().is_loopback() {
        eprintln!(
            "vigil: a login is demanded, but there is no TLS: name a certificate with --tls-cert and --tls-key, or put a proxy before vigil"
        );
    }
}

/// The process that `serve` starts for SQL.
pub fn worker(args: SqlWorkerArgs) -> Result<Exit, Failure> {
    serve::worker(&args.case, args.rows, args.seconds)?;
    Ok(Exit::Quiet)
}
