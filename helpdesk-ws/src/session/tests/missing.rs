//! Coming back, and what was missed meanwhile.

use helpdesk_core::tickets::{Act, Cc};
use serde_json::json;

use super::Desk;
use crate::Settings;

#[tokio::test(start_paused = true)]
async fn who_comes_back_is_told_what_was_missed_and_then_what_is_new() {
    let desk = Desk::new().await;
    let (ada, agent) = (desk.sign_in("ada", "customer").await, desk.sign_in("agent", "agent").await);
    let (mut client, from) = desk.back(&ada, None).await;
    let id = desk.ticket(&ada.caller.actor, "Printer").await;
    desk.pump().await;
    let last = client.hear().await["id"].as_str().expect("an id").to_owned();
    client.hang_up();
    desk.note(&agent.caller.actor, id, "Unseen").await;
    desk.say(&agent.caller.actor, id, "Missed").await;
    desk.pump().await;
    // Told by nobody yet, but in the log.
    desk.say(&agent.caller.actor, id, "Late").await;

    let (mut back, _) = desk.back(&ada, Some(&last)).await;
    assert_eq!([back.text().await, back.text().await], ["Printer", "Missed"]);
    assert_eq!(back.hear().await, json!({ "type": "resumed", "events": 2 }));
    desk.pump().await;
    back.is_alone_with(&["Printer", "Late"]).await;
    desk.say(&agent.caller.actor, id, "New").await;
    desk.pump().await;
    back.is_alone_with(&["Printer", "New"]).await;

    // From the very beginning, by what it was told when it first came.
    let (mut again, _) = desk.back(&ada, Some(&from)).await;
    let mut texts = Vec::new();
    loop {
        let told = again.hear().await;
        let Some(text) = told["text"].as_str() else { break };
        texts.push(text.to_owned());
    }
    assert_eq!(texts, ["Printer", "Printer", "Missed", "Printer", "Late", "Printer", "New"]);
}

#[tokio::test(start_paused = true)]
async fn of_an_event_that_was_told_in_part_the_rest_is_told() {
    let desk = Desk::new().await;
    let ada = desk.sign_in("ada", "customer").await;
    let mut client = desk.connect(&ada).await;
    let id = desk.ticket(&ada.caller.actor, "Printer").await;
    desk.say(&ada.caller.actor, id, "Words").await;
    desk.pump().await;
    client.hear().await;
    let half = client.hear().await["id"].as_str().expect("an id").to_owned();
    assert!(half.ends_with("-0"));
    let (mut back, _) = desk.back(&ada, Some(&half)).await;
    assert_eq!(back.text().await, "Words");
    assert_eq!(back.hear().await, json!({ "type": "resumed", "events": 1 }));
    let whole = half.trim_end_matches("-0");
    let (mut back, _) = desk.back(&ada, Some(whole)).await;
    assert_eq!(back.hear().await, json!({ "type": "resumed", "events": 0 }));
}

#[tokio::test(start_paused = true)]
async fn what_is_too_much_is_to_be_loaded_anew() {
    let desk = Desk::with(Settings { resumed: 3, ..Settings::default() }).await;
    let agent = desk.sign_in("agent", "agent").await;
    let (_, from) = desk.back(&agent, None).await;
    for number in 0..4 {
        desk.ticket(&agent.caller.actor, &number.to_string()).await;
    }
    desk.pump().await;
    let (mut back, now) = desk.back(&agent, Some(&from)).await;
    let told = back.hear().await;
    assert_eq!((&told["type"], &told["last_event_id"]), (&json!("reset"), &json!(now)));
    desk.ticket(&agent.caller.actor, "New").await;
    desk.pump().await;
    back.is_alone_with(&["New"]).await;
}

#[tokio::test(start_paused = true)]
async fn an_id_that_never_was_is_no_place_to_go_on_from() {
    let desk = Desk::new().await;
    let agent = desk.sign_in("agent", "agent").await;
    let (mut back, _) = desk.back(&agent, Some("999999")).await;
    assert_eq!(back.hear().await["type"], "reset");
    assert!(desk.ask(&format!("token={}&last_event_id=x", agent.access), None).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_may_be_asked_for_with_the_token_or_once_later() {
    let desk = Desk::new().await;
    let agent = desk.sign_in("agent", "agent").await;
    let (_, from) = desk.back(&agent, None).await;
    desk.ticket(&agent.caller.actor, "Missed").await;
    desk.pump().await;

    let mut client = desk.open().await;
    client.say(&json!({ "type": "auth", "token": agent.access, "last_event_id": from }));
    assert_eq!(client.hear().await["type"], "ready");
    assert_eq!(client.text().await, "Missed");
    assert_eq!(client.hear().await["type"], "resumed");

    let mut client = desk.connect(&agent).await;
    desk.ticket(&agent.caller.actor, "New").await;
    desk.pump().await;
    assert_eq!(client.text().await, "New");
    client.say(&json!({ "type": "subscribe", "events": ["ticket"], "last_event_id": from }));
    assert_eq!(client.hear().await["type"], "subscribed");
    // What it heard itself is not told again.
    assert_eq!(client.text().await, "Missed");
    assert_eq!(client.hear().await, json!({ "type": "resumed", "events": 1 }));
    client.say(&json!({ "type": "subscribe", "last_event_id": from }));
    assert_eq!(client.hear().await["message"], "what was missed is told once");
}

#[tokio::test(start_paused = true)]
async fn another_organisations_events_are_not_missed() {
    let desk = Desk::new().await;
    let elsewhere = desk.desk.identity().create_organisation("Other", "other").await.expect("one");
    let eve = desk.sign_in_at(elsewhere, "eve", "admin").await;
    let agent = desk.sign_in("agent", "agent").await;
    let (_, from) = desk.back(&agent, None).await;
    desk.ticket(&eve.caller.actor, "There").await;
    desk.ticket(&agent.caller.actor, "Here").await;
    desk.pump().await;
    let (mut back, _) = desk.back(&agent, Some(&from)).await;
    assert_eq!(back.text().await, "Here");
    assert_eq!(back.hear().await["type"], "resumed");
}

#[tokio::test(start_paused = true)]
async fn that_what_was_shared_is_gone_is_told_as_it_was_to_who_stayed() {
    let desk = Desk::new().await;
    let (ada, gus) = (desk.sign_in("ada", "customer").await, desk.sign_in("gus", "customer").await);
    let eve = desk.sign_in("eve", "customer").await;
    let tech = desk.sign_in("tech", "technician").await;
    let group = desk.group("Printers", vec![tech.user.id]).await;
    let (tickets, system) = (desk.desk.tickets(), desk.system());
    let act = async |id, act| tickets.act(&system, id, None, act).await.expect("done");
    let copied = desk.ticket(&ada.caller.actor, "Copied").await;
    act(copied, Act::Copy(vec![Cc::to("gus@demo.test")])).await;
    let routed = desk.ticket(&ada.caller.actor, "Routed").await;
    act(routed, Act::Route { assignee: None, group: Some(Some(group)) }).await;
    desk.pump().await;

    for (who, texts) in [(&gus, &["Copied"][..]), (&tech, &["Routed"]), (&eve, &[])] {
        let (mut stayed, from) = desk.back(who, None).await;
        for id in [copied, routed] {
            act(id, Act::Delete).await;
        }
        desk.pump().await;
        stayed.is_alone_with(texts).await;
        let (mut back, _) = desk.back(who, Some(&from)).await;
        for text in texts {
            assert_eq!(back.text().await, *text);
        }
        assert_eq!(back.hear().await, json!({ "type": "resumed", "events": texts.len() }));
        for id in [copied, routed] {
            act(id, Act::Restore).await;
        }
        desk.pump().await;
    }
}
