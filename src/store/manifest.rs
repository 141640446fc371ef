//! `manifest.json`: what made the case. It stands from the first moment on, so that a folder is known as ours even if
//! the analysis is broken off.

use super::folder::files;
use super::{Result, StoreError, schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

const KIND: &str = "vigil-case";

/// The part of a manifest that every vigil can read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Always `vigil-case`.
    pub kind: String,
    /// Version of the tables.
    pub schema: u32,
    /// vigil's version.
    pub vigil: String,
    /// The analysis ended.
    pub complete: bool,
}

impl Head {
    fn new(complete: bool) -> Self {
        Self { kind: KIND.into(), schema: schema::VERSION, vigil: env!("CARGO_PKG_VERSION").into(), complete }
    }
}

#[derive(Serialize)]
struct Manifest<'a, T> {
    #[serde(flatten)]
    head: Head,
    run: &'a T,
    #[serde(flatten)]
    seals: &'a Seals,
}

/// Hashes of what the case is made of: what `vigil verify` compares with.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Seals {
    /// Of each table's rows in stored order.
    pub tables: BTreeMap<String, String>,
    /// SHA-256 of each file.
    pub files: BTreeMap<String, String>,
}

/// Claims the folder.
pub fn begin(folder: &Path) -> Result<()> {
    write(folder, &Head::new(false))
}

/// Says that the case is whole, how it came about (`run`), and by which hashes it can be known.
pub fn complete(folder: &Path, run: &impl Serialize, seals: &Seals) -> Result<()> {
    write(folder, &Manifest { head: Head::new(true), run, seals })
}

/// Writes beside and renames, so that a manifest is never half written.
fn write(folder: &Path, value: &impl Serialize) -> Result<()> {
    let path = folder.join(files::MANIFEST);
    let failed = || StoreError::file("write", &path);
    let beside = folder.join("manifest.json.new");
    let mut text = serde_json::to_vec_pretty(value).map_err(std::io::Error::from).map_err(failed())?;
    text.push(b'\n');
    let mut file = fs::File::create(&beside).map_err(failed())?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed())?;
    fs::rename(&beside, &path).map_err(failed())
}

/// The whole manifest as JSON.
pub fn read_all(folder: &Path) -> Result<serde_json::Value> {
    let text = fs::read(folder.join(files::MANIFEST)).map_err(|_| StoreError::NotACase(folder.into()))?;
    serde_json::from_slice(&text).map_err(|_| StoreError::NotACase(folder.into()))
}

/// The head of the manifest in `folder`.
pub fn read(folder: &Path) -> Result<Head> {
    let head: Head = serde_json::from_value(read_all(folder)?).map_err(|_| StoreError::NotACase(folder.into()))?;
    if head.kind == KIND { Ok(head) } else { Err(StoreError::NotACase(folder.into())) }
}
