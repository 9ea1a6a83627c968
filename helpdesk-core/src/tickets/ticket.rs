//! The ticket.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::status::Status;
use crate::entity_id;
use crate::groups::GroupId;
use crate::identity::UserId;
use crate::storage::{Entity, EntityId as _, FieldSpec, KindSpec, Row, Value};

entity_id! {
    /// The id of a ticket.
    pub TicketId
}

/// A request to the desk, and all that is known of it but its messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    /// What it is about, in a line.
    pub subject: String,
    /// What it is about.
    pub description: String,
    /// Who asked.
    pub requester: UserId,
    /// Who has it.
    pub assignee: Option<UserId>,
    /// Which group has it.
    #[serde(default)]
    pub group: Option<GroupId>,
    /// Who gets what is said in public as well; outside the desk, and seen by all (T11).
    #[serde(default)]
    pub cc: Vec<Cc>,
    /// Who of the desk follows it, notes included; unseen by others (T11).
    #[serde(default)]
    pub followers: BTreeSet<UserId>,
    /// Where it stands.
    pub state: State,
    /// How urgent it is; nothing until somebody said.
    pub priority: Option<Priority>,
    /// What sort of request it is.
    pub kind: Option<TicketKind>,
    /// What it belongs to.
    pub category: Option<String>,
    /// What it belongs to more closely.
    pub subcategory: Option<String>,
    /// Which part of the organisation deals with it.
    pub department: Option<String>,
    /// Words it is marked with.
    pub tags: BTreeSet<String>,
    /// The day it is meant for.
    pub scheduled_for: Option<NaiveDate>,
    /// How far it was raised.
    pub escalation: Option<Escalation>,
    /// The door it came through.
    pub via: String,
    /// When somebody of the desk first answered.
    pub first_replied_at: Option<DateTime<Utc>>,
    /// When it was first resolved.
    pub first_resolved_at: Option<DateTime<Utc>>,
    /// Since when it has been solved, if it is: when it was resolved, or closed without that.
    #[serde(default)]
    pub solved_at: Option<DateTime<Utc>>,
    /// How many seconds after the request the first answer came.
    #[serde(default)]
    pub replied_after: Option<i64>,
    /// How many seconds after the request it was solved, if it is.
    #[serde(default)]
    pub solved_after: Option<i64>,
    /// The closed ticket that this one follows up (T5).
    #[serde(default)]
    pub follow_up_of: Option<TicketId>,
    /// How satisfied the requester was.
    #[serde(default)]
    pub satisfaction: Option<Satisfaction>,
    /// The organisation's own fields, by key.
    #[serde(default)]
    pub fields: BTreeMap<String, serde_json::Value>,
    /// Who let it in.
    pub approval: Option<Approval>,
    /// How many files it has.
    pub attachments: u32,
    /// That it was deleted: a mark beside the state.
    pub deleted: Option<Deletion>,
    /// Values of the embedding team.
    #[serde(default)]
    pub ext: serde_json::Map<String, serde_json::Value>,
}

/// Where a ticket stands, with what belongs to that state and no other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum State {
    /// Nobody has taken it up.
    New,
    /// Waits for the desk.
    Open,
    /// Somebody is on it.
    InProgress,
    /// Waits for the requester.
    Pending,
    /// Waits for a third party.
    OnHold,
    /// The desk thinks it is done.
    Resolved {
        /// Since when.
        at: DateTime<Utc>,
    },
    /// Done, and frozen.
    Closed {
        /// Since when.
        at: DateTime<Utc>,
    },
    /// Refused by the desk.
    Rejected {
        /// When.
        at: DateTime<Utc>,
        /// By whom.
        by: Option<UserId>,
        /// Why.
        reason: String,
    },
    /// Taken back by the requester.
    Withdrawn {
        /// When.
        at: DateTime<Utc>,
    },
    /// Went into another ticket.
    Merged {
        /// When.
        at: DateTime<Utc>,
        /// Which one.
        into: TicketId,
        /// Where it stood before.
        before: Box<State>,
    },
    /// Was no request.
    Spam {
        /// When that was seen.
        at: DateTime<Utc>,
    },
}

/// How urgent a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// It can wait.
    Low,
    /// As usual. Elsewhere also medium.
    Normal,
    /// Before others.
    High,
    /// At once. Elsewhere also critical.
    Urgent,
}

/// What sort of request a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketKind {
    /// Somebody wants to know something.
    Question,
    /// Something does not work for somebody.
    Incident,
    /// The cause of incidents.
    Problem,
    /// Something is to be done.
    Task,
}

/// Somebody outside who gets what is said in public on a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cc {
    /// The address, in lower case.
    pub address: String,
    /// What they are called, where it is known.
    pub name: Option<String>,
}

/// How satisfied the requester of a ticket was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Satisfaction {
    /// From 1, very bad, to 5, very good.
    pub score: u8,
    /// What they said about it.
    pub comment: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// How far a ticket was raised: a level beside the status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Escalation {
    /// From 1 up.
    pub level: u8,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: Option<UserId>,
}

/// That a ticket was let in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: Option<UserId>,
}

/// That a ticket was deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deletion {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: Option<UserId>,
}

impl Ticket {
    /// A new ticket, of which nothing is known but who asks for what.
    #[must_use]
    pub fn new(requester: UserId, subject: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            description: description.into(),
            requester,
            assignee: None,
            group: None,
            cc: Vec::new(),
            followers: BTreeSet::new(),
            state: State::New,
            priority: None,
            kind: None,
            category: None,
            subcategory: None,
            department: None,
            tags: BTreeSet::new(),
            scheduled_for: None,
            escalation: None,
            via: String::new(),
            first_replied_at: None,
            first_resolved_at: None,
            solved_at: None,
            replied_after: None,
            solved_after: None,
            follow_up_of: None,
            satisfaction: None,
            fields: BTreeMap::new(),
            approval: None,
            attachments: 0,
            deleted: None,
            ext: serde_json::Map::new(),
        }
    }
}

impl State {
    /// The status of the state.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::New => Status::New,
            Self::Open => Status::Open,
            Self::InProgress => Status::InProgress,
            Self::Pending => Status::Pending,
            Self::OnHold => Status::OnHold,
            Self::Resolved { .. } => Status::Resolved,
            Self::Closed { .. } => Status::Closed,
            Self::Rejected { .. } => Status::Rejected,
            Self::Withdrawn { .. } => Status::Withdrawn,
            Self::Merged { .. } => Status::Merged,
            Self::Spam { .. } => Status::Spam,
        }
    }

    /// When it was closed, if it is.
    #[must_use]
    pub const fn closed_at(&self) -> Option<DateTime<Utc>> {
        if let Self::Closed { at } = self { Some(*at) } else { None }
    }

    /// The ticket that it was merged into, if it was.
    #[must_use]
    pub const fn merged_into(&self) -> Option<TicketId> {
        if let Self::Merged { into, .. } = self { Some(*into) } else { None }
    }

    /// Why it was rejected, if it was.
    #[must_use]
    pub fn rejection_reason(&self) -> Option<&str> {
        if let Self::Rejected { reason, .. } = self { Some(reason) } else { None }
    }
}

impl Priority {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Normal, Self::High, Self::Urgent];

    /// The name that people read.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Normal => "Normal",
            Self::High => "High",
            Self::Urgent => "Urgent",
        }
    }

    /// The rank by which tickets are ordered: 1 for the least.
    #[must_use]
    pub const fn rank(self) -> i64 {
        match self {
            Self::Low => 1,
            Self::Normal => 2,
            Self::High => 3,
            Self::Urgent => 4,
        }
    }
}

impl TicketKind {
    /// The name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Incident => "incident",
            Self::Problem => "problem",
            Self::Task => "task",
        }
    }
}

impl crate::storage::Stored<Ticket> {
    /// From the request to the end, in seconds, for a closed ticket.
    #[must_use]
    pub fn resolution_seconds(&self) -> Option<i64> {
        self.state.closed_at().map(|closed| (closed - self.created_at).num_seconds())
    }
}

impl Entity for Ticket {
    type Id = TicketId;

    const SPEC: &'static KindSpec = &KindSpec::new(
        "ticket",
        &[
            FieldSpec::text("status"),
            FieldSpec::int("priority").counted(),
            FieldSpec::refers("requester", "account"),
            FieldSpec::refers("assignee", "account"),
            FieldSpec::refers("group", "group"),
            FieldSpec::text("kind"),
            FieldSpec::text("cc").many().uncounted(),
            FieldSpec::uuid("followers").many().uncounted(),
            FieldSpec::uuid("merged_into").uncounted(),
            FieldSpec::time("solved_at"),
            FieldSpec::int("rating"),
            FieldSpec::int("first_reply_seconds"),
            FieldSpec::int("resolution_seconds"),
            FieldSpec::text("category"),
            FieldSpec::text("department"),
            FieldSpec::text("tags").many(),
            FieldSpec::flag("deleted"),
            FieldSpec::text("subject").uncounted(),
        ],
    )
    .indexes(&[
        &["status"],
        &["requester"],
        &["assignee"],
        &["group"],
        &["merged_into"],
        &["solved_at"],
        &["priority"],
        &["category"],
        &["department"],
        &["status", "updated_at"],
        &["updated_at"],
    ])
    .searched()
    .dense()
    .of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("status", self.state.status().name());
        row.set("priority", self.priority.map(Priority::rank));
        row.set("requester", self.requester.uuid());
        row.set("assignee", self.assignee.map(|assignee| assignee.uuid()));
        row.set("group", self.group.map(|group| group.uuid()));
        row.set("kind", self.kind.map(TicketKind::name));
        row.set("cc", Value::many(self.cc.iter().map(|cc| Value::text(&cc.address))));
        row.set("followers", Value::many(self.followers.iter().map(|user| Value::Uuid(user.uuid()))));
        row.set("merged_into", self.state.merged_into().map(|ticket| ticket.uuid()));
        row.set("solved_at", self.solved_at);
        row.set("rating", self.satisfaction.as_ref().map(|rated| i64::from(rated.score)));
        row.set("first_reply_seconds", self.replied_after);
        row.set("resolution_seconds", self.solved_after);
        row.set("category", self.category.as_deref());
        row.set("department", self.department.as_deref());
        row.set("tags", Value::many(self.tags.iter().map(Value::from)));
        row.set("deleted", self.deleted.is_some());
        row.set("subject", &self.subject);
    }

    fn searched<'a>(&'a self, texts: &mut Vec<&'a str>) {
        texts.extend([self.subject.as_str(), &self.description]);
        texts.extend(self.tags.iter().map(String::as_str));
    }
}
