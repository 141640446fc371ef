//! The dashboard in a browser: it loads, says nothing on the console, and asks no other host.

use super::serve_demo;
use crate::desk::usable;
use std::process::Command;

const BROWSER: &str = "chromium";
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=5000",
];

#[test]
fn pages_load_without_a_word_on_the_console() {
    if !usable(BROWSER, &["--version"]) {
        return;
    }
    let server = serve_demo(&[]);
    for page in ["/", "/findings/F1", "/flows", "/sql", "/report"] {
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new(BROWSER);
        command.args(FLAGS).arg(format!("--user-data-dir={}", profile.path().display()));
        // Any other host would be looked up here, and fail with a word on the console.
        command.arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1");
        let said = command.arg("--dump-dom").arg(format!("http://{}{page}", server.addr)).output().unwrap();
        let (dom, log) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        let console: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
        assert!(console.is_empty(), "{page}: {console:?}");
        assert!(dom.contains("</html>") && dom.len() > 5_000, "{page}: {} bytes of DOM", dom.len());
        if page != "/report" {
            assert!(dom.contains("<dialog"), "{page}: the script ran");
        }
    }
}
