//! Removing what has ended: sessions, links that were mailed, and accounts whose address nobody confirmed.

use async_trait::async_trait;
use chrono::{DateTime, Duration, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::one_time::OneTime;
use super::{OrganisationId, Session, User};
use crate::actor::Actor;
use crate::error::Result;
use crate::helpdesk::Helpdesk;
use crate::jobs::{Job, JobDraft, JobError, JobHandler};
use crate::notifications::Notification;
use crate::storage::{
    Changes, Entity, EntityId as _, Filter, From, MAX_PAGE, Scope, Select, StorageError, Stored,
};
use crate::tickets::Ticket;

const ENDED: &str = "identity_cleanup";
const UNCONFIRMED: &str = "unconfirmed_cleanup";
/// For how long an account waits for its address to be confirmed.
const PATIENCE: Duration = Duration::days(30);
/// How many of a kind are removed at a time.
const BATCH: usize = 250;

#[derive(Debug, Serialize, Deserialize)]
struct Order {}

/// A job of the day after an instant, of which there is one for each day on which there is something to do.
fn on_the_day_after(name: &'static str, end: DateTime<Utc>) -> JobDraft {
    let day = (end + Duration::days(1)).date_naive();
    JobDraft::new(name, format!("{name}:{day}"), day.and_time(NaiveTime::MIN).and_utc(), &Order {})
}

/// Has the commit see to it that what ends at an instant, a session or a link, is removed after that.
pub(super) fn remove_after(desk: &Helpdesk, changes: &mut Changes, end: DateTime<Utc>) {
    changes.enqueue(Scope::GLOBAL, desk.ids().id(changes.at()), on_the_day_after(ENDED, end));
}

/// Has the commit see to it that an account that is made now is removed where its address is never confirmed.
pub(super) fn remove_unconfirmed(desk: &Helpdesk, changes: &mut Changes, scope: Scope) {
    let at = changes.at();
    changes.enqueue(scope, desk.ids().id(at), on_the_day_after(UNCONFIRMED, at + PATIENCE));
}

/// Removes sessions and one-time tokens that have expired.
#[derive(Debug)]
pub(super) struct Ended;

#[async_trait]
impl JobHandler for Ended {
    fn name(&self) -> &'static str {
        ENDED
    }

    async fn run(&self, desk: &Helpdesk, _: &Job) -> Result<Changes, JobError> {
        let mut changes = desk.changes();
        let at = changes.at();
        let sessions = remove_some(&mut changes, desk.store().select::<Session>(Scope::GLOBAL)).await?;
        let tokens = remove_some(&mut changes, desk.store().select::<OneTime>(Scope::GLOBAL)).await?;
        if sessions || tokens {
            let id = desk.ids().id(at);
            changes.enqueue(Scope::GLOBAL, id, JobDraft::new(ENDED, format!("{ENDED}:{id}"), at, &Order {}));
        }
        Ok(changes)
    }
}

/// Removes some of what has expired. Answers whether there is more.
async fn remove_some<T: Entity>(changes: &mut Changes, all: Select<'_, T>) -> Result<bool, StorageError> {
    let page = all.filter(Filter::less_than("expires", changes.at())).limit(BATCH).page().await?;
    page.items.iter().for_each(|ended| changes.delete(ended));
    Ok(page.next.is_some())
}

/// Removes accounts whose address was not confirmed in time, so that it is free for whoever it belongs to.
#[derive(Debug)]
pub(super) struct Unconfirmed;

#[async_trait]
impl JobHandler for Unconfirmed {
    fn name(&self) -> &'static str {
        UNCONFIRMED
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let old = Filter::less_than("created_at", desk.now() - PATIENCE);
        let waiting = Filter::equals("state", "unconfirmed").and(old);
        let accounts = desk.store().select::<User>(job.scope()).filter(waiting).limit(MAX_PAGE);
        let (mut from, mut changes) = (From::Start, desk.changes());
        let mut waits = false;
        loop {
            let page = accounts.clone().from(from).page().await?;
            for account in &page.items {
                // Whoever was just sent a link may still follow it.
                if !desk.identity().pending_tokens(account.id).await?.is_empty() {
                    waits = true;
                } else if !is_named(desk, account).await? {
                    remove(desk, account).await?;
                }
            }
            match page.next {
                Some(cursor) => from = From::After(cursor),
                None => break,
            }
        }
        if waits {
            let at = changes.at();
            changes.enqueue(job.scope(), desk.ids().id(at), on_the_day_after(UNCONFIRMED, at));
        }
        Ok(changes)
    }
}

/// Whether something of the desk names an account: somebody made a ticket for them, say.
async fn is_named(desk: &Helpdesk, account: &Stored<User>) -> Result<bool, StorageError> {
    let (store, scope, id) = (desk.store(), account.scope, account.id.uuid());
    let theirs = ["assignee", "followers"]
        .into_iter()
        .fold(Filter::equals("requester", id), |filter, field| filter.or(Filter::equals(field, id)));
    if store.select::<Ticket>(scope).filter(theirs).first_id().await?.is_some() {
        return Ok(true);
    }
    let told = Filter::equals("receiver", id);
    Ok(store.select::<Notification>(scope).filter(told).first_id().await?.is_some())
}

/// Removes an account with its password and the names it logs in by. Each by itself: one that stays, because it was
/// confirmed or something came to name it just now, is no reason for others to stay.
async fn remove(desk: &Helpdesk, account: &Stored<User>) -> Result<(), JobError> {
    let identity = desk.identity();
    let mut changes = desk.changes();
    let system = Actor::system(OrganisationId::from_uuid(account.scope.id().unwrap_or_default()));
    identity.remove_account(&mut changes, &system, account).await?;
    match desk.commit(changes).await {
        Ok(_) | Err(StorageError::Referenced { .. } | StorageError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
