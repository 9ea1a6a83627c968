//! A listener of its own, for servers that speak nothing else.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use helpdesk_core::{Chain, Error};
use http::header::{CONTENT_TYPE, HOST, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::socket::{Refusal, Request, Socket};

/// How long a client may take over the head of its request.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// Serves WebSockets on a listener, at whatever path, until `stop` is done; then ends all connections of the socket's
/// hub, for at most `grace`.
///
/// # Errors
///
/// Where the listener cannot accept connections any more.
pub async fn serve(
    listener: TcpListener,
    socket: Socket,
    stop: impl Future<Output = ()> + Send,
    grace: Duration,
) -> std::io::Result<()> {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    // Connections that have not said anything yet are as many as those that have, at most.
    let room = socket.hub().settings().connections as usize;
    let room = Arc::new(tokio::sync::Semaphore::new(room));
    tokio::pin!(stop);
    loop {
        let accept = async {
            let permit = Arc::clone(&room).acquire_owned().await.map_err(std::io::Error::other)?;
            listener.accept().await.map(|(stream, peer)| (stream, peer, permit))
        };
        let accepted = tokio::select! { accepted = accept => accepted, () = &mut stop => break };
        let (stream, peer, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection ended at once");
            continue;
        }
        let socket = socket.clone();
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let (socket, from) = (socket.clone(), peer.ip().to_string());
            async move { Ok::<_, Infallible>(answer(&socket, request, &from).await) }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %Chain(&error), "a connection ended badly");
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(grace, socket.hub().drain()).await.is_err() {
        tracing::warn!("some connections were not ended in time");
    }
    Ok(())
}

async fn answer(socket: &Socket, mut request: hyper::Request<Incoming>, from: &str) -> Response<Full<Bytes>> {
    let connection = request.extensions_mut().remove::<OnUpgrade>();
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let base = format!("http://{host}");
    let asked = Request {
        headers: request.headers(),
        query: request.uri().query().unwrap_or_default(),
        from,
        base: &base,
    };
    if request.method() != Method::GET {
        return refuse(&Refusal::Malformed("Here clients connect by WebSocket."));
    }
    match socket.open(asked, connection).await {
        Ok(headers) => {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            *response.headers_mut() = headers;
            response
        }
        Err(refusal) => refuse(&refusal),
    }
}

/// Why there is no connection, in the words of the connection.
fn refuse(refusal: &Refusal) -> Response<Full<Bytes>> {
    let (status, code) = match refusal {
        Refusal::Malformed(_) => (StatusCode::BAD_REQUEST, "bad_request"),
        Refusal::Full { .. } | Refusal::Core(Error::Limited { .. }) => {
            (StatusCode::TOO_MANY_REQUESTS, "too_many")
        }
        Refusal::Core(Error::Unauthenticated(_)) => (StatusCode::UNAUTHORIZED, "unauthenticated"),
        Refusal::Core(error) => {
            tracing::warn!(error = %Chain(error), "a connection is not given");
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        }
    };
    let body = serde_json::json!({ "type": "error", "code": code, "message": refusal.to_string() });
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    match refusal {
        Refusal::Full { retry_after } => {
            headers.insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
        }
        Refusal::Core(Error::Unauthenticated(_)) => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        _ => {}
    }
    response
}
