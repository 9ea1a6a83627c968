//! Operations as data.

use std::fmt;
use std::sync::Arc;

use helpdesk_core::identity::Permission;
use http::{Method, StatusCode};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::call::Call;
use super::handler::{Handler, Running};
use super::limits::RateClass;
use crate::input::FieldDoc;

/// The largest JSON body that is taken, unless an operation says otherwise: 1 MiB.
pub(crate) const JSON_LIMIT: u64 = 1024 * 1024;

/// How a caller proves who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Nobody needs to.
    None,
    /// A token in the header `Authorization`.
    Bearer,
    /// A token in the header, a token for the file in the query as `token`, or an API key in the query as `api_key`
    /// or in the header `X-API-Key`: for addresses that browsers and other systems open by themselves.
    File,
}

/// What an operation takes as its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// Nothing. What is sent is not read.
    None,
    /// A JSON object.
    Json {
        /// The most bytes it may have.
        limit: u64,
    },
    /// A form with files, or a JSON object or a plain form where there are none.
    Form {
        /// The most bytes of one file.
        per_file: u64,
        /// The most bytes in all.
        total: u64,
    },
}

/// One operation of a dialect: everything that is known of it before it is called.
///
/// Router, authentication, permissions, limits, the dialect's document and its tests all read this value.
#[derive(Clone)]
pub struct Operation {
    /// The operation's name, unique in the dialect: `tickets.create`.
    pub id: &'static str,
    /// The method.
    pub method: Method,
    /// The path below the dialect's mount, with `{parameters}`; a last `{*rest}` may hold slashes. A slash at the
    /// end is shown in the document; requests may come with or without it.
    pub path: &'static str,
    /// How callers prove who they are.
    pub auth: Auth,
    /// What callers must be allowed, whatever the object.
    pub permission: Option<Permission>,
    /// Which of the dialect's limits it counts towards.
    pub rate: Option<RateClass>,
    /// The heading it stands under in the document.
    pub area: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// What it does, where a line does not say it.
    pub description: &'static str,
    /// The status of its success.
    pub success: StatusCode,
    /// The statuses of its refusals.
    pub errors: &'static [u16],
    /// What it takes as its body.
    pub body: BodyKind,
    /// Whether the dialect's document has it. Others serve what the document presumes and does not describe, such as
    /// where the link of a mail leads.
    pub documented: bool,
    pub(crate) doc: OperationDoc,
    pub(crate) run: Arc<dyn Fn(Call, StatusCode) -> Running + Send + Sync>,
}

/// What an operation's handler says about itself.
#[derive(Clone, Debug, Default)]
pub struct OperationDoc {
    /// The query's parameters.
    pub query: Vec<FieldDoc>,
    /// The body's schema.
    pub request: Option<RefOr<Schema>>,
    /// The answer's schema and content type.
    pub response: Option<(&'static str, RefOr<Schema>)>,
    /// The schemas that those refer to.
    pub schemas: Vec<(String, RefOr<Schema>)>,
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("id", &self.id)
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Operation {
    /// An operation that anybody may call, without a body, and answers 200.
    pub fn new<A>(method: Method, id: &'static str, path: &'static str, handler: impl Handler<A>) -> Self {
        let mut doc = OperationDoc::default();
        handler.describe(&mut doc);
        let body = if doc.request.is_some() { BodyKind::Json { limit: JSON_LIMIT } } else { BodyKind::None };
        Self {
            id,
            method,
            path,
            auth: Auth::None,
            permission: None,
            rate: None,
            area: "",
            summary: "",
            description: "",
            success: StatusCode::OK,
            errors: &[],
            body,
            documented: true,
            doc,
            run: Arc::new(move |call, success| handler.run(call, success)),
        }
    }

    /// A `GET` operation.
    pub fn get<A>(id: &'static str, path: &'static str, handler: impl Handler<A>) -> Self {
        Self::new(Method::GET, id, path, handler)
    }

    /// A `POST` operation.
    pub fn post<A>(id: &'static str, path: &'static str, handler: impl Handler<A>) -> Self {
        Self::new(Method::POST, id, path, handler)
    }

    /// A `PUT` operation.
    pub fn put<A>(id: &'static str, path: &'static str, handler: impl Handler<A>) -> Self {
        Self::new(Method::PUT, id, path, handler)
    }

    /// A `PATCH` operation.
    pub fn patch<A>(id: &'static str, path: &'static str, handler: impl Handler<A>) -> Self {
        Self::new(Method::PATCH, id, path, handler)
    }

    /// A `DELETE` operation.
    pub fn delete<A>(id: &'static str, path: &'static str, handler: impl Handler<A>) -> Self {
        Self::new(Method::DELETE, id, path, handler)
    }

    /// What it does, in a line, and what more there is to say.
    #[must_use]
    pub const fn says(mut self, summary: &'static str, description: &'static str) -> Self {
        self.summary = summary;
        self.description = description;
        self
    }

    /// The heading it stands under.
    #[must_use]
    pub const fn area(mut self, area: &'static str) -> Self {
        self.area = area;
        self
    }

    /// How callers prove who they are.
    #[must_use]
    pub const fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// What callers must be allowed. They must then be known as well.
    #[must_use]
    pub fn needs(mut self, permission: Permission) -> Self {
        self.auth = Auth::Bearer;
        self.permission = Some(permission);
        self
    }

    /// Which limit it counts towards.
    #[must_use]
    pub const fn rate(mut self, rate: RateClass) -> Self {
        self.rate = Some(rate);
        self
    }

    /// The status of its success.
    #[must_use]
    pub const fn success(mut self, status: StatusCode) -> Self {
        self.success = status;
        self
    }

    /// The statuses of its refusals.
    #[must_use]
    pub const fn errors(mut self, statuses: &'static [u16]) -> Self {
        self.errors = statuses;
        self
    }

    /// Says that the dialect's document does not have it.
    #[must_use]
    pub const fn beyond_document(mut self) -> Self {
        self.documented = false;
        self
    }

    /// Takes a form with files.
    #[must_use]
    pub const fn form(mut self, per_file: u64, total: u64) -> Self {
        self.body = BodyKind::Form { per_file, total };
        self
    }

    /// The names of the path's parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path
            .split('{')
            .skip(1)
            .filter_map(|part| part.split('}').next())
            .map(|name| name.trim_start_matches('*'))
    }

    pub(crate) fn call(&self, call: Call) -> Running {
        (self.run)(call, self.success)
    }
}
