//! Looking at tickets.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::Tickets;
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::groups::{Group, GroupId};
use crate::identity::{UserId, permissions};
use crate::storage::{
    self, Entity as _, EntityId as _, Figures, Filter, From, Listing, Select, Stored, Tally, Term, TotalMode,
    Value,
};
use crate::tickets::message::{Attachment, Message, MessageId, Visibility};
use crate::tickets::status::Status;
use crate::tickets::ticket::{Priority, Ticket, TicketId, TicketKind};

/// Which tickets to list, and how. By default all that the actor may see, newest first.
#[derive(Clone, Debug)]
pub struct TicketQuery {
    filter: Filter,
    order: TicketOrder,
    descending: bool,
    limit: usize,
    from: From,
    total: TotalMode,
}

/// What tickets are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketOrder {
    /// When they were made.
    Created,
    /// When they last changed.
    Updated,
    /// How urgent they are.
    Priority,
    /// Their status, by name.
    Status,
    /// Their subject.
    Subject,
}

impl Default for TicketQuery {
    fn default() -> Self {
        Self {
            filter: Filter::all(),
            order: TicketOrder::Created,
            descending: true,
            limit: 100,
            from: From::Start,
            total: TotalMode::None,
        }
    }
}

impl TicketQuery {
    fn narrow(mut self, filter: Filter) -> Self {
        self.filter = self.filter.and(filter);
        self
    }

    /// Only those in one of the statuses.
    #[must_use]
    pub fn status(self, statuses: impl IntoIterator<Item = Status>) -> Self {
        let names = statuses.into_iter().map(|status| Value::text(status.name()));
        self.narrow(Filter::one_of("status", names))
    }

    /// Only those of a priority.
    #[must_use]
    pub fn priority(self, priority: Priority) -> Self {
        self.narrow(Filter::equals("priority", priority.rank()))
    }

    /// Only those of a priority as a door shows it that has none without: a ticket that has none is normal to it.
    #[must_use]
    pub fn shown_priority(self, priority: Priority) -> Self {
        let own = Filter::equals("priority", priority.rank());
        self.narrow(if priority == Priority::Normal { own.or(Filter::null("priority")) } else { own })
    }

    /// Only those of a category.
    #[must_use]
    pub fn category(self, category: &str) -> Self {
        self.narrow(Filter::equals("category", category))
    }

    /// Only those of a department.
    #[must_use]
    pub fn department(self, department: &str) -> Self {
        self.narrow(Filter::equals("department", department))
    }

    /// Only those that somebody asked for.
    #[must_use]
    pub fn requester(self, requester: UserId) -> Self {
        self.narrow(Filter::equals("requester", requester.uuid()))
    }

    /// Only those that one of these people asked for.
    #[must_use]
    pub fn requesters(self, requesters: impl IntoIterator<Item = UserId>) -> Self {
        let requesters = requesters.into_iter().map(|requester| Value::Uuid(requester.uuid()));
        self.narrow(Filter::one_of("requester", requesters))
    }

    /// Only those that the accounts of an address asked for, or that the address has a copy of.
    #[must_use]
    pub fn of_address(self, accounts: impl IntoIterator<Item = UserId>, address: &str) -> Self {
        let accounts = accounts.into_iter().map(|account| Value::Uuid(account.uuid()));
        self.narrow(Filter::one_of("requester", accounts).or(Filter::equals("cc", address)))
    }

    /// Only those that somebody has.
    #[must_use]
    pub fn assignee(self, assignee: UserId) -> Self {
        self.narrow(Filter::equals("assignee", assignee.uuid()))
    }

    /// Only those that a group has.
    #[must_use]
    pub fn group(self, group: GroupId) -> Self {
        self.narrow(Filter::equals("group", group.uuid()))
    }

    /// Only those that somebody follows.
    #[must_use]
    pub fn follower(self, follower: UserId) -> Self {
        self.narrow(Filter::equals("followers", follower.uuid()))
    }

    /// Only those of one sort.
    #[must_use]
    pub fn kind(self, kind: TicketKind) -> Self {
        self.narrow(Filter::equals("kind", kind.name()))
    }

    /// Only those that are marked with a word.
    #[must_use]
    pub fn tag(self, tag: &str) -> Self {
        self.narrow(Filter::equals("tags", tag))
    }

    /// Only those with the words in their texts, or with one of the numbers.
    #[must_use]
    pub fn search(self, typed: &str, numbers: impl IntoIterator<Item = i64>) -> Self {
        let terms = Term::typing(typed);
        let numbered = Filter::one_of("number", numbers.into_iter().map(Value::Int));
        // A text without any word finds nothing, rather than everything.
        let words = if terms.is_empty() { Filter::none() } else { Filter::words(terms) };
        self.narrow(numbered.or(words))
    }

    /// In another order.
    #[must_use]
    pub const fn order(mut self, order: TicketOrder, descending: bool) -> Self {
        self.order = order;
        self.descending = descending;
        self
    }

    /// At most so many, without the number of all.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// A page: at most so many, from a place on, with the number of all.
    #[must_use]
    pub fn page(mut self, limit: usize, from: From) -> Self {
        self.limit = limit;
        self.from = from;
        self.total = TotalMode::Exact;
        self
    }
}

/// A ticket with what is said on it and the files that hang on it, as far as the actor may see them.
#[derive(Clone, Debug)]
pub struct TicketView {
    /// The ticket.
    pub ticket: Arc<Stored<Ticket>>,
    /// What was said, oldest first.
    pub messages: Vec<Arc<Stored<Message>>>,
    /// The files, oldest first.
    pub attachments: Vec<Arc<Stored<Attachment>>>,
}

impl Tickets {
    /// A page of tickets.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached. What the actor may not see is not there.
    pub async fn list(&self, actor: &Actor, query: TicketQuery) -> Result<Listing<Ticket>> {
        let (limit, from, total) = (query.limit, query.from.clone(), query.total);
        Ok(self.select(actor, query).await?.limit(limit).from(from).total(total).page().await?)
    }

    /// All tickets of a query, for lists without pages.
    ///
    /// # Errors
    ///
    /// As [`Tickets::list`].
    pub async fn all(&self, actor: &Actor, query: TicketQuery) -> Result<Vec<Arc<Stored<Ticket>>>> {
        Ok(self.select(actor, query).await?.all().await?)
    }

    /// How many tickets each of some people has asked for, as far as the actor may see them. Who has asked for none is
    /// left out.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn count_by_requester(
        &self,
        actor: &Actor,
        requesters: impl IntoIterator<Item = UserId>,
    ) -> Result<HashMap<UserId, u64>> {
        let requesters: Vec<_> = requesters.into_iter().map(|user| Value::Uuid(user.uuid())).collect();
        if requesters.is_empty() {
            return Ok(HashMap::new());
        }
        let tally = Tally::new(Ticket::SPEC, actor.scope())
            .filter(self.visible(actor).await?.and(Filter::one_of("requester", requesters)))
            .by(storage::Group::Field("requester"));
        let counted = self.desk.store().tally(&tally).await?;
        let count = |figures: &Figures| {
            let requester = UserId::from_uuid(figures.keys[0].as_uuid()?);
            Some((requester, figures.values[0].as_int()?.unsigned_abs()))
        };
        Ok(counted.iter().filter_map(count).collect())
    }

    /// The tickets of a query, as far as the actor may see them.
    pub(crate) async fn select(&self, actor: &Actor, query: TicketQuery) -> Result<Select<'_, Ticket>> {
        let visible = self.visible(actor).await?;
        let select = self.desk.store().select::<Ticket>(actor.scope()).filter(visible).filter(query.filter);
        let field = match query.order {
            TicketOrder::Created => "number",
            TicketOrder::Updated => "updated_at",
            TicketOrder::Priority => "priority",
            TicketOrder::Status => "status",
            TicketOrder::Subject => "subject",
        };
        Ok(if query.descending { select.descending(field) } else { select.ascending(field) })
    }

    /// A ticket and everything on it that the actor may see. What was said on tickets that were merged into it stands
    /// among the rest, by time (T10).
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], also for a deleted one; [`Error::Forbidden`] where it is somebody else's.
    pub async fn view(&self, actor: &Actor, id: TicketId) -> Result<TicketView> {
        let ticket = self.get(actor, id).await?;
        let internal = actor.has(&permissions::TICKET_ACCESS_INTERNAL);
        let parts = || of_parts(&ticket);
        let mut messages = self.desk.store().select::<Message>(actor.scope()).filter(parts()).all().await?;
        messages.retain(|message| internal || message.visibility == Visibility::Public);
        let mut attachments = Vec::new();
        if ticket.attachments > 0 || !ticket.merged.is_empty() {
            attachments = self.desk.store().select::<Attachment>(actor.scope()).filter(parts()).all().await?;
            attachments.retain(|file| internal || !file.internal);
        }
        Ok(TicketView { ticket, messages, attachments })
    }

    /// A page of what was said on a ticket, oldest first, as far as the actor may read it, with the number of all.
    /// What was said on merged tickets is among it.
    ///
    /// # Errors
    ///
    /// As [`Tickets::view`].
    pub async fn messages(
        &self,
        actor: &Actor,
        id: TicketId,
        limit: usize,
        from: From,
    ) -> Result<Listing<Message>> {
        let ticket = self.get(actor, id).await?;
        let mut filter = of_parts(&ticket);
        if !actor.has(&permissions::TICKET_ACCESS_INTERNAL) {
            filter = filter.and(Filter::equals("internal", false));
        }
        let messages = self.desk.store().select::<Message>(actor.scope()).filter(filter);
        Ok(messages.ascending("number").limit(limit).from(from).total(TotalMode::Exact).page().await?)
    }

    /// The files of messages that the actor has been shown, by message.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn files_of(
        &self,
        actor: &Actor,
        messages: &[MessageId],
    ) -> Result<HashMap<Uuid, Vec<Arc<Stored<Attachment>>>>> {
        let mut by_message: HashMap<Uuid, Vec<Arc<Stored<Attachment>>>> = HashMap::new();
        for some in messages.chunks(500) {
            let some = some.iter().map(|message| Value::Uuid(message.uuid()));
            let files = self.desk.store().select::<Attachment>(actor.scope());
            for file in files.filter(Filter::one_of("message", some)).all().await? {
                if let Some(message) = file.message {
                    by_message.entry(message.uuid()).or_default().push(file);
                }
            }
        }
        Ok(by_message)
    }

    /// A ticket alone.
    ///
    /// # Errors
    ///
    /// As [`Tickets::view`].
    pub async fn get(&self, actor: &Actor, id: TicketId) -> Result<Arc<Stored<Ticket>>> {
        let ticket = self.load(actor, id).await?;
        self.standing(actor, &ticket).await?;
        if ticket.deleted.is_some() {
            return Err(Error::NotFound { what: "ticket" });
        }
        Ok(ticket)
    }

    /// The group that has a ticket that the actor has been shown, unless it is gone.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn group_of(&self, actor: &Actor, ticket: &Ticket) -> Result<Option<Arc<Stored<Group>>>> {
        let Some(group) = ticket.group else { return Ok(None) };
        let group = self.desk.store().get::<Group>(actor.scope(), group).await?;
        Ok(group.filter(|group| group.deleted.is_none()))
    }

    /// The files of tickets that the actor has been shown, by ticket.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn attachments_of(
        &self,
        actor: &Actor,
        tickets: &[Arc<Stored<Ticket>>],
    ) -> Result<HashMap<Uuid, Vec<Arc<Stored<Attachment>>>>> {
        let internal = actor.has(&permissions::TICKET_ACCESS_INTERNAL);
        let with_files: Vec<_> = tickets
            .iter()
            .filter(|ticket| ticket.attachments > 0)
            .map(|ticket| Value::Uuid(ticket.id.uuid()))
            .collect();
        let mut by_ticket: HashMap<Uuid, Vec<Arc<Stored<Attachment>>>> = HashMap::new();
        for some in with_files.chunks(500) {
            let files = self.desk.store().select::<Attachment>(actor.scope());
            for file in files.filter(Filter::one_of("ticket", some.iter().cloned())).all().await? {
                if internal || !file.internal {
                    by_ticket.entry(file.ticket.uuid()).or_default().push(file);
                }
            }
        }
        Ok(by_ticket)
    }
}

/// What belongs to a ticket, or to one that was merged into it.
fn of_parts(ticket: &Stored<Ticket>) -> Filter {
    let parts = ticket.merged.iter().copied().chain([ticket.id]);
    Filter::one_of("ticket", parts.map(|part| Value::Uuid(part.uuid())))
}
