//! Tests of the house as a whole, in one binary: one link.

#![allow(clippy::unwrap_used, clippy::panic)] // Helpers of tests say no as tests do.

mod carve;
mod command_line;
mod corpus;
mod counting;
mod custody;
mod damage;
mod desk;
mod evaluation;
mod exports;
mod floor_plan;
mod hostile;
mod hosts;
mod house_rules;
mod live;
mod narrative;
mod knowledge;
mod notebook;
mod notes;
mod offline;
mod open_case;
mod python;
mod proofs;
mod rules;
mod same_case;
mod serve;

use std::path::{Path, PathBuf};

/// The project's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below `folder` whose names end so, sorted; none if there is no such folder.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let below = |path: PathBuf| if path.is_dir() { files(&path, ending) } else { vec![path] };
    paths.into_iter().flat_map(below).filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}

/// A path as people say it: from the project's root.
fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
