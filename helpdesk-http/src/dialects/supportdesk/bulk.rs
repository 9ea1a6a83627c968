//! Changes to several tickets at once.

use std::collections::HashSet;

use helpdesk_core::identity::permissions;
use helpdesk_core::tickets::{Act, Asked, MAX_BULK, TicketId};
use helpdesk_core::{Error, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Success, told};
use super::errors;
use super::tickets::{Updates, renamed};
use crate::input;
use crate::input::{Object, Text};
use crate::kernel::{Body, Call, Failure, Json, Operation};

input! {
    /// Which tickets to change, and what.
    struct Change {
        /// The tickets; at most 100.
        ticket_ids: Vec<Text<200>>,
        /// What is to be changed of each.
        updates: Object<Updates>,
    }

    /// Which tickets to delete.
    struct Delete {
        /// The tickets; at most 100.
        ticket_ids: Vec<Text<200>>,
    }
}

/// What became of the tickets that were to be changed.
#[derive(Debug, Serialize, ToSchema)]
struct Updated {
    /// How many were changed.
    updated: usize,
    results: Vec<Item>,
}

/// What became of the tickets that were to be deleted.
#[derive(Debug, Serialize, ToSchema)]
struct Deleted {
    /// How many were deleted.
    deleted: usize,
    results: Vec<Item>,
}

/// What became of one ticket.
#[derive(Debug, Serialize, ToSchema)]
struct Item {
    id: String,
    /// Whether all of it was done. Nothing was, where it is false.
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ItemError>,
}

/// Why nothing was done to a ticket.
#[derive(Debug, Serialize, ToSchema)]
struct ItemError {
    /// For programs, as in every failure: `NOT_FOUND`.
    code: &'static str,
    /// For people.
    message: String,
}

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::post("tickets.bulk_update", "/api/tickets/bulk-update", update)
            .needs(permissions::QUEUE_ACCESS_HELPDESK)
            .says(
                "Changes several tickets",
                "Each of them wholly or not at all; `results` says what became of each. A ticket that is named twice is \
                 one.",
            )
            .errors(&[400, 401, 403, 422]),
        Operation::delete("tickets.bulk_delete", "/api/tickets/bulk-delete", delete)
            .needs(permissions::TICKET_DELETE)
            .says("Deletes several tickets", "They are kept, and neither listed nor found any more.")
            .errors(&[400, 401, 403, 422]),
    ];
    operations.into_iter().map(|operation| operation.area("Tickets")).collect()
}

async fn update(call: Call, Body(body): Body<Change>) -> Result<Json<Success<Updated>>, Failure> {
    let revision = body.updates.0.into_revision();
    if revision.is_empty() {
        return Err(Failure::invalid("updates", Problem::Required));
    }
    let (updated, results) = each(&call, body.ticket_ids, revision.into()).await?;
    let said = match updated {
        0 => "No tickets updated",
        some if some < results.len() => "Some tickets updated",
        _ => "Tickets updated",
    };
    Ok(told(Updated { updated, results }, said))
}

async fn delete(call: Call, Body(body): Body<Delete>) -> Result<Json<Success<Deleted>>, Failure> {
    let (deleted, results) = each(&call, body.ticket_ids, vec![Act::Delete].into()).await?;
    let said = match deleted {
        0 => "No tickets deleted",
        some if some < results.len() => "Some tickets deleted",
        _ => "Tickets deleted",
    };
    Ok(told(Deleted { deleted, results }, said))
}

/// Does the same to each ticket. Answers how many it was done to, and what became of each.
async fn each(call: &Call, ids: Vec<Text<200>>, asked: Asked) -> Result<(usize, Vec<Item>), Failure> {
    if ids.is_empty() {
        return Err(Failure::invalid("ticket_ids", Problem::Required));
    }
    if ids.len() > MAX_BULK {
        return Err(Failure::invalid("ticket_ids", Problem::TooMany(MAX_BULK)));
    }
    let mut seen = HashSet::new();
    let (known, strange): (Vec<_>, Vec<_>) = ids
        .into_iter()
        .filter(|id| seen.insert(id.0.clone()))
        .map(|id| id.parse::<TicketId>().map_err(|_| id.0))
        .partition(Result::is_ok);
    let known: Vec<_> = known.into_iter().flatten().collect();
    let items = call.desk.tickets().bulk(call.actor(), &known, asked).await?;
    let mut results: Vec<_> = items
        .into_iter()
        .map(|item| Item {
            id: item.id.to_string(),
            ok: item.outcome.is_ok(),
            error: item.outcome.err().map(failed),
        })
        .collect();
    // What is no id names no ticket, as one that is no ticket's does.
    let nothing = || failed(Error::NotFound { what: "ticket" });
    let strange = strange.into_iter().filter_map(Result::err);
    results.extend(strange.map(|id| Item { id, ok: false, error: Some(nothing()) }));
    Ok((results.iter().filter(|item| item.ok).count(), results))
}

fn failed(error: Error) -> ItemError {
    let (code, message) = errors::code(&renamed(error));
    ItemError { code, message }
}
