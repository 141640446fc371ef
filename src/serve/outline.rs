//! What a case is about, read from its small files: a list of cases opens none of them.

use super::described::message;
use crate::model::{Severity, Ts};
use crate::store::folder::files;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Bytes read of one file: findings beyond are not counted.
const BYTES: u64 = 32 << 20;

message! {
    /// A case in one line.
    #[derive(Clone, Debug, Default, Serialize)]
    pub struct Outline {
        /// Findings.
        pub findings: u64,
        /// The gravest of them; none without findings.
        pub severity: Option<Severity>,
        /// Frames of its evidence, where the manifest says so.
        pub frames: Option<u64>,
        /// Bytes of its evidence, where the manifest says so.
        pub bytes: Option<u64>,
        /// When its first frame was captured, RFC 3339.
        pub first_ts: Option<String>,
    }
}

#[derive(Deserialize)]
struct Line {
    severity: Severity,
}

/// Reads it. A file that is missing or odd leaves its part empty. Blocks.
pub fn read(folder: &Path) -> Outline {
    let mut outline = Outline::default();
    if let Ok(file) = File::open(folder.join(files::FINDINGS)) {
        for line in BufReader::new(file.take(BYTES)).lines().map_while(Result::ok) {
            let Ok(line) = serde_json::from_str::<Line>(&line) else { continue };
            outline.findings += 1;
            outline.severity = outline.severity.max(Some(line.severity));
        }
    }
    let manifest =
        File::open(folder.join(files::MANIFEST)).ok().and_then(|file| serde_json::from_reader::<_, Value>(file.take(BYTES)).ok());
    let evidence =
        manifest.as_ref().and_then(|manifest| manifest.pointer("/run/evidence")?.as_array()).map(Vec::as_slice).unwrap_or_default();
    if !evidence.is_empty() {
        let sum = |name: &str| evidence.iter().filter_map(|one| one.get(name)?.as_u64()).fold(0, u64::saturating_add);
        let first: Option<Ts> = evidence.iter().filter_map(|one| one.get("first_ts")?.as_i64()).min();
        (outline.frames, outline.bytes) = (Some(sum("frames")), Some(sum("bytes")));
        outline.first_ts = first.map(crate::model::time::rfc3339);
    }
    outline
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_told_by_its_small_files_and_an_odd_one_by_what_it_has() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).findings, 0);
        std::fs::write(folder.path().join(files::FINDINGS), "{\"severity\":\"low\"}\n{\"severity\":\"high\"}\nx\n").unwrap();
        std::fs::write(folder.path().join(files::MANIFEST), r#"{"run":{"evidence":[{"frames":3,"bytes":10,"first_ts":0},{"frames":4}]}}"#)
            .unwrap();
        let outline = read(folder.path());
        assert_eq!((outline.findings, outline.severity, outline.frames, outline.bytes), (2, Some(Severity::High), Some(7), Some(10)));
        assert_eq!(outline.first_ts.as_deref(), Some("1970-01-01T00:00:00.000000Z"));
    }
}
