//! Whoever is taken into the desk is invited by mail, and chooses a password once.

use std::sync::Arc;

use chrono::Duration;
use helpdesk_core::identity::{Admission, Agent, AgentEdit, NewAgent, UserId};
use helpdesk_core::{Actor, Authenticated, Error, MailTemplate, Result, Via};

use crate::kit::newcomer;
use crate::support::{PASSWORD, World};

/// Signs somebody in.
async fn sign_in(world: &World, email: &str, password: &str) -> Result<Authenticated> {
    let admit = |_: &_, _: &_| Ok(Admission::Approved);
    let identity = world.desk.identity();
    Ok(identity.sign_in(None, email, password, Arc::new(Via::SYSTEM), admit).await?.caller)
}

async fn choose(world: &World, agent: &Agent, token: &str, password: &str) -> Result<()> {
    let identity = world.desk.identity();
    identity.reset_password(&world.anonymous(), agent.user.number, token, password).await
}

/// Somebody who was taken in, and the token of their invitation.
async fn invited(world: &World, new: NewAgent) -> Result<(Agent, String)> {
    let agent = world.desk.identity().create_agent(&world.system(), new).await?;
    let mails = world.mails().await;
    let [mail] = &mails[..] else { panic!("{} mails", mails.len()) };
    assert_eq!((mail.template, &mail.to), (MailTemplate::Invitation, &agent.user.email));
    let link = mail.context["link"].as_str().expect("a link");
    assert!(link.starts_with("https://desk.test/reset-password?"), "{link}");
    let (_, token) = link.split_once("token=").expect("a token");
    Ok((agent, token.to_owned()))
}

#[tokio::test]
async fn an_invitation_lets_its_receiver_choose_a_password_once() -> Result<()> {
    let world = World::new().await;
    let (nina, token) = invited(&world, newcomer("Nina")).await?;
    for guess in ["", "nobody has this password"] {
        assert!(sign_in(&world, "nina@demo.test", guess).await.is_err());
    }
    assert!(choose(&world, &nina, &token, "short").await.is_err());
    choose(&world, &nina, &token, "a password of hers").await?;
    assert!(sign_in(&world, "nina@demo.test", "a password of hers").await.is_ok());
    assert!(choose(&world, &nina, &token, "a password of others").await.is_err(), "it works once");
    assert!(sign_in(&world, "nina@demo.test", "a password of others").await.is_err());
    Ok(())
}

#[tokio::test]
async fn an_invitation_lapses_after_seven_days() -> Result<()> {
    let world = World::new().await;
    let (nina, late) = invited(&world, newcomer("Nina")).await?;
    let (nils, just_in_time) = invited(&world, newcomer("Nils")).await?;
    world.clock.advance(Duration::days(7) - Duration::seconds(1));
    choose(&world, &nils, &just_in_time, "a password of his").await?;
    world.clock.advance(Duration::seconds(1));
    assert!(choose(&world, &nina, &late, "a password of hers").await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_password_that_was_given_works_at_once_and_the_link_sets_another() -> Result<()> {
    let world = World::new().await;
    let new = NewAgent { password: Some(PASSWORD.into()), ..newcomer("Nina") };
    let (nina, token) = invited(&world, new).await?;
    let caller = sign_in(&world, "nina@demo.test", PASSWORD).await?;
    assert_eq!(caller.actor.user(), Some(nina.user.id));
    choose(&world, &nina, &token, "a password of hers").await?;
    assert!(sign_in(&world, "nina@demo.test", PASSWORD).await.is_err());
    assert!(sign_in(&world, "nina@demo.test", "a password of hers").await.is_ok());
    Ok(())
}

#[tokio::test]
async fn who_was_sent_away_is_not_invited_and_their_link_is_dead() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let (nina, token) = invited(&world, newcomer("Nina")).await?;
    identity.deactivate_agent(&world.system(), nina.user.id).await?;
    identity.reactivate(&world.system(), nina.user.id).await?;
    assert!(choose(&world, &nina, &token, "a password of hers").await.is_err());
    let nils = identity.create_agent(&world.system(), newcomer("Nils")).await?;
    identity.deactivate_agent(&world.system(), nils.user.id).await?;
    assert!(world.mails().await.is_empty());
    Ok(())
}

#[tokio::test]
async fn who_has_left_comes_back_by_the_same_address_with_an_invitation() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let admin = world.actor("admin", "admin").await;
    let group = world.team("Hardware", &[]).await.id;
    let (old, new) = (world.user("gus", "agent").await, "a password of his");
    identity.deactivate_agent(&admin, old.id).await?;
    assert!(sign_in(&world, "gus@demo.test", PASSWORD).await.is_err());
    let again = || NewAgent { role: "team_lead".into(), groups: vec![group], ..newcomer("Gus") };
    let (gus, token) = invited(&world, again()).await?;
    assert_eq!((gus.user.id, gus.user.number, gus.user.state.name()), (old.id, old.number, "approved"));
    assert_eq!((gus.user.full_name().as_str(), &*gus.groups), ("Gus", &[group][..]));
    assert!(gus.permissions.contains(&helpdesk_core::identity::permissions::TICKET_ASSIGN_ANY));
    assert!(sign_in(&world, "gus@demo.test", PASSWORD).await.is_err(), "they choose another");
    choose(&world, &gus, &token, new).await?;
    assert!(sign_in(&world, "gus@demo.test", new).await.is_ok());
    let log = world.log().await;
    assert_eq!(log.iter().filter(|event| event.action == "user.reactivated").count(), 1);
    // Whoever is there is not made once more, and whoever was shut out stays out.
    assert!(matches!(identity.create_agent(&admin, again()).await, Err(Error::Invalid(_))));
    identity.block(&admin, old.id, None).await?;
    assert!(matches!(identity.create_agent(&admin, again()).await, Err(Error::Invalid(_))));
    Ok(())
}

#[tokio::test]
async fn only_the_desks_own_come_back_to_it() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let ada = world.user("ada", "customer").await;
    identity.deactivate(&world.system(), ada.id).await?;
    let refused = identity.create_agent(&world.system(), newcomer("Ada")).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    // Nor does another organisation get somebody back.
    let elsewhere = Actor::system(identity.create_organisation("Other", "other").await?);
    let gus = world.user("gus", "agent").await;
    identity.deactivate_agent(&world.system(), gus.id).await?;
    assert!(matches!(identity.create_agent(&elsewhere, newcomer("Gus")).await, Err(Error::Invalid(_))));
    Ok(())
}

#[tokio::test]
async fn a_link_to_the_address_of_before_is_dead_and_the_new_one_logs_in() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let new = NewAgent { password: Some(PASSWORD.into()), ..newcomer("Nina") };
    let (nina, token) = invited(&world, new).await?;
    let edit = AgentEdit { email: Some(" Nina.New@demo.test".into()), ..AgentEdit::default() };
    let moved = identity.update_agent(&world.system(), nina.user.id, edit).await?;
    assert_eq!(moved.user.email, "nina.new@demo.test");
    assert!(choose(&world, &nina, &token, "a password of hers").await.is_err());
    assert!(sign_in(&world, "nina@demo.test", PASSWORD).await.is_err());
    assert!(sign_in(&world, "nina.new@demo.test", PASSWORD).await.is_ok());
    // The address of before is free for somebody else.
    let (other, _) = invited(&world, newcomer("Nina")).await?;
    assert_ne!(other.user.id, nina.user.id);
    Ok(())
}

#[tokio::test]
async fn what_is_stored_of_an_invitation_opens_nothing() -> Result<()> {
    let world = World::new().await;
    let (nina, token) = invited(&world, newcomer("Nina")).await?;
    let log = world.log().await;
    assert!(log.iter().all(|event| !format!("{event:?}").contains(&token)));
    // Another account's number does not open it.
    let elsewhere: UserId = world.user("gus", "agent").await.id;
    assert_ne!(elsewhere, nina.user.id);
    let gus = world.agent(elsewhere).await?;
    let refused = choose(&world, &gus, &token, "a password of his").await;
    assert!(!matches!(refused, Ok(()) | Err(Error::Internal { .. })));
    Ok(())
}
