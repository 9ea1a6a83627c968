//! The service: dialects at their mounts, as one `tower::Service`.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use helpdesk_core::{Helpdesk, Ids as _, Limiter, SystemIds, Unlimited};
use http::header::{ACCEPT_ENCODING, HOST, HeaderName};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::upgrade::OnUpgrade;
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, Service, ServiceExt as _};
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::kernel::{
    BodyError, BodyRoom, Dialect, Failure, Head, PeerAddr, Pipeline, RateLimits, Reply, RequestBody,
    ResponseBody, document, log,
};
use crate::server::Places;
use crate::sockets::{Opening, Socket};

type Inner = BoxCloneSyncService<Request<RequestBody>, Response<ResponseBody>, Infallible>;

/// The help desk over HTTP: every mounted dialect, their documents and pages, `/healthz` and `/readyz`.
///
/// It takes requests with any body, so it can be served by hyper, nested in axum, or called in a test. Cheap to
/// clone.
#[derive(Clone)]
pub struct HttpApi {
    plain: Inner,
    compressed: Inner,
    mounts: Arc<Mounts>,
}

impl fmt::Debug for HttpApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpApi").finish_non_exhaustive()
    }
}

/// Puts the service together.
#[derive(Debug)]
pub struct Builder {
    desk: Helpdesk,
    mounts: Vec<(String, Dialect)>,
    sockets: Vec<(String, Arc<dyn Socket>)>,
    limiter: Arc<dyn Limiter>,
    time_limit: Duration,
    body_memory: u64,
    origins: Vec<HeaderValue>,
    public_url: Option<String>,
    trusted_proxies: Vec<IpAddr>,
    connections: usize,
    connections_per_address: usize,
}

impl HttpApi {
    /// Begins to put a service together.
    #[must_use]
    pub fn builder(desk: Helpdesk) -> Builder {
        Builder {
            desk,
            mounts: Vec::new(),
            sockets: Vec::new(),
            limiter: Arc::new(Unlimited),
            time_limit: Duration::from_secs(30),
            body_memory: 256 << 20,
            origins: Vec::new(),
            public_url: None,
            trusted_proxies: Vec::new(),
            connections: 10_000,
            connections_per_address: 1_000,
        }
    }

    /// Room for the connections of one listener.
    pub(crate) fn places(&self) -> Places {
        let mounts = &self.mounts;
        Places::new(mounts.connections, mounts.connections_per_address, mounts.trusted_proxies.clone())
    }

    /// Ends the connections that were taken over by sockets, and answers when the last is closed. [`serve`] does so at
    /// its end; who serves by other means does it themselves.
    ///
    /// [`serve`]: crate::serve
    pub async fn drain(&self) {
        let drains = self.mounts.sockets.iter().map(|(_, socket)| socket.drain());
        futures_util::future::join_all(drains).await;
    }
}

impl Builder {
    /// The help desk that the service is for.
    #[must_use]
    pub const fn desk(&self) -> &Helpdesk {
        &self.desk
    }

    /// Mounts a dialect at a path such as `/smartsupport`, or at the root with an empty one. One dialect may be
    /// mounted several times.
    #[must_use]
    pub fn dialect(mut self, mount: &str, dialect: Dialect) -> Self {
        self.mounts.push((mount.trim_end_matches('/').to_owned(), dialect));
        self
    }

    /// Hands connections over to a socket that are asked for at a path such as `/supportdesk/ws`. One socket may be
    /// mounted several times.
    #[must_use]
    pub fn socket(mut self, path: &str, socket: Arc<dyn Socket>) -> Self {
        self.sockets.push((path.trim_end_matches('/').to_owned(), socket));
        self
    }

    /// Counts requests against the dialects' limits. Default: nobody counts.
    #[must_use]
    pub fn limiter(mut self, limiter: Arc<dyn Limiter>) -> Self {
        self.limiter = limiter;
        self
    }

    /// How long a body may take to arrive and to be given room, and an operation to be done, before the client is told
    /// that it took too long: each of them. Default: 30 seconds.
    #[must_use]
    pub const fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// How many bytes the bodies that are read or worked on may have, of all requests together. Those of at most 64 KiB
    /// do not count, so ordinary calls never wait. A larger one waits, once that much of it is there, until there is room
    /// for what it announces, or for all that the operation takes; after the [`time_limit`](Self::time_limit) the client
    /// is told that the service is unavailable (503), with `Retry-After`. One that is larger than all of it is read alone.
    /// Default: 256 MiB, five of SmartSupport's largest forms.
    #[must_use]
    pub const fn body_memory(mut self, bytes: u64) -> Self {
        self.body_memory = bytes;
        self
    }

    /// Lets pages of these origins call the service from a browser: `https://desk.example`, or `*` for all.
    #[must_use]
    pub fn origins(mut self, origins: impl IntoIterator<Item = HeaderValue>) -> Self {
        self.origins.extend(origins);
        self
    }

    /// Where the service is reached from outside, for the addresses it hands out. Default: what the request's
    /// `Host` says.
    #[must_use]
    pub fn public_url(mut self, url: &str) -> Self {
        self.public_url = Some(url.trim_end_matches('/').to_owned());
        self
    }

    /// Believes `X-Forwarded-For` and `X-Forwarded-Proto` of these proxies, and of no others. Where one forwards for
    /// another, the address of the client is the first, from the end, that is none of theirs.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: impl IntoIterator<Item = IpAddr>) -> Self {
        self.trusted_proxies.extend(proxies.into_iter().map(|proxy| proxy.to_canonical()));
        self
    }

    /// How many connections [`serve`](crate::serve) has at a time, without those that sockets took over. Further ones
    /// wait in the system's queue. Default: 10,000.
    #[must_use]
    pub const fn connections(mut self, most: usize) -> Self {
        self.connections = most;
        self
    }

    /// How many of them may come from one address, or one /64 of IPv6; further ones are closed at once. Trusted proxies
    /// may have any number: they bring everybody's. Default: 1,000; whole offices come from one, and proxies that are
    /// not named.
    #[must_use]
    pub const fn connections_per_address(mut self, most: usize) -> Self {
        self.connections_per_address = most;
        self
    }

    /// The service.
    ///
    /// # Panics
    ///
    /// If a dialect's table contradicts itself: two operations of one name or one path and method.
    #[must_use]
    pub fn build(self) -> HttpApi {
        let room = BodyRoom::new(self.body_memory, self.time_limit);
        let mut mounts: Vec<_> = self
            .mounts
            .into_iter()
            .map(|(mount, dialect)| {
                let limits = RateLimits { rates: dialect.limits, limiter: Arc::clone(&self.limiter) };
                let (desk, room) = (self.desk.clone(), room.clone());
                (mount, Pipeline::new(desk, dialect, limits, room, self.time_limit))
            })
            .collect();
        // The longest mount wins, so that a dialect at the root leaves the others theirs.
        mounts.sort_by_key(|(mount, _)| std::cmp::Reverse(mount.len()));
        let mounts = Arc::new(Mounts {
            desk: self.desk,
            mounts,
            sockets: self.sockets,
            process: process(),
            requests: AtomicU64::new(0),
            public_url: self.public_url,
            trusted_proxies: self.trusted_proxies,
            connections: self.connections,
            connections_per_address: self.connections_per_address,
        });
        let root = Root(Arc::clone(&mounts));
        let compressed = CompressionLayer::new().layer(root.clone());
        let compressed = compressed.map_response(|response: Response<_>| response.map(boxed));
        if self.origins.is_empty() {
            return HttpApi {
                plain: BoxCloneSyncService::new(root),
                compressed: BoxCloneSyncService::new(compressed),
                mounts,
            };
        }
        let cors = cors(self.origins);
        HttpApi {
            plain: BoxCloneSyncService::new(cors.layer(root)),
            compressed: BoxCloneSyncService::new(cors.layer(compressed)),
            mounts,
        }
    }
}

fn boxed<B>(body: B) -> ResponseBody
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    body.map_err(BodyError::new).boxed_unsync()
}

fn cors(origins: Vec<HeaderValue>) -> CorsLayer {
    let any = origins.iter().any(|origin| origin == "*");
    let origin = if any { AllowOrigin::any() } else { AllowOrigin::list(origins) };
    CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            http::header::AUTHORIZATION,
            http::header::CONTENT_TYPE,
            http::header::IF_MATCH,
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("x-api-key"),
        ])
        .expose_headers([
            http::header::CONTENT_DISPOSITION,
            http::header::ETAG,
            http::header::RETRY_AFTER,
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("x-ratelimit-limit"),
            HeaderName::from_static("x-ratelimit-remaining"),
            HeaderName::from_static("x-ratelimit-reset"),
        ])
        .max_age(Duration::from_secs(3_600))
}

impl<B> Service<Request<B>> for HttpApi
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // Compressing is only prepared for those who ask for it.
        let encodes = request.headers().contains_key(ACCEPT_ENCODING);
        let inner = if encodes { &self.compressed } else { &self.plain };
        let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
        inner.clone().call(request)
    }
}

/// Eight random hexadecimal digits.
fn process() -> String {
    SystemIds::new().secret()[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Everything that is mounted.
#[derive(Debug)]
struct Mounts {
    desk: Helpdesk,
    mounts: Vec<(String, Pipeline)>,
    sockets: Vec<(String, Arc<dyn Socket>)>,
    /// Tells this process's request ids from those of others.
    process: String,
    requests: AtomicU64,
    public_url: Option<String>,
    trusted_proxies: Vec<IpAddr>,
    connections: usize,
    connections_per_address: usize,
}

#[derive(Clone, Debug)]
struct Root(Arc<Mounts>);

impl Service<Request<RequestBody>> for Root {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let mounts = Arc::clone(&self.0);
        Box::pin(async move { Ok(mounts.answer(request).await) })
    }
}

impl Mounts {
    async fn answer(&self, request: Request<RequestBody>) -> Response<ResponseBody> {
        let (mut parts, body) = request.into_parts();
        let connection = parts.extensions.remove::<OnUpgrade>();
        let request_id = self.request_id(&parts.headers);
        let path = parts.uri.path();
        let mounted = self.mounts.iter().find_map(|(mount, pipeline)| {
            let rest = path.strip_prefix(mount.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then_some((mount, pipeline, rest))
        });
        let mut sockets = self.sockets.iter();
        let socket = sockets.find(|(at, _)| path.trim_end_matches('/') == at).map(|(_, socket)| &**socket);
        let mut response = match path {
            "/healthz" => Reply::content(StatusCode::OK, "text/plain", "ok\n").into_response(),
            "/readyz" => self.ready().await.into_response(),
            _ => {
                let (mount, rest) = mounted.map_or(("", path), |(mount, _, rest)| (mount.as_str(), rest));
                let peer = parts.extensions.get::<PeerAddr>().map(|peer| peer.0.ip().to_canonical());
                let trusts = |address| self.trusted_proxies.contains(&address);
                let trusted = peer.is_some_and(trusts);
                let head = Head {
                    request_id: request_id.clone(),
                    base: format!("{}{mount}", self.origin(&parts, trusted)),
                    link_base: format!("{}{mount}", self.public_url.as_deref().unwrap_or_default()),
                    from: from(peer, trusts, &parts.headers),
                    path: if rest.is_empty() { "/".to_owned() } else { rest.to_owned() },
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    method: parts.method,
                    headers: parts.headers,
                };
                let pipeline = mounted.map(|(_, pipeline, _)| pipeline);
                match (socket, pipeline) {
                    (Some(socket), pipeline) => self.socket(socket, pipeline, head, connection).await,
                    (None, Some(pipeline)) => self.dialect(pipeline, head, body).await,
                    (None, None) => {
                        let nothing = "Nothing is here.\n";
                        Reply::content(StatusCode::NOT_FOUND, "text/plain", nothing).into_response()
                    }
                }
            }
        };
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            headers.insert(crate::kernel::REQUEST_ID, id);
        }
        secure(headers);
        response
    }

    /// Asks a socket to take the connection over. Where it does not, the dialect at whose mount it is says so.
    async fn socket(
        &self,
        socket: &dyn Socket,
        pipeline: Option<&Pipeline>,
        head: Head,
        connection: Option<OnUpgrade>,
    ) -> Response<ResponseBody> {
        let (began, head) = (std::time::Instant::now(), Arc::new(head));
        let opened = if head.method == Method::GET {
            socket.open(Opening { head: Arc::clone(&head), connection }).await
        } else {
            Err(Failure::Method { allowed: vec![Method::GET] })
        };
        let name = pipeline.map_or("none", |pipeline| pipeline.dialect().name);
        let reply = opened.unwrap_or_else(|failure| {
            log::failed(&head, "socket", &failure);
            pipeline.map_or_else(|| Reply::empty(StatusCode::BAD_REQUEST), |it| it.refuse(&failure, &head))
        });
        log::answered(&head, name, "socket", reply.status, began.elapsed());
        reply.into_response()
    }

    async fn dialect(&self, pipeline: &Pipeline, head: Head, body: RequestBody) -> Response<ResponseBody> {
        let page = match (&head.method, head.path.as_str()) {
            (&Method::GET | &Method::HEAD, "/openapi.json") => {
                let document = document(pipeline.dialect(), pipeline.operations(), &head.base);
                Some(Reply::json(StatusCode::OK, &document))
            }
            #[cfg(feature = "docs-ui")]
            (&Method::GET | &Method::HEAD, path) if path == "/docs" || path.starts_with("/docs/") => {
                let file = crate::docs::file(&path["/docs".len()..], &head.base);
                Some(file.unwrap_or_else(|| pipeline.refuse(&crate::kernel::Failure::NoRoute, &head)))
            }
            _ => None,
        };
        match page {
            Some(page) => page.into_response(),
            None => pipeline.answer(head, body).await,
        }
    }

    /// Whether the store answers.
    async fn ready(&self) -> Reply {
        match self.desk.store().storage().health().await {
            Ok(health) => {
                let body = serde_json::json!({ "status": "ready", "unplaced_events": health.unplaced });
                Reply::json(StatusCode::OK, &body)
            }
            Err(error) => {
                tracing::warn!(error = %helpdesk_core::Chain(&error), "not ready");
                Reply::json(StatusCode::SERVICE_UNAVAILABLE, &serde_json::json!({ "status": "unavailable" }))
            }
        }
    }

    /// The client's own id for the request, where it is one, or a new one.
    fn request_id(&self, headers: &http::HeaderMap) -> String {
        let given = headers.get(crate::kernel::REQUEST_ID).and_then(|value| value.to_str().ok());
        let good = |id: &&str| {
            (1..=64).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        given.filter(good).map_or_else(
            || format!("{}-{}", self.process, self.requests.fetch_add(1, Ordering::Relaxed)),
            str::to_owned,
        )
    }

    /// Scheme and host under which the client reached the service.
    fn origin(&self, parts: &http::request::Parts, trusted: bool) -> String {
        if let Some(url) = &self.public_url {
            return url.clone();
        }
        let host = parts.uri.authority().map(http::uri::Authority::as_str);
        let host = host.or_else(|| parts.headers.get(HOST).and_then(|value| value.to_str().ok()));
        let scheme = last_of(&parts.headers, "x-forwarded-proto");
        let scheme = scheme.filter(|scheme| trusted && matches!(*scheme, "http" | "https"));
        format!("{}://{}", scheme.unwrap_or("http"), host.unwrap_or("localhost"))
    }
}

/// Where a request came from: of the peer and those it was forwarded for, from the last to the first, the first that is
/// no trusted proxy. What nobody trusted has seen is not looked at.
fn from(peer: Option<IpAddr>, trusts: impl Fn(IpAddr) -> bool, headers: &http::HeaderMap) -> String {
    let Some(mut from) = peer else { return "unknown".to_owned() };
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let mut forwarded = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    while trusts(from)
        && let Some(Ok(before)) = forwarded.next().map(|address| address.trim().parse::<IpAddr>())
    {
        from = before.to_canonical();
    }
    from.to_string()
}

/// The last value of a list that proxies add to, on whichever of the header's lines it stands: what comes before it
/// was there when the proxy got the request, and may be anybody's word.
fn last_of<'a>(headers: &'a http::HeaderMap, name: &str) -> Option<&'a str> {
    let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    line.rsplit(',').next().map(str::trim)
}

/// The headers of every answer: nothing is guessed, framed, kept or run.
fn secure(headers: &mut http::HeaderMap) {
    let mut default = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    default(http::header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(http::header::X_FRAME_OPTIONS, "DENY");
    default(http::header::REFERRER_POLICY, "no-referrer");
    default(http::header::CACHE_CONTROL, "no-store");
    default(http::header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
}
