//! What transports call of notifications.

use std::sync::Arc;

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::events::{Audience, Event, EventDraft};
use crate::helpdesk::Helpdesk;
use crate::identity::{User, UserId};
use crate::notifications::{MADE, Notification, NotificationId};
use crate::storage::{Changes, Entity as _, EntityId as _, Filter, From, Listing, Scope, Stored, TotalMode};

/// How many are marked at a time.
const BATCH: usize = 200;

/// What people are told of. From [`Helpdesk::notifications`].
#[derive(Clone, Debug)]
pub struct Notifications {
    desk: Helpdesk,
}

/// Which of one's notifications to list: by default the newest 20.
#[derive(Clone, Debug)]
pub struct NotificationQuery {
    unread: bool,
    limit: usize,
    from: From,
    total: TotalMode,
}

impl Default for NotificationQuery {
    fn default() -> Self {
        Self { unread: false, limit: 20, from: From::Start, total: TotalMode::None }
    }
}

impl NotificationQuery {
    /// Only those that were not read yet.
    #[must_use]
    pub const fn unread(mut self) -> Self {
        self.unread = true;
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

impl Notifications {
    pub(crate) const fn new(desk: Helpdesk) -> Self {
        Self { desk }
    }

    /// The actor's own notifications, newest first.
    ///
    /// # Errors
    ///
    /// [`Error::NotYours`] where the actor has no account.
    pub async fn list(&self, actor: &Actor, query: NotificationQuery) -> Result<Listing<Notification>> {
        let select = self.desk.store().select::<Notification>(actor.scope());
        let select = select.filter(of(actor.person()?, query.unread)).newest();
        Ok(select.limit(query.limit).from(query.from).total(query.total).page().await?)
    }

    /// The notification that an event tells of having been made; nothing where it is about something else, or the
    /// notification is gone. This asks nobody's permission: whoever passes it on asks for each reader.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn news(&self, event: &Event) -> Result<Option<Arc<Stored<Notification>>>> {
        let made = event.action == MADE && event.subject_kind == Notification::SPEC.name;
        let Some(organisation) = event.organisation.filter(|_| made) else { return Ok(None) };
        let scope = Scope::organisation(organisation.uuid());
        let id = NotificationId::from_uuid(event.subject);
        Ok(self.desk.store().get::<Notification>(scope, id).await?)
    }

    /// One of the actor's own notifications.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where there is none, or it is somebody else's.
    pub async fn get(&self, actor: &Actor, id: NotificationId) -> Result<Arc<Stored<Notification>>> {
        let user = actor.person()?;
        let found = self.desk.store().get::<Notification>(actor.scope(), id).await?;
        let own = found.filter(|notification| notification.receiver == user);
        own.ok_or(Error::NotFound { what: "notification" })
    }

    /// Marks one of the actor's own notifications as read. One that was read stays as it is.
    ///
    /// # Errors
    ///
    /// As [`Notifications::get`].
    pub async fn read(&self, actor: &Actor, id: NotificationId) -> Result<Stored<Notification>> {
        let ((before, written, at), committed) = self
            .desk
            .decide(|| async move {
                let before = self.get(actor, id).await?;
                let mut changes = self.desk.changes();
                let at = changes.at();
                let mut written = None;
                if before.read.is_none() {
                    let value = Notification { read: Some(at), ..before.value.clone() };
                    let slot = changes.update(&before, &value);
                    let version = changes.version_after(slot);
                    self.record(&mut changes, actor, "notification.read", id, version)?;
                    written = Some((slot, value));
                }
                Ok((changes, (before, written, at)))
            })
            .await?;
        Ok(match written {
            Some((slot, value)) => before.replaced(at, committed.written(slot), value),
            None => Stored::clone(&before),
        })
    }

    /// Marks all the actor's own notifications as read, some at a time.
    ///
    /// # Errors
    ///
    /// [`Error::NotYours`] where the actor has no account.
    pub async fn read_all(&self, actor: &Actor) -> Result<()> {
        let user = actor.person()?;
        loop {
            let (more, _) = self
                .desk
                .decide(|| async move {
                    let select = self.desk.store().select::<Notification>(actor.scope());
                    let page = select.filter(of(user, true)).limit(BATCH).page().await?;
                    let mut changes = self.desk.changes();
                    let at = changes.at();
                    for before in &page.items {
                        changes.update(before, &Notification { read: Some(at), ..before.value.clone() });
                    }
                    if !page.items.is_empty() {
                        let audience = Audience::default().and([user]);
                        let draft = EventDraft::new::<User>("user.notifications_read", user, 0, audience)
                            .with("count", page.items.len());
                        changes.event(actor, self.desk.ids().id(at), draft);
                    }
                    Ok((changes, page.next.is_some()))
                })
                .await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Deletes one of the actor's own notifications.
    ///
    /// # Errors
    ///
    /// As [`Notifications::get`].
    pub async fn delete(&self, actor: &Actor, id: NotificationId) -> Result<()> {
        self.desk
            .decide(|| async move {
                let before = self.get(actor, id).await?;
                let mut changes = self.desk.changes();
                changes.delete(&before);
                self.record(&mut changes, actor, "notification.deleted", id, before.version + 1)?;
                Ok((changes, ()))
            })
            .await?;
        Ok(())
    }

    /// Writes down what was done to a notification. It is nobody's business but the receiver's.
    fn record(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        action: &'static str,
        id: NotificationId,
        version: i64,
    ) -> Result<()> {
        let audience = Audience::default().and([actor.person()?]);
        let draft = EventDraft::new::<Notification>(action, id, version, audience);
        changes.event(actor, self.desk.ids().id(changes.at()), draft);
        Ok(())
    }
}

fn of(user: UserId, unread: bool) -> Filter {
    let own = Filter::equals("receiver", user.uuid());
    if unread { own.and(Filter::equals("read", false)) } else { own }
}
