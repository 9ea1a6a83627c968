//! What has ended does not stay: links, sessions, accounts that nobody confirmed.

use std::sync::Arc;

use chrono::Duration;
use helpdesk_core::identity::{Person, Session, SignUp, User};
use helpdesk_core::storage::{Entity, Filter, From, Query, Scope, TotalMode};
use helpdesk_core::tickets::NewTicket;
use helpdesk_core::{Error, Result, Unlimited};

use crate::support::{PASSWORD, World};
use crate::{LINK, door, token};

/// How many records of a kind there are that belong to no organisation.
async fn count(world: &World, kind: &str) -> u64 {
    let schema = helpdesk_core::Helpdesk::schema();
    let kind = schema.kind(kind).expect("a kind");
    let query = Query::new(kind, Scope::stored(None)).limit(0).total(TotalMode::Exact).from(From::Start);
    let page = world.desk.store().storage().find(&query).await.expect("a page");
    page.total.expect("a total").count
}

async fn links(world: &World) -> u64 {
    count(world, "one_time_token").await
}

async fn sessions(world: &World) -> u64 {
    count(world, Session::SPEC.name).await
}

async fn ask(world: &World, times: usize) -> Result<Vec<String>> {
    let mut tokens = Vec::new();
    for _ in 0..times {
        world.desk.identity().request_reset_anywhere(&world.anonymous(), "ada@demo.test").await?;
        tokens.extend(world.mails().await.iter().map(token));
    }
    Ok(tokens)
}

#[tokio::test]
async fn another_password_ends_every_link_however_many_there_are() -> Result<()> {
    let world = World::with(|builder| builder.limiter(Arc::new(Unlimited))).await;
    let identity = world.desk.identity();
    let ada = world.caller("ada", "customer").await;
    let mut tokens = Vec::new();
    // The first expire and are not removed yet.
    for _ in 0..12 {
        tokens.extend(ask(&world, 18).await?);
        world.clock.advance(Duration::minutes(50));
    }
    identity.change_password(&ada, PASSWORD, "another one").await?;
    for token in tokens.iter().rev() {
        let refused = identity.reset_password_anywhere(&door(), token, "one of a thief").await;
        assert!(matches!(refused, Err(Error::BadToken)));
    }
    Ok(())
}

#[tokio::test]
async fn of_many_links_the_newest_are_good() -> Result<()> {
    let world = World::with(|builder| builder.limiter(Arc::new(Unlimited))).await;
    let identity = world.desk.identity();
    world.user("ada", "customer").await;
    let tokens = ask(&world, 25).await?;
    assert_eq!((tokens.len(), links(&world).await), (25, 20));
    let old = identity.reset_password_anywhere(&door(), &tokens[4], "another one").await;
    assert!(matches!(old, Err(Error::BadToken)));
    identity.reset_password_anywhere(&door(), &tokens[5], "another one").await
}

#[tokio::test]
async fn links_and_sessions_are_removed_once_they_have_expired() -> Result<()> {
    let world = World::new().await;
    let ada = world.caller("ada", "customer").await;
    ask(&world, 2).await?;
    assert_eq!((links(&world).await, sessions(&world).await), (2, 1));
    world.clock.advance(Duration::hours(15));
    world.mails().await;
    assert_eq!((links(&world).await, sessions(&world).await), (0, 1), "the next day");
    world.clock.advance(Duration::days(13));
    world.mails().await;
    assert_eq!(sessions(&world).await, 1, "it is still good");
    world.sign_in("ada").await;
    world.clock.advance(Duration::days(2));
    world.mails().await;
    assert_eq!(sessions(&world).await, 1, "the other one is");
    assert!(world.desk.identity().sign_out(&ada).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn more_than_are_removed_at_once_are_removed_all_the_same() -> Result<()> {
    let world = World::with(|builder| builder.limiter(Arc::new(Unlimited))).await;
    world.user("ada", "customer").await;
    for _ in 0..260 {
        world.sign_in("ada").await;
    }
    world.clock.advance(Duration::days(16));
    world.mails().await;
    assert_eq!(sessions(&world).await, 0);
    Ok(())
}

fn sign_up(name: &str) -> SignUp {
    SignUp {
        person: Person { email: format!("{name}@acme.example"), ..Person::named(name) },
        password: PASSWORD.into(),
        link: LINK.into(),
        ..SignUp::default()
    }
}

#[tokio::test]
async fn an_address_that_nobody_confirms_is_free_again_after_thirty_days() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let admin = world.actor("admin", "admin").await;
    let store = world.desk.store();
    let sam = identity.sign_up(&world.anonymous(), sign_up("sam")).await?;
    let named = identity.sign_up(&world.anonymous(), sign_up("nora")).await?;
    let asked = NewTicket {
        requester: Some(named.id),
        subject: "Printer".into(),
        description: "It is on fire.".into(),
        ..NewTicket::default()
    };
    world.desk.tickets().create(&admin, asked).await?;
    let used = identity.sign_up(&world.anonymous(), sign_up("una")).await?;
    identity.approve(&admin, used.id).await?;
    world.mails().await;

    world.clock.advance(Duration::days(30));
    world.mails().await;
    assert!(store.get::<User>(sam.scope, sam.id).await?.is_some(), "not yet");
    // Who asks for a link just before may follow it.
    let end = world.desk.now() + Duration::days(1);
    let end = end.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    world.clock.advance(end - Duration::minutes(30) - world.desk.now());
    identity.request_reset(&world.anonymous(), "sam@acme.example").await?;
    world.mails().await;
    world.clock.advance(Duration::minutes(30));
    world.mails().await;
    assert!(store.get::<User>(sam.scope, sam.id).await?.is_some(), "the link is still good");
    world.clock.advance(Duration::days(1));
    world.mails().await;
    assert!(store.get::<User>(sam.scope, sam.id).await?.is_none());
    for stays in [&named, &used] {
        assert!(store.get::<User>(stays.scope, stays.id).await?.is_some());
    }
    let again = identity.sign_up(&world.anonymous(), sign_up("sam")).await?;
    assert_ne!(again.id, sam.id);
    assert!(identity.sign_up(&world.anonymous(), sign_up("nora")).await.is_err(), "it stays theirs");
    let filter = Filter::equals("state", "unconfirmed");
    assert_eq!(store.select::<User>(sam.scope).filter(filter).count().await?, 2);
    Ok(())
}
