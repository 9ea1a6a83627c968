//! The end: what runs is finished, what is new is refused.

use std::time::Duration;

use helpdesk_tests::on_every_store;
use helpdesk_tests::raw::Raw;
use helpdesk_tests::server::{PATIENCE, Server};

use super::probe;

const SLOW: &str = "POST /probe/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";

/// Waits until nobody listens any more.
async fn refused(server: &Server) {
    let refused = async {
        while Raw::try_connect(server.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.expect("connections are refused");
}

async fn ended(server: &mut Server) {
    let ended = tokio::time::timeout(PATIENCE, server.stop()).await.expect("it ends");
    ended.expect("it does not panic").expect("it ends well");
}

on_every_store! {
    /// A request that runs is answered, idle connections are closed, and nobody else is let in.
    async fn running_requests_are_finished(store: NewStore) {
        let (setup, gate) = probe::setup(store);
        let mut server = setup.start().await;
        let mut idle = Raw::connect(server.address).await;
        idle.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert_eq!(idle.reply().await.map(|reply| reply.status), Some(200));
        let mut running = Raw::connect(server.address).await;
        running.send(SLOW).await;
        gate.begun().await;

        assert!(!server.stop().is_finished());
        refused(&server).await;
        assert!(idle.ends().await);
        gate.open();
        let reply = running.reply().await.expect("an answer");
        assert_eq!((reply.status, reply.text().as_str()), (200, "slow"));
        assert!(running.ends().await);
        ended(&mut server).await;
    }

    /// With nothing to finish it ends at once.
    async fn an_idle_server_ends_at_once(store: NewStore) {
        let mut server = Server::start(store).await;
        ended(&mut server).await;
        refused(&server).await;
    }

    /// What is not finished within the grace is not waited for.
    async fn there_is_an_end_to_waiting(store: NewStore) {
        let (setup, gate) = probe::setup(store);
        let mut server = setup.grace(Duration::from_millis(10)).start().await;
        let mut running = Raw::connect(server.address).await;
        running.send(SLOW).await;
        gate.begun().await;
        ended(&mut server).await;
        gate.open();
        gate.done().await;
    }
}
