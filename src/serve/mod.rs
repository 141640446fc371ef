//! Cases over HTTP: an API under `/api/v1`, and the dashboard.
//!
//! ```text
//! listen ──▶ doors (who may ask, from where, how much) ──▶ access (who is it) ──▶ shelf (which case) ──▶ api, pages ──▶ desk ──▶ DuckDB, read-only
//!                                                                                                 └ query ──▶ a process of its own for SQL that people write
//! ```
//!
//! Nothing here writes to a case but its journal. What is served stands in memory (`Report`) or is asked of DuckDB on blocking
//! threads, as many at once as there are connections. SQL that people write runs in a process of its own, which can be ended; so do
//! carving, and the analysis of captures that are sent here.

mod access;
mod analyses;
mod api;
mod beside;
mod child;
mod described;
mod desk;
mod doors;
mod exchange;
mod listen;
mod news;
mod outline;
mod packets;
mod pages;
mod problem;
mod query;
mod shelf;
mod tls;
mod triage;

pub use access::users::{Role, Users, UsersError, default_path as default_users};
pub use beside::Beside;
pub use query::worker;

use crate::store::live::Reader;
use crate::{pipeline, store};
use access::Access;
use analyses::Analyses;
use news::News;
use shelf::Shelf;
pub(crate) use shelf::{App, Open};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// How cases are served.
#[derive(Clone, Debug)]
pub struct Options {
    /// A case, or a folder of cases. Not looked at where a live capture of this process is served.
    pub place: PathBuf,
    /// Where to listen. Port 0 takes a free one.
    pub addr: SocketAddr,
    /// Names by which browsers may ask for this server, beside addresses and `localhost`.
    pub hosts: Vec<String>,
    /// Demand a login on loopback as well; elsewhere it is demanded always.
    pub login: bool,
    /// The file of users.
    pub users: PathBuf,
    /// Certificate chain and private key, PEM.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Bytes that DuckDB may hold for each case that is open.
    pub memory: u64,
    /// Threads of DuckDB.
    pub threads: usize,
    /// How long SQL that people write may take.
    pub sql_timeout: Duration,
    /// Where captures that are sent here go, and the cases made of them. `None` takes none.
    pub captures: Option<PathBuf>,
    /// Bytes of a capture that is sent here, at most.
    pub capture_bytes: u64,
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
    /// The certificate or its key.
    #[error("cannot use the certificate in '{path}': {why}")]
    Certificate {
        /// The file.
        path: String,
        /// Why not.
        why: String,
    },
    /// Neither a case nor a folder.
    #[error("'{0}' is no case and no folder of cases; `vigil analyze CAPTURE` makes a case")]
    NoCase(String),
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
    /// Whether it speaks TLS.
    pub tls: bool,
}

/// All that requests share, whichever case they are about.
pub(crate) struct Server {
    shelf: Shelf,
    analyses: Analyses,
    news: News,
    access: Access,
    options: Options,
    counts: Counts,
    document: String,
    /// A live case is not what it was when it was looked at.
    stale: tokio::sync::Notify,
    started: Instant,
}

type Shared = Arc<Server>;

/// What the metrics count.
#[derive(Default)]
pub(crate) struct Counts {
    /// Answers by class of status: 1xx to 5xx.
    answers: [AtomicU64; 5],
    /// Microseconds spent on them.
    micros: AtomicU64,
    /// Requests under way.
    active: AtomicU64,
    /// Seconds that SQL may take: may be set while the server runs.
    sql_seconds: AtomicU64,
}

/// A server that listens and does not answer yet: whatever can be wrong with its address, users or certificate is told before anything
/// else begins.
pub struct Door {
    listener: std::net::TcpListener,
    access: Access,
    tls: Option<TlsAcceptor>,
    options: Options,
}

impl Door {
    /// Listens.
    pub fn open(options: Options) -> Result<Self, Error> {
        let addr = options.addr;
        let failed = |error| Error::Listen { addr, error };
        let access = Access::new(&options)?;
        let tls = options.tls.as_ref().map(|(chain, key)| tls::acceptor(chain, key)).transpose()?;
        let listener = std::net::TcpListener::bind(addr).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let options = Options { addr: listener.local_addr().map_err(failed)?, ..options };
        Ok(Self { listener, access, tls, options })
    }

    /// What was begun.
    pub fn begun(&self) -> Begun {
        Begun { addr: self.options.addr, login: self.access.demanded(), tls: self.tls.is_some() }
    }

    /// Serves until the process is told to stop (Ctrl-C, SIGTERM). `begun` is called once all is ready.
    pub fn serve(self, begun: impl FnOnce(&Begun)) -> Result<(), Error> {
        let runtime = runtime(self.options.threads)?;
        let said = self.begun();
        runtime.block_on(async {
            let shelf = Shelf::new(&self.options)?;
            let (server, listener, tls) = self.server(shelf)?;
            begun(&said);
            tokio::spawn(shelf::keep_up(server.clone()));
            listen::serve(listener, tls, &server, listen::told_to_stop()).await;
            Ok(())
        })
    }

    /// Serves the case of a live capture, on threads of its own, until the value is dropped.
    pub fn beside(self, reader: Reader) -> Result<Beside, Error> {
        let runtime = runtime(self.options.threads)?;
        let shelf = Shelf::of_live(&self.options, reader);
        let (stop, mut stopped) = watch::channel(());
        let (server, listener, tls) = {
            let _inside = runtime.enter();
            self.server(shelf)?
        };
        let own = server.clone();
        let thread = std::thread::Builder::new().name("serve".into()).spawn(move || {
            runtime.block_on(async {
                tokio::spawn(shelf::keep_up(own.clone()));
                let told = async move {
                    let _ = stopped.changed().await;
                };
                listen::serve(listener, tls, &own, told).await;
            });
        });
        Ok(Beside::new(server, stop, thread.map_err(Error::Runtime)?))
    }

    fn server(self, shelf: Shelf) -> Result<(Shared, tokio::net::TcpListener, Option<TlsAcceptor>), Error> {
        let addr = self.options.addr;
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(|error| Error::Listen { addr, error })?;
        let counts = Counts::default();
        counts.sql_seconds.store(self.options.sql_timeout.as_secs(), Relaxed);
        let server = Server {
            shelf,
            analyses: Analyses::new(&self.options),
            news: News::default(),
            access: self.access,
            options: self.options,
            counts,
            document: api::document::written(),
            stale: tokio::sync::Notify::new(),
            started: Instant::now(),
        };
        Ok((Arc::new(server), listener, self.tls))
    }
}

impl Server {
    /// How long SQL may take now.
    fn sql_timeout(&self) -> Duration {
        Duration::from_secs(self.counts.sql_seconds.load(Relaxed))
    }
}

fn runtime(threads: usize) -> Result<tokio::runtime::Runtime, Error> {
    let threads = threads.clamp(2, 8);
    tokio::runtime::Builder::new_multi_thread().worker_threads(threads).thread_name("serve").enable_all().build().map_err(Error::Runtime)
}

fn router(server: &Shared) -> axum::Router {
    let routes = axum::Router::new()
        .merge(api::routes())
        .merge(pages::routes())
        .fallback(problem::nowhere)
        .method_not_allowed_fallback(problem::no_method);
    doors::guarded(routes, server).with_state(server.clone())
}
