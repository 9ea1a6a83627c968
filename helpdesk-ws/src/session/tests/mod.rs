//! Sessions over channels, with time that is moved by hand.

#[path = "../../../tests/support/mod.rs"]
mod support;

mod catching_up;
mod entering;
mod missing;
mod staying;
mod telling;
mod wire;

use std::sync::Arc;

use helpdesk_core::identity::SignedIn;
use http::HeaderMap;
use tokio::task::JoinHandle;

use self::support::{Plain, World};
use self::wire::{Client, wire};
use crate::session::run;
use crate::socket::Refusal;
use crate::{Hub, Request, Settings, Socket};

/// A help desk with a hub and a door.
struct Desk {
    world: World,
    hub: Hub,
    socket: Socket,
}

impl std::ops::Deref for Desk {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl Desk {
    async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(settings: Settings) -> Self {
        let hub = Hub::new(settings);
        let world = World::new(Arc::new(hub.clone())).await;
        let socket = hub.socket(world.desk.clone(), Arc::new(Plain));
        Self { world, hub, socket }
    }

    /// Asks for a connection with a query.
    async fn ask(&self, query: &str, room: Option<usize>) -> Result<(Client, JoinHandle<()>), Refusal> {
        let place = self.hub.place("10.0.0.1").ok_or(Refusal::Full { retry_after: Default::default() })?;
        let headers = HeaderMap::new();
        let request = Request { headers: &headers, query, from: "10.0.0.1", base: "http://desk.test" };
        let connection = self.socket.asked(request, place).await?;
        let (server, client) = wire(room);
        Ok((client, tokio::spawn(run(server, connection))))
    }

    /// A connection on which nothing was said yet.
    async fn open(&self) -> Client {
        self.ask("", None).await.expect("a connection").0
    }

    /// A connection of somebody who was told that they are known.
    async fn connect(&self, who: &SignedIn) -> Client {
        self.back(who, None).await.0
    }

    /// A connection of somebody who comes back; and the id from which on it hears what is new.
    async fn back(&self, who: &SignedIn, last: Option<&str>) -> (Client, String) {
        let last = last.map(|last| format!("&last_event_id={last}")).unwrap_or_default();
        let query = format!("token={}{last}", who.access);
        let (mut client, _) = self.ask(&query, None).await.expect("a connection");
        let ready = client.hear().await;
        assert_eq!(ready["type"], "ready");
        let from = ready["last_event_id"].as_str().expect("an id").to_owned();
        (client, from)
    }
}
