//! Mails that are kept in a folder.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use helpdesk_core::jobs::JobError;

use super::{Outgoing, Transport};
use crate::SetupError;

/// Keeps each mail as a file in a folder, for tests and for programs that send what they find there.
///
/// A file is called by the time the mail was written and the mail's id, `20250115T090000.000000Z-ID.eml`, so that
/// a listing is in order. It appears under that name when it is complete; names that begin with a dot are mails
/// being written, or left by a program that was killed.
#[derive(Clone, Debug)]
pub struct FileTransport {
    folder: PathBuf,
}

impl FileTransport {
    /// Mails in a folder, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// [`SetupError::Folder`].
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self, SetupError> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder).map_err(|source| SetupError::Folder { source })?;
        Ok(Self { folder })
    }
}

#[async_trait]
impl Transport for FileTransport {
    async fn deliver(&self, mail: &Outgoing) -> Result<(), JobError> {
        let name = format!("{}-{}.eml", mail.at().format("%Y%m%dT%H%M%S%.6fZ"), mail.id());
        let (folder, message) = (self.folder.clone(), mail.message().to_vec());
        let written = tokio::task::spawn_blocking(move || write(&folder, &name, &message)).await;
        let failure = match written {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.kind().to_string(),
            Err(_) => "interrupted".to_owned(),
        };
        Err(JobError::retry(format!("the mail cannot be written to its folder: {failure}")))
    }
}

/// Writes a file beside its place and moves it there, so that nobody reads half of it.
fn write(folder: &Path, name: &str, content: &[u8]) -> std::io::Result<()> {
    let unfinished = folder.join(format!(".{name}.part"));
    let written = std::fs::File::create(&unfinished).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, folder.join(name))
    });
    if written.is_err() {
        // What could not be finished is of no use; that it cannot be removed either changes nothing.
        let _ = std::fs::remove_file(&unfinished);
    }
    written
}
