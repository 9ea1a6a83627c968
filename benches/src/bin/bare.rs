//! A bare hyper server that answers everything with a constant, to measure the help desk's beside.
//!
//! `bare ADDRESS BYTES`

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::header::CONTENT_TYPE;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("say where to listen")?;
    let bytes: usize = arguments.next().ok_or("say how many bytes to answer")?.parse()?;
    let body = Bytes::from(vec![b'x'; bytes]);
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let body = body.clone();
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |_| {
                let body = body.clone();
                async move {
                    let response = Response::builder().header(CONTENT_TYPE, "application/json");
                    Ok::<_, Infallible>(response.body(Full::new(body)).unwrap_or_default())
                }
            });
            // A client that goes away is no concern of a measurement.
            let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
