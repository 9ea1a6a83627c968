//! What came in, and what became of it.

use std::collections::BTreeMap;

use chrono::Duration;

use crate::actor::Actor;
use crate::error::Result;
use crate::insight::Insight;
use crate::insight::agent_figures::solved_in;
use crate::insight::counting::{count, spread};
use crate::insight::period::{Period, Stretch, Timeframe};
use crate::storage::{Entity as _, Filter, Group, Tally};
use crate::tickets::{Priority, Status, Ticket};

/// What came in over a time, and what became of it.
#[derive(Clone, Debug)]
pub struct TicketReport {
    /// The time.
    pub period: Period,
    /// How many tickets were made in it.
    pub total: u64,
    /// Where those stand now. What none of them has is left out.
    pub by_status: BTreeMap<Status, u64>,
    /// How urgent those are; `None` where nobody said.
    pub by_priority: BTreeMap<Option<Priority>, u64>,
    /// Each stretch of the time.
    pub trend: Vec<TicketsOf>,
}

/// The tickets of a stretch of time.
#[derive(Clone, Debug)]
pub struct TicketsOf {
    /// The stretch.
    pub stretch: Stretch,
    /// How many were made in it.
    pub created: u64,
    /// How many were solved in it and still are.
    pub resolved: u64,
}

impl Insight {
    /// What came in over a time, and what became of it.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::Error::Forbidden) without `reporting.view_all`; [`Invalid`](crate::Error::Invalid) for a
    /// time that ends before it begins, or is too long.
    pub async fn ticket_report(&self, actor: &Actor, timeframe: &Timeframe) -> Result<TicketReport> {
        let period = self.period(actor, timeframe).await?;
        let tickets = Tally::new(Ticket::SPEC, actor.scope()).filter(Filter::equals("deleted", false));
        // Nothing has last changed before it was made, and by the time of that change stores find it. Clocks of servers
        // may differ by a little, so a day more is looked through.
        let changed = Filter::at_least("updated_at", period.start - Duration::days(1));
        let made = Filter::at_least("created_at", period.start)
            .and(Filter::less_than("created_at", period.end))
            .and(changed);
        let made = tickets.clone().filter(made);
        let by = |field| Group::Period(field, period.step.unit(), period.zone);
        let standing = made.clone().by(Group::Field("status")).by(Group::Field("priority"));
        let created = made.by(by("created_at"));
        let resolved = tickets.filter(solved_in(Some(period.range()))).by(by("solved_at"));
        let store = self.desk.store();
        let (standing, created, resolved) =
            tokio::try_join!(store.tally(&standing), store.tally(&created), store.tally(&resolved))?;

        let (mut by_status, mut by_priority, mut total) = (BTreeMap::new(), BTreeMap::new(), 0);
        for row in &standing {
            let [status, priority] = &row.keys[..] else { continue };
            let many = count(row);
            total += many;
            let is = |status: &Status| Some(status.name());
            if let Some(status) = Status::ALL.into_iter().find(|one| is(one) == status.as_text()) {
                *by_status.entry(status).or_default() += many;
            }
            let rank = priority.as_int();
            let priority = Priority::ALL.into_iter().find(|priority| Some(priority.rank()) == rank);
            *by_priority.entry(priority).or_default() += many;
        }
        let stretches = period.stretches();
        let add = |sum: &mut u64, row: &_| *sum += count(row);
        let created = spread(&stretches, &created, add);
        let resolved = spread(&stretches, &resolved, add);
        let trend = stretches.into_iter().zip(created).zip(resolved);
        let trend = trend.map(|((stretch, created), resolved)| TicketsOf { stretch, created, resolved });
        Ok(TicketReport { period, total, by_status, by_priority, trend: trend.collect() })
    }
}

impl TicketReport {
    /// How many of the tickets have one of the statuses.
    #[must_use]
    pub fn with_status(&self, statuses: &[Status]) -> u64 {
        statuses.iter().filter_map(|status| self.by_status.get(status)).sum()
    }
}
