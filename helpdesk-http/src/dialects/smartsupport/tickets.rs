//! Making tickets and looking at them.

use chrono::NaiveDate;
use helpdesk_core::identity::permissions;
use helpdesk_core::tickets::{MAX_FILE, NewFile, NewTicket, Status, TicketId, TicketQuery};
use http::StatusCode;

use super::paging::{ListQuery, Page, around};
use super::show::{Show, requester, time};
use super::words::{self, Departments};
use super::{TICKETS, views};
use crate::input;
use crate::input::{Choice, Line, Upload};
use crate::kernel::{Auth, Body, Call, Failure, Json, Operation, Query};

/// The most bytes of all files of a request.
const UPLOAD_BYTES: u64 = 50 * 1024 * 1024;

input! {
    /// A request.
    struct Create {
        /// What it is about, in a line.
        subject: Line<255>,
        /// What it belongs to.
        category: Line<100>,
        /// What it belongs to more closely.
        sub_category: Line<100>,
        /// What it is about.
        description: Line<100000>,
        /// The day it is meant for.
        scheduled_date: Option<NaiveDate>,
        /// Who should deal with it.
        department: Option<Choice<Departments>>,
        /// Files: pictures, PDF, office documents, text, CSV and archives, 10 MB each.
        files["files[]", "files"]: Vec<Upload>,
    }
}

pub(super) fn operations() -> Vec<Operation> {
    let staff = permissions::QUEUE_ACCESS_HELPDESK;
    let operations = vec![
        Operation::post("tickets.create", "/api/tickets/", create)
            .auth(Auth::Bearer)
            // A little more than a file may have, so that a larger one is told from a form that is too large.
            .form(MAX_FILE as u64 + 1024 * 1024, UPLOAD_BYTES)
            .success(StatusCode::CREATED)
            .says("Makes a ticket", "It is New until it is approved.")
            .errors(&[400, 401]),
        Operation::get("tickets.list", "/api/tickets/", list)
            .auth(Auth::Bearer)
            .says("Lists tickets", "Employees see their own, coordinators and administrators all; newest first.")
            .errors(&[400, 401, 404]),
        Operation::get("tickets.new", "/api/tickets/new/", new)
            .needs(permissions::TICKET_APPROVE)
            .says("Lists the tickets that wait for approval", "Newest first.")
            .errors(&[401, 403]),
        Operation::get("tickets.open", "/api/tickets/open/", open)
            .needs(staff.clone())
            .says("Lists the tickets that are open", "Newest first.")
            .errors(&[401, 403]),
        Operation::get("tickets.my", "/api/tickets/my-tickets/", mine)
            .needs(staff)
            .says("Lists the tickets that the caller has", "Of every status, newest first.")
            .errors(&[401, 403]),
        Operation::get("tickets.get", "/api/tickets/{ticket_id}/", get)
            .auth(Auth::Bearer)
            .says(
                "Shows a ticket",
                "With its comments: the internal ones are for coordinators and administrators. A ticket may be named \
                 by its id or by its number.",
            )
            .errors(&[401, 403, 404]),
    ];
    operations.into_iter().map(|operation| operation.area("Ticket Management")).collect()
}

/// The ticket that the path names, by id or by `TX` number.
pub(super) async fn named(call: &Call) -> Result<TicketId, Failure> {
    let text = call.parameter("ticket_id");
    let number = TICKETS.parse(text).or_else(|| text.parse().ok()).filter(|number| *number > 0);
    let number = number.ok_or(Failure::not_found("ticket"))?;
    Ok(call.desk.tickets().by_number(call.actor(), number).await?)
}

async fn create(call: Call, Body(body): Body<Create>) -> Result<Json<views::Ticket>, Failure> {
    let new = NewTicket {
        subject: body.subject.0,
        description: body.description.0,
        category: Some(body.category.0),
        subcategory: Some(body.sub_category.0),
        department: body.department.map(|department| department.0.to_owned()),
        scheduled_for: body.scheduled_date,
        files: body
            .files
            .into_iter()
            .map(|file| NewFile { name: file.name, content: file.content })
            .collect(),
        ..NewTicket::default()
    };
    let renamed = |failure: Failure| {
        failure.renamed(|field| match field {
            "subcategory" => Some("sub_category"),
            "scheduled_for" => Some("scheduled_date"),
            "files" => Some("files[]"),
            _ => None,
        })
    };
    let made = call.desk.tickets().create(call.actor(), new).await;
    let (ticket, files) = made.map_err(Failure::from).map_err(renamed)?;
    let show = Show::new(&call);
    let people = show.people(vec![ticket.requester]).await?;
    Ok(Json(show.ticket(&ticket, files.iter(), &people)))
}

async fn list(call: Call, Query(query): Query<ListQuery>) -> Result<Json<views::TicketPage>, Failure> {
    let (tickets, size) = (call.desk.tickets(), query.size());
    let number = match query.page()? {
        Page::Number(number) => number,
        Page::Last => {
            let counted = tickets.list(call.actor(), query.query(0)).await?;
            let count = counted.total.map_or(0, |total| i64::try_from(total.count).unwrap_or(i64::MAX));
            count.saturating_add(size - 1).div_euclid(size).max(1)
        }
    };
    let listing = tickets.list(call.actor(), query.query((number - 1).saturating_mul(size))).await?;
    let around = around(&call.head, number, size, &listing)?;
    let results = Show::new(&call).tickets(&listing.items).await?;
    Ok(Json(views::TicketPage { count: around.count, next: around.next, previous: around.previous, results }))
}

async fn new(call: Call) -> Result<Json<Vec<views::NewTicket>>, Failure> {
    let tickets = call.desk.tickets().all(call.actor(), TicketQuery::default().status([Status::New])).await?;
    let people = Show::new(&call).people_of(&tickets).await?;
    let shown = tickets.iter().map(|ticket| {
        let (employee_name, employee_department) = requester(ticket, &people);
        views::NewTicket {
            id: ticket.number,
            ticket_number: TICKETS.format(ticket.number),
            subject: ticket.subject.clone(),
            category: ticket.category.clone().unwrap_or_default(),
            sub_category: ticket.subcategory.clone().unwrap_or_default(),
            status: words::status(ticket.state.status()),
            submit_date: time(ticket.created_at),
            employee_name,
            employee_department,
            has_attachment: ticket.attachments > 0,
        }
    });
    Ok(Json(shown.collect()))
}

async fn open(call: Call) -> Result<Json<Vec<views::Ticket>>, Failure> {
    let tickets =
        call.desk.tickets().all(call.actor(), TicketQuery::default().status([Status::Open])).await?;
    Ok(Json(Show::new(&call).tickets(&tickets).await?))
}

async fn mine(call: Call) -> Result<Json<Vec<views::MyTicket>>, Failure> {
    let me = call.actor().person()?;
    let tickets = call.desk.tickets().all(call.actor(), TicketQuery::default().assignee(me)).await?;
    let people = Show::new(&call).people_of(&tickets).await?;
    let shown = tickets.iter().map(|ticket| {
        let (employee_name, employee_department) = requester(ticket, &people);
        views::MyTicket {
            id: ticket.number,
            ticket_number: TICKETS.format(ticket.number),
            subject: ticket.subject.clone(),
            category: ticket.category.clone().unwrap_or_default(),
            priority: ticket.priority.map(words::priority),
            department: ticket.department.clone(),
            status: words::status(ticket.state.status()),
            submit_date: time(ticket.created_at),
            update_date: time(ticket.updated_at),
            employee_name,
            employee_department,
            has_attachment: ticket.attachments > 0,
        }
    });
    Ok(Json(shown.collect()))
}

async fn get(call: Call) -> Result<Json<views::TicketDetail>, Failure> {
    let id = named(&call).await?;
    let view = call.desk.tickets().view(call.actor(), id).await?;
    Ok(Json(Show::new(&call).detail(&view).await?))
}
