//! Making two tickets one, and parting them again (T10).

use std::sync::Arc;

use super::{Tickets, audience, changed_fields};
use crate::actor::Actor;
use crate::error::{Error, Rejection, Result};
use crate::events::EventDraft;
use crate::identity::{User, permissions};
use crate::storage::{Changes, EntityId as _, Slot, Stored};
use crate::tickets::acts::Decision;
use crate::tickets::merging::{Named, Part, merge, part};
use crate::tickets::reactions::{organisation, react};
use crate::tickets::ticket::{Cc, Ticket, TicketId};

/// Two tickets after they were merged, or parted.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The one that went into the other.
    pub source: Stored<Ticket>,
    /// The other.
    pub target: Stored<Ticket>,
}

/// What is known beside two tickets when it is decided on them.
struct Beside {
    /// Who asked for the first.
    asked: Option<Arc<Stored<User>>>,
    /// What else is part of the second, where the first is.
    others: Vec<Part>,
}

impl Tickets {
    /// Merges a ticket into another. The source is marked; its messages are shown among the target's, who got copies
    /// gets those of the target, and so does who asked. A reply to the source lands on the target.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::Forbidden`] without `ticket.merge`, or where the actor may not see one of them;
    /// [`Error::Rejected`] where one has ended, the target is solved or closed, or others were merged into the source.
    pub async fn merge(&self, actor: &Actor, source: TicketId, target: TicketId) -> Result<Merged> {
        actor.needs(&permissions::TICKET_MERGE)?;
        self.change_two(
            actor,
            source,
            target,
            ("ticket.merged", "ticket.absorbed"),
            |source, target, beside| {
                let asked = beside.asked.as_ref().map(|user| Cc {
                    name: Some(user.full_name()).filter(|name| !name.is_empty()),
                    ..Cc::to(user.email.clone())
                });
                let now = self.desk.now();
                merge(named(source), named(target), asked, now, self.desk.workflow())
            },
        )
        .await
    }

    /// Takes a merge back, within 30 days: the source stands where it stood before.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::Forbidden`] as for [`Tickets::merge`]; [`Error::Rejected`] where the ticket was not
    /// merged, or too long ago.
    pub async fn unmerge(&self, actor: &Actor, source: TicketId) -> Result<Merged> {
        actor.needs(&permissions::TICKET_MERGE)?;
        let merged = self.load(actor, source).await?;
        let status = merged.state.status();
        let target = merged.state.merged_into().ok_or(Error::Rejected(Rejection::Status { status }))?;
        self.change_two(
            actor,
            source,
            target,
            ("ticket.unmerged", "ticket.parted"),
            |source, target, beside| {
                // It may have been parted and merged elsewhere meanwhile.
                if source.state.merged_into().is_some_and(|into| into != target.id) {
                    return Err(Error::Conflict(crate::error::Conflict::Busy));
                }
                part(named(source), target, &beside.others, self.desk.now())
            },
        )
        .await
    }

    /// Reads what else is needed to decide on two tickets. What is part of the second stays as it is for as long as it is,
    /// and what becomes or ceases to be part of it changes the second.
    async fn beside(
        &self,
        actor: &Actor,
        source: &Stored<Ticket>,
        target: &Stored<Ticket>,
    ) -> Result<Beside> {
        let store = self.desk.store();
        let asked = store.get::<User>(actor.scope(), source.requester).await?;
        let mut others = Vec::new();
        if target.merged.contains(&source.id) {
            let rest = target.merged.iter().copied().filter(|id| *id != source.id);
            let parts = store.get_map::<Ticket>(actor.scope(), rest).await?;
            let people = parts.values().map(|part| part.requester).collect();
            let people = self.desk.identity().people(actor, people).await?;
            others.extend(target.merged.iter().filter_map(|id| {
                let part = parts.get(&id.uuid())?;
                let asked = people.get(&part.requester.uuid()).map(|user| &*user.email);
                Some(Part::of(named(part), &target.value, asked))
            }));
        }
        Ok(Beside { asked, others })
    }

    /// Decides on two tickets together, and commits both or none.
    async fn change_two(
        &self,
        actor: &Actor,
        source: TicketId,
        target: TicketId,
        (of_source, of_target): (&'static str, &'static str),
        decide: impl Fn(&Stored<Ticket>, &Stored<Ticket>, &Beside) -> Result<(Ticket, Ticket)> + Send + Sync,
    ) -> Result<Merged> {
        let decide = &decide;
        let ((two, slots, at), committed) = self
            .desk
            .decide(|| async move {
                let before = (self.load(actor, source).await?, self.load(actor, target).await?);
                self.standing(actor, &before.0).await?;
                self.standing(actor, &before.1).await?;
                let beside = self.beside(actor, &before.0, &before.1).await?;
                let mut after = decide(&before.0, &before.1, &beside)?;
                let mut changes = self.desk.changes();
                self.hold_receivers(actor, &mut changes, Some(&before.0.value), &mut after.0).await?;
                after.0.measure(before.0.created_at);
                after.1.measure(before.1.created_at);
                let first = self.write_one(actor, &mut changes, &before.0, &after.0, of_source, target);
                let second = self.write_one(actor, &mut changes, &before.1, &after.1, of_target, source);
                let decision =
                    Decision { ticket: after.0.clone(), comment: None, action: of_source, reason: None };
                let organisation = organisation(&self.desk, actor).await?;
                react(&self.desk, &mut changes, actor, &before.0, &[decision], &organisation);
                let at = changes.at();
                Ok((changes, ((before, after), (first, second), at)))
            })
            .await?;
        let (before, after) = two;
        Ok(Merged {
            source: before.0.replaced(at, committed.written(slots.0), after.0),
            target: before.1.replaced(at, committed.written(slots.1), after.1),
        })
    }

    /// Writes one of two tickets, and what happened to it. The event names the other one.
    fn write_one(
        &self,
        actor: &Actor,
        changes: &mut Changes,
        before: &Stored<Ticket>,
        after: &Ticket,
        action: &'static str,
        other: TicketId,
    ) -> Slot {
        let slot = changes.update(before, after);
        let version = changes.version_after(slot);
        let draft = EventDraft::new::<Ticket>(action, before.id, version, audience(after, false))
            .changes(changed_fields(Some(&before.value), after))
            .with("ticket", other.to_string());
        changes.event(actor, self.new_id(changes), draft);
        slot
    }
}

fn named(ticket: &Stored<Ticket>) -> Named<'_> {
    Named { id: ticket.id, ticket: &ticket.value }
}
