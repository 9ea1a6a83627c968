//! Whether the server is well, and what it says when it is not.

use helpdesk_tests::client::Request;
use helpdesk_tests::dialects::ALL;
use helpdesk_tests::on_every_store;
use helpdesk_tests::server::Server;
use helpdesk_tests::stores::Mood;

use super::lacks;
use crate::support::{World, sample, shape_problems};

on_every_store! {
    /// Alive is not ready: without its store the server lives and takes no work.
    async fn ready_is_more_than_alive(store: NewStore) {
        let server = Server::start(store).await;
        let ask = async |path: &str| server.client.send(Request::get(path)).await;
        assert_eq!((ask("/healthz").await.status, ask("/readyz").await.status), (200, 200));
        assert_eq!(ask("/readyz").await.json()["status"], "ready");
        server.storage.be(Mood::Down);
        assert_eq!((ask("/healthz").await.status, ask("/readyz").await.status), (200, 503));
        assert!(!ask("/readyz").await.text().contains("took it down"));
        server.storage.be(Mood::Well);
        assert_eq!(ask("/readyz").await.status, 200);
    }

    /// Without a store, every operation says in its dialect's shape that it will not do just now, and when to try
    /// again; it says nothing of the store. Then everything is as before.
    async fn an_outage_is_told_as_one(store: NewStore) {
        let world = World::new(store).await;
        let server = &world.server;
        let token = server.token("admin").await;
        server.settle().await;
        for spoken in ALL {
            for operation in spoken.operations(server.organisation) {
                let request = sample(spoken, operation.id).request(spoken, &operation, &world.things);
                server.storage.be(Mood::Down);
                let reply = server.client.send(request.clone().bearer(&token)).await;
                server.storage.be(Mood::Well);
                match operation.id {
                    // These need no store: a list of addresses, pages with a form, and tokens that are none.
                    "root.get" => assert_eq!(reply.status, 200),
                    "auth.refresh" => assert_eq!(reply.status, 401),
                    "auth.confirm" | "auth.password" => assert_eq!(reply.status, 200),
                    "satisfaction.rate" | "satisfaction.comment" => assert!(reply.status < 500, "{}", reply.status),
                    id => {
                        assert_eq!((reply.status, reply.header("retry-after")), (503, "5"), "{id}");
                        assert!(reply.text().contains("The service is unavailable for the moment."), "{id}");
                        assert!(!reply.text().contains("took it down"), "{id}");
                        assert_eq!(shape_problems(spoken, &reply), Vec::<String>::new(), "{id}");
                        assert_eq!(lacks(&reply), Vec::<&str>::new());
                    }
                }
            }
        }
        let profile = Request::get("/smartsupport/api/employee/profile/").bearer(&token);
        assert_eq!(server.client.send(profile).await.status, 200);
    }
}
