//! Where a ticket can stand.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The status of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has taken it up.
    New,
    /// Waits for the desk.
    Open,
    /// Somebody is on it.
    InProgress,
    /// Waits for the requester.
    Pending,
    /// Waits for a third party.
    OnHold,
    /// The desk thinks it is done.
    Resolved,
    /// Done, and frozen.
    Closed,
    /// Refused by the desk.
    Rejected,
    /// Taken back by the requester.
    Withdrawn,
    /// Went into another ticket.
    Merged,
    /// Was no request.
    Spam,
}

/// What a status means for clocks and lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Nobody has taken it up.
    New,
    /// Waits for the desk.
    Open,
    /// Waits for the requester.
    Pending,
    /// Waits for a third party.
    Hold,
    /// The desk thinks it is done.
    Solved,
    /// Frozen, but for tags and privacy acts.
    Closed,
    /// Takes no further change.
    Ended,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::New,
        Self::Open,
        Self::InProgress,
        Self::Pending,
        Self::OnHold,
        Self::Resolved,
        Self::Closed,
        Self::Rejected,
        Self::Withdrawn,
        Self::Merged,
        Self::Spam,
    ];

    /// The name in records and queries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Open => "open",
            Self::InProgress => "in_progress",
            Self::Pending => "pending",
            Self::OnHold => "on_hold",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Merged => "merged",
            Self::Spam => "spam",
        }
    }

    /// The name that people read.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Open => "Open",
            Self::InProgress => "In Progress",
            Self::Pending => "Pending",
            Self::OnHold => "On Hold",
            Self::Resolved => "Resolved",
            Self::Closed => "Closed",
            Self::Rejected => "Rejected",
            Self::Withdrawn => "Withdrawn",
            Self::Merged => "Merged",
            Self::Spam => "Spam",
        }
    }

    /// What the status means.
    #[must_use]
    pub const fn category(self) -> Category {
        match self {
            Self::New => Category::New,
            Self::Open | Self::InProgress => Category::Open,
            Self::Pending => Category::Pending,
            Self::OnHold => Category::Hold,
            Self::Resolved => Category::Solved,
            Self::Closed => Category::Closed,
            Self::Rejected | Self::Withdrawn | Self::Merged | Self::Spam => Category::Ended,
        }
    }

    /// Whether a ticket of it waits for somebody: it is neither solved nor ended otherwise.
    #[must_use]
    pub const fn waits(self) -> bool {
        matches!(self.category(), Category::New | Category::Open | Category::Pending | Category::Hold)
    }

    /// What those who ask see of it: that a ticket waits for a third party is the desk's business, and open to them.
    #[must_use]
    pub const fn seen_from_outside(self) -> Self {
        match self {
            Self::OnHold => Self::Open,
            other => other,
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// A set of statuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusSet(u16);

impl StatusSet {
    /// The set of the given ones.
    #[must_use]
    pub const fn of(statuses: &[Status]) -> Self {
        let mut bits = 0;
        let mut place = 0;
        while place < statuses.len() {
            bits |= statuses[place].bit();
            place += 1;
        }
        Self(bits)
    }

    /// Whether it has a status.
    #[must_use]
    pub const fn has(self, status: Status) -> bool {
        self.0 & status.bit() != 0
    }

    /// The set with one more.
    #[must_use]
    pub const fn with(self, status: Status) -> Self {
        Self(self.0 | status.bit())
    }

    /// The set without one.
    #[must_use]
    pub const fn without(self, status: Status) -> Self {
        Self(self.0 & !status.bit())
    }

    /// The statuses in it.
    pub fn iter(self) -> impl Iterator<Item = Status> {
        Status::ALL.into_iter().filter(move |status| self.has(*status))
    }
}
