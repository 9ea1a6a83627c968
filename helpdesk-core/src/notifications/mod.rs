//! Notifications: what somebody is told of within the desk, and by mail where they want it.

mod preferences;

use std::sync::Arc;

pub use self::preferences::Preferences;

use crate::helpdesk::Helpdesk;
use crate::jobs::JobHandler;
use crate::storage::KindSpec;

/// The kinds of record of this context.
pub(crate) const KINDS: [&KindSpec; 0] = [];

/// The sorts of work of this context.
pub(crate) fn handlers() -> [Arc<dyn JobHandler>; 0] {
    []
}

/// What people are told of. From [`Helpdesk::notifications`].
#[derive(Clone, Debug)]
pub struct Notifications {
    desk: Helpdesk,
}

impl Notifications {
    pub(crate) const fn new(desk: Helpdesk) -> Self {
        Self { desk }
    }
}
