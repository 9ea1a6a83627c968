//! What all dialects share: operations as data, and the one way of a request through them.

mod body;
mod call;
mod dialect;
mod failure;
mod file;
mod handler;
mod limits;
pub(crate) mod log;
mod openapi;
mod operation;
mod pipeline;
mod reply;
mod room;
mod routes;
mod to_its_end;

pub use self::body::Payload;
pub(crate) use self::body::RequestBody;
pub use self::call::{Call, Head, PeerAddr};
pub use self::dialect::{Dialect, Tenant};
pub use self::failure::Failure;
pub use self::handler::{Answer, Body, Extract, Handler, Query, Running};
pub use self::limits::{RateClass, RateLimits, Rates};
pub use self::openapi::document;
pub use self::operation::{Auth, BodyKind, Operation, OperationDoc};
pub(crate) use self::pipeline::{Pipeline, REQUEST_ID};
pub use self::reply::{BodyError, Json, Reply, ResponseBody, full};
pub(crate) use self::room::BodyRoom;
