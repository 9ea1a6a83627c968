//! The group.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::entity_id;
use crate::error::{Error, Rejection, Result};
use crate::identity::UserId;
use crate::storage::{Entity, EntityId as _, FieldSpec, KindSpec, Row, Value};

entity_id! {
    /// The id of a group.
    pub GroupId
}

/// The most members of a group.
pub const MAX_MEMBERS: usize = 500;

/// People of the desk who work together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// What it is called; no other group of the organisation that is still there is called so.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Who belongs to it, in the order they joined.
    pub members: Vec<UserId>,
    /// What becomes of a reply on a closed ticket of the group (T5).
    #[serde(default)]
    pub closed_replies: ClosedReplies,
    /// When it was deleted. The record stays for what refers to it.
    pub deleted: Option<DateTime<Utc>>,
    /// Values of the embedding team.
    #[serde(default)]
    pub ext: serde_json::Map<String, serde_json::Value>,
}

impl Group {
    /// Takes somebody in. Answers whether that is news.
    ///
    /// # Errors
    ///
    /// [`Rejection::Limit`] where it is full.
    pub fn take_in(&mut self, member: UserId) -> Result<bool> {
        if self.members.contains(&member) {
            return Ok(false);
        }
        if self.members.len() >= MAX_MEMBERS {
            return Err(Error::Rejected(Rejection::Limit {
                limit: MAX_MEMBERS as u64,
                what: "members of a group",
            }));
        }
        self.members.push(member);
        Ok(true)
    }

    /// Lets somebody go. Answers whether they were in it.
    pub fn let_go(&mut self, member: UserId) -> bool {
        let before = self.members.len();
        self.members.retain(|other| *other != member);
        self.members.len() < before
    }

    /// Who has what was solved by somebody who leaves (T9): the one who has been in the group for longest, where
    /// there is another.
    #[must_use]
    pub fn heir_of(&self, leaver: UserId) -> Option<UserId> {
        self.members.iter().copied().find(|member| *member != leaver && self.deleted.is_none())
    }
}

/// What becomes of a requester's reply on a closed ticket (T5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "snake_case")]
pub enum ClosedReplies {
    /// The ticket is opened again, however long ago it was closed.
    Reopen,
    /// A new ticket is made that is linked to the closed one.
    FollowUp,
    /// The ticket is opened again within so many days of its closing; later a new one is made.
    ReopenWithin {
        /// How many days.
        days: u16,
    },
}

impl Default for ClosedReplies {
    fn default() -> Self {
        Self::ReopenWithin { days: 14 }
    }
}

impl Entity for Group {
    type Id = GroupId;

    const SPEC: &'static KindSpec = &KindSpec::new(
        "group",
        &[
            FieldSpec::text("name").unique(),
            FieldSpec::refers("members", "account").many(),
            FieldSpec::flag("deleted"),
        ],
    )
    .of::<Self>();

    fn index(&self, row: &mut Row) {
        // The name of one that is gone is free for another.
        row.set("name", Some(self.name.to_lowercase()).filter(|_| self.deleted.is_none()));
        row.set("members", Value::many(self.members.iter().map(|member| Value::Uuid(member.uuid()))));
        row.set("deleted", self.deleted.is_some());
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn person(id: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(id))
    }

    fn group(members: impl IntoIterator<Item = u128>) -> Group {
        Group {
            name: "Hardware".into(),
            description: String::new(),
            members: members.into_iter().map(person).collect(),
            closed_replies: ClosedReplies::default(),
            deleted: None,
            ext: serde_json::Map::new(),
        }
    }

    #[test]
    fn somebody_is_a_member_once() {
        let mut group = group([1]);
        assert!(!group.take_in(person(1)).expect("there is room"));
        assert!(group.take_in(person(2)).expect("there is room"));
        assert_eq!(group.members, [person(1), person(2)]);
        assert!(group.let_go(person(1)));
        assert!(!group.let_go(person(1)));
    }

    #[test]
    fn a_group_that_is_full_takes_nobody_in() {
        let mut group = group(1..=500);
        assert!(!group.take_in(person(500)).expect("they are in it"));
        let refused = group.take_in(person(501));
        assert!(matches!(refused, Err(Error::Rejected(Rejection::Limit { limit: 500, .. }))));
    }

    #[test]
    fn the_oldest_member_inherits() {
        let mut group = group([1, 2, 3]);
        assert_eq!(group.heir_of(person(1)), Some(person(2)));
        assert_eq!(group.heir_of(person(2)), Some(person(1)));
        group.deleted = DateTime::from_timestamp(1, 0);
        assert_eq!(group.heir_of(person(2)), None);
    }
}
