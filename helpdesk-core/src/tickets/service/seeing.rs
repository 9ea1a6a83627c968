//! Who may see which tickets: the one place for lists, and the one for single tickets.

use std::collections::HashSet;

use uuid::Uuid;

use super::Tickets;
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::groups::Group;
use crate::identity::{User, permissions as p};
use crate::storage::{EntityId as _, Filter, Value};
use crate::tickets::ticket::Ticket;

/// What a ticket that an actor may see is to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tickets) struct Standing {
    /// They asked.
    pub own: bool,
    /// They are outside, and get copies of it.
    pub copied: bool,
}

impl Tickets {
    /// Which tickets an actor may see: all, or those that they asked for, have, follow, get copies of or share a
    /// group with. What makes a ticket theirs is looked up once, and not at all for who sees every ticket.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub(crate) async fn visible(&self, actor: &Actor) -> Result<Filter> {
        Ok(Filter::equals("deleted", false).and(self.visible_or_deleted(actor).await?))
    }

    /// The same, and those that they might see if these were not deleted.
    async fn visible_or_deleted(&self, actor: &Actor) -> Result<Filter> {
        if actor.has(&p::TICKET_VIEW_ALL) {
            return Ok(Filter::all());
        }
        let Some(user) = actor.user().filter(|_| actor.has(&p::TICKET_VIEW_OWN)) else {
            return Ok(Filter::none());
        };
        let mut theirs = Filter::equals("requester", user.uuid()).or(Filter::equals("assignee", user.uuid()));
        if actor.has(&p::TICKET_ACCESS_INTERNAL) {
            theirs = theirs.or(Filter::equals("followers", user.uuid()));
        }
        if actor.has(&p::TICKET_VIEW_TEAM) {
            let groups = self.desk.store().select::<Group>(actor.scope());
            let of_actor = Filter::equals("members", user.uuid()).and(Filter::equals("deleted", false));
            let groups = groups.filter(of_actor).all().await?;
            let groups = groups.iter().map(|group| Value::Uuid(group.id.uuid()));
            theirs = theirs.or(Filter::one_of("group", groups));
        }
        if let Some(account) = self.desk.store().get::<User>(actor.scope(), user).await? {
            theirs = theirs.or(Filter::equals("cc", &*account.email));
        }
        Ok(theirs)
    }

    /// Which of some tickets an actor may see, or might if they were not deleted: who is told what becomes of a ticket
    /// is told that it went.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn visible_or_deleted_of(
        &self,
        actor: &Actor,
        ids: impl IntoIterator<Item = Uuid> + Send,
    ) -> Result<HashSet<Uuid>> {
        let ids: HashSet<Uuid> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(ids);
        }
        let named = Filter::one_of("id", ids.into_iter().map(Value::Uuid));
        let visible = self.visible_or_deleted(actor).await?;
        let found =
            self.desk.store().select::<Ticket>(actor.scope()).filter(named.and(visible)).all().await?;
        Ok(found.iter().map(|ticket| ticket.id.uuid()).collect())
    }

    /// Whether an actor may see a ticket.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub(crate) async fn may_see(&self, actor: &Actor, ticket: &Ticket) -> Result<bool> {
        match self.standing(actor, ticket).await {
            Ok(_) => Ok(true),
            Err(Error::Forbidden { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The same for a single ticket, and what it is to the actor.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] where they may not see it.
    pub(in crate::tickets) async fn standing(&self, actor: &Actor, ticket: &Ticket) -> Result<Standing> {
        let refused = match check_visible(actor, ticket) {
            Ok(()) => {
                let own = actor.user() == Some(ticket.requester);
                return Ok(Standing { own, copied: false });
            }
            Err(refused) => refused,
        };
        let Some(user) = actor.user().filter(|_| actor.has(&p::TICKET_VIEW_OWN)) else { return Err(refused) };
        if actor.has(&p::TICKET_VIEW_TEAM)
            && let Some(group) = ticket.group
            && let Some(group) = self.desk.store().get::<Group>(actor.scope(), group).await?
            && group.deleted.is_none()
            && group.members.contains(&user)
        {
            return Ok(Standing::default());
        }
        if !ticket.cc.is_empty()
            && let Some(account) = self.desk.store().get::<User>(actor.scope(), user).await?
            && ticket.cc.iter().any(|cc| cc.address == account.email)
        {
            let of_the_desk = actor.has(&p::TICKET_ACCESS_INTERNAL);
            return Ok(Standing { own: false, copied: !of_the_desk });
        }
        Err(refused)
    }
}

/// Whether an actor may see a ticket, as far as the ticket alone tells: whose groups it belongs to and who gets copies is
/// to be looked up. See [`Tickets::standing`].
pub(super) fn check_visible(actor: &Actor, ticket: &Ticket) -> Result<()> {
    let involved = actor.user().is_some_and(|user| {
        let follows = actor.has(&p::TICKET_ACCESS_INTERNAL) && ticket.followers.contains(&user);
        user == ticket.requester || Some(user) == ticket.assignee || follows
    });
    if involved && actor.has(&p::TICKET_VIEW_OWN) {
        return Ok(());
    }
    actor.needs(&p::TICKET_VIEW_ALL)
}
