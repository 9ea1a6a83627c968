//! The door: a request for a connection, and the answer to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use helpdesk_core::events::{Bearer, Mark};
use helpdesk_core::{AuthFailure, Chain, Error};
use http::header::{
    AUTHORIZATION, CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::channel::Channel;
use crate::hub::{Hub, Place, Seat};
use crate::session::{self, Connection, Known};

/// What is read of a connection at a time, and kept for it: clients say little.
const READ_BUFFER: usize = 8 << 10;
/// What is written at once.
const WRITE_BUFFER: usize = 16 << 10;
/// After how long it is worth another attempt where there is no room.
const FULL: Duration = Duration::from_secs(10);

/// The door for the clients of one API, from [`Hub::socket`]. Cheap to clone.
#[derive(Clone)]
pub struct Socket {
    channel: Arc<Channel>,
    base: Option<Arc<str>>,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("feed", &self.channel.feed.name()).finish_non_exhaustive()
    }
}

/// A request for a connection, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// What follows the `?`: `token` and `last_event_id` are read.
    pub query: &'a str,
    /// The address it came from.
    pub from: &'a str,
    /// Where the API is reached from outside.
    pub base: &'a str,
}

/// Why a connection is not given.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It was not asked for as WebSockets are.
    #[error("{0}")]
    Malformed(&'static str),
    /// There is no room for another.
    #[error("there are too many connections")]
    Full {
        /// When to try again.
        retry_after: Duration,
    },
    /// The token is not good, or that cannot be said.
    #[error(transparent)]
    Core(#[from] Error),
}

impl Socket {
    pub(crate) const fn new(channel: Arc<Channel>) -> Self {
        Self { channel, base: None }
    }

    /// Says where the API is reached from outside, whatever requests say.
    #[must_use]
    pub fn at(mut self, base: &str) -> Self {
        self.base = Some(base.trim_end_matches('/').into());
        self
    }

    /// The hub it belongs to.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.channel.hub
    }

    /// Takes a connection over, once the request for it is answered with `101 Switching Protocols` and the headers that
    /// this answers. A token in the header `Authorization` or in the query is looked at before that.
    ///
    /// # Errors
    ///
    /// [`Refusal`], with nothing begun.
    pub async fn open(
        &self,
        request: Request<'_>,
        connection: Option<OnUpgrade>,
    ) -> Result<HeaderMap, Refusal> {
        let accepted = accept(request.headers)?;
        let connection = connection.ok_or(Refusal::Malformed("This connection cannot be upgraded."))?;
        let place = self.channel.hub.place(request.from).ok_or(Refusal::Full { retry_after: FULL })?;
        let asked = self.asked(request, place).await?;
        let size = self.channel.hub.settings().message_size;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(size))
            .max_frame_size(Some(size));
        tokio::spawn(async move {
            match connection.await {
                Ok(stream) => {
                    let stream = TokioIo::new(stream);
                    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
                    session::run(socket, asked).await;
                }
                Err(error) => tracing::debug!(error = %Chain(&error), "a connection was not upgraded"),
            }
        });
        Ok(accepted)
    }

    /// A connection as it was asked for.
    pub(crate) async fn asked(&self, request: Request<'_>, place: Place) -> Result<Connection, Refusal> {
        let parameter = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(request.query.as_bytes());
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let resume = parameter("last_event_id").map(|id| id.parse::<Mark>());
        let resume = resume
            .transpose()
            .map_err(|_| Refusal::Malformed("The parameter last_event_id is not the id of an event."))?;
        let token = match request.headers.get(AUTHORIZATION) {
            Some(header) => {
                Some(bearer(header).ok_or(Error::Unauthenticated(AuthFailure::Token))?.to_owned())
            }
            None => parameter("token"),
        };
        let known = match token {
            Some(token) => Some(known(&self.channel, token).await?),
            None => None,
        };
        let base = self.base.clone().unwrap_or_else(|| request.base.into());
        Ok(Connection { channel: Arc::clone(&self.channel), place, base, known, resume })
    }
}

/// Who comes with a token, and room for them.
async fn known(channel: &Arc<Channel>, token: String) -> Result<Known, Refusal> {
    let bearer = channel.feed.authenticate(&channel.desk, &token).await?;
    let seat = seat(channel, &bearer).ok_or(Refusal::Full { retry_after: FULL })?;
    Ok(Known { token: token.into(), bearer, seat })
}

/// Room among the connections of an account.
pub(crate) fn seat(channel: &Channel, bearer: &Bearer) -> Option<Seat> {
    channel.hub.seat(bearer.caller.actor.user())
}

/// The token of an `Authorization` header.
fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}

/// The headers of the answer to a request for a WebSocket, where it is one.
fn accept(headers: &HeaderMap) -> Result<HeaderMap, Refusal> {
    let lists = |name, word: &str| {
        let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
    };
    if !lists(CONNECTION, "upgrade") || !lists(UPGRADE, "websocket") {
        return Err(Refusal::Malformed("Here clients connect by WebSocket."));
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Refusal::Malformed("The version of the WebSocket protocol must be 13."));
    }
    // Sixteen bytes in base64.
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24);
    let key = key.ok_or(Refusal::Malformed("The header Sec-WebSocket-Key is missing."))?;
    let accepted = HeaderValue::from_str(&derive_accept_key(key.as_bytes()));
    let accepted = accepted.map_err(|_| Refusal::Malformed("The header Sec-WebSocket-Key is no key."))?;
    Ok(HeaderMap::from_iter([
        (CONNECTION, HeaderValue::from_static("Upgrade")),
        (UPGRADE, HeaderValue::from_static("websocket")),
        (SEC_WEBSOCKET_ACCEPT, accepted),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))
        });
        pairs.collect()
    }

    #[test]
    fn a_request_as_in_the_standard_is_accepted() {
        let asked = headers(&[
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ]);
        let answered = accept(&asked).expect("accepted");
        assert_eq!(answered["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        for missing in ["connection", "upgrade", "sec-websocket-version", "sec-websocket-key"] {
            let mut asked = asked.clone();
            asked.remove(missing);
            assert!(matches!(accept(&asked), Err(Refusal::Malformed(_))), "{missing}");
        }
    }

    #[test]
    fn a_token_is_read_from_the_header() {
        let of = |text| bearer(&HeaderValue::from_static(text)).map(str::to_owned);
        assert_eq!(of("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(of("bearer  abc").as_deref(), Some("abc"));
        for wrong in ["Bearer", "Bearer ", "Basic abc", "abc"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
