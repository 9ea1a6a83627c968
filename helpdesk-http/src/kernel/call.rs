//! A request on its way to a handler.

use std::net::SocketAddr;
use std::sync::Arc;

use helpdesk_core::storage::EntityId;
use helpdesk_core::{Actor, Authenticated, Helpdesk};
use http::{HeaderMap, Method};

use super::body::Payload;
use super::failure::Failure;

/// The address at the other end of the connection. Whoever accepts connections puts it among the request's
/// extensions; without it, callers without a token share their limits.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddr(pub SocketAddr);

/// What is known of a request before its body is read.
#[derive(Debug)]
pub struct Head {
    /// The request's id: the client's own, or one made for it.
    pub request_id: String,
    /// The method.
    pub method: Method,
    /// The path below the dialect's mount, as it was sent.
    pub path: String,
    /// What follows the `?`.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// Where the dialect is reached from outside: `https://desk.example/smartsupport`.
    pub base: String,
    /// Where links in mails lead: the public address that was configured, or else the dialect's mount, as a path below
    /// the site. Never what the request named: that may be anybody's word.
    pub link_base: String,
    /// Where the request came from: the peer, or what a trusted proxy says.
    pub from: String,
}

impl Head {
    /// The value of a header, where it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The value of a query parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// A request as a handler gets it: authenticated, permitted, its body read.
#[derive(Debug)]
pub struct Call {
    /// The help desk.
    pub desk: Helpdesk,
    /// Who calls: at a public operation somebody unknown, in the dialect's organisation.
    pub caller: Authenticated,
    /// What is known of the request.
    pub head: Arc<Head>,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) payload: Payload,
}

impl Call {
    /// Who calls.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.caller.actor
    }

    /// A parameter of the path, decoded. Empty where the operation's path has none of that name, which the table
    /// of operations excludes.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// A parameter of the path that is a record's id.
    ///
    /// # Errors
    ///
    /// There is no such `what`, where it is no id at all.
    pub fn id<I: EntityId>(&self, name: &str, what: &'static str) -> Result<I, Failure> {
        self.parameter(name).parse().map(I::from_uuid).map_err(|_| Failure::not_found(what))
    }

    /// A parameter of the path that is a record's number.
    ///
    /// # Errors
    ///
    /// There is no such `what`, where it is no number at all.
    pub fn number(&self, name: &str, what: &'static str) -> Result<i64, Failure> {
        self.parameter(name).parse().ok().filter(|number| *number > 0).ok_or(Failure::not_found(what))
    }
}
