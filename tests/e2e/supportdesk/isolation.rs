//! Records of another organisation, named in a body or a query: there are none. What paths name is tried for every
//! operation of every dialect elsewhere.

use helpdesk_tests::on_every_store;
use http::Method;
use serde_json::{Value, json};

use super::{call, data, get};
use crate::support::{Thing, World, assert_none};

on_every_store! {
    /// Every field that takes an id, with one of another organisation: unknown, and nothing is stored.
    async fn ids_in_bodies_stay_at_home(store: NewStore) {
        let world = World::new(store).await;
        let admin = world.server.token("admin").await;
        let own = |thing| world.things.id(thing);
        let foreign = |thing| world.others.id(thing);
        let file = |thing| {
            let url = format!("http://{}/supportdesk/api/uploads/{}", world.server.address, foreign(thing));
            json!([{ "filename": "a.png", "url": url, "mime_type": "image/png", "size": 10 }])
        };
        let request = json!({ "subject": "A", "description": "B", "priority": "low", "type": "task" });
        let with = |body: &Value, field: &str, value: Value| {
            let mut body = body.clone();
            body[field] = value;
            body
        };
        let agent = json!({ "name": "A B", "email": "a@b.example", "password": "long enough", "role": "agent",
            "department": "C", "groups": [] });
        let contact = json!({ "name": "A", "email": "a@b.example", "phone": "1", "company": "C", "role": "D" });
        let group = json!({ "name": "A", "description": "B", "member_ids": [] });
        let ticket = format!("/api/tickets/{}", own(Thing::Request));
        let comment = json!({ "body": "A", "public": true, "attachments": [] });
        let cases: Vec<(Method, String, Value)> = vec![
            (Method::POST, "/api/tickets".into(), with(&request, "assignee_id", json!(foreign(Thing::Agent)))),
            (Method::POST, "/api/tickets".into(), with(&request, "group_id", json!(foreign(Thing::Group)))),
            (Method::PUT, ticket.clone(), json!({ "assignee_id": foreign(Thing::Agent) })),
            (Method::PUT, ticket.clone(), json!({ "group_id": foreign(Thing::Group) })),
            (Method::PATCH, format!("{ticket}/assign"), json!({ "assignee_id": foreign(Thing::Agent) })),
            (Method::PATCH, format!("{ticket}/assign"), json!({ "group_id": foreign(Thing::Group) })),
            (Method::POST, format!("{ticket}/comments"), with(&comment, "attachments", file(Thing::Upload))),
            (Method::POST, "/api/agents".into(), with(&agent, "groups", json!([foreign(Thing::Group)]))),
            (
                Method::PUT,
                format!("/api/agents/{}", own(Thing::Agent)),
                json!({ "groups": [foreign(Thing::Group)] }),
            ),
            (Method::POST, "/api/groups".into(), with(&group, "member_ids", json!([foreign(Thing::Agent)]))),
            (
                Method::POST,
                format!("/api/groups/{}/members", own(Thing::Group)),
                json!({ "user_id": foreign(Thing::Agent) }),
            ),
            (Method::POST, "/api/contacts".into(), with(&contact, "organization_id", json!(foreign(Thing::Company)))),
            (
                Method::PUT,
                format!("/api/contacts/{}", own(Thing::Contact)),
                json!({ "organization_id": foreign(Thing::Company) }),
            ),
            (
                Method::POST,
                "/api/auth/signup".into(),
                json!({ "name": "A B", "email": "c@d.example", "password": "long enough",
                    "organizationId": foreign(Thing::Company) }),
            ),
        ];
        let mut problems = Vec::new();
        for (method, path, body) in cases {
            let before = world.server.stored().await;
            let what = format!("{method} {path} {body}");
            let reply = call(&world.server, &admin, method, &path, Some(body)).await;
            problems.extend((reply.status != 422).then(|| format!("{what}: {} {}", reply.status, reply.excerpt())));
            if world.server.stored().await != before {
                problems.push(format!("{what}: something was stored"));
            }
        }
        assert_none(&problems);
    }

    /// Many at once: those of another organisation are not there, and stay as they are.
    async fn bulk_stays_at_home(store: NewStore) {
        let world = World::new(store).await;
        let admin = world.server.token("admin").await;
        let foreigner = world.server.token("foreign-admin@demo.test").await;
        let (own, foreign) = (world.things.id(Thing::Request), world.others.id(Thing::Request));
        let path = format!("/api/tickets/{foreign}");
        let before = data(&get(&world.server, &foreigner, &path).await);
        let both = json!({ "ticket_ids": [own, foreign], "updates": { "priority": "urgent" } });
        let outcome = call(&world.server, &admin, Method::POST, "/api/tickets/bulk-update", Some(both)).await;
        assert_eq!(data(&outcome)["updated"], 1);
        let both = json!({ "ticket_ids": [own, foreign] });
        let outcome = call(&world.server, &admin, Method::DELETE, "/api/tickets/bulk-delete", Some(both)).await;
        assert_eq!(data(&outcome)["deleted"], 1);
        assert_eq!(data(&get(&world.server, &foreigner, &path).await), before);
    }

    /// Filters that name records of another organisation find nothing.
    async fn filters_stay_at_home(store: NewStore) {
        let world = World::new(store).await;
        let admin = world.server.token("admin").await;
        for query in [
            format!("assignee_id={}", world.others.id(Thing::Agent)),
            format!("group_id={}", world.others.id(Thing::Group)),
        ] {
            let list = data(&get(&world.server, &admin, &format!("/api/tickets?{query}")).await);
            assert_eq!(list["tickets"], json!([]), "{query}");
        }
    }
}
