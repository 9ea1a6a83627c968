//! Contacts, their tickets and what happened to them.

use helpdesk_core::contacts::{
    CompanyId, ContactEdit, ContactId, ContactPage, ContactQuery, ContactView, NewContact, Timeline,
};
use helpdesk_core::events::Event;
use helpdesk_core::identity::permissions;
use helpdesk_core::storage::EntityId as _;
use helpdesk_core::tickets::Status;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::envelope::{
    Nothing, Page, PageQuery, Pagination, Success, SuccessList, data, done, list as listed,
};
use super::show::{TicketPage, ticket_page, time};
use super::words;
use crate::input;
use crate::input::{Change, Email, Int, Line, Text};
use crate::kernel::{Body, Call, Failure, Json, Operation, Query};

input! {
    /// Which contacts to list.
    struct ListQuery {
        /// The number of the page, from 1.
        page: Option<Int<1, 1_000_000>>,
        /// How many to a page: 20, at most 100.
        limit: Option<Int<1, 100>>,
        /// Words of the name, the address or the company.
        search: Option<Line<500>>,
    }

    /// Somebody who becomes a contact.
    struct Create {
        /// What they are called.
        name: Line<255>,
        /// The address; no other contact may have it.
        email: Email,
        /// A telephone number.
        phone: Option<Text<50>>,
        /// Where they work.
        company: Option<Text<255>>,
        /// What they do there.
        role: Option<Text<100>>,
        /// The organization they belong to.
        organization_id: Option<Uuid>,
    }

    /// What is to be different about a contact.
    struct Update {
        /// What they are called.
        name: Option<Line<255>>,
        /// The address; no other contact may have it.
        email: Option<Email>,
        /// A telephone number.
        phone: Change<Text<50>>,
        /// Where they work.
        company: Change<Text<255>>,
        /// What they do there.
        role: Change<Text<100>>,
        /// The organization they belong to.
        organization_id: Change<Uuid>,
    }
}

/// A contact.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ContactItem {
    id: String,
    name: String,
    email: String,
    phone: String,
    company: String,
    role: String,
    organization_id: Option<String>,
    tickets_count: u64,
    created_at: String,
}

/// A page of contacts.
#[derive(Debug, Serialize, ToSchema)]
struct ContactList {
    contacts: Vec<ContactItem>,
    pagination: Pagination,
}

/// Something that happened to a contact.
#[derive(Debug, Serialize, ToSchema)]
struct ContactActivity {
    id: String,
    action: String,
    description: String,
    created_at: String,
}

pub(super) fn operations() -> Vec<Operation> {
    let (view, manage) = (permissions::CONTACT_VIEW, permissions::CONTACT_MANAGE);
    let operations = vec![
        Operation::get("contacts.list", "/api/contacts", list)
            .needs(view.clone())
            .says("Lists contacts", "Newest first.")
            .errors(&[401, 403, 422]),
        Operation::post("contacts.create", "/api/contacts", create)
            .needs(manage.clone())
            .success(StatusCode::CREATED)
            .says("Makes a contact", "No two contacts have the same address.")
            .errors(&[400, 401, 403, 422]),
        Operation::get("contacts.get", "/api/contacts/{id}", get)
            .needs(view.clone())
            .says("Shows a contact", "")
            .errors(&[401, 403, 404]),
        Operation::put("contacts.update", "/api/contacts/{id}", update)
            .needs(manage.clone())
            .says("Changes a contact", "What is not sent stays as it is; `null` takes a value away.")
            .errors(&[400, 401, 403, 404, 422]),
        Operation::delete("contacts.delete", "/api/contacts/{id}", delete)
            .needs(manage)
            .says("Deletes a contact", "Their account and their tickets stay.")
            .errors(&[401, 403, 404]),
        Operation::get("contacts.tickets", "/api/contacts/{id}/tickets", tickets)
            .needs(view.clone())
            .says(
                "Lists the tickets of a contact",
                "Those that the account of their address asked for, or that the address has a copy of; newest first.",
            )
            .errors(&[401, 403, 404, 422]),
        Operation::get("contacts.activity", "/api/contacts/{id}/activity", activity)
            .needs(view)
            .says(
                "Lists what happened to a contact",
                "And to the 200 of their tickets that changed last; newest first.",
            )
            .errors(&[401, 403, 404, 422]),
    ];
    operations.into_iter().map(|operation| operation.area("Contacts")).collect()
}

/// A contact, as the document shows it.
pub(super) fn contact(view: &ContactView) -> ContactItem {
    let ContactView { contact, company, tickets } = view;
    let works_for = contact.company.clone().or_else(|| company.as_ref().map(|company| company.name.clone()));
    ContactItem {
        id: contact.id.to_string(),
        name: contact.name.clone(),
        email: contact.email.clone(),
        phone: contact.phone.clone().unwrap_or_default(),
        company: works_for.unwrap_or_default(),
        role: contact.role.clone().unwrap_or_default(),
        organization_id: company.as_ref().map(|company| company.id.to_string()),
        tickets_count: *tickets,
        created_at: time(contact.created_at),
    }
}

/// The contact that the path names.
fn named(call: &Call) -> Result<ContactId, Failure> {
    call.id("id", "contact")
}

fn renamed(failure: Failure) -> Failure {
    failure.renamed(|field| (field == "company_id").then_some("organization_id"))
}

async fn list(call: Call, Query(query): Query<ListQuery>) -> Result<Json<Success<ContactList>>, Failure> {
    let page = Page::of(query.page, query.limit);
    let mut wanted = ContactQuery::default().page(page.size(), page.from());
    if let Some(search) = &query.search {
        wanted = wanted.search(search);
    }
    let ContactPage { contacts, total } = call.desk.contacts().list(call.actor(), wanted).await?;
    let contacts = contacts.iter().map(contact).collect();
    Ok(data(ContactList { contacts, pagination: page.pagination(total) }))
}

async fn create(call: Call, Body(body): Body<Create>) -> Result<Json<Success<ContactItem>>, Failure> {
    let new = NewContact {
        name: body.name.0,
        email: body.email.0,
        phone: body.phone.map(|phone| phone.0),
        company: body.company.map(|company| company.0),
        role: body.role.map(|role| role.0),
        company_id: body.organization_id.map(CompanyId::from_uuid),
    };
    let made = call.desk.contacts().create(call.actor(), new).await;
    Ok(data(contact(&made.map_err(|error| renamed(error.into()))?)))
}

async fn get(call: Call) -> Result<Json<Success<ContactItem>>, Failure> {
    Ok(data(contact(&call.desk.contacts().get(call.actor(), named(&call)?).await?)))
}

async fn update(call: Call, Body(body): Body<Update>) -> Result<Json<Success<ContactItem>>, Failure> {
    let mut edit = ContactEdit {
        name: body.name.map(|name| name.0),
        email: body.email.map(|email| email.0),
        phone: body.phone.0.map(|phone| phone.map(|phone| phone.0)),
        company: body.company.0.map(|company| company.map(|company| company.0)),
        role: body.role.0.map(|role| role.map(|role| role.0)),
        company_id: body.organization_id.0.map(|id| id.map(CompanyId::from_uuid)),
    };
    let contacts = call.desk.contacts();
    if let Some(Some(typed)) = &edit.company {
        // Where nobody typed a company, the organization's name is shown as one: who sends it back means that.
        let shown = contacts.get(call.actor(), named(&call)?).await?;
        if shown.contact.company.is_none() && shown.company.is_some_and(|company| company.name == *typed) {
            edit.company = None;
        }
    }
    let changed = contacts.update(call.actor(), named(&call)?, edit).await;
    Ok(data(contact(&changed.map_err(|error| renamed(error.into()))?)))
}

async fn delete(call: Call) -> Result<Json<Success<Nothing>>, Failure> {
    call.desk.contacts().delete(call.actor(), named(&call)?).await?;
    Ok(done("Contact deleted"))
}

async fn tickets(call: Call, Query(query): Query<PageQuery>) -> Result<Json<Success<TicketPage>>, Failure> {
    let page = query.page();
    let contacts = call.desk.contacts();
    let listing = contacts.tickets(call.actor(), named(&call)?, page.size(), page.from()).await?;
    Ok(data(ticket_page(page, &listing, call.actor())))
}

async fn activity(
    call: Call,
    Query(query): Query<PageQuery>,
) -> Result<Json<SuccessList<ContactActivity>>, Failure> {
    let page = query.page();
    let contacts = call.desk.contacts();
    let timeline = contacts.activity(call.actor(), named(&call)?, page.size(), page.from()).await?;
    let shown = timeline.events.iter().map(|event| ContactActivity {
        id: event.id.to_string(),
        action: event.action.replace('.', "_"),
        description: description(event, &timeline),
        created_at: time(event.at),
    });
    Ok(listed(shown.collect(), page.pagination(timeline.total)))
}

/// What happened, in a sentence. Actions are called by their past participle: `ticket.created`.
fn description(event: &Event, timeline: &Timeline) -> String {
    let (kind, what) = event.action.split_once('.').unwrap_or(("contact", &event.action));
    let subject = match timeline.tickets.get(&event.subject) {
        Some(ticket) => format!("Ticket #{}", ticket.number),
        None => kind.chars().take(1).flat_map(char::to_uppercase).chain(kind.chars().skip(1)).collect(),
    };
    match what {
        "replied" => format!("{subject} got a reply"),
        "noted" => format!("{subject} got an internal note"),
        "status_changed" => format!("{subject} is now {}", new_status(event).unwrap_or("in another status")),
        done => format!("{subject} was {}", done.replace('_', " ")),
    }
}

/// The word for the status that a ticket got.
fn new_status(event: &Event) -> Option<&'static str> {
    let change = event.detail.changes.iter().find(|change| change.field == "status")?;
    let status: Status = serde_json::from_value(change.to.clone()).ok()?;
    Some(words::status(status, true))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use helpdesk_core::Who;
    use helpdesk_core::events::{Audience, Detail, FieldChange};
    use serde_json::json;

    use super::*;

    fn event(action: &str, changes: Vec<FieldChange>) -> Event {
        Event {
            id: Uuid::from_u128(1),
            position: None,
            organisation: None,
            at: "2025-01-15T09:00:00Z".parse().expect("an instant"),
            action: action.to_owned(),
            subject_kind: "contact".to_owned(),
            subject: Uuid::from_u128(2),
            detail: Detail {
                actor: Who::System,
                via: "system".to_owned(),
                batch: Uuid::from_u128(3),
                version: 1,
                changes,
                audience: Audience::default(),
                reason: None,
                data: serde_json::Map::new(),
            },
        }
    }

    #[test]
    fn what_happened_is_told_in_a_sentence() {
        let timeline = Timeline { events: Vec::new(), tickets: HashMap::new(), total: 0 };
        let told = |action: &str| description(&event(action, Vec::new()), &timeline);
        assert_eq!(told("contact.created"), "Contact was created");
        assert_eq!(told("ticket.handed_over"), "Ticket was handed over");
        assert_eq!(told("ticket.replied"), "Ticket got a reply");
        assert_eq!(told("ticket.status_changed"), "Ticket is now in another status");
        let solved = FieldChange { field: "status".into(), from: json!("open"), to: json!("resolved") };
        let told = description(&event("ticket.status_changed", vec![solved]), &timeline);
        assert_eq!(told, "Ticket is now solved");
    }
}
