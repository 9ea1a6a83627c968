//! Serving connections.

mod answer;
mod connection;
mod places;
mod pulse;
mod stream;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::answer::Streams;
pub(crate) use self::places::Places;
use crate::api::HttpApi;

/// How long a connection may be without a request: before the first, between two, and while the head of one arrives.
const IDLE: Duration = Duration::from_secs(30);
/// How long a connection that never had one may take to end, once it is asked to. One that had may still be sending what
/// was answered, and has as long as a client may take none of it.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long a client may take none of what it is sent.
const STALL: Duration = Duration::from_secs(60);
/// After how long a silent client is pinged over HTTP/2. Those that are gone without a word are found while their requests
/// run; one that is only busy has as long to answer as it has to take what it is sent.
const PING: Duration = Duration::from_secs(20);
/// How many requests of one HTTP/2 connection are worked on at a time.
const STREAMS: u32 = 100;
/// How much of each request's body a client may send ahead over HTTP/2, in bytes. The connection has room for all of them, so
/// that one body that nobody reads yet holds up no other.
const WINDOW: u32 = 64 * 1024;

/// Serves HTTP/1.1 and HTTP/2 (cleartext) on a listener until `stop` is done; then finishes what runs and ends the
/// connections that were taken over, for at most `grace`.
///
/// How many connections there may be says the [`Builder`](crate::Builder): further ones wait in the system's queue, and
/// those too many from one address are closed at once. A connection that has had no request for 30 seconds is ended, and
/// so is one whose client takes nothing of what it is sent for a minute; over HTTP/2 that ends the one request. None of
/// this holds for connections that a [`Socket`](crate::Socket) took over.
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
    let builder = Arc::new(builder());
    let places = Arc::new(api.places());
    let (ending, _) = watch::channel(());
    tokio::pin!(stop);
    loop {
        let accept = async {
            let permit = places.permit().await?;
            listener.accept().await.map(|(stream, peer)| (stream, peer, permit))
        };
        let accepted = tokio::select! { accepted = accept => accepted, () = &mut stop => break };
        let (stream, peer, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_passing(&error) => {
                // Out of file descriptors, mostly: those that are open must close before there are more.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        let Some(place) = places.take(permit, peer.ip()) else {
            tracing::debug!("a connection is closed: there are too many from its address");
            continue;
        };
        let (builder, api, ending) = (Arc::clone(&builder), api.clone(), ending.subscribe());
        tokio::spawn(async move {
            connection::serve(stream, peer, &builder, api, ending).await;
            drop(place);
        });
    }
    drop(listener);
    let ended = async {
        ending.send_replace(());
        ending.closed().await;
    };
    let finished = async { tokio::join!(ended, api.drain()) };
    if tokio::time::timeout(grace, finished).await.is_err() {
        tracing::warn!("some requests were not finished in time");
    }
    Ok(())
}

fn builder() -> auto::Builder<Streams> {
    let mut builder = auto::Builder::new(Streams);
    // Connections have one limit for both versions, which sets no timer for each request as this one would.
    builder.http1().header_read_timeout(None);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW * STREAMS)
        .keep_alive_interval(PING)
        .keep_alive_timeout(STALL);
    builder
}

/// Whether the next connection may fare better.
fn is_passing(error: &std::io::Error) -> bool {
    !matches!(error.kind(), std::io::ErrorKind::InvalidInput | std::io::ErrorKind::Unsupported)
}
