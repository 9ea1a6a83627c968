//! How failures are told: a code for programs, a message for people, and what is wrong with each field.

use helpdesk_core::{AuthFailure, Error, Problems, Rejection};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema as _, ToSchema};

use super::words;
use crate::kernel::{Failure, Head, Reply};

/// What every failure answers.
#[derive(Serialize, ToSchema)]
struct ErrorView {
    success: bool,
    #[schema(inline)]
    error: ErrorBody,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
struct ErrorBody {
    /// For programs: `VALIDATION_ERROR`.
    code: &'static str,
    /// For people.
    message: String,
    /// What is wrong with each field, a list of sentences; empty where it is no field's fault.
    details: Map<String, Value>,
}

pub(super) fn schema() -> RefOr<Schema> {
    ErrorView::schema()
}

pub(super) fn refuse(failure: &Failure, _: &Head) -> Reply {
    let (status, code, message) = told(failure);
    let details = match failure {
        Failure::Core(Error::Invalid(problems)) => by_field(problems),
        _ => Map::new(),
    };
    Reply::json(status, &ErrorView { success: false, error: ErrorBody { code, message, details } })
}

type Told = (StatusCode, &'static str, String);

fn told(failure: &Failure) -> Told {
    match failure {
        Failure::NoRoute => (StatusCode::NOT_FOUND, "NOT_FOUND", "There is nothing at this path.".into()),
        Failure::Method { .. } => (
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
            "This path does not take the method.".into(),
        ),
        Failure::Malformed { why } => (StatusCode::BAD_REQUEST, "BAD_REQUEST", why.clone()),
        Failure::MediaType { expected } => {
            (StatusCode::BAD_REQUEST, "BAD_REQUEST", format!("The body must be of the type {expected}."))
        }
        Failure::TooLarge { limit } => (
            StatusCode::BAD_REQUEST,
            "PAYLOAD_TOO_LARGE",
            format!("The body or one of its files is larger than {limit} bytes."),
        ),
        Failure::Limited { .. } => limited(),
        Failure::TimedOut => {
            (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", "The request took too long.".into())
        }
        Failure::Panicked => internal(),
        Failure::Core(error) => refused(error),
    }
}

fn refused(error: &Error) -> Told {
    match error {
        Error::NotFound { what } => (StatusCode::NOT_FOUND, "NOT_FOUND", format!("There is no such {what}.")),
        Error::Forbidden { .. } => {
            (StatusCode::FORBIDDEN, "FORBIDDEN", "You do not have the permission to do this.".into())
        }
        Error::NotYours { who } => (StatusCode::FORBIDDEN, "FORBIDDEN", format!("Only {who} may do this.")),
        Error::Unauthenticated(AuthFailure::Inactive) => {
            (StatusCode::FORBIDDEN, "FORBIDDEN", "The account is not active.".into())
        }
        Error::Unauthenticated(why @ AuthFailure::Unconfirmed) => {
            (StatusCode::FORBIDDEN, "EMAIL_NOT_CONFIRMED", sentence(&why.to_string()))
        }
        Error::Unauthenticated(why @ AuthFailure::SecondFactor) => {
            (StatusCode::UNAUTHORIZED, "TWO_FACTOR_REQUIRED", sentence(&why.to_string()))
        }
        Error::BadToken => (StatusCode::BAD_REQUEST, "INVALID_TOKEN", sentence(&error.to_string())),
        Error::Unauthenticated(why) => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED", sentence(&why.to_string())),
        Error::Invalid(problems) => (StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_ERROR", summary(problems)),
        Error::Conflict(conflict) => (StatusCode::CONFLICT, "CONFLICT", sentence(&conflict.to_string())),
        Error::Rejected(rejection) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "NOT_ALLOWED", sentence(&rejected(rejection)))
        }
        Error::Limited { .. } => limited(),
        Error::Unavailable { .. } => (
            StatusCode::SERVICE_UNAVAILABLE,
            "SERVICE_UNAVAILABLE",
            "The service is unavailable for the moment.".into(),
        ),
        Error::Internal { .. } => internal(),
    }
}

/// A rule, with the statuses in the document's words.
fn rejected(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Move { from, to } => {
            let (from, to) = (words::status(*from, true), words::status(*to, true));
            format!("a ticket that is {from} cannot become {to}")
        }
        Rejection::Status { status } => {
            format!("this cannot be done to a ticket that is {}", words::status(*status, true))
        }
        other => other.to_string(),
    }
}

fn limited() -> Told {
    (
        StatusCode::TOO_MANY_REQUESTS,
        "RATE_LIMIT_EXCEEDED",
        "Too many requests. Please try again later.".into(),
    )
}

fn internal() -> Told {
    (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "An internal error occurred.".into())
}

/// The code of a failure, as bulk operations tell it for each item.
pub(super) fn code(failure: &Failure) -> (&'static str, String) {
    let (_, code, message) = told(failure);
    (code, message)
}

fn by_field(problems: &Problems) -> Map<String, Value> {
    problems
        .iter()
        .map(|(field, list)| (field.to_owned(), list.iter().map(ToString::to_string).collect()))
        .collect()
}

fn summary(problems: &Problems) -> String {
    match problems.iter().next() {
        Some((field, [problem, ..])) => format!("{field}: {problem}"),
        _ => "The input is not valid.".into(),
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
