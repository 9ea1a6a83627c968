//! Agents and groups: invitations, leaving, and what becomes of their tickets.

use helpdesk_tests::client::Request;
use helpdesk_tests::on_every_store;
use helpdesk_tests::server::Server;
use helpdesk_tests::walk::from_link;
use http::Method;
use serde_json::{Value, json};

use super::{call, data, each, get, id, patch, post, put, ticket};

fn agent(name: &str) -> Value {
    json!({
        "name": format!("{name} Agent"),
        "email": format!("{name}@agents.test"),
        "password": "long enough",
        "role": "agent",
        "department": "Hardware",
        "groups": [],
    })
}

async fn sign_in(server: &Server, email: &str, password: &str) -> (u16, Option<String>) {
    let body = json!({ "email": email, "password": password });
    let reply = server.client.send(Request::post("/supportdesk/api/auth/login").json(&body)).await;
    (reply.status, reply.json()["data"]["token"].as_str().map(str::to_owned))
}

on_every_store! {
    /// What was shown of an agent can be sent back, whoever it is, and changes nothing.
    async fn agents_are_sent_back_as_they_were_shown(store: NewStore) {
        let server = Server::start(store).await;
        let admin = server.token("admin").await;
        let shown = data(&get(&server, &admin, "/api/agents?limit=100").await);
        let roles = each(&shown, "role");
        assert!(roles.contains(&&json!("admin")) && roles.contains(&&json!("agent")), "{roles:?}");
        for agent in shown.as_array().expect("a list") {
            let path = format!("/api/agents/{}", id(agent));
            let put_back = data(&put(&server, &admin, &path, agent.clone()).await);
            for field in ["name", "email", "role", "department", "groups", "status"] {
                assert_eq!(put_back[field], agent[field], "{field} of {agent}");
            }
        }
        let agent = shown.as_array().and_then(|list| list.iter().find(|one| one["role"] == "agent")).expect("an agent");
        let path = format!("/api/agents/{}", id(agent));
        assert_eq!(put(&server, &admin, &path, json!({ "role": "admin" })).await.status, 422);
    }

    /// Somebody is invited by mail, chooses a password by its link, works, and is out at once when switched off.
    async fn agents_come_and_go(store: NewStore) {
        let server = Server::start(store).await;
        let admin = server.token("admin").await;
        let mark = server.mails.mark();
        let made = post(&server, &admin, "/api/agents", agent("nina")).await;
        assert_eq!(made.status, 201);
        let nina = id(&data(&made));
        server.settle().await;
        let link = server.mails.link("nina@agents.test", mark).expect("an invitation");
        let body = json!({ "token": from_link(&link, "token"), "newPassword": "a password of mine" });
        let reset = async |body: &Value| {
            let request = Request::post("/supportdesk/api/auth/reset-password").json(body);
            server.client.send(request).await.status
        };
        assert_eq!(reset(&body).await, 200);
        assert_eq!(reset(&body).await, 400, "a link works once");
        assert_eq!(sign_in(&server, "nina@agents.test", "long enough").await.0, 401);
        let (_, token) = sign_in(&server, "nina@agents.test", "a password of mine").await;
        let token = token.expect("a token");
        assert_eq!(get(&server, &token, "/api/dashboard/stats").await.status, 200);
        assert_eq!(get(&server, &token, "/api/agents").await.status, 403);
        let online = data(&patch(&server, &token, &format!("/api/agents/{nina}/status"), json!({ "status": "online" })).await);
        assert_eq!(online["status"], "online");
        let list = data(&get(&server, &admin, "/api/agents?status=online").await);
        assert!(each(&list, "id").contains(&&json!(nina)));
        assert!(each(&list, "status").iter().all(|status| *status == "online"));
        let gone = call(&server, &admin, Method::DELETE, &format!("/api/agents/{nina}"), None).await;
        assert_eq!(data(&gone)["status"], "inactive");
        assert_eq!(get(&server, &token, "/api/dashboard/stats").await.status, 401);
        assert_eq!(sign_in(&server, "nina@agents.test", "a password of mine").await.1, None);
        // Whoever has left may be taken in again, by a new invitation.
        let mark = server.mails.mark();
        let again = json!({ "name": "Nina Again", "email": "nina@agents.test", "role": "team_lead", "groups": [] });
        let again = post(&server, &admin, "/api/agents", again).await;
        assert_eq!((again.status, id(&data(&again))), (201, nina.clone()));
        let back = data(&again);
        assert_eq!((&back["name"], &back["role"], &back["status"]), (&json!("Nina Again"), &json!("team_lead"), &json!("offline")));
        assert_eq!(sign_in(&server, "nina@agents.test", "a password of mine").await.1, None, "she chooses another");
        assert_eq!(get(&server, &token, "/api/dashboard/stats").await.status, 401);
        server.settle().await;
        let link = server.mails.link("nina@agents.test", mark).expect("an invitation");
        let body = json!({ "token": from_link(&link, "token"), "newPassword": "one of now" });
        let chosen = server.client.send(Request::post("/supportdesk/api/auth/reset-password").json(&body)).await;
        assert_eq!(chosen.status, 200);
        assert!(sign_in(&server, "nina@agents.test", "one of now").await.1.is_some());
        let twice = post(&server, &admin, "/api/agents", agent("nina")).await;
        assert_eq!(twice.status, 422, "now the address is taken");
    }

    /// Who leaves a group loses its tickets; a solved one passes to somebody who is still in it.
    async fn who_leaves_a_group_loses_its_tickets(store: NewStore) {
        let server = Server::start(store).await;
        let (admin, customer) = (server.token("admin").await, server.token("customer").await);
        let mut members = Vec::new();
        for name in ["leaver", "stayer"] {
            members.push(id(&data(&post(&server, &admin, "/api/agents", agent(name)).await)));
        }
        let group = json!({ "name": "Leaving", "description": "", "member_ids": members });
        let group = id(&data(&post(&server, &admin, "/api/groups", group).await));
        let (open, solved) = (ticket(&server, &customer, "Open").await, ticket(&server, &customer, "Solved").await);
        let assign = json!({ "assignee_id": members[0], "group_id": group });
        for ticket in [&open, &solved] {
            data(&patch(&server, &admin, &format!("/api/tickets/{ticket}/assign"), assign.clone()).await);
        }
        data(&patch(&server, &admin, &format!("/api/tickets/{solved}/status"), json!({ "status": "solved" })).await);
        let path = format!("/api/groups/{group}/members/{}", members[0]);
        data(&call(&server, &admin, Method::DELETE, &path, None).await);
        server.settle().await;
        let of = async |ticket: &str| data(&get(&server, &admin, &format!("/api/tickets/{ticket}")).await);
        assert_eq!(of(&open).await["assignee"], json!(null));
        assert_eq!(of(&solved).await["assignee"]["id"], json!(members[1]));
        assert_eq!(of(&open).await["group"]["id"], json!(group));
        data(&call(&server, &admin, Method::DELETE, &format!("/api/groups/{group}"), None).await);
        server.settle().await;
        assert_eq!(of(&open).await["group"], json!(null));
        assert_eq!(get(&server, &admin, &format!("/api/groups/{group}")).await.status, 404);
    }

    /// A group has the members it was given, each once, and nobody from outside the desk.
    async fn groups_have_their_members(store: NewStore) {
        let server = Server::start(store).await;
        let admin = server.token("admin").await;
        let customer = id(&data(&get(&server, &server.token("customer").await, "/api/auth/me").await));
        let member = id(&data(&post(&server, &admin, "/api/agents", agent("member")).await));
        let group = json!({ "name": "Members", "description": "", "member_ids": [] });
        let group = id(&data(&post(&server, &admin, "/api/groups", group).await));
        let members = format!("/api/groups/{group}/members");
        for _ in 0..2 {
            data(&post(&server, &admin, &members, json!({ "user_id": member })).await);
        }
        assert_eq!(post(&server, &admin, &members, json!({ "user_id": customer })).await.status, 422);
        let shown = data(&get(&server, &admin, &format!("/api/groups/{group}")).await);
        assert_eq!(each(&shown["members"], "id"), [&json!(member)]);
        let same = json!({ "name": "members", "description": "", "member_ids": [] });
        assert_eq!(post(&server, &admin, "/api/groups", same).await.status, 422);
        let with = data(&put(&server, &admin, &format!("/api/agents/{member}"), json!({ "groups": [] })).await);
        assert_eq!(with["groups"], json!([]));
        let shown = data(&get(&server, &admin, &format!("/api/groups/{group}")).await);
        assert_eq!(shown["members"], json!([]));
    }
}
