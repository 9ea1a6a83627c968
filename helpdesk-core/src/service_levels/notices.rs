//! Telling those who have a ticket that its time runs out.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::meter::{Entry, Turn};
use super::record::TicketLevels;
use crate::groups::Group;
use crate::helpdesk::Helpdesk;
use crate::identity::{User, UserId};
use crate::jobs::{Job, JobDraft, JobError, JobHandler};
use crate::mail::MailTemplate;
use crate::storage::{Changes, Stored};
use crate::tickets::{Ticket, TicketId};

const NOTICE: &str = "service_level_notice";
const MAIL: &str = "service_level_mail";
/// How many members of a group are told.
const MEMBERS: usize = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct News {
    ticket: TicketId,
    turn: Turn,
}

#[derive(Debug, Serialize, Deserialize)]
struct Letter {
    news: News,
    to: UserId,
}

/// Has those told who have a ticket, or whose group has it, where something is late or soon will be. What is late
/// already needs no warning, and what was done meanwhile neither. What is to be written down `later` is told then.
pub(super) fn tell(
    desk: &Helpdesk,
    changes: &mut Changes,
    ticket: &Stored<Ticket>,
    levels: &TicketLevels,
    entries: &[Entry],
    later: &[Entry],
) {
    let of = |turn| entries.iter().chain(later).filter(move |entry| entry.turn == turn);
    let last = of(Turn::Breached).next_back().or_else(|| of(Turn::Warned).next_back());
    let Some(last) = last.filter(|last| entries.contains(last)) else { return };
    let nobody = ticket.assignee.is_none() && ticket.group.is_none();
    if nobody || !levels.standing(last.metric).is_some_and(|standing| standing.active) {
        return;
    }
    let (id, at) = (ticket.id, changes.at());
    let news = News { ticket: id, turn: last.turn };
    let key = format!("{NOTICE}:{id}:{}", last.at.timestamp_micros());
    changes.enqueue(ticket.scope, desk.ids().id(at), JobDraft::new(NOTICE, key, at, &news));
}

/// Finds out who is to be told.
#[derive(Debug)]
pub(super) struct Notice;

#[async_trait]
impl JobHandler for Notice {
    fn name(&self) -> &'static str {
        NOTICE
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let news: News = job.payload()?;
        let (scope, mut changes) = (job.scope(), desk.changes());
        let ticket = desk.store().get::<Ticket>(scope, news.ticket).await?;
        let Some(ticket) = ticket.filter(|ticket| ticket.deleted.is_none()) else { return Ok(changes) };
        let people = match (ticket.assignee, ticket.group) {
            (Some(assignee), _) => vec![assignee],
            (None, Some(group)) => {
                let group = desk.store().get::<Group>(scope, group).await?;
                group.map(|group| group.members.iter().take(MEMBERS).copied().collect()).unwrap_or_default()
            }
            (None, None) => Vec::new(),
        };
        let at = changes.at();
        for to in people {
            let key = format!("{MAIL}:{}:{to}", job.id());
            changes.enqueue(scope, desk.ids().id(at), JobDraft::new(MAIL, key, at, &Letter { news, to }));
        }
        Ok(changes)
    }
}

/// Tells somebody by mail, where they want that.
#[derive(Debug)]
pub(super) struct NoticeMail;

#[async_trait]
impl JobHandler for NoticeMail {
    fn name(&self) -> &'static str {
        MAIL
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let Letter { news, to } = job.payload()?;
        let ticket = desk.store().get::<Ticket>(job.scope(), news.ticket).await?;
        let to = desk.store().get::<User>(job.scope(), to).await?;
        let (Some(ticket), Some(to)) = (ticket, to) else { return Ok(desk.changes()) };
        let wanted = to.preferences.by_mail && to.preferences.ticket_updates && to.state.is_active();
        if wanted && ticket.deleted.is_none() {
            let title = match news.turn {
                Turn::Breached => format!("Ticket {} is late", ticket.number),
                _ => format!("Ticket {} is due soon", ticket.number),
            };
            let context = json!({ "title": title, "message": ticket.subject, "link": null });
            crate::identity::send_mail(desk, job, MailTemplate::Notification, &to, context).await?;
        }
        Ok(desk.changes())
    }
}
