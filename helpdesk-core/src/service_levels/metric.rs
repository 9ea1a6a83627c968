//! What is measured, and when its time runs.

use chrono::Duration;
use serde::{Deserialize, Serialize};

use crate::tickets::{Category, Status};

/// A stretch of work on a ticket that a desk may promise to finish in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// From the ticket's creation to the first public reply by somebody of the desk.
    FirstReply,
    /// From the oldest reply of the requester that nobody has answered to an answer, or until the ticket is solved.
    /// Further messages of the requester do not start it anew.
    NextReply,
    /// From each public reply of the desk to the next, as long as the ticket is not solved.
    PeriodicUpdate,
    /// As [`PeriodicUpdate`](Self::PeriodicUpdate), but not while the desk waits for the requester.
    PausableUpdate,
    /// The time that the requester waits for the desk.
    RequesterWait,
    /// The time in which the ticket is with the desk.
    AgentWork,
    /// All the time until the ticket is solved.
    TotalResolution,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::FirstReply,
        Self::NextReply,
        Self::PeriodicUpdate,
        Self::PausableUpdate,
        Self::RequesterWait,
        Self::AgentWork,
        Self::TotalResolution,
    ];

    /// Whether its time runs while a ticket is with somebody.
    #[must_use]
    pub const fn runs_in(self, with: With) -> bool {
        match self {
            Self::FirstReply | Self::NextReply | Self::PeriodicUpdate | Self::TotalResolution => {
                !matches!(with, With::Nobody)
            }
            Self::PausableUpdate => matches!(with, With::Desk | With::Others),
            Self::RequesterWait => matches!(with, With::Desk | With::Others),
            Self::AgentWork => matches!(with, With::Desk),
        }
    }

    /// Whether it begins with the ticket.
    #[must_use]
    pub const fn begins_with_ticket(self) -> bool {
        matches!(self, Self::FirstReply) || self.ends_when_solved_and_goes_on()
    }

    /// Whether it ends when the ticket is solved, and goes on where it left off when the ticket is reopened.
    #[must_use]
    pub const fn ends_when_solved_and_goes_on(self) -> bool {
        matches!(self, Self::RequesterWait | Self::AgentWork | Self::TotalResolution)
    }

    /// Whether each public reply of the desk begins it anew.
    #[must_use]
    pub const fn begins_with_replies(self) -> bool {
        matches!(self, Self::PeriodicUpdate | Self::PausableUpdate)
    }
}

/// Who has to do something about a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum With {
    /// The desk: new, open, in progress.
    Desk,
    /// Others whom the desk waits for: on hold.
    Others,
    /// The requester: pending.
    Requester,
    /// Nobody: it is solved.
    Nobody,
}

impl With {
    /// With whom a ticket is that has a status; `None` where it came to an end without being solved: it was refused,
    /// taken back, merged, or no request.
    #[must_use]
    pub const fn of(status: Status) -> Option<Self> {
        match status.category() {
            Category::New | Category::Open => Some(Self::Desk),
            Category::Hold => Some(Self::Others),
            Category::Pending => Some(Self::Requester),
            Category::Solved | Category::Closed => Some(Self::Nobody),
            Category::Ended => None,
        }
    }
}

/// Which hours count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hours {
    /// All.
    Calendar,
    /// Those in which the desk is open.
    Business,
}

/// How long something may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The time, of the hours that count.
    #[serde(rename = "seconds", with = "seconds")]
    pub time: Duration,
    /// Which hours those are.
    pub hours: Hours,
}

/// A length of time as whole seconds.
mod seconds {
    use chrono::Duration;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(time.num_seconds())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let seconds = i64::deserialize(from)?;
        Duration::try_seconds(seconds).ok_or_else(|| D::Error::custom("so many seconds are no time"))
    }
}
