//! Search over everything.

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use helpdesk_core::contacts::NewContact;
use helpdesk_core::insight::{SearchKind, SearchResults, Window};
use helpdesk_core::knowledge::NewArticle;
use helpdesk_core::tickets::{Act, NewTicket};
use helpdesk_core::{Actor, Error, Result};
use support::World;
use support::tickets::request;

async fn contact(world: &World, actor: &Actor, name: &str, company: &str) -> Result<()> {
    let new = NewContact {
        name: name.to_owned(),
        email: format!("{}@example.com", name.to_lowercase()),
        company: Some(company.to_owned()),
        ..NewContact::default()
    };
    world.desk.contacts().create(actor, new).await.map(drop)
}

async fn article(world: &World, actor: &Actor, title: &str, published: bool) -> Result<()> {
    let (title, category) = (title.to_owned(), "Hardware".to_owned());
    let new = NewArticle { title, content: "Text".to_owned(), category, tags: Default::default(), published };
    world.desk.knowledge().create(actor, new).await.map(drop)
}

/// What was found of each, by what it is called.
fn called(found: &SearchResults) -> [Vec<&str>; 3] {
    [
        found.tickets.iter().map(|ticket| ticket.subject.as_str()).collect(),
        found.contacts.iter().map(|view| view.contact.name.as_str()).collect(),
        found.articles.iter().map(|view| view.article.title.as_str()).collect(),
    ]
}

async fn all(world: &World, actor: &Actor, typed: &str) -> Result<SearchResults> {
    world.desk.insight().search(actor, typed, &SearchKind::ALL, 20).await
}

#[tokio::test]
async fn everything_is_found_at_once_as_far_as_somebody_may_see_it() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    let (ada, gus) = (world.actor("ada", "customer").await, world.actor("gus", "customer").await);
    world.ticket(&ada, "The printer burns").await;
    world.ticket(&gus, "The printer is out of paper").await;
    let deleted = world.ticket(&ada, "The printer is gone").await;
    world.act(&world.system(), deleted.id, Act::Delete).await;
    contact(&world, &agent, "Carla", "Printer Works").await?;
    article(&world, &agent, "Printers", true).await?;
    article(&world, &agent, "Printers we threw away", false).await?;

    let found = all(&world, &agent, "printer").await?;
    assert_eq!(
        called(&found),
        [
            vec!["The printer is out of paper", "The printer burns"],
            vec!["Carla"],
            vec!["Printers we threw away", "Printers"],
        ]
    );
    let found = all(&world, &ada, "printer").await?;
    assert_eq!(called(&found), [vec!["The printer burns"], vec![], vec!["Printers"]]);
    let alone = world.desk.insight().search_contacts(&ada, "carla", Window::first(20)).await;
    assert!(matches!(alone, Err(Error::Forbidden { .. })));
    Ok(())
}

#[tokio::test]
async fn a_number_finds_its_ticket_before_all_that_have_words_like_it() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    let sought = world.ticket(&agent, "Printer").await;
    let number = sought.number.to_string();
    for nth in 0..230 {
        world.ticket(&agent, &format!("{number}{nth} rooms")).await;
    }
    let insight = world.desk.insight();
    let page = async |skip, limit| insight.search_tickets(&agent, &number, Window { skip, limit }).await;
    let (first, second) = (page(0, 3).await?, page(3, 3).await?);
    assert_eq!((first.items[0].id, first.items.len(), second.items.len()), (sought.id, 3, 3));
    assert_eq!(first.total.map(|total| total.count), Some(231));
    let mut seen = std::collections::HashSet::new();
    for skip in (0..231).step_by(50) {
        seen.extend(page(skip, 50).await?.items.iter().map(|ticket| ticket.id));
    }
    assert_eq!(seen.len(), 231, "nothing is shown twice or left out");
    Ok(())
}

#[tokio::test]
async fn only_what_was_asked_for_is_searched() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    world.ticket(&agent, "Printer").await;
    contact(&world, &agent, "Carla", "Printer Works").await?;
    article(&world, &agent, "Printers", true).await?;
    let insight = world.desk.insight();
    let found = insight.search(&agent, "printer", &[SearchKind::Articles], 20).await?;
    assert_eq!(called(&found), [vec![], vec![], vec!["Printers"]]);
    let found = insight.search(&agent, "printer", &[SearchKind::Tickets, SearchKind::Contacts], 20).await?;
    assert_eq!(called(&found), [vec!["Printer"], vec!["Carla"], vec![]]);
    assert_eq!(
        called(&insight.search(&agent, "printer", &[], 20).await?),
        [vec![], vec![], vec![] as Vec<&str>]
    );
    Ok(())
}

#[tokio::test]
async fn a_text_without_words_finds_nothing() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    world.ticket(&agent, "Printer").await;
    contact(&world, &agent, "Carla", "Works").await?;
    article(&world, &agent, "Printers", true).await?;
    for nothing in ["", "  ", "?!", "***", "\u{1f600}"] {
        assert_eq!(
            called(&all(&world, &agent, nothing).await?),
            [vec![], vec![], vec![] as Vec<&str>],
            "{nothing}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn subjects_come_before_texts_and_a_number_before_all() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    let make = |subject: &str, description: &str| NewTicket {
        description: description.to_owned(),
        ..request(subject)
    };
    for new in [
        make("Printer", "It burns"),
        make("Room 1", "The printer is there"),
        make("Printers", "All of them"),
        make("Nothing", "of that sort"),
    ] {
        world.desk.tickets().create(&agent, new).await?;
    }
    let found = all(&world, &agent, "printer").await?;
    assert_eq!(called(&found)[0], ["Printer", "Printers", "Room 1"]);
    // The first ticket by its number, the second by the word.
    assert_eq!(called(&all(&world, &agent, "1").await?)[0], ["Printer", "Room 1"]);
    assert_eq!(called(&all(&world, &agent, "#4").await?)[0], ["Nothing"]);
    Ok(())
}

#[tokio::test]
async fn pages_follow_each_other_beyond_what_is_ranked() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    // The oldest fits best, and is too old to be ranked.
    world.ticket(&agent, "Printer").await;
    for number in 0..210 {
        world.ticket(&agent, &format!("Printers {number}")).await;
    }
    let insight = world.desk.insight();
    let mut seen = Vec::new();
    for page in 0..4 {
        let window = Window { skip: page * 60, limit: 60 };
        let found = insight.search_tickets(&agent, "printer", window).await?;
        assert_eq!(found.total.map(|total| total.count), Some(211));
        assert_eq!(found.items.len(), if page < 3 { 60 } else { 31 });
        seen.extend(found.items.iter().map(|ticket| ticket.number));
    }
    assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
    assert_eq!((seen.len(), seen.last()), (211, Some(&1)));
    let beyond = insight.search_tickets(&agent, "printer", Window { skip: 500, limit: 10 }).await?;
    assert_eq!((beyond.items.len(), beyond.total.map(|total| total.count)), (0, Some(211)));
    Ok(())
}

#[tokio::test]
async fn search_ends_at_the_border() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    world.ticket(&agent, "Printer").await;
    contact(&world, &agent, "Carla", "Printer Works").await?;
    article(&world, &agent, "Printers", true).await?;
    let elsewhere = world.desk.identity().create_organisation("Elsewhere", "elsewhere").await?;
    world.user_in(elsewhere, "eve", "admin").await;
    let eve = world.sign_in("eve").await.actor;
    for typed in ["printer", "carla", "1"] {
        assert_eq!(called(&all(&world, &eve, typed).await?), [vec![], vec![], vec![] as Vec<&str>]);
    }
    Ok(())
}
