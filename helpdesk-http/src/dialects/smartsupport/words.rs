//! The document's choices, and what they stand for.

use helpdesk_core::identity::{Permissions, permissions};
use helpdesk_core::tickets::{Priority, Status, StatusSet};

use crate::input::Choices;

/// `Critical` to `Low`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Priorities;

impl Choices for Priorities {
    type Value = Priority;

    const WORDS: &'static [(&'static str, Priority)] = &[
        ("Critical", Priority::Urgent),
        ("High", Priority::High),
        ("Medium", Priority::Normal),
        ("Low", Priority::Low),
    ];
}

/// The word for a priority.
pub(super) fn priority(priority: Priority) -> &'static str {
    word::<Priorities>(priority)
}

/// The statuses that staff may set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settable;

impl Choices for Settable {
    type Value = Status;

    const WORDS: &'static [(&'static str, Status)] = &[
        ("Open", Status::Open),
        ("In Progress", Status::InProgress),
        ("Resolved", Status::Resolved),
        ("Closed", Status::Closed),
        ("On Hold", Status::OnHold),
    ];
}

/// From where staff may set one: what is new must be approved first, and what has ended stays so.
pub(super) const SETTABLE_FROM: StatusSet =
    StatusSet::of(&[Status::Open, Status::InProgress, Status::OnHold, Status::Pending, Status::Resolved]);

/// All statuses of the document. A status that it has no word for goes by the nearest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statuses;

impl Choices for Statuses {
    type Value = StatusSet;

    const WORDS: &'static [(&'static str, StatusSet)] = &[
        ("New", StatusSet::of(&[Status::New])),
        ("Open", StatusSet::of(&[Status::Open])),
        ("In Progress", StatusSet::of(&[Status::InProgress])),
        ("On Hold", StatusSet::of(&[Status::OnHold])),
        ("Pending", StatusSet::of(&[Status::Pending])),
        ("Resolved", StatusSet::of(&[Status::Resolved])),
        ("Rejected", StatusSet::of(&[Status::Rejected, Status::Spam])),
        ("Closed", StatusSet::of(&[Status::Closed, Status::Merged])),
        ("Withdrawn", StatusSet::of(&[Status::Withdrawn])),
    ];
}

/// The word for a status.
pub(super) fn status(status: Status) -> &'static str {
    Statuses::WORDS.iter().find(|(_, set)| set.has(status)).map_or(status.label(), |(word, _)| word)
}

/// The departments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Departments;

impl Choices for Departments {
    type Value = &'static str;

    const WORDS: &'static [(&'static str, &'static str)] = &[
        ("IT Department", "IT Department"),
        ("Asset Department", "Asset Department"),
        ("Budget Department", "Budget Department"),
    ];
}

/// What may follow a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suffixes;

impl Choices for Suffixes {
    type Value = &'static str;

    const WORDS: &'static [(&'static str, &'static str)] = &[
        ("Jr.", "Jr."),
        ("Sr.", "Sr."),
        ("III", "III"),
        ("IV", "IV"),
        ("V", "V"),
        ("VI", "VI"),
        ("VII", "VII"),
        ("VIII", "VIII"),
        ("IX", "IX"),
        ("X", "X"),
    ];
}

/// The document's roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Employee,
    Coordinator,
    Admin,
}

impl Role {
    /// What somebody who may do all this is called here.
    pub(super) fn of(may: &Permissions) -> Self {
        if may.contains(&permissions::ADMIN_MANAGE_USERS) {
            Self::Admin
        } else if may.contains(&permissions::TICKET_APPROVE) {
            Self::Coordinator
        } else {
            Self::Employee
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Employee => "Employee",
            Self::Coordinator => "Ticket Coordinator",
            Self::Admin => "System Admin",
        }
    }

    /// The short name of the help desk's role.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Employee => "customer",
            Self::Coordinator => "coordinator",
            Self::Admin => "admin",
        }
    }

    /// Whether they come in by the door for administrators.
    pub(super) const fn is_staff(self) -> bool {
        !matches!(self, Self::Employee)
    }
}

/// The roles that an administrator may give.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roles;

impl Choices for Roles {
    type Value = Role;

    const WORDS: &'static [(&'static str, Role)] = &[
        ("Employee", Role::Employee),
        ("Ticket Coordinator", Role::Coordinator),
        ("System Admin", Role::Admin),
    ];
}

/// The word of an account's state.
pub(super) fn account_state(name: &str) -> &'static str {
    match name {
        // The document knows nothing of addresses that are to be confirmed.
        "pending" | "unconfirmed" => "Pending",
        "approved" => "Approved",
        // The document has no word for an account that was switched off.
        _ => "Rejected",
    }
}

fn word<C: Choices>(value: C::Value) -> &'static str {
    C::WORDS.iter().find(|(_, other)| *other == value).map_or("", |(word, _)| word)
}
