//! What is done to tickets.

use std::sync::LazyLock;

use helpdesk_core::identity::permissions;
use helpdesk_core::tickets::{Act, Comment, Done, Status, Workflow};

use super::tickets::named;
use super::views;
use super::words::{self, Departments, Priorities, SETTABLE_FROM, Settable};
use crate::input;
use crate::input::{Choice, Line, Text};
use crate::kernel::{Auth, Body, Call, Failure, Json, Operation};

/// The longest comment, in characters.
const COMMENT: usize = 10_000;

input! {
    /// How a ticket is let in.
    struct Approve {
        /// How urgent it is.
        priority: Choice<Priorities>,
        /// Who deals with it.
        department: Choice<Departments>,
        /// What the approver has to say; for staff alone.
        approval_notes: Option<Text<COMMENT>>,
    }

    /// Why a ticket is refused.
    struct Reject {
        /// The reason.
        rejection_reason: Line<COMMENT>,
    }

    /// Where a ticket stands now.
    struct SetStatus {
        /// The status.
        status: Choice<Settable>,
        /// A comment that the employee may read.
        comment: Option<Text<COMMENT>>,
    }

    /// A last word.
    struct LastWord {
        /// A comment.
        comment: Option<Text<COMMENT>>,
    }
}

/// The help desk's table of moves, with what this document has beside it: what is resolved may be put on hold.
static WORKFLOW: LazyLock<Workflow> =
    LazyLock::new(|| Workflow::default().allow(Status::Resolved, Status::OnHold));

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::post("tickets.approve", "/api/tickets/{ticket_id}/approve/", approve)
            .needs(permissions::TICKET_APPROVE)
            .says(
                "Approves a new ticket",
                "It becomes Open, with a priority and a department. The employee gets a mail.",
            ),
        Operation::post("tickets.reject", "/api/tickets/{ticket_id}/reject/", reject)
            .needs(permissions::TICKET_REJECT)
            .says("Rejects a new ticket", "The employee gets a mail with the reason."),
        Operation::post("tickets.claim", "/api/tickets/{ticket_id}/claim/", claim)
            .needs(permissions::TICKET_CLAIM)
            .says(
                "Claims an open ticket",
                "It is the caller's, and In Progress. The first to claim it has it.",
            ),
        Operation::post("tickets.update_status", "/api/tickets/{ticket_id}/update-status/", update_status)
            .needs(permissions::TICKET_SET_STATUS)
            .says(
                "Sets a ticket's status",
                "Leaves a comment that the employee may read. The employee gets a mail.",
            ),
        Operation::post("tickets.withdraw", "/api/tickets/{ticket_id}/withdraw/", withdraw)
            .auth(Auth::Bearer)
            .says("Takes one's own ticket back", "Unless it is resolved or has ended."),
        Operation::post("tickets.close", "/api/tickets/{ticket_id}/close/", close)
            .auth(Auth::Bearer)
            .says("Closes one's own ticket that is resolved", ""),
        Operation::post("tickets.finalize", "/api/tickets/{ticket_id}/finalize/", finalize)
            .needs(permissions::TICKET_FINALIZE)
            .says("Sends a ticket to the external workflow", "Its status stays."),
    ];
    let area = |operation: Operation| operation.area("Ticket Management").errors(&[400, 401, 403, 404]);
    operations.into_iter().map(area).collect()
}

async fn act(call: &Call, act: Act) -> Result<Done, Failure> {
    let id = named(call).await?;
    Ok(call.desk.tickets().act_by(call.actor(), id, None, act, Some(&WORKFLOW)).await?)
}

/// A comment, where one was written.
fn written(comment: Option<Text<COMMENT>>) -> Option<String> {
    comment.map(|comment| comment.0).filter(|comment| !comment.trim().is_empty())
}

async fn approve(call: Call, Body(body): Body<Approve>) -> Result<Json<views::Approved>, Failure> {
    let told = "Ticket approved and set to Open";
    let comment = match written(body.approval_notes) {
        Some(notes) => Comment::internal(format!("{told}: {notes}")),
        None => Comment::internal(told).automatic(),
    };
    let approve = Act::Approve {
        priority: body.priority.0,
        department: Some(body.department.0.to_owned()),
        comment: Some(comment),
    };
    let ticket = act(&call, approve).await?.ticket;
    Ok(Json(views::Approved {
        message: "Ticket approved successfully",
        ticket_id: ticket.number,
        status: words::status(ticket.state.status()),
        priority: ticket.priority.map(words::priority),
        department: ticket.department.clone(),
    }))
}

async fn reject(call: Call, Body(body): Body<Reject>) -> Result<Json<views::Rejected>, Failure> {
    let reason = body.rejection_reason.0;
    let me = call.desk.identity().profile(call.actor()).await?;
    let comment = Some(Comment::internal(format!("Ticket rejected by {}: {reason}", me.full_name())));
    let ticket = act(&call, Act::Reject { reason: reason.clone(), comment }).await?.ticket;
    Ok(Json(views::Rejected {
        message: "Ticket rejected successfully",
        ticket_id: ticket.number,
        status: words::status(ticket.state.status()),
        rejection_reason: reason,
    }))
}

async fn claim(call: Call) -> Result<Json<views::Claimed>, Failure> {
    let me = call.desk.identity().profile(call.actor()).await?;
    let ticket = act(&call, Act::Claim).await?.ticket;
    Ok(Json(views::Claimed {
        message: "Ticket successfully claimed.",
        ticket_id: ticket.number,
        status: words::status(ticket.state.status()),
        assigned_to: me.email.clone(),
    }))
}

async fn update_status(call: Call, Body(body): Body<SetStatus>) -> Result<Json<views::StatusSet>, Failure> {
    let comment = match written(body.comment) {
        Some(comment) => Comment::public(comment),
        None => {
            let me = call.desk.identity().profile(call.actor()).await?;
            Comment::public(format!("Status changed from {{from}} to {{to}} by {}", me.full_name()))
                .automatic()
        }
    };
    let set = Act::Move { to: body.status.0, from: Some(SETTABLE_FROM), comment: Some(comment) };
    let Done { before, ticket, .. } = act(&call, set).await?;
    Ok(Json(views::StatusSet {
        message: "Ticket status updated successfully",
        ticket_id: ticket.number,
        old_status: words::status(before),
        new_status: words::status(ticket.state.status()),
    }))
}

async fn withdraw(call: Call, Body(body): Body<LastWord>) -> Result<Json<views::Ended>, Failure> {
    let ticket =
        act(&call, Act::Withdraw { comment: written(body.comment).map(Comment::public) }).await?.ticket;
    let status = words::status(ticket.state.status());
    Ok(Json(views::Ended { message: "Ticket withdrawn successfully.", status }))
}

async fn close(call: Call, Body(body): Body<LastWord>) -> Result<Json<views::Ended>, Failure> {
    let ticket = act(&call, Act::Close { comment: written(body.comment).map(Comment::public) }).await?.ticket;
    let status = words::status(ticket.state.status());
    Ok(Json(views::Ended { message: "Ticket closed successfully.", status }))
}

async fn finalize(call: Call) -> Result<Json<views::Detail>, Failure> {
    act(&call, Act::HandOver).await?;
    Ok(Json(views::Detail { detail: "Ticket finalized and sent to workflow." }))
}
