//! Connections: kept alive, pipelined, over HTTP/2, broken off.

use bytes::Bytes;
use helpdesk_tests::client::Request;
use helpdesk_tests::on_every_store;
use helpdesk_tests::raw::Raw;
use helpdesk_tests::server::Server;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::probe;

/// A request without a body.
fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: desk.test\r\n\r\n")
}

on_every_store! {
    /// A connection serves one request after another, also those that were refused.
    async fn connections_are_kept_alive(store: NewStore) {
        let server = Server::start(store).await;
        let mut connection = Raw::connect(server.address).await;
        for (path, status) in [
            ("/smartsupport/api/", 200),
            ("/smartsupport/api/profile/", 404),
            ("/smartsupport/api/employee/profile/", 401),
            ("/nowhere", 404),
            ("/healthz", 200),
            ("/smartsupport/api/", 200),
        ] {
            connection.send(get(path)).await;
            assert_eq!(connection.reply().await.map(|reply| reply.status), Some(status), "{path}");
        }
        connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert_eq!(connection.reply().await.map(|reply| reply.status), Some(200));
        assert!(connection.ends().await);
        // And one of the older sort, which has only one request.
        let mut connection = Raw::connect(server.address).await;
        connection.send("GET /healthz HTTP/1.0\r\n\r\n").await;
        assert_eq!(connection.reply().await.map(|reply| reply.status), Some(200));
        assert!(connection.ends().await);
    }

    /// Requests that are sent without waiting are answered in their order, though the first takes longest.
    async fn pipelined_requests_are_answered_in_order(store: NewStore) {
        let (setup, gate) = probe::setup(store);
        let server = setup.start().await;
        let mut connection = Raw::connect(server.address).await;
        let slow = "POST /probe/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
        let echo = "POST /probe/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\n\r\n{\"words\": \"both\"}";
        connection.send([slow, &get("/probe/ok"), echo, &get("/probe/none")].concat()).await;
        gate.begun().await;
        gate.open();
        let mut answers = Vec::new();
        for _ in 0..4 {
            let reply = connection.reply().await.expect("an answer");
            answers.push((reply.status, reply.text()));
        }
        let told = |status, text: &str| (status, text.to_owned());
        let none = r#"{"probe":"no route"}"#;
        assert_eq!(answers, [told(200, "slow"), told(200, "ok"), told(200, "both"), told(404, none)]);
    }

    /// HTTP/2 without a prelude: many requests at once on one connection.
    async fn http_2_is_spoken_by_those_who_know(store: NewStore) {
        let server = Server::start(store).await;
        let stream = TcpStream::connect(server.address).await.expect("a connection");
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2");
        tokio::spawn(connection);
        let token = server.token("admin").await;
        let mut waiting = Vec::new();
        for number in 0..60 {
            let path = ["/smartsupport/api/", "/smartsupport/api/employees/", "/smartsupport/none"][number % 3];
            let request = hyper::Request::get(format!("http://desk.test{path}"))
                .header("authorization", format!("Bearer {token}"))
                .body(Full::<Bytes>::default())
                .expect("a request");
            waiting.push((number, sender.clone().send_request(request)));
        }
        for (number, answer) in waiting {
            let answer = answer.await.expect("an answer");
            assert_eq!(answer.version(), http::Version::HTTP_2);
            assert_eq!(answer.status(), [200, 200, 404][number % 3]);
            let text = answer.into_body().collect().await.expect("a body").to_bytes();
            if number % 3 == 0 {
                // The address comes from the request's authority, for there is no header `Host` here.
                assert!(String::from_utf8_lossy(&text).contains("http://desk.test/smartsupport/api/tickets/"));
            }
        }
    }

    /// `HEAD` answers what `GET` would, without the body, wherever there is a `GET`.
    async fn head_is_get_without_a_body(store: NewStore) {
        let server = Server::start(store).await;
        let token = server.token("admin").await;
        let mut connection = Raw::connect(server.address).await;
        for path in [
            "/smartsupport/api/",
            "/smartsupport/api/employees/",
            "/smartsupport/api/none/",
            "/smartsupport/openapi.json",
            "/smartsupport/docs/",
            "/healthz",
            "/readyz",
            "/nowhere",
        ] {
            let ask = |method: &str| {
                format!("{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n")
            };
            connection.send(ask("GET")).await;
            let mut got = connection.reply().await.expect("an answer");
            connection.send(ask("HEAD")).await;
            let mut head = connection.reply_to_head().await.expect("an answer");
            let mut new_each_time = vec!["date", "x-request-id"];
            // It tells how many events wait for their place, and they may be fewer digits a moment later.
            if path == "/readyz" {
                new_each_time.push("content-length");
            }
            for reply in [&mut got, &mut head] {
                new_each_time.iter().for_each(|name| drop(reply.headers.remove(*name)));
            }
            // Tokens inside the answer are new each time, and none is longer than another.
            assert_eq!((got.status, got.headers), (head.status, head.headers), "{path}");
        }
        connection.send("HEAD /smartsupport/api/token/admin/ HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert_eq!(connection.reply_to_head().await.map(|reply| reply.status), Some(405));
    }

    /// Clients that come and say half of something, or nothing, keep nobody else waiting.
    async fn silent_clients_hold_nobody_up(store: NewStore) {
        let server = Server::start(store).await;
        let mut silent = Vec::new();
        for said in ["", "G", "GET /smartsupport/api/ HTTP/1.1\r\n", "POST /smartsupport/api/token/admin/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"] {
            for _ in 0..20 {
                let mut connection = Raw::connect(server.address).await;
                connection.send(said).await;
                silent.push(connection);
            }
        }
        assert_eq!(server.client.send(Request::get("/smartsupport/api/")).await.status, 200);
        drop(silent);
        assert_eq!(server.client.send(Request::get("/smartsupport/api/")).await.status, 200);
    }

    /// A client that asks whether it may send its body is told so, or is told why not.
    async fn a_body_is_asked_for(store: NewStore) {
        let (setup, _) = probe::setup(store);
        let server = setup.start().await;
        let mut connection = Raw::connect(server.address).await;
        let head = "POST /probe/echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length:";
        connection.send(format!("{head} 16\r\n\r\n{{\"words\": \"yes\"}}")).await;
        assert_eq!(connection.reply().await.map(|reply| reply.text()).as_deref(), Some("yes"));
        connection.send(format!("{head} 99999999\r\n\r\n")).await;
        assert_eq!(connection.reply().await.map(|reply| reply.status), Some(413));
    }
}
