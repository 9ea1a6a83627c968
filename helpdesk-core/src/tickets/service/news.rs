//! What an event tells of a ticket, for those who are told as it happens.

use std::collections::HashSet;
use std::sync::Arc;

use super::seeing::check_visible;
use super::{INTERNAL_ACTIONS, Tickets};
use crate::actor::{Actor, Who};
use crate::error::Result;
use crate::events::Event;
use crate::groups::Group;
use crate::identity::{OrganisationId, User, UserId, permissions};
use crate::service_levels::ACTIONS;
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
    /// The members of the ticket's group.
    team: HashSet<UserId>,
    /// The accounts of the addresses that get copies of it.
    copied: HashSet<UserId>,
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
        let involved = self.event.is_visible_to(actor) && check_visible(actor, &self.ticket).is_ok();
        involved || self.is_shared_with(actor)
    }

    /// Whether somebody may see it for the group that the ticket belongs to, or for a copy: as
    /// [`Tickets::standing`] has it. What is the desk's own business is not for copies.
    fn is_shared_with(&self, actor: &Actor) -> bool {
        let Some(user) = actor.user().filter(|_| actor.has(&permissions::TICKET_VIEW_OWN)) else {
            return false;
        };
        let action = &*self.event.action;
        let own_business = INTERNAL_ACTIONS.contains(&action) || ACTIONS.contains(&action);
        let may_hear = !own_business || actor.has(&permissions::TICKET_ACCESS_INTERNAL);
        let in_team = actor.has(&permissions::TICKET_VIEW_TEAM) && self.team.contains(&user);
        self.event.organisation == Some(actor.organisation())
            && may_hear
            && (in_team || self.copied.contains(&user))
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
        let group = match ticket.group {
            Some(group) => store.get::<Group>(scope, group).await?.filter(|group| group.deleted.is_none()),
            None => None,
        };
        let team = group.iter().flat_map(|group| group.members.iter().copied()).collect();
        let copied = self.copied(organisation, &ticket).await?;
        let mut news = TicketNews {
            event: event.clone(),
            ticket,
            message: None,
            author: None,
            files: Vec::new(),
            team,
            copied,
        };
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

    /// The accounts of those who get copies of a ticket.
    async fn copied(&self, organisation: OrganisationId, ticket: &Ticket) -> Result<HashSet<UserId>> {
        if ticket.cc.is_empty() {
            return Ok(HashSet::new());
        }
        let addresses = ticket.cc.iter().map(|cc| &*cc.address);
        let system = Actor::system(organisation);
        let accounts = self.desk.identity().accounts_by_email(&system, addresses).await?;
        Ok(accounts.iter().map(|account| account.id).collect())
    }
}
