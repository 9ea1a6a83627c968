//! Many clients that count what they are told, and how long it took.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::Failed;
use crate::server::{Server, nanoseconds};

/// How many connect at a time.
const AT_ONCE: usize = 32;
/// How many come from one address.
const PER_ADDRESS: usize = 1_000;
/// After how long a measurement is given up.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Default)]
struct Counted {
    expected: AtomicUsize,
    came: AtomicUsize,
    all_came: Notify,
    /// In microseconds.
    took: Mutex<Vec<u64>>,
}

pub(crate) struct Clients {
    port: u16,
    tokens: Vec<String>,
    count: usize,
    counted: Arc<Counted>,
}

impl Clients {
    pub(crate) fn new(server: &Server) -> Self {
        let (port, tokens) = (server.port, server.tokens.clone());
        Self { port, tokens, count: 0, counted: Arc::default() }
    }

    /// Connects until there are so many.
    pub(crate) async fn grow_to(&mut self, count: usize) -> Result<(), Failed> {
        let mut connecting = JoinSet::new();
        while self.count < count {
            let number = self.count;
            self.count += 1;
            let token = (!self.tokens.is_empty()).then(|| self.tokens[number % self.tokens.len()].clone());
            let (port, counted) = (self.port, Arc::clone(&self.counted));
            connecting.spawn(async move {
                let socket = connect(number, port, token).await?;
                tokio::spawn(count_up(socket, counted));
                Ok::<(), Failed>(())
            });
            if connecting.len() >= AT_ONCE
                && let Some(connected) = connecting.join_next().await
            {
                connected??;
            }
        }
        while let Some(connected) = connecting.join_next().await {
            connected??;
        }
        Ok(())
    }

    /// Begins to count to a number.
    pub(crate) fn expect(&mut self, messages: usize) {
        self.counted.came.store(0, Ordering::SeqCst);
        self.counted.expected.store(messages, Ordering::SeqCst);
    }

    pub(crate) async fn all_came(&self) -> Result<(), Failed> {
        let all = async {
            while self.counted.came.load(Ordering::SeqCst) < self.counted.expected.load(Ordering::SeqCst) {
                let _ =
                    tokio::time::timeout(Duration::from_millis(20), self.counted.all_came.notified()).await;
            }
        };
        let came = tokio::time::timeout(PATIENCE, all).await;
        came.map_err(|_| {
            let came = self.counted.came.load(Ordering::SeqCst);
            format!("only {came} of {} messages came", self.counted.expected.load(Ordering::SeqCst)).into()
        })
    }

    /// How long messages took since the last time.
    pub(crate) fn forget(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.counted.took.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn connect(
    number: usize,
    port: u16,
    token: Option<String>,
) -> Result<WebSocketStream<TcpStream>, Failed> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, u8::try_from(2 + number / PER_ADDRESS)?], 0).into())?;
    let stream = socket.connect(([127, 0, 0, 1], port).into()).await?;
    stream.set_nodelay(true)?;
    let query = token.as_ref().map(|token| format!("?token={token}")).unwrap_or_default();
    let config = WebSocketConfig::default().read_buffer_size(8 << 10);
    let address = format!("ws://127.0.0.1:{port}/ws{query}");
    let (mut socket, _) = tokio_tungstenite::client_async_with_config(address, stream, Some(config)).await?;
    if token.is_some() {
        let ready = socket.next().await.ok_or("no greeting")??;
        if !ready.to_text()?.contains("\"ready\"") {
            return Err(format!("{ready} is no greeting").into());
        }
    }
    Ok(socket)
}

async fn count_up(mut socket: WebSocketStream<TcpStream>, counted: Arc<Counted>) {
    while let Some(Ok(message)) = socket.next().await {
        let Ok(text) = message.to_text() else { continue };
        let Some((_, rest)) = text.split_once(r#""subject":""#) else {
            eprintln!("ws: {text}");
            continue;
        };
        let sent = rest.split('"').next().and_then(|digits| digits.parse::<u64>().ok()).unwrap_or_default();
        let took = nanoseconds().saturating_sub(sent) / 1_000;
        counted.took.lock().unwrap_or_else(PoisonError::into_inner).push(took);
        let came = counted.came.fetch_add(1, Ordering::SeqCst) + 1;
        if came == counted.expected.load(Ordering::SeqCst) {
            counted.all_came.notify_one();
        }
    }
}
