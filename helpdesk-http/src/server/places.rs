//! Room for connections: in all, and from one address.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use helpdesk_core::network_of;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many connections there may be.
#[derive(Debug)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    per_address: usize,
    trusted: Vec<IpAddr>,
    /// Of each network that has any, how many.
    taken: Mutex<HashMap<String, usize>>,
}

impl Places {
    /// So many in all, and so many from one address, or one /64 of IPv6, that is none of the trusted: a proxy brings
    /// everybody's.
    pub(crate) fn new(all: usize, per_address: usize, trusted: Vec<IpAddr>) -> Self {
        let all = Arc::new(Semaphore::new(all.clamp(1, Semaphore::MAX_PERMITS)));
        Self { all, per_address: per_address.max(1), trusted, taken: Mutex::default() }
    }

    /// Waits until there may be one more.
    pub(super) async fn permit(&self) -> io::Result<OwnedSemaphorePermit> {
        Arc::clone(&self.all).acquire_owned().await.map_err(io::Error::other)
    }

    /// A place for a connection from an address, unless those from there have all of theirs.
    pub(super) fn take(self: &Arc<Self>, permit: OwnedSemaphorePermit, from: IpAddr) -> Option<Place> {
        let from = from.to_canonical();
        if self.trusted.contains(&from) {
            return Some(Place { network: None, _permit: permit });
        }
        let network = network_of(&from.to_string()).into_owned();
        let mut taken = self.taken();
        let count = taken.entry(network.clone()).or_default();
        if *count >= self.per_address {
            return None;
        }
        *count += 1;
        drop(taken);
        Some(Place { network: Some((Arc::clone(self), network)), _permit: permit })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    network: Option<(Arc<Places>, String)>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((places, network)) = self.network.take() else { return };
        let mut taken = places.taken();
        if let Some(count) = taken.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_has_its_places_and_no_more() {
        let trusted = "10.0.0.9".parse().expect("an address");
        let places = Arc::new(Places::new(100, 2, vec![trusted]));
        let take = async |from: &str| {
            let permit = places.permit().await.expect("there is room");
            places.take(permit, from.parse().expect("an address"))
        };
        let kept = [take("10.0.0.1").await, take("::ffff:10.0.0.1").await];
        assert!(kept.iter().all(Option::is_some));
        assert!(take("10.0.0.1").await.is_none());
        assert!(take("10.0.0.2").await.is_some());
        // A network of IPv6 is one address.
        let more = [take("2001:db8::1").await, take("2001:db8::2").await];
        assert!(more.iter().all(Option::is_some));
        assert!(take("2001:db8::3").await.is_none());
        assert!(take("2001:db8:0:1::3").await.is_some());
        // Whom a proxy brings, nobody knows here.
        let proxied = [take("10.0.0.9").await, take("10.0.0.9").await, take("::ffff:10.0.0.9").await];
        assert!(proxied.iter().all(Option::is_some));
        drop(kept);
        assert!(take("10.0.0.1").await.is_some());
        drop((more, proxied));
        assert_eq!((places.taken().len(), places.all.available_permits()), (0, 100));
    }
}
