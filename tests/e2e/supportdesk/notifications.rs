//! What people are told of.

use helpdesk_tests::on_every_store;
use helpdesk_tests::server::Server;
use http::Method;
use serde_json::{Value, json};

use super::{call, data, each, get, id, patch, post, put, ticket};

async fn list(server: &Server, token: &str) -> Value {
    server.settle().await;
    data(&get(server, token, "/api/notifications?limit=100").await)
}

fn comment(body: &str, public: bool) -> Value {
    json!({ "body": body, "public": public, "attachments": [] })
}

on_every_store! {
    /// The assignee hears of the assignment, the requester of an answer, and whoever is mentioned of that; nobody of
    /// what they did themselves.
    async fn people_are_told(store: NewStore) {
        let server = Server::start(store).await;
        let (customer, admin, agent) =
            (server.token("customer").await, server.token("admin").await, server.token("agent").await);
        let me = id(&data(&get(&server, &agent, "/api/auth/me").await));
        for token in [&customer, &admin, &agent] {
            data(&patch(&server, token, "/api/notifications/read-all", json!({})).await);
        }
        let path = format!("/api/tickets/{}", ticket(&server, &customer, "News").await);
        data(&patch(&server, &admin, &format!("{path}/assign"), json!({ "assignee_id": me })).await);
        // That there is a new ticket may be told before or after.
        let told = list(&server, &agent).await;
        let given = told.as_array().and_then(|list| list.iter().find(|one| one["type"] == "ticket_assigned"));
        let given = given.unwrap_or_else(|| panic!("nothing is told in {told}"));
        assert_eq!(given["read"], json!(false));
        assert!(given["message"].as_str().is_some_and(|message| message.contains("News")), "{told}");
        assert_eq!(given["link"], path.trim_start_matches("/api"));
        let before = list(&server, &customer).await.as_array().map_or(0, Vec::len);
        data(&post(&server, &agent, &format!("{path}/comments"), comment("On my way", true)).await);
        assert!(list(&server, &customer).await.as_array().map_or(0, Vec::len) > before);
        // Notes are not for customers, even where they name them.
        let before = list(&server, &customer).await;
        data(&post(&server, &agent, &format!("{path}/comments"), comment("@customer must not see, @agent2", false)).await);
        assert_eq!(list(&server, &customer).await, before);
        let mentioned = list(&server, &server.token("agent2").await).await;
        assert_eq!(mentioned[0]["type"], "mention", "{mentioned}");
        let own = list(&server, &agent).await;
        assert!(each(&own, "type").iter().filter(|kind| **kind == "mention").count() == 0, "{own}");
    }

    /// Somebody who does not want to be told is not.
    async fn preferences_are_honoured(store: NewStore) {
        let server = Server::start(store).await;
        let (customer, admin, agent) =
            (server.token("customer").await, server.token("admin").await, server.token("agent").await);
        let me = id(&data(&get(&server, &agent, "/api/auth/me").await));
        let quiet = json!({ "ticket_assignments": false, "ticket_updates": false, "mentions": false });
        data(&put(&server, &agent, "/api/settings/notifications", quiet).await);
        let before = list(&server, &agent).await;
        let path = format!("/api/tickets/{}", ticket(&server, &customer, "Quiet").await);
        data(&patch(&server, &admin, &format!("{path}/assign"), json!({ "assignee_id": me })).await);
        data(&post(&server, &admin, &format!("{path}/comments"), comment("@agent look", false)).await);
        assert_eq!(list(&server, &agent).await, before);
        // Mail as well, for those who want it.
        let mark = server.mails.mark();
        data(&post(&server, &admin, &format!("{path}/comments"), comment("Hello", true)).await);
        server.settle().await;
        assert!(server.mails.to("customer@demo.test", mark) > 0);
        data(&put(&server, &customer, "/api/settings/notifications", json!({ "email_notifications": false })).await);
        let mark = server.mails.mark();
        data(&post(&server, &admin, &format!("{path}/comments"), comment("Hello again", true)).await);
        server.settle().await;
        assert_eq!(server.mails.to("customer@demo.test", mark), 0);
    }

    /// They are read, one or all, and deleted, by those they are for.
    async fn notifications_are_ones_own(store: NewStore) {
        let server = Server::start(store).await;
        let (customer, agent) = (server.token("customer").await, server.token("agent").await);
        let path = format!("/api/tickets/{}", ticket(&server, &customer, "Own").await);
        for number in 0..3 {
            data(&post(&server, &agent, &format!("{path}/comments"), comment(&format!("{number}"), true)).await);
        }
        let all = list(&server, &customer).await;
        let first = id(&all[0]);
        let read = format!("/api/notifications/{first}/read");
        assert_eq!(patch(&server, &server.token("customer2").await, &read, json!({})).await.status, 404);
        assert_eq!(data(&patch(&server, &customer, &read, json!({})).await)["read"], true);
        let unread = data(&get(&server, &customer, "/api/notifications?unread=true&limit=100").await);
        assert!(!each(&unread, "id").contains(&&json!(first)) && !each(&unread, "id").is_empty());
        data(&patch(&server, &customer, "/api/notifications/read-all", json!({})).await);
        server.settle().await;
        assert_eq!(data(&get(&server, &customer, "/api/notifications?unread=true").await), json!([]));
        let one = format!("/api/notifications/{first}");
        assert_eq!(call(&server, &agent, Method::DELETE, &one, None).await.status, 404);
        data(&call(&server, &customer, Method::DELETE, &one, None).await);
        assert!(!each(&list(&server, &customer).await, "id").contains(&&json!(first)));
    }
}
