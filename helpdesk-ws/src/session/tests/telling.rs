//! Who is told of what.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::future::join_all;
use helpdesk_core::events::{Bearer, Event, Feed, Told};
use helpdesk_core::tickets::Act;
use helpdesk_core::{Actor, AuthFailure, Error, Helpdesk, Result};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::Desk;
use super::support::Plain;
use crate::{Settings, codes};

#[tokio::test(start_paused = true)]
async fn events_are_told_as_they_happen_and_in_order() {
    let desk = Desk::new().await;
    let ada = desk.sign_in("ada", "customer").await;
    let mut client = desk.connect(&ada).await;
    let actor = &ada.caller.actor;
    let id = desk.ticket(actor, "Printer").await;
    desk.say(actor, id, "Still burns").await;
    desk.pump().await;
    let first = client.hear().await;
    assert_eq!((&first["event"], &first["text"]), (&json!("ticket"), &json!("Printer")));
    assert_eq!(first["base"], "http://desk.test");
    let (second, third) = (client.hear().await, client.hear().await);
    assert_eq!((&second["event"], &third["event"]), (&json!("ticket"), &json!("comment")));
    let place = |told: &Value| {
        told["id"].as_str().expect("an id").split_once('-').map(|(p, part)| (p.to_owned(), part.to_owned()))
    };
    let (second, third) = (place(&second).expect("an id"), place(&third).expect("an id"));
    assert_eq!((second.0, second.1.as_str(), third.1.as_str()), (third.0, "0", "1"));
}

#[tokio::test(start_paused = true)]
async fn customers_are_told_of_their_own_and_not_of_notes() {
    let desk = Desk::new().await;
    let (ada, gus) = (desk.sign_in("ada", "customer").await, desk.sign_in("gus", "customer").await);
    let agent = desk.sign_in("agent", "agent").await;
    let (mut hers, mut his, mut desks) =
        (desk.connect(&ada).await, desk.connect(&gus).await, desk.connect(&agent).await);
    let id = desk.ticket(&ada.caller.actor, "Printer").await;
    desk.note(&agent.caller.actor, id, "She broke it").await;
    desk.say(&agent.caller.actor, id, "We look into it").await;
    desk.pump().await;
    hers.is_alone_with(&["Printer", "Printer", "We look into it"]).await;
    his.is_alone_with(&[]).await;
    desks.is_alone_with(&["Printer", "Printer", "She broke it", "Printer", "We look into it"]).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_of_another_organisation() {
    let desk = Desk::new().await;
    let elsewhere = desk.desk.identity().create_organisation("Other", "other").await.expect("one");
    let eve = desk.sign_in_at(elsewhere, "eve", "admin").await;
    let agent = desk.sign_in("agent", "agent").await;
    let (mut hers, mut ours) = (desk.connect(&eve).await, desk.connect(&agent).await);
    let here = desk.ticket(&agent.caller.actor, "Here").await;
    desk.ticket(&eve.caller.actor, "There").await;
    desk.pump().await;
    hers.is_alone_with(&["There"]).await;
    ours.is_alone_with(&["Here"]).await;
    // Nor by asking for it.
    hers.say(&json!({ "type": "subscribe", "tickets": [here.to_string()] }));
    assert_eq!(hers.hear().await["type"], "subscribed");
    desk.say(&agent.caller.actor, here, "Still here").await;
    desk.pump().await;
    hers.is_alone_with(&[]).await;
}

#[tokio::test(start_paused = true)]
async fn those_with_one_view_are_sent_the_same_bytes() {
    let desk = Desk::new().await;
    let (one, two) = (desk.sign_in("one", "agent").await, desk.sign_in("two", "agent").await);
    let mut clients = [desk.connect(&one).await, desk.connect(&two).await];
    desk.ticket(&one.caller.actor, "Printer").await;
    desk.pump().await;
    let texts = join_all(clients.iter_mut().map(|client| client.message())).await;
    let [Message::Text(first), Message::Text(second)] = &texts[..] else { panic!("{texts:?}") };
    assert_eq!(first.as_str().as_ptr(), second.as_str().as_ptr());
}

#[tokio::test(start_paused = true)]
async fn clients_choose_events_and_tickets() {
    let desk = Desk::new().await;
    let agent = desk.sign_in("agent", "agent").await;
    let actor = &agent.caller.actor;
    let mut client = desk.connect(&agent).await;
    let one = desk.ticket(actor, "One").await;
    let two = desk.ticket(actor, "Two").await;
    desk.pump().await;
    client.is_alone_with(&["One", "Two"]).await;

    client.say(&json!({ "type": "subscribe", "events": ["comment"], "tickets": [one.to_string()] }));
    let told = json!({ "type": "subscribed", "events": ["comment"], "tickets": [one.to_string()] });
    assert_eq!(client.hear().await, told);
    desk.say(actor, one, "of one").await;
    desk.say(actor, two, "of two").await;
    desk.pump().await;
    client.is_alone_with(&["of one"]).await;

    client.say(&json!({ "type": "unsubscribe" }));
    assert_eq!(client.hear().await["events"], json!([]));
    desk.say(actor, one, "more").await;
    desk.pump().await;
    client.is_alone_with(&[]).await;

    client.say(&json!({ "type": "subscribe" }));
    assert_eq!(
        client.hear().await,
        json!({ "type": "subscribed", "events": ["ticket", "comment"], "tickets": null })
    );
    desk.say(actor, two, "and more").await;
    desk.pump().await;
    client.is_alone_with(&["Two", "and more"]).await;
}

#[tokio::test(start_paused = true)]
async fn messages_that_make_no_sense_are_answered_so_many_times() {
    let desk = Desk::with(Settings { bad_messages: 3, ..Settings::default() }).await;
    let agent = desk.sign_in("agent", "agent").await;
    let mut client = desk.connect(&agent).await;
    client.say(&json!({ "type": "subscribe", "events": ["unknown"] }));
    let told = client.hear().await;
    assert_eq!(told["message"], "There is no such event. Choose of: ticket, comment.");
    client.say(&json!({ "type": "dance" }));
    assert_eq!(client.hear().await["code"], "bad_message");
    client.send(Message::binary(vec![1, 2, 3]));
    assert_eq!(client.hear().await["message"], "messages are texts");
    client.send(Message::text("[".repeat(1_000)));
    assert_eq!(client.end().await.0, 1008);
}

#[tokio::test(start_paused = true)]
async fn who_talks_too_much_is_closed() {
    let desk = Desk::with(Settings { messages_per_second: 5, ..Settings::default() }).await;
    let agent = desk.sign_in("agent", "agent").await;
    let mut client = desk.connect(&agent).await;
    for _ in 0..6 {
        client.say(&json!({ "type": "ping" }));
    }
    for _ in 0..5 {
        assert_eq!(client.hear().await["type"], "pong");
    }
    assert_eq!(client.end().await.0, codes::TOO_MANY);
}

#[tokio::test(start_paused = true)]
async fn a_slow_client_is_closed_and_nobody_else_waits() {
    let desk = Desk::with(Settings { backlog: 64, ..Settings::default() }).await;
    let agent = desk.sign_in("agent", "agent").await;
    let (mut slow, ended) =
        desk.ask(&format!("token={}", agent.access), Some(4)).await.expect("a connection");
    assert_eq!(slow.hear().await["type"], "ready");
    let mut quick = desk.connect(&agent).await;
    let began = tokio::time::Instant::now();
    for number in 0..40 {
        desk.ticket(&agent.caller.actor, &number.to_string()).await;
        desk.pump().await;
        assert_eq!(quick.text().await, number.to_string());
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(1), "the quick one did not wait");
    // It takes none of the four that wait for it.
    ended.await.expect("it ended");
    assert_eq!(desk.hub.connections(), 1);
    quick.is_alone_with(&[]).await;
}

#[tokio::test(start_paused = true)]
async fn who_falls_behind_is_told_why_and_may_come_back() {
    let desk = Desk::with(Settings { backlog: 16, ..Settings::default() }).await;
    let agent = desk.sign_in("agent", "agent").await;
    let (mut slow, _ended) =
        desk.ask(&format!("token={}", agent.access), Some(4)).await.expect("a connection");
    assert_eq!(slow.hear().await["type"], "ready");
    for number in 0..40 {
        desk.ticket(&agent.caller.actor, &number.to_string()).await;
    }
    desk.pump().await;
    let mut last = String::new();
    let end = loop {
        match slow.message().await {
            Message::Text(text) => {
                let told: Value = serde_json::from_str(&text).expect("JSON");
                last = told["id"].as_str().expect("an id").to_owned();
            }
            Message::Close(end) => break end.expect("a reason"),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(u16::from(end.code), codes::SLOW);
    let (mut back, _) = desk.back(&agent, Some(&last)).await;
    loop {
        let told = back.hear().await;
        if told["type"] == "resumed" {
            break;
        }
        last = told["text"].as_str().expect("an event").to_owned();
    }
    assert_eq!(last, "39");
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_told_of_by_nothing_but_its_going() {
    let desk = Desk::new().await;
    let agent = desk.sign_in("agent", "agent").await;
    let mut client = desk.connect(&agent).await;
    // The relay is late: by the time it tells of the ticket's words, they are not there to be seen.
    let id = desk.ticket(&agent.caller.actor, "Printer").await;
    desk.say(&agent.caller.actor, id, "Secret").await;
    let system = Actor::system(desk.organisation);
    desk.desk.tickets().act(&system, id, None, Act::Delete).await.expect("deleted");
    desk.pump().await;
    client.is_alone_with(&["Printer", "Printer", "Printer"]).await;
}

/// Cannot tell of anything for a while.
#[derive(Debug, Default)]
struct Speechless(AtomicBool);

#[async_trait]
impl Feed for Speechless {
    fn name(&self) -> &'static str {
        "speechless"
    }

    fn names(&self) -> &'static [&'static str] {
        Plain.names()
    }

    async fn authenticate(&self, desk: &Helpdesk, token: &str) -> Result<Bearer> {
        Plain.authenticate(desk, token).await
    }

    async fn tell(&self, desk: &Helpdesk, event: &Event) -> Result<Vec<Arc<dyn Told>>> {
        if self.0.load(Ordering::SeqCst) {
            return Err(Error::Unauthenticated(AuthFailure::Missing));
        }
        Plain.tell(desk, event).await
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_told_is_to_be_loaded_anew() {
    let mut desk = Desk::new().await;
    let feed = Arc::new(Speechless::default());
    desk.socket = desk.hub.socket(desk.desk.clone(), feed.clone());
    let agent = desk.sign_in("agent", "agent").await;
    let mut client = desk.connect(&agent).await;
    feed.0.store(true, Ordering::SeqCst);
    desk.ticket(&agent.caller.actor, "Lost").await;
    desk.pump().await;
    assert_eq!(client.hear().await["type"], "reset");
    feed.0.store(false, Ordering::SeqCst);
    desk.ticket(&agent.caller.actor, "Found").await;
    desk.pump().await;
    client.is_alone_with(&["Found"]).await;
}
