//! The knowledge base: articles, their categories, views and votes.

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

/// The knowledge base. From [`Helpdesk::knowledge`].
#[derive(Clone, Debug)]
pub struct Knowledge {
    desk: Helpdesk,
}

impl Knowledge {
    pub(crate) const fn new(desk: Helpdesk) -> Self {
        Self { desk }
    }
}
