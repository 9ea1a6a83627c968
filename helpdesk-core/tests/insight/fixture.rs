//! A desk whose past is known.

use chrono_tz::Tz;
use helpdesk_core::identity::UserId;
use helpdesk_core::insight::{Edge, Timeframe};
use helpdesk_core::service_levels::{Metric, Outcome, TicketLevels};
use helpdesk_core::storage::Scope;
use helpdesk_core::tickets::{Satisfaction, Status, Ticket, TicketId};
use helpdesk_core::{Actor, Clock as _};
use serde_json::json;

use crate::support::World;
use crate::support::tickets::{say, to};

/// A desk with an agent, a manager and somebody who asks.
pub(crate) struct Past {
    pub(crate) world: World,
    pub(crate) ada: Actor,
    pub(crate) agent: Actor,
    pub(crate) manager: Actor,
}

impl Past {
    pub(crate) async fn new(zone: Tz) -> Self {
        let world = World::new().await;
        let ada = world.actor("ada", "customer").await;
        let agent = world.actor("grace", "agent").await;
        let manager = world.actor("mary", "manager").await;
        let past = Self { world, ada, agent, manager };
        past.zone(zone).await;
        past
    }

    /// Has days counted by other clocks.
    pub(crate) async fn zone(&self, zone: Tz) {
        let desk = &self.world.desk;
        let organisation = desk.identity().organisation(&self.world.system()).await.expect("an organisation");
        let mut changed = organisation.value.clone();
        changed.settings.time_zone = zone;
        let mut changes = desk.changes();
        changes.update(&organisation, &changed);
        desk.commit(changes).await.expect("another zone");
    }

    pub(crate) fn at(&self, text: &str) {
        self.world.clock.set(text.parse().expect("an instant"));
    }

    pub(crate) async fn ask(&self, subject: &str) -> TicketId {
        self.world.ticket(&self.ada, subject).await.id
    }

    /// Answers and solves a ticket, as an agent.
    pub(crate) async fn solve(&self, ticket: TicketId) {
        self.world.act(&self.agent, ticket, say("Done")).await;
        self.world.act(&self.agent, ticket, to(Status::Resolved)).await;
    }

    /// Rates a ticket.
    pub(crate) async fn rate(&self, id: TicketId, score: u8) {
        let desk = &self.world.desk;
        let ticket = desk.store().get::<Ticket>(self.scope(), id).await.expect("the store");
        let ticket = ticket.expect("a ticket");
        let mut rated = ticket.value.clone();
        rated.satisfaction = Some(Satisfaction { score, comment: None, at: self.world.clock.now() });
        let mut changes = desk.changes();
        changes.update(&ticket, &rated);
        desk.commit(changes).await.expect("a rating");
    }

    /// Writes down what became of what was promised for a ticket.
    pub(crate) async fn promise(&self, id: TicketId, first_reply: Outcome, outcome: Option<Outcome>) {
        let desk = &self.world.desk;
        let ticket = desk.tickets().get(&self.manager, id).await.expect("a ticket");
        // As the record's body, since most of what is in it is no business of figures.
        let levels: TicketLevels = serde_json::from_value(json!({
            "requester": ticket.requester,
            "assignee": ticket.assignee,
            "priority": ticket.priority,
            "began": ticket.created_at,
            "deleted": false,
            "standings": [{
                "metric": Metric::FirstReply,
                "spent": 0,
                "active": outcome.is_none(),
                "running": outcome.is_none(),
                "outcome": first_reply,
            }],
            "overdue": outcome.is_none(),
            "outcome": outcome,
            "settled": outcome.map(|_| self.world.clock.now()),
            "followed": { "version": 1, "revision": 0, "facts": [], "told": [] },
        }))
        .expect("levels");
        let mut changes = desk.changes();
        changes.insert(self.scope(), id, &levels);
        desk.commit(changes).await.expect("levels");
    }

    pub(crate) fn scope(&self) -> Scope {
        self.manager.scope()
    }

    pub(crate) fn agent_id(&self) -> UserId {
        self.agent.user().expect("a person")
    }
}

/// From one day to another.
pub(crate) fn days(start: &str, end: &str) -> Timeframe {
    let edge = |text: &str| Some(Edge::Day(text.parse().expect("a day")));
    Timeframe { start: edge(start), end: edge(end), ..Timeframe::default() }
}
