//! Reading the files that hang on tickets.

use std::sync::Arc;

use bytes::Bytes;

use super::{Tickets, audience};
use crate::actor::Actor;
use crate::error::{Error, Rejection, Result};
use crate::events::EventDraft;
use crate::identity::permissions;
use crate::storage::{Filter, Stored};
use crate::tickets::message::{Attachment, AttachmentId};
use crate::tickets::status::Category;
use crate::tickets::ticket::{State, Ticket};

/// A file with its content.
#[derive(Clone, Debug)]
pub struct ReadFile {
    /// What is known of it.
    pub attachment: Arc<Stored<Attachment>>,
    /// What is in it.
    pub content: Bytes,
}

impl Tickets {
    /// The id of the attachment of a number.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where the actor's organisation has none.
    pub async fn attachment_by_number(&self, actor: &Actor, number: i64) -> Result<AttachmentId> {
        let files = self.desk.store().select::<Attachment>(actor.scope());
        let found = files.filter(Filter::equals("number", number)).first_id().await?;
        found.ok_or(Error::NotFound { what: "attachment" })
    }

    /// A file, for whoever may read the message it hangs on at this moment: those who may see the ticket, and for
    /// the desk's own messages those who may read them. Programs need `ticket.view_files`.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::Forbidden`].
    pub async fn file(&self, actor: &Actor, id: AttachmentId) -> Result<ReadFile> {
        let none = || Error::NotFound { what: "attachment" };
        let attachment = self.desk.store().get::<Attachment>(actor.scope(), id).await?.ok_or_else(none)?;
        let ticket = self.load(actor, attachment.ticket).await?;
        if ticket.deleted.is_some() {
            return Err(none());
        }
        if !actor.has(&permissions::TICKET_VIEW_FILES) {
            self.may_read_part(actor, &ticket).await?;
            if attachment.internal {
                actor.needs(&permissions::TICKET_ACCESS_INTERNAL)?;
            }
        }
        let content = self.desk.blobs().get(&attachment.blob).await?.ok_or_else(none)?;
        Ok(ReadFile { attachment, content })
    }

    /// Whether somebody may read what was said on a ticket: who may see it, or the one that it was merged into (T10).
    async fn may_read_part(&self, actor: &Actor, ticket: &Stored<Ticket>) -> Result<()> {
        let Err(refused) = self.standing(actor, ticket).await else { return Ok(()) };
        let State::Merged { into, .. } = &ticket.state else { return Err(refused) };
        let whole = self.load(actor, *into).await?;
        if whole.deleted.is_some() || !self.may_see(actor, &whole).await? {
            return Err(refused);
        }
        Ok(())
    }

    /// Takes a file away from its ticket, for who brought it and for who may delete tickets.
    ///
    /// # Errors
    ///
    /// As [`Tickets::file`]; [`Error::Forbidden`] where somebody else brought it, without `ticket.delete`;
    /// [`Error::Rejected`] where the ticket has ended.
    pub async fn remove_file(&self, actor: &Actor, id: AttachmentId) -> Result<()> {
        self.desk
            .decide(|| async move {
                let none = || Error::NotFound { what: "attachment" };
                let file = self.desk.store().get::<Attachment>(actor.scope(), id).await?.ok_or_else(none)?;
                let ticket = self.load(actor, file.ticket).await?;
                self.standing(actor, &ticket).await?;
                if file.internal {
                    actor.needs(&permissions::TICKET_ACCESS_INTERNAL)?;
                }
                if file.uploaded_by != actor.who() {
                    actor.needs(&permissions::TICKET_DELETE)?;
                }
                if ticket.deleted.is_some() {
                    return Err(none());
                }
                if ticket.state.status().category() == Category::Ended {
                    return Err(Error::Rejected(Rejection::Ended));
                }
                let mut changes = self.desk.changes();
                let attachments = ticket.attachments.saturating_sub(1);
                let slot = changes.update(&ticket, &Ticket { attachments, ..ticket.value.clone() });
                changes.delete(&file);
                crate::uploads::forget_blob(&self.desk, &mut changes, actor.scope(), &file.blob);
                let version = changes.version_after(slot);
                let audience = audience(&ticket, file.internal);
                let draft = EventDraft::new::<Ticket>("ticket.file_removed", ticket.id, version, audience);
                changes.event(actor, self.new_id(&changes), draft);
                Ok((changes, ()))
            })
            .await
            .map(drop)
    }
}
