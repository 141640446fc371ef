//! `vigil user`: who may log in.

use super::args::{UserAction, UserArgs};
use super::{Exit, Failure};
use crate::serve::{self, Users};
use std::io::{BufRead, IsTerminal, Write};

/// Runs it.
pub fn run(args: UserArgs) -> Result<Exit, Failure> {
    let path = args.users.unwrap_or_else(serve::default_users);
    let mut users = Users::read(&path)?;
    let mut out = std::io::stdout().lock();
    match args.action {
        UserAction::List => {
            for (kind, name, role) in users.list() {
                writeln!(out, "{kind:<5} {name:<24} {role}").map_err(Failure::stdout)?;
            }
            return Ok(Exit::Quiet);
        }
        UserAction::Add { name, role } => {
            users.set(&name, role, &password()?)?;
            users.write(&path)?;
        }
        UserAction::Key { name, role } => {
            let key = users.new_key(&name, role)?;
            users.write(&path)?;
            writeln!(out, "{key}").map_err(Failure::stdout)?;
        }
        UserAction::Remove { name } => {
            users.remove(&name)?;
            users.write(&path)?;
        }
    }
    Ok(Exit::Quiet)
}

/// Typed twice without being shown, or one line from a pipe.
fn password() -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::Usage(format!("cannot read the password: {error}"));
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(failed)?;
        return Ok(line.trim_end_matches(['\n', '\r']).to_string());
    }
    let terminal = console::Term::stderr();
    let ask = |what: &str| {
        terminal.write_str(what).map_err(failed)?;
        terminal.read_secure_line().map_err(failed)
    };
    let (first, second) = (ask("Password: ")?, ask("Again: ")?);
    if first == second { Ok(first) } else { Err(Failure::Usage("the two passwords differ; nothing was changed".into())) }
}
