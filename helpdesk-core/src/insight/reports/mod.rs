//! Reports: what came in over a time, what became of it, and how well that went.

mod agents;
mod satisfaction;
mod service_levels;
mod tickets;

pub use self::agents::{AgentReport, AgentRow};
pub use self::satisfaction::{RatingsOf, SatisfactionReport};
pub use self::service_levels::{PromisesOf, ServiceLevelReport};
pub use self::tickets::{TicketReport, TicketsOf};
use super::Insight;
use super::period::{Period, Timeframe};
use crate::actor::Actor;
use crate::error::Result;
use crate::identity::permissions;

impl Insight {
    /// Checks that the actor may see reports, and looks up which time is meant.
    async fn period(&self, actor: &Actor, timeframe: &Timeframe) -> Result<Period> {
        actor.needs(&permissions::REPORTING_VIEW_ALL)?;
        let zone = self.settings(actor).await?.time_zone;
        timeframe.period(self.desk.now(), zone)
    }
}
