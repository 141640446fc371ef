//! Captures that are sent here: written to a folder, analysed one at a time by `vigil analyze` in a process of its own, and put on the shelf.

use super::child::own_program;
use super::described::message;
use super::problem::Problem;
use super::{Options, Shared};
use crate::pipeline::{case_name, custody};
use axum::body::Body;
use hyper::body::Body as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::sync::Semaphore;

/// Captures that may wait for their turn, received ones included.
const WAITING: usize = 8;
/// Analyses remembered.
const REMEMBERED: usize = 100;
/// A sender that sends nothing for so long is let go.
const SILENCE: Duration = Duration::from_secs(30);
/// Listeners hear of progress this often.
const TELL: Duration = Duration::from_millis(300);
/// Characters of a name.
const NAME: usize = 80;

message! {
    /// A capture that was sent here, and what became of it.
    #[derive(Clone, Debug, Default, Serialize)]
    pub struct Analysis {
        /// Number, from 1.
        pub id: u64,
        /// Name of the capture.
        pub name: String,
        /// Who sent it.
        pub by: String,
        /// `receiving`, `waiting`, `analysing`, `done` or `failed`.
        pub state: &'static str,
        /// What the analysis is at: `reading`, `storing`, `detecting`, `reporting`.
        pub stage: String,
        /// Bytes received, or read.
        pub bytes: u64,
        /// Bytes in all, if that is known.
        pub bytes_total: Option<u64>,
        /// Frames read.
        pub frames: u64,
        /// Flows under way.
        pub flows: u64,
        /// The case that came of it, to be asked below `/cases/NAME/`.
        pub case: Option<String>,
        /// Why there is none.
        pub why: Option<String>,
    }
}

/// A line of `vigil analyze --tell`.
#[derive(Debug, Deserialize)]
struct Told {
    stage: String,
    bytes: u64,
    bytes_total: Option<u64>,
    frames: u64,
    flows: u64,
}

/// All analyses of this server.
pub struct Analyses {
    folder: Option<PathBuf>,
    most: u64,
    all: Mutex<Vec<Analysis>>,
    turn: Semaphore,
    places: Semaphore,
}

impl Analyses {
    /// None so far.
    pub fn new(options: &Options) -> Self {
        let (folder, most) = (options.captures.clone(), options.capture_bytes);
        Self { folder, most, all: Mutex::default(), turn: Semaphore::new(1), places: Semaphore::new(WAITING) }
    }

    /// Whether captures are taken.
    pub fn taken(&self) -> bool {
        self.folder.is_some()
    }

    /// All of them, the latest first.
    pub fn all(&self) -> Vec<Analysis> {
        self.list().iter().rev().cloned().collect()
    }

    /// One of them.
    pub fn one(&self, id: u64) -> Option<Analysis> {
        self.list().iter().find(|analysis| analysis.id == id).cloned()
    }

    fn list(&self) -> MutexGuard<'_, Vec<Analysis>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, name: &str, by: &str) -> Analysis {
        let mut all = self.list();
        let id = all.last().map_or(0, |last| last.id) + 1;
        let analysis = Analysis { id, name: name.into(), by: by.into(), state: "receiving", ..Analysis::default() };
        all.push(analysis.clone());
        if all.len() > REMEMBERED {
            all.remove(0);
        }
        analysis
    }
}

/// What is being done about one capture. Dropped without an end, it failed: its sender went away.
struct Work {
    server: Shared,
    about: Analysis,
    told: Option<Instant>,
    ended: bool,
}

impl Work {
    fn now(&mut self, change: impl FnOnce(&mut Analysis)) {
        let before = (self.about.state, self.about.stage.clone());
        change(&mut self.about);
        if let Some(own) = self.server.analyses.list().iter_mut().find(|own| own.id == self.about.id) {
            own.clone_from(&self.about);
        }
        if before != (self.about.state, self.about.stage.clone()) || self.told.is_none_or(|told| told.elapsed() >= TELL) {
            self.told = Some(Instant::now());
            self.server.news.tell("analysis", None, json!(self.about));
        }
    }

    fn failed(mut self, why: &str) {
        self.ended = true;
        let why = crate::report::visible(why).into_owned();
        self.now(|about| (about.state, about.why) = ("failed", Some(why)));
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if !self.ended {
            self.ended = true;
            self.now(|about| (about.state, about.why) = ("failed", Some("the capture did not arrive whole".into())));
        }
    }
}

/// Takes a capture and has it analysed; returns once it is received.
pub async fn receive(server: &Shared, name: &str, by: &str, total: Option<u64>, body: Body) -> Result<Analysis, Problem> {
    let analyses = &server.analyses;
    let refused = || Problem::Forbidden("this server takes no captures; start it with --captures DIR".into());
    let folder = analyses.folder.as_ref().ok_or_else(refused)?;
    let too_large = || Problem::TooLarge(format!("a capture may have {} bytes here; see --capture-size", analyses.most));
    if total.is_some_and(|total| total > analyses.most) {
        return Err(too_large());
    }
    let place = analyses.places.try_acquire().map_err(|_| Problem::Busy)?;
    let name = plain(name);
    let about = analyses.begin(&name, by);
    let mut work = Work { server: server.clone(), about, told: None, ended: false };
    let part = Part(folder.join(format!(".{name}.{}.part", work.about.id)));
    let received = stored(&mut work, &part.0, total, body, analyses.most).await;
    let evidence = match received.and_then(|()| settled(&part.0, folder, &name).map_err(Stopped::Disk)) {
        Ok(evidence) => evidence,
        Err(Stopped::TooLarge) => {
            work.failed("it is larger than this server takes");
            return Err(too_large());
        }
        Err(Stopped::Broken) => return Err(Problem::Wrong("the capture did not arrive whole".into())),
        Err(Stopped::Empty) => {
            work.failed("it is empty");
            return Err(Problem::Wrong("the capture is empty".into()));
        }
        Err(Stopped::Disk(error)) => {
            work.failed(&format!("it cannot be stored: {error}"));
            return Err(Problem::Ours(format!("a capture cannot be stored in '{}': {error}", folder.display())));
        }
    };
    place.forget();
    work.now(|about| about.state = "waiting");
    let about = work.about.clone();
    tokio::spawn(analyse(work, evidence));
    Ok(about)
}

/// Why a capture was not received.
enum Stopped {
    TooLarge,
    Broken,
    Empty,
    Disk(std::io::Error),
}

/// A file that goes away unless it was moved.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn stored(work: &mut Work, path: &Path, total: Option<u64>, body: Body, most: u64) -> Result<(), Stopped> {
    let mut file = tokio::fs::OpenOptions::new().write(true).create_new(true).open(path).await.map_err(Stopped::Disk)?;
    let mut body = body;
    let mut bytes = 0_u64;
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let frame = match tokio::time::timeout(SILENCE, frame).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(None) => break,
            Ok(Some(Err(_))) | Err(_) => return Err(Stopped::Broken),
        };
        let Ok(data) = frame.into_data() else { continue };
        bytes += data.len() as u64;
        if bytes > most {
            return Err(Stopped::TooLarge);
        }
        file.write_all(&data).await.map_err(Stopped::Disk)?;
        work.now(|about| (about.bytes, about.bytes_total) = (bytes, total));
    }
    file.flush().await.map_err(Stopped::Disk)?;
    if bytes == 0 { Err(Stopped::Empty) } else { Ok(()) }
}

/// Gives the capture its name: its own if neither a file nor a case is called so, else with a number.
fn settled(part: &Path, folder: &Path, name: &str) -> std::io::Result<PathBuf> {
    for number in 1..10_000 {
        let path = folder.join(if number == 1 { name.to_string() } else { numbered(name, number) });
        if folder.join(case_name(&path)).exists() {
            continue;
        }
        // Unlike a rename, a link never replaces what is there.
        match std::fs::hard_link(part, &path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            linked => return linked.map(|()| path),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

/// `dump.pcap` as `dump-2.pcap`.
fn numbered(name: &str, number: u32) -> String {
    name.split_once('.').map_or_else(|| format!("{name}-{number}"), |(stem, ending)| format!("{stem}-{number}.{ending}"))
}

/// A name that is a plain file's anywhere.
fn plain(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let name: String = last.chars().map(plain).take(NAME).collect();
    let name = name.trim_matches('.');
    if name.is_empty() { "capture.pcap".into() } else { name.into() }
}

async fn analyse(mut work: Work, evidence: PathBuf) {
    let server = work.server.clone();
    let analyses = &server.analyses;
    let turn = analyses.turn.acquire().await;
    work.now(|about| (about.state, about.bytes) = ("analysing", 0));
    let folder = evidence.parent().unwrap_or(Path::new(".")).join(case_name(&evidence));
    let ended = run(&mut work, &evidence, &folder).await;
    drop(turn);
    analyses.places.add_permits(1);
    match ended {
        Err(why) => {
            // What is no capture is nobody's evidence, and whoever sent it has it.
            if !folder.exists() {
                let _ = tokio::fs::remove_file(&evidence).await;
            }
            work.failed(&why);
        }
        Ok(()) => {
            let detail = json!({ "capture": work.about.name, "by": work.about.by });
            let (own, noted) = (folder.clone(), detail);
            let noted = tokio::task::spawn_blocking(move || custody::record(&own, "received", noted)).await;
            if let Ok(Err(error)) = noted {
                server.news.tell("trouble", None, json!({ "says": error.to_string() }));
            }
            let case = server.shelf.add(&folder);
            work.ended = true;
            work.now(|about| (about.state, about.case) = ("done", Some(case)));
        }
    }
}

/// Runs `vigil analyze`, listening to how far it is.
async fn run(work: &mut Work, evidence: &Path, folder: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("the analysis could not be started: {error}");
    let mut command = own_program().map_err(failed)?;
    command.args(["analyze", "--tell", "--quiet", "--report", "html", "--out"]).arg(folder).arg("--").arg(evidence);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else { return Err("it has no voice".into()) };
    let words = tokio::spawn(async move {
        let mut last = String::new();
        let mut lines = BufReader::new(err).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            last = line.chars().take(500).collect();
        }
        last
    });
    let mut lines = BufReader::new(out).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Ok(told) = serde_json::from_str::<Told>(&line) {
            work.now(|about| {
                (about.stage, about.bytes, about.bytes_total, about.frames, about.flows) =
                    (told.stage, told.bytes, told.bytes_total, told.frames, told.flows);
            });
        }
    }
    let status = child.wait().await.map_err(failed)?;
    let words = words.await.unwrap_or_default();
    // 1: findings. 3: the evidence is damaged, which its case says.
    match status.code() {
        Some(0 | 1 | 3) if folder.exists() => Ok(()),
        _ if words.is_empty() => Err(format!("the analysis ended with {status}")),
        _ => Err(words.trim_start_matches("vigil: ").to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_a_plain_file_whatever_was_sent() {
        let names = ["../../etc/passwd", "C:\\dumps\\a b.pcap", "..", "", "x/", "ü.pcap", ".hidden", "a\u{202e}b\0.pcap"].map(plain);
        assert_eq!(names, ["passwd", "a_b.pcap", "capture.pcap", "capture.pcap", "capture.pcap", "_.pcap", "hidden", "a_b_.pcap"]);
        assert_eq!(plain(&"x".repeat(500)).len(), NAME);
    }

    #[test]
    fn nothing_that_is_there_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("dump.pcap.gz"), "evidence").unwrap();
        std::fs::create_dir(at("dump-2.vigil")).unwrap();
        std::fs::write(at(".part"), "new").unwrap();
        let settled = settled(&at(".part"), folder.path(), "dump.pcap.gz").unwrap();
        assert_eq!(settled, at("dump-3.pcap.gz"));
        assert_eq!(std::fs::read_to_string(at("dump.pcap.gz")).unwrap(), "evidence");
    }
}
