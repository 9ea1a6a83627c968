//! Support Desk's rules, through its own operations.

mod agents;
mod auth;
mod files;
mod isolation;
mod knowledge;
mod limits;
mod notifications;
mod reports;
mod search;
mod sockets;
mod tickets;

use helpdesk_tests::client::{Reply, Request};
use helpdesk_tests::server::Server;
use http::Method;
use serde_json::{Value, json};

/// A request of somebody to a path below the mount, and its answer.
async fn call(server: &Server, token: &str, method: Method, path: &str, body: Option<Value>) -> Reply {
    let request = Request::new(method, format!("/supportdesk{path}")).bearer(token);
    let request = match &body {
        Some(body) => request.json(body),
        None => request,
    };
    server.client.send(request).await
}

async fn get(server: &Server, token: &str, path: &str) -> Reply {
    call(server, token, Method::GET, path, None).await
}

async fn post(server: &Server, token: &str, path: &str, body: Value) -> Reply {
    call(server, token, Method::POST, path, Some(body)).await
}

async fn put(server: &Server, token: &str, path: &str, body: Value) -> Reply {
    call(server, token, Method::PUT, path, Some(body)).await
}

async fn patch(server: &Server, token: &str, path: &str, body: Value) -> Reply {
    call(server, token, Method::PATCH, path, Some(body)).await
}

/// What an answer holds, which must be a success.
fn data(reply: &Reply) -> Value {
    assert!((200..300).contains(&reply.status), "{}: {}", reply.status, reply.excerpt());
    let json = reply.json();
    assert_eq!(json["success"], true);
    json["data"].clone()
}

/// The status and the code of a refusal.
fn refusal(reply: &Reply) -> (u16, String) {
    let json = reply.json();
    assert_eq!(json["success"], false, "{}", reply.excerpt());
    (reply.status, json["error"]["code"].as_str().unwrap_or_default().to_owned())
}

/// A ticket of somebody; its id.
async fn ticket(server: &Server, token: &str, subject: &str) -> String {
    let body = json!({
        "subject": subject,
        "description": format!("{subject}. Please have a look."),
        "priority": "normal",
        "type": "incident",
    });
    id(&data(&post(server, token, "/api/tickets", body).await))
}

fn id(data: &Value) -> String {
    data["id"].as_str().unwrap_or_else(|| panic!("no id in {data}")).to_owned()
}

/// The values of a field of a list.
fn each<'v>(list: &'v Value, field: &str) -> Vec<&'v Value> {
    list.as_array().unwrap_or_else(|| panic!("no list: {list}")).iter().map(|item| &item[field]).collect()
}
