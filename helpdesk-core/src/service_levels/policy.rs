//! Policies: what is promised of which tickets.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::follow::Targets;
use crate::entity_id;
use crate::groups::GroupId;
use crate::storage::{Entity, FieldSpec, KindSpec, Row};
use crate::tickets::{Priority, Ticket, TicketKind};

entity_id! {
    /// The id of a policy.
    pub PolicyId
}

entity_id! {
    /// The id of a calendar of business hours.
    pub CalendarId
}

/// What an organisation promises of some of its tickets. Policies have an order, and the first that fits a ticket holds
/// (L1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// What it is called.
    pub name: String,
    /// Its place in the order: the lowest comes first.
    pub position: i64,
    /// Which tickets it is for.
    #[serde(default)]
    pub conditions: Conditions,
    /// What is promised for each priority. A ticket that has none is of normal priority.
    pub targets: BTreeMap<Priority, Targets>,
    /// Whether it holds at all.
    pub active: bool,
    /// Values of the embedding team.
    #[serde(default)]
    pub ext: serde_json::Map<String, serde_json::Value>,
}

/// Which tickets a policy is for: all, but for what is said here. A set that is empty says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conditions {
    /// Of one of these priorities.
    pub priorities: BTreeSet<Priority>,
    /// Of one of these sorts.
    pub kinds: Vec<TicketKind>,
    /// With one of these groups.
    pub groups: Vec<GroupId>,
    /// Belonging to one of these.
    pub categories: BTreeSet<String>,
    /// With one of these departments.
    pub departments: BTreeSet<String>,
    /// Marked with any of these words.
    pub tags: BTreeSet<String>,
}

/// What policies ask of a ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// What sort of request it is.
    pub kind: Option<TicketKind>,
    /// Which group has it.
    pub group: Option<GroupId>,
    /// What it belongs to.
    pub category: Option<String>,
    /// Which part of the organisation deals with it.
    pub department: Option<String>,
    /// The words it is marked with.
    pub tags: BTreeSet<String>,
}

impl From<&Ticket> for Traits {
    fn from(ticket: &Ticket) -> Self {
        Self {
            priority: ticket.priority,
            kind: ticket.kind,
            group: ticket.group,
            category: ticket.category.clone(),
            department: ticket.department.clone(),
            tags: ticket.tags.clone(),
        }
    }
}

impl Conditions {
    /// Whether a ticket is among those that are meant.
    #[must_use]
    pub fn fit(&self, of: &Traits) -> bool {
        let Self { priorities, kinds, groups, categories, departments, tags } = self;
        let named = |names: &BTreeSet<String>, name: &Option<String>| {
            names.is_empty() || name.as_ref().is_some_and(|name| names.contains(name))
        };
        (priorities.is_empty() || priorities.contains(&of.priority.unwrap_or(Priority::Normal)))
            && (kinds.is_empty() || of.kind.is_some_and(|kind| kinds.contains(&kind)))
            && (groups.is_empty() || of.group.is_some_and(|group| groups.contains(&group)))
            && named(categories, &of.category)
            && named(departments, &of.department)
            && (tags.is_empty() || !tags.is_disjoint(&of.tags))
    }
}

impl Policy {
    /// What is promised of a ticket that the policy fits.
    #[must_use]
    pub fn promises(&self, of: &Traits) -> Targets {
        self.targets.get(&of.priority.unwrap_or(Priority::Normal)).cloned().unwrap_or_default()
    }
}

impl Entity for Policy {
    type Id = PolicyId;

    const SPEC: &'static KindSpec =
        &KindSpec::new("sla_policy", &[FieldSpec::int("position"), FieldSpec::flag("active")]).of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("position", self.position);
        row.set("active", self.active);
    }
}

/// Business hours with a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BusinessCalendar {
    /// What it is called.
    pub name: String,
    /// When the desk is open.
    pub hours: Calendar,
    /// Values of the embedding team.
    #[serde(default)]
    pub ext: serde_json::Map<String, serde_json::Value>,
}

impl Entity for BusinessCalendar {
    type Id = CalendarId;

    const SPEC: &'static KindSpec = &KindSpec::new("business_calendar", &[]).of::<Self>();

    fn index(&self, _: &mut Row) {}
}
