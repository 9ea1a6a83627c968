//! The knowledge base: drafts, votes, views, and what Markdown becomes.

use helpdesk_tests::on_every_store;
use helpdesk_tests::server::Server;
use http::Method;
use serde_json::{Value, json};

use super::{call, data, each, get, id, post, put};

fn article(title: &str, published: bool) -> Value {
    json!({
        "title": title,
        "content": "# Sand\n\nUse **sand**, <script>alert(1)</script> not [water](javascript:alert(1)).",
        "category": "Fire safety",
        "tags": ["fire"],
        "published": published,
    })
}

on_every_store! {
    /// Drafts are the desk's; what is published is everybody's.
    async fn drafts_are_the_desks(store: NewStore) {
        let server = Server::start(store).await;
        let (customer, agent) = (server.token("customer").await, server.token("agent").await);
        assert_eq!(post(&server, &customer, "/api/kb/articles", article("Mine", true)).await.status, 403);
        let draft = data(&post(&server, &agent, "/api/kb/articles", article("Drafted", false)).await);
        let path = format!("/api/kb/articles/{}", id(&draft));
        assert_eq!(get(&server, &customer, &path).await.status, 404);
        assert_eq!(get(&server, &agent, &path).await.status, 200);
        let titles = async |token: &str, query: &str| {
            let list = data(&get(&server, token, &format!("/api/kb/articles?limit=100{query}")).await);
            each(&list, "title").into_iter().cloned().collect::<Vec<_>>()
        };
        assert!(!titles(&customer, "").await.contains(&json!("Drafted")));
        assert!(titles(&agent, "").await.contains(&json!("Drafted")));
        let categories = async |token: &str| {
            let list = data(&get(&server, token, "/api/kb/categories").await);
            each(&list, "name").into_iter().cloned().collect::<Vec<_>>()
        };
        assert!(!categories(&customer).await.contains(&json!("Fire safety")));
        data(&put(&server, &agent, &path, json!({ "published": true })).await);
        assert!(titles(&customer, "&search=sand").await.contains(&json!("Drafted")));
        assert!(titles(&customer, "&category=Fire+safety").await == [json!("Drafted")]);
        assert!(categories(&customer).await.contains(&json!("Fire safety")));
        let other = server.token("agent2").await;
        assert_eq!(put(&server, &other, &path, json!({ "title": "Taken" })).await.status, 403);
        data(&call(&server, &agent, Method::DELETE, &path, None).await);
        assert_eq!(get(&server, &customer, &path).await.status, 404);
    }

    /// Everybody has one vote, and may think again; reads are counted.
    async fn everybody_has_one_vote(store: NewStore) {
        let server = Server::start(store).await;
        let agent = server.token("agent").await;
        let made = data(&post(&server, &agent, "/api/kb/articles", article("Voted on", true)).await);
        let path = format!("/api/kb/articles/{}", id(&made));
        let vote = async |name: &str, helpful: bool| {
            let token = server.token(name).await;
            data(&post(&server, &token, &format!("{path}/vote"), json!({ "helpful": helpful })).await)["helpful_votes"].clone()
        };
        assert_eq!(vote("customer", true).await, 1);
        assert_eq!(vote("customer", true).await, 1);
        assert_eq!(vote("customer2", true).await, 2);
        assert_eq!(vote("customer", false).await, 1);
        for name in ["customer", "customer2"] {
            data(&get(&server, &server.token(name).await, &path).await);
        }
        server.settle().await;
        let shown = data(&get(&server, &agent, &path).await);
        assert_eq!((&shown["helpful_votes"], shown["updated_at"] == made["updated_at"]), (&json!(1), true));
        assert!(shown["views"].as_u64().is_some_and(|views| views >= 2), "{shown}");
    }

    /// What was written comes back to be edited, and is shown without anything that runs.
    async fn nothing_in_an_article_runs(store: NewStore) {
        let server = Server::start(store).await;
        let agent = server.token("agent").await;
        let made = data(&post(&server, &agent, "/api/kb/articles", article("Shown", true)).await);
        assert_eq!(made["content"], article("Shown", true)["content"]);
        let html = made["content_html"].as_str().expect("HTML");
        assert!(html.contains("<strong>sand</strong>"), "{html}");
        assert!(!html.contains("<script") && !html.contains("javascript:"), "{html}");
    }
}
