//! What transports call of tickets.

mod acting;
mod checks;
mod creating;
mod files;
mod reading;
mod rights;

pub use self::acting::Done;
pub use self::creating::{NewFile, NewTicket};
pub use self::files::ReadFile;
pub use self::reading::{TicketOrder, TicketQuery, TicketView};
use std::sync::Arc;

use super::ticket::{Ticket, TicketId};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::events::{Audience, FieldChange};
use crate::helpdesk::Helpdesk;
use crate::identity::permissions;
use crate::storage::{EntityId as _, Filter, Stored};

/// Tickets, their messages and files. From [`Helpdesk::tickets`].
#[derive(Clone, Debug)]
pub struct Tickets {
    desk: Helpdesk,
}

impl Tickets {
    pub(crate) const fn new(desk: Helpdesk) -> Self {
        Self { desk }
    }

    /// A ticket of the actor's organisation, deleted ones included.
    async fn load(&self, actor: &Actor, id: TicketId) -> Result<Arc<Stored<Ticket>>> {
        let found = self.desk.store().get::<Ticket>(actor.scope(), id).await?;
        found.ok_or(Error::NotFound { what: "ticket" })
    }

    /// The id of the ticket of a number.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where the actor's organisation has none.
    pub async fn by_number(&self, actor: &Actor, number: i64) -> Result<TicketId> {
        let tickets = self.desk.store().select::<Ticket>(actor.scope());
        let found = tickets.filter(Filter::equals("number", number)).first_id().await?;
        found.ok_or(Error::NotFound { what: "ticket" })
    }
}

/// Which tickets an actor may see: the one place where that is decided for lists.
pub(crate) fn visible(actor: &Actor) -> Filter {
    let alive = Filter::equals("deleted", false);
    if actor.has(&permissions::TICKET_VIEW_ALL) {
        return alive;
    }
    match actor.user() {
        Some(user) if actor.has(&permissions::TICKET_VIEW_OWN) => {
            let mine = Filter::equals("requester", user.uuid()).or(Filter::equals("assignee", user.uuid()));
            alive.and(mine)
        }
        _ => Filter::none(),
    }
}

/// The same for a single ticket.
fn check_visible(actor: &Actor, ticket: &Ticket) -> Result<()> {
    let involved = actor.user().is_some_and(|user| user == ticket.requester || Some(user) == ticket.assignee);
    if involved && actor.has(&permissions::TICKET_VIEW_OWN) {
        return Ok(());
    }
    actor.needs(&permissions::TICKET_VIEW_ALL)
}

/// Who may see an event about a ticket: the desk, and, unless it is the desk's own business, those involved.
fn audience(ticket: &Ticket, internal: bool) -> Audience {
    let desk = Audience::holders(permissions::TICKET_VIEW_ALL).and(ticket.assignee);
    if internal { desk } else { desk.and([ticket.requester]) }
}

/// The fields in which two states of a ticket differ. Texts are named without their words.
fn changed_fields(before: Option<&Ticket>, after: &Ticket) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let nothing = |value: &serde_json::Value| match value {
        serde_json::Value::Bool(truth) => !truth,
        serde_json::Value::Array(items) => items.is_empty(),
        value => value.is_null(),
    };
    let mut field = |name: &'static str, from: serde_json::Value, to: serde_json::Value| {
        // That a new ticket has no tags and is not deleted is no news.
        if from != to && !(nothing(&from) && nothing(&to)) {
            changes.push(FieldChange { field: name.into(), from, to });
        }
    };
    macro_rules! told {
        ($($name:literal: $ticket:ident => $value:expr),* $(,)?) => {$(
            let of = |$ticket: &Ticket| serde_json::to_value($value).unwrap_or_default();
            field($name, before.map(of).unwrap_or_default(), of(after));
        )*};
    }
    told! {
        "status": ticket => ticket.state.status(),
        "assignee": ticket => ticket.assignee,
        "priority": ticket => ticket.priority,
        "kind": ticket => ticket.kind,
        "category": ticket => &ticket.category,
        "subcategory": ticket => &ticket.subcategory,
        "department": ticket => &ticket.department,
        "tags": ticket => &ticket.tags,
        "scheduled_for": ticket => ticket.scheduled_for,
        "escalation": ticket => ticket.escalation.as_ref().map(|escalation| escalation.level),
        "deleted": ticket => ticket.deleted.is_some(),
    }
    if let Some(before) = before {
        for (name, from, to) in [
            ("subject", &before.subject, &after.subject),
            ("description", &before.description, &after.description),
        ] {
            if from != to {
                let hidden = serde_json::Value::Null;
                changes.push(FieldChange { field: name.into(), from: hidden.clone(), to: hidden });
            }
        }
    }
    changes
}
