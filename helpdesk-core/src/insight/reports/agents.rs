//! How agents do.

use std::sync::Arc;

use crate::actor::Actor;
use crate::error::Result;
use crate::identity::{Role, User, of_the_desk};
use crate::insight::Insight;
use crate::insight::agent_figures::AgentFigures;
use crate::insight::period::{Period, Timeframe};
use crate::storage::{EntityId as _, Filter, From, Scope, Stored, TotalMode};

/// How agents did over a time.
#[derive(Clone, Debug)]
pub struct AgentReport {
    /// The time.
    pub period: Period,
    /// The agents of the page, by name.
    pub agents: Vec<AgentRow>,
    /// How many agents there are in all.
    pub total: u64,
}

/// An agent, and how they did.
#[derive(Clone, Debug)]
pub struct AgentRow {
    /// The agent.
    pub agent: Arc<Stored<User>>,
    /// How they did.
    pub figures: AgentFigures,
}

impl Insight {
    /// How agents did over a time: a page of everybody who works in the help desk's queue, by name.
    ///
    /// # Errors
    ///
    /// As [`Insight::ticket_report`].
    pub async fn agent_report(
        &self,
        actor: &Actor,
        timeframe: &Timeframe,
        limit: usize,
        from: From,
    ) -> Result<AgentReport> {
        let period = self.period(actor, timeframe).await?;
        let scope = actor.scope();
        let agents = self.desk.store().select::<User>(scope).filter(self.of_the_desk(scope).await?);
        let page = agents.ascending("name").limit(limit).from(from).total(TotalMode::Exact).page().await?;
        let ids: Vec<_> = page.items.iter().map(|agent| agent.id).collect();
        let mut figures = self.figures_of(scope, &ids, Some(period.range())).await?;
        let row = |agent: Arc<Stored<User>>| {
            let figures = figures.remove(&agent.id.uuid()).unwrap_or_default();
            AgentRow { agent, figures }
        };
        let total = page.total.map_or(0, |total| total.count);
        Ok(AgentReport { period, agents: page.items.into_iter().map(row).collect(), total })
    }

    /// The active accounts of those who work in the help desk's queue.
    async fn of_the_desk(&self, scope: Scope) -> Result<Filter> {
        let roles = self.desk.store().select::<Role>(scope).all().await?;
        Ok(Filter::equals("state", "approved").and(of_the_desk(&roles)))
    }
}
