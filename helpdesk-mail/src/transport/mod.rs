//! How mails leave.

mod file;
mod log;
#[cfg(feature = "smtp")]
mod smtp;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use helpdesk_core::MailTemplate;
use helpdesk_core::jobs::JobError;
use uuid::Uuid;

pub use self::file::FileTransport;
pub use self::log::LogTransport;
#[cfg(feature = "smtp")]
pub use self::smtp::SmtpTransport;
use crate::SetupError;

/// A way for finished mails to leave.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Takes a mail over. May be called again with a mail of the same id if it was not known to have worked.
    ///
    /// # Errors
    ///
    /// [`JobError`] says whether it is worth another attempt. Administrators read its text: it tells neither
    /// addresses nor words of the mail.
    async fn deliver(&self, mail: &Outgoing) -> Result<(), JobError>;
}

/// A finished mail.
#[derive(Clone)]
pub struct Outgoing {
    pub(crate) id: Uuid,
    pub(crate) template: MailTemplate,
    pub(crate) at: DateTime<Utc>,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) message: Vec<u8>,
}

impl Outgoing {
    /// The mail's id: the same for every attempt.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// The template it was written from.
    #[must_use]
    pub const fn template(&self) -> MailTemplate {
        self.template
    }

    /// When it was written.
    #[must_use]
    pub const fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// The sender's address, without a name.
    #[must_use]
    pub fn from(&self) -> &str {
        &self.from
    }

    /// The receiver's address, without a name.
    #[must_use]
    pub fn to(&self) -> &str {
        &self.to
    }

    /// The message with its headers, as it goes over the wire (RFC 5322, lines end in CR LF).
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }
}

impl fmt::Debug for Outgoing {
    /// Names the mail without its addresses and words, so that neither people nor links end in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("id", &self.id)
            .field("template", &self.template)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// The transport of a setting.
///
/// | setting | mails are |
/// | --- | --- |
/// | `log` | noted in the log and dropped: [`LogTransport`] |
/// | `file:DIR` | kept in a folder: [`FileTransport`] |
/// | `smtp://USER:PASSWORD@HOST:PORT`, `smtps://…` | sent, with the feature `smtp`; see `SmtpTransport` |
///
/// # Errors
///
/// [`SetupError`].
pub fn parse_transport(setting: &str) -> Result<Arc<dyn Transport>, SetupError> {
    if setting == "log" {
        return Ok(Arc::new(LogTransport));
    }
    if let Some(folder) = setting.strip_prefix("file:").filter(|folder| !folder.is_empty()) {
        return Ok(Arc::new(FileTransport::new(folder)?));
    }
    if setting.starts_with("smtp://") || setting.starts_with("smtps://") {
        return smtp(setting);
    }
    Err(SetupError::Setting)
}

#[cfg(feature = "smtp")]
fn smtp(url: &str) -> Result<Arc<dyn Transport>, SetupError> {
    Ok(Arc::new(SmtpTransport::new(url)?))
}

#[cfg(not(feature = "smtp"))]
fn smtp(_: &str) -> Result<Arc<dyn Transport>, SetupError> {
    Err(SetupError::NoSmtp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_one_of_three() {
        assert!(parse_transport("log").is_ok());
        for setting in ["", "Log", "file:", "smtp:", "smtp", "https://example.org", "/var/mail"] {
            assert!(matches!(parse_transport(setting), Err(SetupError::Setting)), "{setting}");
        }
        let sent = parse_transport("smtp://ada:secret@mail.example.org");
        if cfg!(feature = "smtp") {
            assert!(sent.is_ok());
        } else {
            assert!(matches!(sent, Err(SetupError::NoSmtp)));
        }
    }
}
