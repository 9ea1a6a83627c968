//! What can be wrong with the settings of mail.

/// Why mail could not be set up. Never tells the setting itself, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The setting has none of the known forms.
    #[error("mail is one of: log, file:DIR, smtp://USER:PASSWORD@HOST:PORT, smtps://USER:PASSWORD@HOST:PORT")]
    Setting,
    /// The setting names SMTP, for which this program was not built.
    #[error("sending mail by SMTP needs a program built with the feature smtp")]
    NoSmtp,
    /// The sender is no address, or has letters outside ASCII in it.
    #[error("the sender of mail is an address such as desk@example.org or Help desk <desk@example.org>")]
    Sender,
    /// No template has the name.
    #[error("there is no mail template called {name}")]
    UnknownTemplate {
        /// The name that was given.
        name: String,
    },
    /// A template cannot be read, or does not fit what it is filled with.
    #[error("the mail template {name} cannot be used")]
    Template {
        /// The template.
        name: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The folder is not there and cannot be made.
    #[error("the folder for mail cannot be used")]
    Folder {
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The mail server cannot be set up.
    #[error("the mail server cannot be set up")]
    Server {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
