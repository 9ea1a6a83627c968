//! Who is let in, and how many.

use std::time::Duration;

use helpdesk_core::{AuthFailure, Error};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::Desk;
use crate::socket::Refusal;
use crate::{Settings, codes};

#[tokio::test(start_paused = true)]
async fn a_token_in_the_address_is_enough() {
    let desk = Desk::new().await;
    let ada = desk.sign_in("ada", "customer").await;
    let (mut client, _) = desk.ask(&format!("token={}", ada.access), None).await.expect("a connection");
    let ready = client.hear().await;
    assert_eq!(ready["type"], "ready");
    assert_eq!(ready["user_id"], ada.user.id.to_string());
    assert_eq!(ready["events"], json!(["ticket", "comment"]));
    assert_eq!(ready["expires_at"], "2025-01-15T09:15:00Z");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_token_in_the_address_gives_no_connection() {
    let desk = Desk::new().await;
    let refused = desk.ask("token=wrong", None).await.err();
    assert!(matches!(refused, Some(Refusal::Core(Error::Unauthenticated(AuthFailure::Token)))));
    assert_eq!(desk.hub.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_may_be_the_first_message() {
    let desk = Desk::new().await;
    let ada = desk.sign_in("ada", "customer").await;
    let mut client = desk.open().await;
    client.say(&json!({ "type": "subscribe" }));
    let first = client.hear().await;
    assert_eq!((&first["type"], &first["code"]), (&json!("error"), &json!("bad_message")));
    client.send(Message::text("{"));
    assert_eq!(client.hear().await["type"], "error");
    client.say(&json!({ "type": "auth", "token": ada.access }));
    assert_eq!(client.hear().await["type"], "ready");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_first_message_is_told_and_is_the_end() {
    let desk = Desk::new().await;
    let mut client = desk.open().await;
    client.say(&json!({ "type": "auth", "token": "wrong" }));
    let told = client.hear().await;
    assert_eq!(
        (&told["code"], &told["message"]),
        (&json!("unauthenticated"), &json!("the token is not valid"))
    );
    assert_eq!(client.end().await, (codes::UNAUTHENTICATED, "the token is not valid".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_closed() {
    let desk = Desk::new().await;
    let mut client = desk.open().await;
    assert_eq!(client.end().await.0, codes::UNAUTHENTICATED);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(desk.hub.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_is_no_access_token() {
    let desk = Desk::new().await;
    let ada = desk.sign_in("ada", "customer").await;
    assert!(desk.ask(&format!("token={}", ada.refresh), None).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_account_has_so_many_connections_and_no_more() {
    let desk = Desk::with(Settings { per_account: 2, ..Settings::default() }).await;
    let (ada, gus) = (desk.sign_in("ada", "customer").await, desk.sign_in("gus", "customer").await);
    let mut one = desk.connect(&ada).await;
    let _two = desk.connect(&ada).await;
    let third = desk.ask(&format!("token={}", ada.access), None).await.err();
    assert!(matches!(third, Some(Refusal::Full { .. })));
    let mut late = desk.open().await;
    late.say(&json!({ "type": "auth", "token": ada.access }));
    assert_eq!(late.end().await.0, codes::TOO_MANY);
    desk.connect(&gus).await;
    // Who goes makes room.
    one.hang_up();
    tokio::time::sleep(Duration::from_secs(5)).await;
    desk.connect(&ada).await;
}

#[tokio::test(start_paused = true)]
async fn an_address_and_the_server_have_so_many_connections_and_no_more() {
    let desk = Desk::with(Settings { per_address: 1, connections: 2, ..Settings::default() }).await;
    let first = desk.hub.place("10.0.0.2");
    assert!(first.is_some() && desk.hub.place("10.0.0.2").is_none());
    let second = desk.hub.place("2001:db8::1");
    assert!(second.is_some() && desk.hub.place("10.0.0.4").is_none());
    drop(first);
    // A household has a whole network of IPv6 addresses.
    assert!(desk.hub.place("2001:db8::2").is_none());
    assert!(desk.hub.place("10.0.0.2").is_some());
}
