//! A finished case over HTTP: an API under `/api/v1`, and the dashboard.
//!
//! ```text
//! listen ──▶ doors (who may ask, from where, how much) ──▶ access (who is it) ──▶ api, pages ──▶ desk ──▶ case.duckdb, read-only
//!                                                                                 └ query ──▶ a process of its own for SQL that people write
//! ```
//!
//! Nothing here writes to the case but its journal. What is served stands in memory (`Report`) or is asked of DuckDB on blocking
//! threads, as many at once as there are connections. SQL that people write runs in a process of its own, which can be ended.

mod access;
mod api;
mod child;
mod described;
mod desk;
mod doors;
mod exchange;
mod listen;
mod packets;
mod pages;
mod problem;
mod query;
mod triage;

pub use access::users::{Role, Users, UsersError, default_path as default_users};
pub use query::worker;

use crate::model::Report;
use crate::{pipeline, store};
use access::Access;
use desk::Desk;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

/// How a case is served.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of the case.
    pub case: PathBuf,
    /// Where to listen. Port 0 takes a free one.
    pub addr: SocketAddr,
    /// Names by which browsers may ask for this server, beside addresses and `localhost`.
    pub hosts: Vec<String>,
    /// Demand a login on loopback as well; elsewhere it is demanded always.
    pub login: bool,
    /// The file of users.
    pub users: PathBuf,
    /// Bytes that DuckDB may hold.
    pub memory: u64,
    /// Threads of DuckDB.
    pub threads: usize,
    /// How long SQL that people write may take.
    pub sql_timeout: Duration,
}

/// Why a case cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The case.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The case cannot be read back.
    #[error(transparent)]
    Pipeline(#[from] pipeline::Error),
    /// The users.
    #[error(transparent)]
    Users(#[from] UsersError),
    /// The address.
    #[error("cannot listen on {addr}: {error}. Name another with --addr, such as 127.0.0.1:3001; port 0 takes a free one")]
    Listen {
        /// Which.
        addr: SocketAddr,
        /// Why not.
        error: std::io::Error,
    },
    /// A login is demanded and nobody could log in.
    #[error(
        "{addr} can be reached from outside, so a login is demanded, and '{users}' has no user. Add one with `vigil user add NAME`, or listen on 127.0.0.1"
    )]
    Nobody {
        /// Where to listen.
        addr: SocketAddr,
        /// The file of users.
        users: String,
    },
    /// A case that grows.
    #[error(
        "'{0}' is a live case; `vigil sql` and `vigil report` read it, serving it is not possible yet. `vigil analyze` the packets of its ring to serve them"
    )]
    Live(String),
    /// The system gives no threads.
    #[error("cannot start the server: {0}")]
    Runtime(std::io::Error),
}

/// What was begun: said to the person at the keyboard before the first request is taken.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Whether a login is demanded.
    pub login: bool,
}

/// All that requests share.
pub(crate) struct App {
    report: Report,
    desk: Arc<Desk>,
    access: Access,
    query: query::Runner,
    carver: packets::Carver,
    folder: PathBuf,
    options: Options,
    counts: Counts,
    page: std::sync::OnceLock<Arc<Vec<u8>>>,
    document: String,
    started: Instant,
}

type Shared = Arc<App>;

/// What the metrics count.
#[derive(Default)]
pub(crate) struct Counts {
    /// Answers by class of status: 1xx to 5xx.
    answers: [AtomicU64; 5],
    /// Microseconds spent on them.
    micros: AtomicU64,
    /// Requests under way.
    active: AtomicU64,
}

/// Serves the case until the process is told to stop (Ctrl-C, SIGTERM). `begun` is called once it listens.
pub fn run(options: Options, begun: impl FnOnce(&Begun)) -> Result<(), Error> {
    let threads = options.threads.clamp(2, 8);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(async {
        let addr = options.addr;
        let failed = |error| Error::Listen { addr, error };
        let listener = tokio::net::TcpListener::bind(addr).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let app = Arc::new(App::open(Options { addr: bound, ..options })?);
        begun(&Begun { addr: bound, login: app.access.demanded() });
        listen::serve(listener, router(&app)).await;
        Ok(())
    })
}

impl App {
    fn open(options: Options) -> Result<Self, Error> {
        let access = Access::new(&options)?;
        if store::live::is_live(&options.case) {
            return Err(Error::Live(options.case.display().to_string()));
        }
        let case = store::open_read_only(&options.case, options.memory, options.threads)?;
        let report = pipeline::report_of(&case)?;
        let folder = case.folder().to_path_buf();
        let desk = Desk::new(case, options.threads)?;
        let query = query::Runner::new(&folder, options.sql_timeout);
        Ok(Self {
            carver: packets::Carver::new(&folder),
            report,
            desk: Arc::new(desk),
            access,
            query,
            folder,
            options,
            counts: Counts::default(),
            page: std::sync::OnceLock::new(),
            document: api::document::written(),
            started: Instant::now(),
        })
    }
}

fn router(app: &Shared) -> axum::Router {
    let routes = axum::Router::new()
        .merge(api::routes())
        .merge(pages::routes())
        .fallback(problem::nowhere)
        .method_not_allowed_fallback(problem::no_method);
    doors::guarded(routes, app).with_state(app.clone())
}
