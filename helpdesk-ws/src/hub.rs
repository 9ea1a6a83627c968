//! The hub: is told of each committed event, and hands it to the clients that are connected.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use helpdesk_core::events::{Event, Feed, Notifier};
use helpdesk_core::identity::UserId;
use helpdesk_core::{Helpdesk, network_of};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::channel::Channel;
use crate::settings::Settings;
use crate::socket::Socket;

/// Hands events to connected clients. Give it to the help desk as a notifier, and open a [`Socket`] for each API:
///
/// ```
/// # use std::sync::Arc;
/// # use helpdesk_core::Helpdesk;
/// # use helpdesk_core::events::Feed;
/// # use helpdesk_storage_memory::MemoryStorage;
/// use helpdesk_ws::{Hub, Settings, Socket};
///
/// fn desk_with_sockets(feed: Arc<dyn Feed>) -> (Helpdesk, Socket) {
///     let hub = Hub::new(Settings::default());
///     let desk = Helpdesk::builder()
///         .storage(Arc::new(MemoryStorage::new(Helpdesk::schema())))
///         .notifier(Arc::new(hub.clone()))
///         .build();
///     let socket = hub.socket(desk.clone(), feed);
///     (desk, socket)
/// }
/// ```
///
/// Clients are told as long as the desk's relay runs ([`Helpdesk::spawn_workers`]). Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    settings: Settings,
    /// Not owned: the help desk has the hub, and each of these has the help desk.
    channels: Mutex<Vec<Weak<Channel>>>,
    room: Arc<Semaphore>,
    addresses: Mutex<HashMap<String, usize>>,
    accounts: Mutex<HashMap<UserId, usize>>,
    stop: watch::Sender<bool>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("connections", &self.connections()).finish_non_exhaustive()
    }
}

impl Hub {
    /// A hub without clients.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Shared {
            room: Arc::new(Semaphore::new(settings.connections as usize)),
            settings,
            channels: Mutex::default(),
            addresses: Mutex::default(),
            accounts: Mutex::default(),
            stop: watch::Sender::new(false),
        }))
    }

    /// A door for the clients of an API. The help desk must be one that tells this hub of its events.
    #[must_use]
    pub fn socket(&self, desk: Helpdesk, feed: Arc<dyn Feed>) -> Socket {
        let channel = Arc::new(Channel::new(self.clone(), desk, feed));
        let mut channels = self.0.channels.lock();
        channels.retain(|channel| channel.strong_count() > 0);
        channels.push(Arc::downgrade(&channel));
        Socket::new(channel)
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        (self.0.settings.connections as usize).saturating_sub(self.0.room.available_permits())
    }

    /// Ends all connections, and answers when the last is closed. None is opened from then on.
    pub async fn drain(&self) {
        self.0.stop.send_replace(true);
        // All room is free when everybody is gone.
        drop(self.0.room.acquire_many(self.0.settings.connections).await);
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Answers when connections are to end.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.0.stop.subscribe();
        async move {
            // Where nobody is left who could say so, the end has come as well.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }

    /// Room for one more connection, where there is any.
    pub(crate) fn place(&self, address: &str) -> Option<Place> {
        if *self.0.stop.borrow() {
            return None;
        }
        let permit = Arc::clone(&self.0.room).try_acquire_owned().ok()?;
        let network = network_of(address);
        let mut addresses = self.0.addresses.lock();
        let here = addresses.entry(network.clone().into_owned()).or_default();
        if *here >= self.0.settings.per_address {
            return None;
        }
        *here += 1;
        Some(Place { hub: self.clone(), network: network.into_owned(), _permit: permit })
    }

    /// Room for one more connection of an account, where there is any.
    pub(crate) fn seat(&self, user: Option<UserId>) -> Option<Seat> {
        if let Some(user) = user {
            let mut accounts = self.0.accounts.lock();
            let here = accounts.entry(user).or_default();
            if *here >= self.0.settings.per_account {
                return None;
            }
            *here += 1;
        }
        Some(Seat { hub: self.clone(), user })
    }

    /// Whether somebody is connected.
    pub(crate) fn is_here(&self, user: UserId) -> bool {
        self.0.accounts.lock().contains_key(&user)
    }
}

#[async_trait]
impl Notifier for Hub {
    async fn notify(&self, event: &Event) {
        let channels: Vec<_> = self.0.channels.lock().iter().filter_map(Weak::upgrade).collect();
        for channel in channels {
            channel.publish(event).await;
        }
    }
}

/// A connection's place among all, and among those from its network.
pub(crate) struct Place {
    hub: Hub,
    network: String,
    _permit: OwnedSemaphorePermit,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        one_less(&mut self.hub.0.addresses.lock(), &self.network);
    }
}

/// A connection's place among those of its account.
pub(crate) struct Seat {
    hub: Hub,
    user: Option<UserId>,
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(user) = &self.user {
            one_less(&mut self.hub.0.accounts.lock(), user);
        }
    }
}

fn one_less<K, Q>(counts: &mut HashMap<K, usize>, key: &Q)
where
    K: std::hash::Hash + Eq + std::borrow::Borrow<Q>,
    Q: std::hash::Hash + Eq + ?Sized,
{
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
