//! Mails that are only noted.

use async_trait::async_trait;
use helpdesk_core::jobs::JobError;

use super::{Outgoing, Transport};

/// Notes mails in the log and drops them, for trying things out.
///
/// The log says which template was sent under which id, and nothing else: neither who it was for nor what it said,
/// which may be the way into an account.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogTransport;

#[async_trait]
impl Transport for LogTransport {
    async fn deliver(&self, mail: &Outgoing) -> Result<(), JobError> {
        tracing::info!(template = mail.template().name(), mail = %mail.id(), "a mail is noted and not sent");
        Ok(())
    }
}
