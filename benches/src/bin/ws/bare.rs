//! A bare tokio-tungstenite server that broadcasts a text: what the help desk's is measured beside.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::Failed;
use crate::server::{Order, nanoseconds, obey};

/// How far clients may be behind, as in the help desk's server.
const BACKLOG: usize = 512;

pub(crate) async fn serve() -> Result<(), Failed> {
    let listener = TcpListener::bind("0.0.0.0:0").await?;
    let port = listener.local_addr()?.port();
    let texts = broadcast::Sender::<Utf8Bytes>::new(BACKLOG);
    let listening = texts.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let texts = listening.subscribe();
            tokio::spawn(async move { drop(client(stream, texts).await) });
        }
    });
    let mut prepared = 0;
    obey(port, &[], async |order| {
        match order {
            Order::Prepare(count) => prepared = count,
            Order::Go => {
                for _ in 0..prepared {
                    texts.send(text())?;
                    while texts.len() > BACKLOG / 2 {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                }
            }
            Order::Steady(rate, seconds) => {
                let mut ticks = tokio::time::interval(Duration::from_secs(1) / u32::try_from(rate)?);
                for _ in 0..rate * seconds {
                    ticks.tick().await;
                    texts.send(text())?;
                }
            }
        }
        Ok(())
    })
    .await
}

async fn client(
    stream: tokio::net::TcpStream,
    mut texts: broadcast::Receiver<Utf8Bytes>,
) -> Result<(), Failed> {
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(8 << 10);
    let mut socket = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await?;
    loop {
        tokio::select! {
            text = texts.recv() => socket.send(Message::Text(text?)).await?,
            said = socket.next() => drop(said.ok_or("gone")??),
        }
    }
}

/// A text as long as the help desk's, with the time in the same place.
fn text() -> Utf8Bytes {
    let filling = "x".repeat(430);
    format!(
        r#"{{"event":"ticket.updated","id":"1000-0","data":{{"subject":"{}","is":"{filling}"}}}}"#,
        nanoseconds()
    )
    .into()
}
