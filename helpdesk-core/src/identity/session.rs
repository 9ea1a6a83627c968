//! Sessions: what a login begins and a logout ends.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::{OrganisationId, UserId};
use crate::entity_id;
use crate::storage::{Entity, EntityId as _, FieldSpec, KindSpec, Row};

entity_id! {
    /// The id of a session.
    pub SessionId
}

/// For how long the refresh token before the present one still gets its successor: parallel tabs refresh at once.
pub const REFRESH_GRACE: Duration = Duration::seconds(10);

/// Which accounts a door lets in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// Those that were approved.
    #[default]
    Approved,
    /// Also those that wait for approval: for doors whose document asks for a role and nothing else. Only an
    /// administrator gives such a role, so nobody who signed up by themselves comes in.
    Pending,
}

/// What a login begins. Refresh tokens name the session and a generation of it; only the present one is good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Whose it is.
    pub user: UserId,
    /// In which organisation.
    pub organisation: OrganisationId,
    /// The account's epoch when it began.
    pub epoch: u32,
    /// Which accounts the door it came in by lets in.
    pub admission: Admission,
    /// When it began.
    pub began: DateTime<Utc>,
    /// When it ends by itself.
    pub expires: DateTime<Utc>,
    /// The generation of the refresh token that is good.
    pub generation: u32,
    /// When that generation began.
    pub rotated: DateTime<Utc>,
    /// When it was ended, and why.
    pub ended: Option<Ended>,
}

/// How a session came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub why: EndReason,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// They logged out.
    LoggedOut,
    /// A refresh token was used again after its time: somebody else may have it.
    Reused,
}

/// What to do about a refresh token that is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// It is the present one.
    Current,
    /// It is the one before, within the grace: gets the same successor.
    Grace,
    /// It is an old one: the session ends.
    Reused,
    /// The session is over.
    Over,
}

impl Session {
    /// Whether the session goes on at an instant.
    #[must_use]
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.ended.is_none() && now < self.expires
    }

    /// What a refresh token of a generation is worth.
    #[must_use]
    pub fn refresh(&self, generation: u32, now: DateTime<Utc>) -> Refresh {
        if !self.is_open(now) {
            Refresh::Over
        } else if generation == self.generation {
            Refresh::Current
        } else if generation.checked_add(1) == Some(self.generation) && now < self.rotated + REFRESH_GRACE {
            Refresh::Grace
        } else {
            Refresh::Reused
        }
    }
}

impl Entity for Session {
    type Id = SessionId;

    const SPEC: &'static KindSpec =
        &KindSpec::new("session", &[FieldSpec::uuid("user_id"), FieldSpec::time("expires")])
            .indexes(&[&["user_id"], &["expires"]])
            .of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("user_id", self.user.uuid());
        row.set("expires", self.expires);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("an instant")
    }

    #[test]
    fn an_old_refresh_token_is_good_for_ten_seconds_and_then_ends_the_session() {
        let session = Session {
            user: UserId::from_uuid(uuid::Uuid::from_u128(1)),
            organisation: OrganisationId::from_uuid(uuid::Uuid::from_u128(2)),
            epoch: 0,
            admission: Admission::Approved,
            began: at(0),
            expires: at(1_000),
            generation: 3,
            rotated: at(100),
            ended: None,
        };
        assert_eq!(session.refresh(3, at(500)), Refresh::Current);
        assert_eq!(session.refresh(2, at(109)), Refresh::Grace);
        assert_eq!(session.refresh(2, at(110)), Refresh::Reused);
        assert_eq!(session.refresh(1, at(101)), Refresh::Reused);
        assert_eq!(session.refresh(4, at(101)), Refresh::Reused);
        assert_eq!(session.refresh(3, at(1_000)), Refresh::Over);
    }
}
