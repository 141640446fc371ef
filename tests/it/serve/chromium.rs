//! A browser without a window, told over pipes what to do: Chrome's DevTools protocol, one JSON message after another, each ended by a zero.

use super::PATIENCE;
use crate::desk::{Said, usable};
use base64::Engine;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const BROWSER: &str = "chromium";
const FLAGS: &str = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update \
    --disable-sync --hide-scrollbars --remote-debugging-pipe --host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'";
static INSTALLING: Mutex<()> = Mutex::new(());

/// Whether there is a browser; one is installed where that is allowed.
pub fn there_is_one() -> bool {
    let _one = INSTALLING.lock().unwrap();
    let there = || Command::new(BROWSER).arg("--version").stdin(Stdio::null()).output().is_ok_and(|output| output.status.success());
    if !there() && is_root() {
        let said = Said::of({
            let mut command = Command::new("apt-get");
            command.args(["install", "-y", "-qq", BROWSER]).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
            command
        });
        println!("apt-get install {BROWSER}: {}", said.code);
    }
    usable(BROWSER, &["--version"])
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n")) && usable("apt-get", &["--version"])
}

/// One page in a browser.
pub struct Page {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    session: String,
    last: u64,
    /// Everything that the page said on the console, or asked of another host.
    pub complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Page {
    /// An empty page; what it downloads goes into `downloads`.
    pub fn new(downloads: &Path) -> Self {
        let profile = tempfile::tempdir().unwrap();
        // The protocol is spoken on the descriptors 3 and 4.
        let run = format!("exec {BROWSER} {FLAGS} --user-data-dir='{}' 3<&0 4>&1 </dev/null >/dev/null 2>&1", profile.path().display());
        let mut child = Command::new("sh").args(["-c", &run]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let (send, receive) = channel();
        std::thread::spawn(move || {
            for message in from.split(0).map_while(Result::ok) {
                if serde_json::from_slice(&message).is_ok_and(|message: Value| send.send(message).is_err()) {
                    return;
                }
            }
        });
        let mut page = Self { child, to, from: receive, session: String::new(), last: 0, complaints: Vec::new(), _profile: profile };
        let target = page.ask("Target.createTarget", json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = page.ask("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        page.session = attached["sessionId"].as_str().expect("a session").into();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.ask(&format!("{domain}.enable"), json!({}));
        }
        page.ask("Page.setDownloadBehavior", json!({ "behavior": "allow", "downloadPath": downloads }));
        page
    }

    /// Sends a command and waits for its answer.
    #[track_caller]
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        self.try_ask(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The same; `Err` is what the browser says instead of an answer.
    fn try_ask(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = self.session.as_str().into();
        }
        self.to.write_all(format!("{message}\0").as_bytes()).expect("the browser listens");
        let began = Instant::now();
        loop {
            let heard = self.from.recv_timeout(PATIENCE.saturating_sub(began.elapsed())).unwrap_or_else(|why| panic!("{method}: {why}"));
            if heard["id"] == self.last {
                return heard.get("error").map_or_else(|| Ok(heard["result"].clone()), |error| Err(error.clone()));
            }
            self.note(&heard);
        }
    }

    fn note(&mut self, event: &Value) {
        let params = &event["params"];
        let complaint = match event["method"].as_str() {
            Some("Runtime.consoleAPICalled") if ["error", "warning", "assert"].contains(&params["type"].as_str().unwrap_or_default()) => {
                params
            }
            Some("Runtime.exceptionThrown") => params,
            // Chromium's own hints on forms are about pages in general.
            Some("Log.entryAdded") if params["entry"]["level"] == "error" => params,
            Some("Network.requestWillBeSent") => {
                let url = params["request"]["url"].as_str().unwrap_or_default();
                if url.starts_with("http://127.0.0.1:") || url.starts_with("data:") || url.starts_with("blob:") {
                    return;
                }
                params
            }
            _ => return,
        };
        self.complaints.push(complaint.to_string().chars().take(600).collect());
    }

    /// Goes there, and waits until the page is whole.
    pub fn go(&mut self, url: &str) {
        self.ask("Page.navigate", json!({ "url": url }));
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'");
    }

    /// The value of an expression, promises awaited.
    pub fn eval(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true });
        let answer = self.ask("Runtime.evaluate", asked);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true, navigations included.
    #[track_caller]
    pub fn until(&mut self, expression: &str) {
        let began = Instant::now();
        loop {
            let asked = json!({ "expression": format!("!!({expression})"), "returnByValue": true });
            // A page that goes away while it is asked is not there yet: the next one is asked again.
            if self.try_ask("Runtime.evaluate", asked).is_ok_and(|answer| answer["result"]["value"] == true) {
                return;
            }
            if began.elapsed() > PATIENCE {
                let text = self.eval("location.href + '\\n' + document.body?.innerText.slice(0, 2000)");
                panic!("never true: {expression}\n{}", text.as_str().unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Presses a key.
    pub fn press(&mut self, key: &str) {
        let text = if key == "Enter" { "\r" } else { key };
        let code = if key == "Enter" { 13 } else { u32::from(key.to_ascii_uppercase().as_bytes()[0]) };
        let event = |kind: &str| json!({ "type": kind, "key": key, "text": text, "windowsVirtualKeyCode": code });
        self.ask("Input.dispatchKeyEvent", event("keyDown"));
        self.ask("Input.dispatchKeyEvent", json!({ "type": "keyUp", "key": key, "windowsVirtualKeyCode": code }));
    }

    /// Drops a file on the page.
    pub fn drop_file(&mut self, name: &str, bytes: &[u8]) {
        let coded = base64::engine::general_purpose::STANDARD.encode(bytes);
        self.eval(&format!(
            "(() => {{
                const bytes = Uint8Array.from(atob('{coded}'), (c) => c.charCodeAt(0));
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([bytes], '{name}'));
                for (const kind of ['dragover', 'drop']) document.body.dispatchEvent(new DragEvent(kind, {{ dataTransfer, bubbles: true, cancelable: true }}));
            }})()"
        ));
    }

    /// Says what the page complained of so far, and forgets it.
    pub fn complaints(&mut self) -> Vec<String> {
        // What was said before this answer has been heard after it.
        self.eval("0");
        std::mem::take(&mut self.complaints)
    }
}
