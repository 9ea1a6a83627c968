//! How clients that stay connected are told of events: the document's five, each with the object that its REST operation
//! would answer.
//!
//! | event | told when | data |
//! | --- | --- | --- |
//! | `ticket.created` | a ticket was made | the ticket, as lists show it |
//! | `ticket.assigned` | a ticket was given to somebody | the same |
//! | `ticket.updated` | anything else changed, also beside that; with `deleted_at` where it was deleted | the same |
//! | `comment.added` | something was said | the comment |
//! | `notification.new` | somebody is told of something | the notification |

use std::sync::Arc;

use async_trait::async_trait;
use helpdesk_core::events::{Bearer, Event, Feed, Mark, Told, View, Viewer};
use helpdesk_core::identity::permissions;
use helpdesk_core::notifications::Notification;
use helpdesk_core::storage::{EntityId as _, Stored};
use helpdesk_core::tickets::TicketNews;
use helpdesk_core::{Actor, Helpdesk, Result, Via};
use serde::Serialize;
use uuid::Uuid;

use super::{comments, door, notifications, show};

const CREATED: &str = "ticket.created";
const UPDATED: &str = "ticket.updated";
const ASSIGNED: &str = "ticket.assigned";
const COMMENTED: &str = "comment.added";
const NOTIFIED: &str = "notification.new";

/// The events of the dialect, for clients that stay connected.
#[derive(Debug)]
pub struct SupportDeskFeed {
    via: Arc<Via>,
}

impl SupportDeskFeed {
    /// The feed. Everybody is told of what happens in their own organisation.
    #[must_use]
    pub fn new() -> Self {
        Self { via: door() }
    }
}

impl Default for SupportDeskFeed {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Feed for SupportDeskFeed {
    fn name(&self) -> &'static str {
        "supportdesk"
    }

    fn names(&self) -> &'static [&'static str] {
        &[CREATED, UPDATED, ASSIGNED, COMMENTED, NOTIFIED]
    }

    async fn authenticate(&self, desk: &Helpdesk, token: &str) -> Result<Bearer> {
        desk.identity().authenticate_bearer(token, Arc::clone(&self.via)).await
    }

    async fn tell(&self, desk: &Helpdesk, event: &Event) -> Result<Vec<Arc<dyn Told>>> {
        if let Some(news) = desk.tickets().news(event).await? {
            return Ok(of_ticket(Arc::new(news)));
        }
        let made = desk.notifications().news(event).await?;
        Ok(made.map(|notification| of_notification(event, notification)).into_iter().collect())
    }
}

/// What is told of an event of a ticket: what became of it, to whom it went, and what was said, in this order.
fn of_ticket(news: Arc<TicketNews>) -> Vec<Arc<dyn Told>> {
    let mut told: Vec<Arc<dyn Told>> = Vec::new();
    let about = |name, part| TicketTold { name, part, news: Arc::clone(&news) };
    let action = news.event().action.as_str();
    let assigned = news.changes("assignee") && news.ticket.assignee.is_some();
    let changes = &news.event().detail.changes;
    // Who hears of updates alone keeps up with everything but who has a ticket: one act may give it to somebody and move
    // it as well.
    let updated = if assigned {
        changes.iter().any(|change| change.field != "assignee")
    } else {
        news.message.is_none() || !changes.is_empty()
    };
    // Of a ticket that is gone by now, only that it went is told.
    let gone = news.ticket.deleted.is_some() && action != "ticket.deleted";
    if !gone {
        if action == CREATED {
            told.push(Arc::new(about(CREATED, 0)));
        } else if updated {
            told.push(Arc::new(about(UPDATED, 0)));
        }
        if assigned {
            told.push(Arc::new(about(ASSIGNED, 1)));
        }
    }
    if news.message.is_some() {
        told.push(Arc::new(CommentTold { news }));
    }
    told
}

fn of_notification(event: &Event, notification: Arc<Stored<Notification>>) -> Arc<dyn Told> {
    Arc::new(NotificationTold { event: event.clone(), notification })
}

/// Every message: what happened, its place, and the object.
#[derive(Serialize)]
struct Envelope<T> {
    event: &'static str,
    id: String,
    data: T,
}

fn envelope(event: &'static str, mark: Mark, data: impl Serialize) -> String {
    // Objects are texts, numbers and lists, all of which JSON can say.
    serde_json::to_string(&Envelope { event, id: mark.to_string(), data }).unwrap_or_default()
}

/// Those who know of the desk's own business see a little more of a ticket than others.
fn view(actor: &Actor) -> View {
    View(u32::from(actor.has(&permissions::TICKET_ACCESS_INTERNAL)))
}

#[derive(Debug)]
struct TicketTold {
    name: &'static str,
    part: u16,
    news: Arc<TicketNews>,
}

/// A ticket, and when it was deleted if it is.
#[derive(Serialize)]
struct TicketData {
    #[serde(flatten)]
    ticket: show::TicketItem,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
}

impl Told for TicketTold {
    fn name(&self) -> &'static str {
        self.name
    }

    fn part(&self) -> u16 {
        self.part
    }

    fn about(&self) -> Option<Uuid> {
        Some(self.news.ticket.id.uuid())
    }

    fn view(&self, actor: &Actor) -> Option<View> {
        self.news.shows_ticket_to(actor).then(|| view(actor))
    }

    fn words(&self, to: Viewer<'_>, mark: Mark) -> String {
        let ticket = &self.news.ticket;
        let deleted_at = ticket.deleted.as_ref().map(|deletion| show::time(deletion.at));
        envelope(self.name, mark, TicketData { ticket: show::ticket(ticket, to.actor), deleted_at })
    }
}

#[derive(Debug)]
struct CommentTold {
    news: Arc<TicketNews>,
}

impl Told for CommentTold {
    fn name(&self) -> &'static str {
        COMMENTED
    }

    fn part(&self) -> u16 {
        2
    }

    fn about(&self) -> Option<Uuid> {
        Some(self.news.ticket.id.uuid())
    }

    fn view(&self, actor: &Actor) -> Option<View> {
        // Whoever may read it reads the same.
        self.news.shows_message_to(actor).then_some(View(0))
    }

    fn words(&self, to: Viewer<'_>, mark: Mark) -> String {
        let news = &self.news;
        let files = || news.files.iter().map(|file| &**file);
        let said = news.message.as_deref();
        let said = said.map(|message| comments::view(message, news.author.as_deref(), files(), to.base));
        envelope(COMMENTED, mark, said)
    }
}

/// A notification, for the one it is for.
#[derive(Debug)]
struct NotificationTold {
    event: Event,
    notification: Arc<Stored<Notification>>,
}

impl Told for NotificationTold {
    fn name(&self) -> &'static str {
        NOTIFIED
    }

    fn part(&self) -> u16 {
        0
    }

    fn about(&self) -> Option<Uuid> {
        self.notification.ticket.map(|ticket| ticket.uuid())
    }

    fn view(&self, actor: &Actor) -> Option<View> {
        let theirs = actor.user() == Some(self.notification.receiver);
        (theirs && self.event.is_visible_to(actor)).then_some(View(0))
    }

    fn words(&self, _: Viewer<'_>, mark: Mark) -> String {
        envelope(NOTIFIED, mark, notifications::view(&self.notification))
    }
}
