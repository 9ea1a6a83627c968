//! Acting on tickets.

use std::collections::HashSet;
use std::sync::Arc;

use uuid::Uuid;

use super::checks::check_asked;
use super::following_up::FollowUp;
use super::rights::check_right;
use super::seeing::Standing;
use super::{INTERNAL_ACTIONS, Tickets, audience, changed_fields};
use crate::actor::Actor;
use crate::error::{Conflict, Error, Problem, Result};
use crate::events::EventDraft;
use crate::identity::{Organisation, permissions};
use crate::notifications::{Deed, tell};
use crate::service_levels::{BY_DESK, BY_REQUESTER, REPLY};
use crate::storage::{Changes, Committed, EntityId as _, Slot, Stored};
use crate::tickets::acts::{Act, Asked, Circumstances, Comment, Decision, decide};
use crate::tickets::fields::{check_complete, check_values};
use crate::tickets::message::{Attachment, AttachmentId, Message, MessageId, Visibility};
use crate::tickets::reactions::{organisation, react};
use crate::tickets::status::Status;
use crate::tickets::ticket::{State, Ticket, TicketId};
use crate::tickets::workflow::Workflow;
use crate::uploads::{Purpose, Upload, UploadId, cancel_expiry};

/// What was done.
#[derive(Clone, Debug)]
pub struct Done {
    /// Where the ticket stood before.
    pub before: Status,
    /// The ticket as it stands now. A reply can land on another ticket than it was meant for: on the one that this was
    /// merged into, or on a follow-up.
    pub ticket: Stored<Ticket>,
    /// The message that was left, if any; the last of several.
    pub message: Option<MessageId>,
}

/// Acts that were decided and wait to be committed.
#[derive(Debug)]
pub(in crate::tickets) struct Planned {
    pub changes: Changes,
    /// Where the ticket is among the writes, unless nothing changes.
    slot: Option<Slot>,
    ticket: Ticket,
    message: Option<MessageId>,
}

/// Who answers whom by what is said in public; nobody, where the desk tells of a change by itself (T6).
fn reply(c: &Circumstances<'_>, ticket: &Ticket, decision: &Decision) -> Option<&'static str> {
    let comment = decision.comment.as_ref()?;
    c.actor.filter(|_| comment.visibility == Visibility::Public && !comment.automatic)?;
    Some(if c.from_outside(ticket) { BY_REQUESTER } else { BY_DESK })
}

/// What comes of acts on a ticket.
enum Outcome {
    Changed(Arc<Stored<Ticket>>, Planned),
    FollowedUp(FollowUp),
}

impl Tickets {
    /// Does something to a ticket.
    ///
    /// `expected` is the version that the caller has seen; a ticket that has changed since is left alone.
    ///
    /// A reply on a merged ticket lands on the one that it was merged into, and one on a closed ticket opens it again
    /// or becomes a ticket of its own, as its group will have it (T5).
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::Forbidden`] without the permission that the act needs, or where the actor may
    /// not see the ticket; [`Error::Invalid`] for what was said or given; [`Error::Conflict`] where the version is
    /// another or somebody was quicker; otherwise as [`decide`].
    pub async fn act(&self, actor: &Actor, id: TicketId, expected: Option<i64>, act: Act) -> Result<Done> {
        self.act_by(actor, id, expected, act, None).await
    }

    /// The same by another table of moves than the help desk's, for a door whose documents say so.
    ///
    /// # Errors
    ///
    /// As [`Tickets::act`].
    pub async fn act_by(
        &self,
        actor: &Actor,
        id: TicketId,
        expected: Option<i64>,
        act: Act,
        workflow: Option<&Workflow>,
    ) -> Result<Done> {
        self.do_all(actor, id, expected, &vec![act].into(), workflow).await
    }

    /// Does several things to a ticket, one after another, or what makes it what somebody wants it to be: all of it or
    /// nothing. The ticket takes one step, and each act that changed something is an event of its own.
    ///
    /// # Errors
    ///
    /// As [`Tickets::act`].
    pub async fn act_all(
        &self,
        actor: &Actor,
        id: TicketId,
        expected: Option<i64>,
        asked: impl Into<Asked> + Send,
    ) -> Result<Done> {
        self.do_all(actor, id, expected, &asked.into(), None).await
    }

    async fn do_all(
        &self,
        actor: &Actor,
        id: TicketId,
        expected: Option<i64>,
        asked: &Asked,
        workflow: Option<&Workflow>,
    ) -> Result<Done> {
        check_asked(asked)?;
        let ((outcome, at), committed) = self
            .desk
            .decide(|| async move {
                let mut before = self.load(actor, id).await?;
                let mut standing = self.standing(actor, &before).await?;
                if expected.is_some_and(|expected| expected != before.version) {
                    return Err(Error::Conflict(Conflict::Stale { current: before.version }));
                }
                // T10: a reply to the old number lands on the ticket that it is part of.
                if let (Asked::Acts(acts), State::Merged { into, .. }, None) =
                    (asked, &before.state, &before.deleted)
                    && matches!(acts[..], [Act::Say(_)])
                {
                    before = self.load(actor, *into).await?;
                    standing = self.standing(actor, &before).await?;
                }
                let acts = asked.acts(&before, actor.has(&permissions::TICKET_ACCESS_INTERNAL));
                for act in &acts {
                    check_right(actor, standing, act)?;
                    self.check_assignment(actor, &before, act).await?;
                }
                if let Some(follow_up) = self.follow_up(actor, standing, &before, &acts).await? {
                    let at = follow_up.changes.at();
                    let (changes, follow_up) = follow_up.split(self.desk.changes());
                    return Ok((changes, (Outcome::FollowedUp(follow_up), at)));
                }
                let mut planned = self.plan_for(actor, standing, &before, acts, workflow).await?;
                let changes = std::mem::replace(&mut planned.changes, self.desk.changes());
                let at = changes.at();
                Ok((changes, (Outcome::Changed(before, planned), at)))
            })
            .await?;
        Ok(match outcome {
            Outcome::FollowedUp(follow_up) => follow_up.done(actor, at, &committed),
            Outcome::Changed(before, planned) => Self::done(&before, planned, at, &committed),
        })
    }

    fn done(
        before: &Stored<Ticket>,
        planned: Planned,
        at: chrono::DateTime<chrono::Utc>,
        committed: &Committed,
    ) -> Done {
        let Planned { slot, ticket, message, .. } = planned;
        let ticket = match slot {
            Some(slot) => before.replaced(at, committed.written(slot), ticket),
            None => before.clone(),
        };
        Done { before: before.state.status(), ticket, message }
    }

    /// Decides an act, and what follows from it, for who needs no leave.
    pub(in crate::tickets) async fn plan(
        &self,
        actor: &Actor,
        before: &Stored<Ticket>,
        act: Act,
        workflow: Option<&Workflow>,
    ) -> Result<Planned> {
        self.plan_for(actor, Standing::default(), before, vec![act], workflow).await
    }

    /// Decides acts one after another, and what follows from them.
    async fn plan_for(
        &self,
        actor: &Actor,
        standing: Standing,
        before: &Stored<Ticket>,
        acts: Vec<Act>,
        workflow: Option<&Workflow>,
    ) -> Result<Planned> {
        let organisation = organisation(&self.desk, actor).await?;
        self.check_given(actor, &organisation, &acts).await?;
        let mut changes = self.desk.changes();
        let circumstances = Circumstances {
            now: changes.at(),
            actor: actor.user(),
            copied: standing.copied,
            may_reopen: actor.has(&permissions::TICKET_REOPEN),
            closed_replies: self.closed_replies(actor, before, &acts).await?,
            workflow: workflow.unwrap_or_else(|| self.desk.workflow()),
        };
        // Each is decided on what the ones before it have made of the ticket.
        let mut steps: Vec<(Ticket, Decision)> = Vec::with_capacity(acts.len());
        let mut current = before.value.clone();
        for act in acts {
            let decision = decide(&current, act, &circumstances)?;
            let next = decision.ticket.clone();
            if decision.changes(&current) {
                steps.push((current, decision));
            }
            current = next;
        }
        if current.state.status() == Status::Resolved && before.state.status() != Status::Resolved {
            check_complete(&organisation.settings.ticket_fields, &current.fields).into_result()?;
        }
        let Some((_, last)) = steps.last_mut() else {
            return Ok(Planned { changes, slot: None, ticket: current, message: None });
        };
        self.hold_receivers(actor, &mut changes, Some(&before.value), &mut current).await?;
        last.ticket.clone_from(&current);

        let mut messages = Vec::with_capacity(steps.len());
        let mut taken = HashSet::new();
        for (_, decision) in &steps {
            let Some(comment) = &decision.comment else {
                messages.push(None);
                continue;
            };
            let message = self.say(&mut changes, actor, before.id, comment);
            let internal = comment.visibility == Visibility::Internal;
            let hangs_on = (before.id, Some(message), internal);
            current.attachments +=
                self.take_over(actor, &mut changes, &comment.uploads, hangs_on, &mut taken).await?;
            messages.push(Some(message));
        }
        current.measure(before.created_at);
        let slot = changes.update(before, &current);
        let version = changes.version_after(slot);
        for ((from, decision), message) in steps.iter().zip(&messages) {
            let internal = INTERNAL_ACTIONS.contains(&decision.action);
            let audience = audience(&decision.ticket, internal);
            let mut draft = EventDraft::new::<Ticket>(decision.action, before.id, version, audience)
                .changes(changed_fields(Some(from), &decision.ticket))
                .reason(decision.reason.clone());
            if let Some(message) = message {
                draft = draft.with("message", message.to_string());
            }
            if let Some(by) = reply(&circumstances, from, decision) {
                draft = draft.with(REPLY, by);
            }
            changes.event(actor, self.new_id(&changes), draft);
        }
        let mut decisions: Vec<_> = steps.into_iter().map(|(_, decision)| decision).collect();
        if let Some(last) = decisions.last_mut() {
            last.ticket.attachments = current.attachments;
        }
        react(&self.desk, &mut changes, actor, before, &decisions, &organisation);
        let spoken = messages.iter().zip(&decisions);
        let words =
            spoken.filter_map(|(message, decision)| (*message).zip(decision.comment.as_ref())).collect();
        let deed = Deed { ticket: before.id, version, before: Some(&before.value), after: &current, words };
        tell(&self.desk, &mut changes, actor, &deed);
        let message = messages.into_iter().flatten().last();
        Ok(Planned { changes, slot: Some(slot), ticket: current, message })
    }

    /// Checks what only the store can tell of what is given with acts.
    async fn check_given(&self, actor: &Actor, organisation: &Organisation, acts: &[Act]) -> Result<()> {
        let mut problems = crate::error::Problems::default();
        for act in acts {
            match act {
                Act::Edit(edit) => {
                    check_values(&organisation.settings.ticket_fields, &edit.fields, &mut problems);
                }
                Act::Follow { who } => {
                    if let Err(problem) = self.of_the_desk(actor, *who).await? {
                        problems.add("follower", problem);
                    }
                }
                _ => {}
            }
        }
        problems.into_result()
    }

    fn say(&self, changes: &mut Changes, actor: &Actor, ticket: TicketId, comment: &Comment) -> MessageId {
        let id = MessageId::from_uuid(self.new_id(changes));
        let message = Message {
            ticket,
            author: actor.who(),
            body: comment.body.clone(),
            visibility: comment.visibility,
            automatic: comment.automatic,
            ext: serde_json::Map::new(),
        };
        changes.insert(actor.scope(), id, &message);
        id
    }

    /// Makes attachments of the actor's uploads. An upload that is taken over is gone, so nothing takes it twice; the
    /// attachment has its id. Answers how many they are.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for `attachments` where one is not there, or somebody else's.
    pub(super) async fn take_over(
        &self,
        actor: &Actor,
        changes: &mut Changes,
        uploads: &[UploadId],
        (ticket, message, internal): (TicketId, Option<MessageId>, bool),
        taken: &mut HashSet<UploadId>,
    ) -> Result<u32> {
        let mut named = HashSet::with_capacity(uploads.len());
        let uploads: Vec<_> = uploads.iter().copied().filter(|id| named.insert(*id)).collect();
        let found = self.desk.store().get_map::<Upload>(actor.scope(), uploads.iter().copied()).await?;
        let mut count = 0;
        for id in uploads {
            let upload = found.get(&id.uuid()).filter(|upload| upload.uploaded_by == actor.who());
            let upload = upload.filter(|upload| upload.purpose != Purpose::Picture && taken.insert(id));
            let upload = upload.ok_or_else(|| Error::invalid("attachments", Problem::Unknown("upload")))?;
            let attachment = Attachment {
                ticket,
                message,
                name: upload.name.clone(),
                media_type: upload.media_type.clone(),
                size: upload.size,
                uploaded_by: upload.uploaded_by,
                internal,
                blob: upload.blob.clone(),
            };
            changes.delete(upload);
            cancel_expiry(changes, actor.scope(), id);
            changes.insert(actor.scope(), AttachmentId::from_uuid(id.uuid()), &attachment);
            count += 1;
        }
        Ok(count)
    }

    pub(super) fn new_id(&self, changes: &Changes) -> Uuid {
        self.desk.ids().id(changes.at())
    }
}
