//! What is done for uploads later: forgetting those that nobody needed, and contents whose records are gone.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::upload::{Purpose, Upload, UploadId};
use crate::helpdesk::Helpdesk;
use crate::jobs::{Job, JobDraft, JobError, JobHandler};
use crate::storage::{Changes, Scope};

const EXPIRE: &str = "upload_expiry";
const FORGET: &str = "forget_blob";

#[derive(Debug, Serialize, Deserialize)]
struct Expiry {
    upload: UploadId,
}

/// Has the commit see to it that an upload is forgotten in time.
pub(super) fn expire(changes: &mut Changes, scope: Scope, job: Uuid, upload: UploadId, due: DateTime<Utc>) {
    changes.enqueue(scope, job, JobDraft::new(EXPIRE, expiry_key(upload), due, &Expiry { upload }));
}

/// Has the commit leave an upload alone: it was taken over, or is gone already.
pub(crate) fn cancel_expiry(changes: &mut Changes, scope: Scope, upload: UploadId) {
    changes.cancel_job(scope, expiry_key(upload));
}

fn expiry_key(upload: UploadId) -> String {
    format!("{EXPIRE}:{upload}")
}

/// Forgets an upload that nothing has taken over.
#[derive(Debug)]
pub(super) struct Expire;

#[async_trait]
impl JobHandler for Expire {
    fn name(&self) -> &'static str {
        EXPIRE
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let Expiry { upload } = job.payload()?;
        let mut changes = desk.changes();
        let upload = desk.store().get::<Upload>(job.scope(), upload).await?;
        if let Some(upload) = upload.filter(|upload| upload.purpose != Purpose::Picture) {
            // The content goes once the record is gone: whoever takes the upload over meanwhile still has it.
            changes.delete(&upload);
            forget_blob(desk, &mut changes, job.scope(), &upload.blob);
        }
        Ok(changes)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Forgotten {
    blob: String,
}

/// Has the content of a file deleted once the commit that deletes its record is made.
pub(crate) fn forget_blob(desk: &Helpdesk, changes: &mut Changes, scope: Scope, blob: &str) {
    let (id, at) = (desk.ids().id(changes.at()), changes.at());
    let key = format!("{FORGET}:{blob}");
    changes.enqueue(scope, id, JobDraft::new(FORGET, key, at, &Forgotten { blob: blob.to_owned() }));
}

/// Deletes the content of a file whose record is gone.
#[derive(Debug)]
pub(super) struct ForgetBlob;

#[async_trait]
impl JobHandler for ForgetBlob {
    fn name(&self) -> &'static str {
        FORGET
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let Forgotten { blob } = job.payload()?;
        desk.blobs().delete(&blob).await.map_err(crate::Error::from)?;
        Ok(desk.changes())
    }
}
