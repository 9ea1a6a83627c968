//! Who is told of what happens to tickets, and what they do with it.

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::sync::Arc;

use chrono::Duration;
use helpdesk_core::groups::ClosedReplies;
use helpdesk_core::identity::{NewUser, Person, PreferencesChange, UserId};
use helpdesk_core::notifications::{Notification, NotificationKind, NotificationQuery};
use helpdesk_core::storage::{From, Stored};
use helpdesk_core::tickets::{Act, Cc, Comment, NewTicket, Status, Ticket, TicketId};
use helpdesk_core::{Actor, Error, MailTemplate, Result, Via};
use support::tickets::{note, request, say, to};
use support::{PASSWORD, World};

use NotificationKind::{Mention, TicketAssigned, TicketUpdated};

/// A desk where everybody comes by a door whose news are mailed.
struct Desk {
    world: World,
    ada: Actor,
    anna: Actor,
    amir: Actor,
    ticket: TicketId,
}

fn door() -> Arc<Via> {
    Arc::new(Via { mails_news: true, ..Via::SYSTEM })
}

fn id(actor: &Actor) -> UserId {
    actor.user().expect("an account")
}

impl Desk {
    /// Ada has asked, and Anna has the ticket; they have read what they were told.
    async fn new() -> Result<Self> {
        let world = World::new().await;
        let ada = world.actor("ada", "customer").await.through(door());
        let (anna, amir) = (world.actor("anna", "agent").await, world.actor("amir", "agent").await);
        let (anna, amir) = (anna.through(door()), amir.through(door()));
        let ticket = world.ticket(&ada, "Printer").await.id;
        world.act(&anna, ticket, Act::Assign { to: anna.user() }).await;
        let desk = Self { world, ada, anna, amir, ticket };
        desk.mails().await;
        for actor in [&desk.ada, &desk.anna, &desk.amir] {
            desk.world.desk.notifications().read_all(actor).await?;
        }
        Ok(desk)
    }

    async fn act(&self, actor: &Actor, act: Act) {
        self.world.act(actor, self.ticket, act).await;
    }

    /// What somebody was told and has not read, newest first.
    async fn unread(&self, actor: &Actor) -> Vec<(NotificationKind, String)> {
        self.world.desk.run_due(self.world.desk.now()).await.expect("jobs ran");
        let query = NotificationQuery::default().unread();
        let found = self.world.desk.notifications().list(actor, query).await.expect("a list");
        found.items.iter().map(|told| (told.kind, told.message.clone())).collect()
    }

    /// To whom mails went, and which.
    async fn mails(&self) -> Vec<(String, MailTemplate)> {
        let mut sent: Vec<_> =
            self.world.mails().await.into_iter().map(|mail| (mail.to, mail.template)).collect();
        sent.sort_by(|a, b| a.0.cmp(&b.0));
        sent
    }

    /// Changes the ticket past the rules.
    async fn with(&self, change: impl FnOnce(&mut Ticket)) -> Result<()> {
        let before = self.world.desk.tickets().get(&self.world.system(), self.ticket).await?;
        let mut value = before.value.clone();
        change(&mut value);
        let mut changes = self.world.desk.changes();
        changes.update(&before, &value);
        self.world.desk.commit(changes).await?;
        Ok(())
    }

    async fn wants(&self, actor: &Actor, change: PreferencesChange) -> Result<()> {
        self.world.desk.identity().change_preferences(actor, change).await.map(drop)
    }
}

fn told(kind: NotificationKind, message: &str) -> Vec<(NotificationKind, String)> {
    vec![(kind, message.to_owned())]
}

fn mail(name: &str, template: MailTemplate) -> (String, MailTemplate) {
    (format!("{name}@demo.test"), template)
}

#[tokio::test]
async fn who_is_given_a_ticket_is_told_unless_they_took_it() -> Result<()> {
    let desk = Desk::new().await?;
    let lead = desk.world.actor("lead", "team_lead").await.through(door());
    desk.act(&lead, Act::Assign { to: desk.amir.user() }).await;
    assert_eq!(desk.unread(&desk.amir).await, told(TicketAssigned, "Printer was assigned to you"));
    assert!(desk.unread(&desk.ada).await.is_empty(), "who has it is the desk's business");
    assert_eq!(desk.mails().await, [mail("amir", MailTemplate::Notification)]);
    desk.act(&desk.anna, Act::Assign { to: desk.anna.user() }).await;
    assert!(desk.unread(&desk.anna).await.is_empty(), "she did it herself");
    Ok(())
}

#[tokio::test]
async fn a_comment_is_told_to_those_involved_with_its_words_by_mail() -> Result<()> {
    let desk = Desk::new().await?;
    desk.with(|ticket| {
        ticket.followers.insert(id(&desk.amir));
        ticket.cc.push(Cc { address: "boss@acme.example".into(), name: Some("The boss".into()), with: None });
        ticket.cc.push(Cc { address: "ada@demo.test".into(), name: None, with: None });
    })
    .await?;
    desk.act(&desk.anna, say("On my way")).await;
    assert_eq!(desk.unread(&desk.ada).await, told(TicketUpdated, "anna Test commented on Printer"));
    assert_eq!(desk.unread(&desk.amir).await, told(TicketUpdated, "anna Test commented on Printer"));
    let mails = desk.world.outbox.take();
    let mut sent: Vec<_> = mails.iter().map(|mail| (&*mail.to, mail.template)).collect();
    sent.sort_by_key(|(to, _)| *to);
    let reply = MailTemplate::TicketReply;
    let expected = [("ada@demo.test", reply), ("amir@demo.test", reply), ("boss@acme.example", reply)];
    assert_eq!(sent, expected, "each once, also who is in copy of their own ticket");
    for mail in &mails {
        assert_eq!(mail.context["body"], "On my way");
        assert_eq!(mail.context["author"], "anna Test");
    }
    desk.act(&desk.ada, say("Thank you")).await;
    assert_eq!(desk.unread(&desk.anna).await, told(TicketUpdated, "ada Test commented on Printer"));
    Ok(())
}

#[tokio::test]
async fn a_group_is_told_of_what_comes_to_it_while_nobody_has_it() -> Result<()> {
    let desk = Desk::new().await?;
    let lead = desk.world.actor("lead", "team_lead").await.through(door());
    let group = desk.world.group(&[&desk.amir, &lead], ClosedReplies::default()).await;
    let route = |group| Act::Route { assignee: None, group };
    // Anna has it: that it moves is nothing to the others.
    desk.act(&lead, route(Some(Some(group)))).await;
    assert!(desk.unread(&desk.amir).await.is_empty());
    desk.act(&lead, route(Some(None))).await;
    desk.act(&lead, Act::Assign { to: None }).await;
    desk.act(&lead, route(Some(Some(group)))).await;
    assert_eq!(
        desk.unread(&desk.amir).await,
        told(TicketUpdated, "Printer waits for somebody of your group")
    );
    assert!(desk.unread(&lead).await.is_empty(), "they did it");

    let new = NewTicket { group: Some(group), ..request("Scanner") };
    desk.world.desk.tickets().create(&desk.ada, new).await?;
    assert_eq!(desk.unread(&lead).await, told(TicketUpdated, "Scanner waits for somebody of your group"));
    Ok(())
}

#[tokio::test]
async fn a_new_ticket_is_told_to_the_desk_and_its_receipt_to_who_asked() -> Result<()> {
    let desk = Desk::new().await?;
    desk.wants(&desk.amir, PreferencesChange { by_mail: Some(false), ..PreferencesChange::default() })
        .await?;
    let tickets = desk.world.desk.tickets();
    let (ticket, _) = tickets.create(&desk.ada, request("Scanner")).await?;
    for agent in [&desk.anna, &desk.amir] {
        let expected = told(TicketUpdated, "Scanner waits for somebody of the desk");
        assert_eq!(desk.unread(agent).await, expected);
    }
    assert!(desk.unread(&desk.ada).await.is_empty());
    let mails = desk.world.outbox.take();
    let receipt = mails.iter().find(|mail| mail.to == "ada@demo.test").expect("a receipt");
    assert_eq!(receipt.template, MailTemplate::TicketReceived);
    assert_eq!(receipt.context["reference"], desk.ada.via().tickets.format(ticket.number));
    assert_eq!(receipt.context["description"], "It burns");
    let expected = [mail("ada", MailTemplate::TicketReceived), mail("anna", MailTemplate::Notification)];
    let mut sent: Vec<_> = mails.into_iter().map(|mail| (mail.to, mail.template)).collect();
    sent.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(sent, expected);
    // Where somebody has it before anybody is told, nobody else is called to it.
    let (ticket, _) = tickets.create(&desk.ada, request("Fax")).await?;
    desk.world.act(&desk.anna, ticket.id, Act::Assign { to: desk.anna.user() }).await;
    desk.world.desk.notifications().read_all(&desk.amir).await?;
    assert!(desk.unread(&desk.amir).await.is_empty());
    Ok(())
}

#[tokio::test]
async fn who_wants_no_mail_of_tickets_gets_no_receipt_and_no_status() -> Result<()> {
    let desk = Desk::new().await?;
    for change in [
        PreferencesChange { ticket_updates: Some(false), ..PreferencesChange::default() },
        PreferencesChange {
            ticket_updates: Some(true),
            by_mail: Some(false),
            ..PreferencesChange::default()
        },
    ] {
        desk.wants(&desk.ada, change).await?;
        desk.world.desk.tickets().create(&desk.ada, request("Scanner")).await?;
        desk.act(&desk.anna, to(Status::Resolved)).await;
        desk.act(&desk.anna, to(Status::Open)).await;
        let mails = desk.mails().await;
        assert!(mails.iter().all(|(to, _)| to != "ada@demo.test"), "{mails:?}");
    }
    Ok(())
}

#[tokio::test]
async fn of_several_things_that_were_said_at_once_each_is_told() -> Result<()> {
    let desk = Desk::new().await?;
    let acts = vec![say("It is on its way"), note("@amir drives"), to(Status::Pending)];
    desk.world.desk.tickets().act_all(&desk.anna, desk.ticket, None, acts).await?;
    let heard = desk.unread(&desk.ada).await;
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert!(heard.contains(&(TicketUpdated, "anna Test commented on Printer".to_owned())), "{heard:?}");
    assert_eq!(desk.unread(&desk.amir).await, told(Mention, "anna Test mentioned you on Printer"));
    let mut mails = desk.world.outbox.take();
    mails.retain(|mail| mail.template == MailTemplate::TicketReply);
    mails.sort_by(|a, b| a.to.cmp(&b.to));
    let said: Vec<_> = mails.iter().map(|mail| (&*mail.to, mail.context["body"].as_str())).collect();
    assert_eq!(said, [("ada@demo.test", Some("It is on its way")), ("amir@demo.test", Some("@amir drives"))]);
    Ok(())
}

#[tokio::test]
async fn a_note_is_told_to_the_desk_alone() -> Result<()> {
    let desk = Desk::new().await?;
    desk.with(|ticket| {
        ticket.followers.extend([id(&desk.amir), id(&desk.ada)]);
        ticket.cc.push(Cc { address: "boss@acme.example".into(), name: None, with: None });
    })
    .await?;
    desk.act(&desk.anna, note("@ada is at it again, @amir")).await;
    assert_eq!(desk.unread(&desk.amir).await, told(Mention, "anna Test mentioned you on Printer"));
    assert!(desk.unread(&desk.ada).await.is_empty());
    assert_eq!(desk.mails().await, [mail("amir", MailTemplate::TicketReply)]);
    Ok(())
}

#[tokio::test]
async fn a_move_is_told_in_the_words_of_those_who_hear_of_it() -> Result<()> {
    let desk = Desk::new().await?;
    desk.act(&desk.amir, to(Status::OnHold)).await;
    assert_eq!(desk.unread(&desk.anna).await, told(TicketUpdated, "Printer is now On Hold"));
    assert!(desk.unread(&desk.ada).await.is_empty(), "for her it is open, as before");
    assert_eq!(desk.mails().await, [mail("anna", MailTemplate::Notification)]);
    desk.act(&desk.amir, to(Status::Resolved)).await;
    assert_eq!(desk.unread(&desk.ada).await, told(TicketUpdated, "Printer is now Resolved"));
    // The requester has a mail about the status anyway, from whichever door, unless they want none.
    let expected = [mail("ada", MailTemplate::TicketStatus), mail("anna", MailTemplate::Notification)];
    assert_eq!(desk.mails().await, expected);
    desk.wants(&desk.ada, PreferencesChange { by_mail: Some(false), ..PreferencesChange::default() }).await?;
    desk.act(&desk.amir, to(Status::Open)).await;
    assert_eq!(desk.mails().await, [mail("anna", MailTemplate::Notification)]);
    Ok(())
}

#[tokio::test]
async fn people_are_called_by_user_name_full_name_or_address() -> Result<()> {
    let desk = Desk::new().await?;
    let identity = desk.world.desk.identity();
    let new = NewUser {
        person: Person {
            first_name: "Łucja".into(),
            last_name: "van Dyk".into(),
            email: "l.vandyk@demo.test".into(),
            username: Some("lu".into()),
            ..Person::default()
        },
        role: "agent".into(),
        password: Some(PASSWORD.into()),
        approved: true,
    };
    let lucja = identity.create_user(&desk.world.system(), new).await?;
    let system = desk.world.system();
    let lucja = {
        let admit = |_: &_, _: &_| Ok(helpdesk_core::identity::Admission::Approved);
        identity.sign_in(None, &lucja.email, PASSWORD, door(), admit).await?.caller.actor
    };
    for called in ["@lu", "@Łucja.van.Dyk!", "(@l.vandyk)"] {
        desk.act(&system, note(called)).await;
        assert_eq!(
            desk.unread(&lucja).await,
            told(Mention, "The help desk mentioned you on Printer"),
            "{called}"
        );
        desk.world.desk.notifications().read_all(&lucja).await?;
    }
    desk.act(&desk.anna, say("Write to x@lu, @nobody or @van")).await;
    assert!(desk.unread(&lucja).await.is_empty());
    let new = NewTicket { description: "@lu knows it".into(), ..request("Scanner") };
    desk.world.desk.tickets().create(&desk.ada, new).await?;
    assert_eq!(desk.unread(&lucja).await, told(Mention, "ada Test mentioned you on Scanner"));
    Ok(())
}

#[tokio::test]
async fn nobody_is_called_to_what_they_may_not_see() -> Result<()> {
    let desk = Desk::new().await?;
    let customer = desk.world.actor("carl", "customer").await;
    let gone = desk.world.user("gone", "agent").await;
    let admin = desk.world.actor("admin", "admin").await;
    desk.world.desk.identity().deactivate(&admin, gone.id).await?;
    let elsewhere = desk.world.desk.identity().create_organisation("Other", "other").await?;
    desk.world.user_in(elsewhere, "eve", "admin").await;
    let eve = desk.world.sign_in("eve").await.actor;
    desk.mails().await;
    desk.act(&desk.anna, say("@carl @gone @eve please look")).await;
    assert!(desk.unread(&customer).await.is_empty(), "it is not his ticket");
    assert!(desk.unread(&eve).await.is_empty(), "she is of another organisation");
    assert_eq!(desk.mails().await, [mail("ada", MailTemplate::TicketReply)]);
    Ok(())
}

#[tokio::test]
async fn everybody_is_told_what_they_want_to_be_told_and_how() -> Result<()> {
    let desk = Desk::new().await?;
    let no_mail = PreferencesChange { by_mail: Some(false), ..PreferencesChange::default() };
    let no_updates = PreferencesChange { ticket_updates: Some(false), ..PreferencesChange::default() };
    desk.wants(&desk.ada, no_mail).await?;
    desk.wants(&desk.anna, no_updates).await?;
    desk.act(&desk.amir, say("Hello")).await;
    assert_eq!(desk.unread(&desk.ada).await.len(), 1);
    assert!(desk.unread(&desk.anna).await.is_empty());
    assert!(desk.mails().await.is_empty());
    desk.act(&desk.amir, note("@anna")).await;
    assert_eq!(desk.unread(&desk.anna).await, told(Mention, "amir Test mentioned you on Printer"));
    Ok(())
}

#[tokio::test]
async fn doors_without_settings_mail_no_news_but_write_them_down() -> Result<()> {
    let desk = Desk::new().await?;
    let anna = desk.anna.clone().through(Arc::new(Via::SYSTEM));
    desk.act(&anna, say("On my way")).await;
    assert_eq!(desk.unread(&desk.ada).await.len(), 1);
    assert!(desk.mails().await.is_empty());
    Ok(())
}

#[tokio::test]
async fn of_a_ticket_that_is_deleted_nobody_is_told() -> Result<()> {
    let desk = Desk::new().await?;
    desk.act(&desk.anna, say("Hello")).await;
    desk.act(&desk.world.system(), Act::Delete).await;
    assert!(desk.unread(&desk.ada).await.is_empty());
    assert!(desk.mails().await.is_empty());
    Ok(())
}

#[tokio::test]
async fn what_the_desk_says_by_itself_is_no_comment() -> Result<()> {
    let desk = Desk::new().await?;
    let comment = Some(Comment::public("Moved from {from} to {to}").automatic());
    desk.act(&desk.anna, Act::Move { to: Status::Pending, from: None, comment }).await;
    assert_eq!(desk.unread(&desk.ada).await, told(TicketUpdated, "Printer is now Pending"));
    Ok(())
}

/// Some notifications of Ada's, one a minute.
async fn some(desk: &Desk, count: usize) {
    for n in 0..count {
        desk.world.clock.advance(Duration::minutes(1));
        desk.act(&desk.anna, say(&format!("{n}"))).await;
        desk.unread(&desk.ada).await;
    }
}

#[tokio::test]
async fn ones_own_are_listed_newest_first_and_read_one_by_one_or_all() -> Result<()> {
    let desk = Desk::new().await?;
    some(&desk, 3).await;
    let notifications = desk.world.desk.notifications();
    let page = |query: NotificationQuery, n| query.page(2, From::Offset(n));
    let first = notifications.list(&desk.ada, page(NotificationQuery::default().unread(), 0)).await?;
    assert_eq!((first.items.len(), first.total.map(|total| total.count)), (2, Some(3)));
    assert!(first.items[0].created_at > first.items[1].created_at);
    let newest = first.items[0].id;

    let read = notifications.read(&desk.ada, newest).await?;
    assert_eq!(read.read, Some(desk.world.desk.now()));
    desk.world.clock.advance(Duration::minutes(1));
    assert_eq!(notifications.read(&desk.ada, newest).await?.read, read.read, "it was read before");
    assert_eq!(desk.unread(&desk.ada).await.len(), 2);
    notifications.read_all(&desk.ada).await?;
    assert!(desk.unread(&desk.ada).await.is_empty());
    let all = notifications.list(&desk.ada, page(NotificationQuery::default(), 0)).await?;
    assert!(all.total.is_some_and(|total| total.count >= 3));

    notifications.delete(&desk.ada, newest).await?;
    assert!(matches!(notifications.delete(&desk.ada, newest).await, Err(Error::NotFound { .. })));
    Ok(())
}

#[tokio::test]
async fn those_of_others_are_not_there() -> Result<()> {
    let desk = Desk::new().await?;
    some(&desk, 1).await;
    let notifications = desk.world.desk.notifications();
    let adas = notifications.list(&desk.ada, NotificationQuery::default()).await?.items[0].id;
    let admin = desk.world.actor("admin", "admin").await;
    for stranger in [&desk.anna, &admin] {
        assert!(matches!(notifications.get(stranger, adas).await, Err(Error::NotFound { .. })));
        assert!(matches!(notifications.read(stranger, adas).await, Err(Error::NotFound { .. })));
        assert!(matches!(notifications.delete(stranger, adas).await, Err(Error::NotFound { .. })));
        notifications.read_all(stranger).await?;
    }
    assert_eq!(desk.unread(&desk.ada).await.len(), 1);
    let nobody = notifications.list(&desk.world.anonymous(), NotificationQuery::default()).await;
    assert!(matches!(nobody, Err(Error::NotYours { .. })));
    Ok(())
}

#[tokio::test]
async fn each_is_an_event_for_the_receiver_alone() -> Result<()> {
    let desk = Desk::new().await?;
    some(&desk, 1).await;
    let admin = desk.world.actor("admin", "admin").await;
    let log = desk.world.log().await;
    let event = log.iter().rfind(|event| event.action == "notification.created").expect("an event");
    assert!(event.is_visible_to(&desk.ada));
    assert!(!event.is_visible_to(&desk.anna) && !event.is_visible_to(&admin));
    Ok(())
}

#[tokio::test]
async fn more_than_a_batch_is_read_at_once() -> Result<()> {
    let desk = Desk::new().await?;
    let (scope, receiver) = (desk.world.system().scope(), id(&desk.ada));
    for _ in 0..3 {
        let mut changes = desk.world.desk.changes();
        for _ in 0..150 {
            use helpdesk_core::storage::EntityId as _;
            let id = desk.world.desk.ids().id(changes.at());
            let id = helpdesk_core::notifications::NotificationId::from_uuid(id);
            changes.insert(scope, id, &plain(receiver));
        }
        desk.world.desk.commit(changes).await?;
    }
    desk.world.desk.notifications().read_all(&desk.ada).await?;
    assert!(desk.unread(&desk.ada).await.is_empty());
    Ok(())
}

fn plain(receiver: UserId) -> Notification {
    Notification {
        receiver,
        kind: TicketUpdated,
        title: "News".into(),
        message: "Something happened".into(),
        ticket: None,
        read: None,
        ext: serde_json::Map::new(),
    }
}

#[tokio::test]
async fn what_was_read_is_removed_after_90_days() -> Result<()> {
    let desk = Desk::new().await?;
    some(&desk, 2).await;
    let notifications = desk.world.desk.notifications();
    let all = async || -> Result<Vec<Arc<Stored<Notification>>>> {
        desk.world.desk.run_due(desk.world.desk.now()).await?;
        Ok(notifications.list(&desk.ada, NotificationQuery::default()).await?.items)
    };
    let before = all().await?;
    notifications.read(&desk.ada, before[0].id).await?;
    desk.world.clock.advance(Duration::days(89));
    assert_eq!(all().await?.len(), before.len());
    desk.world.clock.advance(Duration::days(3));
    let left = all().await?;
    assert!(left.iter().all(|notification| notification.read.is_none()));
    assert_eq!(left.len(), 1, "what was not read stays");
    Ok(())
}
