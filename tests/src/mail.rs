//! Mail that is caught instead of sent.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use helpdesk::jobs::JobError;
use helpdesk::{Mail, Mailer};
use serde_json::Value;

/// All mail, in the order in which it was sent.
#[derive(Debug, Default)]
pub struct Outbox(Mutex<Vec<Mail>>);

#[async_trait]
impl Mailer for Outbox {
    async fn send(&self, mail: &Mail) -> Result<(), JobError> {
        self.mails().push(mail.clone());
        Ok(())
    }
}

impl Outbox {
    fn mails(&self) -> MutexGuard<'_, Vec<Mail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many were sent so far: a mark for [`Outbox::since`].
    #[must_use]
    pub fn mark(&self) -> usize {
        self.mails().len()
    }

    /// What was sent since a mark.
    #[must_use]
    pub fn since(&self, mark: usize) -> Vec<Mail> {
        self.mails().get(mark..).unwrap_or_default().to_vec()
    }

    /// The link in the newest mail to an address since a mark.
    #[must_use]
    pub fn link(&self, address: &str, mark: usize) -> Option<String> {
        let to_them = |mail: &&Mail| mail.to.eq_ignore_ascii_case(address);
        self.since(mark).iter().rev().filter(to_them).find_map(link)
    }

    /// How many were sent to an address since a mark.
    #[must_use]
    pub fn to(&self, address: &str, mark: usize) -> usize {
        self.since(mark).iter().filter(|mail| mail.to.eq_ignore_ascii_case(address)).count()
    }

    /// All links that were ever mailed.
    #[must_use]
    pub fn links(&self) -> Vec<String> {
        self.mails().iter().filter_map(link).collect()
    }
}

fn link(mail: &Mail) -> Option<String> {
    mail.context.get("link").and_then(Value::as_str).map(str::to_owned)
}
