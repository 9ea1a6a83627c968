//! Who may see which tickets: the one place for lists, and the one for single tickets.

use super::Tickets;
use crate::actor::Actor;
use crate::error::Result;
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
        let alive = Filter::equals("deleted", false);
        if actor.has(&p::TICKET_VIEW_ALL) {
            return Ok(alive);
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
        Ok(alive.and(theirs))
    }

    /// The same for a single ticket, and what it is to the actor.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`](crate::Error::Forbidden) where they may not see it.
    pub(in crate::tickets) async fn standing(&self, actor: &Actor, ticket: &Ticket) -> Result<Standing> {
        let Some(user) = actor.user().filter(|_| actor.has(&p::TICKET_VIEW_OWN)) else {
            actor.needs(&p::TICKET_VIEW_ALL)?;
            return Ok(Standing::default());
        };
        let own = user == ticket.requester;
        let of_the_desk = actor.has(&p::TICKET_ACCESS_INTERNAL);
        let follows = of_the_desk && ticket.followers.contains(&user);
        if own || Some(user) == ticket.assignee || follows || actor.has(&p::TICKET_VIEW_ALL) {
            return Ok(Standing { own, copied: false });
        }
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
            return Ok(Standing { own, copied: !of_the_desk });
        }
        actor.needs(&p::TICKET_VIEW_ALL)?;
        Ok(Standing::default())
    }
}
