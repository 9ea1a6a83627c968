//! Where a ticket stands with what was promised, as a record that lists and figures are made of.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::follow::Happened;
use super::meter::Entry;
use super::metric::{Metric, Target};
use super::policy::PolicyId;
use crate::groups::GroupId;
use crate::identity::UserId;
use crate::storage::{Entity, EntityId as _, FieldSpec, KindSpec, Row};
use crate::tickets::{Priority, TicketId};

/// Where a ticket stands with its service levels. It has the ticket's id, and follows its history.
///
/// All of it can be made again from the event log: it is kept so that lists and figures need not read histories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TicketLevels {
    /// Who asked.
    pub requester: UserId,
    /// Who has the ticket.
    pub assignee: Option<UserId>,
    /// Which group has it.
    pub group: Option<GroupId>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// When the ticket was made.
    pub began: DateTime<Utc>,
    /// Whether the ticket was deleted. One that was counts in no figure.
    pub deleted: bool,
    /// The policy whose promises hold, where one does.
    pub policy: Option<PolicyId>,
    /// Each metric that something was promised of.
    pub standings: Vec<Standing>,
    /// Whether something is late that is still to be done.
    pub overdue: bool,
    /// What came of all that was promised: broken as soon as anything was late, kept once everything was done in time.
    pub outcome: Option<Outcome>,
    /// When that was decided.
    pub settled: Option<DateTime<Utc>>,
    /// What was followed so far.
    pub followed: Followed,
}

/// Where one metric of a ticket stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The metric.
    pub metric: Metric,
    /// What is promised; `None` where no promise holds any longer.
    pub target: Option<Target>,
    /// Whether there is anything left to be done.
    pub active: bool,
    /// Whether its time runs.
    pub running: bool,
    /// When the time is over, if nothing happens; `None` where it stands still.
    pub due: Option<DateTime<Utc>>,
    /// How many seconds are left of the hours that count, while it stands still; below zero where it is late.
    pub left: Option<i64>,
    /// When the time was over, the last time that it was.
    pub breached: Option<DateTime<Utc>>,
    /// When what was promised was done.
    pub fulfilled: Option<DateTime<Utc>>,
    /// What came of it, once that is decided. What was ever late is broken.
    pub outcome: Option<Outcome>,
}

/// Whether a promise was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// What was promised was done in time.
    Kept,
    /// It was late.
    Broken,
}

impl Outcome {
    /// The name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Broken => "broken",
        }
    }

    /// What comes of several promises: broken if one is, kept once all are.
    fn of_all(all: impl IntoIterator<Item = Option<Self>>) -> Option<Self> {
        let mut outcome = None;
        let mut undecided = false;
        for one in all {
            match one {
                Some(Self::Broken) => return one,
                Some(Self::Kept) => outcome = one,
                None => undecided = true,
            }
        }
        outcome.filter(|_| !undecided)
    }
}

/// How far the history of a ticket was followed, so that only what is new is read from the log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Followed {
    /// The ticket's version that was seen last.
    pub version: i64,
    /// By which state of the organisation's rules the promise was looked up.
    pub revision: u32,
    /// What has happened, as far as promises go.
    pub facts: Vec<Happened>,
    /// What came of it and was written down.
    pub told: Vec<Entry>,
    /// For when a timer was set last. One that runs out too early sets the next.
    pub timer: Option<DateTime<Utc>>,
}

impl TicketLevels {
    /// Where a metric stands, if anything was promised of it.
    #[must_use]
    pub fn standing(&self, metric: Metric) -> Option<&Standing> {
        self.standings.iter().find(|standing| standing.metric == metric)
    }

    /// When the time of what is to be done first is over.
    #[must_use]
    pub fn due(&self) -> Option<DateTime<Utc>> {
        let ahead = self.standings.iter().filter(|standing| standing.active && standing.breached.is_none());
        ahead.filter_map(|standing| standing.due).min()
    }

    fn outcome_of(&self, metrics: &[Metric]) -> Option<Outcome> {
        let of = metrics.iter().filter_map(|metric| self.standing(*metric));
        Outcome::of_all(of.map(|standing| standing.outcome))
    }
}

impl Entity for TicketLevels {
    type Id = TicketId;

    const SPEC: &'static KindSpec = &KindSpec::new(
        "service_level",
        &[
            FieldSpec::uuid("assignee"),
            FieldSpec::uuid("group"),
            FieldSpec::uuid("requester").uncounted(),
            FieldSpec::int("priority").counted(),
            FieldSpec::flag("overdue"),
            FieldSpec::text("first_reply").uncounted(),
            FieldSpec::text("next_reply").uncounted(),
            FieldSpec::text("resolution").uncounted(),
            FieldSpec::text("outcome").uncounted(),
            FieldSpec::time("began"),
            FieldSpec::time("settled"),
        ],
    )
    // What figures of a time count by stands in the indexes, so that no record is read for them.
    .indexes(&[&["assignee"], &["overdue"], &["began", "first_reply", "resolution"], &["settled", "outcome"]])
    .of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("assignee", self.assignee.map(|assignee| assignee.uuid()));
        row.set("group", self.group.map(|group| group.uuid()));
        row.set("requester", self.requester.uuid());
        row.set("priority", self.priority.map(Priority::rank));
        row.set("began", self.began);
        // What was deleted counts nowhere, until it is brought back.
        row.set("overdue", self.overdue && !self.deleted);
        if !self.deleted {
            let name = |outcome: Option<Outcome>| outcome.map(Outcome::name);
            row.set("first_reply", name(self.outcome_of(&[Metric::FirstReply])));
            row.set("next_reply", name(self.outcome_of(&[Metric::NextReply])));
            row.set("resolution", name(self.outcome_of(&[Metric::TotalResolution, Metric::RequesterWait])));
            row.set("outcome", name(self.outcome));
            row.set("settled", self.settled);
        }
    }
}
