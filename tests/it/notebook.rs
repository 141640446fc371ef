//! The tour runs from its first cell to its last, and its outputs are not kept in the repository.

use crate::desk::{Said, demo};
use crate::python::{DUCKDB, python};
use crate::root;
use serde_json::Value;
use std::process::Command;

const TOUR: &str = "notebooks/tour.ipynb";

/// Executes the notebook in its folder and prints, per cell of code, the kinds of its outputs.
const EXECUTE: &str = r#"
import json, os, sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": os.path.dirname(sys.argv[1])}}).execute()
kinds = lambda cell: sorted({kind for output in cell.outputs for kind in output.get("data", {output.get("name", "error"): 0})})
print(json.dumps([kinds(cell) for cell in notebook.cells if cell.cell_type == "code"]))
"#;

#[test]
fn the_tour_runs_from_top_to_bottom() {
    let packages = [DUCKDB, "polars", "pyarrow", "matplotlib", "nbclient", "nbformat", "ipykernel"];
    let Some(python) = python("notebook", &packages) else { return };
    let said = Said::of({
        let mut command = Command::new(&python);
        command.args(["-c", EXECUTE]).arg(root().join(TOUR)).env("VIGIL_CASE", demo());
        // The kernel must be the Python beside it, not one that happens to be installed.
        command.env("JUPYTER_PATH", python.parent().and_then(|bin| bin.parent()).expect("a venv").join("share/jupyter"));
        command
    });
    assert!(said.code == 0, "{}", said.err);
    let outputs = said.json();
    let outputs: Vec<&Value> = outputs.as_array().unwrap().iter().collect();
    let shows = |kind: &str| outputs.iter().filter(|kinds| kinds.as_array().unwrap().iter().any(|shown| shown == kind)).count();
    assert!(outputs.len() >= 6 && shows("text/html") >= 4 && shows("image/png") >= 1, "{outputs:?}");
    assert_eq!(shows("error") + shows("stderr"), 0, "{outputs:?}");
}

#[test]
fn the_tour_is_kept_without_outputs() {
    let text = std::fs::read_to_string(root().join(TOUR)).expect("the tour is there");
    let notebook: Value = serde_json::from_str(&text).expect("a notebook is JSON");
    for cell in notebook["cells"].as_array().unwrap() {
        let kept = cell["outputs"].as_array().is_some_and(|outputs| !outputs.is_empty()) || cell["execution_count"].is_number();
        assert!(!kept, "strip the outputs before committing: {}", cell["source"]);
    }
}
