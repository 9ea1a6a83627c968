//! The mails of a help desk: written from templates and handed to a [`Transport`].
//!
//! [`TemplateMailer`] fills the core's port for mail, [`Mailer`](helpdesk_core::Mailer). It writes each mail as
//! plain text and as HTML, and gives it a `Message-ID` made of the mail's own id, so that a receiver can tell a
//! repetition. How a mail leaves is said in one line, as in the settings of a server:
//!
//! ```
//! use helpdesk_mail::{TemplateMailer, parse_transport};
//!
//! let mailer = TemplateMailer::builder("The help desk <desk@example.org>", parse_transport("log")?).build()?;
//! # let _ = mailer;
//! # Ok::<(), helpdesk_mail::SetupError>(())
//! ```
//!
//! Sending by SMTP needs the feature `smtp`, off by default. A team with another way to send implements
//! [`Transport`], which is handed finished messages.
//!
//! # Words of one's own
//!
//! Every template can be replaced by its name: `NAME.subject.txt`, `NAME.txt` and `NAME.html` for each
//! [`MailTemplate`](helpdesk_core::MailTemplate), and the frames around them, `layout.txt` and `layout.html`. They
//! are [minijinja](https://docs.rs/minijinja) templates; what is filled in is escaped in those that end in `.html`.
//!
//! ```
//! # use std::sync::Arc;
//! use helpdesk_mail::{LogTransport, TemplateMailer};
//!
//! let mailer = TemplateMailer::builder("desk@example.org", Arc::new(LogTransport))
//!     .template("password_reset.subject.txt", "Your way back in")
//!     .build()?;
//! # let _ = mailer;
//! # Ok::<(), helpdesk_mail::SetupError>(())
//! ```
//!
//! A template may use `greeting`, `name`, `first_name`, `organisation` and `site`, and what the documentation of its
//! [`MailTemplate`](helpdesk_core::MailTemplate) names. `greeting` is a whole line and leaves out a name that looks
//! like an address on the web: whoever signs up chooses the name and the address that the mail goes to, and would
//! otherwise have the help desk send advertising. The filter `host` shows an address without its scheme, which no mail
//! program makes a link of: only the mail that is about a link has one.

mod context;
mod mailer;
mod message;
mod setup;
mod templates;
mod transport;

pub use self::mailer::{Builder, TemplateMailer};
pub use self::setup::SetupError;
#[cfg(feature = "smtp")]
pub use self::transport::SmtpTransport;
pub use self::transport::{FileTransport, LogTransport, Outgoing, Transport, parse_transport};
