//! Telling people of an act on a ticket: one job an act, which makes the notifications of all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::cleanup::cleanup;
use super::mails::{notice_mail, reply_mail};
use super::mentions;
use super::news::{Facts, MAX_RECEIVERS, News, hearers, told};
use super::notification::{Notification, NotificationId};
use crate::actor::{Actor, Via, Who};
use crate::events::{Audience, EventDraft};
use crate::groups::{Group, GroupId};
use crate::helpdesk::Helpdesk;
use crate::identity::{OrganisationId, User, UserId, permissions, permissions_by};
use crate::jobs::{Job, JobDraft, JobError, JobHandler};
use crate::storage::{Changes, EntityId as _, Stored};
use crate::tickets::{Comment, Message, MessageId, Status, Ticket, TicketId, Visibility};

const TELL_PEOPLE: &str = "ticket_news";
/// What is written down where a notification was made.
pub(super) const MADE: &str = "notification.created";

/// What was done to a ticket.
#[derive(Debug)]
pub(crate) struct Deed<'a> {
    /// The ticket.
    pub ticket: TicketId,
    /// Its version afterwards.
    pub version: i64,
    /// How it was, where it was there before.
    pub before: Option<&'a Ticket>,
    /// How it is.
    pub after: &'a Ticket,
    /// What was said, one after another.
    pub words: Vec<(MessageId, &'a Comment)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct TicketNews {
    ticket: TicketId,
    by: Option<UserId>,
    via: Via,
    /// Whether the ticket was made just now, so that its description is news.
    made: bool,
    assignee: Option<UserId>,
    given: Option<UserId>,
    /// The group that it came to, where nobody has it.
    #[serde(default)]
    came_to: Option<GroupId>,
    /// Whether it came to nobody in particular.
    #[serde(default)]
    unrouted: bool,
    moved: Option<(Status, Status)>,
    message: Option<MessageId>,
}

/// Has the people told whom it concerns. What they are told is written when the job runs.
pub(crate) fn tell(desk: &Helpdesk, changes: &mut Changes, actor: &Actor, deed: &Deed<'_>) {
    let Deed { ticket, version, before, after, words } = deed;
    let (ticket, version, before, after) = (*ticket, *version, *before, *after);
    if after.deleted.is_some() {
        return;
    }
    let (was, is) = (before.map(|before| before.state.status()), after.state.status());
    let had = before.and_then(|before| before.assignee);
    let moved = was.filter(|was| *was != is).map(|was| (was, is));
    let said: Vec<_> = words.iter().filter(|(_, comment)| !comment.automatic).collect();
    // Everybody is told once of an act. But of several things that were said each is told, and where the ticket went is
    // also for those who do not hear what the desk says among itself.
    let (together, apart) = match said[..] {
        [one] if moved.is_none() || one.1.visibility == Visibility::Public => (Some(one), Vec::new()),
        _ => (None, said),
    };
    let news = TicketNews {
        ticket,
        by: actor.user(),
        via: (**actor.via()).clone(),
        made: before.is_none(),
        assignee: after.assignee,
        given: after.assignee.filter(|assignee| Some(*assignee) != had && Some(*assignee) != actor.user()),
        came_to: after.group.filter(|group| {
            after.assignee.is_none() && before.is_none_or(|before| before.group != Some(*group))
        }),
        unrouted: before.is_none() && after.group.is_none() && after.assignee.is_none(),
        moved,
        message: together.map(|(message, _)| *message),
    };
    let calls = |text: &str| text.contains('@');
    let concerns_others = [Some(after.requester), after.assignee]
        .into_iter()
        .flatten()
        .chain(after.followers.iter().copied())
        .any(|user| Some(user) != actor.user());
    let heard = |comment: &Comment| concerns_others || !after.cc.is_empty() || calls(&comment.body);
    let mut enqueue = |key: String, news: &TicketNews| {
        let draft = JobDraft::new(TELL_PEOPLE, key, changes.at(), news);
        changes.enqueue(actor.scope(), desk.ids().id(changes.at()), draft);
    };
    let key = format!("{TELL_PEOPLE}:{ticket}:{version}");
    for (message, _) in apart.into_iter().filter(|(_, comment)| heard(comment)) {
        enqueue(format!("{key}:{message}"), &news.only(*message));
    }
    let worth_it = news.given.is_some()
        || news.came_to.is_some()
        || news.unrouted
        || (news.made && calls(&after.description))
        || (news.moved.is_some() && concerns_others)
        || together.is_some_and(|(_, comment)| heard(comment));
    if worth_it {
        enqueue(key, &news);
    }
}

impl TicketNews {
    /// That something was said, and nothing else.
    fn only(&self, message: MessageId) -> Self {
        Self {
            ticket: self.ticket,
            by: self.by,
            via: self.via.clone(),
            made: false,
            assignee: self.assignee,
            given: None,
            came_to: None,
            unrouted: false,
            moved: None,
            message: Some(message),
        }
    }
}

/// Makes the notifications of an act, and the jobs of their mails.
#[derive(Debug)]
pub(super) struct TellPeople;

#[async_trait]
impl JobHandler for TellPeople {
    fn name(&self) -> &'static str {
        TELL_PEOPLE
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let news: TicketNews = job.payload()?;
        let ticket = desk.store().get::<Ticket>(job.scope(), news.ticket).await?;
        let Some(ticket) = ticket.filter(|ticket| ticket.deleted.is_none()) else {
            return Ok(desk.changes());
        };
        let message = match news.message {
            Some(message) => desk.store().get::<Message>(job.scope(), message).await?,
            None => None,
        };
        let telling = Telling::prepare(desk, job, &ticket, message.as_deref(), &news).await?;
        let mut changes = desk.changes();
        telling.make(&mut changes);
        Ok(changes)
    }
}

/// All that is needed to tell people of one act.
struct Telling<'a> {
    desk: &'a Helpdesk,
    system: Actor,
    news: &'a TicketNews,
    ticket: &'a Stored<Ticket>,
    message: Option<&'a Stored<Message>>,
    called: Vec<UserId>,
    team: Vec<UserId>,
    everybody: Vec<UserId>,
    /// Those who may see it, with what they hear of.
    people: Vec<(Actor, Arc<Stored<User>>, News)>,
    author: Option<Arc<Stored<User>>>,
}

impl<'a> Telling<'a> {
    async fn prepare(
        desk: &'a Helpdesk,
        job: &Job,
        ticket: &'a Stored<Ticket>,
        message: Option<&'a Stored<Message>>,
        news: &'a TicketNews,
    ) -> Result<Self, JobError> {
        let organisation = OrganisationId::from_uuid(job.scope().id().unwrap_or_default());
        let system = Actor::system(organisation);
        let text = message.map(|message| message.body.as_str());
        let text = text.or(news.made.then_some(ticket.description.as_str())).unwrap_or_default();
        let called = desk.identity().called(&system, &mentions::names(text)).await?;
        let called = called.iter().map(|user| user.id).collect();
        let group = match news.came_to {
            Some(group) => desk.store().get::<Group>(job.scope(), group).await?,
            None => None,
        };
        let members = group.iter().filter(|group| group.deleted.is_none()).flat_map(|group| &group.members);
        // Those whose ticket it is come on top.
        let team = members.take(MAX_RECEIVERS / 2).copied().collect();
        // Whoever took it up meanwhile has it.
        let waits = ticket.assignee.is_none() && ticket.group.is_none() && ticket.state.status().waits();
        let everybody = if news.unrouted && waits {
            let people = desk.identity().who_sees_all(&system).await?;
            let want = people.iter().filter(|user| user.preferences.ticket_updates).map(|user| user.id);
            want.take(MAX_RECEIVERS / 2).collect()
        } else {
            Vec::new()
        };
        let mut telling = Self {
            desk,
            system,
            news,
            ticket,
            message,
            called,
            team,
            everybody,
            people: Vec::new(),
            author: None,
        };
        let hearers = hearers(ticket, &telling.facts());
        telling.load(hearers).await?;
        Ok(telling)
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            by: self.news.by,
            assignee: self.news.assignee,
            given: self.news.given,
            moved: self.news.moved,
            said: self.message.is_some(),
            internal: self.message.is_some_and(|message| message.visibility == Visibility::Internal),
            called: &self.called,
            team: &self.team,
            everybody: &self.everybody,
        }
    }

    /// Reads who hears of it, and leaves those away who may not see it or do not want to hear.
    async fn load(&mut self, hearers: BTreeMap<UserId, BTreeSet<News>>) -> Result<(), JobError> {
        let identity = self.desk.identity();
        let ids: Vec<_> = hearers.keys().take(MAX_RECEIVERS).copied().chain(self.news.by).collect();
        let users = identity.people(&self.system, ids).await?;
        let roles = identity.roles_of(&self.system, users.values().map(|user| &user.value)).await?;
        self.author = self.news.by.and_then(|by| users.get(&by.uuid()).cloned());
        let internal = self.facts().internal;
        for (id, news) in hearers {
            let user = users.get(&id.uuid()).filter(|user| user.state.is_active());
            let Some(user) = user else { continue };
            let Some(news) = told(&news, &user.preferences) else { continue };
            let may = permissions_by(user, &roles);
            let actor =
                Actor::new(Who::User(id), self.system.organisation(), may, Arc::clone(self.system.via()));
            let may_read = !internal || actor.has(&permissions::TICKET_ACCESS_INTERNAL);
            if may_read && self.desk.tickets().may_see(&actor, self.ticket).await? {
                self.people.push((actor, Arc::clone(user), news));
            }
        }
        Ok(())
    }

    fn make(&self, changes: &mut Changes) {
        let author = self.author.as_ref().map_or_else(|| "The help desk".to_owned(), |user| user.full_name());
        let facts = self.facts();
        for (actor, user, news) in &self.people {
            let of_the_desk = actor.has(&permissions::TICKET_ACCESS_INTERNAL);
            let words = news.words(&self.ticket.subject, &author, &facts, of_the_desk);
            let Some((title, message)) = words else { continue };
            let notification = Notification {
                receiver: user.id,
                kind: news.kind(),
                title: title.to_owned(),
                message,
                ticket: Some(self.ticket.id),
                read: None,
                ext: serde_json::Map::new(),
            };
            let id = NotificationId::from_uuid(self.desk.ids().id(changes.at()));
            changes.insert(self.system.scope(), id, &notification);
            let audience = Audience::default().and([user.id]);
            let draft =
                EventDraft::new::<Notification>(MADE, id, 1, audience).with("kind", notification.kind.name());
            changes.event(&self.system, self.desk.ids().id(changes.at()), draft);
            self.mail(changes, user, *news, id);
        }
        if !self.people.is_empty() {
            let draft = cleanup(changes.at());
            changes.enqueue(self.system.scope(), self.desk.ids().id(changes.at()), draft);
        }
        self.mail_copies(changes);
    }

    /// The mail of a notification: the words where there are any, or else the notification's own.
    fn mail(&self, changes: &mut Changes, user: &Stored<User>, news: News, id: NotificationId) {
        // Where the ticket stands, its requester is told by a mail of its own.
        let told_already = news == News::Moved && user.id == self.ticket.requester;
        if !self.news.via.mails_news || !user.preferences.by_mail || told_already {
            return;
        }
        let draft = match self.message {
            Some(message) if matches!(news, News::Said | News::Called) => {
                reply_mail(self.ticket.id, message.id, user.id, &self.news.via, changes.at())
            }
            _ => notice_mail(id, changes.at()),
        };
        changes.enqueue(self.system.scope(), self.desk.ids().id(changes.at()), draft);
    }

    /// T11: what is said in public goes to those in copy as well, unless they said it or get it anyway.
    fn mail_copies(&self, changes: &mut Changes) {
        let public = self.message.filter(|message| message.visibility == Visibility::Public);
        let Some(message) = public.filter(|_| self.news.via.mails_news) else { return };
        let have_it = self.people.iter().map(|(_, user, _)| user).chain(&self.author);
        let have_it: Vec<_> = have_it.map(|user| user.email.as_str()).collect();
        for cc in self.ticket.cc.iter().filter(|cc| !have_it.contains(&cc.address.as_str())) {
            let draft = super::mails::copy_mail(
                self.ticket.id,
                message.id,
                &cc.address,
                &self.news.via,
                changes.at(),
            );
            changes.enqueue(self.system.scope(), self.desk.ids().id(changes.at()), draft);
        }
    }
}
