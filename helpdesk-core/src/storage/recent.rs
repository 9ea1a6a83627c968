//! What was read lately, decoded.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::{Entity, Record, Scope, StorageError, Stored};

/// How many values are kept. A power of two.
const PLACES: usize = 8_192;

/// A table of decoded values with one place for each value to be in: what comes later takes the place. It needs no
/// eviction, cannot grow, and nobody waits for anybody who looks elsewhere.
pub(super) struct Recent(Box<[Mutex<Option<Decoded>>]>);

/// A value, and the state of the record it was read from. A number is given once, so that a record which was
/// deleted and made again under its id is another.
struct Decoded {
    kind: &'static str,
    scope: Scope,
    id: Uuid,
    number: i64,
    version: i64,
    value: Arc<dyn Any + Send + Sync>,
}

impl Recent {
    pub(super) fn new() -> Self {
        Self((0..PLACES).map(|_| Mutex::default()).collect())
    }

    /// The value of a record, read now or before.
    pub(super) fn read<T: Entity>(&self, record: &Arc<Record>) -> Result<Arc<Stored<T>>, StorageError> {
        let place = &self.0[record.id.as_u64_pair().1 as usize % PLACES];
        let same = |kept: &&Decoded| {
            kept.kind == T::SPEC.name
                && kept.id == record.id
                && kept.version == record.version
                && kept.number == record.number
                && kept.scope == record.scope
        };
        let kept = {
            let place = place.lock().unwrap_or_else(PoisonError::into_inner);
            place.as_ref().filter(same).map(|kept| Arc::clone(&kept.value))
        };
        if let Some(value) = kept.and_then(|value| value.downcast().ok()) {
            return Ok(value);
        }
        let value = Arc::new(Stored::<T>::read(record)?);
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(Decoded {
            kind: T::SPEC.name,
            scope: record.scope,
            id: record.id,
            number: record.number,
            version: record.version,
            value: Arc::clone(&value) as Arc<dyn Any + Send + Sync>,
        });
        Ok(value)
    }
}

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}
