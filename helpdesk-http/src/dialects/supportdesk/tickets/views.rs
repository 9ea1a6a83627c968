//! What is answered of tickets.

use std::collections::HashMap;
use std::sync::Arc;

use helpdesk_core::Actor;
use helpdesk_core::groups::Group;
use helpdesk_core::identity::{User, UserId};
use helpdesk_core::storage::{EntityId as _, Stored};
use helpdesk_core::tickets::{Ticket, TicketField};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::show::{self, PersonView, TicketItem, time};

/// A ticket with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Detail {
    #[serde(flatten)]
    ticket: TicketItem,
    requester: PersonView,
    assignee: Option<PersonView>,
    group: Option<GroupNameView>,
    custom_fields: Vec<CustomField>,
    first_response_at: Option<String>,
    solved_at: Option<String>,
}

/// A group, as a ticket names it.
#[derive(Debug, Serialize, ToSchema)]
struct GroupNameView {
    id: String,
    name: String,
}

/// One of the organisation's own fields.
#[derive(Debug, Serialize, ToSchema)]
struct CustomField {
    id: String,
    title: String,
    /// A text, a number, a truth value, or null.
    value: Value,
}

/// Where a ticket stands now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatusSet {
    pub id: String,
    pub status: &'static str,
    pub updated_at: String,
}

/// How urgent a ticket is now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PrioritySet {
    pub id: String,
    pub priority: &'static str,
    pub updated_at: String,
}

/// Who has a ticket now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Assigned {
    pub id: String,
    pub assignee_id: Option<String>,
    pub group_id: Option<String>,
    pub updated_at: String,
}

impl Detail {
    pub(super) fn of(
        ticket: &Stored<Ticket>,
        to: &Actor,
        people: &HashMap<Uuid, Arc<Stored<User>>>,
        group: Option<&Stored<Group>>,
        fields: &[TicketField],
    ) -> Self {
        let person = |id: UserId| people.get(&id.uuid()).map(|user| show::person(user));
        // Accounts are never deleted, so one that is not there is of a ticket that was brought in from elsewhere.
        let nobody =
            || PersonView { id: ticket.requester.to_string(), name: String::new(), email: String::new() };
        let field = |field: &TicketField| CustomField {
            id: field.key.clone(),
            title: field.title.clone(),
            value: ticket.fields.get(&field.key).cloned().unwrap_or_default(),
        };
        Self {
            ticket: show::ticket(ticket, to),
            requester: person(ticket.requester).unwrap_or_else(nobody),
            assignee: ticket.assignee.and_then(person),
            group: group.map(|group| GroupNameView { id: group.id.to_string(), name: group.name.clone() }),
            custom_fields: fields.iter().map(field).collect(),
            first_response_at: ticket.first_replied_at.map(time),
            solved_at: ticket.solved_at.map(time),
        }
    }
}
