//! Removing notifications that were read and are old.

use async_trait::async_trait;
use chrono::{DateTime, Duration, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::notification::Notification;
use crate::helpdesk::Helpdesk;
use crate::jobs::{Job, JobDraft, JobError, JobHandler};
use crate::storage::{Changes, Filter};

const CLEANUP: &str = "notification_cleanup";
/// For how long what was read is kept.
const KEPT: Duration = Duration::days(90);
/// How many are removed at a time.
const BATCH: usize = 500;

#[derive(Debug, Serialize, Deserialize)]
struct Order {}

/// The removal of what is made on a day, once it is old: one job for each day on which there is something.
pub(super) fn cleanup(made: DateTime<Utc>) -> JobDraft {
    let day = (made + KEPT + Duration::days(1)).date_naive();
    JobDraft::new(CLEANUP, format!("{CLEANUP}:{day}"), day.and_time(NaiveTime::MIN).and_utc(), &Order {})
}

/// Removes what was read and is old. What was not read stays until it is.
#[derive(Debug)]
pub(super) struct Cleanup;

#[async_trait]
impl JobHandler for Cleanup {
    fn name(&self) -> &'static str {
        CLEANUP
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let mut changes = desk.changes();
        let at = changes.at();
        let old = Filter::equals("read", true).and(Filter::less_than("created_at", at - KEPT));
        let page = desk.store().select::<Notification>(job.scope()).filter(old).limit(BATCH).page().await?;
        page.items.iter().for_each(|notification| changes.delete(notification));
        if page.next.is_some() {
            let id = desk.ids().id(at);
            let rest = JobDraft::new(CLEANUP, format!("{CLEANUP}:{id}"), at, &Order {});
            changes.enqueue(job.scope(), id, rest);
        }
        Ok(changes)
    }
}
