//! A Python beside the tests, with stock packages, for showing that others can read what vigil writes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// The release of DuckDB that vigil is linked with.
pub const DUCKDB: &str = "duckdb==1.5.6";

/// One installation at a time: the folder is shared, and stays for the next run.
static INSTALLING: Mutex<()> = Mutex::new(());

/// A Python that has `packages`; `None` with a line that says so where they cannot be had. `VIGIL_TEST_PYTHON` names one that has them.
pub fn python(name: &str, packages: &[&str]) -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("VIGIL_TEST_PYTHON") {
        return Some(given.into());
    }
    let _one = INSTALLING.lock().unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python-{name}"));
    let python = folder.join("bin/python");
    let installed = folder.join("installed.txt");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&installed).is_ok_and(|have| have == wanted) {
        return Some(python);
    }
    let _ = std::fs::remove_dir_all(&folder);
    let made = ran(Command::new("python3").args(["-m", "venv"]).arg(&folder))
        && ran(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages));
    if !made {
        println!("SKIPPED: no Python with {}; install python3-venv, go online once, or name one in VIGIL_TEST_PYTHON", packages.join(", "));
        return None;
    }
    std::fs::write(&installed, wanted).expect("target/tmp can be written in");
    Some(python)
}

fn ran(command: &mut Command) -> bool {
    let output = command.stdin(Stdio::null()).output();
    let well = output.as_ref().is_ok_and(|output| output.status.success());
    if !well {
        println!(
            "{command:?}: {}",
            output.map_or_else(|error| error.to_string(), |output| String::from_utf8_lossy(&output.stderr).into_owned())
        );
    }
    well
}
