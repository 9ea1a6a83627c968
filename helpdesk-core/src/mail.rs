//! The port for mail.

use std::fmt::Debug;

use async_trait::async_trait;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::jobs::JobError;

/// A mail to be written from a template and sent.
///
/// The core says what a mail is about; its words and looks belong to the adapter that sends it.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The job that sends it: the same for every attempt, for the message's id.
    pub id: Uuid,
    /// The receiver's address.
    pub to: String,
    /// The receiver's name.
    pub name: String,
    /// Which template: `account.approved`. See the table in [`MailTemplate`].
    pub template: MailTemplate,
    /// What the template fills in.
    pub context: Json,
}

/// The mails that the help desk sends, and what each fills in. All have `name`, `first_name`, `organisation` and
/// `site`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTemplate {
    /// To somebody who signed up: the account waits for approval.
    AccountReceived,
    /// The account was approved.
    AccountApproved,
    /// The account was rejected. Says no reason: that is for the administrators' eyes.
    AccountRejected,
    /// Somebody forgot the password: `link`.
    PasswordReset,
    /// To somebody who asked: the desk has it. `reference`, `subject`, `description`.
    TicketReceived,
    /// A ticket's status changed: `reference`, `subject`, `status`, `reason` where one is told.
    TicketStatus,
    /// To somebody who signed up: the address is theirs once they follow `link`.
    ConfirmEmail,
    /// An account was made for somebody: `link`, where they choose a password.
    Invitation,
    /// Something was said on a ticket: `reference`, `subject`, `author`, `body`.
    TicketReply,
    /// Somebody is to be told of something: `title`, `message`, `link` where there is one, and `needed` where it is no
    /// matter of taste whether they get it.
    Notification,
    /// A ticket was solved, and its requester may say how well: `reference`, `subject`, and `ratings`, a list of
    /// `label` and `link`.
    SatisfactionRequest,
}

impl MailTemplate {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::AccountReceived,
        Self::AccountApproved,
        Self::AccountRejected,
        Self::PasswordReset,
        Self::TicketReceived,
        Self::TicketStatus,
        Self::ConfirmEmail,
        Self::Invitation,
        Self::TicketReply,
        Self::Notification,
        Self::SatisfactionRequest,
    ];

    /// The template's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountReceived => "account_received",
            Self::AccountApproved => "account_approved",
            Self::AccountRejected => "account_rejected",
            Self::PasswordReset => "password_reset",
            Self::TicketReceived => "ticket_received",
            Self::TicketStatus => "ticket_status",
            Self::ConfirmEmail => "confirm_email",
            Self::Invitation => "invitation",
            Self::TicketReply => "ticket_reply",
            Self::Notification => "notification",
            Self::SatisfactionRequest => "satisfaction_request",
        }
    }
}

/// Sends mail.
// Above `async_trait`, so that the mock is told of the method as it is written and not of its boxed future.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Mailer: Debug + Send + Sync + 'static {
    /// Sends one mail. May be called again with the same id if it was not known to have worked.
    ///
    /// # Errors
    ///
    /// [`JobError`] says whether it is worth another attempt.
    async fn send(&self, mail: &Mail) -> Result<(), JobError>;
}

/// Sends nothing: for a help desk without mail.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMail;

#[async_trait]
impl Mailer for NoMail {
    async fn send(&self, mail: &Mail) -> Result<(), JobError> {
        tracing::debug!(template = mail.template.name(), mail = %mail.id, "no mailer: a mail is dropped");
        Ok(())
    }
}
