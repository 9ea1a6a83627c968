//! Search over everything, and contacts.

use helpdesk_tests::on_every_store;
use helpdesk_tests::server::Server;
use http::Method;
use serde_json::{Value, json};

use super::{call, data, each, get, id, post, put, ticket};

fn contact(name: &str, email: &str) -> Value {
    json!({ "name": name, "email": email, "phone": "+48123", "company": "Acme", "role": "Boss" })
}

on_every_store! {
    /// Tickets, contacts and articles at once, as far as the caller may see them.
    async fn everything_is_searched(store: NewStore) {
        let server = Server::start(store).await;
        let (customer, agent) = (server.token("customer").await, server.token("agent").await);
        ticket(&server, &customer, "A xylophone on fire").await;
        ticket(&server, &server.token("customer2").await, "Another xylophone").await;
        data(&post(&server, &agent, "/api/contacts", contact("Xaver Xylophone", "xaver@example.test")).await);
        let article = json!({ "title": "Xylophones", "content": "Use sand on a xylophone.", "category": "Music",
            "tags": [], "published": true });
        data(&post(&server, &agent, "/api/kb/articles", article).await);
        let found = async |token: &str, query: &str| {
            let found = data(&get(&server, token, &format!("/api/search?q=xylophone{query}")).await);
            ["tickets", "contacts", "articles"].map(|kind| found[kind].as_array().map_or(0, Vec::len))
        };
        assert_eq!(found(&agent, "").await, [2, 1, 1]);
        assert_eq!(found(&customer, "").await, [1, 0, 1]);
        assert_eq!(found(&agent, "&types=tickets,articles").await, [2, 0, 1]);
        let tickets = data(&get(&server, &customer, "/api/search/tickets?q=xylophone").await);
        assert_eq!(each(&tickets, "subject"), [&json!("A xylophone on fire")]);
        assert_eq!(get(&server, &customer, "/api/search/contacts?q=xaver").await.status, 403);
        for query in ["", "?q=", "?q=a&types=people"] {
            let status = get(&server, &agent, &format!("/api/search{query}")).await.status;
            assert!(matches!(status, 400 | 422), "{query}: {status}");
        }
    }

    /// A contact is known by its address, has the tickets of whoever has it, and a history.
    async fn contacts_have_their_tickets(store: NewStore) {
        let server = Server::start(store).await;
        let (customer, agent) = (server.token("customer").await, server.token("agent").await);
        assert_eq!(get(&server, &customer, "/api/contacts").await.status, 403);
        // Whoever has an account and may ask is one.
        server.settle().await;
        let known = data(&get(&server, &agent, "/api/contacts?search=customer@demo.test").await);
        let path = format!("/api/contacts/{}", id(&known["contacts"][0]));
        let before = data(&get(&server, &agent, &path).await)["tickets_count"].as_i64().expect("a number");
        ticket(&server, &customer, "By a contact").await;
        let shown = data(&get(&server, &agent, &path).await);
        assert_eq!(shown["tickets_count"], json!(before + 1));
        let tickets = data(&get(&server, &agent, &format!("{path}/tickets?limit=100")).await);
        assert!(each(&tickets["tickets"], "subject").contains(&&json!("By a contact")));
        let twice = post(&server, &agent, "/api/contacts", contact("Double", "Customer@demo.test")).await;
        assert_eq!(twice.status, 422);
        let renamed = data(&put(&server, &agent, &path, json!({ "role": "Chief" })).await);
        assert_eq!((&renamed["role"], &renamed["email"]), (&json!("Chief"), &json!("customer@demo.test")));
        let activity = data(&get(&server, &agent, &format!("{path}/activity")).await);
        let actions = each(&activity, "action");
        assert!(actions.contains(&&json!("contact_created")) && actions.contains(&&json!("contact_updated")), "{activity}");
        data(&call(&server, &agent, Method::DELETE, &path, None).await);
        assert_eq!(get(&server, &agent, &path).await.status, 404);
    }
}
