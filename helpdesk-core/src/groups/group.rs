//! The group.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::entity_id;
use crate::identity::UserId;
use crate::storage::{Entity, EntityId as _, FieldSpec, KindSpec, Row, Value};

entity_id! {
    /// The id of a group.
    pub GroupId
}

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
