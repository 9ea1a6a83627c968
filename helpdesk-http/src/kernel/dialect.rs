//! A dialect: one public API, as data.

use std::sync::Arc;

use helpdesk_core::identity::OrganisationId;
use helpdesk_core::{Quota, Via};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::call::Head;
use super::failure::Failure;
use super::limits::RateClass;
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
    /// The door that its callers come in by.
    pub via: Arc<Via>,
    /// In which organisation its callers act.
    pub tenant: Tenant,
    /// What it can do.
    pub operations: Vec<Operation>,
    /// How many requests each class of operations takes of one caller.
    pub limits: &'static [(RateClass, Quota)],
    /// How a failure is told.
    pub refuse: fn(&Failure, &Head) -> Reply,
    /// The schema of what [`Dialect::refuse`] answers.
    pub error_schema: fn() -> RefOr<Schema>,
}

/// In which organisation the callers of a dialect act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenant {
    /// In this one. Tokens of others are not valid here.
    Fixed(OrganisationId),
}
