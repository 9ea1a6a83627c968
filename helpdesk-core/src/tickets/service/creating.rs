//! Making tickets.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bytes::Bytes;
use chrono::NaiveDate;
use serde_json::Value as Json;

use super::checks::Checks;
use super::{Tickets, audience, changed_fields};
use crate::actor::Actor;
use crate::error::{Problem, Problems, Result};
use crate::events::EventDraft;
use crate::groups::GroupId;
use crate::identity::{Organisation, User, UserId, permissions};
use crate::notifications::{Deed, tell};
use crate::service_levels::have_looked_at;
use crate::storage::{Changes, EntityId as _, Slot, StorageError, Stored};
use crate::tickets::fields::check_values;
use crate::tickets::files::{CheckedFile, MAX_FILES, check_file};
use crate::tickets::message::{Attachment, AttachmentId};
use crate::tickets::reactions::{organisation, receipt};
use crate::tickets::ticket::{Priority, Ticket, TicketId, TicketKind};
use crate::uploads::UploadId;

/// A request to the desk.
#[derive(Clone, Debug, Default)]
pub struct NewTicket {
    /// What it is about, in a line; not empty, at most 500 characters.
    pub subject: String,
    /// What it is about; not empty, at most 100,000 characters.
    pub description: String,
    /// Who asks, where it is not the actor.
    pub requester: Option<UserId>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// What sort of request it is.
    pub kind: Option<TicketKind>,
    /// What it belongs to.
    pub category: Option<String>,
    /// What it belongs to more closely.
    pub subcategory: Option<String>,
    /// Which part of the organisation deals with it.
    pub department: Option<String>,
    /// The day it is meant for; a day in the past is as good as another.
    pub scheduled_for: Option<NaiveDate>,
    /// Words it is marked with.
    pub tags: BTreeSet<String>,
    /// Who is to have it. It is new all the same until the desk takes it up.
    pub assignee: Option<UserId>,
    /// Which group is to have it.
    pub group: Option<GroupId>,
    /// The organisation's own fields, by key.
    pub fields: BTreeMap<String, Json>,
    /// Its files; at most 20.
    pub files: Vec<NewFile>,
    /// Files that the actor has uploaded already; at most 20.
    pub uploads: Vec<UploadId>,
}

/// A file that somebody brings.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// The name it was given.
    pub name: String,
    /// What is in it.
    pub content: Bytes,
}

impl NewTicket {
    fn check(&self) -> (Problems, Vec<CheckedFile>) {
        let mut checks = Checks::default();
        checks.line("subject", &self.subject);
        checks.text("description", &self.description);
        checks.optional("category", self.category.as_deref());
        checks.optional("subcategory", self.subcategory.as_deref());
        checks.optional("department", self.department.as_deref());
        checks.tags(&self.tags);
        checks.uploads(&self.uploads);
        if self.files.len() > MAX_FILES {
            checks.add("files", Problem::TooMany(MAX_FILES));
        }
        let mut checked = Vec::with_capacity(self.files.len());
        for file in &self.files {
            match check_file(&file.name, &file.content) {
                Ok(file) => checked.push(file),
                Err(problem) => checks.add("files", problem),
            }
        }
        (checks.into_problems(), checked)
    }
}

impl Tickets {
    /// Makes a ticket. It is new, also where it is known who should have it: whoever asks may wish for somebody of the
    /// desk and for a group.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::Error::Forbidden) without `ticket.create`, or without `ticket.create_for_users` where
    /// somebody else asks; [`Invalid`](crate::Error::Invalid) with all that is wrong;
    /// [`Unavailable`](crate::Error::Unavailable) where the files or the ticket could not be kept.
    pub async fn create(
        &self,
        actor: &Actor,
        new: NewTicket,
    ) -> Result<(Stored<Ticket>, Vec<Stored<Attachment>>)> {
        actor.needs(&permissions::TICKET_CREATE)?;
        let (mut problems, checked) = new.check();
        let requester = match new.requester {
            Some(other) if Some(other) != actor.user() => {
                actor.needs(&permissions::TICKET_CREATE_FOR_USERS)?;
                if self.desk.store().get::<User>(actor.scope(), other).await?.is_none() {
                    problems.add("requester", Problem::Unknown("account"));
                }
                other
            }
            _ => actor.person()?,
        };
        let organisation = organisation(&self.desk, actor).await?;
        check_values(&organisation.settings.ticket_fields, &new.fields, &mut problems);
        problems.into_result()?;
        self.check_receivers(actor, new.assignee, new.group).await?;

        let mut changes = self.desk.changes();
        let id = TicketId::from_uuid(self.new_id(&changes));
        let hangs_on = (id, None, false);
        let taken = self.take_over(actor, &mut changes, &new.uploads, hangs_on, &mut HashSet::new()).await?;
        let attachments = self.keep_files(actor, id, &new.files, checked).await?;
        let mut ticket = Ticket {
            assignee: new.assignee,
            group: new.group,
            priority: new.priority,
            kind: new.kind,
            category: new.category,
            subcategory: new.subcategory,
            department: new.department,
            tags: new.tags,
            fields: new.fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
            scheduled_for: new.scheduled_for,
            via: actor.via().name.clone().into_owned(),
            attachments: taken + u32::try_from(attachments.len()).unwrap_or_default(),
            ..Ticket::new(requester, new.subject, new.description)
        };
        self.hold_receivers(actor, &mut changes, None, &mut ticket).await?;
        let mut slots = Vec::with_capacity(attachments.len());
        let slot = self.begin(actor, &mut changes, id, &ticket, &organisation);
        receipt(&self.desk, &mut changes, actor, id);
        for (id, attachment) in &attachments {
            slots.push(changes.insert(actor.scope(), *id, attachment));
        }
        let at = changes.at();
        let committed = match self.desk.commit(changes).await {
            Ok(committed) => committed,
            Err(error) => {
                // Where nobody knows whether the ticket was made, it must not be one whose files are gone.
                if !matches!(error, StorageError::Unknown { .. }) {
                    self.drop_files(attachments.iter().map(|(_, attachment)| attachment)).await;
                }
                return Err(error.into());
            }
        };
        let scope = actor.scope();
        let attachments = attachments.into_iter().zip(slots);
        let attachments = attachments
            .map(|((id, value), slot)| Stored::inserted(scope, id, at, committed.written(slot), value));
        let attachments = attachments.collect();
        Ok((Stored::inserted(scope, id, at, committed.written(slot), ticket), attachments))
    }

    /// Has the commit make a ticket, write down that it did, and tell whom it concerns.
    pub(super) fn begin(
        &self,
        actor: &Actor,
        changes: &mut Changes,
        id: TicketId,
        ticket: &Ticket,
        organisation: &Organisation,
    ) -> Slot {
        let slot = changes.insert(actor.scope(), id, ticket);
        let mut draft = EventDraft::new::<Ticket>("ticket.created", id, 1, audience(ticket, false))
            .changes(changed_fields(None, ticket))
            .with("attachments", ticket.attachments);
        if let Some(closed) = ticket.follow_up_of {
            draft = draft.with("follow_up_of", closed.to_string());
        }
        changes.event(actor, self.new_id(changes), draft);
        let deed = Deed { ticket: id, version: 1, before: None, after: ticket, words: Vec::new() };
        tell(&self.desk, changes, actor, &deed);
        have_looked_at(&self.desk, changes, actor.scope(), id, organisation);
        slot
    }

    /// Keeps the content of files, so that it is there when the ticket is.
    async fn keep_files(
        &self,
        actor: &Actor,
        ticket: TicketId,
        files: &[NewFile],
        checked: Vec<CheckedFile>,
    ) -> Result<Vec<(AttachmentId, Attachment)>> {
        let mut kept: Vec<(AttachmentId, Attachment)> = Vec::with_capacity(files.len());
        for (file, CheckedFile { name, media_type }) in files.iter().zip(checked) {
            let id = AttachmentId::from_uuid(self.desk.ids().id(self.desk.now()));
            let blob = format!("{}/attachments/{id}", actor.organisation());
            if let Err(error) = self.desk.blobs().put(&blob, file.content.clone()).await {
                self.drop_files(kept.iter().map(|(_, attachment)| attachment)).await;
                return Err(error.into());
            }
            let attachment = Attachment {
                ticket,
                message: None,
                name,
                media_type,
                size: file.content.len() as u64,
                uploaded_by: actor.who(),
                internal: false,
                blob,
            };
            kept.push((id, attachment));
        }
        Ok(kept)
    }

    /// Forgets the content of files whose ticket was not made.
    async fn drop_files(&self, files: impl Iterator<Item = &Attachment> + Send) {
        for file in files {
            if let Err(error) = self.desk.blobs().delete(&file.blob).await {
                tracing::warn!(%error, "the file of a ticket that was not made could not be deleted");
            }
        }
    }
}
