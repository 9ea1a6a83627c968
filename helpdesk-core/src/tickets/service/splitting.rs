//! Making a ticket of a message (T10).

use super::checks::Checks;
use super::{Tickets, audience};
use crate::actor::{Actor, Who};
use crate::error::{Error, Problem, Rejection, Result};
use crate::events::EventDraft;
use crate::identity::permissions;
use crate::storage::{EntityId as _, Stored};
use crate::tickets::link::{LinkKind, TicketLink, TicketLinkId};
use crate::tickets::message::{Message, MessageId};
use crate::tickets::reactions::organisation;
use crate::tickets::status::Category;
use crate::tickets::ticket::{Ticket, TicketId};

impl Tickets {
    /// Makes a ticket of a message. Who wrote it is who asks; what is known of the ticket it was said on is copied, but
    /// for who has it. The message and its files stay where they are, and the two tickets are linked.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::Forbidden`] without `ticket.merge`, or where the actor may not see the ticket;
    /// [`Error::Invalid`] for `subject`, and for `message` where it is none of the ticket's or nobody wrote it;
    /// [`Error::Rejected`] where the ticket has ended.
    pub async fn split(
        &self,
        actor: &Actor,
        id: TicketId,
        message: MessageId,
        subject: Option<String>,
    ) -> Result<Stored<Ticket>> {
        actor.needs(&permissions::TICKET_MERGE)?;
        let mut checks = Checks::default();
        if let Some(subject) = &subject {
            checks.line("subject", subject);
        }
        checks.into_problems().into_result()?;
        let subject = &subject;
        let ((id, slot, at, ticket), committed) = self
            .desk
            .decide(|| async move {
                let from = self.get(actor, id).await?;
                if from.state.status().category() == Category::Ended {
                    return Err(Error::Rejected(Rejection::Ended));
                }
                let said = self.desk.store().get::<Message>(actor.scope(), message).await?;
                let of_ticket = |said: &Message| said.ticket == id || from.merged.contains(&said.ticket);
                let said = said.filter(|said| !said.automatic && of_ticket(said));
                let said = said.ok_or_else(|| Error::invalid("message", Problem::Unknown("message")))?;
                let Who::User(author) = said.author else {
                    return Err(Error::invalid("message", Problem::Unknown("message")));
                };
                let mut changes = self.desk.changes();
                let split = TicketId::from_uuid(self.new_id(&changes));
                let mut ticket = Ticket {
                    group: from.group,
                    priority: from.priority,
                    kind: from.kind,
                    category: from.category.clone(),
                    subcategory: from.subcategory.clone(),
                    department: from.department.clone(),
                    tags: from.tags.clone(),
                    fields: from.fields.clone(),
                    via: actor.via().name.clone().into_owned(),
                    ..Ticket::new(
                        author,
                        subject.as_ref().unwrap_or(&from.subject).clone(),
                        said.body.clone(),
                    )
                };
                self.hold_receivers(actor, &mut changes, None, &mut ticket).await?;
                let organisation = organisation(&self.desk, actor).await?;
                let slot = self.begin(actor, &mut changes, split, &ticket, &organisation);
                let link = TicketLink::new(split, LinkKind::Split, id, actor.who());
                changes.insert(actor.scope(), TicketLinkId::from_uuid(self.new_id(&changes)), &link);
                // The ticket stays as it is, and must be there still.
                changes.require(&from);
                let draft =
                    EventDraft::new::<Ticket>("ticket.split", from.id, from.version, audience(&from, true))
                        .with("message", message.to_string())
                        .with("ticket", split.to_string());
                changes.event(actor, self.new_id(&changes), draft);
                let at = changes.at();
                Ok((changes, (split, slot, at, ticket)))
            })
            .await?;
        Ok(Stored::inserted(actor.scope(), id, at, committed.written(slot), ticket))
    }
}
