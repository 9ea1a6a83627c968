//! A help desk for tests: embedded store, a clock that is moved by hand, and an API of few words.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::Duration;
use helpdesk_core::events::{Bearer, Event, Feed, Mark, Notifier, Relay, Told, View, Viewer};
use helpdesk_core::groups::{ClosedReplies, Group, GroupId};
use helpdesk_core::identity::{
    Admission, NewUser, OrganisationId, PasswordCost, Person, SignedIn, UserId, permissions,
};
use helpdesk_core::storage::EntityId as _;
use helpdesk_core::tickets::{Act, Comment, NewTicket, TicketId, TicketNews};
use helpdesk_core::{Actor, Helpdesk, ManualClock, Result, SeededIds, Via};
use helpdesk_storage_memory::MemoryStorage;
use serde_json::json;
use uuid::Uuid;

const PASSWORD: &str = "correct horse";

/// Tells of tickets and of what is said on them.
#[derive(Debug, Default)]
pub(crate) struct Plain;

#[async_trait]
impl Feed for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn names(&self) -> &'static [&'static str] {
        &["ticket", "comment"]
    }

    async fn authenticate(&self, desk: &Helpdesk, token: &str) -> Result<Bearer> {
        desk.identity().authenticate_bearer(token, Arc::new(Via::SYSTEM)).await
    }

    async fn tell(&self, desk: &Helpdesk, event: &Event) -> Result<Vec<Arc<dyn Told>>> {
        let Some(news) = desk.tickets().news(event).await? else { return Ok(Vec::new()) };
        let news = Arc::new(news);
        let mut told: Vec<Arc<dyn Told>> = vec![Arc::new(OfTicket { news: Arc::clone(&news), part: 0 })];
        if news.message.is_some() {
            told.push(Arc::new(OfTicket { news, part: 1 }));
        }
        Ok(told)
    }
}

#[derive(Debug)]
struct OfTicket {
    news: Arc<TicketNews>,
    part: u16,
}

impl Told for OfTicket {
    fn name(&self) -> &'static str {
        if self.part == 0 { "ticket" } else { "comment" }
    }

    fn part(&self) -> u16 {
        self.part
    }

    fn about(&self) -> Option<Uuid> {
        Some(self.news.ticket.id.uuid())
    }

    fn view(&self, actor: &Actor) -> Option<View> {
        let shown =
            if self.part == 0 { self.news.shows_ticket_to(actor) } else { self.news.shows_message_to(actor) };
        shown.then(|| View(u32::from(actor.has(&permissions::TICKET_ACCESS_INTERNAL))))
    }

    fn words(&self, to: Viewer<'_>, mark: Mark) -> String {
        let text = match &self.news.message {
            Some(message) if self.part == 1 => &message.body,
            _ => &self.news.ticket.subject,
        };
        let inside = to.actor.has(&permissions::TICKET_ACCESS_INTERNAL);
        json!({
            "event": self.name(),
            "id": mark.to_string(),
            "text": text,
            "inside": inside,
            "base": to.base,
        })
        .to_string()
    }
}

/// A help desk with one organisation.
pub(crate) struct World {
    pub(crate) desk: Helpdesk,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) organisation: OrganisationId,
    relay: tokio::sync::Mutex<Relay>,
}

impl World {
    pub(crate) async fn new(notifier: Arc<dyn Notifier>) -> Self {
        let clock = Arc::new(ManualClock::at("2025-01-15T09:00:00Z".parse().expect("an instant")));
        let desk = Helpdesk::builder()
            .storage(Arc::new(MemoryStorage::new(Helpdesk::schema())))
            .clock(clock.clone())
            .ids(Arc::new(SeededIds::new(1)))
            .password_cost(PasswordCost::Least)
            .notifier(notifier)
            .build();
        let organisation =
            desk.identity().create_organisation("Demo", "demo").await.expect("an organisation");
        let relay = tokio::sync::Mutex::new(Relay::from_now(desk.clone()).await.expect("a relay"));
        Self { desk, clock, organisation, relay }
    }

    pub(crate) fn system(&self) -> Actor {
        Actor::system(self.organisation)
    }

    /// Tells the hub of all there is.
    pub(crate) async fn pump(&self) {
        let mut relay = self.relay.lock().await;
        while relay.pump().await.expect("the log") > 0 {}
    }

    /// The account of a name, signed in; made where it is not there.
    pub(crate) async fn sign_in(&self, name: &str, role: &str) -> SignedIn {
        self.sign_in_at(self.organisation, name, role).await
    }

    pub(crate) async fn sign_in_at(&self, at: OrganisationId, name: &str, role: &str) -> SignedIn {
        let identity = self.desk.identity();
        let email = format!("{name}@demo.test");
        let person = Person {
            first_name: name.to_owned(),
            last_name: "Test".to_owned(),
            email: email.clone(),
            ..Person::default()
        };
        let password = Some(PASSWORD.to_owned());
        let new = NewUser { person, role: role.to_owned(), password, approved: true };
        // Somebody of that name may be there already.
        let _ = identity.create_user(&Actor::system(at), new).await;
        let admit = |_: &_, _: &_| Ok(Admission::Approved);
        identity.sign_in(None, &email, PASSWORD, Arc::new(Via::SYSTEM), admit).await.expect("signed in")
    }

    /// A group, of whomever it may be.
    pub(crate) async fn group(&self, name: &str, members: Vec<UserId>) -> GroupId {
        let mut changes = self.desk.changes();
        let id = GroupId::from_uuid(self.desk.ids().id(changes.at()));
        let group = Group {
            name: name.to_owned(),
            description: String::new(),
            members,
            closed_replies: ClosedReplies::default(),
            deleted: None,
            ext: serde_json::Map::new(),
        };
        changes.insert(self.system().scope(), id, &group);
        self.desk.commit(changes).await.expect("a group");
        id
    }

    pub(crate) async fn ticket(&self, actor: &Actor, subject: &str) -> TicketId {
        let new = NewTicket {
            subject: subject.to_owned(),
            description: "It burns".to_owned(),
            ..NewTicket::default()
        };
        self.desk.tickets().create(actor, new).await.expect("a ticket").0.id
    }

    pub(crate) async fn say(&self, actor: &Actor, id: TicketId, words: &str) {
        let said = Act::Say(Comment::public(words));
        self.desk.tickets().act(actor, id, None, said).await.expect("said");
    }

    pub(crate) async fn note(&self, actor: &Actor, id: TicketId, words: &str) {
        let noted = Act::Say(Comment::internal(words));
        self.desk.tickets().act(actor, id, None, noted).await.expect("noted");
    }

    /// Moves the help desk's clock, and tokio's with it.
    pub(crate) async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        tokio::time::sleep(time.to_std().expect("forward")).await;
    }
}
