//! WebSockets through the HTTP server: what joins the two adapters, neither of which knows the other.

use async_trait::async_trait;
use helpdesk_http::kernel::{Failure, Reply};
use helpdesk_http::{Opening, Socket};
use helpdesk_ws::{Refusal, Request};
use http::StatusCode;

/// A door for WebSockets, to be mounted on an [`HttpApi`](helpdesk_http::HttpApi).
///
/// ```
/// use std::sync::Arc;
///
/// use helpdesk::http::HttpApi;
/// use helpdesk::http::dialects::supportdesk::{SupportDeskFeed, supportdesk};
/// use helpdesk::identity::OrganisationId;
/// use helpdesk::ws::Hub;
/// use helpdesk::{Helpdesk, HttpSocket, MemoryStorage};
///
/// fn api(organisation: OrganisationId) -> HttpApi {
///     let hub = Hub::new(Default::default());
///     let desk = Helpdesk::builder()
///         .storage(Arc::new(MemoryStorage::new(Helpdesk::schema())))
///         .notifier(Arc::new(hub.clone()))
///         .build();
///     let socket = hub.socket(desk.clone(), Arc::new(SupportDeskFeed::new()));
///     HttpApi::builder(desk)
///         .dialect("/supportdesk", supportdesk(organisation))
///         .socket("/supportdesk/ws", Arc::new(HttpSocket::new(socket)))
///         .build()
/// }
/// ```
#[derive(Clone, Debug)]
pub struct HttpSocket(helpdesk_ws::Socket);

impl HttpSocket {
    /// The door of a socket.
    #[must_use]
    pub const fn new(socket: helpdesk_ws::Socket) -> Self {
        Self(socket)
    }
}

#[async_trait]
impl Socket for HttpSocket {
    async fn open(&self, Opening { head, connection }: Opening) -> Result<Reply, Failure> {
        let request =
            Request { headers: &head.headers, query: &head.query, from: &head.from, base: &head.base };
        match self.0.open(request, connection).await {
            Ok(headers) => Ok(Reply { headers, ..Reply::empty(StatusCode::SWITCHING_PROTOCOLS) }),
            Err(Refusal::Malformed(why)) => Err(Failure::Malformed { why: why.to_owned() }),
            Err(Refusal::Full { retry_after }) => Err(Failure::Limited { retry_after }),
            Err(Refusal::Core(error)) => Err(error.into()),
        }
    }

    async fn drain(&self) {
        self.0.hub().drain().await;
    }
}

#[cfg(test)]
mod tests;
