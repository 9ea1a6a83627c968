//! Tags: the words that tickets and articles are marked with.

mod service;
mod tag;

use std::sync::Arc;

pub use self::tag::{Tag, TagId};
use crate::helpdesk::Helpdesk;
use crate::jobs::JobHandler;
use crate::storage::{Entity, KindSpec};

/// The kinds of record of this context.
pub(crate) const KINDS: [&KindSpec; 1] = [Tag::SPEC];

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
