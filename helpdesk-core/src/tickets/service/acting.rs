//! Acting on tickets.

use uuid::Uuid;

use super::checks::check_act;
use super::rights::check_right;
use super::{Tickets, audience, changed_fields, check_visible};
use crate::actor::Actor;
use crate::error::{Conflict, Error, Problem, Result};
use crate::events::EventDraft;
use crate::identity::{User, permissions};
use crate::storage::{Changes, EntityId as _, Slot, Stored};
use crate::tickets::acts::{Act, Circumstances, Comment, Decision, decide};
use crate::tickets::message::{Message, MessageId, Visibility};
use crate::tickets::reactions::{organisation, react};
use crate::tickets::status::Status;
use crate::tickets::ticket::{Ticket, TicketId};
use crate::tickets::workflow::Workflow;

/// What an act has done.
#[derive(Clone, Debug)]
pub struct Done {
    /// Where the ticket stood before.
    pub before: Status,
    /// The ticket as it stands now.
    pub ticket: Stored<Ticket>,
    /// The message that was left, if any.
    pub message: Option<MessageId>,
}

/// An act that was decided and waits to be committed.
#[derive(Debug)]
pub(in crate::tickets) struct Planned {
    pub changes: Changes,
    slot: Slot,
    decision: Decision,
    message: Option<MessageId>,
}

impl Tickets {
    /// Does something to a ticket.
    ///
    /// `expected` is the version that the caller has seen; a ticket that has changed since is left alone.
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
        check_act(&act)?;
        let act = &act;
        let ((before, planned, at), committed) = self
            .desk
            .decide(|| async move {
                let before = self.load(actor, id).await?;
                check_visible(actor, &before)?;
                check_right(actor, &before, act)?;
                if expected.is_some_and(|expected| expected != before.version) {
                    return Err(Error::Conflict(Conflict::Stale { current: before.version }));
                }
                let mut planned = self.plan(actor, &before, act.clone(), workflow).await?;
                let changes = std::mem::replace(&mut planned.changes, self.desk.changes());
                let at = changes.at();
                Ok((changes, (before, planned, at)))
            })
            .await?;
        let Planned { slot, decision, message, .. } = planned;
        let ticket = before.replaced(at, committed.written(slot), decision.ticket);
        Ok(Done { before: before.state.status(), ticket, message })
    }

    /// Decides an act, and what follows from it.
    pub(in crate::tickets) async fn plan(
        &self,
        actor: &Actor,
        before: &Stored<Ticket>,
        act: Act,
        workflow: Option<&Workflow>,
    ) -> Result<Planned> {
        if let Act::Assign { to: Some(to) } = act {
            let somebody = self.desk.store().get::<User>(actor.scope(), to).await?;
            somebody
                .filter(|user| user.state.is_active())
                .ok_or_else(|| Error::invalid("assignee", Problem::Unknown("account")))?;
        }
        let mut changes = self.desk.changes();
        let circumstances = Circumstances {
            now: changes.at(),
            made: before.created_at,
            actor: actor.user(),
            may_reopen: actor.has(&permissions::TICKET_REOPEN),
            workflow: workflow.unwrap_or_else(|| self.desk.workflow()),
        };
        let decision = decide(&before.value, act, &circumstances)?;
        let slot = changes.update(before, &decision.ticket);
        let message =
            decision.comment.as_ref().map(|comment| self.say(&mut changes, actor, before.id, comment));
        let internal = decision.comment.as_ref().is_some_and(|c| c.visibility == Visibility::Internal)
            && decision.action == "ticket.noted";
        let version = changes.version_after(slot);
        let mut draft = EventDraft::new::<Ticket>(
            decision.action,
            before.id,
            version,
            audience(&decision.ticket, internal),
        )
        .changes(changed_fields(Some(&before.value), &decision.ticket))
        .reason(decision.reason.clone());
        if let Some(message) = message {
            draft = draft.with("message", message.to_string());
        }
        changes.event(actor, self.new_id(&changes), draft);
        let organisation = organisation(&self.desk, actor).await?;
        react(&self.desk, &mut changes, actor, before, &decision, &organisation);
        Ok(Planned { changes, slot, decision, message })
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

    pub(super) fn new_id(&self, changes: &Changes) -> Uuid {
        self.desk.ids().id(changes.at())
    }
}
