//! Taking connections: a bounded number, none of which may dawdle.

use super::exchange::{OverTls, Peer};
use super::{Shared, router, shelf};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// Connections open at once. Those beyond wait in the system's queue.
const CONNECTIONS: usize = 512;
/// The head of a request has to arrive within this.
const HEAD: Duration = Duration::from_secs(10);
/// Whoever reads an answer slowly is let go after this, whatever is left to send. Listeners to events come back by themselves.
const LIFETIME: Duration = Duration::from_secs(900);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 32 << 10;
/// What requests under way get to end when the server is told to stop.
const FAREWELL: Duration = Duration::from_secs(3);

/// Serves until `told` to stop.
pub async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, server: &Shared, told: impl Future<Output = ()>) {
    let router = router(server);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let (stop, stopped) = watch::channel(());
    tokio::pin!(told);
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { break };
        let taken = tokio::select! {
            () = &mut told => break,
            taken = listener.accept() => taken,
        };
        let Ok((stream, peer)) = taken else {
            // Out of file descriptors, mostly: let others close theirs first.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (router, stopped, tls) = (router.clone(), stopped.clone(), tls.clone());
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            match tls {
                None => one(stream, peer, false, router, stopped).await,
                // Whoever speaks no TLS, or slowly, is not answered.
                Some(tls) => {
                    if let Ok(Ok(stream)) = tokio::time::timeout(HEAD, tls.accept(stream)).await {
                        one(stream, peer, true, router, stopped).await;
                    }
                }
            }
            drop(place);
        });
    }
    drop(stop);
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(FAREWELL, places.acquire_many(all)).await;
}

async fn one<S>(stream: S, peer: SocketAddr, tls: bool, router: Router, mut stopped: watch::Receiver<()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        request.extensions_mut().insert(OverTls(tls));
        shelf::choose(request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::pin!(connection);
    let deadline = tokio::time::sleep(LIFETIME);
    tokio::pin!(deadline);
    tokio::select! {
        // An error here is the other side's: it went away, or spoke no HTTP.
        _ = connection.as_mut() => {}
        () = &mut deadline => {}
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(FAREWELL, connection.as_mut()).await;
        }
    }
}

/// Ctrl-C or SIGTERM.
pub async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            let _ = tokio::signal::ctrl_c().await;
            return;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}
