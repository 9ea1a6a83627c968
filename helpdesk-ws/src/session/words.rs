//! What clients and the server say to each other beside the events.

use helpdesk_core::events::Mark;
use serde::{Deserialize, Serialize};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

/// What a client asks. Not to be logged: it may hold a token.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Ask {
    /// Says who it is, or goes on with a fresh token.
    Auth { token: String, last_event_id: Option<String> },
    /// Wants these events, of these tickets, as well; with neither, everything.
    Subscribe { events: Option<Vec<String>>, tickets: Option<Vec<Uuid>>, last_event_id: Option<String> },
    /// Does not want these events, or those of these tickets; with neither, nothing.
    Unsubscribe { events: Option<Vec<String>>, tickets: Option<Vec<Uuid>> },
    /// Wants to know whether somebody is there.
    Ping,
}

/// What the server answers.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Say<'a> {
    /// The client is known. It is told of everything after the event of the id.
    Ready { user_id: Option<String>, events: &'a [&'static str], last_event_id: String, expires_at: String },
    /// The client goes on with a fresh token.
    Authenticated { expires_at: String },
    /// The client's token is about to end.
    AuthExpiring { expires_at: String },
    /// What the client is told of from now on; no list of tickets where it is all.
    Subscribed { events: Vec<&'static str>, tickets: Option<Vec<Uuid>> },
    /// All that was missed was told.
    Resumed { events: usize },
    /// What was missed is not told: the client is to load everything anew, and is told of what comes after the event
    /// of the id.
    Reset { message: &'static str, last_event_id: String },
    /// What a client asked was not done.
    Error { code: &'static str, message: &'a str },
    /// Somebody is there.
    Pong,
}

impl Say<'_> {
    pub(super) fn message(&self) -> Message {
        // Texts and numbers, all of which JSON can say.
        Message::text(serde_json::to_string(self).unwrap_or_default())
    }
}

impl<'a> Say<'a> {
    pub(super) fn reset(message: &'static str, last: Mark) -> Self {
        Self::Reset { message, last_event_id: last.to_string() }
    }

    pub(super) const fn error(code: &'static str, message: &'a str) -> Self {
        Self::Error { code, message }
    }
}
