//! What transports call of tickets.

mod acting;
mod assigning;
mod bulk;
mod checks;
mod creating;
mod fields;
mod files;
mod following_up;
mod history;
mod linking;
mod merging;
mod news;
mod rating;
mod reading;
mod rewriting;
mod rights;
mod seeing;
mod splitting;

pub use self::acting::Done;
pub use self::bulk::{BulkItem, MAX_BULK};
pub use self::creating::{NewFile, NewTicket};
pub use self::files::ReadFile;
pub use self::linking::Linked;
pub use self::merging::Merged;
pub use self::news::TicketNews;
pub use self::reading::{TicketOrder, TicketQuery, TicketView};

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ticket::{Ticket, TicketId};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::events::{Audience, FieldChange};
use crate::helpdesk::Helpdesk;
use crate::identity::permissions;
use crate::storage::{Filter, Stored};

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

/// What is the desk's own business: its notes, who of it follows a ticket, and what it thinks tickets have to do with one
/// another.
const INTERNAL_ACTIONS: [&str; 5] =
    ["ticket.noted", "ticket.followers_changed", "ticket.linked", "ticket.unlinked", "ticket.split"];

/// Who may see an event about a ticket: the desk, and, unless it is the desk's own business, those involved.
pub(crate) fn audience(ticket: &Ticket, internal: bool) -> Audience {
    let followers = ticket.followers.iter().copied();
    let desk = Audience::holders(permissions::TICKET_VIEW_ALL).and(ticket.assignee).and(followers);
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
        "group": ticket => ticket.group,
        "priority": ticket => ticket.priority,
        "kind": ticket => ticket.kind,
        "category": ticket => &ticket.category,
        "subcategory": ticket => &ticket.subcategory,
        "department": ticket => &ticket.department,
        "tags": ticket => &ticket.tags,
        "followers": ticket => &ticket.followers,
        "scheduled_for": ticket => ticket.scheduled_for,
        "escalation": ticket => ticket.escalation.as_ref().map(|escalation| escalation.level),
        "deleted": ticket => ticket.deleted.is_some(),
    }
    if let Some(before) = before {
        // Addresses and what the organisation's own fields hold stay in the record as texts do.
        let texts = [
            ("subject", before.subject != after.subject),
            ("description", before.description != after.description),
            ("cc", before.cc != after.cc),
        ];
        let texts = texts.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.into());
        let keys: BTreeSet<_> = before.fields.keys().chain(after.fields.keys()).collect();
        let own = keys.into_iter().filter(|key| before.fields.get(*key) != after.fields.get(*key));
        for field in texts.chain(own.map(|key| format!("fields.{key}").into())) {
            let hidden = serde_json::Value::Null;
            changes.push(FieldChange { field, from: hidden.clone(), to: hidden });
        }
    }
    changes
}
