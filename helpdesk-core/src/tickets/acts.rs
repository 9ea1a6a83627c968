//! What can be done to a ticket, as pure rules: values in, values out.
//!
//! An [`Act`] is decided on a ticket as it stands. The rules are those of the help desk (T1 to T6, T8 and T11 of the
//! domain's list, named where they stand); who may call an act at all is the service's business, whose ticket it
//! must be is decided here.

mod decide;
mod revision;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value as Json;

pub use self::decide::decide;
pub(super) use self::decide::{join_cc, stamp_solved};
pub use self::revision::{Asked, Revision};
use super::message::Visibility;
use super::status::{Status, StatusSet};
use super::ticket::{Cc, Priority, Ticket, TicketKind};
use super::workflow::Workflow;
use crate::groups::{ClosedReplies, GroupId};
use crate::identity::UserId;
use crate::uploads::UploadId;

/// Something that is to be done to a ticket.
#[derive(Clone, Debug)]
pub enum Act {
    /// Lets a new ticket in.
    Approve {
        /// How urgent it is.
        priority: Priority,
        /// Who deals with it.
        department: Option<String>,
        /// What is said about it.
        comment: Option<Comment>,
    },
    /// Refuses a new ticket. Who refuses it has it from then on, so that it is known whom to ask.
    Reject {
        /// Why.
        reason: String,
        /// What is said about it.
        comment: Option<Comment>,
    },
    /// Takes a ticket that nobody has, and begins to work on it.
    Claim,
    /// Gives a ticket to somebody, or to nobody.
    Assign {
        /// Whom.
        to: Option<UserId>,
    },
    /// Gives a ticket to a group, to somebody, or both: what is `None` stays.
    Route {
        /// Whom, or nobody.
        assignee: Option<Option<UserId>>,
        /// Which group, or none.
        group: Option<Option<GroupId>>,
    },
    /// Moves a ticket to another status.
    Move {
        /// Which.
        to: Status,
        /// From where only, for callers who do not reach further than this.
        from: Option<StatusSet>,
        /// What is said about it.
        comment: Option<Comment>,
    },
    /// The requester takes the ticket back.
    Withdraw {
        /// What is said about it.
        comment: Option<Comment>,
    },
    /// The requester agrees that it is done.
    Close {
        /// What is said about it.
        comment: Option<Comment>,
    },
    /// Says something.
    Say(Comment),
    /// Changes what is known of it.
    Edit(Edit),
    /// Raises it.
    Escalate {
        /// To which level.
        level: u8,
        /// Why.
        reason: Option<String>,
    },
    /// Hands it over to the external workflow. Its status stays.
    HandOver,
    /// Has somebody outside get what is said in public as well (T11).
    Copy(Vec<Cc>),
    /// Ends that for an address.
    EndCopy {
        /// The address.
        address: String,
    },
    /// Has somebody of the desk follow it, notes included (T11).
    Follow {
        /// Whom.
        who: UserId,
    },
    /// Ends that.
    Unfollow {
        /// For whom.
        who: UserId,
    },
    /// Marks it as deleted.
    Delete,
    /// Takes that mark away.
    Restore,
}

/// Something to be said on a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The words. In automatic ones, `{from}` and `{to}` stand for the status before and after.
    pub body: String,
    /// Who may read it.
    pub visibility: Visibility,
    /// Whether nobody wrote it: the desk tells of a change.
    pub automatic: bool,
    /// The actor's uploads that come with it; at most 20.
    pub uploads: Vec<UploadId>,
}

impl Comment {
    /// Words of the actor for everybody who may see the ticket.
    pub fn public(body: impl Into<String>) -> Self {
        Self { body: body.into(), visibility: Visibility::Public, automatic: false, uploads: Vec::new() }
    }

    /// Words of the actor for the desk.
    pub fn internal(body: impl Into<String>) -> Self {
        Self { body: body.into(), visibility: Visibility::Internal, automatic: false, uploads: Vec::new() }
    }

    /// The same with files that the actor has uploaded.
    #[must_use]
    pub fn with(mut self, uploads: impl IntoIterator<Item = UploadId>) -> Self {
        self.uploads.extend(uploads);
        self
    }

    /// The same, but of the desk's own making.
    #[must_use]
    pub fn automatic(mut self) -> Self {
        self.automatic = true;
        self
    }
}

/// Changes to what is known of a ticket: what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// What it is about, in a line.
    pub subject: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// How urgent it is.
    pub priority: Option<Option<Priority>>,
    /// What sort of request it is.
    pub kind: Option<Option<TicketKind>>,
    /// What it belongs to.
    pub category: Option<Option<String>>,
    /// What it belongs to more closely.
    pub subcategory: Option<Option<String>>,
    /// Who deals with it.
    pub department: Option<Option<String>>,
    /// The day it is meant for.
    pub scheduled_for: Option<Option<NaiveDate>>,
    /// The words it is marked with.
    pub tags: Option<BTreeSet<String>>,
    /// The organisation's own fields, by key: those that are named change, and `null` takes a value away.
    pub fields: BTreeMap<String, Json>,
}

impl Edit {
    /// Whether nothing is to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tags.is_none() && Self { tags: Some(BTreeSet::new()), ..self.clone() }.only_tags()
    }

    /// Whether only the tags change: the one edit that a closed ticket takes.
    pub(super) fn only_tags(&self) -> bool {
        let Self {
            subject,
            description,
            priority,
            kind,
            category,
            subcategory,
            department,
            scheduled_for,
            tags,
            fields,
        } = self;
        tags.is_some()
            && fields.is_empty()
            && subject.is_none()
            && description.is_none()
            && priority.is_none()
            && kind.is_none()
            && category.is_none()
            && subcategory.is_none()
            && department.is_none()
            && scheduled_for.is_none()
    }
}

/// Under which circumstances an act is decided.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// When.
    pub now: DateTime<Utc>,
    /// Who acts, where it is a person.
    pub actor: Option<UserId>,
    /// Whether they act as somebody outside whom the ticket is copied to, and not as the desk.
    pub copied: bool,
    /// Whether they may reopen what is closed.
    pub may_reopen: bool,
    /// What becomes of a reply from outside on a closed ticket.
    pub closed_replies: ClosedReplies,
    /// The moves that tickets may make.
    pub workflow: &'a Workflow,
}

impl Circumstances<'_> {
    /// Whether the actor speaks from outside on a ticket: as who asked, or as who is copied.
    #[must_use]
    pub fn from_outside(&self, ticket: &Ticket) -> bool {
        self.copied || self.actor == Some(ticket.requester)
    }
}

/// What comes of an act.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The ticket as it stands then.
    pub ticket: Ticket,
    /// What is said.
    pub comment: Option<Comment>,
    /// What it is called in the event log.
    pub action: &'static str,
    /// The actor's reason, for the event log.
    pub reason: Option<String>,
}

impl Decision {
    /// Whether there is anything to write down: the ticket is another than before, something is said, or it goes
    /// elsewhere.
    pub(super) fn changes(&self, before: &Ticket) -> bool {
        self.ticket != *before || self.comment.is_some() || self.action == "ticket.handed_over"
    }
}

#[cfg(test)]
mod tests;
