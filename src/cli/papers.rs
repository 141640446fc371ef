//! `vigil completions` and `vigil man`: made from the same declarations as `--help`.

use super::args::{Cli, CompletionsArgs, ManArgs};
use super::{Exit, Failure};
use clap::CommandFactory;
use std::io::Write;

/// `vigil completions SHELL`
pub fn completions(args: CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "vigil", &mut script);
    std::io::stdout().write_all(&script).map_err(Failure::stdout)?;
    Ok(Exit::Quiet)
}

/// `vigil man`
pub fn man(args: ManArgs) -> Result<Exit, Failure> {
    let command = Cli::command();
    match args.out {
        Some(folder) => {
            let wrong = |error| Failure::Write { what: format!("manual pages into {}", folder.display()), error };
            std::fs::create_dir_all(&folder).map_err(wrong)?;
            clap_mangen::generate_to(command, &folder).map_err(wrong)?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page).map_err(Failure::stdout)?;
            std::io::stdout().write_all(&page).map_err(Failure::stdout)?;
        }
    }
    Ok(Exit::Quiet)
}
