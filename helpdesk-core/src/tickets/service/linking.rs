//! What tickets have to do with one another.

use std::sync::Arc;

use super::{Tickets, audience};
use crate::actor::Actor;
use crate::error::{Error, Problem, Rejection, Result};
use crate::events::EventDraft;
use crate::identity::permissions;
use crate::storage::{Changes, EntityId as _, Filter, Stored};
use crate::tickets::link::{LinkKind, TicketLink, TicketLinkId};
use crate::tickets::ticket::{Ticket, TicketId};

/// The most links of a ticket.
const MAX_LINKS: u64 = 100;

/// A link, as it is seen from one of its tickets.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The link.
    pub link: Arc<Stored<TicketLink>>,
    /// The ticket at its other end.
    pub ticket: Arc<Stored<Ticket>>,
}

impl Linked {
    /// Whether it says what the ticket it is seen from is to the other, and not the other way round.
    #[must_use]
    pub fn is_outgoing(&self) -> bool {
        self.link.to == self.ticket.id
    }
}

impl Tickets {
    /// Says that `from` is `kind` to another ticket. Both know of it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], also for deleted ones; [`Error::Forbidden`] without `ticket.merge`, or where the actor may
    /// not see one of them; [`Error::Invalid`] for `ticket` where it is the same, or linked so already;
    /// [`Error::Rejected`] where one has a hundred links.
    pub async fn link(
        &self,
        actor: &Actor,
        from: TicketId,
        kind: LinkKind,
        to: TicketId,
    ) -> Result<Stored<TicketLink>> {
        actor.needs(&permissions::TICKET_MERGE)?;
        if from == to {
            return Err(Error::invalid("ticket", Problem::Unknown("other ticket")));
        }
        let link = &TicketLink::new(from, kind, to, actor.who());
        let made = self
            .desk
            .decide(|| async move {
                let ends = [self.get(actor, from).await?, self.get(actor, to).await?];
                let mut changes = self.desk.changes();
                for end in &ends {
                    if self.links_of(actor, end.id).count().await? >= MAX_LINKS {
                        return Err(Error::Rejected(Rejection::Limit { limit: MAX_LINKS, what: "links" }));
                    }
                }
                let id = TicketLinkId::from_uuid(self.new_id(&changes));
                let slot = changes.insert(actor.scope(), id, link);
                self.tell_both(actor, &mut changes, &ends, link, "ticket.linked");
                let at = changes.at();
                Ok((changes, (id, slot, at)))
            })
            .await;
        let ((id, slot, at), committed) = made.map_err(|error| match error {
            Error::Invalid(problems) => Error::Invalid(problems.renamed(|_| Some("ticket"))),
            error => error,
        })?;
        Ok(Stored::inserted(actor.scope(), id, at, committed.written(slot), link.clone()))
    }

    /// Takes a link away.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::Forbidden`] as for [`Tickets::link`].
    pub async fn unlink(&self, actor: &Actor, id: TicketLinkId) -> Result<()> {
        actor.needs(&permissions::TICKET_MERGE)?;
        self.desk
            .decide(|| async move {
                let link = self.desk.store().get::<TicketLink>(actor.scope(), id).await?;
                let link = link.ok_or(Error::NotFound { what: "link" })?;
                let ends = [self.get(actor, link.from).await?, self.get(actor, link.to).await?];
                let mut changes = self.desk.changes();
                changes.delete(&link);
                self.tell_both(actor, &mut changes, &ends, &link, "ticket.unlinked");
                Ok((changes, ()))
            })
            .await
            .map(drop)
    }

    /// The links of a ticket, oldest first, as far as the actor may see the tickets at their other ends.
    ///
    /// # Errors
    ///
    /// As [`Tickets::get`].
    pub async fn links(&self, actor: &Actor, id: TicketId) -> Result<Vec<Linked>> {
        self.get(actor, id).await?;
        let links = self.links_of(actor, id).all().await?;
        let other = |link: &TicketLink| if link.from == id { link.to } else { link.from };
        let ends = links.iter().map(|link| other(link));
        let tickets = self.desk.store().get_map::<Ticket>(actor.scope(), ends).await?;
        let mut seen = Vec::with_capacity(links.len());
        for link in links {
            let ticket = tickets.get(&other(&link).uuid()).filter(|ticket| ticket.deleted.is_none());
            if let Some(ticket) = ticket
                && self.standing(actor, ticket).await.is_ok()
            {
                seen.push(Linked { link, ticket: Arc::clone(ticket) });
            }
        }
        Ok(seen)
    }

    fn links_of(&self, actor: &Actor, id: TicketId) -> crate::storage::Select<'_, TicketLink> {
        let either = Filter::equals("from_ticket", id.uuid()).or(Filter::equals("to_ticket", id.uuid()));
        self.desk.store().select::<TicketLink>(actor.scope()).filter(either)
    }

    /// Writes down at both ends what became of a link.
    fn tell_both(
        &self,
        actor: &Actor,
        changes: &mut Changes,
        ends: &[Arc<Stored<Ticket>>; 2],
        link: &TicketLink,
        action: &'static str,
    ) {
        for end in ends {
            // The tickets stay as they are, and must be there still.
            changes.require(end);
            let other = if link.from == end.id { link.to } else { link.from };
            let draft = EventDraft::new::<Ticket>(action, end.id, end.version, audience(end, true))
                .with("link", link.kind.name())
                .with("ticket", other.to_string());
            changes.event(actor, self.new_id(changes), draft);
        }
    }
}
