//! How records become the document's objects.

use chrono::{DateTime, SecondsFormat, Utc};
use helpdesk_core::Actor;
use helpdesk_core::identity::{User, permissions};
use helpdesk_core::storage::{Listing, Stored};
use helpdesk_core::tickets::Ticket;
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Page, Pagination};
use super::words;

/// An instant, in ISO 8601 and UTC.
pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A ticket as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TicketItem {
    pub id: String,
    pub subject: String,
    pub description: String,
    pub status: &'static str,
    pub priority: &'static str,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub channel: &'static str,
    pub requester_id: String,
    pub assignee_id: Option<String>,
    pub group_id: Option<String>,
    pub tags: Vec<String>,
    pub created_at: String,
    pub updated_at: String,
}

/// A page of tickets.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TicketPage {
    pub tickets: Vec<TicketItem>,
    pub pagination: Pagination,
}

/// A ticket, for somebody.
pub(super) fn ticket(ticket: &Stored<Ticket>, to: &Actor) -> TicketItem {
    TicketItem {
        id: ticket.id.to_string(),
        subject: ticket.subject.clone(),
        description: ticket.description.clone(),
        status: status(ticket, to),
        priority: words::priority(ticket.priority),
        kind: words::kind(ticket.kind),
        channel: words::channel(&ticket.via),
        requester_id: ticket.requester.to_string(),
        assignee_id: ticket.assignee.map(|assignee| assignee.to_string()),
        group_id: ticket.group.map(|group| group.to_string()),
        tags: ticket.tags.iter().cloned().collect(),
        created_at: time(ticket.created_at),
        updated_at: time(ticket.updated_at),
    }
}

/// A page of tickets, for somebody.
pub(super) fn ticket_page(page: Page, listing: &Listing<Ticket>, to: &Actor) -> TicketPage {
    TicketPage {
        tickets: listing.items.iter().map(|item| ticket(item, to)).collect(),
        pagination: page.of_listing(listing),
    }
}

/// The word for where a ticket stands, as somebody may see it.
pub(super) fn status(ticket: &Ticket, to: &Actor) -> &'static str {
    words::status(ticket.state.status(), to.has(&permissions::TICKET_ACCESS_INTERNAL))
}

/// Somebody who is named in a ticket.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PersonView {
    pub id: String,
    pub name: String,
    pub email: String,
}

/// Somebody, as a ticket names them.
pub(super) fn person(user: &Stored<User>) -> PersonView {
    PersonView { id: user.id.to_string(), name: user.full_name(), email: user.email.clone() }
}
