//! Coming back to much: who takes it slowly holds up nobody, and is told no more than they may still see.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{join_all, pending};
use helpdesk_core::events::{Bearer, Event, Feed, Told};
use helpdesk_core::identity::SignedIn;
use helpdesk_core::{Helpdesk, Result};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::Desk;
use super::support::Plain;
use super::wire::Client;
use crate::{Settings, codes};

const HOUR: Duration = Duration::from_secs(3_600);

/// Time is no matter: it is the client that is slow, or something else that fails.
fn patient() -> Settings {
    Settings { write: HOUR, catch_up: HOUR, ..Settings::default() }
}

/// An agent who missed so many tickets, and the id from which on.
async fn away(desk: &Desk, tickets: usize) -> (SignedIn, String) {
    let agent = desk.sign_in("agent", "agent").await;
    let (_, from) = desk.back(&agent, None).await;
    for number in 0..tickets {
        desk.ticket(&agent.caller.actor, &number.to_string()).await;
    }
    desk.pump().await;
    (agent, from)
}

/// Somebody who comes back, and reads no more than so many messages ahead.
async fn slowly(desk: &Desk, who: &SignedIn, from: &str, room: usize) -> (Client, JoinHandle<()>) {
    let query = format!("token={}&last_event_id={from}", who.access);
    let (mut client, ended) = desk.ask(&query, Some(room)).await.expect("a connection");
    assert_eq!(client.hear().await["type"], "ready");
    (client, ended)
}

/// What is told until all that was missed is told.
async fn until_resumed(client: &mut Client) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        let told = client.hear().await;
        let Some(text) = told["text"].as_str() else {
            assert_eq!(told, json!({ "type": "resumed", "events": texts.len() }));
            return texts;
        };
        texts.push(text.to_owned());
    }
}

fn numbers(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn who_takes_slowly_what_was_missed_holds_up_nobody() {
    let desk = Desk::with(patient()).await;
    let (agent, from) = away(&desk, 100).await;
    let mut slow = Vec::new();
    for _ in 0..12 {
        slow.push(slowly(&desk, &agent, &from, 2).await);
    }
    let (mut quick, _) = desk.back(&agent, Some(&from)).await;
    assert_eq!(until_resumed(&mut quick).await, numbers(0..100));
    assert!(slow.iter().all(|(_, ended)| !ended.is_finished()), "they may take as long as they do");
}

#[tokio::test(start_paused = true)]
async fn much_is_told_in_order_and_what_is_new_after_it() {
    let desk = Desk::new().await;
    let elsewhere = desk.desk.identity().create_organisation("Other", "other").await.expect("one");
    let eve = desk.sign_in_at(elsewhere, "eve", "admin").await;
    let (agent, from) = away(&desk, 50).await;
    // Here and there far from one another in the log.
    for number in 50..54 {
        for _ in 0..600 {
            desk.ticket(&eve.caller.actor, "There").await;
        }
        desk.ticket(&agent.caller.actor, &number.to_string()).await;
    }
    for number in 54..120 {
        desk.ticket(&eve.caller.actor, "There").await;
        desk.ticket(&agent.caller.actor, &number.to_string()).await;
    }
    desk.pump().await;
    let (mut back, _ended) = slowly(&desk, &agent, &from, 4).await;
    assert_eq!(back.text().await, "0");
    desk.ticket(&agent.caller.actor, "New").await;
    desk.pump().await;
    let mut texts = Vec::new();
    let resumed = loop {
        let told = back.hear().await;
        let Some(text) = told["text"].as_str() else { break told };
        texts.push(text.to_owned());
    };
    assert_eq!(texts, numbers(1..120));
    assert_eq!(resumed, json!({ "type": "resumed", "events": 120 }));
    back.is_alone_with(&["New"]).await;
}

#[tokio::test(start_paused = true)]
async fn it_takes_no_longer_than_it_may_and_goes_on_where_it_ended() {
    let desk = Desk::with(Settings { write: HOUR, ..Settings::default() }).await;
    let (agent, from) = away(&desk, 100).await;
    let (mut slow, ended) = slowly(&desk, &agent, &from, 1).await;
    let (mut heard, mut last) = (Vec::new(), from);
    while !ended.is_finished() {
        let told = slow.hear().await;
        heard.push(told["text"].as_str().expect("an event").to_owned());
        last = told["id"].as_str().expect("an id").to_owned();
        sleep(Duration::from_secs(9)).await;
    }
    assert!((1..100).contains(&heard.len()), "it was told {} of a hundred", heard.len());
    let (mut back, _) = desk.back(&agent, Some(&last)).await;
    heard.append(&mut until_resumed(&mut back).await);
    assert_eq!(heard, numbers(0..100));
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_at_all_is_told_why_it_ends() {
    let desk = Desk::with(Settings { write: HOUR, ..Settings::default() }).await;
    let (agent, from) = away(&desk, 100).await;
    let (mut slow, _ended) = slowly(&desk, &agent, &from, 40).await;
    sleep(Duration::from_secs(61)).await;
    for number in 0..40 {
        assert_eq!(slow.text().await, number.to_string());
    }
    assert_eq!(slow.end().await.0, codes::SLOW);
}

#[tokio::test(start_paused = true)]
async fn whose_session_ends_meanwhile_is_told_little_more_and_closed() {
    let desk = Desk::new().await;
    let (agent, from) = away(&desk, 100).await;
    let (mut back, _ended) = slowly(&desk, &agent, &from, 4).await;
    assert_eq!(back.text().await, "0");
    desk.desk.identity().sign_out(&agent.caller).await.expect("signed out");
    let mut told = 1;
    let end = loop {
        match back.message().await {
            Message::Text(_) => told += 1,
            Message::Close(end) => break end.expect("a reason"),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(u16::from(end.code), codes::UNAUTHENTICATED);
    assert!(told <= 32, "it was told {told} of a hundred");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_server_does_not_wait_for_who_is_slow() {
    let desk = Desk::with(patient()).await;
    let (agent, from) = away(&desk, 100).await;
    let _slow = slowly(&desk, &agent, &from, 1).await;
    let mut asks = desk.ask(&format!("token={}", agent.access), Some(2)).await.expect("a connection").0;
    assert_eq!(asks.hear().await["type"], "ready");
    asks.say(&json!({ "type": "subscribe", "last_event_id": from }));
    assert_eq!(asks.hear().await["type"], "subscribed");
    timeout(Duration::from_secs(60), desk.hub.drain()).await.expect("all have gone");
}

#[tokio::test(start_paused = true)]
async fn who_took_long_is_not_taken_for_somebody_who_has_gone() {
    let desk = Desk::with(patient()).await;
    let (agent, from) = away(&desk, 20).await;
    let (mut slow, _ended) = slowly(&desk, &agent, &from, 1).await;
    loop {
        sleep(Duration::from_secs(9)).await;
        if slow.hear().await["type"] == "resumed" {
            break;
        }
    }
    slow.is_alone_with(&[]).await;
}

/// Counts what it tells of, and gets stuck once it is told to.
#[derive(Debug, Default)]
struct Sticky {
    told: AtomicUsize,
    stuck: AtomicBool,
}

#[async_trait]
impl Feed for Sticky {
    fn name(&self) -> &'static str {
        "sticky"
    }

    fn names(&self) -> &'static [&'static str] {
        Plain.names()
    }

    async fn authenticate(&self, desk: &Helpdesk, token: &str) -> Result<Bearer> {
        Plain.authenticate(desk, token).await
    }

    async fn tell(&self, desk: &Helpdesk, event: &Event) -> Result<Vec<Arc<dyn Told>>> {
        if self.stuck.load(Ordering::SeqCst) {
            return pending().await;
        }
        self.told.fetch_add(1, Ordering::SeqCst);
        Plain.tell(desk, event).await
    }
}

async fn sticky(settings: Settings) -> (Desk, Arc<Sticky>) {
    let mut desk = Desk::with(settings).await;
    let feed = Arc::new(Sticky::default());
    desk.socket = desk.hub.socket(desk.desk.clone(), feed.clone());
    (desk, feed)
}

/// One who waits for their turn, while all others whose turn it is wait for something that does not come.
async fn waiting(settings: Settings) -> (Desk, Vec<Client>, Client) {
    let (desk, feed) = sticky(settings).await;
    let (agent, from) = away(&desk, 1).await;
    feed.stuck.store(true, Ordering::SeqCst);
    let mut stuck = Vec::new();
    for _ in 0..8 {
        stuck.push(desk.back(&agent, Some(&from)).await.0);
    }
    let waiting = desk.back(&agent, Some(&from)).await.0;
    (desk, stuck, waiting)
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_turn_goes_with_the_server() {
    let (desk, stuck, waiting) = waiting(patient()).await;
    let hub = desk.hub.clone();
    let drained = tokio::spawn(async move { hub.drain().await });
    let mut all: Vec<_> = stuck.into_iter().chain([waiting]).collect();
    let ends = join_all(all.iter_mut().map(Client::end)).await;
    assert!(ends.iter().all(|(code, _)| *code == 1001), "{ends:?}");
    drained.await.expect("all have gone");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_turn_waits_no_longer_than_the_token_is_good() {
    let (_desk, _stuck, mut waiting) = waiting(patient()).await;
    assert_eq!(waiting.end().await, (codes::UNAUTHENTICATED, "the token has expired".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn whose_turn_does_not_come_may_try_again() {
    let (_desk, _stuck, mut waiting) = waiting(Settings::default()).await;
    assert_eq!(waiting.end().await, (1013, "try again later".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn little_is_put_into_words_ahead() {
    let (desk, feed) = sticky(patient()).await;
    let (agent, from) = away(&desk, 1).await;
    let id = desk.ticket(&agent.caller.actor, "Long").await;
    for _ in 0..40 {
        desk.say(&agent.caller.actor, id, &"words ".repeat(8_000)).await;
    }
    desk.pump().await;
    feed.told.store(0, Ordering::SeqCst);
    let (mut back, _ended) = slowly(&desk, &agent, &from, 1).await;
    let mut taken = 0;
    loop {
        sleep(Duration::from_millis(1)).await;
        let told = feed.told.load(Ordering::SeqCst);
        assert!(told <= taken + 8, "{told} events were read for {taken} messages");
        let told: Value = back.hear().await;
        if told["type"] == "resumed" {
            break;
        }
        taken += 1;
    }
}
