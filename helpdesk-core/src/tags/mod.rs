//! Tags: the words that tickets and articles are marked with.

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

/// The words that tickets and articles are marked with. From [`Helpdesk::tags`].
#[derive(Clone, Debug)]
pub struct Tags {
    desk: Helpdesk,
}

impl Tags {
    pub(crate) const fn new(desk: Helpdesk) -> Self {
        Self { desk }
    }
}
