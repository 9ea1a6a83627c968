//! The dashboard: how things stand at present.

use super::Insight;
use super::counting::{count, share};
use super::period::{Period, midnight};
use crate::actor::Actor;
use crate::error::Result;
use crate::identity::permissions;
use crate::service_levels::{Outcome, TicketLevels};
use crate::storage::{Entity as _, EntityId as _, Figures, Filter, Group, Tally, Value};
use crate::tickets::{Status, Ticket};

/// Over how many days it is told how well promises were kept.
const STATUS_DAYS: u64 = 30;
/// From which rating on somebody counts as satisfied.
const SATISFIED: i64 = 4;

/// How many tickets there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DashboardStats {
    /// Those that are not solved, and do not wait for the requester.
    pub open: u64,
    /// Those that wait for the requester.
    pub pending: u64,
    /// Those for which something that was promised is late and still to be done.
    pub overdue: u64,
    /// Those that were solved today and still are, by the clocks of the organisation.
    pub resolved_today: u64,
    /// All, whatever became of them.
    pub total: u64,
}

/// How well something is done, and how well it is to be done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attainment {
    /// How much of it was done well, from 0 to 1. `None` where there was nothing to do.
    pub value: Option<f64>,
    /// How much is to be, in percent.
    pub target: u8,
}

/// How well promises were kept in the last thirty days, today included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceStatus {
    /// Of the first replies to tickets that were made in that time, those that came in time.
    pub first_response: Attainment,
    /// Of the solutions of such tickets, those that came in time.
    pub resolution: Attainment,
    /// Of the ratings of tickets that were solved in that time, those of people who were satisfied: 4 or 5.
    pub satisfaction: Attainment,
}

impl Insight {
    /// How many tickets there are, of those that the actor may see.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::Error::Forbidden) without `dashboard.view`.
    pub async fn stats(&self, actor: &Actor) -> Result<DashboardStats> {
        actor.needs(&permissions::DASHBOARD_VIEW)?;
        let now = self.desk.now();
        let zone = self.settings(actor).await?.time_zone;
        let today = midnight(now.with_timezone(&zone).date_naive(), zone);
        let scope = actor.scope();
        // Grouped by status and narrowed down by nothing else for those who see all: stores keep these figures.
        let tickets = Tally::new(Ticket::SPEC, scope).filter(self.desk.tickets().visible(actor).await?);
        let standing = tickets.clone().by(Group::Field("status"));
        let solved = tickets.filter(Filter::at_least("solved_at", today));
        let overdue = Filter::equals("overdue", true).and(theirs(actor));
        let overdue = Tally::new(TicketLevels::SPEC, scope).filter(overdue);
        let store = self.desk.store();
        let (standing, solved, overdue) =
            tokio::try_join!(store.tally(&standing), store.tally(&solved), store.tally(&overdue))?;
        let of = |statuses: &[Status]| -> u64 {
            let is_one = |row: &&Figures| {
                let name = row.keys.first().and_then(Value::as_text);
                statuses.iter().any(|status| name == Some(status.name()))
            };
            standing.iter().filter(is_one).map(count).sum()
        };
        Ok(DashboardStats {
            open: of(&[Status::New, Status::Open, Status::InProgress, Status::OnHold]),
            pending: of(&[Status::Pending]),
            overdue: overdue.iter().map(count).sum(),
            resolved_today: solved.iter().map(count).sum(),
            total: standing.iter().map(count).sum(),
        })
    }

    /// How well promises were kept lately, over all tickets of the organisation.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::Error::Forbidden) without `dashboard.view`.
    pub async fn service_status(&self, actor: &Actor) -> Result<ServiceStatus> {
        actor.needs(&permissions::DASHBOARD_VIEW)?;
        let settings = self.settings(actor).await?;
        let since = Period::last_days(STATUS_DAYS, self.desk.now(), settings.time_zone).start;
        let scope = actor.scope();
        let levels = Tally::new(TicketLevels::SPEC, scope)
            .filter(Filter::at_least("began", since))
            .by(Group::Field("first_reply"))
            .by(Group::Field("resolution"));
        let rated = Filter::equals("deleted", false)
            .and(Filter::at_least("solved_at", since))
            .and(Filter::null("rating").not());
        let ratings = Tally::new(Ticket::SPEC, scope).filter(rated).by(Group::Field("rating"));
        let store = self.desk.store();
        let (levels, ratings) = tokio::try_join!(store.tally(&levels), store.tally(&ratings))?;
        let kept = |place: usize| {
            let of = |outcome: Outcome| -> u64 {
                let name = Some(outcome.name());
                let is = |row: &&Figures| row.keys.get(place).and_then(Value::as_text) == name;
                levels.iter().filter(is).map(count).sum()
            };
            share(of(Outcome::Kept), of(Outcome::Kept) + of(Outcome::Broken))
        };
        let is_satisfied =
            |row: &&Figures| row.keys.first().and_then(Value::as_int).is_some_and(|score| score >= SATISFIED);
        let satisfied = ratings.iter().filter(is_satisfied).map(count).sum();
        let goals = settings.goals;
        Ok(ServiceStatus {
            first_response: Attainment { value: kept(0), target: goals.first_response },
            resolution: Attainment { value: kept(1), target: goals.resolution },
            satisfaction: Attainment {
                value: share(satisfied, ratings.iter().map(count).sum()),
                target: goals.satisfaction,
            },
        })
    }
}

/// Where tickets stand with what was promised: of those that the actor may see.
fn theirs(actor: &Actor) -> Filter {
    if actor.has(&permissions::TICKET_VIEW_ALL) {
        return Filter::all();
    }
    match actor.user() {
        Some(user) if actor.has(&permissions::TICKET_VIEW_OWN) => {
            Filter::equals("requester", user.uuid()).or(Filter::equals("assignee", user.uuid()))
        }
        _ => Filter::none(),
    }
}
