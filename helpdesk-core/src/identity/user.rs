//! Accounts of people, and their life.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::session::Admission;
use super::{RoleId, Session, SessionId};
use crate::contacts::CompanyId;
use crate::entity_id;
use crate::error::{Error, Rejection, Result};
use crate::notifications::Preferences;
use crate::storage::{Entity, EntityId as _, FieldSpec, KindSpec, Row, Value};

entity_id! {
    /// The id of an account.
    pub UserId
}

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// The address, in lower case.
    pub email: String,
    /// A second name to log in with, in lower case.
    pub username: Option<String>,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Second given name.
    pub middle_name: Option<String>,
    /// What follows the name: `Jr.`
    pub suffix: Option<String>,
    /// Where in the organisation they work.
    pub department: Option<String>,
    /// A telephone number, as they wrote it.
    #[serde(default)]
    pub phone: Option<String>,
    /// The address of a picture elsewhere on the web.
    #[serde(default)]
    pub avatar: Option<String>,
    /// The company they belong to, for those who ask from outside.
    #[serde(default)]
    pub company: Option<CompanyId>,
    /// Whether somebody of the desk is there to work.
    #[serde(default)]
    pub availability: Availability,
    /// What they want to be told of.
    #[serde(default)]
    pub preferences: Preferences,
    /// Where in its life the account is.
    pub state: AccountState,
    /// What they may do.
    pub roles: Vec<RoleId>,
    /// The profile picture.
    pub picture: Option<Picture>,
    /// Whether they were told that the account was approved.
    pub notified: bool,
    /// Sessions of an earlier epoch are over. A change of password begins the next one.
    #[serde(default)]
    pub session_epoch: u32,
    /// The session that goes on all the same: the one in which the password was changed.
    #[serde(default)]
    pub kept_session: Option<SessionId>,
    /// Values of the embedding team.
    #[serde(default)]
    pub ext: serde_json::Map<String, serde_json::Value>,
}

/// Where in its life an account is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AccountState {
    /// Signed up, and has yet to show that the address is theirs.
    Unconfirmed,
    /// Waits for approval.
    Pending,
    /// May log in.
    Approved {
        /// Since when.
        at: DateTime<Utc>,
        /// Who approved it; nobody, where it was made so.
        by: Option<UserId>,
    },
    /// Was refused. It is kept for the audit, and its address is free for another account.
    Rejected {
        /// When.
        at: DateTime<Utc>,
        /// By whom.
        by: Option<UserId>,
        /// Why.
        reason: Option<String>,
    },
    /// Was switched off.
    Deactivated {
        /// When.
        at: DateTime<Utc>,
        /// By whom.
        by: Option<UserId>,
    },
    /// Was shut out for what they did.
    Blocked {
        /// When.
        at: DateTime<Utc>,
        /// By whom.
        by: Option<UserId>,
        /// Why.
        reason: Option<String>,
    },
}

/// Whether somebody of the desk is there to work, as they say themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// Takes work.
    Online,
    /// There, but has enough to do.
    Busy,
    /// Back soon.
    Away,
    /// Not there.
    #[default]
    Offline,
}

impl Availability {
    /// The name in records and queries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Busy => "busy",
            Self::Away => "away",
            Self::Offline => "offline",
        }
    }
}

/// A profile picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Its file name, which no two pictures share.
    pub file: String,
}

impl AccountState {
    /// The state's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Pending => "pending",
            Self::Approved { .. } => "approved",
            Self::Rejected { .. } => "rejected",
            Self::Deactivated { .. } => "deactivated",
            Self::Blocked { .. } => "blocked",
        }
    }

    /// Whether the account may log in.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        matches!(self, Self::Approved { .. })
    }

    /// Whether somebody has shut the account out.
    #[must_use]
    pub const fn is_shut_out(&self) -> bool {
        matches!(self, Self::Rejected { .. } | Self::Deactivated { .. } | Self::Blocked { .. })
    }

    /// Whether a door lets the account in.
    #[must_use]
    pub const fn lets_in(&self, admission: Admission) -> bool {
        self.is_active() || matches!((self, admission), (Self::Pending, Admission::Pending))
    }

    /// Lets an account in whose address was shown to be theirs.
    ///
    /// # Errors
    ///
    /// [`Rejection::Account`] in every other state.
    pub fn confirm(self, at: DateTime<Utc>) -> Result<Self> {
        match self {
            Self::Unconfirmed => Ok(Self::Approved { at, by: None }),
            other => Err(other.refusal()),
        }
    }

    /// Approves an account that waits, be it for this or for its address to be confirmed.
    ///
    /// # Errors
    ///
    /// [`Rejection::Account`] in every other state.
    pub fn approve(self, at: DateTime<Utc>, by: Option<UserId>) -> Result<Self> {
        match self {
            Self::Unconfirmed | Self::Pending => Ok(Self::Approved { at, by }),
            other => Err(other.refusal()),
        }
    }

    /// Refuses an account that waits.
    ///
    /// # Errors
    ///
    /// [`Rejection::Account`] in every other state: an account that was in use has tickets, which would be lost.
    pub fn reject(self, at: DateTime<Utc>, by: Option<UserId>, reason: Option<String>) -> Result<Self> {
        match self {
            Self::Unconfirmed | Self::Pending => Ok(Self::Rejected { at, by, reason }),
            other => Err(other.refusal()),
        }
    }

    /// Switches an account off.
    ///
    /// # Errors
    ///
    /// [`Rejection::Account`] unless it was approved.
    pub fn deactivate(self, at: DateTime<Utc>, by: Option<UserId>) -> Result<Self> {
        match self {
            Self::Approved { .. } => Ok(Self::Deactivated { at, by }),
            other => Err(other.refusal()),
        }
    }

    /// Shuts an account out.
    ///
    /// # Errors
    ///
    /// [`Rejection::Account`] where it was rejected or is blocked already.
    pub fn block(self, at: DateTime<Utc>, by: Option<UserId>, reason: Option<String>) -> Result<Self> {
        match self {
            Self::Unconfirmed | Self::Pending | Self::Approved { .. } | Self::Deactivated { .. } => {
                Ok(Self::Blocked { at, by, reason })
            }
            other => Err(other.refusal()),
        }
    }

    /// Switches an account on again.
    ///
    /// # Errors
    ///
    /// [`Rejection::Account`] unless it was deactivated or blocked.
    pub fn reactivate(self, at: DateTime<Utc>, by: Option<UserId>) -> Result<Self> {
        match self {
            Self::Deactivated { .. } | Self::Blocked { .. } => Ok(Self::Approved { at, by }),
            other => Err(other.refusal()),
        }
    }

    const fn refusal(&self) -> Error {
        Error::Rejected(Rejection::Account { state: self.name() })
    }
}

impl User {
    /// First and last name.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }

    /// Whether a session goes on.
    #[must_use]
    pub fn keeps_session(&self, id: SessionId, session: &Session) -> bool {
        self.state.lets_in(session.admission)
            && (session.epoch == self.session_epoch || self.kept_session == Some(id))
    }

    /// Ends all sessions but one.
    pub(super) fn end_sessions(&mut self, kept: Option<SessionId>) {
        self.session_epoch += 1;
        self.kept_session = kept;
    }
}

impl Entity for User {
    type Id = UserId;

    const SPEC: &'static KindSpec = &KindSpec::new(
        "account",
        &[
            FieldSpec::text("email").uncounted(),
            FieldSpec::text("name").uncounted(),
            FieldSpec::text("state"),
            FieldSpec::text("department"),
            FieldSpec::refers("roles", "role").many(),
            FieldSpec::text("availability"),
            FieldSpec::uuid("company"),
        ],
    )
    .indexes(&[&["state"], &["name"], &["email"]])
    .searched()
    .dense()
    .of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("email", &self.email);
        row.set("name", format!("{} {}", self.last_name, self.first_name).to_lowercase());
        row.set("state", self.state.name());
        row.set("department", self.department.as_deref());
        row.set("availability", self.availability.name());
        row.set("company", self.company.map(|company| company.uuid()));
        row.set("roles", Value::many(self.roles.iter().map(|role| Value::Uuid(role.uuid()))));
    }

    fn searched<'a>(&'a self, texts: &mut Vec<&'a str>) {
        texts.extend([self.first_name.as_str(), &self.last_name, &self.email]);
        texts.extend(self.middle_name.as_deref().into_iter().chain(self.username.as_deref()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("an instant")
    }

    #[test]
    fn an_account_is_approved_or_rejected_once() {
        let approved = AccountState::Pending.approve(at(1), None).expect("it waits");
        assert!(approved.is_active());
        assert!(approved.clone().approve(at(2), None).is_err());
        assert!(approved.clone().reject(at(2), None, None).is_err());
        let rejected = AccountState::Pending.reject(at(1), None, None).expect("it waits");
        for refused in [
            rejected.clone().approve(at(2), None),
            rejected.clone().reactivate(at(2), None),
            rejected.block(at(2), None, None),
        ] {
            assert!(matches!(refused, Err(Error::Rejected(Rejection::Account { state: "rejected" }))));
        }
    }

    #[test]
    fn an_address_is_confirmed_once_and_lets_the_account_in() {
        assert!(!AccountState::Unconfirmed.lets_in(Admission::Pending), "nobody has looked at it");
        let confirmed = AccountState::Unconfirmed.confirm(at(1)).expect("it was not");
        assert_eq!(confirmed, AccountState::Approved { at: at(1), by: None });
        assert!(confirmed.confirm(at(2)).is_err());
        assert!(AccountState::Pending.confirm(at(1)).is_err(), "that is for an administrator to say");
        assert!(AccountState::Unconfirmed.approve(at(1), None).expect("an administrator may").is_active());
        assert!(AccountState::Unconfirmed.reject(at(1), None, None).is_ok());
    }

    #[test]
    fn an_account_can_be_switched_off_and_on() {
        let approved = AccountState::Approved { at: at(1), by: None };
        let off = approved.deactivate(at(2), None).expect("it was on");
        assert!(!off.is_active());
        assert!(off.reactivate(at(3), None).expect("it was off").is_active());
    }
}
