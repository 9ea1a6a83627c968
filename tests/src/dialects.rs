//! The dialects: where each is mounted, and the contract it is held to.

use helpdesk::http::dialects::smartsupport::smartsupport;
use helpdesk::http::dialects::supportdesk::supportdesk;
use helpdesk::http::kernel::{Dialect, Operation};
use helpdesk::identity::OrganisationId;

/// A dialect as the tests reach it.
#[derive(Clone, Copy, Debug)]
pub struct Spoken {
    /// Its name, which is also that of its contract.
    pub name: &'static str,
    /// Where it is mounted.
    pub mount: &'static str,
    /// Its contract, as JSON.
    pub contract: &'static str,
    /// The dialect, for an organisation.
    pub make: fn(OrganisationId) -> Dialect,
    /// The status of an answer to fields that are wrong.
    pub invalid: u16,
    /// Where such an answer says which fields those are.
    pub problems_at: &'static str,
}

impl Spoken {
    /// The dialect's table of operations, those beyond its document among them.
    #[must_use]
    pub fn operations(&self, organisation: OrganisationId) -> Vec<Operation> {
        (self.make)(organisation).operations
    }
}

/// SmartSupport.
pub const SMARTSUPPORT: Spoken = Spoken {
    name: "smartsupport",
    mount: "/smartsupport",
    contract: include_str!("../contracts/smartsupport.json"),
    make: smartsupport,
    invalid: 400,
    problems_at: "/field_errors",
};

/// Support Desk.
pub const SUPPORTDESK: Spoken = Spoken {
    name: "supportdesk",
    mount: "/supportdesk",
    contract: include_str!("../contracts/supportdesk.json"),
    make: supportdesk,
    invalid: 422,
    problems_at: "/error/details",
};

/// All of them.
pub const ALL: &[Spoken] = &[SMARTSUPPORT, SUPPORTDESK];

/// The demo accounts, by dialect and the names that its contract has for them, as JSON.
pub const ACCOUNTS: &str = include_str!("../contracts/accounts.json");
