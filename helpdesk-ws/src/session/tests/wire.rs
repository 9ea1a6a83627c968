//! A connection of channels.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{Sink, Stream};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

/// The server's end.
pub(super) struct ServerEnd {
    said: mpsc::UnboundedReceiver<Message>,
    told: Arc<Told>,
}

/// What was sent and not read.
#[derive(Default)]
struct Told {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    messages: VecDeque<Message>,
    /// How many may wait to be read; any number where there is none.
    room: Option<usize>,
    waiting: Option<Waker>,
}

impl State {
    fn has_room(&self) -> bool {
        self.room.is_none_or(|room| self.messages.len() < room)
    }
}

/// The client's end.
pub(super) struct Client {
    said: Option<mpsc::UnboundedSender<Message>>,
    told: Arc<Told>,
}

/// Both ends. The client reads no more than so many messages ahead.
pub(super) fn wire(room: Option<usize>) -> (ServerEnd, Client) {
    let (say, said) = mpsc::unbounded_channel();
    let told = Arc::new(Told::default());
    told.state.lock().room = room;
    (ServerEnd { said, told: Arc::clone(&told) }, Client { said: Some(say), told })
}

impl Stream for ServerEnd {
    type Item = Result<Message, WsError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.said.poll_recv(context).map(|said| said.map(Ok))
    }
}

impl Sink<Message> for ServerEnd {
    type Error = WsError;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        let mut state = self.told.state.lock();
        if state.has_room() {
            return Poll::Ready(Ok(()));
        }
        state.waiting = Some(context.waker().clone());
        Poll::Pending
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), WsError> {
        self.told.state.lock().messages.push_back(message);
        self.told.arrived.notify_one();
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        Poll::Ready(Ok(()))
    }
}

impl Client {
    pub(super) fn say(&self, message: &Value) {
        self.send(Message::text(message.to_string()));
    }

    pub(super) fn send(&self, message: Message) {
        // Where the server has gone, the test sees it in what it hears.
        if let Some(said) = &self.said {
            let _ = said.send(message);
        }
    }

    /// Goes without a word.
    pub(super) fn hang_up(&mut self) {
        self.said = None;
    }

    /// The next message.
    pub(super) async fn message(&mut self) -> Message {
        let next = async {
            loop {
                if let Some(message) = self.read() {
                    return message;
                }
                self.told.arrived.notified().await;
            }
        };
        let message = timeout(Duration::from_secs(3_600), next).await.expect("a message");
        if matches!(message, Message::Close(_)) {
            self.hang_up();
        }
        message
    }

    fn read(&self) -> Option<Message> {
        let mut state = self.told.state.lock();
        let message = state.messages.pop_front();
        if let Some(waiting) = state.waiting.take() {
            waiting.wake();
        }
        message
    }

    /// The next message, which is a text.
    pub(super) async fn hear(&mut self) -> Value {
        match self.message().await {
            Message::Text(text) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("{other:?} is no text"),
        }
    }

    /// The next message, of which the words matter.
    pub(super) async fn text(&mut self) -> String {
        self.hear().await["text"].as_str().expect("an event").to_owned()
    }

    /// Whether it is told these things and no others.
    pub(super) async fn is_alone_with(&mut self, texts: &[&str]) {
        // Time goes on when nobody has anything to do: all is told by then.
        tokio::time::sleep(Duration::from_millis(1)).await;
        for text in texts {
            assert_eq!(self.text().await, *text);
        }
        self.say(&json!({ "type": "ping" }));
        assert_eq!(self.hear().await, json!({ "type": "pong" }));
    }

    /// The code and the reason of the end.
    pub(super) async fn end(&mut self) -> (u16, String) {
        loop {
            match self.message().await {
                Message::Close(Some(CloseFrame { code, reason })) => {
                    return (code.into(), reason.as_str().to_owned());
                }
                Message::Ping(_) => {}
                other => panic!("{other:?} is no end"),
            }
        }
    }
}
