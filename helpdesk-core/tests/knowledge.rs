//! The knowledge base: articles, drafts, views, votes.

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use chrono::Duration;
use helpdesk_core::knowledge::{
    Article, ArticleEdit, ArticleId, ArticleQuery, ArticleViews, ArticleVote, NewArticle,
};
use helpdesk_core::storage::{EntityId as _, From};
use helpdesk_core::{Actor, Error, Result};
use support::World;
use support::flaky::{Failure, FlakyStorage};
use support::tickets::problems;

fn article(title: &str, category: &str) -> NewArticle {
    NewArticle {
        title: title.to_owned(),
        content: "Hold the *power* button.".to_owned(),
        category: category.to_owned(),
        tags: ["printer".to_owned()].into(),
        published: true,
    }
}

fn draft(title: &str, category: &str) -> NewArticle {
    NewArticle { published: false, ..article(title, category) }
}

async fn made(world: &World, actor: &Actor, new: NewArticle) -> ArticleId {
    world.desk.knowledge().create(actor, new).await.expect("an article").article.id
}

async fn titles(world: &World, actor: &Actor, query: ArticleQuery) -> Result<Vec<String>> {
    let page = world.desk.knowledge().list(actor, query).await?;
    assert_eq!(page.total, page.articles.len() as u64);
    Ok(page.articles.into_iter().map(|view| view.article.title.clone()).collect())
}

async fn categories(world: &World, actor: &Actor) -> Result<Vec<(String, u64)>> {
    let categories = world.desk.knowledge().categories(actor).await?;
    Ok(categories.into_iter().map(|category| (category.name, category.articles)).collect())
}

#[tokio::test]
async fn an_article_is_written_read_changed_and_deleted() -> Result<()> {
    let world = World::new().await;
    let (anna, ada) = (world.actor("anna", "agent").await, world.actor("ada", "customer").await);
    let knowledge = world.desk.knowledge();
    let id = made(&world, &anna, article("Restart a printer", "Hardware")).await;
    let read = knowledge.read(&ada, id).await?;
    assert_eq!(read.article.content, "Hold the *power* button.");
    assert_eq!(read.article.html(), "<p>Hold the <em>power</em> button.</p>\n");
    assert_eq!(read.author.map(|author| author.id), anna.user());

    world.clock.advance(Duration::minutes(5));
    let edit = ArticleEdit { content: Some("Pull the plug.".to_owned()), ..ArticleEdit::default() };
    let changed = knowledge.update(&anna, id, edit.clone()).await?;
    assert_eq!((changed.article.version, changed.article.title.as_str()), (2, "Restart a printer"));
    assert_eq!(changed.article.updated_at - changed.article.created_at, Duration::minutes(5));
    assert_eq!(changed.views, 1);
    assert_eq!(knowledge.update(&anna, id, edit).await?.article.version, 2, "the same again is no change");
    assert_eq!(titles(&world, &ada, ArticleQuery::default().search("plug")).await?, ["Restart a printer"]);
    assert!(titles(&world, &ada, ArticleQuery::default().search("power")).await?.is_empty());

    knowledge.delete(&anna, id).await?;
    assert!(matches!(knowledge.read(&ada, id).await, Err(Error::NotFound { what: "article" })));
    assert!(matches!(knowledge.vote(&ada, id, true).await, Err(Error::NotFound { .. })));
    let log = world.log().await;
    let actions = log.iter().filter(|event| event.subject == id.uuid()).map(|event| event.action.as_str());
    assert_eq!(actions.collect::<Vec<_>>(), ["article.created", "article.updated", "article.deleted"]);
    assert!(!format!("{log:?}").contains("plug"));
    Ok(())
}

#[tokio::test]
async fn all_that_is_wrong_is_said_at_once() -> Result<()> {
    let world = World::new().await;
    let anna = world.actor("anna", "agent").await;
    let wrong = NewArticle {
        title: "x".repeat(256),
        content: "a\0".to_owned(),
        category: " ".to_owned(),
        tags: ["x".repeat(101)].into(),
        published: true,
    };
    let error = world.desk.knowledge().create(&anna, wrong).await.expect_err("wrong");
    let fields: Vec<_> = problems(&error).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["category", "content", "tags", "title"]);
    let long = NewArticle { content: "ü".repeat(200_000), ..article("Long", "Hardware") };
    let id = made(&world, &anna, long).await;
    let edit = ArticleEdit { content: Some("ü".repeat(200_001)), ..ArticleEdit::default() };
    assert!(matches!(world.desk.knowledge().update(&anna, id, edit).await, Err(Error::Invalid(_))));
    Ok(())
}

#[tokio::test]
async fn drafts_are_for_those_who_write() -> Result<()> {
    let world = World::new().await;
    let (anna, amir) = (world.actor("anna", "agent").await, world.actor("amir", "agent").await);
    let ada = world.actor("ada", "customer").await;
    let knowledge = world.desk.knowledge();
    made(&world, &anna, article("Printers", "Hardware")).await;
    let id = made(&world, &anna, draft("Scanners", "Hardware")).await;
    made(&world, &anna, draft("VPN", "Network")).await;

    assert_eq!(titles(&world, &amir, ArticleQuery::default()).await?, ["VPN", "Scanners", "Printers"]);
    assert_eq!(titles(&world, &ada, ArticleQuery::default()).await?, ["Printers"]);
    assert!(titles(&world, &ada, ArticleQuery::default().search("scanners")).await?.is_empty());
    assert!(titles(&world, &ada, ArticleQuery::default().category("Network")).await?.is_empty());
    let count = |name: &str, articles| (name.to_owned(), articles);
    assert_eq!(categories(&world, &amir).await?, [count("Hardware", 2), count("Network", 1)]);
    assert_eq!(categories(&world, &ada).await?, [count("Hardware", 1)]);
    assert!(knowledge.read(&amir, id).await.is_ok());
    for refused in [knowledge.read(&ada, id).await, knowledge.vote(&ada, id, true).await] {
        assert!(matches!(refused, Err(Error::NotFound { what: "article" })), "{refused:?}");
    }

    let published = |published| ArticleEdit { published: Some(published), ..ArticleEdit::default() };
    knowledge.update(&anna, id, published(true)).await?;
    assert_eq!(knowledge.read(&ada, id).await?.views, 1, "who read the draft does not count");
    knowledge.update(&anna, id, published(false)).await?;
    assert!(knowledge.read(&ada, id).await.is_err());
    Ok(())
}

#[tokio::test]
async fn authors_change_their_own_and_team_leads_all() -> Result<()> {
    let world = World::new().await;
    let (anna, amir) = (world.actor("anna", "agent").await, world.actor("amir", "agent").await);
    let (lead, ada) = (world.actor("lea", "team_lead").await, world.actor("ada", "customer").await);
    let knowledge = world.desk.knowledge();
    let id = made(&world, &anna, article("Printers", "Hardware")).await;
    let edit = || ArticleEdit { title: Some("Better printers".to_owned()), ..ArticleEdit::default() };
    for stranger in [&amir, &ada] {
        assert!(matches!(knowledge.update(stranger, id, edit()).await, Err(Error::Forbidden { .. })));
        assert!(matches!(knowledge.delete(stranger, id).await, Err(Error::Forbidden { .. })));
    }
    let new = article("Mine", "Hardware");
    assert!(matches!(knowledge.create(&ada, new).await, Err(Error::Forbidden { .. })));
    let changed = knowledge.update(&lead, id, edit()).await?;
    assert_eq!(Some(changed.article.author), anna.user(), "who changes it does not become its author");
    knowledge.delete(&lead, id).await?;
    Ok(())
}

#[tokio::test]
async fn reads_are_counted_but_not_the_authors_own() -> Result<()> {
    let world = World::new().await;
    let (anna, amir) = (world.actor("anna", "agent").await, world.actor("amir", "agent").await);
    let ada = world.actor("ada", "customer").await;
    let knowledge = world.desk.knowledge();
    let id = made(&world, &anna, article("Printers", "Hardware")).await;
    for (reader, views) in [(&anna, 0), (&ada, 1), (&amir, 2), (&ada, 3), (&anna, 3), (&world.system(), 3)] {
        assert_eq!(knowledge.read(reader, id).await?.views, views);
    }
    let article = knowledge.read(&anna, id).await?.article;
    assert_eq!((article.version, article.updated_at), (1, article.created_at), "it was only read");
    assert!(world.log().await.iter().all(|event| !event.action.contains("read")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_at_once_are_all_counted_and_stand_in_nobodys_way() -> Result<()> {
    let world = World::new().await;
    let anna = world.actor("anna", "agent").await;
    let mut readers = Vec::new();
    for name in ["ada", "bob", "cid", "dan"] {
        readers.push(world.actor(name, "customer").await);
    }
    let id = made(&world, &anna, article("Printers", "Hardware")).await;
    let tasks = readers.into_iter().map(|reader| {
        let knowledge = world.desk.knowledge();
        tokio::spawn(async move {
            for _ in 0..20 {
                knowledge.read(&reader, id).await.expect("read");
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    for title in 0..20 {
        let edit = ArticleEdit { title: Some(title.to_string()), ..ArticleEdit::default() };
        world.desk.knowledge().update(&anna, id, edit).await?;
    }
    for task in tasks {
        task.await.expect("nobody panicked");
    }
    let article = world.desk.knowledge().read(&anna, id).await?;
    assert_eq!(article.article.version, 21);
    // A read that crossed with others ten times in a row is shown all the same, and only then not counted.
    assert_eq!(article.views, 80);
    Ok(())
}

#[tokio::test]
async fn an_article_is_shown_also_where_nothing_can_be_counted() -> Result<()> {
    let storage = std::sync::Arc::new(FlakyStorage::new());
    let world = World::with(|builder| builder.storage(storage.clone())).await;
    let (anna, ada) = (world.actor("anna", "agent").await, world.actor("ada", "customer").await);
    let id = made(&world, &anna, article("Printers", "Hardware")).await;
    storage.fail(Some(Failure::Unavailable));
    assert_eq!(world.desk.knowledge().read(&ada, id).await?.views, 0);
    storage.fail(None);
    assert_eq!(world.desk.knowledge().read(&ada, id).await?.views, 1);
    Ok(())
}

#[tokio::test]
async fn everybody_has_one_vote_and_may_change_it() -> Result<()> {
    let world = World::new().await;
    let anna = world.actor("anna", "agent").await;
    let (ada, gus) = (world.actor("ada", "customer").await, world.actor("gus", "customer").await);
    let knowledge = world.desk.knowledge();
    let id = made(&world, &anna, article("Printers", "Hardware")).await;
    let other = made(&world, &anna, article("Scanners", "Hardware")).await;
    for (voter, helpful, votes) in [
        (&ada, true, 1),
        (&ada, true, 1),
        (&gus, true, 2),
        (&ada, false, 1),
        (&ada, true, 2),
        (&gus, false, 1),
    ] {
        assert_eq!(knowledge.vote(voter, id, helpful).await?.helpful_votes, votes);
    }
    knowledge.vote(&gus, other, true).await?;
    let listed = knowledge.list(&ada, ArticleQuery::default()).await?.articles;
    assert_eq!(listed.iter().map(|view| view.helpful_votes).collect::<Vec<_>>(), [1, 1]);
    assert!(matches!(knowledge.vote(&world.system(), id, true).await, Err(Error::NotYours { .. })));
    let votes = world.log().await.iter().filter(|event| event.action == "article.voted").count();
    assert_eq!(votes, 6, "a vote that was not changed is no news");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_vote_at_once_are_all_counted() -> Result<()> {
    let world = World::new().await;
    let anna = world.actor("anna", "agent").await;
    let id = made(&world, &anna, article("Printers", "Hardware")).await;
    let mut tasks = Vec::new();
    for name in ["ada", "bob"] {
        let voter = world.actor(name, "customer").await;
        // Each of them from two devices.
        for _ in 0..2 {
            let (knowledge, voter) = (world.desk.knowledge(), voter.clone());
            tasks.push(tokio::spawn(async move { knowledge.vote(&voter, id, true).await }));
        }
    }
    for task in tasks {
        task.await.expect("nobody panicked")?;
    }
    assert_eq!(world.desk.knowledge().read(&anna, id).await?.helpful_votes, 2);
    Ok(())
}

#[tokio::test]
async fn what_readers_left_goes_with_the_article() -> Result<()> {
    let world = World::new().await;
    let anna = world.actor("anna", "agent").await;
    let knowledge = world.desk.knowledge();
    let id = made(&world, &anna, article("Printers", "Hardware")).await;
    let kept = made(&world, &anna, article("Scanners", "Hardware")).await;
    for name in ["ada", "gus"] {
        let reader = world.actor(name, "customer").await;
        for article in [id, kept] {
            knowledge.read(&reader, article).await?;
            knowledge.vote(&reader, article, true).await?;
        }
    }
    // More than are swept away at a time.
    let mut changes = world.desk.changes();
    for _ in 0..900 {
        let vote = world.desk.ids().id(changes.at());
        let user = helpdesk_core::identity::UserId::from_uuid(vote);
        let record = ArticleVote { article: id, user, helpful: true };
        changes.insert(anna.scope(), helpdesk_core::knowledge::ArticleVoteId::from_uuid(vote), &record);
    }
    world.desk.commit(changes).await?;
    knowledge.delete(&anna, id).await?;
    world.clock.advance(Duration::minutes(1));
    let report = world.desk.run_due(world.desk.now()).await?;
    assert_eq!((report.failed, report.retried), (0, 0));
    let store = world.desk.store();
    assert_eq!(store.select::<ArticleVote>(anna.scope()).count().await?, 2);
    let views = store.select::<ArticleViews>(anna.scope()).all().await?;
    assert!(views.iter().all(|count| count.article == kept));
    assert_eq!(store.select::<Article>(anna.scope()).count().await?, 1);
    assert_eq!(knowledge.read(&anna, kept).await?.helpful_votes, 2);
    Ok(())
}

#[tokio::test]
async fn a_search_brings_the_best_first() -> Result<()> {
    let world = World::new().await;
    let anna = world.actor("anna", "agent").await;
    let about = |title: &str, content: &str| NewArticle {
        content: content.to_owned(),
        tags: Default::default(),
        ..article(title, "Hardware")
    };
    made(&world, &anna, about("VPN at home", "Network things")).await;
    made(&world, &anna, about("Printers", "They need no vpn")).await;
    made(&world, &anna, about("Scanners", "Nothing of it")).await;
    made(&world, &anna, about("VPNs of the world", "Many")).await;
    let found = titles(&world, &anna, ArticleQuery::default().search("VPN")).await?;
    assert_eq!(found, ["VPN at home", "VPNs of the world", "Printers"]);
    assert!(titles(&world, &anna, ArticleQuery::default().search("...")).await?.is_empty());
    let page = ArticleQuery::default().search("vpn").page(1, From::Offset(1));
    let page = world.desk.knowledge().list(&anna, page).await?;
    assert_eq!((page.articles[0].article.title.as_str(), page.total), ("VPNs of the world", 3));
    Ok(())
}

#[tokio::test]
async fn articles_end_at_the_border() -> Result<()> {
    let world = World::new().await;
    let anna = world.actor("anna", "agent").await;
    let knowledge = world.desk.knowledge();
    let id = made(&world, &anna, article("Printers", "Hardware")).await;
    let elsewhere = world.desk.identity().create_organisation("Elsewhere", "elsewhere").await?;
    world.user_in(elsewhere, "eve", "admin").await;
    let eve = world.sign_in("eve").await.actor;
    let nothing = |result: Result<()>| assert!(matches!(result, Err(Error::NotFound { .. })), "{result:?}");
    nothing(knowledge.read(&eve, id).await.map(drop));
    nothing(knowledge.vote(&eve, id, true).await.map(drop));
    nothing(knowledge.update(&eve, id, ArticleEdit::default()).await.map(drop));
    nothing(knowledge.delete(&eve, id).await);
    assert!(titles(&world, &eve, ArticleQuery::default()).await?.is_empty());
    assert!(titles(&world, &eve, ArticleQuery::default().search("printers")).await?.is_empty());
    assert!(categories(&world, &eve).await?.is_empty());
    let stands = knowledge.read(&anna, id).await?;
    assert_eq!((stands.article.version, stands.views, stands.helpful_votes), (1, 0, 0));
    Ok(())
}
