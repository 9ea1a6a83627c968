//! Connections that stay: what takes a connection over at a path.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use hyper::upgrade::OnUpgrade;

use crate::kernel::{Failure, Head, Reply};

/// Takes connections over at a path, for WebSockets and the like. Mounted with
/// [`Builder::socket`](crate::Builder::socket).
///
/// This crate knows nothing of what is spoken on the connection. `helpdesk` has one that joins it with `helpdesk-ws`.
#[async_trait]
pub trait Socket: Debug + Send + Sync + 'static {
    /// Answers a request for a connection: with `101 Switching Protocols`, after which the connection is the socket's.
    ///
    /// # Errors
    ///
    /// Why it is not given. Below a dialect's mount this is told in the dialect's own way.
    async fn open(&self, opening: Opening) -> Result<Reply, Failure>;

    /// Ends all connections, and answers when the last is closed. None is opened from then on.
    async fn drain(&self);
}

/// A request for a connection.
#[derive(Debug)]
pub struct Opening {
    /// What is known of the request.
    pub head: Arc<Head>,
    /// The connection, once the request is answered; none where it cannot be taken over, as in HTTP/2.
    pub connection: Option<OnUpgrade>,
}
