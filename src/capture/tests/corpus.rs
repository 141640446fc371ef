//! Real captures beside the project, where they are there: as many frames as the tools of the field count.

use super::*;
use serde_json::Value;

/// The captures of a manifest with the frames that it says they hold.
fn listed(list: &str, pick: impl Fn(&Value) -> Option<(&str, u64)>) -> Option<Vec<(PathBuf, u64)>> {
    let project = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let folder = Path::new(&project).join("../shared").join(list);
    let manifest = std::fs::read(&folder).ok().or_else(|| {
        println!("skipped: {} is not there", folder.display());
        None
    })?;
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let rows = manifest.as_array().or_else(|| manifest["captures"].as_array()).unwrap();
    Some(rows.iter().filter_map(&pick).map(|(name, packets)| (folder.with_file_name("captures").join(name), packets)).collect())
}

/// Differences must be explained by rows of damage.
fn compare(captures: &[(PathBuf, u64)]) {
    let (mut unexplained, mut frames) = (Vec::new(), 0);
    for (path, packets) in captures.iter().filter(|(path, _)| path.exists()) {
        let reading = read(&[path]);
        frames += reading.frames.len();
        let explained = reading.damage.iter().any(|damage| damage.kind.loses_evidence());
        if reading.frames.len() as u64 != *packets {
            println!("{}: {} frames, listed {packets}: {:?}", path.display(), reading.frames.len(), reading.damage.first());
            if !explained {
                unexplained.push(path.clone());
            }
        }
    }
    println!("{} captures listed, {frames} frames read", captures.len());
    assert_eq!(unexplained, Vec::<PathBuf>::new());
    assert!(frames > 0);
}

#[test]
#[ignore = "slow: reads every capture of the corpus"]
fn the_corpus_has_as_many_frames_as_its_list_says() {
    if let Some(captures) = listed("corpus/truth.json", |row| Some((row["file"].as_str()?, row["packets"].as_u64()?))) {
        compare(&captures);
    }
}

#[test]
#[ignore = "slow: reads every golden capture"]
fn the_golden_captures_have_as_many_frames_as_their_list_says() {
    if let Some(captures) = listed("golden/MANIFEST.json", |row| Some((row["name"].as_str()?, row["packets"].as_u64()?))) {
        compare(&captures);
    }
}
