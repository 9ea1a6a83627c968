//! Contacts: the people outside who ask, and the companies they belong to.

mod companies;
mod company;
mod contact;
mod finding;
mod keeping;
mod people;
mod timeline;

use std::sync::Arc;

pub use self::companies::{CompanyEdit, CompanyQuery, NewCompany};
pub use self::company::{Company, CompanyId, MAX_SETTINGS};
pub use self::contact::{Contact, ContactEdit, ContactId, NewContact};
pub(crate) use self::keeping::{is_outside, keep};
pub use self::people::{ContactPage, ContactQuery, ContactView};
pub use self::timeline::Timeline;

use crate::helpdesk::Helpdesk;
use crate::jobs::JobHandler;
use crate::storage::{Entity, KindSpec};

/// The kinds of record of this context.
pub(crate) const KINDS: [&KindSpec; 2] = [Company::SPEC, Contact::SPEC];

/// The sorts of work of this context.
pub(crate) fn handlers() -> [Arc<dyn JobHandler>; 1] {
    [Arc::new(keeping::Keep)]
}

/// Contacts and their companies. From [`Helpdesk::contacts`].
#[derive(Clone, Debug)]
pub struct Contacts {
    desk: Helpdesk,
}

impl Contacts {
    pub(crate) const fn new(desk: Helpdesk) -> Self {
        Self { desk }
    }
}
