//! Answers.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use serde::Serialize;

/// The body of a response.
pub type ResponseBody = UnsyncBoxBody<Bytes, BodyError>;

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
#[error("the body ended early")]
pub struct BodyError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl From<Infallible> for BodyError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl BodyError {
    /// Wraps whatever a body failed with.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// A body whose content is known.
#[must_use]
pub fn full(content: Bytes) -> ResponseBody {
    Full::new(content).map_err(BodyError::from).boxed_unsync()
}

/// An answer: status, headers, content.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// Headers beside those that every answer has.
    pub headers: HeaderMap,
    /// The content.
    pub content: Bytes,
}

impl Reply {
    /// An answer without content.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), content: Bytes::new() }
    }

    /// An answer of a content type.
    #[must_use]
    pub fn content(status: StatusCode, media_type: &'static str, content: impl Into<Bytes>) -> Self {
        Self::empty(status)
            .header(CONTENT_TYPE, HeaderValue::from_static(media_type))
            .with_content(content.into())
    }

    /// An answer in JSON.
    #[must_use]
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        // Views are structs of texts, numbers and lists, all of which JSON can say.
        Self::content(status, "application/json", serde_json::to_vec(value).unwrap_or_default())
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    fn with_content(mut self, content: Bytes) -> Self {
        self.content = content;
        self
    }

    /// The answer as a response.
    #[must_use]
    pub fn into_response(self) -> Response<ResponseBody> {
        let mut response = Response::new(full(self.content));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// An answer in JSON with the operation's success status.
#[derive(Clone, Debug)]
pub struct Json<V>(pub V);
