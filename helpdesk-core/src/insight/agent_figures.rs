//! How agents do, for as many of them as are asked for at once.

use std::collections::HashMap;
use std::ops::Range;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::Insight;
use super::counting::{average, count, seconds, share};
use crate::actor::Actor;
use crate::error::Result;
use crate::identity::{UserId, permissions};
use crate::service_levels::{Outcome, TicketLevels};
use crate::storage::{Entity as _, EntityId as _, Figures, Filter, Group, Measure, Scope, Tally, Value};
use crate::tickets::{Status, Ticket};

/// How an agent does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AgentFigures {
    /// How many tickets they have that are not solved yet.
    pub open: u64,
    /// How many of theirs were solved, in the time that was asked for.
    pub resolved: u64,
    /// How many tickets they have or had, whatever became of them.
    pub total: u64,
    /// How satisfied people were with what was solved, from 1 to 5.
    pub rating: Option<f64>,
    /// How long it took from the request to the solution, on average.
    pub resolution: Option<Duration>,
    /// How long it took from the request to the first reply, on average.
    pub first_reply: Option<Duration>,
    /// How much of what was promised was kept, from 0 to 1. `None` where nothing was.
    pub sla_compliance: Option<f64>,
}

impl Insight {
    /// How agents do. Each of them has figures, also where there is nothing to count.
    ///
    /// Averages are over the tickets that were solved in `period`, or over all that are solved.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::Error::Forbidden) without `ticket.view_all`, unless it is the actor's own figures alone.
    pub async fn agent_figures(
        &self,
        actor: &Actor,
        agents: &[UserId],
        period: Option<Range<DateTime<Utc>>>,
    ) -> Result<HashMap<Uuid, AgentFigures>> {
        if agents.iter().any(|agent| Some(*agent) != actor.user()) {
            actor.needs(&permissions::TICKET_VIEW_ALL)?;
        }
        self.figures_of(actor.scope(), agents, period).await
    }

    /// The same, for those who were asked already what they may see.
    pub(super) async fn figures_of(
        &self,
        scope: Scope,
        agents: &[UserId],
        period: Option<Range<DateTime<Utc>>>,
    ) -> Result<HashMap<Uuid, AgentFigures>> {
        let mut figures: HashMap<_, _> =
            agents.iter().map(|agent| (agent.uuid(), AgentFigures::default())).collect();
        if figures.is_empty() {
            return Ok(figures);
        }
        let theirs = Filter::one_of("assignee", figures.keys().copied().map(Value::Uuid));
        let mut promises = theirs.clone().and(Filter::null("outcome").not());
        if let Some(period) = &period {
            let decided = Filter::at_least("settled", period.start);
            promises = promises.and(decided).and(Filter::less_than("settled", period.end));
        }
        let promises = Tally::new(TicketLevels::SPEC, scope)
            .filter(promises)
            .by(Group::Field("assignee"))
            .by(Group::Field("outcome"));
        let tickets = Tally::new(Ticket::SPEC, scope)
            .filter(Filter::equals("deleted", false).and(theirs))
            .by(Group::Field("assignee"));
        // Asked apart, since stores count all that somebody has by one index, and what is open by another.
        let open = tickets.clone().filter(unsolved());
        let total = tickets.clone();
        let solved = tickets
            .filter(solved_in(period))
            .measure(Measure::Count)
            .measure(Measure::Average("rating"))
            .measure(Measure::Average("resolution_seconds"))
            .measure(Measure::Average("first_reply_seconds"));
        let store = self.desk.store();
        let (open, total, solved, promises) = tokio::try_join!(
            store.tally(&open),
            store.tally(&total),
            store.tally(&solved),
            store.tally(&promises),
        )?;
        for row in total {
            let Some(agent) = agent_of(&row).and_then(|id| figures.get_mut(&id)) else { continue };
            agent.total = count(&row);
        }
        for row in open {
            let Some(agent) = agent_of(&row).and_then(|id| figures.get_mut(&id)) else { continue };
            agent.open = count(&row);
        }
        for row in solved {
            let Some(agent) = agent_of(&row).and_then(|id| figures.get_mut(&id)) else { continue };
            agent.resolved = count(&row);
            agent.rating = average(&row, 1);
            agent.resolution = seconds(&row, 2);
            agent.first_reply = seconds(&row, 3);
        }
        let mut outcomes: HashMap<_, (u64, u64)> = HashMap::new();
        for row in promises {
            let Some(agent) = agent_of(&row) else { continue };
            let (kept, all) = outcomes.entry(agent).or_default();
            *all += count(&row);
            if row.keys.get(1).and_then(Value::as_text) == Some(Outcome::Kept.name()) {
                *kept += count(&row);
            }
        }
        for (agent, (kept, all)) in outcomes {
            if let Some(agent) = figures.get_mut(&agent) {
                agent.sla_compliance = share(kept, all);
            }
        }
        Ok(figures)
    }
}

fn agent_of(row: &Figures) -> Option<Uuid> {
    row.keys.first().and_then(Value::as_uuid)
}

/// The tickets that are solved since a time in the period.
pub(super) fn solved_in(period: Option<Range<DateTime<Utc>>>) -> Filter {
    match period {
        Some(period) => {
            Filter::at_least("solved_at", period.start).and(Filter::less_than("solved_at", period.end))
        }
        None => Filter::one_of(
            "status",
            [Status::Resolved, Status::Closed].map(|status| Value::text(status.name())),
        ),
    }
}

/// The tickets that somebody still has to do with.
fn unsolved() -> Filter {
    let unsolved = Status::ALL.into_iter().filter(|status| status.waits());
    Filter::one_of("status", unsolved.map(|status| Value::text(status.name())))
}
