//! The way of a request: match, limit, authenticate, permit, decode, handle, encode.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use helpdesk_core::{Actor, AuthFailure, Authenticated, Error, Helpdesk, Who, network_of};
use http::header::{AUTHORIZATION, HeaderName, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response};

use super::body::{Payload, RequestBody};
use super::call::{Call, Head};
use super::dialect::Dialect;
use super::failure::Failure;
use super::handler::Running;
use super::limits::RateLimits;
use super::log;
use super::operation::{Auth, Operation};
use super::reply::{Reply, ResponseBody};
use super::room::BodyRoom;
use super::routes::{Found, Routes};
use super::to_its_end::{Panicked, ToItsEnd};

/// The way of requests to one dialect.
#[derive(Debug)]
pub(crate) struct Pipeline {
    desk: Helpdesk,
    dialect: Dialect,
    routes: Routes,
    limits: RateLimits,
    room: BodyRoom,
    time_limit: Duration,
}

impl Pipeline {
    pub(crate) fn new(
        desk: Helpdesk,
        mut dialect: Dialect,
        limits: RateLimits,
        room: BodyRoom,
        time_limit: Duration,
    ) -> Self {
        let routes = Routes::new(std::mem::take(&mut dialect.operations));
        Self { desk, dialect, routes, limits, room, time_limit }
    }

    pub(crate) const fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    pub(crate) fn operations(&self) -> &[Operation] {
        self.routes.operations()
    }

    /// Answers a request. Failures are answered in the dialect's own way.
    pub(crate) async fn answer(&self, head: Head, body: RequestBody) -> Response<ResponseBody> {
        let began = Instant::now();
        let head = Arc::new(head);
        let mut headers = HeaderMap::new();
        let found = self.routes.find(&head.method, &self.in_table(&head.path));
        let operation = found.as_ref().map_or("none", |found| found.operation.id);
        // What panics before there is a handler, the store for one when it is asked who calls, must not take the
        // connection with it. Nothing that is half done is seen: the call is dropped.
        let called = AssertUnwindSafe(self.call(&head, found, body, &mut headers)).catch_unwind();
        let answered = called.await.unwrap_or(Err(Failure::Panicked));
        let reply = answered.unwrap_or_else(|failure| {
            log::failed(&head, operation, &failure);
            self.refuse(&failure, &head)
        });
        log::answered(&head, self.dialect.name, operation, reply.status, began.elapsed());
        let mut response = reply.into_response();
        response.headers_mut().extend(headers);
        response
    }

    /// A path as the table of operations has it.
    fn in_table<'p>(&self, path: &'p str) -> Cow<'p, str> {
        let beginnings = self.dialect.aliases.iter();
        let mut aliased = beginnings.filter_map(|(alias, own)| Some((own, path.strip_prefix(alias)?)));
        match aliased.find(|(_, rest)| rest.starts_with('/')) {
            Some((own, rest)) => Cow::Owned(format!("{own}{rest}")),
            None => Cow::Borrowed(path),
        }
    }

    /// A failure in the dialect's own words, with the headers that belong to it.
    pub(crate) fn refuse(&self, failure: &Failure, head: &Head) -> Reply {
        let mut reply = (self.dialect.refuse)(failure, head);
        match failure {
            Failure::Limited { retry_after } => {
                let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
                reply.headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
            }
            Failure::Core(Error::Unavailable { .. }) => {
                reply.headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Failure::Method { allowed } => {
                let names: Vec<_> = allowed.iter().map(http::Method::as_str).collect();
                if let Ok(names) = HeaderValue::from_str(&names.join(", ")) {
                    reply.headers.insert(http::header::ALLOW, names);
                }
            }
            Failure::Core(Error::Unauthenticated(_)) => {
                reply.headers.insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        reply
    }

    async fn call(
        &self,
        head: &Arc<Head>,
        found: Result<Found<'_>, Failure>,
        body: RequestBody,
        headers: &mut HeaderMap,
    ) -> Result<Reply, Failure> {
        let Found { operation, parameters } = match found {
            Ok(found) => found,
            Err(failure) => {
                self.count(None, head, headers)?;
                return Err(failure);
            }
        };
        let (dialect, class) = (self.dialect.name, operation.rate);
        // Unknown callers are counted by address before anything is looked at, known ones by who they are.
        if operation.auth == Auth::None {
            self.limits.count_class(dialect, class, &network_of(&head.from), headers)?;
        }
        let caller = self.authenticate(operation, head).await;
        let known = caller.as_ref().ok().map(|caller| caller.actor.who());
        self.count(known.filter(|who| *who != Who::Anonymous), head, headers)?;
        let caller = caller?;
        if operation.auth != Auth::None {
            self.limits.count_class(dialect, class, &format!("{:?}", caller.actor.who()), headers)?;
        }
        if let Some(permission) = &operation.permission {
            caller.actor.needs(permission)?;
        }
        let (payload, held) = Payload::read(operation.body, &head.headers, body, &self.room).await?;
        let call = Call { desk: self.desk.clone(), caller, head: Arc::clone(head), parameters, payload };
        let work = || -> Running {
            let running = operation.call(call);
            match held {
                // What was read takes its room for as long as it is worked on, whoever waits for that.
                Some(held) => Box::pin(async move {
                    let answered = running.await;
                    drop(held);
                    answered
                }),
                None => running,
            }
        };
        match tokio::time::timeout(self.time_limit, ToItsEnd::new(work)).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(Panicked)) => Err(Failure::Panicked),
            Err(_) => Err(Failure::TimedOut),
        }
    }

    fn count(&self, who: Option<Who>, head: &Head, headers: &mut HeaderMap) -> Result<(), Failure> {
        let who = who.map(|who| format!("{who:?}"));
        let (dialect, address) = (self.dialect.name, network_of(&head.from));
        self.limits.count_caller(dialect, who.as_deref(), &address, self.desk.now(), headers)
    }

    async fn authenticate(&self, operation: &Operation, head: &Head) -> Result<Authenticated, Failure> {
        let via = || Arc::clone(&self.dialect.via);
        let identity = self.desk.identity();
        let caller = match operation.auth {
            Auth::None => {
                let actor = Actor::anonymous(self.dialect.tenant.of_unknown(), via());
                return Ok(Authenticated { actor, session: None });
            }
            Auth::Bearer => {
                let token = bearer(head)?.ok_or(Failure::unauthenticated(AuthFailure::Missing))?;
                identity.authenticate(token, via()).await?
            }
            Auth::File => {
                if let Some(token) = bearer(head)? {
                    identity.authenticate(token, via()).await?
                } else if let Some(token) = head.parameter("token") {
                    identity.authenticate_file(&token, via()).await?
                } else {
                    let in_header = head.header("x-api-key").map(str::to_owned);
                    let key = in_header.or_else(|| head.parameter("api_key"));
                    let key = key.ok_or(Failure::unauthenticated(AuthFailure::Missing))?;
                    identity.authenticate_key(&key, via()).await?
                }
            }
        };
        // A token of another organisation says nothing here.
        if !self.dialect.tenant.admits(caller.actor.organisation()) {
            return Err(Failure::unauthenticated(AuthFailure::Token));
        }
        Ok(caller)
    }
}

/// The token of the header `Authorization`, where there is such a header.
fn bearer(head: &Head) -> Result<Option<&str>, Failure> {
    let Some(value) = head.headers.get(AUTHORIZATION) else { return Ok(None) };
    let token = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty());
    token.map(|(_, token)| Some(token.trim())).ok_or(Failure::unauthenticated(AuthFailure::Token))
}

/// The header that carries a request's id, both ways.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
