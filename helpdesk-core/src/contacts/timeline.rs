//! What a contact has to do with the desk: their tickets, and what happened.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::Contacts;
use super::contact::ContactId;
use crate::actor::Actor;
use crate::error::Result;
use crate::events::{EVENT, Event};
use crate::identity::{User, permissions};
use crate::service_levels;
use crate::storage::{EntityId as _, Filter, From, Listing, Query, Stored, TotalMode, Value};
use crate::tickets::{Ticket, TicketOrder, TicketQuery};

/// How many of a contact's tickets a timeline looks at: those that changed last.
const TICKETS: usize = 200;

/// What happened to a contact and their tickets.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// The events, newest first.
    pub events: Vec<Event>,
    /// The tickets that they are about, by id.
    pub tickets: HashMap<Uuid, Arc<Stored<Ticket>>>,
    /// How many events there are in all.
    pub total: u64,
}

impl Contacts {
    /// A page of the tickets that the account of the contact's address asked for, or that the address has a copy of,
    /// as far as the actor may see them; newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`](crate::Error::Forbidden) without `contact.view`;
    /// [`Error::NotFound`](crate::Error::NotFound).
    pub async fn tickets(
        &self,
        actor: &Actor,
        id: ContactId,
        limit: usize,
        from: From,
    ) -> Result<Listing<Ticket>> {
        actor.needs(&permissions::CONTACT_VIEW)?;
        let contact = self.load(actor, id).await?;
        let accounts = self.accounts(actor, &contact.email).await?;
        let requesters = accounts.iter().map(|account| account.id);
        let query = TicketQuery::default().of_address(requesters, &contact.email).page(limit, from);
        self.desk.tickets().list(actor, query).await
    }

    /// A page of what happened to a contact and to the tickets their account asked for, newest first, without what the
    /// clocks of service levels did. It looks at the 200 tickets that changed last; what the actor may not see is
    /// left out.
    ///
    /// # Errors
    ///
    /// As [`Contacts::tickets`].
    pub async fn activity(&self, actor: &Actor, id: ContactId, limit: usize, from: From) -> Result<Timeline> {
        actor.needs(&permissions::CONTACT_VIEW)?;
        let contact = self.load(actor, id).await?;
        let accounts = self.accounts(actor, &contact.email).await?;
        let mut tickets = Vec::new();
        if !accounts.is_empty() {
            let query = TicketQuery::default()
                .requesters(accounts.iter().map(|account| account.id))
                .order(TicketOrder::Updated, true)
                .limit(TICKETS);
            tickets = self.desk.tickets().list(actor, query).await?.items;
        }
        let subjects = tickets.iter().map(|ticket| ticket.id.uuid()).chain([id.uuid()]);
        let clocks = Filter::one_of("action", service_levels::ACTIONS.map(Value::text));
        let query = Query::new(&EVENT, actor.scope())
            .filter(Filter::one_of("subject", subjects.map(Value::Uuid)).and(clocks.not()))
            .descending("number")
            .limit(limit)
            .from(from)
            .total(TotalMode::Exact);
        let page = self.desk.store().storage().find(&query).await?;
        let events = page.records.iter().map(|record| Event::read(record, None));
        let mut events = events.collect::<Result<Vec<_>, _>>()?;
        events.retain(|event| event.is_visible_to(actor));
        let tickets = tickets.into_iter().map(|ticket| (ticket.id.uuid(), ticket)).collect();
        Ok(Timeline { events, tickets, total: page.total.map_or(0, |total| total.count) })
    }

    async fn accounts(&self, actor: &Actor, email: &str) -> Result<Vec<Arc<Stored<User>>>> {
        self.desk.identity().accounts_by_email(actor, [email]).await
    }
}
