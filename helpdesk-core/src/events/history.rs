//! Histories: queries over the event log.

use crate::error::Result;
use crate::events::model::{EVENT, Event};
use crate::helpdesk::Helpdesk;
use crate::storage::{Cursor, Entity, EntityId as _, Filter, From, Query, Scope, TotalMode, Value};

/// A question to the event log of one organisation.
#[derive(Clone, Debug)]
pub struct HistoryQuery {
    filter: Filter,
    scope: Scope,
    oldest_first: bool,
    from: From,
    limit: usize,
    total: TotalMode,
}

/// A page of events.
#[derive(Clone, Debug)]
pub struct History {
    /// The events.
    pub events: Vec<Event>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
    /// How many there are in all, where it was asked.
    pub total: Option<u64>,
}

impl HistoryQuery {
    /// Everything that happened in a scope, newest first, 100 at a time.
    #[must_use]
    pub const fn new(scope: Scope) -> Self {
        let (from, total) = (From::Start, TotalMode::None);
        Self { filter: Filter::all(), scope, oldest_first: false, from, limit: 100, total }
    }

    /// What happened to one record.
    #[must_use]
    pub fn of<T: Entity>(mut self, id: T::Id) -> Self {
        self.filter = self.filter.and(Filter::equals("subject", id.uuid()));
        self
    }

    /// What happened to records of one kind.
    #[must_use]
    pub fn about<T: Entity>(mut self) -> Self {
        self.filter = self.filter.and(Filter::equals("subject_kind", T::SPEC.name));
        self
    }

    /// What one account did.
    #[must_use]
    pub fn by(mut self, actor: crate::identity::UserId) -> Self {
        self.filter = self.filter.and(Filter::equals("actor", actor.uuid()));
        self
    }

    /// Only among so many events of the scope that came last: what is looked for in vain is not looked for without end.
    ///
    /// # Errors
    ///
    /// As a store's `find`.
    pub async fn among_newest(mut self, desk: &Helpdesk, count: i64) -> Result<Self> {
        let newest = Query::new(&EVENT, self.scope).limit(1).descending("number");
        let newest = desk.store().storage().find(&newest).await?;
        if let Some(newest) = newest.records.first() {
            let first = newest.number.saturating_sub(count).saturating_add(1);
            self.filter = self.filter.and(Filter::at_least("number", first));
        }
        Ok(self)
    }

    /// Only one sort of act.
    #[must_use]
    pub fn action(mut self, action: &str) -> Self {
        self.filter = self.filter.and(Filter::equals("action", action));
        self
    }

    /// Nothing of these sorts.
    #[must_use]
    pub fn but(mut self, actions: &[&str]) -> Self {
        let actions = actions.iter().map(|action| Value::text(action));
        self.filter = self.filter.and(Filter::one_of("action", actions).not());
        self
    }

    /// Oldest first.
    #[must_use]
    pub const fn oldest_first(mut self) -> Self {
        self.oldest_first = true;
        self
    }

    /// At most so many at a time.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// From where a page before ended.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.from = From::After(cursor);
        self
    }

    /// From a place on.
    #[must_use]
    pub fn from(mut self, from: From) -> Self {
        self.from = from;
        self
    }

    /// With the number of all.
    #[must_use]
    pub const fn counted(mut self) -> Self {
        self.total = TotalMode::Exact;
        self
    }

    /// The page. Sees every commit that was answered before, the caller's own included.
    ///
    /// # Errors
    ///
    /// As a store's `find`.
    pub async fn page(self, desk: &Helpdesk) -> Result<History> {
        let query = Query::new(&EVENT, self.scope)
            .filter(self.filter)
            .limit(self.limit)
            .from(self.from)
            .total(self.total);
        let query = if self.oldest_first { query.ascending("number") } else { query.descending("number") };
        let page = desk.store().storage().find(&query).await?;
        let events = page.records.iter().map(|record| Event::read(record, None)).collect::<Result<_, _>>()?;
        Ok(History { events, next: page.next, total: page.total.map(|total| total.count) })
    }
}
