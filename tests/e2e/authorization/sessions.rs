//! The ways in: which tokens give others, and whom the doors let in.

use chrono::Duration;
use helpdesk::Actor;
use helpdesk_tests::client::{Reply, Request};
use helpdesk_tests::dialects::SMARTSUPPORT;
use helpdesk_tests::on_every_store;
use serde_json::json;

use crate::support::{PASSWORD, World, assert_none, refusal_problems};

async fn post(world: &World, path: &str, body: serde_json::Value) -> Reply {
    world.server.client.send(Request::post(format!("{}{path}", SMARTSUPPORT.mount)).json(&body)).await
}

async fn refresh(world: &World, token: &str) -> Reply {
    post(world, "/api/token/refresh/", json!({ "refresh": token })).await
}

on_every_store! {
    /// Only a refresh token of a session that goes on, of an account that is on, here, gives another access token.
    async fn only_a_good_refresh_token_refreshes(store: NewStore) {
        let world = World::new(store).await;
        let (server, identity) = (&world.server, world.server.desk.identity());
        let system = Actor::system(server.organisation);
        let expired = server.sign_in("customer").await.refresh;
        server.clock.advance(Duration::days(15));
        let good = server.sign_in("customer").await;
        let out = server.sign_in("customer").await;
        identity.sign_out(&out.caller).await.expect("signed out");
        world.account("leaver", "customer").await;
        let left = server.sign_in("leaver@demo.test").await;
        identity.deactivate(&system, left.user.id).await.expect("deactivated");
        let foreigner = server.sign_in("foreigner@demo.test").await;
        let file = identity.file_token(&good.caller).expect("a token for files");
        let mut problems = Vec::new();
        for (name, token) in [
            ("an access token", &good.access),
            ("a token for files", &file),
            ("an expired one", &expired),
            ("one of an ended session", &out.refresh),
            ("one of a deactivated account", &left.refresh),
            ("one of another organisation", &foreigner.refresh),
        ] {
            let reply = refresh(&world, token).await;
            problems.extend(refusal_problems(&SMARTSUPPORT, &reply).into_iter().map(|it| format!("{name}: {it}")));
            problems.extend((reply.status != 401).then(|| format!("{name}: {}", reply.status)));
        }
        assert_none(&problems);
        let reply = refresh(&world, &good.refresh).await;
        assert_eq!(reply.status, 200);
        let token = reply.json()["access"].as_str().expect("a token").to_owned();
        let profile = Request::get("/smartsupport/api/employee/profile/").bearer(&token);
        assert_eq!(world.server.client.send(profile).await.status, 200);
        // And it stays good, as the document's clients expect.
        assert_eq!(refresh(&world, &good.refresh).await.status, 200);
    }

    /// Each door lets in those it is for; what it says to the others does not depend on whether they exist, unless
    /// they gave the right password.
    async fn doors_are_for_those_they_are_for(store: NewStore) {
        let world = World::new(store).await;
        let door = async |door: &str, email: &str, password: &str| {
            let body = json!({ "email": email, "password": password });
            let reply = post(&world, &format!("/api/token/{door}/"), body).await;
            (reply.status, reply.json()["error"].as_str().unwrap_or_default().to_owned())
        };
        for (email, employee, admin) in [
            ("customer@demo.test", 200, 403),
            ("agent@demo.test", 200, 403),
            ("coordinator@demo.test", 403, 200),
            ("manager@demo.test", 403, 200),
            ("admin@demo.test", 403, 200),
            // Waits for approval.
            ("newcomer@demo.test", 403, 403),
            // Was rejected: their address is nobody's.
            ("stranger@demo.test", 401, 401),
            // Somebody else's employees.
            ("foreign-admin@demo.test", 401, 401),
        ] {
            assert_eq!(door("employee", email, PASSWORD).await.0, employee, "{email}");
            assert_eq!(door("admin", email, PASSWORD).await.0, admin, "{email}");
        }
        let nobody = door("employee", "nobody@demo.test", PASSWORD).await;
        assert_eq!(nobody.0, 401);
        for email in ["customer@demo.test", "admin@demo.test", "newcomer@demo.test", "stranger@demo.test"] {
            assert_eq!(door("employee", email, "a wrong password").await, nobody, "{email}");
        }
    }

    /// A link for a new password works once, for its own account, for an hour; the answer to asking for one is the
    /// same for everybody.
    async fn links_for_passwords_work_once(store: NewStore) {
        let world = World::new(store).await;
        let ask = async |email: &str| {
            let mark = world.server.mails.mark();
            let reply = post(&world, "/api/employee/forgot-password/", json!({ "email": email })).await;
            world.server.settle().await;
            (reply.status, reply.text(), world.server.mails.link(email, mark))
        };
        let reset = async |link: &str, uid: Option<&str>, password: &str| {
            let of = |name| helpdesk_tests::walk::from_link(link, name);
            let uid = uid.map_or_else(|| of("uidb64"), str::to_owned);
            let body = json!({ "uidb64": uid, "token": of("token"), "new_password": password });
            post(&world, "/api/employee/reset-password/", body).await.status
        };
        let (status, text, link) = ask("customer@demo.test").await;
        let link = link.expect("a link");
        for email in ["nobody@demo.test", "foreign-admin@demo.test"] {
            assert_eq!(ask(email).await, (status, text.clone(), None), "{email}");
        }
        // Somebody else's number, in URL-safe base64.
        assert_eq!(reset(&link, Some("MQ"), "a new password").await, 400);
        assert_eq!(reset(&link, None, "short").await, 400);
        let before = world.server.sign_in("customer").await;
        assert_eq!(reset(&link, None, "a new password").await, 200);
        assert_eq!(reset(&link, None, "a newer password").await, 400);
        let profile = Request::get("/smartsupport/api/employee/profile/").bearer(&before.access);
        assert_eq!(world.server.client.send(profile).await.status, 401, "its sessions are over");
        world.server.sign_in_with("customer", "a new password").await;

        let (_, _, late) = ask("customer@demo.test").await;
        world.server.clock.advance(Duration::minutes(61));
        assert_eq!(reset(&late.expect("a link"), None, "a late password").await, 400);
    }
}
