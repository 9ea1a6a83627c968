//! What transports call of uploads.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::Uploads;
use super::jobs::{cancel_expiry, expire, forget_blob};
use super::upload::{Purpose, Upload, UploadId};
use crate::actor::Actor;
use crate::error::{Error, Rejection, Result};
use crate::storage::{EntityId as _, Filter, StorageError, Stored};
use crate::tickets::{AttachmentId, check_file, clean_name};

/// How long an upload waits for something that takes it over.
const PATIENCE: Duration = Duration::hours(24);
/// The most uploads that wait for one person at a time.
const MAX_WAITING: u64 = 200;
/// The most files that are kept at a time which the help desk made for one actor.
const MAX_MADE: u64 = 100;

/// A file that the help desk made for somebody: a report.
#[derive(Clone, Debug)]
pub struct KeptFile {
    /// Its name.
    pub name: String,
    /// The type of its content.
    pub media_type: String,
    /// What is in it.
    pub content: Bytes,
    /// When it is forgotten.
    pub expires: DateTime<Utc>,
}

/// What is in a file, under which name and of which type.
#[derive(Clone, Debug)]
pub struct FileContent {
    /// Its name.
    pub name: String,
    /// The type of its content.
    pub media_type: String,
    /// What is in it.
    pub content: Bytes,
}

impl Uploads {
    /// Takes a file in. It is forgotten after a day unless something takes it over.
    ///
    /// # Errors
    ///
    /// [`Error::NotYours`] for who is no person; [`Error::Invalid`] for `file` where it is too large, or of a type
    /// that is not taken, by its content; [`Error::Rejected`] where too many wait already;
    /// [`Error::Unavailable`] where it could not be kept.
    pub async fn upload(&self, actor: &Actor, name: &str, content: Bytes) -> Result<Stored<Upload>> {
        let person = actor.person()?;
        let checked = check_file(name, &content).map_err(|problem| Error::invalid("file", problem))?;
        self.check_room(actor, person.uuid(), Purpose::Waiting, (MAX_WAITING, "uploads")).await?;
        let expires = self.desk.now() + PATIENCE;
        let file = KeptFile { name: checked.name, media_type: checked.media_type, content, expires };
        self.store(actor, file, Purpose::Waiting).await
    }

    /// Keeps a file that the help desk made for an actor, who alone may read it. Its type is not checked: it is for
    /// content that comes from the program.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] where too many are kept for them already; [`Error::Unavailable`] where it could not be kept.
    pub async fn keep(&self, actor: &Actor, file: KeptFile) -> Result<Stored<Upload>> {
        if let Some(owner) = Upload::owner(actor.who()) {
            self.check_room(actor, owner, Purpose::Made, (MAX_MADE, "files that were made for you")).await?;
        }
        self.store(actor, file, Purpose::Made).await
    }

    /// Checks that somebody has no more files of a purpose than they may.
    async fn check_room(
        &self,
        actor: &Actor,
        owner: Uuid,
        purpose: Purpose,
        (limit, what): (u64, &'static str),
    ) -> Result<()> {
        let theirs = Filter::equals("owner", owner).and(Filter::equals("purpose", purpose.name()));
        let uploads = self.desk.store().select::<Upload>(actor.scope()).filter(theirs);
        if uploads.count().await? < limit {
            Ok(())
        } else {
            Err(Error::Rejected(Rejection::Limit { limit, what }))
        }
    }

    async fn store(&self, actor: &Actor, file: KeptFile, purpose: Purpose) -> Result<Stored<Upload>> {
        let mut changes = self.desk.changes();
        let (at, scope) = (changes.at(), actor.scope());
        let id = UploadId::from_uuid(self.desk.ids().id(at));
        let upload = Upload {
            name: clean_name(&file.name),
            media_type: file.media_type,
            size: file.content.len() as u64,
            uploaded_by: actor.who(),
            purpose,
            blob: Upload::key(actor.organisation(), id.uuid()),
            expires: file.expires,
            ext: serde_json::Map::new(),
        };
        // The content is there before the record is: a record promises it.
        self.desk.blobs().put(&upload.blob, file.content).await?;
        let slot = changes.insert(scope, id, &upload);
        expire(&mut changes, scope, self.desk.ids().id(at), id, upload.expires);
        match self.desk.commit(changes).await {
            Ok(committed) => Ok(Stored::inserted(scope, id, at, committed.written(slot), upload)),
            Err(error) => {
                // Where nobody knows whether the record was made, its content must not be gone.
                if !matches!(error, StorageError::Unknown { .. })
                    && let Err(error) = self.desk.blobs().delete(&upload.blob).await
                {
                    tracing::warn!(%error, "the content of an upload that was not made could not be deleted");
                }
                Err(error.into())
            }
        }
    }

    /// A file by its id: an upload for who brought it, a picture for everybody with an account in the organisation, and
    /// one that was taken over for whoever may read what it hangs on at this moment.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], also for what is somebody else's.
    pub async fn read(&self, actor: &Actor, id: UploadId) -> Result<FileContent> {
        if let Some(upload) = self.readable(actor, id).await? {
            let content = self.desk.blobs().get(&upload.blob).await?.ok_or_else(no_file)?;
            return Ok(FileContent {
                name: upload.name.clone(),
                media_type: upload.media_type.clone(),
                content,
            });
        }
        let file = self.desk.tickets().file(actor, AttachmentId::from_uuid(id.uuid())).await;
        let file = file.map_err(hidden)?;
        Ok(FileContent {
            name: file.attachment.name.clone(),
            media_type: file.attachment.media_type.clone(),
            content: file.content,
        })
    }

    /// Deletes a file: an upload or attachment of the actor's own, or an attachment for who may delete tickets. Its
    /// content goes with it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], also for what the actor may not read; [`Error::Forbidden`] for an attachment that somebody
    /// else brought, without `ticket.delete`; [`Error::Rejected`] where its ticket takes no change.
    pub async fn delete(&self, actor: &Actor, id: UploadId) -> Result<()> {
        let waited = self
            .desk
            .decide(|| async move {
                let mut changes = self.desk.changes();
                let upload = self.waiting(actor, id).await?;
                if let Some(upload) = &upload {
                    if upload.purpose == Purpose::Picture {
                        self.desk.identity().drop_avatar(&mut changes, actor, id).await?;
                    }
                    changes.delete(upload);
                    cancel_expiry(&mut changes, actor.scope(), id);
                    forget_blob(&self.desk, &mut changes, actor.scope(), &upload.blob);
                }
                Ok((changes, upload.is_some()))
            })
            .await?;
        if waited.0 {
            return Ok(());
        }
        self.desk.tickets().remove_file(actor, AttachmentId::from_uuid(id.uuid())).await.map_err(|error| {
            match error {
                Error::Forbidden { permission }
                    if permission == crate::identity::permissions::TICKET_DELETE =>
                {
                    Error::Forbidden { permission }
                }
                error => hidden(error),
            }
        })
    }

    /// An upload that the actor may read.
    async fn readable(&self, actor: &Actor, id: UploadId) -> Result<Option<Arc<Stored<Upload>>>> {
        let upload = self.desk.store().get::<Upload>(actor.scope(), id).await?;
        Ok(upload.filter(|upload| {
            let shown = upload.purpose == Purpose::Picture && actor.user().is_some();
            shown || upload.uploaded_by == actor.who()
        }))
    }

    /// An upload of the actor's own that nothing has taken over.
    pub(super) async fn waiting(&self, actor: &Actor, id: UploadId) -> Result<Option<Arc<Stored<Upload>>>> {
        let upload = self.desk.store().get::<Upload>(actor.scope(), id).await?;
        // Somebody else's is not told apart from one that never was.
        Ok(upload.filter(|upload| upload.uploaded_by == actor.who()))
    }
}

fn no_file() -> Error {
    Error::NotFound { what: "file" }
}

/// A file that somebody may not read is none that they know of.
fn hidden(error: Error) -> Error {
    match error {
        Error::NotFound { .. } | Error::Forbidden { .. } => no_file(),
        error => error,
    }
}
