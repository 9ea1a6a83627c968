//! How many requests are taken, and what is told about it.

use std::net::{IpAddr, Ipv4Addr};

use helpdesk_tests::client::{Reply, Request};
use helpdesk_tests::dialects::SUPPORTDESK;
use helpdesk_tests::on_every_store;
use helpdesk_tests::server::{Server, Setup};
use serde_json::json;

use super::{get, refusal};
use crate::support::refusal_problems;

fn left(reply: &Reply) -> (String, String) {
    let told = |name: &str| reply.header(name).to_owned();
    (told("x-ratelimit-limit"), told("x-ratelimit-remaining"))
}

fn of(limit: u32, remaining: u32) -> (String, String) {
    (limit.to_string(), remaining.to_string())
}

on_every_store! {
    /// A thousand requests an hour for each who is signed in, whatever they ask for; every answer says how many are
    /// left, and when all are there again.
    async fn callers_have_a_thousand_an_hour(store: NewStore) {
        let server = Setup::new(store).limited().start().await;
        let token = server.token("customer").await;
        let now = u64::try_from(server.desk.now().timestamp()).expect("a time");
        let first = get(&server, &token, "/api/auth/me").await;
        assert_eq!((first.status, left(&first)), (200, of(1_000, 999)));
        let reset: u64 = first.header("x-ratelimit-reset").parse().expect("a time");
        assert!((now..now + 3_600).contains(&reset), "{reset} against {now}");
        // A refusal counts like a success.
        let refused = get(&server, &token, "/api/organizations").await;
        assert_eq!((refused.status, left(&refused)), (403, of(1_000, 998)));
        let missing = get(&server, &token, "/api/tickets/none").await;
        assert_eq!((missing.status, left(&missing)), (404, of(1_000, 997)));
        for _ in 0..997 {
            get(&server, &token, "/api/auth/me").await;
        }
        let over = get(&server, &token, "/api/auth/me").await;
        assert_eq!(refusal(&over), (429, "RATE_LIMIT_EXCEEDED".into()));
        assert_eq!(left(&over), of(1_000, 0));
        assert!(over.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0));
        assert_eq!(refusal_problems(&SUPPORTDESK, &over), Vec::<String>::new());
        // Others have their own thousand, and time brings it back.
        let other = server.token("customer2").await;
        assert_eq!(get(&server, &other, "/api/auth/me").await.status, 200);
        server.clock.advance(chrono::Duration::minutes(6));
        let token = server.token("customer").await;
        assert_eq!(get(&server, &token, "/api/auth/me").await.status, 200);
    }

    /// A hundred an hour for each address without a token, and without a good one.
    async fn strangers_have_a_hundred_an_hour(store: NewStore) {
        let server = Setup::new(store).limited().start().await;
        let sign_in = |number: u32| {
            let body = json!({ "email": format!("nobody{number}@demo.test"), "password": "a wrong one" });
            Request::post("/supportdesk/api/auth/login").json(&body)
        };
        let first = server.client.send(sign_in(0)).await;
        assert_eq!((first.status, left(&first)), (401, of(100, 99)));
        let nowhere = server.client.send(Request::get("/supportdesk/api/nowhere")).await;
        assert_eq!((nowhere.status, left(&nowhere)), (404, of(100, 98)));
        let stale = get(&server, "not-a-token", "/api/tickets").await;
        assert_eq!((stale.status, left(&stale)), (401, of(100, 97)));
        for number in 1..98 {
            server.client.send(sign_in(number)).await;
        }
        assert_eq!(server.client.send(sign_in(99)).await.status, 429);
        // Who is signed in is not held up by strangers at the same address.
        let token = server.token("customer").await;
        assert_eq!(get(&server, &token, "/api/auth/me").await.status, 200);
    }

    /// Behind a proxy that is trusted each address counts for itself; from anybody else the header says nothing.
    async fn only_trusted_proxies_name_addresses(store: NewStore) {
        let ask = async |server: &Server, from: &str| {
            let request = Request::get("/supportdesk/api/nowhere").header("x-forwarded-for", from);
            left(&server.client.send(request).await)
        };
        let trusted = |builder: helpdesk::http::Builder| builder.trusted_proxies([IpAddr::V4(Ipv4Addr::LOCALHOST)]);
        let server = Setup::new(store).limited().http(trusted).start().await;
        assert_eq!(ask(&server, "10.0.0.1").await, of(100, 99));
        assert_eq!(ask(&server, "10.0.0.2").await, of(100, 99));
        assert_eq!(ask(&server, "10.0.0.1").await, of(100, 98));
        let server = Setup::new(store).limited().start().await;
        assert_eq!(ask(&server, "10.0.0.1").await, of(100, 99));
        assert_eq!(ask(&server, "10.0.0.2").await, of(100, 98));
    }

    /// The paths with the version in them are the same.
    async fn the_version_in_the_path_makes_no_difference(store: NewStore) {
        let server = Server::start(store).await;
        let token = server.token("customer").await;
        let (with, without) =
            (get(&server, &token, "/api/v1/tickets").await, get(&server, &token, "/api/tickets").await);
        assert_eq!((with.status, with.json()), (200, without.json()));
        assert_eq!(get(&server, &token, "/api/v1/auth/me").await.status, 200);
        assert_eq!(get(&server, &token, "/api/v2/tickets").await.status, 404);
        assert_eq!(get(&server, &token, "/api/v1").await.status, 404);
    }
}
