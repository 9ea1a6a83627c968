//! Tickets: who may do what, their history, many at once.

use helpdesk_tests::on_every_store;
use helpdesk_tests::server::Server;
use http::Method;
use serde_json::json;

use super::{call, data, each, get, id, patch, post, put, refusal, ticket};

on_every_store! {
    /// From the request to its end, as its history tells it.
    async fn a_ticket_goes_its_way(store: NewStore) {
        let server = Server::start(store).await;
        let (customer, agent) = (server.token("customer").await, server.token("agent").await);
        let me = id(&data(&get(&server, &agent, "/api/auth/me").await));
        let made = post(
            &server,
            &customer,
            "/api/tickets",
            json!({
                "subject": "The printer is on fire",
                "description": "Flames.",
                "priority": "high",
                "type": "incident",
                "assignee_id": me,
                "tags": ["printer", "fire"],
            }),
        )
        .await;
        assert_eq!(made.status, 201);
        let made = data(&made);
        assert_eq!(made["status"], "new");
        let path = format!("/api/tickets/{}", id(&made));
        let shown = data(&get(&server, &customer, &path).await);
        assert_eq!(shown["assignee"]["id"], json!(me));
        assert_eq!((&shown["first_response_at"], &shown["solved_at"]), (&json!(null), &json!(null)));
        for status in ["open", "pending", "open", "hold", "solved"] {
            let moved = data(&patch(&server, &agent, &format!("{path}/status"), json!({ "status": status })).await);
            assert_eq!(moved["status"], status);
        }
        let illegal = patch(&server, &agent, &format!("{path}/status"), json!({ "status": "new" })).await;
        assert_eq!(illegal.status, 422, "{}", illegal.excerpt());
        data(&patch(&server, &agent, &format!("{path}/priority"), json!({ "priority": "urgent" })).await);
        let comment = json!({ "body": "It is out.", "public": true, "attachments": [] });
        let comment = post(&server, &agent, &format!("{path}/comments"), comment).await;
        assert_eq!((comment.status, &data(&comment)["public"]), (201, &json!(true)));
        let shown = data(&get(&server, &customer, &path).await);
        assert_eq!((&shown["status"], &shown["priority"]), (&json!("solved"), &json!("urgent")));
        assert!(shown["solved_at"].is_string() && shown["first_response_at"].is_string());

        let history = get(&server, &customer, &format!("{path}/history")).await;
        let history = data(&history);
        let actions: Vec<_> = each(&history, "action").into_iter().filter_map(|it| it.as_str()).collect();
        let moves = actions.iter().filter(|action| **action == "status_changed").count();
        assert_eq!(moves, 5, "{actions:?}");
        assert!(actions.contains(&"priority_changed"), "{actions:?}");
        assert!(each(&history, "ticket_id").iter().all(|ticket| **ticket == made["id"]));
        // What the customer says brings it back.
        let more = json!({ "body": "It burns again!", "public": true, "attachments": [] });
        data(&post(&server, &customer, &format!("{path}/comments"), more).await);
        assert_eq!(data(&get(&server, &customer, &path).await)["status"], "open");
    }

    /// Customers see their own tickets and what was said to them; the desk sees everything.
    async fn customers_see_their_own(store: NewStore) {
        let server = Server::start(store).await;
        let (customer, other) = (server.token("customer").await, server.token("customer2").await);
        let agent = server.token("agent").await;
        let path = format!("/api/tickets/{}", ticket(&server, &customer, "A secret wish").await);
        let note = json!({ "body": "Between us", "public": false, "attachments": [] });
        data(&post(&server, &agent, &format!("{path}/comments"), note.clone()).await);
        assert_eq!(refusal(&post(&server, &customer, &format!("{path}/comments"), note).await).0, 403);
        let comments = |reply| each(&data(&reply), "body").len();
        assert_eq!(comments(get(&server, &agent, &format!("{path}/comments")).await), 1);
        assert_eq!(comments(get(&server, &customer, &format!("{path}/comments")).await), 0);
        let history = data(&get(&server, &customer, &format!("{path}/history")).await);
        assert_eq!(each(&history, "action").len(), 1, "{history}");
        for of in ["", "/comments", "/history"] {
            assert_eq!(refusal(&get(&server, &other, &format!("{path}{of}")).await).0, 403, "{of}");
        }
        let list = data(&get(&server, &other, "/api/tickets?limit=100").await);
        assert!(!each(&list["tickets"], "subject").contains(&&json!("A secret wish")));
        let list = data(&get(&server, &customer, "/api/tickets?search=secret").await);
        assert_eq!(list["pagination"]["total"], 1);
        // What waits for others is open to those who asked.
        data(&patch(&server, &agent, &format!("{path}/status"), json!({ "status": "hold" })).await);
        assert_eq!(data(&get(&server, &customer, &path).await)["status"], "open");
        assert_eq!(data(&get(&server, &agent, &path).await)["status"], "hold");
    }

    /// A change is made whole or not at all.
    async fn an_update_is_whole_or_nothing(store: NewStore) {
        let server = Server::start(store).await;
        let (customer, agent) = (server.token("customer").await, server.token("agent").await);
        let me = id(&data(&get(&server, &agent, "/api/auth/me").await));
        let path = format!("/api/tickets/{}", ticket(&server, &customer, "Whole").await);
        let all = json!({ "subject": "Changed", "status": "open", "priority": "low", "type": "task",
            "assignee_id": me, "tags": ["a", "b"] });
        let changed = data(&put(&server, &agent, &path, all).await);
        assert_eq!((&changed["subject"], &changed["priority"]), (&json!("Changed"), &json!("low")));
        assert_eq!((&changed["assignee_id"], &changed["tags"]), (&json!(me), &json!(["a", "b"])));
        // The status cannot be had, so the subject stays.
        let half = put(&server, &agent, &path, json!({ "subject": "Half", "status": "new" })).await;
        assert_eq!(half.status, 422);
        let stranger = json!({ "subject": "Half", "assignee_id": "01943fa5-9c80-7000-8000-000000000000" });
        assert_eq!(put(&server, &agent, &path, stranger).await.status, 422);
        assert_eq!(data(&get(&server, &agent, &path).await)["subject"], "Changed");
        let nobody = data(&put(&server, &agent, &path, json!({ "assignee_id": null })).await);
        assert_eq!(nobody["assignee_id"], json!(null));
    }

    /// Many at once: each whole or not at all, and what became of each.
    async fn many_at_once(store: NewStore) {
        let server = Server::start(store).await;
        let (customer, agent) = (server.token("customer").await, server.token("agent").await);
        let mut ids = Vec::new();
        for number in 0..3 {
            ids.push(ticket(&server, &customer, &format!("Many {number}")).await);
        }
        let gone = ids.pop().expect("a ticket");
        let deleted = call(&server, &agent, Method::DELETE, &format!("/api/tickets/{gone}"), None).await;
        assert_eq!(deleted.status, 200);
        assert_eq!(get(&server, &agent, &format!("/api/tickets/{gone}")).await.status, 404);
        let mut named = ids.clone();
        named.extend([gone, "01943fa5-9c80-7000-8000-000000000000".to_owned(), ids[0].clone()]);
        let updates = json!({ "ticket_ids": named, "updates": { "status": "pending", "priority": "high" } });
        let outcome = data(&post(&server, &agent, "/api/tickets/bulk-update", updates).await);
        assert_eq!(outcome["updated"], 2, "{outcome}");
        for ticket in &ids {
            let ticket = data(&get(&server, &agent, &format!("/api/tickets/{ticket}")).await);
            assert_eq!((&ticket["status"], &ticket["priority"]), (&json!("pending"), &json!("high")));
        }
        let many: Vec<_> = (0..101).map(|_| ids[0].clone()).collect();
        let many = json!({ "ticket_ids": many, "updates": { "priority": "low" } });
        assert_eq!(post(&server, &agent, "/api/tickets/bulk-update", many).await.status, 422);
        let all = json!({ "ticket_ids": ids });
        let outcome = call(&server, &agent, Method::DELETE, "/api/tickets/bulk-delete", Some(all)).await;
        assert_eq!(data(&outcome)["deleted"], 2);
        assert_eq!(get(&server, &customer, &format!("/api/tickets/{}", ids[0])).await.status, 404);
        let mine = data(&get(&server, &customer, "/api/tickets?search=Many").await);
        assert_eq!(mine["pagination"]["total"], 0);
    }

    /// Lists are filtered, ordered and paged as the document says.
    async fn lists_are_filtered_and_paged(store: NewStore) {
        let server = Server::start(store).await;
        let (customer, agent) = (server.token("customer").await, server.token("agent").await);
        for number in 0..25 {
            ticket(&server, &customer, &format!("Paged {number:02}")).await;
        }
        let page = data(&get(&server, &agent, "/api/tickets?search=paged&limit=10&page=2&sort=subject&order=asc").await);
        let subjects = each(&page["tickets"], "subject");
        assert_eq!((subjects.len(), subjects[0]), (10, &json!("Paged 10")));
        assert_eq!(
            page["pagination"],
            json!({ "page": 2, "limit": 10, "total": 25, "totalPages": 3, "hasNextPage": true,
                "hasPreviousPage": true })
        );
        let first = data(&get(&server, &agent, "/api/tickets").await);
        assert_eq!((first["pagination"]["limit"].as_u64(), each(&first["tickets"], "id").len()), (Some(20), 20));
        let created: Vec<_> = each(&first["tickets"], "created_at").into_iter().filter_map(|it| it.as_str()).collect();
        assert!(created.is_sorted_by(|a, b| a >= b), "newest first: {created:?}");
        for query in ["limit=101", "limit=0", "page=0", "status=gone", "priority=medium", "order=up", "assignee_id=me"] {
            let status = get(&server, &agent, &format!("/api/tickets?{query}")).await.status;
            assert!(matches!(status, 400 | 422), "{query}: {status}");
        }
        let new = data(&get(&server, &agent, "/api/tickets?status=new&limit=100").await);
        assert!(each(&new["tickets"], "status").iter().all(|status| **status == "new"));
    }

    /// Whoever sees a ticket that waits for others as open finds it there, and not by asking for those that wait.
    async fn lists_are_filtered_by_what_they_show(store: NewStore) {
        let server = Server::start(store).await;
        let (customer, agent) = (server.token("customer").await, server.token("agent").await);
        for (subject, status) in [("Moved to new", None), ("Moved to open", Some("open")), ("Moved to hold", Some("hold"))] {
            let path = format!("/api/tickets/{}/status", ticket(&server, &customer, subject).await);
            for status in status.into_iter().flat_map(|last| ["open", last]) {
                patch(&server, &agent, &path, json!({ "status": status })).await;
            }
        }
        for (token, status, subjects) in [
            (&customer, "new", &["Moved to new"][..]),
            (&customer, "open", &["Moved to hold", "Moved to open"]),
            (&customer, "hold", &[]),
            (&agent, "open", &["Moved to open"]),
            (&agent, "hold", &["Moved to hold"]),
        ] {
            let query = format!("/api/tickets?search=moved&sort=subject&order=asc&status={status}");
            let found = data(&get(&server, token, &query).await);
            assert_eq!(each(&found["tickets"], "subject"), subjects, "{status}");
            assert_eq!(found["pagination"]["total"], subjects.len(), "{status}");
            assert!(each(&found["tickets"], "status").iter().all(|shown| **shown == status), "{status}");
        }
    }
}
