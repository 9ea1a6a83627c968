//! Tickets.

mod history;
mod input;
mod views;

use helpdesk_core::identity::permissions;
use helpdesk_core::tickets::{Act, Edit, NewTicket, TicketId, TicketQuery};
use http::StatusCode;

use self::input::{Assign, Create, ListQuery, SetPriority, SetStatus, Update};
pub(super) use self::input::{Updates, renamed};
use self::views::{Assigned, Detail, PrioritySet, StatusSet};
use super::envelope::{Nothing, Page, Success, SuccessList, WholeQuery, data, done, list as array};
use super::show::{self, TicketItem, TicketPage, time};
use super::{files, words};
use crate::kernel::{Auth, Body, Call, Failure, Json, Operation, Query};

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::get("tickets.list", "/api/tickets", list)
            .says(
                "Lists tickets",
                "Those that the caller may see: the desk all, others those that they asked for or get copies of. Newest \
                 first, unless `sort` and `order` say otherwise.",
            )
            .errors(&[401, 422]),
        Operation::post("tickets.create", "/api/tickets", create)
            .success(StatusCode::CREATED)
            .says(
                "Makes a ticket",
                "The caller asks. It is `new` until the desk takes it up, also where an assignee or a group is wished for.",
            )
            .errors(&[400, 401, 403, 422]),
        Operation::get("tickets.get", "/api/tickets/{id}", get)
            .says("Shows a ticket", "With the people and the group behind its ids.")
            .errors(&[401, 403, 404]),
        Operation::put("tickets.update", "/api/tickets/{id}", update)
            .says(
                "Changes a ticket",
                "What is not sent stays; `null` takes assignee and group away. All of it is changed or nothing.",
            )
            .errors(&[400, 401, 403, 404, 422]),
        Operation::delete("tickets.delete", "/api/tickets/{id}", delete)
            .needs(permissions::TICKET_DELETE)
            .says("Deletes a ticket", "It is kept, and neither listed nor found any more.")
            .errors(&[401, 403, 404, 422]),
        Operation::patch("tickets.status", "/api/tickets/{id}/status", set_status)
            .needs(permissions::TICKET_SET_STATUS)
            .says("Sets a ticket's status", "Nothing becomes `new` again.")
            .errors(&[400, 401, 403, 404, 422]),
        Operation::patch("tickets.priority", "/api/tickets/{id}/priority", set_priority)
            .needs(permissions::TICKET_SET_PRIORITY)
            .says("Sets a ticket's priority", "")
            .errors(&[400, 401, 403, 404, 422]),
        Operation::patch("tickets.assign", "/api/tickets/{id}/assign", assign)
            .says(
                "Gives a ticket to an agent, a group, or both",
                "What is not sent stays; `null` takes it away. The assignee is told.",
            )
            .errors(&[400, 401, 403, 404, 422]),
        Operation::get("tickets.history", "/api/tickets/{id}/history", history::list)
            .says(
                "Lists what happened to a ticket",
                "Oldest first. Those who asked see what is no business of the desk alone.",
            )
            .errors(&[401, 403, 404, 422]),
    ];
    let area = |operation: Operation| match operation.permission {
        Some(_) => operation.area("Tickets"),
        None => operation.area("Tickets").auth(Auth::Bearer),
    };
    operations.into_iter().map(area).collect()
}

/// The ticket that the path names.
pub(super) fn named(call: &Call) -> Result<TicketId, Failure> {
    call.id("id", "ticket")
}

async fn list(call: Call, Query(query): Query<ListQuery>) -> Result<Json<Success<TicketPage>>, Failure> {
    let page = Page::of(query.page, query.limit);
    let query: TicketQuery = query.into_query(&call).page(page.size(), page.from());
    let listing = call.desk.tickets().list(call.actor(), query).await?;
    Ok(data(show::ticket_page(page, &listing, call.actor())))
}

async fn create(call: Call, Body(body): Body<Create>) -> Result<Json<Success<TicketItem>>, Failure> {
    let uploads = files::named(body.attachments)?;
    let new = NewTicket {
        subject: body.subject.0,
        description: body.description.0,
        priority: Some(body.priority.0),
        kind: Some(body.kind.0),
        assignee: input::id(body.assignee_id),
        group: input::id(body.group_id),
        tags: body.tags.into_iter().map(|tag| tag.0).collect(),
        fields: input::fields(body.custom_fields),
        uploads,
        ..NewTicket::default()
    };
    let (ticket, _) = call.desk.tickets().create(call.actor(), new).await.map_err(renamed)?;
    Ok(data(show::ticket(&ticket, call.actor())))
}

async fn get(call: Call) -> Result<Json<Success<Detail>>, Failure> {
    let (actor, tickets) = (call.actor(), call.desk.tickets());
    let ticket = tickets.get(actor, named(&call)?).await?;
    let people = [Some(ticket.requester), ticket.assignee].into_iter().flatten().collect();
    let people = call.desk.identity().people(actor, people).await?;
    let group = tickets.group_of(actor, &ticket).await?;
    let fields = tickets.fields(actor).await?;
    Ok(data(Detail::of(&ticket, actor, &people, group.as_deref(), &fields)))
}

async fn update(call: Call, Body(body): Body<Update>) -> Result<Json<Success<TicketItem>>, Failure> {
    let done = call.desk.tickets().act_all(call.actor(), named(&call)?, None, body.into_revision()).await;
    Ok(data(show::ticket(&done.map_err(renamed)?.ticket, call.actor())))
}

async fn delete(call: Call) -> Result<Json<Success<Nothing>>, Failure> {
    call.desk.tickets().act(call.actor(), named(&call)?, None, Act::Delete).await?;
    Ok(done("Ticket deleted"))
}

async fn set_status(call: Call, Body(body): Body<SetStatus>) -> Result<Json<Success<StatusSet>>, Failure> {
    let act = Act::Move { to: body.status.0, from: None, comment: None };
    let ticket = call.desk.tickets().act(call.actor(), named(&call)?, None, act).await?.ticket;
    Ok(data(StatusSet {
        id: ticket.id.to_string(),
        status: show::status(&ticket, call.actor()),
        updated_at: time(ticket.updated_at),
    }))
}

async fn set_priority(
    call: Call,
    Body(body): Body<SetPriority>,
) -> Result<Json<Success<PrioritySet>>, Failure> {
    let act = Act::Edit(Edit { priority: Some(Some(body.priority.0)), ..Edit::default() });
    let ticket = call.desk.tickets().act(call.actor(), named(&call)?, None, act).await?.ticket;
    Ok(data(PrioritySet {
        id: ticket.id.to_string(),
        priority: words::priority(ticket.priority),
        updated_at: time(ticket.updated_at),
    }))
}

async fn assign(call: Call, Body(body): Body<Assign>) -> Result<Json<Success<Assigned>>, Failure> {
    let done = call.desk.tickets().act_all(call.actor(), named(&call)?, None, body.into_revision()).await;
    let ticket = done.map_err(renamed)?.ticket;
    Ok(data(Assigned {
        id: ticket.id.to_string(),
        assignee_id: ticket.assignee.map(|assignee| assignee.to_string()),
        group_id: ticket.group.map(|group| group.to_string()),
        updated_at: time(ticket.updated_at),
    }))
}
