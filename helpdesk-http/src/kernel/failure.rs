//! Everything that can keep an operation from its success.

use std::time::Duration;

use helpdesk_core::{AuthFailure, Error, Problem, Problems};
use http::Method;

/// Why a request is not answered with the operation's success. Each dialect maps it to a status and a body of its
/// own, in one exhaustive `match`.
#[derive(Debug)]
pub enum Failure {
    /// No operation has the path.
    NoRoute,
    /// The path exists, with other methods.
    Method {
        /// Those.
        allowed: Vec<Method>,
    },
    /// The body cannot be read as what its type says.
    Malformed {
        /// Why, for the client.
        why: String,
    },
    /// The body is of a type that the operation does not take.
    MediaType {
        /// What it takes.
        expected: &'static str,
    },
    /// The body is larger than the operation takes.
    TooLarge {
        /// How many bytes it takes.
        limit: u64,
    },
    /// There were too many requests.
    Limited {
        /// When to try again.
        retry_after: Duration,
    },
    /// It took too long. It may still be done.
    TimedOut,
    /// The operation's code failed in a way that nobody foresaw.
    Panicked,
    /// A service refused.
    Core(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Limited { retry_after } => Self::Limited { retry_after },
            error => Self::Core(error),
        }
    }
}

impl Failure {
    /// There is no such thing.
    #[must_use]
    pub const fn not_found(what: &'static str) -> Self {
        Self::Core(Error::NotFound { what })
    }

    /// One field is wrong.
    #[must_use]
    pub fn invalid(field: &str, problem: Problem) -> Self {
        Self::Core(Error::invalid(field, problem))
    }

    /// Fields are wrong.
    #[must_use]
    pub const fn problems(problems: Problems) -> Self {
        Self::Core(Error::Invalid(problems))
    }

    /// The caller is not known.
    #[must_use]
    pub const fn unauthenticated(why: AuthFailure) -> Self {
        Self::Core(Error::Unauthenticated(why))
    }

    /// The same failure with fields of the core renamed to those of a dialect.
    #[must_use]
    pub fn renamed(self, name: impl Fn(&str) -> Option<&'static str>) -> Self {
        match self {
            Self::Core(Error::Invalid(problems)) => Self::problems(problems.renamed(name)),
            other => other,
        }
    }

    /// The mistake of the program or of something it needs, for the log.
    #[must_use]
    pub fn source(&self) -> Option<&Error> {
        match self {
            Self::Core(error @ (Error::Internal { .. } | Error::Unavailable { .. })) => Some(error),
            _ => None,
        }
    }
}
