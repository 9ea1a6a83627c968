//! What follows from an act on a ticket: mails, timers, hand-overs. Each is a job of the same batch.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::acts::{Act, Decision};
use super::message::Attachment;
use super::satisfaction;
use super::status::{Status, StatusSet};
use super::ticket::{State, Ticket, TicketId};
use crate::actor::{Actor, Via};
use crate::gateway::HandOver;
use crate::helpdesk::Helpdesk;
use crate::identity::{Organisation, User};
use crate::jobs::{Job, JobDraft, JobError, JobHandler};
use crate::mail::MailTemplate;
use crate::service_levels;
use crate::storage::{Changes, EntityId as _, Filter, Scope, Stored};

const RECEIPT: &str = "ticket_receipt_mail";
const STATUS_MAIL: &str = "ticket_status_mail";
const AUTO_CLOSE: &str = "ticket_auto_close";
const HAND_OVER: &str = "ticket_hand_over";

/// Adds what follows from decisions to their batch. They were taken one after another on `before`; where the ticket
/// stands now, the last of them says.
pub(super) fn react(
    desk: &Helpdesk,
    changes: &mut Changes,
    actor: &Actor,
    before: &Stored<Ticket>,
    decisions: &[Decision],
    organisation: &Organisation,
) {
    let Some(after) = decisions.last().map(|decision| &decision.ticket) else { return };
    let (id, at, scope) = (before.id, changes.at(), actor.scope());
    let (was, is) = (before.state.status(), after.state.status());
    let did = |action: &str| decisions.iter().any(|decision| decision.action == action);
    let job_id = || desk.ids().id(at);
    if was != is && actor.user() != Some(before.requester) {
        let news = StatusNews { ticket: id, was: Some(was), status: is, via: (**actor.via()).clone() };
        let key = format!("{STATUS_MAIL}:{id}:{}", before.version + 1);
        changes.enqueue(scope, job_id(), JobDraft::new(STATUS_MAIL, key, at, &news));
    }
    let moved = before.state != after.state;
    if was == Status::Resolved && moved {
        changes.cancel_job(scope, timer_key(id));
    }
    // A timer that ran out while the ticket was deleted has done nothing, and is gone.
    let begins = moved || did("ticket.restored");
    if let State::Resolved { at: resolved } = after.state
        && begins
    {
        // T4: what the desk thinks done closes by itself.
        let hours = organisation.settings.auto_close_hours.clamp(1, 28 * 24);
        let due = (resolved + Duration::hours(i64::from(hours))).max(at);
        let timer = CloseTimer { ticket: id, resolved };
        changes.enqueue(scope, job_id(), JobDraft::new(AUTO_CLOSE, timer_key(id), due, &timer));
    }
    if did("ticket.handed_over") {
        let order = HandOverOrder { ticket: id, via: (**actor.via()).clone() };
        changes.enqueue(scope, job_id(), JobDraft::new(HAND_OVER, format!("{HAND_OVER}:{id}"), at, &order));
    }
    satisfaction::react(desk, changes, actor, before, after, organisation);
    service_levels::have_looked_at(desk, changes, scope, id, organisation);
}

fn timer_key(id: TicketId) -> String {
    format!("{AUTO_CLOSE}:{id}")
}

#[derive(Debug, Serialize, Deserialize)]
struct StatusNews {
    ticket: TicketId,
    #[serde(default)]
    was: Option<Status>,
    status: Status,
    via: Via,
}

/// What is told of a status by mail, where a door keeps from those who ask that a ticket waits for others: then it is
/// open to them. `None` where they see no difference.
fn told(was: Option<Status>, status: Status, via: &Via) -> Option<Status> {
    let seen = |status: Status| if via.mails_news { status.seen_from_outside() } else { status };
    (was.map(seen) != Some(seen(status)) && status != Status::Spam).then(|| seen(status))
}

/// Tells the requester where the ticket stands.
#[derive(Debug)]
pub(super) struct StatusMail;

#[async_trait]
impl JobHandler for StatusMail {
    fn name(&self) -> &'static str {
        STATUS_MAIL
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let StatusNews { ticket, was, status, via } = job.payload()?;
        let Some(status) = told(was, status, &via) else { return Ok(desk.changes()) };
        if let Some((ticket, requester)) = mailed(desk, job, ticket).await? {
            let context = json!({
                "reference": via.tickets.format(ticket.number),
                "subject": ticket.subject,
                "status": status.label(),
                "reason": ticket.state.rejection_reason().filter(|_| status == Status::Rejected),
            });
            crate::identity::send_mail(desk, job, MailTemplate::TicketStatus, &requester, context).await?;
        }
        Ok(desk.changes())
    }
}

/// Whether somebody who asked is told of their tickets by mail. Those who were shut out hear nothing more.
pub(super) const fn wants_mail(requester: &User) -> bool {
    !requester.state.is_shut_out() && requester.preferences.by_mail && requester.preferences.ticket_updates
}

/// A ticket and its requester, while the ticket is there and they want to be told of it by mail.
async fn mailed(
    desk: &Helpdesk,
    job: &Job,
    ticket: TicketId,
) -> Result<Option<(Arc<Stored<Ticket>>, Arc<Stored<User>>)>, JobError> {
    let ticket = desk.store().get::<Ticket>(job.scope(), ticket).await?;
    let Some(ticket) = ticket.filter(|ticket| ticket.deleted.is_none()) else { return Ok(None) };
    let requester = desk.store().get::<User>(job.scope(), ticket.requester).await?;
    Ok(requester.filter(|requester| wants_mail(requester)).map(|requester| (ticket, requester)))
}

#[derive(Debug, Serialize, Deserialize)]
struct Receipt {
    ticket: TicketId,
    via: Via,
}

/// A mail to the requester of a new ticket that it was received, where the door tells of tickets by mail.
pub(super) fn receipt(desk: &Helpdesk, changes: &mut Changes, actor: &Actor, ticket: TicketId) {
    if actor.via().mails_news {
        let receipt = Receipt { ticket, via: (**actor.via()).clone() };
        let draft = JobDraft::new(RECEIPT, format!("{RECEIPT}:{ticket}"), changes.at(), &receipt);
        changes.enqueue(actor.scope(), desk.ids().id(changes.at()), draft);
    }
}

/// Sends such a mail.
#[derive(Debug)]
pub(super) struct ReceiptMail;

#[async_trait]
impl JobHandler for ReceiptMail {
    fn name(&self) -> &'static str {
        RECEIPT
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let Receipt { ticket, via } = job.payload()?;
        if let Some((ticket, requester)) = mailed(desk, job, ticket).await? {
            let context = json!({
                "reference": via.tickets.format(ticket.number),
                "subject": ticket.subject,
                "description": ticket.description,
            });
            crate::identity::send_mail(desk, job, MailTemplate::TicketReceived, &requester, context).await?;
        }
        Ok(desk.changes())
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct CloseTimer {
    ticket: TicketId,
    resolved: DateTime<Utc>,
}

/// Closes a ticket that has been resolved for long enough.
#[derive(Debug)]
pub(super) struct AutoClose;

#[async_trait]
impl JobHandler for AutoClose {
    fn name(&self) -> &'static str {
        AUTO_CLOSE
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let CloseTimer { ticket, resolved } = job.payload()?;
        let actor =
            Actor::system(crate::identity::OrganisationId::from_uuid(job.scope().id().unwrap_or_default()));
        let before = desk.store().get::<Ticket>(job.scope(), ticket).await?;
        // Whoever moved it meanwhile has cancelled the timer; one that runs just then finds another state.
        let due = |ticket: &Arc<Stored<Ticket>>| {
            ticket.deleted.is_none() && ticket.state == State::Resolved { at: resolved }
        };
        let Some(before) = before.filter(due) else { return Ok(desk.changes()) };
        let from = Some(StatusSet::of(&[Status::Resolved]));
        let act = Act::Move { to: Status::Closed, from, comment: None };
        match desk.tickets().plan(&actor, &before, act, None).await {
            Ok(planned) => Ok(planned.changes),
            // The team's table has no such move: then nothing closes by itself.
            Err(crate::Error::Rejected(_)) => Ok(desk.changes()),
            Err(error) => Err(error.into()),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct HandOverOrder {
    ticket: TicketId,
    via: Via,
}

/// Hands a ticket over to the external workflow.
#[derive(Debug)]
pub(super) struct HandOverTicket;

#[async_trait]
impl JobHandler for HandOverTicket {
    fn name(&self) -> &'static str {
        HAND_OVER
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let HandOverOrder { ticket, via } = job.payload()?;
        let scope = job.scope();
        let Some(gateway) = desk.gateway() else { return Ok(desk.changes()) };
        let Some(ticket) = desk.store().get::<Ticket>(scope, ticket).await? else {
            return Ok(desk.changes());
        };
        let requester = desk.store().get::<User>(scope, ticket.requester).await?;
        let requester = requester.ok_or_else(|| JobError::give_up("the requester is gone"))?;
        let assignee = match ticket.assignee {
            Some(assignee) => desk.store().get::<User>(scope, assignee).await?,
            None => None,
        };
        let files = desk.store().select::<Attachment>(scope);
        let attachments = files.filter(Filter::equals("ticket", ticket.id.uuid())).all().await?;
        let reference = via.tickets.format(ticket.number);
        let order = HandOver { id: job.id(), reference, ticket, requester, assignee, attachments };
        gateway.hand_over(&order).await?;
        Ok(desk.changes())
    }
}

/// The organisation of an actor, for its settings.
pub(super) async fn organisation(desk: &Helpdesk, actor: &Actor) -> crate::Result<Arc<Stored<Organisation>>> {
    let found = desk.store().get::<Organisation>(Scope::GLOBAL, actor.organisation()).await?;
    found.ok_or(crate::Error::NotFound { what: "organisation" })
}
