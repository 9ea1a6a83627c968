//! One connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use http::Version;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower::Service as _;

use super::answer::{Answer, Streams};
use super::pulse::Pulse;
use super::stream::Paced;
use super::{FAREWELL, IDLE, STALL};
use crate::api::HttpApi;
use crate::kernel::PeerAddr;

/// Serves a connection until it ends, or is taken over. Once `ending` says so, what runs on it is finished, and nothing
/// more is begun.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    builder: &auto::Builder<Streams>,
    api: HttpApi,
    mut ending: watch::Receiver<()>,
) {
    // Answers are written in one piece; waiting for more would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended at once");
        return;
    }
    let pulse = Pulse::new();
    let stream = TokioIo::new(Paced::new(stream, STALL, Arc::clone(&pulse)));
    let requests = Arc::clone(&pulse);
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        let running = requests.request();
        let in_pieces = request.version() == Version::HTTP_2;
        request.extensions_mut().insert(PeerAddr(peer));
        let answered = api.clone().call(request);
        async move { Ok::<_, Infallible>(Answer::begin(answered.await?, in_pieces, running)) }
    });
    let mut connection = pin!(builder.serve_connection_with_upgrades(stream, service));
    let mut is_ending = false;
    let mut asked_to_end = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error = %helpdesk_core::Chain(&*error), "a connection ended badly");
                }
                break;
            }
            _ = ending.changed(), if !is_ending => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
            () = pulse.stops(if !asked_to_end { IDLE } else if pulse.had_requests() { STALL } else { FAREWELL }) => {
                if asked_to_end {
                    tracing::debug!("a connection is closed: no request comes");
                    break;
                }
                // Those that speak HTTP/2 are told, so that no request is lost that is on its way.
                asked_to_end = true;
                pulse.touch();
                connection.as_mut().graceful_shutdown();
            }
        }
    }
    pulse.release();
}
