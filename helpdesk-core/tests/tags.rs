//! Tags.

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::collections::BTreeSet;

use helpdesk_core::storage::From;
use helpdesk_core::tags::Tag;
use helpdesk_core::tickets::NewTicket;
use helpdesk_core::{Actor, Error, Problem, Result};
use support::World;
use support::tickets::{problems, request};

async fn names(world: &World, actor: &Actor) -> Result<Vec<String>> {
    let tags = world.desk.tags().list(actor, 100, From::Start).await?;
    assert_eq!(tags.total.map(|total| total.count), Some(tags.items.len() as u64));
    Ok(tags.items.iter().map(|tag| tag.name.clone()).collect())
}

#[tokio::test]
async fn tags_are_listed_by_name_for_everybody_who_is_known() -> Result<()> {
    let world = World::new().await;
    let (admin, customer) = (world.actor("admin", "admin").await, world.actor("ada", "customer").await);
    for name in ["vpn", "Printer", "screen"] {
        world.desk.tags().create(&admin, Tag::new(name, "#36f")).await?;
    }
    assert_eq!(names(&world, &customer).await?, ["Printer", "screen", "vpn"]);
    let page = world.desk.tags().list(&customer, 1, From::Offset(1)).await?;
    assert_eq!((page.items[0].name.as_str(), page.total.map(|total| total.count)), ("screen", Some(3)));
    let nobody = world.desk.tags().list(&world.anonymous(), 10, From::Start).await;
    assert!(matches!(nobody, Err(Error::Unauthenticated(_))));
    Ok(())
}

#[tokio::test]
async fn no_two_tags_have_the_same_name() -> Result<()> {
    let world = World::new().await;
    let admin = world.actor("admin", "admin").await;
    let tags = world.desk.tags();
    tags.create(&admin, Tag::new("Łódź", "#36f")).await?;
    let taken = tags.create(&admin, Tag::new(" łódź ", "#000")).await.expect_err("taken");
    assert_eq!(problems(&taken), [("name".to_owned(), vec![Problem::Taken("tag")])]);
    let wrong = tags.create(&admin, Tag::new("", "blue")).await.expect_err("wrong");
    let fields: Vec<_> = problems(&wrong).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["color", "name"]);
    Ok(())
}

#[tokio::test]
async fn a_tag_that_is_deleted_stays_a_word_on_tickets() -> Result<()> {
    let world = World::new().await;
    let (admin, ada) = (world.actor("admin", "admin").await, world.actor("ada", "customer").await);
    let tag = world.desk.tags().create(&admin, Tag::new("printer", "#36f")).await?;
    let tags = BTreeSet::from(["printer".to_owned()]);
    let (ticket, _) = world.desk.tickets().create(&ada, NewTicket { tags, ..request("Burns") }).await?;
    world.desk.tags().delete(&admin, tag.id).await?;
    assert!(names(&world, &admin).await?.is_empty());
    assert!(matches!(world.desk.tags().delete(&admin, tag.id).await, Err(Error::NotFound { what: "tag" })));
    assert!(world.desk.tickets().get(&ada, ticket.id).await?.tags.contains("printer"));
    world.desk.tags().create(&admin, Tag::new("printer", "#000")).await?;
    Ok(())
}

#[tokio::test]
async fn only_who_may_makes_and_deletes_tags_and_only_their_own() -> Result<()> {
    let world = World::new().await;
    let (manager, agent) = (world.actor("maria", "manager").await, world.actor("anna", "agent").await);
    let tags = world.desk.tags();
    let tag = tags.create(&manager, Tag::new("printer", "#36f")).await?;
    assert!(matches!(tags.create(&agent, Tag::new("vpn", "#36f")).await, Err(Error::Forbidden { .. })));
    assert!(matches!(tags.delete(&agent, tag.id).await, Err(Error::Forbidden { .. })));
    let elsewhere = world.desk.identity().create_organisation("Elsewhere", "elsewhere").await?;
    world.user_in(elsewhere, "eve", "admin").await;
    let eve = world.sign_in("eve").await.actor;
    assert!(names(&world, &eve).await?.is_empty());
    assert!(matches!(tags.delete(&eve, tag.id).await, Err(Error::NotFound { .. })));
    tags.create(&eve, Tag::new("printer", "#36f")).await?;
    assert_eq!(names(&world, &manager).await?, ["printer"]);
    Ok(())
}
