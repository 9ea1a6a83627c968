//! Groups: who works together, and what belongs to them.

mod group;
mod membership;
mod service;

use std::sync::Arc;

pub use self::group::{ClosedReplies, Group, GroupId, MAX_MEMBERS};
pub use self::service::{GroupEdit, Member, NewGroup};

use crate::helpdesk::Helpdesk;
use crate::jobs::JobHandler;
use crate::storage::{Entity, KindSpec};

/// The kinds of record of this context.
pub(crate) const KINDS: [&KindSpec; 1] = [Group::SPEC];

/// The sorts of work of this context.
pub(crate) fn handlers() -> [Arc<dyn JobHandler>; 0] {
    []
}

/// Groups of people of the desk. From [`Helpdesk::groups`].
#[derive(Clone, Debug)]
pub struct Groups {
    desk: Helpdesk,
}

impl Groups {
    pub(crate) const fn new(desk: Helpdesk) -> Self {
        Self { desk }
    }
}
