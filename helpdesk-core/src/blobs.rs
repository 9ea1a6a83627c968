//! The port for files.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

/// Why a file could not be kept or read.
#[derive(Debug, thiserror::Error)]
#[error("the file storage is unavailable")]
pub struct BlobError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl From<BlobError> for crate::Error {
    fn from(error: BlobError) -> Self {
        Self::Unavailable { source: Box::new(error) }
    }
}

/// A place for the content of files. Keys are made by the core: paths of letters, digits, `-`, `_`, `.` and `/`.
#[async_trait]
pub trait Blobs: Debug + Send + Sync + 'static {
    /// Keeps a content. A key is written once.
    ///
    /// # Errors
    ///
    /// [`BlobError`] where it could not be kept.
    async fn put(&self, key: &str, content: Bytes) -> Result<(), BlobError>;

    /// The content of a key, or `None`.
    ///
    /// # Errors
    ///
    /// [`BlobError`] where it could not be read.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, BlobError>;

    /// Forgets a key; nothing where there is none.
    ///
    /// # Errors
    ///
    /// [`BlobError`] where it could not be forgotten.
    async fn delete(&self, key: &str) -> Result<(), BlobError>;
}

/// Files in memory, for tests and for teams without files. Gone when dropped.
#[derive(Debug, Default)]
pub struct MemoryBlobs(Mutex<HashMap<String, Bytes>>);

#[async_trait]
impl Blobs for MemoryBlobs {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), BlobError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), content);
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, BlobError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        Ok(())
    }
}
