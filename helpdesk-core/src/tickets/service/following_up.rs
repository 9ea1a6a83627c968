//! Replies on closed tickets that become tickets of their own (T5).

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Tickets;
use super::acting::Done;
use super::seeing::Standing;
use crate::actor::Actor;
use crate::error::Result;
use crate::groups::{ClosedReplies, Group};
use crate::identity::{User, permissions};
use crate::storage::{Changes, Committed, EntityId as _, Slot, Stored};
use crate::tickets::acts::Act;
use crate::tickets::closed::Reply;
use crate::tickets::link::{LinkKind, TicketLink, TicketLinkId};
use crate::tickets::message::Visibility;
use crate::tickets::reactions::organisation;
use crate::tickets::ticket::{Cc, MAX_CC, State, Ticket, TicketId};

/// A ticket that goes on with a closed one, and waits to be committed.
#[derive(Debug)]
pub(super) struct FollowUp {
    pub changes: Changes,
    closed: Arc<Stored<Ticket>>,
    id: TicketId,
    slot: Slot,
    ticket: Ticket,
}

impl FollowUp {
    /// The changes, and what is left of it.
    pub(super) fn split(mut self, none: Changes) -> (Changes, Self) {
        let changes = std::mem::replace(&mut self.changes, none);
        (changes, self)
    }

    pub(super) fn done(self, actor: &Actor, at: DateTime<Utc>, committed: &Committed) -> Done {
        let written = committed.written(self.slot);
        let ticket = Stored::inserted(actor.scope(), self.id, at, written, self.ticket);
        Done { before: self.closed.state.status(), ticket, message: None }
    }
}

impl Tickets {
    /// Who gets copies of a reply that becomes a ticket: who got them before. Where somebody of those replied, the one
    /// who asked changes places with them (T11).
    async fn copies_of_reply(&self, actor: &Actor, closed: &Ticket) -> Result<Vec<Cc>> {
        let mut cc = closed.cc.clone();
        let users = self.desk.store();
        if let Some(replier) = actor.user().filter(|user| *user != closed.requester)
            && let Some(replier) = users.get::<User>(actor.scope(), replier).await?
            && let Some(asked) = users.get::<User>(actor.scope(), closed.requester).await?
        {
            cc.retain(|cc| cc.address != replier.email);
            if cc.len() < MAX_CC && cc.iter().all(|cc| cc.address != asked.email) {
                cc.push(Cc { name: Some(asked.full_name()), ..Cc::to(&*asked.email) });
            }
        }
        Ok(cc)
    }

    /// What becomes of replies on a ticket that is closed; nobody is asked where there are none.
    pub(super) async fn closed_replies(
        &self,
        actor: &Actor,
        ticket: &Ticket,
        acts: &[Act],
    ) -> Result<ClosedReplies> {
        let says = acts.iter().any(|act| matches!(act, Act::Say(_)));
        let Some(group) = ticket.group.filter(|_| says && ticket.state.closed_at().is_some()) else {
            return Ok(ClosedReplies::default());
        };
        let group = self.desk.store().get::<Group>(actor.scope(), group).await?;
        let group = group.filter(|group| group.deleted.is_none());
        Ok(group.map(|group| group.closed_replies).unwrap_or_default())
    }

    /// Makes the follow-up of a closed ticket, where that is what comes of a reply. What is known of the closed ticket
    /// is copied, what was said on it is not: the reply is what the new one is about.
    pub(super) async fn follow_up(
        &self,
        actor: &Actor,
        standing: Standing,
        closed: &Arc<Stored<Ticket>>,
        acts: &[Act],
    ) -> Result<Option<FollowUp>> {
        let ([Act::Say(reply)], State::Closed { at }, None) = (acts, &closed.state, &closed.deleted) else {
            return Ok(None);
        };
        let from_outside = standing.own || standing.copied;
        if !from_outside || reply.visibility != Visibility::Public {
            return Ok(None);
        }
        let policy = self.closed_replies(actor, closed, acts).await?;
        let mut changes = self.desk.changes();
        if Reply::of(policy, *at, changes.at()) == Reply::Reopens {
            return Ok(None);
        }
        actor.needs(&permissions::TICKET_CREATE)?;
        let id = TicketId::from_uuid(self.new_id(&changes));
        let before = &closed.value;
        let cc = self.copies_of_reply(actor, before).await?;
        let mut ticket = Ticket {
            group: before.group,
            cc,
            priority: before.priority,
            kind: before.kind,
            category: before.category.clone(),
            subcategory: before.subcategory.clone(),
            department: before.department.clone(),
            tags: before.tags.clone(),
            fields: before.fields.clone(),
            via: actor.via().name.clone().into_owned(),
            follow_up_of: Some(closed.id),
            ..Ticket::new(actor.person()?, before.subject.clone(), reply.body.clone())
        };
        let hangs_on = (id, None, false);
        ticket.attachments =
            self.take_over(actor, &mut changes, &reply.uploads, hangs_on, &mut HashSet::new()).await?;
        self.hold_receivers(actor, &mut changes, None, &mut ticket).await?;
        // Nobody must open the closed one meanwhile.
        changes.require(closed);
        let organisation = organisation(&self.desk, actor).await?;
        let slot = self.begin(actor, &mut changes, id, &ticket, &organisation);
        let link = TicketLink::new(id, LinkKind::FollowUp, closed.id, actor.who());
        changes.insert(actor.scope(), TicketLinkId::from_uuid(self.new_id(&changes)), &link);
        Ok(Some(FollowUp { changes, closed: Arc::clone(closed), id, slot, ticket }))
    }
}
