//! The mails of a whole help desk, so that the templates are filled with what the core really gives.

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::sync::Arc;

use chrono::Duration;
use helpdesk_core::identity::{NewUser, PasswordCost, Person, Registration};
use helpdesk_core::tickets::{Act, NewTicket};
use helpdesk_core::{Actor, Clock as _, Helpdesk, MailTemplate, ManualClock, Result, SeededIds, Via};
use helpdesk_mail::{Outgoing, TemplateMailer};
use helpdesk_storage_memory::MemoryStorage;
use support::{Kept, SENDER, first_link, now, parse, parts};

const PASSWORD: &str = "correct horse";

struct World {
    desk: Helpdesk,
    clock: Arc<ManualClock>,
    kept: Arc<Kept>,
    system: Actor,
    anonymous: Actor,
}

impl World {
    async fn new() -> Self {
        let (clock, kept) = (Arc::new(ManualClock::at(now())), Arc::new(Kept::default()));
        let mailer = TemplateMailer::builder(SENDER, kept.clone()).clock(clock.clone()).build();
        let desk = Helpdesk::builder()
            .storage(Arc::new(MemoryStorage::new(Helpdesk::schema())))
            .clock(clock.clone())
            .ids(Arc::new(SeededIds::new(1)))
            .mailer(Arc::new(mailer.expect("a mailer")))
            .password_cost(PasswordCost::Least)
            .site("https://desk.test/")
            .build();
        let demo = desk.identity().create_organisation("Demo & Co", "demo").await.expect("an organisation");
        let via = Arc::new(Via::SYSTEM);
        Self { desk, clock, kept, system: Actor::system(demo), anonymous: Actor::anonymous(demo, via) }
    }

    /// Runs what is due, and answers the mails that were tried to send.
    async fn mails(&self) -> Vec<Outgoing> {
        self.desk.run_due(self.clock.now()).await.expect("jobs ran");
        std::mem::take(&mut self.kept.mails.lock().expect("nobody panicked"))
    }

    async fn mail(&self) -> Outgoing {
        let mut mails = self.mails().await;
        assert_eq!(mails.len(), 1);
        mails.remove(0)
    }
}

fn person(email: &str) -> Person {
    Person { first_name: "Ada".into(), last_name: "Byron".into(), email: email.into(), ..Person::default() }
}

#[tokio::test]
async fn every_mail_about_an_account_is_written() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let sign_up =
        |email: &str| Registration { person: person(email), password: PASSWORD.into(), picture: None };

    let ada = identity.register(&world.anonymous, sign_up("ada@example.com")).await?;
    let received = world.mail().await;
    assert_eq!((received.template(), received.to()), (MailTemplate::AccountReceived, "ada@example.com"));
    let (text, html) = parts(received.message());
    assert!(text.starts_with("Hello Ada,") && text.contains("Demo & Co"), "{text}");
    assert!(html.contains("Hello Ada,") && html.contains("Demo &amp; Co"));

    identity.approve(&world.system, ada.id).await?;
    let approved = world.mail().await;
    assert_eq!(approved.template(), MailTemplate::AccountApproved);
    let (text, html) = parts(approved.message());
    assert!(text.contains("desk.test") && !text.contains("http"), "{text}");
    assert!(html.contains("desk.test") && !html.contains("href"), "{html}");

    let bob = identity.register(&world.anonymous, sign_up("bob@example.com")).await?;
    world.mails().await;
    identity.reject(&world.system, bob.id, Some("known for nonsense".into())).await?;
    let rejected = world.mail().await;
    assert_eq!(rejected.template(), MailTemplate::AccountRejected);
    let (text, html) = parts(rejected.message());
    assert!(!text.contains("nonsense") && !html.contains("nonsense"));

    identity.request_reset(&world.anonymous, "ada@example.com").await?;
    let reset = world.mail().await;
    let (text, html) = parts(reset.message());
    let link = first_link(&text);
    assert_eq!((reset.template(), &link), (MailTemplate::PasswordReset, &first_link(&html)));
    let token = link.split_once("token=").expect("a token").1;
    identity.reset_password(&world.anonymous, ada.number, token, "a new password").await
}

#[tokio::test]
async fn a_ticket_s_mail_tells_what_became_of_it_and_is_the_same_mail_when_tried_again() -> Result<()> {
    let world = World::new().await;
    let new = NewUser {
        person: person("ada@example.com"),
        role: "customer".into(),
        password: Some(PASSWORD.into()),
        approved: true,
    };
    let ada = world.desk.identity().create_user(&world.system, new).await?;
    let new = NewTicket {
        subject: "Printer <burns>".into(),
        description: "Help".into(),
        requester: Some(ada.id),
        ..NewTicket::default()
    };
    let (ticket, _) = world.desk.tickets().create(&world.system, new).await?;
    world.mails().await;
    let reject = Act::Reject { reason: "No printers\nhere".into(), comment: None };
    world.desk.tickets().act(&world.system, ticket.id, None, reject).await?;

    *world.kept.refusals.lock().expect("nobody panicked") = 1;
    let first = world.mail().await;
    assert!(world.mails().await.is_empty(), "it waits");
    world.clock.advance(Duration::seconds(10));
    let second = world.mail().await;
    let (a, b) = (parse(first.message()), parse(second.message()));
    assert_eq!(a.message_id(), b.message_id());
    assert_eq!(a.subject(), Some("#1 is now Rejected: Printer <burns>"));
    assert_eq!(a.date().map(|date| date.to_timestamp() + 10), b.date().map(|date| date.to_timestamp()));
    assert_eq!(parts(first.message()), parts(second.message()));
    let (text, html) = parts(first.message());
    assert!(text.contains("No printers\r\nhere"), "{text}");
    assert!(html.contains("Printer &lt;burns&gt;"));
    Ok(())
}
