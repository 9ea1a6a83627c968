//! Service levels: what a desk has promised, by which time, and whether it was kept.
//!
//! All of it is pure: a ticket's history goes in, and where each metric stands comes out. The rules are L1 to L8: what is
//! kept is the time that has run, never only a deadline; a change of promise keeps what has passed; a warning and a breach
//! come once each, at their true time, however late they are noticed; and the same history gives the same result, in
//! whatever order it is told and however often it was looked at.

mod calendar;
mod follow;
mod meter;
mod metric;
mod policy;
mod record;

use std::sync::Arc;

pub use self::calendar::{Calendar, Span};
pub use self::follow::{Fact, Happened, Levels, Targets};
pub use self::meter::{Entry, Reading, Turn};
pub use self::metric::{Hours, Metric, Target, With};
pub use self::policy::{BusinessCalendar, CalendarId, Conditions, Policy, PolicyId, Traits};
pub use self::record::{Followed, Outcome, Standing, TicketLevels};
use crate::helpdesk::Helpdesk;
use crate::jobs::JobHandler;
use crate::storage::{Entity, KindSpec};

/// The kinds of record of this context.
pub(crate) const KINDS: [&KindSpec; 3] = [TicketLevels::SPEC, Policy::SPEC, BusinessCalendar::SPEC];

/// The sorts of work of this context.
pub(crate) fn handlers() -> [Arc<dyn JobHandler>; 0] {
    []
}

/// What the desk has promised, and whether it was kept. From [`Helpdesk::service_levels`].
#[derive(Clone, Debug)]
pub struct ServiceLevels {
    desk: Helpdesk,
}

impl ServiceLevels {
    pub(crate) const fn new(desk: Helpdesk) -> Self {
        Self { desk }
    }
}
