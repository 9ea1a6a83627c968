//! The records that Support Desk's paths name, made through it.

use helpdesk_tests::client::Request;
use helpdesk_tests::dialects::SUPPORTDESK;
use helpdesk_tests::files::{Form, png};
use helpdesk_tests::server::Server;
use serde_json::{Value, json};

use super::Things;
use crate::support::Thing;

/// Makes one record of each sort, by a customer and an administrator, with a word in every text.
pub(super) async fn make(server: &Server, things: &mut Things, [customer, admin]: [&str; 2], word: &str) {
    let (customer, admin) = (server.token(customer).await, server.token(admin).await);
    let low = word.to_lowercase();
    let post = async |token: &str, path: &str, body: Value| {
        let request = Request::post(server.at(&SUPPORTDESK, path)).bearer(token).json(&body);
        id(&server.client.send(request).await.json(), path)
    };
    let ticket = post(
        &customer,
        "/api/tickets",
        json!({
            "subject": format!("{word}: the printer is on fire"),
            "description": format!("{word}: flames, two feet high."),
            "priority": "high",
            "type": "incident",
            "tags": [&low],
        }),
    )
    .await;
    let form = Form::new().file("file", &format!("{word}.png"), "image/png", png(0));
    let upload = Request::post(server.at(&SUPPORTDESK, "/api/upload")).bearer(&customer).form(&form);
    things.keep(Thing::Upload, id(&server.client.send(upload).await.json(), "the upload"));
    let company = json!({ "name": word, "domain": format!("{low}.example"), "settings": {} });
    things.keep(Thing::Company, post(&admin, "/api/organizations", company).await);
    let contact = json!({
        "name": format!("{word} Contact"),
        "email": format!("contact@{low}.example"),
        "phone": "+1234567890",
        "company": word,
        "role": "Office manager",
    });
    things.keep(Thing::Contact, post(&admin, "/api/contacts", contact).await);
    let agent = json!({
        "name": format!("Nina {word}"),
        "email": format!("nina@{low}.example"),
        "password": "long enough",
        "role": "agent",
        "department": word,
        "groups": [],
    });
    let agent = post(&admin, "/api/agents", agent).await;
    let group = json!({ "name": format!("{word} hardware"), "description": word, "member_ids": [&agent] });
    things.keep(Thing::Group, post(&admin, "/api/groups", group).await);
    things.keep(Thing::Agent, agent);
    let article = json!({
        "title": format!("{word}: how to put out a printer"),
        "content": word,
        "category": word,
        "tags": [&low],
        "published": true,
    });
    things.keep(Thing::Article, post(&admin, "/api/kb/articles", article).await);
    things.keep(Thing::Tag, post(&admin, "/api/tags", json!({ "name": low, "color": "#ff0000" })).await);
    // What an agent says is news to the customer.
    let comment = json!({ "body": format!("{word}: on my way"), "public": true, "attachments": [] });
    post(&admin, &format!("/api/tickets/{ticket}/comments"), comment).await;
    server.settle().await;
    let list = Request::get(server.at(&SUPPORTDESK, "/api/notifications")).bearer(&customer);
    let list = server.client.send(list).await.json();
    things.keep(Thing::Notification, id(&json!({ "data": list["data"][0] }), "the notification"));
    things.keep(Thing::Request, ticket);
}

fn id(reply: &Value, what: &str) -> String {
    reply["data"]["id"].as_str().unwrap_or_else(|| panic!("{what}: {reply}")).to_owned()
}
