//! SQL that people write, in a process of its own.
//!
//! DuckDB can be told to open no file, but not to allocate no string, and some of its functions do not hear an interruption: one
//! `repeat('x', 3000000000)` would outlive any time-out. A process can be ended whatever it does, and its memory, processor time and
//! files are bounded by the system. It opens the case read-only and closed in, and takes one statement that reads.

use super::problem::Problem;
use crate::serve::described::message;
use crate::store::{self, StoreError};
use duckdb::Connection;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;

/// Rows of an answer unless fewer are asked for.
pub const ROWS: usize = 10_000;
/// Bytes of an answer.
const BYTES: usize = 16 << 20;
/// Bytes of a statement.
pub const STATEMENT: usize = 64 << 10;
/// Bytes that DuckDB may hold.
const MEMORY: u64 = 512 << 20;
/// Bytes of address space: DuckDB's limit does not bound the strings it makes on the way.
const ADDRESS_SPACE: u64 = 4 << 30;
const THREADS: usize = 2;
/// Statements that run at once.
const AT_ONCE: usize = 2;
/// Statements that may wait for their turn: more would take the places of other requests.
const WAITING: usize = 16;
/// How long a statement waits for its turn.
const PATIENCE: Duration = Duration::from_secs(15);

message! {
    /// What came of a statement.
    #[derive(Debug, Serialize)]
    pub struct Answer {
        /// Names of the columns.
        pub columns: Vec<String>,
        /// Rows, each as long as `columns`. Whole numbers beyond 64 bits are text.
        pub rows: Vec<Vec<serde_json::Value>>,
        /// There is more than was asked for, or than fits.
        pub truncated: bool,
        /// How long it took.
        pub seconds: f64,
    }
}

/// A line from the process: the columns first, then rows, then how it ended.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Columns(Vec<String>),
    Row(Vec<serde_json::Value>),
    End { truncated: bool },
    Error(String),
}

/// Starts the processes.
pub struct Runner {
    folder: PathBuf,
    places: Arc<Places>,
}

/// How many may run and wait, over all cases.
struct Places {
    queue: Semaphore,
    running: Semaphore,
}

impl Runner {
    /// For the case in `folder`.
    pub fn new(folder: &Path) -> Self {
        let places = Places { queue: Semaphore::new(AT_ONCE + WAITING), running: Semaphore::new(AT_ONCE) };
        Self { folder: folder.into(), places: Arc::new(places) }
    }

    /// For another case, with the same places.
    pub fn of(&self, folder: &Path) -> Self {
        Self { folder: folder.into(), places: self.places.clone() }
    }

    /// Runs one statement for at most `timeout` and hands over at most `rows` rows.
    pub async fn run(&self, sql: &str, rows: usize, timeout: Duration) -> Result<Answer, Problem> {
        if sql.len() > STATEMENT {
            return Err(Problem::TooLarge(format!("a statement may have {STATEMENT} bytes")));
        }
        let _queued = self.places.queue.try_acquire().map_err(|_| Problem::Busy)?;
        let place = tokio::time::timeout(PATIENCE, self.places.running.acquire()).await.map_err(|_| Problem::Busy)?;
        let _place = place.map_err(|closed| Problem::Ours(closed.to_string()))?;
        let began = Instant::now();
        let said = tokio::time::timeout(timeout, self.converse(sql, rows.min(ROWS), timeout)).await;
        let late = || {
            Problem::Late(format!("the statement took longer than {} s and was ended; narrow it, or use `vigil sql`", timeout.as_secs()))
        };
        let mut answer = understood(&said.map_err(|_| late())??)?;
        answer.seconds = (began.elapsed().as_secs_f64() * 1e4).round() / 1e4;
        Ok(answer)
    }

    /// What the process says until it ends. Dropping the future ends the process.
    async fn converse(&self, sql: &str, rows: usize, timeout: Duration) -> Result<Vec<u8>, Problem> {
        let failed = |error: std::io::Error| Problem::Ours(format!("the process for SQL failed: {error}"));
        let mut command = super::child::own_program().map_err(failed)?;
        command.arg("sql-worker").arg(&self.folder).args(["--rows", &rows.to_string(), "--seconds", &timeout.as_secs().to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            // It may have ended before it read all: what it said counts.
            let _ = stdin.write_all(sql.as_bytes()).await;
        }
        let mut said = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            // Twice the cap: escapes make JSON longer than what was counted.
            stdout.take(2 * BYTES as u64).read_to_end(&mut said).await.map_err(failed)?;
        }
        let _ = child.start_kill();
        let _ = child.wait().await;
        Ok(said)
    }
}

fn understood(said: &[u8]) -> Result<Answer, Problem> {
    let mut answer = Answer { columns: Vec::new(), rows: Vec::new(), truncated: false, seconds: 0.0 };
    for line in said.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(Line::Columns(columns)) => answer.columns = columns,
            Ok(Line::Row(row)) => answer.rows.push(row),
            Ok(Line::Error(why)) => return Err(Problem::Wrong(why)),
            Ok(Line::End { truncated }) => {
                answer.truncated = truncated;
                return Ok(answer);
            }
            Err(_) => break,
        }
    }
    Err(Problem::Wrong("the statement was ended: it wanted more memory or processor time than it may have".into()))
}

/// The other side: reads one statement from standard input and answers on standard output. `seconds` bounds processor time, beside
/// the clock that the server keeps: a process whose server is gone should not run on.
pub fn worker(case: &Path, rows: usize, seconds: u64) -> Result<(), StoreError> {
    limit(seconds);
    let mut sql = String::new();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let written = |error| StoreError::file("write", Path::new("standard output"))(error);
    let answered = match std::io::stdin().take(STATEMENT as u64 + 1).read_to_string(&mut sql) {
        Ok(_) => {
            let open = store::open_read_only(case, MEMORY, THREADS)?;
            answer(open.connection(), &sql, rows, &mut out)
        }
        Err(error) => Err(error.to_string()),
    };
    let end = match answered {
        Ok(truncated) => Line::End { truncated },
        Err(why) => Line::Error(why),
    };
    line(&mut out, &end).and_then(|()| out.flush()).map_err(written)
}

/// What the system holds the process to. Where it knows a limit not, DuckDB's own and the server's clock remain.
#[cfg(unix)]
fn limit(seconds: u64) {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limits = [
        (Resource::As, ADDRESS_SPACE),
        (Resource::Cpu, seconds.saturating_mul(THREADS as u64) + 2),
        // No file grows by this process, whatever SQL finds to write with.
        (Resource::Fsize, 0),
        (Resource::Core, 0),
    ];
    for (resource, most) in limits {
        let _ = setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    }
}

#[cfg(not(unix))]
fn limit(_: u64) {}

fn line(out: &mut impl Write, line: &Line) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Whether there was more.
fn answer(conn: &Connection, sql: &str, rows: usize, out: &mut impl Write) -> Result<bool, String> {
    let sql = reading(conn, sql)?;
    let limited = format!("SELECT * FROM ({sql}) LIMIT {}", rows + 1);
    let (mut taken, mut bytes, mut truncated) = (0, 0, false);
    let names = store::query_each(conn, &limited, |names, row| {
        if taken == 0 {
            line(out, &Line::Columns(names.to_vec())).map_err(StoreError::file("write", Path::new("standard output")))?;
        }
        let row = Line::Row(row.iter().map(store::Cell::to_json).collect());
        let text =
            serde_json::to_vec(&row).map_err(std::io::Error::from).map_err(StoreError::file("write", Path::new("standard output")))?;
        bytes += text.len() + 1;
        truncated = taken >= rows || bytes > BYTES;
        if truncated {
            // Not an error: a way to say that no more rows are wanted.
            return Err(StoreError::file("write", Path::new("standard output"))(std::io::ErrorKind::WriteZero.into()));
        }
        taken += 1;
        out.write_all(&text).and_then(|()| out.write_all(b"\n")).map_err(StoreError::file("write", Path::new("standard output")))
    });
    match names {
        Ok(names) if taken == 0 => line(out, &Line::Columns(names)).map(|()| false).map_err(|error| error.to_string()),
        Ok(_) => Ok(false),
        Err(_) if truncated => Ok(true),
        Err(StoreError::Database { source, .. }) => Err(source.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// The statement as DuckDB's own parser writes it back, if it is one that reads. Without comments and semicolons it can stand inside another.
fn reading(conn: &Connection, sql: &str) -> Result<String, String> {
    let tree: String =
        conn.query_row("SELECT json_serialize_sql(?::VARCHAR)", [sql], |row| row.get(0)).map_err(|error| error.to_string())?;
    let tree: serde_json::Value = serde_json::from_str(&tree).map_err(|error| error.to_string())?;
    if tree["error"] != false {
        let why = tree["error_message"].as_str().unwrap_or("not understood");
        let why = if why.starts_with("Only SELECT") {
            "only statements that read are taken: SELECT, FROM, WITH, VALUES, DESCRIBE, SUMMARIZE, SHOW"
        } else {
            why
        };
        return Err(why.into());
    }
    match tree["statements"].as_array().map(Vec::len) {
        Some(1) => {}
        Some(0) | None => return Err("there is no statement".into()),
        Some(_) => return Err("one statement at a time".into()),
    }
    conn.query_row("SELECT json_deserialize_sql(json_serialize_sql(?::VARCHAR))", [sql], |row| row.get(0))
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(sql: &str, rows: usize) -> Result<(bool, String), String> {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE t AS SELECT n, 'x' || n AS name FROM range(5) r(n)").unwrap();
        let mut out = Vec::new();
        answer(&conn, sql, rows, &mut out).map(|truncated| (truncated, String::from_utf8(out).unwrap()))
    }

    #[test]
    fn comments_semicolons_and_order_do_no_harm() {
        let said = ask("/* ; */ SELECT name FROM t ORDER BY n DESC; -- the end", 2);
        assert_eq!(said, Ok((true, "{\"columns\":[\"name\"]}\n{\"row\":[\"x4\"]}\n{\"row\":[\"x3\"]}\n".into())));
        assert_eq!(ask("FROM t WHERE false", 2), Ok((false, "{\"columns\":[\"n\",\"name\"]}\n".into())));
    }

    #[test]
    fn only_one_statement_that_reads_is_taken() {
        for (sql, why) in [
            ("DROP TABLE t", "only statements that read"),
            ("COPY t TO 'x'", "only statements that read"),
            ("SET threads = 1", "only statements that read"),
            ("SELECT 1; SELECT 2", "one statement at a time"),
            ("", "there is no statement"),
            ("SELEKT 1", "syntax error"),
            ("SELECT * FROM nowhere", "nowhere"),
        ] {
            assert!(ask(sql, 9).is_err_and(|said| said.contains(why)), "{sql}");
        }
    }

    #[test]
    fn an_answer_that_breaks_off_is_an_error_not_a_short_answer() {
        assert!(understood(b"{\"columns\":[\"a\"]}\n{\"row\":[1]}\n{\"row\":[").is_err());
        assert!(understood(b"").is_err());
        let whole = understood(b"{\"columns\":[\"a\"]}\n{\"row\":[1]}\n{\"end\":{\"truncated\":true}}\n");
        assert!(whole.is_ok_and(|answer| answer.truncated && answer.rows.len() == 1));
    }
}
