//! What can be done to a ticket, as pure rules: values in, values out.
//!
//! An [`Act`] is decided on a ticket as it stands. The rules are those of the help desk (T1 to T4, T6 and T8 of the
//! domain's list, named where they stand); who may call an act at all is the service's business, whose ticket it
//! must be is decided here.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};

use super::message::Visibility;
use super::status::{Category, Status, StatusSet};
use super::ticket::{Approval, Deletion, Escalation, Priority, State, Ticket, TicketKind};
use super::workflow::Workflow;
use crate::error::{Conflict, Error, Rejection, Result};
use crate::identity::{UserId, permissions};

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
}

impl Comment {
    /// Words of the actor for everybody who may see the ticket.
    pub fn public(body: impl Into<String>) -> Self {
        Self { body: body.into(), visibility: Visibility::Public, automatic: false }
    }

    /// Words of the actor for the desk.
    pub fn internal(body: impl Into<String>) -> Self {
        Self { body: body.into(), visibility: Visibility::Internal, automatic: false }
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
}

impl Edit {
    /// Whether only the tags change: the one edit that a closed ticket takes.
    fn only_tags(&self) -> bool {
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
        } = self;
        tags.is_some()
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
    /// When the ticket was made.
    pub made: DateTime<Utc>,
    /// Who acts, where it is a person.
    pub actor: Option<UserId>,
    /// Whether they may reopen what is closed.
    pub may_reopen: bool,
    /// The moves that tickets may make.
    pub workflow: &'a Workflow,
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

/// Decides an act on a ticket.
///
/// # Errors
///
/// [`Error::Rejected`] where the ticket's state does not allow it, [`Error::NotYours`] where it is for the
/// requester alone or for people alone, [`Error::Conflict`] where somebody else has claimed it,
/// [`Error::Forbidden`] where the move needs a permission of its own.
pub fn decide(ticket: &Ticket, act: Act, c: &Circumstances<'_>) -> Result<Decision> {
    let status = ticket.state.status();
    check_alive(ticket, &act, c)?;
    let mut next = ticket.clone();
    let refused = || Error::Rejected(Rejection::Status { status });
    let (action, mut comment, reason) = match act {
        Act::Approve { priority, department, comment } => {
            // A ticket that waits for its requester before anybody let it in can be let in too.
            if !matches!(status, Status::New | Status::Pending) {
                return Err(refused());
            }
            permit(c, status, Status::Open)?;
            next.state = State::Open;
            next.priority = Some(priority);
            next.department = department.or(next.department);
            next.approval = Some(Approval { at: c.now, by: c.actor });
            ("ticket.approved", comment, None)
        }
        Act::Reject { reason, comment } => {
            if status != Status::New {
                return Err(refused());
            }
            permit(c, status, Status::Rejected)?;
            next.state = State::Rejected { at: c.now, by: c.actor, reason };
            next.assignee = c.actor.or(next.assignee);
            ("ticket.rejected", comment, None)
        }
        Act::Claim => {
            // Nobody's hands are no hands: the ticket would be worked on by nobody.
            if c.actor.is_none() {
                return Err(Error::NotYours { who: "a person with an account" });
            }
            if next.assignee.is_some() && next.assignee != c.actor {
                return Err(Error::Conflict(Conflict::Claimed));
            }
            if status != Status::Open {
                return Err(refused());
            }
            permit(c, status, Status::InProgress)?;
            next.assignee = c.actor;
            next.state = State::InProgress;
            ("ticket.claimed", None, None)
        }
        Act::Assign { to } => {
            check_open(ticket)?;
            next.assignee = to;
            // T1: the first assignment takes a new ticket up.
            if to.is_some() && status == Status::New && c.workflow.permits(status, Status::Open) {
                next.state = State::Open;
            }
            ("ticket.assigned", None, None)
        }
        Act::Move { to, from, comment } => {
            if from.is_some_and(|from| !from.has(status)) {
                return Err(Error::Rejected(Rejection::Move { from: status, to }));
            }
            move_to(&mut next, to, c)?;
            ("ticket.status_changed", comment, None)
        }
        Act::Withdraw { comment } => {
            check_requester(ticket, c)?;
            permit(c, status, Status::Withdrawn)?;
            next.state = State::Withdrawn { at: c.now };
            ("ticket.withdrawn", comment, None)
        }
        Act::Close { comment } => {
            check_requester(ticket, c)?;
            if status != Status::Resolved {
                return Err(Error::Rejected(Rejection::Move { from: status, to: Status::Closed }));
            }
            move_to(&mut next, Status::Closed, c)?;
            ("ticket.closed", comment, None)
        }
        Act::Say(comment) => {
            say(&mut next, &comment, c)?;
            let action =
                if comment.visibility == Visibility::Internal { "ticket.noted" } else { "ticket.replied" };
            (action, Some(comment), None)
        }
        Act::Edit(edit) => {
            if !edit.only_tags() {
                check_open(ticket)?;
            }
            apply(&mut next, edit);
            ("ticket.edited", None, None)
        }
        Act::Escalate { level, reason } => {
            check_open(ticket)?;
            next.escalation = Some(Escalation { level, reason: reason.clone(), at: c.now, by: c.actor });
            ("ticket.escalated", None, reason)
        }
        Act::HandOver => {
            if !matches!(
                status.category(),
                Category::Open | Category::Hold | Category::Pending | Category::Solved
            ) {
                return Err(refused());
            }
            ("ticket.handed_over", None, None)
        }
        Act::Delete => {
            next.deleted = Some(Deletion { at: c.now, by: c.actor });
            ("ticket.deleted", None, None)
        }
        Act::Restore => {
            if next.deleted.take().is_none() {
                return Err(refused());
            }
            ("ticket.restored", None, None)
        }
    };
    next.solved_at = match next.state.status() {
        Status::Resolved | Status::Closed => next.solved_at.or(Some(c.now)),
        _ => None,
    };
    if let Some(comment) = &mut comment
        && comment.automatic
    {
        let words = comment.body.replace("{from}", status.label());
        comment.body = words.replace("{to}", next.state.status().label());
    }
    // T6: the first public words of a person of the desk are the first reply, whatever they came with.
    if let Some(comment) = &comment {
        stamp_first_reply(&mut next, comment, c);
    }
    let after = |at: DateTime<Utc>| (at - c.made).num_seconds().max(0);
    next.replied_after = next.first_replied_at.map(after);
    next.solved_after = next.solved_at.map(after);
    Ok(Decision { ticket: next, comment, action, reason })
}

/// What has ended takes no further change, but for the one that takes it back.
fn check_alive(ticket: &Ticket, act: &Act, c: &Circumstances<'_>) -> Result<()> {
    let status = ticket.state.status();
    match act {
        Act::Restore => return Ok(()),
        _ if ticket.deleted.is_some() => return Err(Error::Rejected(Rejection::Ended)),
        Act::Delete => return Ok(()),
        Act::Move { to, .. } if c.workflow.permits(status, *to) => return Ok(()),
        _ => {}
    }
    if status.category() == Category::Ended { Err(Error::Rejected(Rejection::Ended)) } else { Ok(()) }
}

/// A closed ticket is frozen.
fn check_open(ticket: &Ticket) -> Result<()> {
    match ticket.state.status() {
        status @ Status::Closed => Err(Error::Rejected(Rejection::Status { status })),
        _ => Ok(()),
    }
}

fn check_requester(ticket: &Ticket, c: &Circumstances<'_>) -> Result<()> {
    if c.actor == Some(ticket.requester) { Ok(()) } else { Err(Error::NotYours { who: "the requester" }) }
}

fn permit(c: &Circumstances<'_>, from: Status, to: Status) -> Result<()> {
    if c.workflow.permits(from, to) { Ok(()) } else { Err(Error::Rejected(Rejection::Move { from, to })) }
}

/// Moves a ticket along the table. Staying where it is is always possible while it is alive.
fn move_to(next: &mut Ticket, to: Status, c: &Circumstances<'_>) -> Result<()> {
    let from = next.state.status();
    if from == to {
        return check_open(next);
    }
    permit(c, from, to)?;
    if from == Status::Closed && !c.may_reopen {
        return Err(Error::Forbidden { permission: permissions::TICKET_REOPEN });
    }
    let at = c.now;
    next.state = match to {
        Status::Open => State::Open,
        Status::InProgress => State::InProgress,
        Status::Pending => State::Pending,
        Status::OnHold => State::OnHold,
        Status::Resolved => {
            // T3: who resolves a ticket that nobody has, has it.
            next.assignee = next.assignee.or(c.actor);
            next.first_resolved_at = next.first_resolved_at.or(Some(at));
            State::Resolved { at }
        }
        Status::Closed => {
            next.first_resolved_at = next.first_resolved_at.or(Some(at));
            State::Closed { at }
        }
        Status::Withdrawn => State::Withdrawn { at },
        Status::Spam => State::Spam { at },
        // These have acts of their own, which know the reason, or the other ticket.
        Status::New | Status::Rejected | Status::Merged => {
            return Err(Error::Rejected(Rejection::Move { from, to }));
        }
    };
    Ok(())
}

fn say(next: &mut Ticket, comment: &Comment, c: &Circumstances<'_>) -> Result<()> {
    let status = next.state.status();
    if comment.visibility == Visibility::Internal {
        return Ok(());
    }
    check_open(next)?;
    // T2: the requester's public reply brings a ticket that waits, or that the desk thought done, back.
    let waits = matches!(status, Status::Pending | Status::OnHold | Status::Resolved);
    if c.actor == Some(next.requester) && waits {
        permit(c, status, Status::Open)?;
        next.state = State::Open;
    }
    Ok(())
}

fn stamp_first_reply(next: &mut Ticket, comment: &Comment, c: &Circumstances<'_>) {
    let by_the_desk = c.actor.is_some() && c.actor != Some(next.requester);
    if by_the_desk && comment.visibility == Visibility::Public && !comment.automatic {
        next.first_replied_at = next.first_replied_at.or(Some(c.now));
    }
}

fn apply(next: &mut Ticket, edit: Edit) {
    let Edit { subject, description, priority, kind, category, subcategory, department, scheduled_for, tags } =
        edit;
    set(&mut next.subject, subject);
    set(&mut next.description, description);
    set(&mut next.priority, priority);
    set(&mut next.kind, kind);
    set(&mut next.category, category);
    set(&mut next.subcategory, subcategory);
    set(&mut next.department, department);
    set(&mut next.scheduled_for, scheduled_for);
    set(&mut next.tags, tags);
}

fn set<T>(field: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *field = new;
    }
}

#[cfg(test)]
mod tests;
