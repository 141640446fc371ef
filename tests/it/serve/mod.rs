//! A case over HTTP: a real server on a free port, real requests.

mod access;
mod api;
mod browser;
mod captures;
mod chromium;
mod fuzz;
mod live;
mod load;
mod pages;
mod sql;
mod stream;
mod tls;

use crate::desk::{Desk, demo};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// How long any single answer may take here, busy machines included.
const PATIENCE: Duration = Duration::from_secs(90);

/// A server that ends with its value.
pub struct Server {
    child: Child,
    pub addr: SocketAddr,
    pub desk: Desk,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// That it went well.
    #[track_caller]
    pub fn well(self) -> Self {
        assert_eq!(self.status, 200, "{self:?}");
        self
    }
}

/// A copy of the demo's case, so that what a test notes in its journal stays its own, served with `args`.
pub fn serve_demo(args: &[&str]) -> Server {
    let desk = Desk::new();
    copy(demo(), &desk.path("demo.vigil"));
    serve(desk, "demo.vigil", args)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Asks again and again until the answer is the one that is wanted.
#[track_caller]
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: waited {PATIENCE:?} in vain");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Serves a case on the desk on a free port of loopback.
pub fn serve(desk: Desk, case: &str, args: &[&str]) -> Server {
    let addr: &[&str] = if args.contains(&"--addr") { &[] } else { &["--addr", "127.0.0.1:0"] };
    let mut command = desk.command([&["serve", case], addr, args].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("vigil starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe was asked for")).read_line(&mut line).expect("it says where it listens");
    Server { child, addr: told(&line), desk }
}

/// The address in what a server says when it listens.
fn told(line: &str) -> SocketAddr {
    let addr = line.trim().trim_start_matches("http://").trim_start_matches("https://").trim_end_matches('/');
    addr.replace("0.0.0.0", "127.0.0.1").parse().unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

impl Server {
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, &[("Content-Type", "application/json")], &body.to_string())
    }

    pub fn sql(&self, query: &str) -> Answer {
        self.post("/api/v1/sql", &serde_json::json!({ "query": query }))
    }

    /// A request with headers beside the usual ones; a `Host` among them replaces ours.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request += &format!("Host: {}\r\n", self.addr);
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if method != "GET" || !body.is_empty() {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        self.raw(format!("{request}\r\n{body}").as_bytes())
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.addr).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends these bytes and reads until the server closes.
    pub fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect();
        // The server may refuse before it has read all.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        read(&bytes)
    }
}

fn read(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
    let headers: Vec<(String, String)> =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.into(), value.into())).collect();
    let chunked = headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("transfer-encoding") && value == "chunked");
    let body = if chunked { unchunked(body) } else { body.to_string() };
    Answer { status, headers, body }
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        whole += rest.get(..size).unwrap_or_default();
        body = rest.get(size + 2..).unwrap_or_default();
    }
    whole
}
