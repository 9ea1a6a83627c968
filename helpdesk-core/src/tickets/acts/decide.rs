//! The rules of each act.

use chrono::{DateTime, Utc};

use super::{Act, Circumstances, Comment, Decision, Edit};
use crate::error::{Conflict, Error, Rejection, Result};
use crate::identity::permissions;
use crate::tickets::closed::Reply;
use crate::tickets::message::Visibility;
use crate::tickets::status::{Category, Status};
use crate::tickets::ticket::{Approval, Cc, Deletion, Escalation, MAX_CC, MAX_FOLLOWERS, State, Ticket};

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
            if to.is_some() {
                take_up(&mut next, c);
            }
            ("ticket.assigned", None, None)
        }
        Act::Route { assignee, group } => {
            check_open(ticket)?;
            set(&mut next.group, group);
            set(&mut next.assignee, assignee);
            // Who sends back what they read assigns nobody: that a ticket began with somebody takes it up no more than
            // before.
            if next.assignee.is_some() && next.assignee != ticket.assignee {
                take_up(&mut next, c);
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
        Act::Copy(people) => {
            check_open(ticket)?;
            join_cc(&mut next.cc, people)?;
            ("ticket.cc_changed", None, None)
        }
        Act::EndCopy { address } => {
            check_open(ticket)?;
            let address = plain(&address);
            next.cc.retain(|cc| cc.address != address);
            ("ticket.cc_changed", None, None)
        }
        Act::Follow { who } => {
            next.followers.insert(who);
            if next.followers.len() > MAX_FOLLOWERS {
                let limit = MAX_FOLLOWERS as u64;
                return Err(Error::Rejected(Rejection::Limit { limit, what: "followers" }));
            }
            ("ticket.followers_changed", None, None)
        }
        Act::Unfollow { who } => {
            next.followers.remove(&who);
            ("ticket.followers_changed", None, None)
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
    stamp_solved(&mut next, c.now);
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
    let outside = c.from_outside(next);
    match next.state {
        // T5: a reply on what is closed opens it again, where the group will have it so.
        State::Closed { at } if outside && Reply::of(c.closed_replies, at, c.now) == Reply::Reopens => {}
        State::Closed { .. } => return check_open(next),
        // T2: a public reply from outside brings a ticket that waits, or that the desk thought done, back.
        State::Pending | State::OnHold | State::Resolved { .. } if outside => {}
        _ => return Ok(()),
    }
    permit(c, status, Status::Open)?;
    next.state = State::Open;
    Ok(())
}

/// T1: the first assignment takes a new ticket up.
fn take_up(next: &mut Ticket, c: &Circumstances<'_>) {
    if next.state == State::New && c.workflow.permits(Status::New, Status::Open) {
        next.state = State::Open;
    }
}

/// Keeps account of since when a ticket is solved.
pub(in crate::tickets) fn stamp_solved(ticket: &mut Ticket, now: DateTime<Utc>) {
    ticket.solved_at = match ticket.state.status() {
        Status::Resolved | Status::Closed => ticket.solved_at.or(Some(now)),
        _ => None,
    };
}

/// Adds people to those who get copies. Who is among them already is not added again.
pub(in crate::tickets) fn join_cc(cc: &mut Vec<Cc>, people: Vec<Cc>) -> Result<()> {
    for mut one in people {
        one.address = plain(&one.address);
        if cc.iter().all(|other| other.address != one.address) {
            cc.push(one);
        }
    }
    if cc.len() > MAX_CC {
        return Err(Error::Rejected(Rejection::Limit { limit: MAX_CC as u64, what: "copies" }));
    }
    Ok(())
}

/// An address as it is kept and compared.
fn plain(address: &str) -> String {
    address.trim().to_lowercase()
}

fn stamp_first_reply(next: &mut Ticket, comment: &Comment, c: &Circumstances<'_>) {
    let by_the_desk = c.actor.is_some() && !c.from_outside(next);
    if by_the_desk && comment.visibility == Visibility::Public && !comment.automatic {
        next.first_replied_at = next.first_replied_at.or(Some(c.now));
    }
}

fn apply(next: &mut Ticket, edit: Edit) {
    let Edit {
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
    } = edit;
    set(&mut next.subject, subject);
    set(&mut next.description, description);
    set(&mut next.priority, priority);
    set(&mut next.kind, kind);
    set(&mut next.category, category);
    set(&mut next.subcategory, subcategory);
    set(&mut next.department, department);
    set(&mut next.scheduled_for, scheduled_for);
    set(&mut next.tags, tags);
    for (key, value) in fields {
        if value.is_null() {
            next.fields.remove(&key);
        } else {
            next.fields.insert(key, value);
        }
    }
}

fn set<T>(field: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *field = new;
    }
}
