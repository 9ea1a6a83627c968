//! Whether promises were kept.

use crate::actor::Actor;
use crate::error::Result;
use crate::insight::Insight;
use crate::insight::counting::{count, share, spread};
use crate::insight::period::{Period, Stretch, Timeframe};
use crate::service_levels::{Outcome, TicketLevels};
use crate::storage::{Entity as _, Figures, Filter, Group, Tally, Value};

/// Whether promises were kept over a time.
#[derive(Clone, Debug)]
pub struct ServiceLevelReport {
    /// The time.
    pub period: Period,
    /// How many tickets kept all that was promised, of those of which that was decided in the time.
    pub compliant: u64,
    /// How many broke something of it.
    pub breached: u64,
    /// Each stretch of the time.
    pub trend: Vec<PromisesOf>,
}

/// What became of promises in a stretch of time.
#[derive(Clone, Debug)]
pub struct PromisesOf {
    /// The stretch.
    pub stretch: Stretch,
    /// How many tickets kept them.
    pub compliant: u64,
    /// How many broke them.
    pub breached: u64,
}

impl Insight {
    /// Whether promises were kept over a time.
    ///
    /// # Errors
    ///
    /// As [`Insight::ticket_report`].
    pub async fn service_level_report(
        &self,
        actor: &Actor,
        timeframe: &Timeframe,
    ) -> Result<ServiceLevelReport> {
        let period = self.period(actor, timeframe).await?;
        let decided = Filter::at_least("settled", period.start).and(Filter::less_than("settled", period.end));
        let outcomes = Tally::new(TicketLevels::SPEC, actor.scope())
            .filter(decided)
            .by(Group::Period("settled", period.step.unit(), period.zone))
            .by(Group::Field("outcome"));
        let outcomes = self.desk.store().tally(&outcomes).await?;
        let stretches = period.stretches();
        let spread = spread(&stretches, &outcomes, add);
        let mut all = (0, 0);
        for row in &outcomes {
            add(&mut all, row);
        }
        let trend = stretches.into_iter().zip(spread);
        let trend = trend
            .map(|(stretch, (compliant, breached))| PromisesOf { stretch, compliant, breached })
            .collect();
        Ok(ServiceLevelReport { period, compliant: all.0, breached: all.1, trend })
    }
}

fn add((kept, broken): &mut (u64, u64), row: &Figures) {
    let outcome = row.keys.get(1).and_then(Value::as_text);
    if outcome == Some(Outcome::Kept.name()) {
        *kept += count(row);
    } else if outcome == Some(Outcome::Broken.name()) {
        *broken += count(row);
    }
}

impl ServiceLevelReport {
    /// How much was kept, from 0 to 1. `None` where nothing was promised.
    #[must_use]
    pub fn compliance(&self) -> Option<f64> {
        share(self.compliant, self.compliant + self.breached)
    }
}

impl PromisesOf {
    /// How much was kept, from 0 to 1. `None` where nothing was promised.
    #[must_use]
    pub fn compliance(&self) -> Option<f64> {
        share(self.compliant, self.compliant + self.breached)
    }
}
