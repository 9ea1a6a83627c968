//! Where ids and secrets come from, and the types of ids.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use uuid::{ContextV7, Timestamp, Uuid};

/// A source of ids and secrets.
pub trait Ids: Debug + Send + Sync + 'static {
    /// A fresh id that sorts after those made before it (UUID version 7).
    fn id(&self, now: DateTime<Utc>) -> Uuid;

    /// 256 bits that nobody can guess.
    fn secret(&self) -> [u8; 32];
}

/// Ids and secrets from the operating system's randomness.
#[derive(Debug, Default)]
pub struct SystemIds(Mutex<ContextV7>);

impl SystemIds {
    /// A source of its own order.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Ids for SystemIds {
    fn id(&self, now: DateTime<Utc>) -> Uuid {
        let context = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        Uuid::new_v7(Timestamp::from_unix(&*context, seconds, now.timestamp_subsec_nanos()))
    }

    fn secret(&self) -> [u8; 32] {
        let mut secret = [0; 32];
        // Without randomness nothing here is safe, and no caller could do anything about it.
        getrandom::fill(&mut secret).expect("the operating system gives random bytes");
        secret
    }
}

/// Ids and secrets that are the same in every run, for tests. Never for anything real.
#[derive(Debug, Default)]
pub struct SeededIds {
    seed: u64,
    count: AtomicU64,
}

impl SeededIds {
    /// The sequence of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, count: AtomicU64::new(0) }
    }
}

impl Ids for SeededIds {
    fn id(&self, now: DateTime<Utc>) -> Uuid {
        let count = self.count.fetch_add(1, Ordering::SeqCst);
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&(count ^ self.seed << 48).to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }

    fn secret(&self) -> [u8; 32] {
        let count = self.count.fetch_add(1, Ordering::SeqCst);
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(count.to_be_bytes());
        hash.finalize().into()
    }
}

/// Makes a type for the ids of one kind of record, so that the id of another kind in its place does not compile.
///
/// ```
/// helpdesk_core::entity_id! {
///     /// The id of a parcel.
///     pub ParcelId
/// }
/// let id: ParcelId = "0190163d-8694-739b-aea5-966c26f8ad91".parse().unwrap();
/// assert_eq!(id.to_string(), "0190163d-8694-739b-aea5-966c26f8ad91");
/// ```
#[macro_export]
macro_rules! entity_id {
    ($(#[$meta:meta])* $vis:vis $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive($crate::__private::Serialize, $crate::__private::Deserialize)]
        #[serde(transparent, crate = "::helpdesk_core::__private::serde")]
        $vis struct $name($crate::__private::Uuid);

        impl $crate::storage::EntityId for $name {
            fn from_uuid(id: $crate::__private::Uuid) -> Self {
                Self(id)
            }

            fn uuid(self) -> $crate::__private::Uuid {
                self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::__private::UuidError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_instant_rise() {
        let now = DateTime::from_timestamp(1_736_931_600, 0).expect("an instant");
        for ids in [&SystemIds::new() as &dyn Ids, &SeededIds::new(7)] {
            let made: Vec<_> = (0..1_000).map(|_| ids.id(now)).collect();
            assert!(made.is_sorted_by(|a, b| a < b));
            assert!(made.iter().all(|id| id.get_version_num() == 7));
        }
    }

    #[test]
    fn seeded_secrets_repeat_and_differ() {
        let (a, b) = (SeededIds::new(1), SeededIds::new(1));
        let first = a.secret();
        assert_eq!(first, b.secret());
        assert_ne!(first, a.secret());
        assert_ne!(first, SeededIds::new(2).secret());
    }
}
