//! Uploads: files that somebody brought and that a ticket, a message or a report may take over.

use std::sync::Arc;

use crate::helpdesk::Helpdesk;
use crate::jobs::JobHandler;
use crate::storage::KindSpec;

/// The kinds of record of this context.
pub(crate) const KINDS: [&KindSpec; 0] = [];

/// The sorts of work of this context.
pub(crate) fn handlers() -> [Arc<dyn JobHandler>; 0] {
    []
}

/// Files that somebody brought. From [`Helpdesk::uploads`].
#[derive(Clone, Debug)]
pub struct Uploads {
    desk: Helpdesk,
}

impl Uploads {
    pub(crate) const fn new(desk: Helpdesk) -> Self {
        Self { desk }
    }
}
