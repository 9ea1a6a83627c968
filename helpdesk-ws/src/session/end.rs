//! How a connection ends.

use std::borrow::Cow;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use helpdesk_core::{AuthFailure, Chain, Error};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::Wire;
use crate::codes;

/// How long the client may take to agree that it is over.
const PARTING: Duration = Duration::from_secs(2);

/// Why a connection ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The client has gone, or is going.
    Gone,
    /// The client is told to go.
    Closed {
        /// The code.
        code: CloseCode,
        /// Why; at most 123 bytes.
        why: Cow<'static, str>,
    },
}

impl End {
    fn closed(code: CloseCode, why: impl Into<Cow<'static, str>>) -> Self {
        Self::Closed { code, why: why.into() }
    }

    pub(super) fn unauthenticated(why: impl Into<Cow<'static, str>>) -> Self {
        Self::closed(CloseCode::from(codes::UNAUTHENTICATED), why)
    }

    pub(super) fn expired() -> Self {
        Self::unauthenticated(AuthFailure::Expired.to_string())
    }

    pub(super) fn going_away() -> Self {
        Self::closed(CloseCode::Away, "the server is going down")
    }

    pub(super) fn idle() -> Self {
        Self::closed(CloseCode::from(codes::IDLE), "nothing was heard for too long")
    }

    pub(super) fn slow() -> Self {
        Self::closed(CloseCode::from(codes::SLOW), "events are not taken as fast as they happen")
    }

    pub(super) fn too_many(why: &'static str) -> Self {
        Self::closed(CloseCode::from(codes::TOO_MANY), why)
    }

    pub(super) fn nonsense() -> Self {
        Self::closed(CloseCode::Policy, "too many messages that make no sense")
    }

    /// Too many come back at a time.
    pub(super) fn busy() -> Self {
        Self::closed(CloseCode::Again, "try again later")
    }

    /// Something that is needed failed.
    pub(super) fn unavailable(error: &Error) -> Self {
        tracing::warn!(error = %Chain(error), "a connection is ended");
        Self::busy()
    }

    /// What carries the messages failed.
    pub(super) fn failed(error: WsError) -> Self {
        match error {
            WsError::Capacity(_) => Self::closed(CloseCode::Size, "the message is too large"),
            WsError::Protocol(_) => Self::closed(CloseCode::Protocol, "this is not the protocol"),
            WsError::Utf8(_) => Self::closed(CloseCode::Invalid, "the message is not UTF-8"),
            _ => Self::Gone,
        }
    }

    /// Says so to the client, and waits a little for its agreement.
    pub(super) async fn close(self, wire: &mut impl Wire) {
        tracing::debug!(end = ?self, "a connection ends");
        let parted = async {
            match self {
                // What is left to be said is an answer to its own goodbye. It may not hear that any more.
                Self::Gone => drop(wire.close().await),
                Self::Closed { code, why } => {
                    let frame = CloseFrame { code, reason: why.into_owned().into() };
                    if wire.send(Message::Close(Some(frame))).await.is_ok() {
                        while let Some(Ok(_)) = wire.next().await {}
                    }
                }
            }
        };
        // Who does not listen at all is left alone.
        let _ = timeout(PARTING, parted).await;
    }
}
