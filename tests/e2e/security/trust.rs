//! What a client says of itself, and is not believed.

use helpdesk_tests::client::{Reply, Request};
use helpdesk_tests::files::Form;
use helpdesk_tests::on_every_store;
use helpdesk_tests::server::Server;
use serde_json::{Value, json};

async fn get(server: &Server, token: &str, path: &str) -> Reply {
    server.client.send(Request::get(format!("/smartsupport{path}")).bearer(token)).await
}

on_every_store! {
    /// Whoever signs up is an employee who waits, whatever they send along.
    async fn nobody_signs_up_as_more(store: NewStore) {
        let server = Server::start(store).await;
        let admin = server.token("admin").await;
        let more = [
            ("role", "System Admin"),
            ("status", "Approved"),
            ("state", "approved"),
            ("is_staff", "true"),
            ("is_superuser", "true"),
            ("id", "1"),
            ("company_id", "MA0001"),
            ("notified", "true"),
            ("organisation", "elsewhere"),
        ];
        let person = [
            ("first_name", "Eve"),
            ("last_name", "Evil"),
            ("department", "IT Department"),
            ("password", "long enough"),
            ("confirm_password", "long enough"),
        ];
        let form = person.iter().chain(&more).fold(Form::new(), |form, (name, value)| form.text(name, *value));
        let form = form.text("email", "form@demo.test");
        let mut body: Value = person.iter().chain(&more).map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        body["email"] = json!("json@demo.test");
        body["roles"] = json!(["admin"]);
        for request in [Request::post("").form(&form), Request::post("").json(&body)] {
            let request = Request { target: "/smartsupport/api/create_employee/".into(), ..request };
            let reply = server.client.send(request).await;
            assert_eq!(reply.status, 201, "{}", reply.excerpt());
        }
        let list = get(&server, &admin, "/api/employees/").await.json();
        let mut seen = 0;
        for employee in list.as_array().expect("a list").iter().filter(|employee| employee["first_name"] == "Eve") {
            seen += 1;
            assert_eq!((&employee["role"], &employee["status"]), (&json!("Employee"), &json!("Pending")));
            assert_ne!(employee["id"], 1);
            assert_ne!(employee["company_id"], "MA0001");
        }
        assert_eq!(seen, 2);
        for door in ["employee", "admin"] {
            let body = json!({ "email": "form@demo.test", "password": "long enough" });
            let login = Request::post(format!("/smartsupport/api/token/{door}/")).json(&body);
            assert_eq!(server.client.send(login).await.status, 403);
        }
    }

    /// A ticket is new, its requester's own and nobody's work, whatever is sent along.
    async fn a_ticket_begins_as_tickets_do(store: NewStore) {
        let server = Server::start(store).await;
        let token = server.token("customer").await;
        let body = json!({
            "subject": "A ticket", "category": "Software", "sub_category": "Other", "description": "Words.",
            "status": "Closed", "priority": "Critical", "assigned_to": 1, "employee": 1, "requester": 1, "id": 7,
            "ticket_number": "TX0007", "submit_date": "1999-01-01T00:00:00Z", "comments": [{ "comment": "Hello" }],
        });
        let request = Request::post("/smartsupport/api/tickets/").bearer(&token).json(&body);
        let made = server.client.send(request).await.json();
        assert_eq!((&made["status"], &made["priority"]), (&json!("New"), &Value::Null));
        assert_eq!((&made["assigned_to"], &made["employee"]["email"]), (&Value::Null, &json!("customer@demo.test")));
        assert_ne!(made["ticket_number"], "TX0007");
        assert!(made["submit_date"].as_str().is_some_and(|date| date.starts_with("2025-01-15")));
        let shown = get(&server, &token, &format!("/api/tickets/{}/", made["id"])).await.json();
        assert_eq!(shown["comments"], json!([]));
    }

    /// Links in mails lead to the help desk's own site, whatever address the request named.
    async fn mailed_links_lead_home(store: NewStore) {
        let server = Server::start(store).await;
        let mark = server.mails.mark();
        let request = Request::post("/smartsupport/api/employee/forgot-password/")
            .json(&json!({ "email": "customer@demo.test" }))
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-for", "10.0.0.1")
            .header("forwarded", "host=evil.example")
            .header("origin", "https://evil.example")
            .header("referer", "https://evil.example/");
        assert_eq!(server.client.send(request).await.status, 200);
        server.settle().await;
        let link = server.mails.link("customer@demo.test", mark).expect("a link");
        assert!(link.starts_with("https://desk.test/reset-password/"), "{link}");
        let mails = format!("{:?}", server.mails.since(mark));
        assert!(!mails.contains("evil.example"), "{mails}");
    }

    /// An administrator cannot make anybody more than they are themselves, nor undo themselves the last.
    async fn administrators_stay_within_their_rights(store: NewStore) {
        let server = Server::start(store).await;
        let coordinator = server.token("coordinator").await;
        let body = json!({
            "first_name": "Eve", "last_name": "Evil", "email": "eve@demo.test", "department": "IT Department",
            "role": "System Admin",
        });
        let request = || Request::post("/smartsupport/api/admin/create-employee/").json(&body);
        assert_eq!(server.client.send(request().bearer(&coordinator)).await.status, 403);
        let admin = server.token("admin").await;
        let made = server.client.send(request().bearer(&admin)).await;
        assert_eq!((made.status, &made.json()["employee"]["status"]), (201, &json!("Pending")));
        // Nobody knows its password, so nobody comes in by guessing that there is none.
        for password in ["", "None", "null", "password"] {
            let body = json!({ "email": "eve@demo.test", "password": password });
            let login = Request::post("/smartsupport/api/token/admin/").json(&body);
            assert_eq!(server.client.send(login).await.status, 401, "{password:?}");
        }
    }

    /// SmartSupport's door for administrators lets in those who wait for approval. Its tokens open no other door to them.
    async fn a_token_of_one_door_opens_no_other_to_who_waits(store: NewStore) {
        let server = Server::start(store).await;
        let admin = server.token("admin").await;
        let body = json!({
            "first_name": "Nina", "last_name": "New", "email": "nina@demo.test", "department": "IT Department",
            "role": "System Admin", "password": "long enough",
        });
        let made = Request::post("/smartsupport/api/admin/create-employee/").bearer(&admin).json(&body);
        assert_eq!(server.client.send(made).await.status, 201);
        let body = json!({ "email": "nina@demo.test", "password": "long enough" });
        let login = server.client.send(Request::post("/smartsupport/api/token/admin/").json(&body)).await.json();
        let token = login["access"].as_str().expect("a token").to_owned();
        assert_eq!(get(&server, &token, "/api/employees/").await.status, 200);
        let there = server.client.send(Request::post("/supportdesk/api/auth/login").json(&body)).await;
        assert_eq!(there.status, 403);
        for path in ["auth/me", "tickets", "agents", "settings"] {
            let request = Request::get(format!("/supportdesk/api/{path}")).bearer(&token);
            assert_eq!(server.client.send(request).await.status, 403, "{path}");
        }
    }
}
