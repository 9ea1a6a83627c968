//! What happened to tickets, in the document's words.

use helpdesk_core::events::{Event, FieldChange};
use helpdesk_core::identity::permissions;
use helpdesk_core::storage::EntityId as _;
use helpdesk_core::tickets::{Priority, Status, TicketKind};
use helpdesk_core::{Actor, Who};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::super::show::time;
use super::super::words;
use super::{SuccessList, WholeQuery, array, named};
use crate::kernel::{Call, Failure, Json, Query};

/// Something that happened to a ticket.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Entry {
    id: String,
    ticket_id: String,
    /// Who did it; `system` for the help desk itself.
    user_id: String,
    user: Name,
    /// What was done: `created`, `updated`, `status_changed`, `priority_changed`, `assigned`, `comment_added`, and so on.
    action: String,
    /// What it was before, `from`, and what it became, `to`, by the name of the field. Texts are named and not told.
    #[schema(value_type = Object)]
    changes: Map<String, Value>,
    created_at: String,
}

/// What somebody is called.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Name {
    name: String,
}

pub(super) async fn list(
    call: Call,
    Query(query): Query<WholeQuery>,
) -> Result<Json<SuccessList<Entry>>, Failure> {
    let (actor, page) = (call.actor(), query.page());
    let history = call.desk.tickets().timeline(actor, named(&call)?, page.size(), page.from()).await?;
    let users = history.events.iter().filter_map(|event| match event.detail.actor {
        Who::User(user) => Some(user),
        _ => None,
    });
    let people = call.desk.identity().people(actor, users.collect()).await?;
    let entries = history.events.iter().map(|event| {
        let user = match event.detail.actor {
            Who::User(user) => Some(user),
            _ => None,
        };
        let name = user.and_then(|user| people.get(&user.uuid())).map(|user| user.full_name());
        Entry {
            id: event.id.to_string(),
            ticket_id: event.subject.to_string(),
            user_id: user.map_or_else(|| "system".to_owned(), |user| user.to_string()),
            user: Name { name: name.unwrap_or_else(|| "Help Desk".to_owned()) },
            action: action(event),
            changes: event.detail.changes.iter().map(|change| told(change, actor)).collect(),
            created_at: time(event.at),
        }
    });
    Ok(array(entries.collect(), page.pagination(history.total.unwrap_or_default())))
}

/// What was done, in a word.
fn action(event: &Event) -> String {
    let name = event.action.strip_prefix("ticket.").unwrap_or(&event.action);
    let only_priority = matches!(&*event.detail.changes, [change] if change.field == "priority");
    let word = match name {
        "edited" if only_priority => "priority_changed",
        "edited" => "updated",
        "replied" => "comment_added",
        "noted" => "note_added",
        other => other,
    };
    word.to_owned()
}

/// A field before and after, under the name and in the words that clients know.
fn told(change: &FieldChange, to: &Actor) -> (String, Value) {
    let of_the_desk = to.has(&permissions::TICKET_ACCESS_INTERNAL);
    let name = match &*change.field {
        "assignee" => "assignee_id".to_owned(),
        "group" => "group_id".to_owned(),
        "kind" => "type".to_owned(),
        field => match field.strip_prefix("fields.") {
            Some(key) => format!("custom_fields.{key}"),
            None => field.to_owned(),
        },
    };
    let word = |value: &Value| match &*change.field {
        "status" => serde_json::from_value(value.clone())
            .map_or_else(|_| value.clone(), |status: Status| json!(words::status(status, of_the_desk))),
        "priority" => serde_json::from_value(value.clone())
            .map_or_else(|_| value.clone(), |priority: Priority| json!(words::priority(Some(priority)))),
        "kind" => serde_json::from_value(value.clone())
            .map_or_else(|_| value.clone(), |kind: TicketKind| json!(words::kind(Some(kind)))),
        _ => value.clone(),
    };
    (name, json!({ "from": word(&change.from), "to": word(&change.to) }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use helpdesk_core::Via;
    use helpdesk_core::identity::OrganisationId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn changes_are_told_in_the_documents_words() {
        let organisation = OrganisationId::from_uuid(Uuid::from_u128(1));
        let desk = Actor::system(organisation);
        let outside = Actor::anonymous(organisation, Arc::new(Via::SYSTEM));
        let change =
            |field: &'static str, from: Value, to: Value| FieldChange { field: field.into(), from, to };
        let held = change("status", json!("in_progress"), json!("on_hold"));
        assert_eq!(told(&held, &desk), ("status".into(), json!({"from": "open", "to": "hold"})));
        assert_eq!(told(&held, &outside), ("status".into(), json!({"from": "open", "to": "open"})));
        let given = change("assignee", Value::Null, json!("x"));
        assert_eq!(told(&given, &desk), ("assignee_id".into(), json!({"from": null, "to": "x"})));
        let own = change("fields.colour", Value::Null, Value::Null);
        assert_eq!(told(&own, &desk).0, "custom_fields.colour");
    }
}
