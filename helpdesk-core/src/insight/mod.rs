//! Insight: search over everything, dashboards and reports.

mod agent_figures;
mod counting;

use std::sync::Arc;

pub use self::agent_figures::AgentFigures;

use crate::helpdesk::Helpdesk;
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
}
