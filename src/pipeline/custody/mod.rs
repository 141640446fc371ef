//! Who did what to a case, and whether it is still what it was.

mod again;
mod verify;

pub use again::{Reproduced, reproduce};
pub use verify::{Check, State, Verified, verify};

use super::Error;
use crate::store::journal;
use ring::digest::{SHA256, digest};
use serde_json::Value;
use std::path::Path;

/// SHA-256, hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Notes in the journal what was done to a case, and which vigil did it.
pub fn record(folder: &Path, action: &str, mut detail: Value) -> Result<journal::Entry, Error> {
    if let Value::Object(fields) = &mut detail {
        fields.insert("vigil".into(), env!("CARGO_PKG_VERSION").into());
    }
    Ok(journal::append(folder, action, detail)?)
}
