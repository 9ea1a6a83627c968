//! What happened to tickets.

use super::{INTERNAL_ACTIONS, Tickets};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::events::{History, HistoryQuery};
use crate::identity::permissions;
use crate::service_levels;
use crate::storage::{Cursor, From};
use crate::tickets::ticket::{Ticket, TicketId};

impl Tickets {
    /// What happened to a ticket, newest first, as far as the actor may see it: the latest hundred events, or those
    /// that come after where another page ended.
    ///
    /// # Errors
    ///
    /// As [`Tickets::get`]; [`Error::Forbidden`] without `ticket.view_history`, unless the ticket is the actor's own.
    pub async fn history(&self, actor: &Actor, id: TicketId, after: Option<Cursor>) -> Result<History> {
        let mut query = self.history_of(actor, id).await?;
        if let Some(cursor) = after {
            query = query.after(cursor);
        }
        query.page(&self.desk).await
    }

    /// The same without what the clocks of service levels did, which is told with the ticket's deadlines; oldest first,
    /// at most so many from a place on, with the number of all.
    ///
    /// # Errors
    ///
    /// As [`Tickets::history`].
    pub async fn timeline(&self, actor: &Actor, id: TicketId, limit: usize, from: From) -> Result<History> {
        let query = self.history_of(actor, id).await?.but(&service_levels::ACTIONS);
        query.oldest_first().limit(limit).from(from).counted().page(&self.desk).await
    }

    /// Whoever may see a ticket may see what happened to it, but for what is the desk's own business.
    async fn history_of(&self, actor: &Actor, id: TicketId) -> Result<HistoryQuery> {
        let ticket = self.load(actor, id).await?;
        if !self.standing(actor, &ticket).await?.own {
            actor.needs(&permissions::TICKET_VIEW_HISTORY)?;
        }
        if ticket.deleted.is_some() {
            return Err(Error::NotFound { what: "ticket" });
        }
        let query = HistoryQuery::new(actor.scope()).of::<Ticket>(id);
        let internal = actor.has(&permissions::TICKET_ACCESS_INTERNAL);
        Ok(if internal { query } else { query.but(&INTERNAL_ACTIONS).but(&service_levels::ACTIONS) })
    }
}
