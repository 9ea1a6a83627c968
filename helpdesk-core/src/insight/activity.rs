//! What happened lately.

use std::sync::Arc;

use super::Insight;
use crate::actor::{Actor, Who};
use crate::error::Result;
use crate::events::{Event, HistoryQuery};
use crate::identity::{ApiKey, User, permissions};
use crate::service_levels;
use crate::storage::{EntityId as _, Scope, Stored};
use crate::tickets::{Ticket, TicketId};

/// The most that is shown at once.
pub const MAX_ACTIVITY: usize = 100;
/// Among how many of the newest events, of whatever sort, it is looked for.
const LOOKED_AT: i64 = 20_000;
/// How many events are read at a time to find what may be shown.
const AT_A_TIME: usize = 200;
/// How often more are read: the feed is short before it is slow.
const ATTEMPTS: usize = 5;

/// Something that happened to a ticket.
#[derive(Clone, Debug)]
pub struct Activity {
    /// What happened.
    pub event: Event,
    /// Who did it, by name; `None` for the desk itself and for people who are unknown.
    pub who: Option<String>,
    /// The ticket.
    pub ticket: Arc<Stored<Ticket>>,
}

impl Insight {
    /// What happened lately to tickets, newest first: at most `limit`, of what the actor may see. Nothing is told of
    /// tickets that were deleted since.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::Error::Forbidden) without `dashboard.view`.
    pub async fn activity(&self, actor: &Actor, limit: usize) -> Result<Vec<Activity>> {
        actor.needs(&permissions::DASHBOARD_VIEW)?;
        let limit = limit.min(MAX_ACTIVITY);
        let mut activity = Vec::with_capacity(limit);
        let mut after = None;
        // What the clocks of service levels do is in no feed of what people did.
        let of_tickets = HistoryQuery::new(actor.scope()).about::<Ticket>().but(&service_levels::ACTIONS);
        let of_tickets = of_tickets.among_newest(&self.desk, LOOKED_AT).await?;
        for _ in 0..ATTEMPTS {
            let mut query = of_tickets.clone().limit(AT_A_TIME.min(limit * 3));
            if let Some(cursor) = after {
                query = query.after(cursor);
            }
            let mut history = query.page(&self.desk).await?;
            history.events.retain(|event| event.is_visible_to(actor));
            self.tell(actor, history.events, &mut activity).await?;
            after = history.next;
            if after.is_none() || activity.len() >= limit {
                break;
            }
        }
        activity.truncate(limit);
        Ok(activity)
    }

    /// Adds what events tell, with the names of those that are in them.
    async fn tell(&self, actor: &Actor, events: Vec<Event>, activity: &mut Vec<Activity>) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let (store, scope) = (self.desk.store(), actor.scope());
        let subjects = events.iter().map(|event| TicketId::from_uuid(event.subject));
        let people = events.iter().filter_map(|event| match event.detail.actor {
            Who::User(user) => Some(user),
            _ => None,
        });
        let keys = events.iter().filter_map(|event| match event.detail.actor {
            Who::ApiKey(key) => Some(key),
            _ => None,
        });
        let (tickets, people, keys) = tokio::try_join!(
            store.get_map::<Ticket>(scope, subjects),
            store.get_map::<User>(scope, people),
            store.get_map::<ApiKey>(Scope::GLOBAL, keys),
        )?;
        for event in events {
            let Some(ticket) = tickets.get(&event.subject).filter(|ticket| ticket.deleted.is_none()) else {
                continue;
            };
            let who = match event.detail.actor {
                Who::User(user) => people.get(&user.uuid()).map(|user| user.full_name()),
                Who::ApiKey(key) => keys.get(&key.uuid()).map(|key| key.name.clone()),
                Who::Anonymous | Who::System => None,
            };
            activity.push(Activity { event, who, ticket: Arc::clone(ticket) });
        }
        Ok(())
    }
}
