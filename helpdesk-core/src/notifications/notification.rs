//! The notification.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::entity_id;
use crate::identity::UserId;
use crate::storage::{Entity, EntityId as _, FieldSpec, KindSpec, Row};
use crate::tickets::TicketId;

entity_id! {
    /// The id of a notification.
    pub NotificationId
}

/// Something that somebody is told of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Whom it is for.
    pub receiver: UserId,
    /// What it is about.
    pub kind: NotificationKind,
    /// What it is about, in a word or two.
    pub title: String,
    /// What happened, in a sentence.
    pub message: String,
    /// The ticket that it happened to.
    pub ticket: Option<TicketId>,
    /// When it was read.
    pub read: Option<DateTime<Utc>>,
    /// Values of the embedding team.
    #[serde(default)]
    pub ext: serde_json::Map<String, serde_json::Value>,
}

/// What a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// A ticket that they were given.
    TicketAssigned,
    /// Something that happened to one of their tickets.
    TicketUpdated,
    /// A text that calls them by name.
    Mention,
}

impl NotificationKind {
    /// The name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TicketAssigned => "ticket_assigned",
            Self::TicketUpdated => "ticket_updated",
            Self::Mention => "mention",
        }
    }
}

impl Notification {
    /// Where it leads: a path below the site.
    #[must_use]
    pub fn link(&self) -> Option<String> {
        self.ticket.map(|ticket| format!("/tickets/{ticket}"))
    }
}

impl Entity for Notification {
    type Id = NotificationId;

    const SPEC: &'static KindSpec =
        &KindSpec::new("notification", &[FieldSpec::uuid("receiver"), FieldSpec::flag("read")])
            .indexes(&[&["receiver"], &["receiver", "read"]])
            .of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("receiver", self.receiver.uuid());
        row.set("read", self.read.is_some());
    }
}
