//! Setting the store up.

use std::path::Path;
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;

use crate::ObjectBlobs;

/// Why a store for files could not be set up. Never tells the setting itself, which may hold what is secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The setting has none of the known forms.
    #[error("files are kept in one of: memory, file:DIR, s3://BUCKET/PREFIX")]
    Setting,
    /// The setting names S3, for which this program was not built.
    #[error("files in S3 need a program built with the feature s3")]
    NoS3,
    /// The prefix could not be one of a key.
    #[error("a prefix is a path of letters, digits, -, _ and ., such as helpdesk/files")]
    Prefix,
    /// The folder is not there and cannot be made, or cannot be read.
    #[error("the folder for files cannot be used")]
    Folder {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The object store does not take its settings.
    #[error("the object store cannot be set up")]
    Store {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ObjectBlobs {
    /// The store of a setting.
    ///
    /// | setting | files are |
    /// | --- | --- |
    /// | `memory` | in memory, and gone with the program |
    /// | `file:DIR` | in a folder, which is made if it is not there |
    /// | `s3://BUCKET` or `s3://BUCKET/PREFIX` | in S3, with the feature `s3`; the region, credentials and endpoint come from the `AWS_…` variables of the environment |
    ///
    /// # Errors
    ///
    /// [`SetupError`].
    pub fn parse(setting: &str) -> Result<Self, SetupError> {
        if setting == "memory" {
            return Ok(Self::memory());
        }
        if let Some(folder) = setting.strip_prefix("file:").filter(|folder| !folder.is_empty()) {
            return Self::folder(folder);
        }
        let Some(place) = setting.strip_prefix("s3://") else { return Err(SetupError::Setting) };
        let place = place.trim_end_matches('/');
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err(SetupError::Setting);
        }
        let blobs = s3(bucket)?;
        if prefix.is_empty() { Ok(blobs) } else { blobs.below(prefix) }
    }

    /// Files in memory, gone when the last clone is dropped.
    #[must_use]
    pub fn memory() -> Self {
        Self::new(Arc::new(InMemory::new()))
    }

    /// Files in a folder, which is made if it is not there. A file is on the disk when it was put.
    ///
    /// # Errors
    ///
    /// [`SetupError::Folder`].
    pub fn folder(path: impl AsRef<Path>) -> Result<Self, SetupError> {
        std::fs::create_dir_all(&path).map_err(|error| SetupError::Folder { source: Box::new(error) })?;
        let folder = LocalFileSystem::new_with_prefix(path);
        let folder = folder.map_err(|error| SetupError::Folder { source: Box::new(error) })?;
        // The record that names a file is durable when its commit is answered, and the file must not be less so.
        Ok(Self::new(Arc::new(folder.with_fsync(true))))
    }
}

#[cfg(feature = "s3")]
fn s3(bucket: &str) -> Result<ObjectBlobs, SetupError> {
    crate::s3::open(object_store::aws::AmazonS3Builder::from_env().with_bucket_name(bucket))
}

#[cfg(not(feature = "s3"))]
const fn s3(_: &str) -> Result<ObjectBlobs, SetupError> {
    Err(SetupError::NoS3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_one_of_three() {
        assert!(ObjectBlobs::parse("memory").is_ok());
        for setting in ["", "Memory", "file:", "files", "s3://", "s3:///prefix", "https://bucket"] {
            assert!(matches!(ObjectBlobs::parse(setting), Err(SetupError::Setting)), "{setting}");
        }
        let s3 = ObjectBlobs::parse("s3://bucket/a/../b");
        if cfg!(feature = "s3") {
            assert!(matches!(s3, Err(SetupError::Prefix)));
            assert_eq!(
                format!("{:?}", ObjectBlobs::parse("s3://bucket/files/").expect("S3")),
                "ObjectBlobs(AmazonS3(bucket), \"files\")"
            );
        } else {
            assert!(matches!(s3, Err(SetupError::NoS3)));
        }
    }
}
