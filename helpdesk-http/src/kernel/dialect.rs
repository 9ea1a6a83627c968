//! A dialect: one public API, as data.

use std::sync::Arc;

use helpdesk_core::Via;
use helpdesk_core::identity::OrganisationId;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::call::Head;
use super::failure::Failure;
use super::limits::Rates;
use super::operation::Operation;
use super::reply::Reply;

/// One public API: its operations, and how it says that something went wrong.
#[derive(Clone, Debug)]
pub struct Dialect {
    /// A short name: `smartsupport`.
    pub name: &'static str,
    /// What its document is called.
    pub title: &'static str,
    /// What its document says first.
    pub description: &'static str,
    /// The version of the document.
    pub version: &'static str,
    /// The door that its callers come in by. It says as well whose tokens are good here, wherever they were given.
    pub via: Arc<Via>,
    /// In which organisation its callers act.
    pub tenant: Tenant,
    /// What it can do.
    pub operations: Vec<Operation>,
    /// Other beginnings that paths may have, each with what stands for it in the table: `/api/v1` for `/api`.
    pub aliases: &'static [(&'static str, &'static str)],
    /// How many requests are taken of one caller.
    pub limits: Rates,
    /// How a failure is told.
    pub refuse: fn(&Failure, &Head) -> Reply,
    /// The schema of what [`Dialect::refuse`] answers.
    pub error_schema: fn() -> RefOr<Schema>,
}

impl Dialect {
    /// The same with another place where mails send people who choose a password: see [`Via::reset_path`].
    #[must_use]
    pub fn reset_path(mut self, path: &str) -> Self {
        self.via = Arc::new(Via { reset_path: path.to_owned().into(), ..Via::clone(&self.via) });
        self
    }
}

/// In which organisation the callers of a dialect act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenant {
    /// In this one. Tokens of others are not valid here.
    Fixed(OrganisationId),
    /// Each in their own. Those who are not known yet act in `home`: it is where people sign up.
    Callers {
        /// Where people sign up.
        home: OrganisationId,
    },
}

impl Tenant {
    /// The organisation in which somebody acts who is not known.
    #[must_use]
    pub const fn of_unknown(self) -> OrganisationId {
        match self {
            Self::Fixed(organisation) | Self::Callers { home: organisation } => organisation,
        }
    }

    /// Whether a caller of an organisation is let in.
    #[must_use]
    pub fn admits(self, organisation: OrganisationId) -> bool {
        match self {
            Self::Fixed(own) => own == organisation,
            Self::Callers { .. } => true,
        }
    }
}
