//! SmartSupport: employees, tickets from `New` to `Closed`, files and mail, in the manner of Django REST framework.
//!
//! | file | holds |
//! | --- | --- |
//! | `words` | the choices of the document and what they stand for |
//! | `views`, `show` | the shapes of answers, and how records become them |
//! | `errors` | how failures are told |
//! | `paging` | pages of the ticket list |
//! | `sign_in`, `employees`, `profile`, `passwords`, `tickets`, `moves`, `files`, `root` | the operations, by area |

mod employees;
mod errors;
mod files;
mod moves;
mod paging;
mod passwords;
mod profile;
mod root;
mod show;
mod sign_in;
mod tickets;
mod views;
mod words;

use std::borrow::Cow;
use std::sync::Arc;

use helpdesk_core::identity::{Admission, OrganisationId};
use helpdesk_core::{Quota, Reference, Via};

use crate::kernel::{Dialect, RateClass, Rates, Tenant};

/// How tickets are called: `TX0001`, with more digits beyond 9999.
const TICKETS: Reference = Reference::new("TX", 4);
/// How employees are called: `MA0001`, with more digits beyond 9999.
const EMPLOYEES: Reference = Reference::new("MA", 4);

/// Public operations. The document says that they are limited and not how.
const PUBLIC: RateClass = RateClass("public");
/// Public operations that send mail or make accounts.
const MAILING: RateClass = RateClass("mailing");

const LIMITS: &[(RateClass, Quota)] = &[(PUBLIC, Quota::new(60, 60)), (MAILING, Quota::new(20, 60))];

/// The dialect, for the employees of an organisation.
#[must_use]
pub fn smartsupport(organisation: OrganisationId) -> Dialect {
    let areas = [
        sign_in::operations(),
        employees::operations(),
        tickets::operations(),
        moves::operations(),
        files::operations(),
        profile::operations(),
        passwords::operations(),
        root::operations(),
    ];
    Dialect {
        name: "smartsupport",
        title: "SmartSupport",
        description: "Employees ask, coordinators approve and work, administrators look after the accounts.",
        version: "1.0",
        via: Arc::new(Via {
            name: Cow::Borrowed("smartsupport"),
            tickets: TICKETS,
            reset_path: Cow::Borrowed("/reset-password/{uid}/{token}"),
            // The door of administrators asks for a role and for nothing else.
            admission: Admission::Pending,
            ..Via::SYSTEM
        }),
        tenant: Tenant::Fixed(organisation),
        operations: areas.into_iter().flatten().collect(),
        aliases: &[],
        limits: Rates::Classes(LIMITS),
        refuse: errors::refuse,
        error_schema: errors::schema,
    }
}
