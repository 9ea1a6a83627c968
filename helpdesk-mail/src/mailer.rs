//! The mailer that the core is given.

use std::sync::Arc;

use async_trait::async_trait;
use helpdesk_core::jobs::JobError;
use helpdesk_core::{Clock, Mail, Mailer, SystemClock};
use lettre::message::Mailbox;

use crate::context::one_line;
use crate::templates::Templates;
use crate::transport::{Outgoing, Transport};
use crate::{SetupError, message};

/// Writes mails from templates and hands them to a transport. See the [crate's page](crate).
#[derive(Debug)]
pub struct TemplateMailer {
    templates: Templates,
    from: Mailbox,
    clock: Arc<dyn Clock>,
    transport: Arc<dyn Transport>,
}

/// Puts a [`TemplateMailer`] together.
#[derive(Debug)]
pub struct Builder {
    from: String,
    clock: Arc<dyn Clock>,
    transport: Arc<dyn Transport>,
    replaced: Vec<(String, String)>,
}

impl TemplateMailer {
    /// Begins with the sender, `desk@example.org` or `Help desk <desk@example.org>`, and the way that mails leave.
    #[must_use]
    pub fn builder(from: &str, transport: Arc<dyn Transport>) -> Builder {
        Builder { from: from.to_owned(), clock: Arc::new(SystemClock), transport, replaced: Vec::new() }
    }

    /// Writes a mail without handing it over, as for a preview.
    ///
    /// # Errors
    ///
    /// A final [`JobError`], which does not tell the address, where the address is none that mail can be sent to
    /// or a template does not fit.
    pub fn compose(&self, mail: &Mail) -> Result<Outgoing, JobError> {
        let words = self.templates.render(mail)?;
        message::build(mail, words, &self.from, self.clock.now())
    }
}

#[async_trait]
impl Mailer for TemplateMailer {
    async fn send(&self, mail: &Mail) -> Result<(), JobError> {
        self.transport.deliver(&self.compose(mail)?).await
    }
}

impl Builder {
    /// The clock that dates mails. Default: the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Another source for the template of a name; see the [crate's page](crate). Of several for one name the last
    /// holds.
    #[must_use]
    pub fn template(mut self, name: &str, source: &str) -> Self {
        self.replaced.push((name.to_owned(), source.to_owned()));
        self
    }

    /// The mailer. Every template is tried on a sample, so that a mistake shows now and not with the first mail.
    ///
    /// # Errors
    ///
    /// [`SetupError::Sender`], [`SetupError::UnknownTemplate`], [`SetupError::Template`].
    pub fn build(self) -> Result<TemplateMailer, SetupError> {
        let from: Mailbox = one_line(&self.from).parse().map_err(|_| SetupError::Sender)?;
        // The address also makes the ids of messages, and few servers take others than ASCII from a sender.
        if !from.email.to_string().is_ascii() {
            return Err(SetupError::Sender);
        }
        let templates = Templates::new(self.replaced)?;
        Ok(TemplateMailer { templates, from, clock: self.clock, transport: self.transport })
    }
}
