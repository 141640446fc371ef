//! Every notebook runs from its first cell to its last, and no outputs are kept in the repository.

use crate::desk::{Said, VIGIL, demo};
use crate::python::{DUCKDB, python};
use crate::root;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// Each with how many of its cells show a table and a picture at least.
const NOTEBOOKS: [(&str, usize, usize); 4] = [("tour", 4, 1), ("beacon-hunt", 3, 2), ("baseline", 4, 2), ("evaluation", 2, 1)];

/// Executes the notebook in its folder and prints, per cell of code, the kinds of its outputs.
const EXECUTE: &str = r#"
import json, os, sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=1800, kernel_name="python3", resources={"metadata": {"path": os.path.dirname(sys.argv[1])}}).execute()
kinds = lambda cell: sorted({kind for output in cell.outputs for kind in output.get("data", {output.get("name", "error"): 0})})
print(json.dumps([kinds(cell) for cell in notebook.cells if cell.cell_type == "code"]))
"#;

#[test]
fn the_notebooks_run_from_top_to_bottom() {
    let packages = [DUCKDB, "polars", "pyarrow", "matplotlib", "nbclient", "nbformat", "ipykernel"];
    let Some(python) = python("notebook", &packages) else { return };
    for (name, tables, pictures) in NOTEBOOKS {
        let mut command = Command::new(&python);
        command.args(["-c", EXECUTE]).arg(path(name)).env("VIGIL_CASE", demo()).env("VIGIL", VIGIL);
        // The kernel must be the Python beside it, not one that happens to be installed.
        command.env("JUPYTER_PATH", python.parent().and_then(|bin| bin.parent()).expect("a venv").join("share/jupyter"));
        let said = Said::of(command);
        assert!(said.code == 0, "{name}: {}", said.err);
        let outputs = said.json();
        let outputs: Vec<&Value> = outputs.as_array().unwrap().iter().collect();
        let shows = |kind: &str| outputs.iter().filter(|kinds| kinds.as_array().unwrap().iter().any(|shown| shown == kind)).count();
        assert!(shows("text/html") >= tables && shows("image/png") >= pictures, "{name}: {outputs:?}");
        assert_eq!(shows("error") + shows("stderr"), 0, "{name}: {outputs:?}");
    }
}

#[test]
fn the_notebooks_are_kept_without_outputs_and_all_of_them_are_run() {
    let kept: Vec<String> = std::fs::read_dir(root().join("notebooks"))
        .expect("the notebooks are there")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".ipynb").map(str::to_string))
        .collect();
    assert_eq!(kept.len(), NOTEBOOKS.len(), "{kept:?}");
    for name in kept {
        let text = std::fs::read_to_string(path(&name)).expect("the notebook is there");
        let notebook: Value = serde_json::from_str(&text).expect("a notebook is JSON");
        for cell in notebook["cells"].as_array().unwrap() {
            let kept = cell["outputs"].as_array().is_some_and(|outputs| !outputs.is_empty()) || cell["execution_count"].is_number();
            assert!(!kept, "strip the outputs of {name} before committing: {}", cell["source"]);
        }
    }
}

fn path(name: &str) -> PathBuf {
    root().join("notebooks").join(format!("{name}.ipynb"))
}
