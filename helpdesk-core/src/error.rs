//! Why something was not done.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::identity::Permission;
use crate::storage::StorageError;

/// Why a service did not do what it was asked. Knows no status codes: each transport maps the kinds to its own.
///
/// What a client may read is the message of the kind; what only a log may read is the error's source.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or none that the actor may know of.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for, in the singular: `ticket`.
        what: &'static str,
    },
    /// The actor lacks a permission.
    #[error("this needs the permission {permission}")]
    Forbidden {
        /// The permission that was missing.
        permission: Permission,
    },
    /// The actor is not the one whom the rule asks for, whatever their permissions.
    #[error("only {who} may do this")]
    NotYours {
        /// Whom the rule asks for: `the requester`.
        who: &'static str,
    },
    /// The caller is not known, or not any more.
    #[error("{0}")]
    Unauthenticated(AuthFailure),
    /// The token of a mailed link is none of ours, was used, or has expired.
    #[error("the link is not valid or has expired")]
    BadToken,
    /// What was asked is not well formed.
    #[error("the input is not valid: {0}")]
    Invalid(Problems),
    /// Somebody else was quicker, or something of that name is already there.
    #[error("{0}")]
    Conflict(Conflict),
    /// A rule of the help desk forbids it in the present state.
    #[error("{0}")]
    Rejected(Rejection),
    /// Tried too often.
    #[error("too many attempts")]
    Limited {
        /// When it may be tried again.
        retry_after: Duration,
    },
    /// Something that is needed cannot be reached. Nothing was done.
    #[error("the service is unavailable for the moment")]
    Unavailable {
        /// What exactly, for the log.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A mistake in the program or in its data.
    #[error("an internal error")]
    Internal {
        /// What exactly, for the log.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why a caller is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthFailure {
    /// Nothing was presented.
    #[error("authentication is required")]
    Missing,
    /// The name or the password is wrong. Says nothing about which.
    #[error("the credentials are not valid")]
    Credentials,
    /// The token or key is none of ours, or was revoked.
    #[error("the token is not valid")]
    Token,
    /// The token was valid once.
    #[error("the token has expired")]
    Expired,
    /// The account waits for approval, was rejected, deactivated or blocked. Told only to somebody who gave the
    /// right password.
    #[error("the account is not active")]
    Inactive,
    /// The address of the account is not confirmed yet. Told only to somebody who gave the right password.
    #[error("the e-mail address is not confirmed yet")]
    Unconfirmed,
    /// The account asks for a code beside the password. Told only to somebody who gave the right password.
    #[error("a code of the second factor is required")]
    SecondFactor,
    /// That code is wrong, or was used before.
    #[error("the code is not valid")]
    Code,
}

/// What is in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The record has changed since the version that the caller named.
    #[error("it has changed meanwhile and is at version {current}")]
    Stale {
        /// The version it is at.
        current: i64,
    },
    /// Somebody else has claimed it.
    #[error("somebody else has claimed it")]
    Claimed,
    /// Several changed it at the same time, again and again.
    #[error("it is being changed by others; try again")]
    Busy,
}

/// A rule that stands against something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The workflow has no such move.
    #[error("a ticket that is {from} cannot become {to}")]
    Move {
        /// The status it has.
        from: crate::tickets::Status,
        /// The status it was to get.
        to: crate::tickets::Status,
    },
    /// The act does not fit the status.
    #[error("this cannot be done to a ticket that is {status}")]
    Status {
        /// The status it has.
        status: crate::tickets::Status,
    },
    /// The ticket has ended, and takes no further change.
    #[error("the ticket has ended")]
    Ended,
    /// The two tickets cannot become one, or not be parted any more.
    #[error("{why}")]
    Merge {
        /// Why.
        why: &'static str,
    },
    /// The account's state does not allow the act.
    #[error("this cannot be done to an account that is {state}")]
    Account {
        /// The state's name.
        state: &'static str,
    },
    /// The organisation would be left without anybody who can manage it.
    #[error("the last administrator stays")]
    LastAdministrator,
    /// A limit of the organisation is reached.
    #[error("the limit of {limit} {what} is reached")]
    Limit {
        /// How many there may be.
        limit: u64,
        /// Of what.
        what: &'static str,
    },
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is missing.
    #[error("This field is required.")]
    Required,
    /// It may not be null.
    #[error("This field may not be null.")]
    Null,
    /// It may not be empty.
    #[error("This field may not be blank.")]
    Blank,
    /// It is longer than so many characters.
    #[error("Ensure this field has no more than {0} characters.")]
    TooLong(usize),
    /// It is shorter than so many characters.
    #[error("Ensure this field has at least {0} characters.")]
    TooShort(usize),
    /// It is larger than the number.
    #[error("Ensure this value is less than or equal to {0}.")]
    TooLarge(i64),
    /// It is smaller than the number.
    #[error("Ensure this value is greater than or equal to {0}.")]
    TooSmall(i64),
    /// There are more than so many of them.
    #[error("Ensure there are no more than {0} of them.")]
    TooMany(usize),
    /// It is none of the choices.
    #[error("\"{given}\" is not a valid choice. Choose one of: {}.", .choices.join(", "))]
    Choice {
        /// What was given, shortened.
        given: String,
        /// What there is to choose from.
        choices: Vec<String>,
    },
    /// It is of another type.
    #[error("This is not {0}.")]
    Type(&'static str),
    /// It does not have the form.
    #[error("This is not a valid {0}.")]
    Format(&'static str),
    /// Another has it already.
    #[error("This {0} is already in use.")]
    Taken(&'static str),
    /// It refers to nothing.
    #[error("There is no such {0}.")]
    Unknown(&'static str),
    /// It is not the same as another field.
    #[error("This does not match {0}.")]
    Mismatch(&'static str),
    /// It is not what is stored.
    #[error("The {0} is not correct.")]
    Wrong(&'static str),
    /// The file is larger than so many bytes.
    #[error("The file is larger than {}.", Bytes(*.0))]
    FileSize(u64),
    /// Files of this type are not accepted, or the content is not what name and type say.
    #[error("{0}")]
    File(String),
    /// It does not keep a rule that is told in words: `not lie before the start`.
    #[error("This must {0}.")]
    Must(&'static str),
    /// Something inside it is wrong.
    #[error("{field}: {problem}")]
    Within {
        /// The name of the field inside.
        field: String,
        /// What is wrong with that.
        problem: Box<Problem>,
    },
    /// It holds a character that cannot be stored.
    #[error("Null characters are not allowed.")]
    NulCharacter,
}

struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            whole if whole >= 1 << 20 && whole % (1 << 20) == 0 => write!(f, "{} MB", whole >> 20),
            whole if whole >= 1 << 10 && whole % (1 << 10) == 0 => write!(f, "{} KB", whole >> 10),
            bytes => write!(f, "{bytes} bytes"),
        }
    }
}

/// What is wrong with an input, by the name of the field. Fields are named as the core names them; a transport
/// that calls them otherwise renames them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(BTreeMap<String, Vec<Problem>>);

impl Problems {
    /// A single problem.
    #[must_use]
    pub fn one(field: impl Into<String>, problem: Problem) -> Self {
        let mut problems = Self::default();
        problems.add(field, problem);
        problems
    }

    /// Adds a problem.
    pub fn add(&mut self, field: impl Into<String>, problem: Problem) {
        self.0.entry(field.into()).or_default().push(problem);
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems by field, fields in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Problem])> {
        self.0.iter().map(|(field, problems)| (field.as_str(), problems.as_slice()))
    }

    /// The same problems with fields under other names.
    #[must_use]
    pub fn renamed(self, name: impl Fn(&str) -> Option<&'static str>) -> Self {
        Self(
            self.0
                .into_iter()
                .map(|(field, list)| (name(&field).map_or(field, str::to_owned), list))
                .collect(),
        )
    }

    /// `Ok` where there are none.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with the problems.
    pub fn into_result(self) -> Result<(), Error> {
        if self.is_empty() { Ok(()) } else { Err(Error::Invalid(self)) }
    }
}

impl fmt::Display for Problems {
    /// Names the fields, not their content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = self.0.keys().map(String::as_str).collect();
        f.write_str(&fields.join(", "))
    }
}

impl Error {
    /// An error of one field.
    #[must_use]
    pub fn invalid(field: impl Into<String>, problem: Problem) -> Self {
        Self::Invalid(Problems::one(field, problem))
    }

    /// A mistake in the program or in its data.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal { source: source.into() }
    }
}

impl From<StorageError> for Error {
    /// For failures that a service has no better word for. Version conflicts are retried before they get here.
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Conflict { current: Some(current), .. } => {
                Self::Conflict(Conflict::Stale { current })
            }
            StorageError::Conflict { current: None, .. } | StorageError::Crossed { .. } => {
                Self::Conflict(Conflict::Busy)
            }
            StorageError::Duplicate { field, .. } => Self::invalid(field, Problem::Taken(field)),
            StorageError::Unavailable { .. } | StorageError::Unknown { .. } => {
                Self::Unavailable { source: Box::new(error) }
            }
            _ => Self::internal(error),
        }
    }
}

/// What services answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;
