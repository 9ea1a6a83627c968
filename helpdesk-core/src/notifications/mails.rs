//! The mails of notifications, as jobs: each its own, so that one that cannot be sent holds up no other.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::notification::{Notification, NotificationId};
use crate::actor::{Via, Who};
use crate::helpdesk::Helpdesk;
use crate::identity::{Receiver, User, UserId, send_mail, send_mail_to};
use crate::jobs::{Job, JobDraft, JobError, JobHandler};
use crate::mail::MailTemplate;
use crate::storage::Changes;
use crate::tickets::{Message, MessageId, Ticket, TicketId, Visibility};

const NOTICE_MAIL: &str = "notification_mail";
const REPLY_MAIL: &str = "ticket_reply_mail";

#[derive(Debug, Serialize, Deserialize)]
struct Notice {
    notification: NotificationId,
}

/// A mail that says what a notification says.
pub(super) fn notice_mail(notification: NotificationId, at: DateTime<Utc>) -> JobDraft {
    JobDraft::new(NOTICE_MAIL, format!("{NOTICE_MAIL}:{notification}"), at, &Notice { notification })
}

/// Sends such a mail.
#[derive(Debug)]
pub(super) struct NoticeMail;

#[async_trait]
impl JobHandler for NoticeMail {
    fn name(&self) -> &'static str {
        NOTICE_MAIL
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let Notice { notification } = job.payload()?;
        let notification = desk.store().get::<Notification>(job.scope(), notification).await?;
        let Some(notification) = notification else { return Ok(desk.changes()) };
        let user = desk.store().get::<User>(job.scope(), notification.receiver).await?;
        if let Some(user) = user.filter(|user| user.state.is_active()) {
            let context = json!({
                "title": notification.title,
                "message": notification.message,
                "link": notification.link().map(|path| format!("{}{path}", desk.site())),
            });
            send_mail(desk, job, MailTemplate::Notification, &user, context).await?;
        }
        Ok(desk.changes())
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Reply {
    ticket: TicketId,
    message: MessageId,
    to: To,
    via: Via,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum To {
    User(UserId),
    /// Somebody in copy.
    Address(String),
}

/// A mail with what was said on a ticket, to somebody with an account.
pub(super) fn reply_mail(
    ticket: TicketId,
    message: MessageId,
    to: UserId,
    via: &Via,
    at: DateTime<Utc>,
) -> JobDraft {
    let reply = Reply { ticket, message, to: To::User(to), via: via.clone() };
    JobDraft::new(REPLY_MAIL, format!("{REPLY_MAIL}:{message}:{to}"), at, &reply)
}

/// The same, to somebody in copy.
pub(super) fn copy_mail(
    ticket: TicketId,
    message: MessageId,
    to: &str,
    via: &Via,
    at: DateTime<Utc>,
) -> JobDraft {
    let reply = Reply { ticket, message, to: To::Address(to.to_owned()), via: via.clone() };
    // Keys are seen by those who look after jobs; addresses are not for them.
    let name = URL_SAFE_NO_PAD.encode(Sha256::digest(to.as_bytes()));
    JobDraft::new(REPLY_MAIL, format!("{REPLY_MAIL}:{message}:{name}"), at, &reply)
}

/// Sends such a mail.
#[derive(Debug)]
pub(super) struct ReplyMail;

#[async_trait]
impl JobHandler for ReplyMail {
    fn name(&self) -> &'static str {
        REPLY_MAIL
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let Reply { ticket, message, to, via } = job.payload()?;
        let (store, scope) = (desk.store(), job.scope());
        let ticket = store.get::<Ticket>(scope, ticket).await?.filter(|ticket| ticket.deleted.is_none());
        let message = store.get::<Message>(scope, message).await?;
        let (Some(ticket), Some(message)) = (ticket, message) else { return Ok(desk.changes()) };
        let author = match message.author {
            Who::User(author) => store.get::<User>(scope, author).await?.map(|author| author.full_name()),
            Who::ApiKey(_) | Who::Anonymous | Who::System => None,
        };
        let context = json!({
            "reference": via.tickets.format(ticket.number),
            "subject": ticket.subject,
            "author": author.as_deref().unwrap_or("The help desk"),
            "body": message.body,
        });
        match to {
            To::User(user) => {
                let user = store.get::<User>(scope, user).await?;
                if let Some(user) = user.filter(|user| user.state.is_active()) {
                    send_mail(desk, job, MailTemplate::TicketReply, &user, context).await?;
                }
            }
            To::Address(address) => {
                // Whoever was taken off the ticket meanwhile gets nothing more, and nobody in copy gets a note.
                let cc = ticket.cc.iter().find(|cc| cc.address == address);
                if let Some(cc) = cc.filter(|_| message.visibility == Visibility::Public) {
                    let name = cc.name.as_deref().unwrap_or(&cc.address);
                    let to = Receiver { address: &cc.address, name, first_name: name };
                    send_mail_to(desk, job, MailTemplate::TicketReply, scope, to, context).await?;
                }
            }
        }
        Ok(desk.changes())
    }
}
