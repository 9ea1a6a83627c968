//! Requesters of solved tickets are asked how satisfied they are, and answer by a link or themselves.

use std::sync::Arc;

use chrono::Duration;
use helpdesk_core::identity::PreferencesChange;
use helpdesk_core::storage::Stored;
use helpdesk_core::tickets::{Act, Status, Ticket, TicketId};
use helpdesk_core::{Actor, AuthFailure, Error, Mail, MailTemplate, Result, Via, Who};

use crate::support::World;
use crate::support::tickets::{problems, say};

/// A ticket that was just solved, and its requester.
async fn solved(
    change: impl FnOnce(helpdesk_core::Builder) -> helpdesk_core::Builder,
) -> (World, Actor, TicketId) {
    let world = World::promising(change).await;
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.bring(id, Status::Resolved).await;
    world.mails().await;
    (world, ada, id)
}

async fn requests(world: &World, after: Duration) -> Vec<Mail> {
    world.clock.advance(after);
    let mut mails = world.mails().await;
    mails.retain(|mail| mail.template == MailTemplate::SatisfactionRequest);
    mails
}

/// The tokens of a mail, for 5 to 1.
fn tokens(mail: &Mail) -> Vec<String> {
    let ratings = mail.context["ratings"].as_array().expect("ratings");
    let links = ratings.iter().map(|rating| rating["link"].as_str().expect("a link"));
    links
        .map(|link| {
            link.strip_prefix("https://desk.test/satisfaction?token=").expect("the address").to_owned()
        })
        .collect()
}

async fn click(world: &World, token: &str, comment: Option<&str>) -> Result<Stored<Ticket>> {
    world.desk.tickets().rate_by_token(Arc::new(Via::SYSTEM), token, comment.map(str::to_owned)).await
}

#[tokio::test]
async fn a_requester_is_asked_once_an_hour_after_the_solution() -> Result<()> {
    let (world, _, id) = solved(|builder| builder).await;
    assert!(requests(&world, Duration::minutes(59)).await.is_empty());
    let mails = requests(&world, Duration::minutes(1)).await;
    assert_eq!(mails.len(), 1);
    assert_eq!((mails[0].to.as_str(), &mails[0].context["subject"]), ("ada@demo.test", &"Printer".into()));
    let labels: Vec<_> = mails[0].context["ratings"]
        .as_array()
        .expect("ratings")
        .iter()
        .map(|rating| &rating["label"])
        .collect();
    assert_eq!((labels.len(), labels[0], labels[4]), (5, &"Very good".into(), &"Very bad".into()));
    // Not again when it closes, nor when it is solved again soon.
    assert!(requests(&world, Duration::days(5)).await.is_empty());
    world.bring(id, Status::Open).await;
    world.bring(id, Status::Resolved).await;
    assert!(requests(&world, Duration::days(2)).await.is_empty());
    // But when it is solved again a long time later.
    world.clock.advance(Duration::days(30));
    world.bring(id, Status::Open).await;
    world.bring(id, Status::Resolved).await;
    assert_eq!(requests(&world, Duration::hours(1)).await.len(), 1);
    Ok(())
}

#[tokio::test]
async fn nobody_is_asked_about_what_was_reopened_deleted_or_rated_or_where_nobody_wants_to_know() -> Result<()>
{
    let (world, ada, id) = solved(|builder| builder).await;
    world.act(&ada, id, say("Still burns")).await;
    assert!(requests(&world, Duration::days(3)).await.is_empty());
    world.bring(id, Status::Resolved).await;
    world.desk.tickets().rate(&ada, id, 4, None).await?;
    assert!(requests(&world, Duration::days(3)).await.is_empty());
    let second = world.ticket(&ada, "Screen").await.id;
    world.bring(second, Status::Resolved).await;
    world.act(&world.system(), second, Act::Delete).await;
    assert!(requests(&world, Duration::days(3)).await.is_empty());
    let change = PreferencesChange { by_mail: Some(false), ..PreferencesChange::default() };
    world.desk.identity().change_preferences(&ada, change).await?;
    let unasked = world.ticket(&ada, "Keyboard").await.id;
    world.bring(unasked, Status::Resolved).await;
    assert!(requests(&world, Duration::days(3)).await.is_empty(), "she wants no mail");
    let change = PreferencesChange { by_mail: Some(true), ..PreferencesChange::default() };
    world.desk.identity().change_preferences(&ada, change).await?;
    world.settings(|settings| settings.satisfaction_minutes = None).await;
    let third = world.ticket(&ada, "Mouse").await.id;
    world.bring(third, Status::Resolved).await;
    assert!(requests(&world, Duration::days(3)).await.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_click_rates_and_the_last_one_holds() -> Result<()> {
    let (world, ada, id) = solved(|builder| builder).await;
    let mail = requests(&world, Duration::hours(1)).await.remove(0);
    let tokens = tokens(&mail);
    let rated = click(&world, &tokens[0], None).await?;
    assert_eq!((rated.id, rated.satisfaction.as_ref().map(|rated| rated.score)), (id, Some(5)));
    // Whoever opens the link again changes nothing.
    assert_eq!(click(&world, &tokens[0], None).await?.version, rated.version);
    let rated = click(&world, &tokens[4], Some(" It burns again ")).await?;
    let said = rated.satisfaction.clone().expect("a rating");
    assert_eq!((said.score, said.comment.as_deref()), (1, Some("It burns again")));
    // Also on a ticket that is closed, which it stays.
    world.act(&ada, id, Act::Close { comment: None }).await;
    let rated = click(&world, &tokens[2], None).await?;
    let said = rated.satisfaction.clone().expect("a rating");
    assert_eq!(
        (rated.state.status(), said.score, said.comment.as_deref()),
        (Status::Closed, 3, Some("It burns again"))
    );
    let log = world.log().await;
    let events: Vec<_> = log.iter().filter(|event| event.action == "ticket.rated").collect();
    assert_eq!(events.len(), 3);
    assert_eq!(events[0].detail.actor, Who::User(ada.user().expect("ada")));
    assert_eq!((&events[2].detail.changes[0].from, &events[2].detail.changes[0].to), (&1.into(), &3.into()));
    Ok(())
}

#[tokio::test]
async fn a_link_is_signed_and_expires_and_opens_nothing_else() -> Result<()> {
    let (world, _, id) = solved(|builder| builder).await;
    let mail = requests(&world, Duration::hours(1)).await.remove(0);
    let token = tokens(&mail).remove(4);
    let failure = |error| if let Error::Unauthenticated(failure) = error { Some(failure) } else { None };
    let mut forged = token.clone();
    forged.replace_range(forged.len() - 4.., "AAAA");
    let refused = click(&world, &forged, None).await.map_err(failure);
    assert_eq!(refused.err(), Some(Some(AuthFailure::Token)));
    let refused = world.desk.identity().authenticate(&token, Arc::new(Via::SYSTEM)).await;
    assert_eq!(refused.map_err(failure).err(), Some(Some(AuthFailure::Token)));
    let caller = world.caller("bob", "customer").await;
    assert!(caller.session.is_some());
    world.bring(id, Status::Open).await;
    assert!(matches!(click(&world, &token, None).await, Err(Error::Rejected(_))));
    world.bring(id, Status::Resolved).await;
    world.clock.advance(Duration::days(30));
    let refused = click(&world, &token, None).await.map_err(failure);
    assert_eq!(refused.err(), Some(Some(AuthFailure::Expired)));
    Ok(())
}

#[tokio::test]
async fn a_requester_rates_what_is_solved_and_nobody_else_does() -> Result<()> {
    let (world, ada, id) = solved(|builder| builder).await;
    let tickets = world.desk.tickets();
    for other in [world.system(), world.actor("gus", "agent").await] {
        assert!(matches!(tickets.rate(&other, id, 5, None).await, Err(Error::NotYours { .. })));
    }
    let bob = world.actor("bob", "customer").await;
    assert!(matches!(tickets.rate(&bob, id, 5, None).await, Err(Error::Forbidden { .. })));
    for wrong in [0, 6] {
        let error = tickets.rate(&ada, id, wrong, Some("x\0".to_owned())).await.expect_err("wrong");
        assert_eq!(problems(&error).len(), 2);
    }
    let rated = tickets.rate(&ada, id, 2, Some("Slow".to_owned())).await?;
    assert_eq!(rated.satisfaction.as_ref().map(|rated| rated.score), Some(2));
    assert_eq!(tickets.get(&ada, id).await?.version, rated.version);
    Ok(())
}
