//! The order of the modules in `src/lib.rs` is the rule: a floor uses only the floors before it.

use crate::{files, relative, root};
use std::path::Path;

/// Floors in the order in which `lib.rs` declares them.
fn floors(lib: &str) -> Vec<&str> {
    lib.lines().filter_map(|line| line.trim().strip_prefix("pub mod ")?.strip_suffix(';')).collect()
}

/// Names of the crate's modules that `source` uses: behind `crate::`, in groups, and by climbing out with `super`.
///
/// `depth` is how many `super` lead from the file to the root of the crate.
fn uses(source: &str, depth: usize) -> Vec<String> {
    let code: String = source.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect();
    let climbed = "super::".repeat(depth);
    let mut names = Vec::new();
    for way in ["crate::", climbed.as_str()] {
        for (at, _) in code.match_indices(way) {
            let longer_word = code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':');
            if !longer_word {
                names.extend(first_names(&code[at + way.len()..]));
            }
        }
    }
    names
}

/// The first name of a path, or of every path of a group.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| text.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut names, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(name(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(name(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    names
}

/// Modules between the root of the crate and the file: `src/flow/tcp.rs` is `flow::tcp`, two.
fn depth(file: &Path) -> usize {
    let parts = file.with_extension("").components().count();
    if file.ends_with("mod.rs") { parts - 1 } else { parts }
}

#[test]
fn no_floor_reaches_forward() {
    let src = root().join("src");
    let lib = std::fs::read_to_string(src.join("lib.rs")).unwrap();
    let floors = floors(&lib);
    let place = |name: &str| floors.iter().position(|floor| *floor == name);
    let mut reaching = Vec::new();
    for path in files(&src, ".rs") {
        let file = path.strip_prefix(&src).unwrap();
        let first = file.components().next().unwrap().as_os_str().to_string_lossy();
        let Some(own) = place(first.trim_end_matches(".rs")) else { continue };
        for used in uses(&std::fs::read_to_string(&path).unwrap(), depth(file)) {
            if place(&used).is_some_and(|used| used > own) {
                reaching.push(format!("{} is on floor {} and uses {used}", relative(&path), floors[own]));
            }
        }
    }
    assert!(reaching.is_empty(), "a floor may use only the floors before it in src/lib.rs:\n{}", reaching.join("\n"));
}

#[test]
fn every_floor_of_the_plan_exists() {
    let src = root().join("src");
    let lib = std::fs::read_to_string(src.join("lib.rs")).unwrap();
    let floors = floors(&lib);
    assert_eq!(floors.first(), Some(&"model"));
    assert_eq!(floors.last(), Some(&"cli"));
    for floor in floors {
        assert!(src.join(floor).join("mod.rs").exists() || src.join(floor).with_extension("rs").exists(), "no module {floor}");
    }
}

#[test]
fn uses_are_seen_in_every_form() {
    let source = "use crate::flow;\nuse crate::{model::{Ts, capture::X}, report};\n// crate::cli is only talked about\n\
                  fn f() { crate::detect::run(super::super::serve::go()); $crate::store!(); mycrate::enrich(); }";
    assert_eq!(uses(source, 2), ["flow", "model", "report", "detect", "store", "serve"]);
    assert_eq!([depth(Path::new("flow/mod.rs")), depth(Path::new("flow/tcp.rs")), depth(Path::new("cli.rs"))], [1, 2, 1]);
}
