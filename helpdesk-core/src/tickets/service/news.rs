//! What an event tells of a ticket, for those who are told as it happens.

use std::sync::Arc;

use super::Tickets;
use super::seeing::check_visible;
use crate::actor::{Actor, Who};
use crate::error::Result;
use crate::events::Event;
use crate::identity::{User, permissions};
use crate::storage::{Entity as _, EntityId as _, Filter, Scope, Stored};
use crate::tickets::message::{Attachment, Message, MessageId, Visibility};
use crate::tickets::ticket::{Ticket, TicketId};

/// An event of a ticket with the records it tells of, as they stand now. It is read once for everybody: who may see
/// what of it is asked for each.
#[derive(Clone, Debug)]
pub struct TicketNews {
    event: Event,
    /// The ticket.
    pub ticket: Arc<Stored<Ticket>>,
    /// What was said, where something was.
    pub message: Option<Arc<Stored<Message>>>,
    /// Who said it, where it was a person whose account is there.
    pub author: Option<Arc<Stored<User>>>,
    /// The files that came with it.
    pub files: Vec<Arc<Stored<Attachment>>>,
}

impl TicketNews {
    /// What happened.
    #[must_use]
    pub const fn event(&self) -> &Event {
        &self.event
    }

    /// Whether a field of the ticket changed.
    #[must_use]
    pub fn changes(&self, field: &str) -> bool {
        self.event.detail.changes.iter().any(|change| change.field == field)
    }

    /// Whether somebody may see the ticket, and that this happened to it.
    #[must_use]
    pub fn shows_ticket_to(&self, actor: &Actor) -> bool {
        self.event.is_visible_to(actor) && check_visible(actor, &self.ticket).is_ok()
    }

    /// Whether somebody may read what was said.
    #[must_use]
    pub fn shows_message_to(&self, actor: &Actor) -> bool {
        let readable = |message: &Stored<Message>| {
            message.visibility == Visibility::Public || actor.has(&permissions::TICKET_ACCESS_INTERNAL)
        };
        self.ticket.deleted.is_none()
            && self.message.as_deref().is_some_and(readable)
            && self.shows_ticket_to(actor)
    }
}

impl Tickets {
    /// What an event tells of a ticket; nothing where it is about something else, or the ticket is gone. This asks
    /// nobody's permission: whoever passes it on asks for each reader.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn news(&self, event: &Event) -> Result<Option<TicketNews>> {
        let Some(organisation) = event.organisation.filter(|_| event.subject_kind == Ticket::SPEC.name)
        else {
            return Ok(None);
        };
        let (store, scope) = (self.desk.store(), Scope::organisation(organisation.uuid()));
        let Some(ticket) = store.get::<Ticket>(scope, TicketId::from_uuid(event.subject)).await? else {
            return Ok(None);
        };
        let mut news =
            TicketNews { event: event.clone(), ticket, message: None, author: None, files: Vec::new() };
        let said = event.detail.data.get("message").and_then(|id| id.as_str()?.parse().ok());
        let Some(said) = said.map(MessageId::from_uuid) else { return Ok(Some(news)) };
        news.message =
            store.get::<Message>(scope, said).await?.filter(|message| message.ticket == news.ticket.id);
        if let Some(message) = &news.message {
            if let Who::User(author) = message.author {
                news.author = store.get::<User>(scope, author).await?;
            }
            if news.ticket.attachments > 0 {
                let of_ticket = Filter::equals("ticket", news.ticket.id.uuid());
                news.files = store.select::<Attachment>(scope).filter(of_ticket).all().await?;
                news.files.retain(|file| file.message == Some(said));
            }
        }
        Ok(Some(news))
    }
}
