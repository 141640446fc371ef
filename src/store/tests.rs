//! The store as a whole.

use super::*;

#[test]
fn an_empty_case_can_be_finished() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("x.vigil");
    let mut case = Case::create(&folder, &Options::default(), Replace::No).unwrap();
    case.seal().unwrap();
    case.finish(&serde_json::json!({})).unwrap();
    assert!(folder.join("case.duckdb").exists() && folder.join("packets.parquet").exists());
    assert!(!folder.join("tmp").exists());
}
