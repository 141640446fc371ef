//! Every operation of the OpenAPI document, as schemathesis thinks of asking them.

use super::{copy, serve};
use crate::desk::{Desk, Said, demo};
use crate::python::python;
use std::process::Command;

/// Checks that hold for any server. What the document promises of answers is checked as well. That nothing answers without a login is
/// tested in `access`: here every request has a key, beside which the fuzzer's own cookies and keys mean nothing.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

#[test]
fn no_request_that_the_document_allows_or_forbids_makes_the_server_fail() {
    let Some(python) = python("schemathesis", &["schemathesis==4.32.5"]) else { return };
    let desk = Desk::new();
    copy(demo(), &desk.path("demo.vigil"));
    let key = desk.vigil(["user", "key", "fuzz", "--role", "admin", "--users", "users.toml"]).out;
    let server = serve(desk, "demo.vigil", &["--login", "--users", "users.toml"]);
    let mut command = Command::new(python.with_file_name("schemathesis"));
    command.current_dir(server.desk.folder()).env("NO_COLOR", "1").env("NO_PROXY", "*");
    command.arg("run").arg(format!("http://{}/api/v1/openapi.json", server.addr));
    command.args(["--header", &format!("Authorization: Bearer {}", key.trim()), "--checks", CHECKS, "--phases", "fuzzing"]);
    // One worker: Python 3.11 counts the depth of its parser wrongly where two threads use it.
    // The stream has no end, and the fuzzer would fill the disk with captures; both have tests of their own.
    command.args(["--exclude-path-regex", "stream|captures$", "--max-examples", "3", "--seed", "1", "--workers", "1", "--no-shrink"]);
    command.args(["--request-timeout", "30", "--generation-database", "none"]);
    let said = Said::of(command);
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    let tested = said.out.lines().find_map(|line| line.trim().strip_prefix("Tested: ")?.parse::<u64>().ok());
    assert!(tested > Some(100), "{tested:?} operations were tested:\n{}", said.out);
    assert_eq!(server.ask("GET", "/api/v1/health", &[("Authorization", &format!("Bearer {}", key.trim()))], "").status, 200);
}
