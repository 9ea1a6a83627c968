//! A client for well-formed requests, over real sockets.

use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::files::Form;
use crate::server::PATIENCE;

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// A request without a body.
    #[must_use]
    pub fn new(method: Method, target: impl Into<String>) -> Self {
        Self { method, target: target.into(), headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// A `GET` request.
    #[must_use]
    pub fn get(target: impl Into<String>) -> Self {
        Self::new(Method::GET, target)
    }

    /// A `POST` request.
    #[must_use]
    pub fn post(target: impl Into<String>) -> Self {
        Self::new(Method::POST, target)
    }

    /// With a header.
    ///
    /// # Panics
    ///
    /// If it cannot be one.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("a header's name");
        self.headers.insert(name, HeaderValue::try_from(value).expect("a header's value"));
        self
    }

    /// With a token in the header `Authorization`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With a body of a type.
    #[must_use]
    pub fn body(mut self, media_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", media_type)
    }

    /// With a body in JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With a form.
    #[must_use]
    pub fn form(self, form: &Form) -> Self {
        self.body(&form.content_type(), form.encode())
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// The value of a header, or an empty text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The content type without its parameters.
    #[must_use]
    pub fn media_type(&self) -> String {
        self.header("content-type").split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The body as JSON, or null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text, as far as it is one.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The beginning of the body on one line.
    #[must_use]
    pub fn excerpt(&self) -> String {
        let text: String = self.text().chars().take(600).collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
    }
}

/// A request that got no answer.
#[derive(Clone, Debug)]
pub struct NoAnswer(pub String);

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer: {}", self.0)
    }
}

/// A client with kept-alive connections.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    pool: Pool<HttpConnector, Full<Bytes>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the server at an address.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { address, pool: Pool::builder(TokioExecutor::new()).build_http() }
    }

    /// Sends a request.
    ///
    /// # Errors
    ///
    /// Where there was no answer, or the request cannot be one.
    pub async fn try_send(&self, request: Request) -> Result<Reply, NoAnswer> {
        let mut built = http::Request::builder()
            .method(request.method)
            .uri(format!("http://{}{}", self.address, request.target))
            .body(Full::new(request.body))
            .map_err(|error| NoAnswer(error.to_string()))?;
        *built.headers_mut() = request.headers;
        let exchange = async {
            let answer = self.pool.request(built).await.map_err(|error| NoAnswer(format!("{error:?}")))?;
            let (parts, body) = answer.into_parts();
            let body = body.collect().await.map_err(|error| NoAnswer(format!("{error:?}")))?.to_bytes();
            Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
        };
        tokio::time::timeout(PATIENCE, exchange).await.unwrap_or(Err(NoAnswer("waited too long".into())))
    }

    /// Sends a request.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    pub async fn send(&self, request: Request) -> Reply {
        let what = format!("{} {:.100}", request.method, request.target);
        self.try_send(request).await.unwrap_or_else(|error| panic!("{what}: {error}"))
    }
}
