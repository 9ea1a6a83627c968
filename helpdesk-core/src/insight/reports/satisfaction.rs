//! How satisfied people were.

use crate::actor::Actor;
use crate::error::Result;
use crate::insight::Insight;
use crate::insight::agent_figures::solved_in;
use crate::insight::counting::{count, spread};
use crate::insight::period::{Period, Stretch, Timeframe};
use crate::storage::{Entity as _, Figures, Filter, Group, Tally, Value};
use crate::tickets::Ticket;

/// How satisfied people were with what was solved over a time.
#[derive(Clone, Debug)]
pub struct SatisfactionReport {
    /// The time.
    pub period: Period,
    /// How many ratings there are of each score, from 1 to 5.
    pub distribution: [u64; 5],
    /// Each stretch of the time.
    pub trend: Vec<RatingsOf>,
}

/// The ratings of what was solved in a stretch of time.
#[derive(Clone, Debug)]
pub struct RatingsOf {
    /// The stretch.
    pub stretch: Stretch,
    /// How many there are of each score, from 1 to 5.
    pub distribution: [u64; 5],
}

impl Insight {
    /// How satisfied people were with what was solved over a time.
    ///
    /// # Errors
    ///
    /// As [`Insight::ticket_report`].
    pub async fn satisfaction_report(
        &self,
        actor: &Actor,
        timeframe: &Timeframe,
    ) -> Result<SatisfactionReport> {
        let period = self.period(actor, timeframe).await?;
        let rated = Filter::equals("deleted", false)
            .and(solved_in(Some(period.range())))
            .and(Filter::null("rating").not());
        let ratings = Tally::new(Ticket::SPEC, actor.scope())
            .filter(rated)
            .by(Group::Period("solved_at", period.step.unit(), period.zone))
            .by(Group::Field("rating"));
        let ratings = self.desk.store().tally(&ratings).await?;
        let stretches = period.stretches();
        let spread = spread(&stretches, &ratings, add);
        let mut distribution = [0; 5];
        for row in &ratings {
            add(&mut distribution, row);
        }
        let trend = stretches.into_iter().zip(spread);
        let trend = trend.map(|(stretch, distribution)| RatingsOf { stretch, distribution }).collect();
        Ok(SatisfactionReport { period, distribution, trend })
    }
}

fn add(distribution: &mut [u64; 5], row: &Figures) {
    let score = row.keys.get(1).and_then(Value::as_int);
    let place = score.and_then(|score| usize::try_from(score - 1).ok());
    if let Some(ratings) = place.and_then(|place| distribution.get_mut(place)) {
        *ratings += count(row);
    }
}

/// The average of a distribution of scores from 1 to 5. `None` of none.
#[expect(clippy::cast_precision_loss, reason = "an average is a float")]
fn average(distribution: &[u64; 5]) -> Option<f64> {
    let total: u64 = distribution.iter().sum();
    let points: u64 = distribution.iter().zip(1..).map(|(ratings, score)| ratings * score).sum();
    (total > 0).then(|| points as f64 / total as f64)
}

impl SatisfactionReport {
    /// How many ratings there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.distribution.iter().sum()
    }

    /// Their average, from 1 to 5. `None` where there are none.
    #[must_use]
    pub fn average(&self) -> Option<f64> {
        average(&self.distribution)
    }
}

impl RatingsOf {
    /// How many ratings there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.distribution.iter().sum()
    }

    /// Their average, from 1 to 5. `None` where there are none.
    #[must_use]
    pub fn average(&self) -> Option<f64> {
        average(&self.distribution)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_are_averaged_by_their_scores() {
        assert_eq!(average(&[0; 5]), None);
        assert_eq!(average(&[1, 0, 0, 0, 3]), Some(4.0));
    }
}
