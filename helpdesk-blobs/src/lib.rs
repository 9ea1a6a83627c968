//! The files of a help desk in memory, in a folder, or in whatever [`object_store`] reaches.
//!
//! [`ObjectBlobs`] fills the core's port for files, [`Blobs`]. Which store is used is said in one line, as in the
//! settings of a server, or a team brings its own store:
//!
//! ```
//! use std::sync::Arc;
//! use helpdesk_blobs::ObjectBlobs;
//! use object_store::memory::InMemory;
//!
//! let by_setting = ObjectBlobs::parse("memory")?;
//! let by_hand = ObjectBlobs::new(Arc::new(InMemory::new())).below("helpdesk/files")?;
//! # let _ = (by_setting, by_hand);
//! # Ok::<(), helpdesk_blobs::SetupError>(())
//! ```
//!
//! With the feature `s3`, off by default, files can be kept in S3 and in what speaks its language.
//!
//! Keys come from the core. They are checked here all the same, because a key that climbs out of its folder would
//! be a hole in any store: see [`ObjectBlobs`].

mod key;
#[cfg(feature = "s3")]
mod s3;
mod setup;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use helpdesk_core::{BlobError, Blobs};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _};

pub use self::key::InvalidKey;
pub use self::setup::SetupError;

/// Files in an object store. Cheap to clone.
///
/// A key is a path of at most 512 letters, digits, `-`, `_`, `.` and `/`. Every other is refused with
/// [`InvalidKey`] as the source of the [`BlobError`]: an empty one, one with a slash at its beginning or end or two
/// in a row, and one with a part that is `.` or `..`.
///
/// Putting a key that is there already replaces its content, so that a repeated attempt does no harm. A reader
/// sees either the whole of a content or nothing.
#[derive(Clone)]
pub struct ObjectBlobs {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl ObjectBlobs {
    /// Files in a store that is already set up.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, prefix: Path::ROOT }
    }

    /// The same store, with every file below a path of it: for a store that others use as well.
    ///
    /// # Errors
    ///
    /// [`SetupError::Prefix`] where the path could not be one of a key.
    pub fn below(mut self, path: &str) -> Result<Self, SetupError> {
        self.prefix = key::below(&self.prefix, path).map_err(|_| SetupError::Prefix)?;
        Ok(self)
    }

    /// The store's place of a key.
    fn path(&self, key: &str) -> Result<Path, BlobError> {
        key::below(&self.prefix, key).map_err(|error| BlobError(Box::new(error)))
    }
}

impl fmt::Debug for ObjectBlobs {
    /// Names the store. Its own `Debug` may tell credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectBlobs({}, {:?})", self.store, self.prefix.as_ref())
    }
}

#[async_trait]
impl Blobs for ObjectBlobs {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), BlobError> {
        self.store.put(&self.path(key)?, content.into()).await.map_err(failed)?;
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, BlobError> {
        let found = match self.store.get(&self.path(key)?).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        // A file that goes while it is read, as one may from a folder, was not there either.
        match found.bytes().await {
            Ok(content) => Ok(Some(content)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        match self.store.delete(&self.path(key)?).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

fn failed(error: Error) -> BlobError {
    BlobError(Box::new(error))
}
