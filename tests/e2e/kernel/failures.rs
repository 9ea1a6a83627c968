//! Handlers that panic, fail, take too long, or whose client goes away.

use std::time::Duration;

use helpdesk_tests::client::Request;
use helpdesk_tests::dialects::ALL;
use helpdesk_tests::on_every_store;
use helpdesk_tests::raw::Raw;
use helpdesk_tests::stores::Mood;

use super::{lacks, probe};
use crate::support::{World, assert_none, sample, shape_problems};

const SLOW: &str = "POST /probe/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";

on_every_store! {
    /// A handler that panics answers in the dialect's shape, tells nothing, and the server goes on; so does the
    /// connection.
    async fn a_panic_is_an_answer(store: NewStore) {
        let (setup, _) = probe::setup(store);
        let server = setup.start().await;
        let mut connection = Raw::connect(server.address).await;
        for path in ["/probe/panics", "/probe/panics-at-once"] {
            for _ in 0..3 {
                connection.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
                let reply = connection.reply().await.expect("an answer");
                assert_eq!((reply.status, reply.text().as_str()), (500, r#"{"probe":"panicked"}"#), "{path}");
                assert_eq!((reply.header("x-probe"), lacks(&reply)), ("yes", Vec::new()), "{path}");
            }
        }
        connection.send("GET /probe/ok HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert_eq!(connection.reply().await.map(|reply| reply.text()).as_deref(), Some("ok"));
    }

    /// Whatever panics below an operation, already where it is asked who calls: the answer says in the dialect's
    /// shape that something went wrong, and not what. Nothing is stored, and the server goes on.
    async fn a_panic_below_is_an_answer(store: NewStore) {
        let world = World::new(store).await;
        let server = &world.server;
        let token = server.token("admin").await;
        let before = server.stored().await;
        let mut problems = Vec::new();
        for spoken in ALL {
            for operation in spoken.operations(server.organisation) {
                let request = sample(spoken, operation.id).request(spoken, &operation, &world.things);
                server.storage.be(Mood::Panics);
                let reply = server.client.try_send(request.bearer(&token)).await;
                server.storage.be(Mood::Well);
                let reply = match reply {
                    Ok(reply) => reply,
                    Err(error) => {
                        problems.push(format!("{}: {error}", operation.id));
                        continue;
                    }
                };
                // These need no store: a list of addresses, a page with a button, and tokens that are none.
                if matches!(
                    operation.id,
                    "root.get" | "auth.refresh" | "auth.confirm" | "auth.password" | "satisfaction.rate" | "satisfaction.comment"
                ) {
                    assert!(reply.status < 500, "{}", operation.id);
                    continue;
                }
                let mut wrong = shape_problems(spoken, &reply);
                if reply.status != 500 || reply.text().contains("as the test wants") {
                    wrong.push(format!("status {}: {}", reply.status, reply.excerpt()));
                }
                problems.extend(wrong.into_iter().map(|wrong| format!("{}: {wrong}", operation.id)));
            }
        }
        assert_none(&problems);
        assert_eq!(server.stored().await, before);
        assert_eq!(server.client.send(Request::get("/readyz")).await.status, 200);
    }

    /// A mistake of the program is told as one, and what it was is for the log alone.
    async fn a_mistake_is_not_explained(store: NewStore) {
        let (setup, _) = probe::setup(store);
        let server = setup.start().await;
        let reply = server.client.send(Request::get("/probe/breaks")).await;
        assert_eq!((reply.status, reply.text().as_str()), (500, r#"{"probe":"core"}"#));
    }

    /// A client that hangs up does not stop what was begun for it.
    async fn what_was_begun_is_finished_though_the_client_hangs_up(store: NewStore) {
        let (setup, gate) = probe::setup(store);
        let server = setup.start().await;
        let mut connection = Raw::connect(server.address).await;
        connection.send(SLOW).await;
        gate.begun().await;
        drop(connection);
        // The server has noticed, or not: it makes no difference to what has begun.
        assert_eq!(server.client.send(Request::get("/probe/ok")).await.status, 200);
        gate.open();
        gate.done().await;
    }

    /// What takes too long is told so, and finished all the same.
    async fn what_takes_too_long_is_told_and_finished(store: NewStore) {
        let (setup, gate) = probe::setup(store);
        let server = setup.http(|builder| builder.time_limit(Duration::from_millis(10))).start().await;
        let reply = server.client.send(Request::post("/probe/slow")).await;
        assert_eq!((reply.status, reply.text().as_str()), (503, r#"{"probe":"timed out"}"#));
        assert_eq!(lacks(&reply), Vec::<&str>::new());
        gate.begun().await;
        gate.open();
        gate.done().await;
        assert_eq!(server.client.send(Request::get("/probe/ok")).await.status, 200);
    }

    /// A body that does not arrive in time is not waited for.
    async fn a_body_that_does_not_come_is_not_waited_for(store: NewStore) {
        let (setup, _) = probe::setup(store);
        let server = setup.http(|builder| builder.time_limit(Duration::from_millis(10))).start().await;
        for head in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
            let mut connection = Raw::connect(server.address).await;
            connection.send(format!("POST /probe/echo HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n")).await;
            let reply = connection.reply().await.expect("an answer");
            assert_eq!((reply.status, reply.text().as_str()), (503, r#"{"probe":"timed out"}"#));
        }
    }
}
