//! Serving connections.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::Service as _;

use crate::api::HttpApi;
use crate::kernel::PeerAddr;

/// How many connections are served at a time; others wait in the system's queue.
const CONNECTIONS: usize = 10_000;
/// How long a client may take over the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// Serves HTTP/1.1 and HTTP/2 (cleartext) on a listener until `stop` is done; then finishes what runs and ends the
/// connections that were taken over, for at most `grace`.
///
/// # Errors
///
/// Where the listener cannot accept connections any more.
pub async fn serve(
    listener: TcpListener,
    api: HttpApi,
    stop: impl Future<Output = ()> + Send,
    grace: Duration,
) -> std::io::Result<()> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(250);
    let builder = Arc::new(builder);
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = &mut stop => break,
        };
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_passing(&error) => {
                // Out of file descriptors, mostly: those that are open must close before there are more.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        let called = api.clone();
        let service =
            hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(PeerAddr(peer));
                called.clone().call(request)
            });
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %helpdesk_core::Chain(&*error), "a connection ended badly");
            }
            drop(place);
        });
    }
    drop(listener);
    let finished = async { tokio::join!(graceful.shutdown(), api.drain()) };
    if tokio::time::timeout(grace, finished).await.is_err() {
        tracing::warn!("some requests were not finished in time");
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(room).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    // Answers are written in one piece; waiting for more would only delay them.
    stream.set_nodelay(true)?;
    Ok((stream, peer, place))
}

/// Whether the next connection may fare better.
fn is_passing(error: &std::io::Error) -> bool {
    !matches!(error.kind(), std::io::ErrorKind::InvalidInput | std::io::ErrorKind::Unsupported)
}
