//! How long somebody may stay.

use chrono::Duration;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::Desk;
use crate::codes;

#[tokio::test(start_paused = true)]
async fn a_session_that_is_ended_is_closed_at_once_and_no_other() {
    let desk = Desk::new().await;
    let (first, second) = (desk.sign_in("ada", "customer").await, desk.sign_in("ada", "customer").await);
    let gus = desk.sign_in("gus", "customer").await;
    let (mut one, mut two, mut his) =
        (desk.connect(&first).await, desk.connect(&second).await, desk.connect(&gus).await);
    desk.desk.identity().sign_out(&first.caller).await.expect("signed out");
    desk.ticket(&first.caller.actor, "After").await;
    desk.pump().await;
    assert_eq!(one.end().await.0, codes::UNAUTHENTICATED);
    two.is_alone_with(&["After"]).await;
    his.is_alone_with(&[]).await;
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_deactivated_is_told_nothing_more() {
    let desk = Desk::new().await;
    let (agent, ada) = (desk.sign_in("agent", "agent").await, desk.sign_in("ada", "customer").await);
    let mut client = desk.connect(&agent).await;
    desk.desk.identity().deactivate(&desk.system(), agent.user.id).await.expect("deactivated");
    desk.ticket(&ada.caller.actor, "Printer").await;
    desk.pump().await;
    assert_eq!(client.end().await.0, codes::UNAUTHENTICATED);
}

#[tokio::test(start_paused = true)]
async fn what_ends_while_somebody_comes_in_is_seen() {
    let desk = Desk::new().await;
    let ada = desk.sign_in("ada", "customer").await;
    desk.desk.identity().sign_out(&ada.caller).await.expect("signed out");
    assert!(desk.ask(&format!("token={}", ada.access), None).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ends_is_told_before_and_is_the_end() {
    let desk = Desk::new().await;
    let ada = desk.sign_in("ada", "customer").await;
    let mut client = desk.connect(&ada).await;
    let talk = |client: &super::Client| client.send(Message::Pong(Default::default()));
    for _ in 0..29 {
        talk(&client);
        desk.pass(Duration::seconds(30)).await;
    }
    let mut told = client.message().await;
    while matches!(told, Message::Ping(_)) {
        told = client.message().await;
    }
    let told: serde_json::Value = serde_json::from_str(told.to_text().expect("a text")).expect("JSON");
    assert_eq!(told, json!({ "type": "auth_expiring", "expires_at": "2025-01-15T09:15:00Z" }));
    talk(&client);
    desk.pass(Duration::seconds(31)).await;
    assert_eq!(client.end().await, (codes::UNAUTHENTICATED, "the token has expired".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_fresh_token_of_the_same_person_lets_them_stay() {
    let desk = Desk::new().await;
    let (ada, gus) = (desk.sign_in("ada", "customer").await, desk.sign_in("gus", "customer").await);
    let mut client = desk.connect(&ada).await;
    desk.clock.advance(Duration::minutes(10));
    let fresh = desk.sign_in("ada", "customer").await;
    client.say(&json!({ "type": "auth", "token": gus.access }));
    assert_eq!(client.hear().await["message"], "the token is somebody else's");
    client.say(&json!({ "type": "auth", "token": "wrong" }));
    assert_eq!(client.hear().await["message"], "the token is not valid");
    client.say(&json!({ "type": "auth", "token": fresh.access }));
    let told = client.hear().await;
    assert_eq!(told, json!({ "type": "authenticated", "expires_at": "2025-01-15T09:25:00Z" }));
    desk.clock.advance(Duration::minutes(10));
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    assert!(matches!(client.message().await, Message::Ping(_)));
    client.is_alone_with(&[]).await;
}

#[tokio::test(start_paused = true)]
async fn who_is_silent_is_pinged_and_then_given_up() {
    let desk = Desk::new().await;
    let ada = desk.sign_in("ada", "customer").await;
    let mut client = desk.connect(&ada).await;
    let began = tokio::time::Instant::now();
    assert!(matches!(client.message().await, Message::Ping(_)));
    assert_eq!(began.elapsed().as_secs(), 25);
    client.send(Message::Pong(Default::default()));
    assert!(matches!(client.message().await, Message::Ping(_)));
    assert_eq!(began.elapsed().as_secs(), 50);
    assert_eq!(client.end().await.0, codes::IDLE);
    assert_eq!(began.elapsed().as_secs(), 85);
}

#[tokio::test(start_paused = true)]
async fn at_the_end_everybody_is_told_to_go() {
    let desk = Desk::new().await;
    let ada = desk.sign_in("ada", "customer").await;
    let (mut known, mut unknown) = (desk.connect(&ada).await, desk.open().await);
    tokio::task::yield_now().await;
    let hub = desk.hub.clone();
    let drained = tokio::spawn(async move { hub.drain().await });
    assert_eq!(known.end().await, (1001, "the server is going down".to_owned()));
    assert_eq!(unknown.end().await.0, 1001);
    drained.await.expect("all have gone");
    assert!(desk.ask("", None).await.is_err());
}
