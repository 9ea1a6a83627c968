//! To whom a ticket can be given, and by whom.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Tickets;
use crate::actor::Actor;
use crate::error::{Error, Problem, Problems, Result};
use crate::groups::{Group, GroupId};
use crate::identity::{Permissions, User, UserId, permissions as p};
use crate::storage::{Changes, EntityId as _, Filter, Stored};
use crate::tickets::acts::Act;
use crate::tickets::ticket::{State, Ticket};

/// What an assignment changes; what is `None` stays.
#[derive(Clone, Copy, Debug)]
struct Route {
    assignee: Option<Option<UserId>>,
    group: Option<Option<GroupId>>,
}

impl Route {
    /// What an act assigns, as far as it is another than before.
    fn of(act: &Act, ticket: &Ticket) -> Option<Self> {
        match *act {
            Act::Assign { to } => Some(Self { assignee: Some(to), group: None }),
            Act::Route { assignee, group } => Some(Self {
                assignee: assignee.filter(|to| *to != ticket.assignee),
                group: group.filter(|to| *to != ticket.group),
            }),
            _ => None,
        }
    }
}

impl Tickets {
    /// Checks an assignment: that the people and groups it names are there, and that the actor may give the ticket
    /// to them. Whoever may assign within their team gives tickets to those who share a group with them or with the
    /// ticket; tickets move freely between groups.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`]; [`Error::Invalid`] for `assignee` and `group`.
    pub(super) async fn check_assignment(&self, actor: &Actor, ticket: &Ticket, act: &Act) -> Result<()> {
        let Some(route) = Route::of(act, ticket) else { return Ok(()) };
        if actor.has(&p::TICKET_ASSIGN_ANY) {
            return self.check_receivers(actor, route.assignee.flatten(), route.group.flatten()).await;
        }
        if route.group.is_some() {
            actor.needs(&p::TICKET_ASSIGN_WITHIN_TEAM)?;
        }
        let to_oneself = route.assignee.is_some_and(|to| to.is_some() && to == actor.user());
        if to_oneself {
            actor.needs(&p::TICKET_ASSIGN_OWN)?;
        } else if route.assignee.is_some() && !actor.has(&p::TICKET_ASSIGN_WITHIN_TEAM) {
            return Err(Error::Forbidden { permission: p::TICKET_ASSIGN_ANY });
        }
        self.check_receivers(actor, route.assignee.flatten(), route.group.flatten()).await?;
        let Some(to) = route.assignee.filter(|_| !to_oneself) else { return Ok(()) };
        // Who takes a ticket from somebody needs to share a group with them, as who gives it to somebody.
        let colleague = to.or(ticket.assignee);
        let group = route.group.unwrap_or(ticket.group);
        let within = match colleague {
            Some(colleague) if actor.user() == Some(colleague) => true,
            Some(colleague) => self.share_a_group(actor, colleague, group).await?,
            None => false,
        };
        if within { Ok(()) } else { Err(Error::Forbidden { permission: p::TICKET_ASSIGN_ANY }) }
    }

    /// Checks that a ticket can be given to somebody and to a group: they are there, and the person works on
    /// tickets.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for `assignee` and `group`.
    pub(super) async fn check_receivers(
        &self,
        actor: &Actor,
        assignee: Option<UserId>,
        group: Option<GroupId>,
    ) -> Result<()> {
        let mut problems = Problems::default();
        if let Some(assignee) = assignee
            && let Err(problem) = self.of_the_desk(actor, assignee).await?
        {
            problems.add("assignee", problem);
        }
        if let Some(group) = group {
            let found = self.desk.store().get::<Group>(actor.scope(), group).await?;
            if found.is_none_or(|group| group.deleted.is_some()) {
                problems.add("group", Problem::Unknown("group"));
            }
        }
        problems.into_result()
    }

    /// Holds what a ticket comes to belong to, so that it is still there when the ticket is written. A ticket that comes
    /// back to the desk is nobody's where who had it has left the desk or its group meanwhile (T9): it was closed or deleted
    /// when they did. One that comes back solved passes to a member of the group.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub(in crate::tickets) async fn hold_receivers(
        &self,
        actor: &Actor,
        changes: &mut Changes,
        before: Option<&Ticket>,
        after: &mut Ticket,
    ) -> Result<()> {
        let given = before.is_none_or(|before| before.assignee != after.assignee);
        if let Some(before) = before.filter(|_| !given) {
            self.leave_behind(actor, changes, before, after).await?;
        }
        let comes_back = before.is_some_and(|before| !waits(before) && waits(after));
        if let Some(assignee) = after.assignee.filter(|_| given || comes_back) {
            match self.desk.store().get::<User>(actor.scope(), assignee).await? {
                Some(user) if user.state.is_active() => changes.require(&user),
                _ => after.assignee = None,
            }
        }
        let moved = before.is_none_or(|before| before.group != after.group);
        if let Some(group) = after.group.filter(|_| moved) {
            match self.desk.store().get::<Group>(actor.scope(), group).await? {
                Some(group) if group.deleted.is_none() => changes.require(&group),
                _ => after.group = None,
            }
        }
        Ok(())
    }

    /// Takes a ticket that comes back to a group from somebody who has left the group while the ticket was out of reach.
    /// Whoever was given it without being in the group keeps it.
    async fn leave_behind(
        &self,
        actor: &Actor,
        changes: &mut Changes,
        before: &Ticket,
        after: &mut Ticket,
    ) -> Result<()> {
        let (Some(since), None) = (out_of_reach(before), out_of_reach(after)) else { return Ok(()) };
        let (Some(assignee), Some(group)) = (after.assignee, after.group) else { return Ok(()) };
        let group = self.desk.store().get::<Group>(actor.scope(), group).await?;
        let Some(group) = group.filter(|group| group.deleted.is_none()) else { return Ok(()) };
        // Nobody leaves it just then.
        if before.group == after.group {
            changes.require(&group);
        }
        if group.members.contains(&assignee)
            || !self.desk.groups().left_since(&group, assignee, since).await?
        {
            return Ok(());
        }
        after.assignee = if waits(after) { None } else { group.heir_of(assignee) };
        Ok(())
    }

    /// Somebody who is there and works on tickets: in the queue, or on those that they are given.
    pub(super) async fn of_the_desk(
        &self,
        actor: &Actor,
        user: UserId,
    ) -> Result<Result<Arc<Stored<User>>, Problem>> {
        let found = self.desk.store().get::<User>(actor.scope(), user).await?;
        let Some(user) = found.filter(|user| user.state.is_active()) else {
            return Ok(Err(Problem::Unknown("account")));
        };
        let works = |may: &Permissions| {
            may.contains(&p::QUEUE_ACCESS_HELPDESK) || may.contains(&p::TICKET_SET_STATUS)
        };
        let may = self.desk.identity().permissions_of(&user).await?;
        Ok(if works(&may) { Ok(user) } else { Err(Problem::Unknown("agent")) })
    }

    /// Whether somebody is in the group, or in one with the actor.
    async fn share_a_group(&self, actor: &Actor, other: UserId, group: Option<GroupId>) -> Result<bool> {
        let groups = self.desk.store().select::<Group>(actor.scope());
        let of_other = Filter::equals("members", other.uuid()).and(Filter::equals("deleted", false));
        let own = actor.user().map_or_else(Filter::none, |user| Filter::equals("members", user.uuid()));
        let tickets = group.map_or_else(Filter::none, |group| Filter::equals("id", group.uuid()));
        Ok(groups.filter(of_other.and(own.or(tickets))).first_id().await?.is_some())
    }
}

/// Since when a ticket has been where it is taken from nobody: closed, at its end, or deleted.
fn out_of_reach(ticket: &Ticket) -> Option<DateTime<Utc>> {
    let rests = match ticket.state {
        State::Closed { at }
        | State::Rejected { at, .. }
        | State::Withdrawn { at }
        | State::Merged { at, .. }
        | State::Spam { at } => Some(at),
        State::New
        | State::Open
        | State::InProgress
        | State::Pending
        | State::OnHold
        | State::Resolved { .. } => None,
    };
    let deleted = ticket.deleted.as_ref().map(|deletion| deletion.at);
    rests.into_iter().chain(deleted).min()
}

/// Whether a ticket waits for somebody of the desk.
fn waits(ticket: &Ticket) -> bool {
    ticket.deleted.is_none() && ticket.state.status().waits()
}
