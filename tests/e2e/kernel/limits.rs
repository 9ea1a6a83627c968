//! How many requests are taken, and of whom.

use std::net::{IpAddr, Ipv4Addr};

use chrono::Duration;
use helpdesk_tests::client::{Reply, Request};
use helpdesk_tests::on_every_store;
use helpdesk_tests::server::{Server, Setup};
use serde_json::json;

use super::{lacks, probe};
use crate::support::refusal_problems;

async fn few(server: &Server, forwarded: &[&str]) -> Reply {
    let mut request = Request::get("/probe/few");
    for line in forwarded {
        request.headers.append("x-forwarded-for", line.parse().expect("a header"));
    }
    server.client.send(request).await
}

on_every_store! {
    /// A limit is counted down in the headers, refuses in the dialect's shape with the time to wait, and comes back
    /// evenly as time passes.
    async fn limits_are_told_and_come_back(store: NewStore) {
        let (setup, _) = probe::setup(store);
        let server = setup.limited().start().await;
        for left in ["2", "1", "0"] {
            let reply = few(&server, &[]).await;
            assert_eq!((reply.status, reply.header("x-ratelimit-limit")), (200, "3"));
            assert_eq!(reply.header("x-ratelimit-remaining"), left);
            assert!(reply.header("x-ratelimit-reset").parse::<u64>().is_ok_and(|seconds| seconds <= 60));
        }
        for _ in 0..2 {
            let reply = few(&server, &[]).await;
            assert_eq!((reply.status, reply.text().as_str()), (429, r#"{"probe":"limited"}"#));
            assert_eq!((reply.header("retry-after"), lacks(&reply)), ("20", Vec::new()));
        }
        // Operations without that limit are not touched by it.
        assert_eq!(server.client.send(Request::get("/probe/ok")).await.status, 200);
        server.clock.advance(Duration::seconds(19));
        assert_eq!(few(&server, &[]).await.header("retry-after"), "1");
        server.clock.advance(Duration::seconds(1));
        assert_eq!(few(&server, &[]).await.status, 200);
        assert_eq!(few(&server, &[]).await.status, 429);
        server.clock.advance(Duration::seconds(60));
        for status in [200, 200, 200, 429] {
            assert_eq!(few(&server, &[]).await.status, status);
        }
    }

    /// Without a limiter there is no limit.
    async fn nobody_counts_by_default(store: NewStore) {
        let (setup, _) = probe::setup(store);
        let server = setup.start().await;
        for _ in 0..20 {
            assert_eq!(few(&server, &[]).await.status, 200);
        }
    }

    /// What a stranger says of where it comes from is not believed.
    async fn strangers_are_counted_by_their_address(store: NewStore) {
        let (setup, _) = probe::setup(store);
        let server = setup.limited().start().await;
        for (number, status) in [200, 200, 200, 429, 429].into_iter().enumerate() {
            assert_eq!(few(&server, &[&format!("10.0.0.{number}")]).await.status, status);
        }
        let request = Request::get("/probe/where").header("x-forwarded-for", "10.0.0.1");
        let told = server.client.send(request.header("x-forwarded-proto", "https")).await.json();
        assert_eq!(told["from"], "127.0.0.1");
        assert_eq!(told["base"], format!("http://{}/probe", server.address));
    }

    /// What a trusted proxy adds is believed: the last address, which is its own observation, and no other, for those
    /// before it came from the client.
    async fn proxies_are_believed_as_far_as_they_have_seen(store: NewStore) {
        let (setup, _) = probe::setup(store);
        let trusted = |builder: helpdesk::http::Builder| builder.trusted_proxies([IpAddr::V4(Ipv4Addr::LOCALHOST)]);
        let server = setup.limited().http(trusted).start().await;
        for status in [200, 200, 200, 429] {
            assert_eq!(few(&server, &["10.0.0.1"]).await.status, status);
        }
        assert_eq!(few(&server, &["10.0.0.2"]).await.status, 200);
        // The client's own additions change nothing, on the same line or on one before it.
        assert_eq!(few(&server, &["10.9.9.9, 10.0.0.1"]).await.status, 429);
        assert_eq!(few(&server, &["10.9.9.9", "10.0.0.1"]).await.status, 429);
        // A network of IPv6 counts as one, and an IPv4 address however it is written.
        for (number, status) in [200, 200, 200, 429].into_iter().enumerate() {
            assert_eq!(few(&server, &[&format!("2001:db8::{number}")]).await.status, status);
        }
        assert_eq!(few(&server, &["2001:db8:0:1::1"]).await.status, 200);
        assert_eq!(few(&server, &["::ffff:10.0.0.1"]).await.status, 429);
        for (forwarded, from) in [
            ("10.0.0.3", "10.0.0.3"),
            ("nonsense, 10.0.0.3", "10.0.0.3"),
            ("10.9.9.9, 10.0.0.3, 127.0.0.1", "10.0.0.3"),
            ("10.0.0.3, ::ffff:127.0.0.1", "10.0.0.3"),
            ("10.0.0.3, nonsense", "127.0.0.1"),
            ("", "127.0.0.1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            let request = Request::get("/probe/where").header("x-forwarded-for", forwarded);
            assert_eq!(server.client.send(request).await.json()["from"], from, "{forwarded}");
        }
        for (scheme, base) in [("https", "https"), ("http", "http"), ("javascript", "http"), ("", "http")] {
            let request = Request::get("/probe/where").header("x-forwarded-proto", scheme);
            let told = server.client.send(request).await.json();
            assert_eq!(told["base"], format!("{base}://{}/probe", server.address));
        }
    }

    /// The public operations of SmartSupport are limited by address, those that send mail more tightly.
    async fn public_operations_are_limited(store: NewStore) {
        let server = Setup::new(store).limited().start().await;
        let refresh = || Request::post("/smartsupport/api/token/refresh/").json(&json!({ "refresh": "a.b.c" }));
        for left in (0..60).rev() {
            let reply = server.client.send(refresh()).await;
            assert_eq!((reply.status, reply.header("x-ratelimit-remaining")), (401, &*left.to_string()));
        }
        let reply = server.client.send(refresh()).await;
        assert_eq!((reply.status, reply.header("retry-after")), (429, "1"));
        let smartsupport = &helpdesk_tests::dialects::SMARTSUPPORT;
        assert_eq!(refusal_problems(smartsupport, &reply), Vec::<String>::new());
        let mut statuses = Vec::new();
        for number in 0..21 {
            let body = json!({ "email": format!("nobody{number}@demo.test") });
            let request = Request::post("/smartsupport/api/employee/forgot-password/").json(&body);
            statuses.push(server.client.send(request).await.status);
        }
        assert_eq!(statuses, [vec![200; 20], vec![429]].concat());
    }

    /// Guessing one name's password ends soon, whether or not there is such a name, and whoever asks.
    async fn guessing_passwords_ends(store: NewStore) {
        let trusted = |builder: helpdesk::http::Builder| builder.trusted_proxies([IpAddr::V4(Ipv4Addr::LOCALHOST)]);
        let server = Setup::new(store).limited().http(trusted).start().await;
        let guess = async |email: &str, password: &str, from: usize| {
            let body = json!({ "email": email, "password": password });
            let request = Request::post("/smartsupport/api/token/employee/").json(&body);
            server.client.send(request.header("x-forwarded-for", &format!("10.0.{}.{}", from / 250, from % 250))).await
        };
        for email in ["customer@demo.test", "nobody@demo.test"] {
            let mut statuses = Vec::new();
            for from in 0..32 {
                statuses.push(guess(email, "a wrong password", from).await.status);
            }
            let refused = statuses.iter().position(|status| *status == 429);
            // The demo data has signed the customer in before.
            assert!(refused.is_some_and(|place| (28..=30).contains(&place)), "{statuses:?}");
            // The right one does not help either: whoever guesses it must not learn it.
            let reply = guess(email, crate::support::PASSWORD, 999).await;
            assert_eq!(reply.status, 429);
            assert!(reply.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0));
        }
        assert_eq!(guess("customer2@demo.test", crate::support::PASSWORD, 0).await.status, 200);
    }
}
