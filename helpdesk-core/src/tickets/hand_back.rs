//! What becomes of tickets when people leave their group or the desk, or a group is deleted (T9).
//!
//! Each is a job that is enqueued with the change it follows from. It takes the tickets a page at a time and goes on
//! until none is left that it has to do with: whatever it has changed is not found again.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::acts::Decision;
use super::reactions::organisation;
use super::status::{Category, Status};
use super::ticket::Ticket;
use crate::actor::Actor;
use crate::groups::{Group, GroupId};
use crate::helpdesk::Helpdesk;
use crate::identity::{OrganisationId, User, UserId};
use crate::jobs::{Job, JobDraft, JobError, JobHandler};
use crate::storage::{Changes, EntityId as _, Filter, Scope, Stored, Value};

const HAND_BACK: &str = "ticket_hand_back";
const UNGROUP: &str = "ticket_ungroup";

/// How many tickets are changed in one batch: few enough to leave room for what follows from each.
const PAGE: usize = 50;

/// Somebody left a group or, without one, the desk.
#[derive(Debug, Serialize, Deserialize)]
struct Leaving {
    who: UserId,
    group: Option<GroupId>,
}

/// Takes the tickets of a group from somebody who has left it; without a group, all that somebody has who has left
/// the desk.
pub(crate) fn hand_back(who: UserId, group: Option<GroupId>, at: DateTime<Utc>) -> JobDraft {
    let from = group.map_or_else(|| "desk".to_owned(), |group| group.to_string());
    JobDraft::new(HAND_BACK, format!("{HAND_BACK}:{who}:{from}"), at, &Leaving { who, group })
}

/// Takes a group that was deleted off its tickets.
pub(crate) fn ungroup(group: GroupId, at: DateTime<Utc>) -> JobDraft {
    JobDraft::new(UNGROUP, format!("{UNGROUP}:{group}"), at, &group)
}

/// Who has a ticket once the one who has it leaves; `None` where nothing changes. What waits for the desk is nobody's
/// then, and what was solved passes to the heir. What is closed or has ended stays as it was until it comes back.
fn handed_back(ticket: &Ticket, leaver: UserId, heir: Option<UserId>) -> Option<Ticket> {
    if ticket.assignee != Some(leaver) || ticket.deleted.is_some() {
        return None;
    }
    let assignee = match ticket.state.status().category() {
        Category::New | Category::Open | Category::Pending | Category::Hold => None,
        Category::Solved => heir.filter(|heir| *heir != leaver),
        Category::Closed | Category::Ended => return None,
    };
    Some(Ticket { assignee, ..ticket.clone() })
}

/// The tickets for which that holds.
fn to_hand_back(leaving: &Leaving) -> Filter {
    let of = |wanted: fn(Status) -> bool| {
        let statuses = Status::ALL.into_iter().filter(|status| wanted(*status));
        Filter::one_of("status", statuses.map(|status| Value::text(status.name())))
    };
    let theirs = Filter::equals("assignee", leaving.who.uuid()).and(Filter::equals("deleted", false));
    let unsolved = of(Status::waits);
    let solved = of(|status| status.category() == Category::Solved);
    match leaving.group {
        Some(group) => theirs.and(Filter::equals("group", group.uuid())).and(unsolved.or(solved)),
        // What they solved alone stays theirs: there is nobody to pass it to.
        None => theirs.and(unsolved.or(solved.and(Filter::null("group").not()))),
    }
}

/// Takes tickets from somebody who has left.
#[derive(Debug)]
pub(super) struct HandBack;

#[async_trait]
impl JobHandler for HandBack {
    fn name(&self) -> &'static str {
        HAND_BACK
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let leaving: Leaving = job.payload()?;
        let mut changes = desk.changes();
        // Whoever came back meanwhile keeps what they have.
        if !has_left(desk, &mut changes, job.scope(), &leaving).await? {
            return Ok(changes);
        }
        let actor = system(job.scope());
        let mut more = false;
        if leaving.group.is_none() {
            // Somebody may have put them into a group just as they left the desk.
            more = desk.groups().leave_all(&mut changes, &actor, leaving.who).await?;
        }
        let tickets = desk.store().select::<Ticket>(job.scope()).filter(to_hand_back(&leaving));
        let page = tickets.limit(PAGE).page().await?;
        let groups = page.items.iter().filter_map(|ticket| ticket.group);
        let groups = desk.store().get_map::<Group>(job.scope(), groups).await?;
        // Nobody inherits who leaves just then. A group that is left in this batch is held by that.
        for group in
            groups.values().filter(|group| leaving.group.is_none() && !group.members.contains(&leaving.who))
        {
            changes.require(group);
        }
        let heir = |ticket: &Ticket| groups.get(&ticket.group?.uuid())?.heir_of(leaving.who);
        let reason = match leaving.group {
            Some(_) => "The assignee left the group.",
            None => "The assignee left the desk.",
        };
        let handed_back = page
            .items
            .iter()
            .filter_map(|ticket| handed_back(ticket, leaving.who, heir(ticket)).map(|next| (ticket, next)));
        reassign(desk, &mut changes, &actor, handed_back, reason).await?;
        more |= page.next.is_some();
        if more && !changes.is_empty() {
            let rest = hand_back(leaving.who, leaving.group, changes.at());
            changes.enqueue(job.scope(), desk.ids().id(changes.at()), rest);
        }
        Ok(changes)
    }
}

/// Whether somebody is still gone, and stays so until the changes are made.
async fn has_left(
    desk: &Helpdesk,
    changes: &mut Changes,
    scope: Scope,
    leaving: &Leaving,
) -> Result<bool, JobError> {
    if let Some(group) = leaving.group {
        let group = desk.store().get::<Group>(scope, group).await?;
        let left = group.filter(|group| group.deleted.is_none() && !group.members.contains(&leaving.who));
        return Ok(left.is_some_and(|group| {
            changes.require(&group);
            true
        }));
    }
    let user = desk.store().get::<User>(scope, leaving.who).await?;
    let gone = user.filter(|user| !user.state.is_active());
    Ok(gone.is_some_and(|user| {
        changes.require(&user);
        true
    }))
}

/// Takes a group off its tickets.
#[derive(Debug)]
pub(super) struct Ungroup;

#[async_trait]
impl JobHandler for Ungroup {
    fn name(&self) -> &'static str {
        UNGROUP
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let group: GroupId = job.payload()?;
        let mut changes = desk.changes();
        let tickets = desk.store().select::<Ticket>(job.scope());
        // All of them, whatever their state: one that is opened again must not belong to what is gone.
        let page = tickets.filter(Filter::equals("group", group.uuid())).limit(PAGE).page().await?;
        let without =
            page.items.iter().map(|ticket| (ticket, Ticket { group: None, ..ticket.value.clone() }));
        reassign(desk, &mut changes, &system(job.scope()), without, "The group was deleted.").await?;
        if page.next.is_some() {
            changes.enqueue(job.scope(), desk.ids().id(changes.at()), ungroup(group, changes.at()));
        }
        Ok(changes)
    }
}

/// Adds the tickets as they stand then to a batch.
async fn reassign<'a>(
    desk: &Helpdesk,
    changes: &mut Changes,
    actor: &Actor,
    tickets: impl Iterator<Item = (&'a Arc<Stored<Ticket>>, Ticket)> + Send,
    reason: &str,
) -> Result<(), JobError> {
    let organisation = organisation(desk, actor).await?;
    for (before, ticket) in tickets {
        let decision =
            Decision { ticket, comment: None, action: "ticket.assigned", reason: Some(reason.to_owned()) };
        desk.tickets().rewrite(changes, actor, before, &decision, &organisation);
    }
    Ok(())
}

fn system(scope: Scope) -> Actor {
    Actor::system(OrganisationId::from_uuid(scope.id().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::tickets::{Deletion, State};

    fn person(id: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(id))
    }

    fn ticket(state: State) -> Ticket {
        Ticket { state, assignee: Some(person(1)), ..Ticket::new(person(9), "Printer", "It burns") }
    }

    #[test]
    fn what_is_not_solved_is_nobodys_and_what_is_solved_passes_on() {
        let at = DateTime::from_timestamp(1, 0).expect("an instant");
        let heir = Some(person(2));
        for state in [State::New, State::Open, State::InProgress, State::Pending, State::OnHold] {
            let next = handed_back(&ticket(state), person(1), heir).expect("it changes");
            assert_eq!(next.assignee, None);
        }
        let solved = ticket(State::Resolved { at });
        assert_eq!(handed_back(&solved, person(1), heir).expect("it changes").assignee, heir);
        assert_eq!(handed_back(&solved, person(1), None).expect("it changes").assignee, None);
        for state in [State::Closed { at }, State::Withdrawn { at }, State::Spam { at }] {
            assert_eq!(handed_back(&ticket(state), person(1), heir), None);
        }
    }

    #[test]
    fn what_others_have_and_what_is_deleted_stays() {
        let at = DateTime::from_timestamp(1, 0).expect("an instant");
        assert_eq!(handed_back(&ticket(State::Open), person(3), None), None);
        let deleted = Ticket { deleted: Some(Deletion { at, by: None }), ..ticket(State::Open) };
        assert_eq!(handed_back(&deleted, person(1), None), None);
    }
}
