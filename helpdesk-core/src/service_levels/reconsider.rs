//! Looking at open tickets anew when what is promised has changed.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::look::enqueue_look;
use crate::helpdesk::Helpdesk;
use crate::identity::OrganisationId;
use crate::jobs::{Job, JobDraft, JobError, JobHandler};
use crate::storage::{Changes, Cursor, EntityId as _, Filter, From, Scope, Value};
use crate::tickets::{Status, Ticket};

const RECONSIDER: &str = "service_level_reconsider";
/// How many tickets are walked over at a time.
const PAGE: usize = 100;

/// A walk through the open tickets, page by page.
#[derive(Debug, Serialize, Deserialize)]
struct Walk {
    /// By which state of the rules.
    revision: u32,
    page: u32,
    from: Option<Cursor>,
}

/// Has the open tickets of an organisation looked at by the rules as they are from now on.
pub(super) fn have_reconsidered(desk: &Helpdesk, changes: &mut Changes, scope: Scope, revision: u32) {
    let at = changes.at();
    enqueue(desk, changes, scope, at, &Walk { revision, page: 0, from: None });
}

fn enqueue(desk: &Helpdesk, changes: &mut Changes, scope: Scope, at: DateTime<Utc>, walk: &Walk) {
    let key = format!("{RECONSIDER}:{}:{}", walk.revision, walk.page);
    changes.enqueue(scope, desk.ids().id(at), JobDraft::new(RECONSIDER, key, at, walk));
}

/// Has a page of open tickets looked at, and walks on to the next one. What comes of a look may be much: each is a job of
/// its own.
#[derive(Debug)]
pub(super) struct Reconsider;

#[async_trait]
impl JobHandler for Reconsider {
    fn name(&self) -> &'static str {
        RECONSIDER
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let Walk { revision, page, from } = job.payload()?;
        let scope = job.scope();
        let organisation = OrganisationId::from_uuid(scope.id().unwrap_or_default());
        let organisation = desk.identity().organisation_of(organisation).await?;
        // What has changed once more is walked through once more.
        if organisation.settings.promises.revision != revision {
            return Ok(desk.changes());
        }
        let waiting = Status::ALL.into_iter().filter(|status| status.waits());
        let statuses = Filter::one_of("status", waiting.map(|status| Value::text(status.name())));
        // Deleted ones as well: they may come back.
        let open = desk.store().select::<Ticket>(scope).filter(statuses);
        let open = open.ascending("number").limit(PAGE).from(from.map_or(From::Start, From::After));
        let tickets = open.page().await?;
        let mut changes = desk.changes();
        let at = changes.at();
        for ticket in &tickets.items {
            enqueue_look(desk, &mut changes, scope, ticket.id);
        }
        if let Some(next) = tickets.next {
            enqueue(desk, &mut changes, scope, at, &Walk { revision, page: page + 1, from: Some(next) });
        }
        Ok(changes)
    }
}
