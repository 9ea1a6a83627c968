//! Insight: search over everything, dashboards and reports.

mod activity;
mod agent_figures;
mod counting;
mod dashboard;
mod export;
mod period;
mod ranking;
mod reports;
mod search;

use std::sync::Arc;

pub use self::activity::{Activity, MAX_ACTIVITY};
pub use self::agent_figures::AgentFigures;
pub use self::dashboard::{Attainment, DashboardStats, ServiceStatus};
pub use self::export::{
    Cell, Chart, Document, ReportFormat, ReportKind, ReportWriter, Shape, Table, WriteError, plain,
};
pub use self::period::{Edge, Period, Step, Stretch, Timeframe};
pub(crate) use self::ranking::ranked;
pub use self::ranking::{Window, score};
pub use self::reports::{
    AgentReport, AgentRow, PromisesOf, RatingsOf, SatisfactionReport, ServiceLevelReport, TicketReport,
    TicketsOf,
};
pub use self::search::{SearchKind, SearchResults};
use crate::actor::Actor;
use crate::error::Result;

use crate::helpdesk::Helpdesk;
use crate::identity::OrganisationSettings;
use crate::jobs::JobHandler;
use crate::storage::KindSpec;

/// The kinds of record of this context.
pub(crate) const KINDS: [&KindSpec; 0] = [];

/// The sorts of work of this context.
pub(crate) fn handlers() -> [Arc<dyn JobHandler>; 0] {
    []
}

/// Search, dashboards and reports. From [`Helpdesk::insight`].
#[derive(Clone, Debug)]
pub struct Insight {
    desk: Helpdesk,
}

impl Insight {
    pub(crate) const fn new(desk: Helpdesk) -> Self {
        Self { desk }
    }

    /// How the actor's organisation runs its help desk.
    async fn settings(&self, actor: &Actor) -> Result<OrganisationSettings> {
        Ok(self.desk.identity().organisation(actor).await?.settings.clone())
    }
}
