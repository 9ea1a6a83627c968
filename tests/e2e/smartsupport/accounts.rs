//! The life of accounts, and what is told of it.

use helpdesk::MailTemplate;
use helpdesk_tests::on_every_store;
use serde_json::{Value, json};

use super::Desk;

fn newcomer(email: &str) -> Value {
    json!({
        "first_name": "Ada", "last_name": "Byron", "email": email, "department": "Budget Department",
        "password": "long enough", "confirm_password": "long enough",
    })
}

on_every_store! {
    /// Signing up, being approved, coming in: each with its mail.
    async fn an_account_is_approved(store: NewStore) {
        let desk = Desk::new(store).await;
        let mark = desk.server.mails.mark();
        let made = desk.post("", "/api/create_employee/", newcomer("Ada@Example.test")).await;
        assert_eq!((made.status, &made.json()["email"]), (201, &json!("ada@example.test")));
        let login = json!({ "email": "ADA@example.test", "password": "long enough" });
        assert_eq!(desk.post("", "/api/token/employee/", login.clone()).await.status, 403);
        let path = format!("/api/employees/{}/approve/", made.json()["employee_id"]);
        assert_eq!(desk.post(&desk.admin, &path, json!({})).await.status, 200);
        assert_eq!(desk.post(&desk.admin, &path, json!({})).await.status, 400);
        let signed_in = desk.post("", "/api/token/employee/", login).await;
        assert_eq!((signed_in.status, &signed_in.json()["role"]), (200, &json!("Employee")));
        let mails = desk.server.mails.since(mark);
        let sent: Vec<_> = mails.iter().map(|mail| (mail.to.as_str(), mail.template)).collect();
        let to = "ada@example.test";
        assert_eq!(sent, [(to, MailTemplate::AccountReceived), (to, MailTemplate::AccountApproved)]);
    }

    /// A rejected account is gone but for the audit: its address is free, its reason for administrators alone.
    async fn a_rejected_account_is_audited(store: NewStore) {
        let desk = Desk::new(store).await;
        let count = async || {
            let reply = desk.get(&desk.admin, "/api/admin/rejected-users-count/").await;
            reply.json()["rejected_users_count"].as_u64().expect("a number")
        };
        let (before, email) = (count().await, "ada@example.test");
        let made = desk.post("", "/api/create_employee/", newcomer(email)).await.json();
        let mark = desk.server.mails.mark();
        let path = format!("/api/employees/{}/reject/", made["employee_id"]);
        let reason = json!({ "reason": "Nobody knows her" });
        assert_eq!(desk.post(&desk.admin, &path, reason.clone()).await.status, 200);
        assert_eq!(desk.post(&desk.admin, &path, reason).await.status, 404);
        assert_eq!(count().await, before + 1);
        let list = desk.get(&desk.admin, "/api/rejected-employees/").await.json();
        assert_eq!((&list[0]["email"], &list[0]["reason"]), (&json!(email), &json!("Nobody knows her")));
        let employees = desk.get(&desk.admin, "/api/employees/").await.text();
        assert!(!employees.contains(email));
        let mails = desk.server.mails.since(mark);
        assert_eq!((mails.len(), mails[0].template), (1, MailTemplate::AccountRejected));
        assert!(!mails[0].context.to_string().contains("Nobody knows her"), "the reason is not for them");
        assert_eq!(desk.post("", "/api/create_employee/", newcomer(email)).await.status, 201);
        // Her second attempt is another account; the first stays in the audit.
        assert_eq!(count().await, before + 1);
    }

    /// An address is somebody's only once, however it is written.
    async fn addresses_are_taken_once(store: NewStore) {
        let desk = Desk::new(store).await;
        for email in ["customer@demo.test", "CUSTOMER@DEMO.TEST", " customer@demo.test "] {
            let reply = desk.post("", "/api/create_employee/", newcomer(email)).await;
            assert_eq!(reply.status, 400, "{email}");
            // On this route clients look for the field at the top as well.
            assert!(reply.json()["email"].is_array() && reply.json()["field_errors"]["email"].is_array());
        }
    }

    /// Changing the password ends the other sessions, not this one.
    async fn a_new_password_ends_the_other_sessions(store: NewStore) {
        let desk = Desk::new(store).await;
        let other = desk.server.token("customer").await;
        let change = json!({ "current_password": "helpdesk-demo", "new_password": "another one" });
        assert_eq!(desk.post(&desk.customer, "/api/employee/change-password/", change).await.status, 200);
        assert_eq!(desk.get(&other, "/api/employee/profile/").await.status, 401);
        assert_eq!(desk.get(&desk.customer, "/api/employee/profile/").await.status, 200);
        let check = |password: &str| json!({ "current_password": password });
        let path = "/api/employee/check-password/";
        assert_eq!(desk.post(&desk.customer, path, check("helpdesk-demo")).await.status, 400);
        assert_eq!(desk.post(&desk.customer, path, check("another one")).await.status, 200);
    }
}
