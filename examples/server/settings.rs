//! The server's settings: flags, each with an environment variable.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use clap::{ArgAction, Parser, ValueEnum};
use helpdesk::blobs::ObjectBlobs;
use helpdesk::mail::{TemplateMailer, parse_transport};
use helpdesk::storage::Storage;
use helpdesk::{Blobs, Helpdesk, Mailer, MemoryStorage, PostgresSettings, PostgresStorage};
use http::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

/// The reference server of helpdesk.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Settings {
    /// Where to listen.
    #[arg(long, env = "HELPDESK_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Where records are kept: `memory`, or `postgres://USER:PASSWORD@HOST/DATABASE`, whose tables are made or brought
    /// up to date.
    #[arg(long, env = "HELPDESK_STORAGE", default_value = "memory", hide_env_values = true)]
    storage: SecretString,

    /// The most connections to the database that requests share.
    #[arg(long, env = "HELPDESK_CONNECTIONS", default_value_t = 16)]
    connections: u32,

    /// Load demo data. The default with the memory store.
    #[arg(long, env = "HELPDESK_DEMO", action = ArgAction::SetTrue, overrides_with = "no_demo")]
    demo: bool,

    /// Load no demo data.
    #[arg(long, env = "HELPDESK_NO_DEMO", action = ArgAction::SetTrue, overrides_with = "demo")]
    no_demo: bool,

    /// A dialect to be mounted at the root as well.
    #[arg(long, env = "HELPDESK_ROOT")]
    pub root: Option<Root>,

    /// What becomes of mail: `log`, `file:DIR` (one .eml a message) or `smtp://…`.
    #[arg(long, env = "HELPDESK_MAIL", default_value = "log")]
    mail: String,

    /// The address that mail comes from.
    #[arg(long, env = "HELPDESK_MAIL_FROM", default_value = "Help desk <helpdesk@localhost.localdomain>")]
    mail_from: String,

    /// Where files are kept: `memory` or `file:DIR`.
    #[arg(long, env = "HELPDESK_BLOBS", default_value = "memory")]
    blobs: String,

    /// What tokens are signed with. With the memory store random, and gone with the process, unless given; all servers
    /// on one database have the same.
    #[arg(long, env = "HELPDESK_SECRET", hide_env_values = true)]
    pub secret: Option<SecretString>,

    /// Rate limits as the dialects document them, or none.
    #[arg(long, env = "HELPDESK_LIMITS", default_value = "documented")]
    pub limits: Limits,

    /// The address of the site that mails link to. Default: the public address.
    #[arg(long, env = "HELPDESK_SITE")]
    pub site: Option<String>,

    /// Where the server is reached from outside. Default: what each request's `Host` says.
    #[arg(long, env = "HELPDESK_PUBLIC_URL")]
    pub public_url: Option<String>,

    /// An origin whose pages may call the server from a browser, or `*`; may be given several times.
    #[arg(long = "origin", env = "HELPDESK_ORIGINS", value_delimiter = ',')]
    pub origins: Vec<HeaderValue>,

    /// The address of a proxy whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed; may be given several
    /// times.
    #[arg(long = "trusted-proxy", env = "HELPDESK_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<IpAddr>,

    /// The most connections from one address, or one /64 of IPv6, that is no trusted proxy.
    #[arg(long, env = "HELPDESK_CONNECTIONS_PER_ADDRESS", default_value_t = 1_000)]
    pub connections_per_address: usize,

    /// How many MiB the larger bodies of requests may take together while they are read and worked on.
    #[arg(long, env = "HELPDESK_BODY_MEMORY", default_value_t = 256)]
    pub body_memory: u32,

    /// Without demo data: the address of the first administrator.
    #[arg(long, env = "HELPDESK_ADMIN_EMAIL", requires = "admin_password")]
    pub admin_email: Option<String>,

    /// Without demo data: the password of the first administrator.
    #[arg(long, env = "HELPDESK_ADMIN_PASSWORD", hide_env_values = true, requires = "admin_email")]
    pub admin_password: Option<SecretString>,
}

/// Whether the dialects' rate limits hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Limits {
    /// As their documents say.
    Documented,
    /// Not at all.
    Off,
}

/// A dialect that can be mounted at the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Root {
    /// SmartSupport.
    Smartsupport,
    /// Support Desk.
    Supportdesk,
}

impl Settings {
    /// Whether demo data is to be loaded.
    pub(crate) fn wants_demo(&self) -> bool {
        self.demo || (!self.no_demo && self.is_in_memory())
    }

    /// Whether records end with the process.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.storage.expose_secret() == "memory"
    }

    /// Whether files end with the process, though records do not.
    pub(crate) fn forgets_files(&self) -> bool {
        !self.is_in_memory() && self.blobs == "memory"
    }

    /// Where records are kept.
    pub(crate) async fn store(&self) -> Result<Arc<dyn Storage>, Box<dyn std::error::Error>> {
        let schema = Helpdesk::schema();
        if self.is_in_memory() {
            return Ok(Arc::new(MemoryStorage::new(schema)));
        }
        if self.secret.is_none() {
            return Err(
                "with a database, --secret says what tokens are signed with; give all servers the same"
                    .into(),
            );
        }
        let settings = PostgresSettings::parse(self.storage.expose_secret())?.connections(self.connections);
        PostgresStorage::migrate(&settings, &schema).await?;
        let storage = Arc::new(PostgresStorage::open(&settings, schema).await?);
        let filling = Arc::clone(&storage);
        tokio::spawn(async move {
            // What was written before a field was declared is found by it from now on.
            if let Err(error) = filling.backfill().await {
                tracing::warn!(%error, "some new columns are not filled yet");
            }
        });
        Ok(storage)
    }

    /// What sends mail.
    pub(crate) fn mailer(&self) -> Result<Arc<dyn Mailer>, Box<dyn std::error::Error>> {
        Ok(Arc::new(TemplateMailer::builder(&self.mail_from, parse_transport(&self.mail)?).build()?))
    }

    /// Where files are kept.
    pub(crate) fn blob_store(&self) -> Result<Arc<dyn Blobs>, Box<dyn std::error::Error>> {
        Ok(Arc::new(ObjectBlobs::parse(&self.blobs)?))
    }
}
