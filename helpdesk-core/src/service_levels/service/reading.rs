//! Reading where tickets stand.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::ServiceLevels;
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::identity::permissions;
use crate::service_levels::TicketLevels;
use crate::service_levels::look;
use crate::storage::Stored;
use crate::tickets::{Ticket, TicketId};

impl ServiceLevels {
    /// Where a ticket stands, as it was last looked at; `None` where nothing was promised of it yet.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `ticket.view_all`: what the desk promises itself is the desk's business.
    pub async fn of_ticket(
        &self,
        actor: &Actor,
        ticket: TicketId,
    ) -> Result<Option<Arc<Stored<TicketLevels>>>> {
        actor.needs(&permissions::TICKET_VIEW_ALL)?;
        Ok(self.desk.store().get::<TicketLevels>(actor.scope(), ticket).await?)
    }

    /// The same for many tickets, in one round trip.
    ///
    /// # Errors
    ///
    /// As [`of_ticket`](Self::of_ticket).
    pub async fn of_tickets(
        &self,
        actor: &Actor,
        tickets: impl IntoIterator<Item = TicketId> + Send,
    ) -> Result<HashMap<Uuid, Arc<Stored<TicketLevels>>>> {
        actor.needs(&permissions::TICKET_VIEW_ALL)?;
        Ok(self.desk.store().get_map::<TicketLevels>(actor.scope(), tickets).await?)
    }

    /// Makes what is known of a ticket anew from the event log, without writing it down: for those who check.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::Forbidden`] without `admin.manage_sla`.
    pub async fn rebuilt(&self, actor: &Actor, ticket: TicketId) -> Result<TicketLevels> {
        actor.needs(&permissions::ADMIN_MANAGE_SLA)?;
        let ticket = self.desk.store().get::<Ticket>(actor.scope(), ticket).await?;
        let ticket = ticket.ok_or(Error::NotFound { what: "ticket" })?;
        look::rebuilt(&self.desk, &ticket).await
    }
}
