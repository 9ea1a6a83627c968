//! What clients send for tickets.

use std::collections::BTreeMap;

use helpdesk_core::Error;
use helpdesk_core::identity::permissions;
use helpdesk_core::storage::EntityId;
use helpdesk_core::tickets::{Act, Edit, Status, TicketOrder, TicketQuery};
use serde_json::Value;
use uuid::Uuid;

use super::super::files::Reference;
use super::super::words::{self, Kinds, Priorities, StatusFilter, Statuses};
use crate::input;
use crate::input::{Change, Choice, Choices, Int, Line, Object, Text};
use crate::kernel::{Call, Failure};

/// The longest description, in characters.
const DESCRIPTION: usize = 100_000;

input! {
    /// Which tickets, and which page of them.
    pub(super) struct ListQuery {
        /// The number of the page, from 1.
        pub(super) page: Option<Int<1, 1_000_000>>,
        /// How many to a page: 20, at most 100.
        pub(super) limit: Option<Int<1, 100>>,
        /// Only those of a status.
        status: Option<Choice<StatusFilter>>,
        /// Only those of a priority.
        priority: Option<Choice<Priorities>>,
        /// Only those that somebody has.
        assignee_id: Option<Uuid>,
        /// Only those that a group has.
        group_id: Option<Uuid>,
        /// Words in subject and description, or a ticket's number.
        search: Option<Text<500>>,
        /// What they are ordered by: `created_at`, unless said otherwise.
        sort: Option<Choice<Sorts>>,
        /// `desc`, the largest first, unless said otherwise.
        order: Option<Choice<Orders>>,
    }

    /// A request.
    pub(super) struct Create {
        /// What it is about, in a line.
        pub(super) subject: Line<500>,
        /// What it is about.
        pub(super) description: Line<DESCRIPTION>,
        /// How urgent it is.
        pub(super) priority: Choice<Priorities>,
        /// What sort of request it is.
        pub(super) kind["type"]: Choice<Kinds>,
        /// Who should have it.
        pub(super) assignee_id: Option<Uuid>,
        /// Which group should have it.
        pub(super) group_id: Option<Uuid>,
        /// Words it is marked with.
        pub(super) tags: Vec<Line<100>>,
        /// The organisation's own fields.
        pub(super) custom_fields: Vec<Object<FieldValue>>,
        /// Files that were uploaded before; at most 20.
        pub(super) attachments: Vec<Object<Reference>>,
    }

    /// What is to be changed of a ticket.
    pub(super) struct Update {
        /// What it is about, in a line.
        subject: Option<Line<500>>,
        /// What it is about.
        description: Option<Line<DESCRIPTION>>,
        /// Where it stands.
        status: Option<Choice<Statuses>>,
        /// How urgent it is.
        priority: Option<Choice<Priorities>>,
        /// What sort of request it is.
        kind["type"]: Option<Choice<Kinds>>,
        /// Who has it, or `null` for nobody.
        assignee_id: Change<Uuid>,
        /// Which group has it, or `null` for none.
        group_id: Change<Uuid>,
        /// Words it is marked with.
        tags: Option<Vec<Line<100>>>,
        /// The organisation's own fields: those that are named change.
        custom_fields: Vec<Object<FieldValue>>,
    }

    /// What is to be changed of several tickets.
    pub(in super::super) struct Updates {
        /// Where they stand.
        status: Option<Choice<Statuses>>,
        /// How urgent they are.
        priority: Option<Choice<Priorities>>,
        /// Who has them, or `null` for nobody.
        assignee_id: Change<Uuid>,
        /// Which group has them, or `null` for none.
        group_id: Change<Uuid>,
    }

    /// Where a ticket stands.
    pub(super) struct SetStatus {
        /// The status.
        pub(super) status: Choice<Statuses>,
    }

    /// How urgent a ticket is.
    pub(super) struct SetPriority {
        /// The priority.
        pub(super) priority: Choice<Priorities>,
    }

    /// Who has a ticket.
    pub(super) struct Assign {
        /// Who, or `null` for nobody.
        pub(super) assignee_id: Change<Uuid>,
        /// Which group, or `null` for none.
        pub(super) group_id: Change<Uuid>,
    }

    /// What one of the organisation's own fields holds.
    pub(super) struct FieldValue {
        /// The field.
        id: Line<100>,
        /// The value, or `null` for none.
        value: Value,
    }
}

/// What tickets can be ordered by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sorts;

impl Choices for Sorts {
    type Value = TicketOrder;

    const WORDS: &'static [(&'static str, TicketOrder)] = &[
        ("created_at", TicketOrder::Created),
        ("updated_at", TicketOrder::Updated),
        ("priority", TicketOrder::Priority),
        ("status", TicketOrder::Status),
        ("subject", TicketOrder::Subject),
    ];
}

/// Which way round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Orders;

impl Choices for Orders {
    type Value = bool;

    const WORDS: &'static [(&'static str, bool)] = &[("asc", false), ("desc", true)];
}

impl ListQuery {
    pub(super) fn into_query(self, call: &Call) -> TicketQuery {
        let order = self.sort.map_or(TicketOrder::Created, |sort| sort.0);
        let mut query = TicketQuery::default().order(order, self.order.is_none_or(|order| order.0));
        if let Some(status) = self.status {
            let of_the_desk = call.actor().has(&permissions::TICKET_ACCESS_INTERNAL);
            query = query.status(words::statuses(status.0, of_the_desk).iter());
        }
        if let Some(priority) = self.priority {
            query = query.shown_priority(priority.0);
        }
        if let Some(assignee) = id(self.assignee_id) {
            query = query.assignee(assignee);
        }
        if let Some(group) = id(self.group_id) {
            query = query.group(group);
        }
        if let Some(typed) = self.search {
            query = query.search(&typed, call.actor().via().tickets.parse(typed.trim()));
        }
        query
    }
}

impl Update {
    /// What is to be done, in the order in which it is decided: what is moved to an end is changed before that, what is
    /// taken up or opened again is changed after.
    pub(super) fn acts(self) -> Vec<Act> {
        let edit = Edit {
            subject: self.subject.map(|subject| subject.0),
            description: self.description.map(|description| description.0),
            priority: self.priority.map(|priority| Some(priority.0)),
            kind: self.kind.map(|kind| Some(kind.0)),
            tags: self.tags.map(|tags| tags.into_iter().map(|tag| tag.0).collect()),
            fields: fields(self.custom_fields),
            ..Edit::default()
        };
        acts(self.status, route(self.assignee_id, self.group_id), edit)
    }
}

impl Updates {
    /// The same for several tickets.
    pub(in super::super) fn acts(self) -> Vec<Act> {
        let edit = Edit { priority: self.priority.map(|priority| Some(priority.0)), ..Edit::default() };
        acts(self.status, route(self.assignee_id, self.group_id), edit)
    }
}

fn acts(status: Option<Choice<Statuses>>, route: Option<Act>, edit: Edit) -> Vec<Act> {
    let ends = status.is_some_and(|status| matches!(status.0, Status::Resolved | Status::Closed));
    let moved = || status.map(|status| Act::Move { to: status.0, from: None, comment: None });
    let first = moved().filter(|_| !ends);
    let last = moved().filter(|_| ends);
    let edit = (!edit.is_empty()).then_some(Act::Edit(edit));
    first.into_iter().chain(route).chain(edit).chain(last).collect()
}

/// An assignment, where one was sent.
pub(super) fn route(assignee: Change<Uuid>, group: Change<Uuid>) -> Option<Act> {
    let (assignee, group) = (assignee.0.map(id), group.0.map(id));
    (assignee.is_some() || group.is_some()).then_some(Act::Route { assignee, group })
}

/// An id of a body or query as one of a kind.
pub(super) fn id<I: EntityId>(id: Option<Uuid>) -> Option<I> {
    id.map(I::from_uuid)
}

/// The organisation's own fields as the core takes them; of one that is named twice, the last.
pub(super) fn fields(values: Vec<Object<FieldValue>>) -> BTreeMap<String, Value> {
    values.into_iter().map(|Object(field)| (field.id.0, field.value)).collect()
}

/// An error of the core with the fields' names that clients know.
pub(super) fn renamed(error: Error) -> Failure {
    Failure::from(error).renamed(|field| match field {
        "assignee" => Some("assignee_id"),
        "group" => Some("group_id"),
        "fields" => Some("custom_fields"),
        "kind" => Some("type"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::input::{Form, Input};

    fn names(body: Value) -> Vec<String> {
        let Value::Object(body) = body else { panic!("{body} is no object") };
        let update = Update::read(&mut Form::json(body)).expect("a body");
        let name = |act: &Act| match act {
            Act::Move { to, .. } => format!("move to {}", to.name()),
            Act::Route { assignee, group } => {
                format!("route {}{}", u8::from(assignee.is_some()), u8::from(group.is_some()))
            }
            Act::Edit(_) => "edit".to_owned(),
            other => format!("{other:?}"),
        };
        update.acts().iter().map(name).collect()
    }

    #[test]
    fn what_is_sent_is_done_and_nothing_else() {
        assert!(names(json!({})).is_empty());
        assert!(names(json!({"id": "x", "channel": "web", "created_at": "y"})).is_empty());
        assert_eq!(names(json!({"assignee_id": null})), ["route 10"]);
        assert_eq!(names(json!({"tags": []})), ["edit"]);
        assert_eq!(names(json!({"custom_fields": [{"id": "a", "value": null}]})), ["edit"]);
    }

    #[test]
    fn a_ticket_is_opened_before_it_is_changed_and_ended_after() {
        let id = Uuid::from_u128(1);
        let body =
            |status: &str| json!({"status": status, "subject": "s", "assignee_id": id, "group_id": id});
        assert_eq!(names(body("open")), ["move to open", "route 11", "edit"]);
        assert_eq!(names(body("solved")), ["route 11", "edit", "move to resolved"]);
        assert_eq!(names(body("closed")), ["route 11", "edit", "move to closed"]);
    }
}
