//! Who belongs to which groups, as it changes with somebody's account.
//!
//! What is decided here becomes part of a batch of the caller's. Each group is written as it was read, so that of two
//! changes that cross one is decided again.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Group, GroupId, Groups};
use crate::actor::Actor;
use crate::error::{Error, Problem, Rejection, Result};
use crate::events::{Audience, EventDraft, HistoryQuery};
use crate::identity::{UserId, permissions};
use crate::storage::{Changes, EntityId as _, Filter, Scope, Stored, Value};
use crate::tickets::hand_back;

/// How many groups somebody leaves in one batch.
const PAGE: usize = 100;
/// What it is called in the event log that somebody came or went, and who that is.
const JOINED: &str = "group.member_added";
const LEFT: &str = "group.member_removed";
const MEMBER: &str = "member";
/// The most groups that somebody is put into at once.
const MAX_GROUPS: usize = 100;

impl Groups {
    /// The groups that people belong to.
    pub(crate) async fn of_people(
        &self,
        scope: Scope,
        people: impl IntoIterator<Item = UserId> + Send,
    ) -> Result<Vec<Arc<Stored<Group>>>> {
        let people: Vec<_> = people.into_iter().map(|person| Value::Uuid(person.uuid())).collect();
        if people.is_empty() {
            return Ok(Vec::new());
        }
        let theirs = Filter::one_of("members", people).and(Filter::equals("deleted", false));
        Ok(self.desk.store().select::<Group>(scope).filter(theirs).all().await?)
    }

    /// Has somebody belong to exactly these groups.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for `groups` where one of them is not there, or there are too many; [`Error::Rejected`] where
    /// one is full, or there are too many to leave.
    pub(crate) async fn put_into(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        person: UserId,
        wanted: &[GroupId],
    ) -> Result<()> {
        if wanted.len() > MAX_GROUPS {
            return Err(Error::invalid("groups", Problem::TooMany(MAX_GROUPS)));
        }
        let found = self.desk.store().get_map::<Group>(actor.scope(), wanted.iter().copied()).await?;
        let mut ids = BTreeSet::new();
        for id in wanted {
            let group = found.get(&id.uuid()).filter(|group| group.deleted.is_none());
            let group = group.ok_or_else(|| Error::invalid("groups", Problem::Unknown("group")))?;
            if ids.insert(id.uuid()) {
                self.join(changes, actor, group, person)?;
            }
        }
        let mut left = self.of_people(actor.scope(), [person]).await?;
        left.retain(|group| !ids.contains(&group.id.uuid()));
        if left.len() > PAGE {
            let what = "groups that somebody leaves at once";
            return Err(Error::Rejected(Rejection::Limit { limit: PAGE as u64, what }));
        }
        for group in left {
            self.leave(changes, actor, &group, person);
            let job = hand_back(person, Some(group.id), changes.at());
            changes.enqueue(actor.scope(), self.desk.ids().id(changes.at()), job);
        }
        Ok(())
    }

    /// Has somebody leave their groups, as many as fit into a batch. Answers whether there are more. What becomes of
    /// their tickets is the caller's business.
    pub(crate) async fn leave_all(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        person: UserId,
    ) -> Result<bool> {
        let theirs = Filter::equals("members", person.uuid()).and(Filter::equals("deleted", false));
        let groups = self.desk.store().select::<Group>(actor.scope()).filter(theirs);
        let page = groups.limit(PAGE).page().await?;
        for group in &page.items {
            self.leave(changes, actor, group, person);
        }
        Ok(page.next.is_some())
    }

    /// Whether somebody was let go by a group at an instant or after it.
    pub(crate) async fn left_since(
        &self,
        group: &Stored<Group>,
        person: UserId,
        since: DateTime<Utc>,
    ) -> Result<bool> {
        let query = || HistoryQuery::new(group.scope).of::<Group>(group.id).action(LEFT);
        let person = person.to_string();
        let mut page = query().page(&self.desk).await?;
        loop {
            for event in &page.events {
                if event.at < since {
                    return Ok(false);
                }
                if event.detail.data.get(MEMBER).and_then(|member| member.as_str()) == Some(&*person) {
                    return Ok(true);
                }
            }
            let Some(next) = page.next else { return Ok(false) };
            page = query().after(next).page(&self.desk).await?;
        }
    }

    /// Takes somebody in, where they are not in it already. Answers whether that is news.
    pub(super) fn join(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        before: &Stored<Group>,
        person: UserId,
    ) -> Result<bool> {
        let mut group = before.value.clone();
        let joined = group.take_in(person)?;
        if joined {
            self.write_membership(changes, actor, before, &group, (JOINED, person));
        }
        Ok(joined)
    }

    /// Lets somebody go, where they are in it. Answers whether that is news.
    pub(super) fn leave(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        before: &Stored<Group>,
        person: UserId,
    ) -> bool {
        let mut group = before.value.clone();
        let left = group.let_go(person);
        if left {
            self.write_membership(changes, actor, before, &group, (LEFT, person));
        }
        left
    }

    fn write_membership(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        before: &Stored<Group>,
        group: &Group,
        (action, person): (&'static str, UserId),
    ) {
        let slot = changes.update(before, group);
        let audience = Audience::holders(permissions::ADMIN_VIEW_TEAMS).and([person]);
        let draft = EventDraft::new::<Group>(action, before.id, changes.version_after(slot), audience)
            .with(MEMBER, person.to_string());
        changes.event(actor, self.desk.ids().id(changes.at()), draft);
    }
}
