//! What clients send for tickets.

use std::collections::BTreeMap;

use helpdesk_core::Error;
use helpdesk_core::identity::permissions;
use helpdesk_core::storage::EntityId;
use helpdesk_core::tickets::{Edit, Revision, TicketOrder, TicketQuery};
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
    pub(super) fn into_revision(self) -> Revision {
        let edit = Edit {
            subject: self.subject.map(|subject| subject.0),
            description: self.description.map(|description| description.0),
            priority: self.priority.map(|priority| Some(priority.0)),
            kind: self.kind.map(|kind| Some(kind.0)),
            tags: self.tags.map(|tags| tags.into_iter().map(|tag| tag.0).collect()),
            fields: fields(self.custom_fields),
            ..Edit::default()
        };
        revision(self.status, self.assignee_id, self.group_id, edit)
    }
}

impl Updates {
    pub(in super::super) fn into_revision(self) -> Revision {
        let edit = Edit { priority: self.priority.map(|priority| Some(priority.0)), ..Edit::default() };
        revision(self.status, self.assignee_id, self.group_id, edit)
    }
}

impl Assign {
    pub(super) fn into_revision(self) -> Revision {
        revision(None, self.assignee_id, self.group_id, Edit::default())
    }
}

fn revision(
    status: Option<Choice<Statuses>>,
    assignee: Change<Uuid>,
    group: Change<Uuid>,
    edit: Edit,
) -> Revision {
    let status = status.map(|status| status.0);
    Revision { status, assignee: assignee.0.map(id), group: group.0.map(id), edit, plain: true }
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
pub(in super::super) fn renamed(error: Error) -> Failure {
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

    fn revision(body: Value) -> Revision {
        let Value::Object(body) = body else { panic!("{body} is no object") };
        Update::read(&mut Form::json(body)).expect("a body").into_revision()
    }

    #[test]
    fn what_is_sent_is_wanted_and_nothing_else() {
        assert!(revision(json!({})).is_empty());
        assert!(revision(json!({"id": "x", "channel": "web", "created_at": "y"})).is_empty());
        let unassigned = revision(json!({"assignee_id": null}));
        assert_eq!((unassigned.assignee, unassigned.group), (Some(None), None));
        assert!(revision(json!({"tags": []})).edit.tags.is_some_and(|tags| tags.is_empty()));
        let cleared = revision(json!({"custom_fields": [{"id": "a", "value": null}]}));
        assert_eq!(cleared.edit.fields, [("a".to_owned(), Value::Null)].into());
    }
}
