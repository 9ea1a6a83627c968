//! How failures are told: `error` and `detail` say the same, `field_errors` what is wrong with each field.

use helpdesk_core::{AuthFailure, Error, Problems};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema as _, ToSchema};

use super::words;
use crate::kernel::{Failure, Head, Reply};

/// What every failure answers.
#[derive(Serialize, ToSchema)]
struct ErrorView {
    /// What went wrong.
    error: String,
    /// The same.
    detail: String,
    /// What is wrong with each field.
    field_errors: Map<String, Value>,
    /// On the two routes that make accounts, the fields stand here as well, where clients look for them.
    #[serde(flatten)]
    fields: Map<String, Value>,
}

pub(super) fn schema() -> RefOr<Schema> {
    ErrorView::schema()
}

/// The document knows 400, 401, 403, 404, 405 and 500; limits and outages come with the field's usual ones.
pub(super) fn refuse(failure: &Failure, head: &Head) -> Reply {
    let (status, text) = told(failure);
    let field_errors = match failure {
        Failure::Core(Error::Invalid(problems)) => by_field(problems),
        _ => Map::new(),
    };
    let repeats =
        matches!(head.path.trim_end_matches('/'), "/api/create_employee" | "/api/admin/create-employee");
    let fields = if repeats { field_errors.clone() } else { Map::new() };
    Reply::json(status, &ErrorView { error: text.clone(), detail: text, field_errors, fields })
}

fn told(failure: &Failure) -> (StatusCode, String) {
    match failure {
        Failure::NoRoute => (StatusCode::NOT_FOUND, "Not found.".into()),
        Failure::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed.".into()),
        Failure::Malformed { why } => (StatusCode::BAD_REQUEST, why.clone()),
        Failure::MediaType { expected } => {
            (StatusCode::BAD_REQUEST, format!("The body must be of the type {expected}."))
        }
        Failure::TooLarge { limit } => {
            (StatusCode::BAD_REQUEST, format!("The body or one of its files is larger than {limit} bytes."))
        }
        Failure::Limited { .. } => {
            (StatusCode::TOO_MANY_REQUESTS, "Too many requests. Please try again later.".into())
        }
        Failure::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, "The request took too long.".into()),
        Failure::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, "An internal error occurred.".into()),
        Failure::Core(error) => refused(error),
    }
}

fn refused(error: &Error) -> (StatusCode, String) {
    match error {
        Error::NotFound { what } => (StatusCode::NOT_FOUND, format!("There is no such {what}.")),
        Error::Forbidden { .. } => (StatusCode::FORBIDDEN, "Permission denied.".into()),
        Error::NotYours { who } => {
            (StatusCode::FORBIDDEN, format!("Permission denied: only {who} may do this."))
        }
        Error::Unauthenticated(why) => unauthenticated(*why),
        Error::BadToken => (StatusCode::BAD_REQUEST, sentence(&error.to_string())),
        Error::Invalid(problems) => (StatusCode::BAD_REQUEST, summary(problems)),
        Error::Conflict(conflict) => (StatusCode::BAD_REQUEST, sentence(&conflict.to_string())),
        Error::Rejected(rejection) => (StatusCode::BAD_REQUEST, sentence(&rejected(rejection))),
        Error::Limited { .. } => {
            (StatusCode::TOO_MANY_REQUESTS, "Too many requests. Please try again later.".into())
        }
        Error::Unavailable { .. } => {
            (StatusCode::SERVICE_UNAVAILABLE, "The service is unavailable for the moment.".into())
        }
        Error::Internal { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "An internal error occurred.".into()),
    }
}

fn unauthenticated(why: AuthFailure) -> (StatusCode, String) {
    let text = match why {
        AuthFailure::Missing => "Authentication credentials were not provided.",
        AuthFailure::Credentials => "No active account found with the given credentials.",
        AuthFailure::Token => "Given token not valid for any token type.",
        AuthFailure::Expired => "Token is invalid or expired.",
        AuthFailure::SecondFactor => "A code of the second factor is required.",
        AuthFailure::Code => "The code is not valid.",
        AuthFailure::Inactive | AuthFailure::Unconfirmed => {
            return (StatusCode::FORBIDDEN, "The account is not approved.".into());
        }
    };
    (StatusCode::UNAUTHORIZED, text.into())
}

/// A rule, with the status in the document's words.
fn rejected(rejection: &helpdesk_core::Rejection) -> String {
    use helpdesk_core::Rejection;
    match rejection {
        Rejection::Move { from, to } => {
            format!("a ticket that is {} cannot become {}", words::status(*from), words::status(*to))
        }
        Rejection::Status { status } => {
            format!("this cannot be done to a ticket that is {}", words::status(*status))
        }
        other => other.to_string(),
    }
}

fn by_field(problems: &Problems) -> Map<String, Value> {
    problems
        .iter()
        .map(|(field, list)| {
            (field.to_owned(), json!(list.iter().map(ToString::to_string).collect::<Vec<_>>()))
        })
        .collect()
}

fn summary(problems: &Problems) -> String {
    let said: Vec<_> = problems
        .iter()
        .flat_map(|(field, list)| list.iter().map(move |problem| format!("{field}: {problem}")))
        .collect();
    said.join(" ")
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
