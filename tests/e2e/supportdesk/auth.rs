//! Coming in: sign-up and confirmation, forgotten passwords, two-factor.

use helpdesk::http::dialects::supportdesk::supportdesk;
use helpdesk_tests::client::{Reply, Request};
use helpdesk_tests::on_every_store;
use helpdesk_tests::server::{Server, Setup};
use helpdesk_tests::walk::from_link;
use serde_json::{Value, json};

use super::{data, get, put, refusal};

async fn open(server: &Server, path: &str, body: Value) -> Reply {
    server.client.send(Request::post(format!("/supportdesk/api/auth/{path}")).json(&body)).await
}

async fn sign_in(server: &Server, email: &str, password: &str) -> Reply {
    open(server, "login", json!({ "email": email, "password": password })).await
}

const CONFIRM: &str = "/supportdesk/api/auth/confirm";

/// Sends the form of the page where a link leads, as browsers do.
async fn press(server: &Server, path: &str, form: &str) -> Reply {
    let form = form.to_owned();
    server.client.send(Request::post(path).body("application/x-www-form-urlencoded", form)).await
}

/// The path of a link, on this server.
fn path(link: &str) -> String {
    let (_, rest) = link.split_once("://").expect("an address");
    rest[rest.find('/').expect("a path")..].to_owned()
}

on_every_store! {
    /// Who signs up comes in once the address is confirmed, by a link that works once.
    async fn an_address_is_confirmed_first(store: NewStore) {
        let server = Server::start(store).await;
        let mark = server.mails.mark();
        // A form sends empty what nobody filled in.
        let body = json!({
            "name": "Ada King Byron",
            "email": "Ada@Example.test",
            "password": "long enough",
            "phone": "",
            "organizationId": "",
        });
        let made = open(&server, "signup", body.clone()).await;
        assert_eq!((made.status, &data(&made)["user"]["email"]), (201, &json!("ada@example.test")));
        assert_eq!(open(&server, "signup", body).await.status, 422);
        assert_eq!(refusal(&sign_in(&server, "ada@example.test", "long enough").await).0, 403);
        assert_eq!(refusal(&sign_in(&server, "ada@example.test", "a wrong one").await).0, 401);
        server.settle().await;
        let link = server.mails.link("ada@example.test", mark).expect("a link");
        // Whoever only follows the link confirms nothing: programs that read mails do that, too.
        for _ in 0..2 {
            let followed = server.client.send(Request::get(path(&link))).await;
            assert_eq!(followed.status, 200, "{}", followed.excerpt());
            assert!(followed.header("content-security-policy").contains("form-action 'self'"));
            assert!(followed.text().contains(&format!("value=\"{}\"", from_link(&link, "token"))));
        }
        assert_eq!(refusal(&sign_in(&server, "ada@example.test", "long enough").await).0, 403);
        // Whoever only has the link does not have the account: somebody else may have signed up with their address.
        let token = from_link(&link, "token");
        for (said, expected) in [("", "This field is required."), ("&password=not+it", "The password is not correct.")] {
            let refused = press(&server, CONFIRM, &format!("token={token}{said}")).await;
            assert_eq!((refused.status, refused.header("content-type")), (422, "text/html; charset=utf-8"));
            assert!(refused.text().contains(expected), "{}", refused.text());
            assert!(refused.text().contains(&format!("value=\"{token}\"")), "and may try again");
        }
        assert_eq!(refusal(&sign_in(&server, "ada@example.test", "long enough").await).0, 403);
        let right = format!("token={token}&password=long+enough&newPassword=");
        assert_eq!(press(&server, &format!("{CONFIRM}?"), &right).await.status, 200);
        for (path, form) in [(CONFIRM, right.as_str()), (&path(&link), "password=long+enough")] {
            assert_eq!(press(&server, path, form).await.status, 400, "a link works once");
        }
        let token = data(&sign_in(&server, "ada@example.test", "long enough").await)["token"].clone();
        let me = data(&get(&server, token.as_str().expect("a token"), "/api/auth/me").await);
        assert_eq!((&me["name"], &me["role"], &me["organizationId"]), (&json!("Ada King Byron"), &json!("user"), &json!(null)));
    }

    /// What stands in a link is shown and not run, and without a token nothing is confirmed.
    async fn a_link_is_no_page_of_its_writer(store: NewStore) {
        let server = Server::start(store).await;
        let link = "/supportdesk/api/auth/confirm?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
        let page = server.client.send(Request::get(link)).await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
        assert!(page.text().contains("value=\"&quot;&gt;&lt;script&gt;alert(1)"), "{}", page.text());
        assert_eq!(press(&server, CONFIRM, "").await.status, 422);
        // It may stand in the link as well. That it is none is said before anything else.
        for body in ["", "password=long+enough"] {
            let again = press(&server, link, body).await;
            assert!(again.status == 400 && !again.text().contains("<script"), "{}", again.text());
        }
    }

    /// Whoever has an address that somebody else signed up with lets nobody in but themselves.
    async fn who_signs_up_with_the_address_of_another_stays_out(store: NewStore) {
        let server = Server::start(store).await;
        let mark = server.mails.mark();
        let body = json!({ "name": "Vic Tim", "email": "victim@corp.test", "password": "of the thief" });
        assert_eq!(open(&server, "signup", body).await.status, 201);
        server.settle().await;
        let token = from_link(&server.mails.link("victim@corp.test", mark).expect("a link"), "token");
        let short = open(&server, "confirm", json!({ "token": token, "newPassword": "short" })).await;
        assert_eq!(refusal(&short).0, 422);
        assert!(short.json()["error"]["details"]["newPassword"].is_array(), "{}", short.excerpt());
        let chosen = open(&server, "confirm", json!({ "token": token, "newPassword": "of the victim" })).await;
        assert_eq!((chosen.status, &chosen.json()["success"]), (200, &json!(true)));
        assert_eq!(sign_in(&server, "victim@corp.test", "of the thief").await.status, 401);
        assert_eq!(sign_in(&server, "victim@corp.test", "of the victim").await.status, 200);
        let again = open(&server, "confirm", json!({ "token": token, "password": "of the victim" })).await;
        assert_eq!((again.status, &again.json()["error"]["code"]), (400, &json!("INVALID_TOKEN")));
    }

    /// An address is given to an account by who has both.
    async fn another_address_is_confirmed_by_whose_account_it_is(store: NewStore) {
        let server = Server::start(store).await;
        let mark = server.mails.mark();
        let customer = server.token("customer").await;
        let wish = json!({ "email": "victim@corp.test" });
        let waits = data(&put(&server, &customer, "/api/settings/profile", wish).await);
        assert_eq!(waits["pending_email"], "victim@corp.test");
        server.settle().await;
        let link = server.mails.link("victim@corp.test", mark).expect("a link");
        let page = server.client.send(Request::get(path(&link))).await;
        assert!(page.text().contains("name=\"password\"") && !page.text().contains("newPassword"), "{}", page.text());
        let token = from_link(&link, "token");
        for form in ["", "&password=a+guess", "&newPassword=of+the+victim"] {
            let refused = press(&server, CONFIRM, &format!("token={token}&change=true{form}")).await;
            assert_eq!(refused.status, 422, "{}", refused.excerpt());
            assert!(!refused.text().contains("newPassword"), "the same form again");
        }
        assert_eq!(data(&get(&server, &customer, "/api/auth/me").await)["email"], "customer@demo.test");
        let right = json!({ "token": token, "password": crate::support::PASSWORD });
        assert_eq!(open(&server, "confirm", right).await.status, 200);
        assert_eq!(data(&get(&server, &customer, "/api/auth/me").await)["email"], "victim@corp.test");
    }

    /// A forgotten password is set anew by a link that works once, and nobody learns who has an account.
    async fn a_forgotten_password(store: NewStore) {
        let server = Server::start(store).await;
        let before = server.token("customer").await;
        let mark = server.mails.mark();
        let known = open(&server, "forgot-password", json!({ "email": "customer@demo.test" })).await;
        let unknown = open(&server, "forgot-password", json!({ "email": "nobody@demo.test" })).await;
        assert_eq!((known.status, known.json()), (200, unknown.json()));
        server.settle().await;
        let link = server.mails.link("customer@demo.test", mark).expect("a link");
        let body = json!({ "token": from_link(&link, "token"), "newPassword": "another one" });
        let short = json!({ "token": from_link(&link, "token"), "newPassword": "short" });
        assert_eq!(open(&server, "reset-password", short).await.status, 422);
        assert_eq!(open(&server, "reset-password", body.clone()).await.status, 200);
        assert_eq!(open(&server, "reset-password", body).await.status, 400);
        assert_eq!(get(&server, &before, "/api/auth/me").await.status, 401, "its sessions are over");
        assert_eq!(sign_in(&server, "customer@demo.test", "another one").await.status, 200);
    }

    /// The mailed link leads to a page that sets the password, for those whose site has none.
    async fn a_password_is_chosen_where_the_link_leads(store: NewStore) {
        let server = Server::start(store).await;
        let (admin, mark) = (server.token("admin").await, server.mails.mark());
        let nina = json!({ "name": "Nina New", "email": "nina@demo.test", "role": "agent" });
        assert_eq!(super::post(&server, &admin, "/api/agents", nina).await.status, 201);
        open(&server, "forgot-password", json!({ "email": "customer@demo.test" })).await;
        server.settle().await;
        for who in ["nina@demo.test", "customer@demo.test"] {
            let link = server.mails.link(who, mark).expect("a link");
            assert!(link.starts_with("https://desk.test/supportdesk/api/auth/password?token="), "{link}");
            let (page, token) = (path(&link), from_link(&link, "token"));
            for _ in 0..2 {
                let followed = server.client.send(Request::get(page.clone())).await;
                assert_eq!((followed.status, followed.header("cache-control")), (200, "no-store"));
                let policy = followed.header("content-security-policy");
                assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self'"), "{policy}");
                assert!(followed.text().contains(&format!("value=\"{token}\"")), "{}", followed.text());
            }
            for short in ["", "&newPassword=short"] {
                let refused = press(&server, "/supportdesk/api/auth/password", &format!("token={token}{short}")).await;
                assert_eq!(refused.status, 422);
                assert!(refused.text().contains("role=\"alert\"") && refused.text().contains("<form"));
            }
            let form = format!("token={token}&newPassword=another+one");
            assert_eq!(press(&server, "/supportdesk/api/auth/password", &form).await.status, 200);
            assert_eq!(press(&server, "/supportdesk/api/auth/password", &form).await.status, 400, "it works once");
            assert_eq!(sign_in(&server, who, "another one").await.status, 200);
        }
    }

    /// A team that has a page of its own sends people there.
    async fn a_password_is_chosen_at_a_site_that_has_a_page(store: NewStore) {
        let own = |organisation| supportdesk(organisation).reset_path("/choose?by={token}");
        let server = Setup::new(store).mount("/own", own).start().await;
        let mark = server.mails.mark();
        let body = json!({ "email": "customer@demo.test" });
        let asked = server.client.send(Request::post("/own/api/auth/forgot-password").json(&body)).await;
        assert_eq!(asked.status, 200);
        server.settle().await;
        let link = server.mails.link("customer@demo.test", mark).expect("a link");
        assert!(link.starts_with("https://desk.test/choose?by="), "{link}");
    }

    /// A token is good until its session ends, and not longer.
    async fn a_session_ends(store: NewStore) {
        let server = Server::start(store).await;
        let signed_in = data(&sign_in(&server, "agent@demo.test", crate::support::PASSWORD).await);
        let token = signed_in["token"].as_str().expect("a token").to_owned();
        assert_eq!(signed_in["user"]["role"], "agent");
        // Clients of the document have no other token to get a fresh one with.
        server.clock.advance(chrono::Duration::hours(8));
        assert_eq!(get(&server, &token, "/api/auth/me").await.status, 200);
        let out = super::post(&server, &token, "/api/auth/logout", json!({})).await;
        assert_eq!(out.status, 200);
        assert_eq!(get(&server, &token, "/api/auth/me").await.status, 401);
    }

    /// A password is changed by whoever knows it; other sessions end.
    async fn a_password_is_changed(store: NewStore) {
        let server = Server::start(store).await;
        let (own, other) = (server.token("customer").await, server.token("customer").await);
        let wrong = json!({ "current_password": "a wrong one", "new_password": "another one" });
        let wrong = put(&server, &own, "/api/settings/security", wrong).await;
        assert!(matches!(wrong.status, 400 | 401 | 422), "{}", wrong.status);
        let right = json!({ "current_password": crate::support::PASSWORD, "new_password": "another one" });
        data(&put(&server, &own, "/api/settings/security", right).await);
        assert_eq!(get(&server, &own, "/api/settings").await.status, 200);
        assert_eq!(get(&server, &other, "/api/settings").await.status, 401);
        assert_eq!(sign_in(&server, "customer@demo.test", "another one").await.status, 200);
    }

    /// Settings are kept, and each has their own.
    async fn settings_are_kept(store: NewStore) {
        let server = Server::start(store).await;
        let (customer, admin) = (server.token("customer").await, server.token("admin").await);
        let profile = json!({ "name": "John D. Doe", "phone": "+48 22 123 45 67", "avatar": "https://example.com/me.png" });
        let kept = data(&put(&server, &customer, "/api/settings/profile", profile).await);
        assert_eq!((&kept["name"], &kept["email"]), (&json!("John D. Doe"), &json!("customer@demo.test")));
        let script = json!({ "avatar": "javascript:alert(1)" });
        assert_eq!(put(&server, &customer, "/api/settings/profile", script).await.status, 422);
        let quiet = json!({ "mentions": false });
        let quiet = data(&put(&server, &customer, "/api/settings/notifications", quiet).await);
        assert_eq!((&quiet["mentions"], &quiet["ticket_updates"]), (&json!(false), &json!(true)));
        let shown = data(&get(&server, &customer, "/api/settings").await);
        assert_eq!(shown["profile"]["phone"], "+48 22 123 45 67");
        assert_eq!(shown["notifications"]["mentions"], false);
        assert_eq!(shown["security"]["two_factor_enabled"], false);
        let name = json!({ "name": "Demo & Sons" });
        assert_eq!(put(&server, &customer, "/api/settings/organization", name.clone()).await.status, 403);
        assert_eq!(data(&put(&server, &admin, "/api/settings/organization", name).await)["name"], "Demo & Sons");
    }
}
