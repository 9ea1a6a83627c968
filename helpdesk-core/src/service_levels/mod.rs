//! Service levels: what a desk has promised, by which time, and whether it was kept.
//!
//! The rules are L1 to L8: what is kept is the time that has run, never only a deadline; a change of promise keeps what has
//! passed; a warning and a breach come once each, at their true time, however late they are noticed; and the same history
//! gives the same result, in whatever order it is told and however often it was looked at. What was written down stays as it
//! was when business hours change: only what is still open is measured anew.
//!
//! | file | holds |
//! | --- | --- |
//! | `calendar`, `metric`, `meter`, `follow` | the engine, pure: facts go in, and where each metric stands comes out |
//! | `policy`, `rules`, `defaults` | what is promised of which tickets |
//! | `history`, `assess` | from a ticket's events to facts, and from facts to its record; pure as well |
//! | `record` | where a ticket stands, as lists and figures read it |
//! | `look`, `reconsider` | the jobs that follow tickets, when they change, when time runs out, when rules change |
//! | `notices` | telling those who have a ticket |
//! | `service/` | what a transport calls |

mod assess;
mod calendar;
mod defaults;
mod follow;
mod history;
mod look;
mod meter;
mod metric;
mod notices;
mod policy;
mod reconsider;
mod record;
mod rules;
mod service;

use std::sync::Arc;

pub use self::calendar::{Calendar, Span};
pub(crate) use self::defaults::begin;
pub use self::follow::{Fact, Happened, Levels, Targets};
pub(crate) use self::history::{BY_DESK, BY_REQUESTER, REPLY};
pub use self::look::ACTIONS;
pub(crate) use self::look::have_looked_at;
pub use self::meter::{Entry, Reading, Turn};
pub use self::metric::{Hours, Metric, Target, With};
pub use self::policy::{BusinessCalendar, CalendarId, Conditions, Policy, PolicyId, Traits};
pub use self::record::{Followed, Outcome, Standing, TicketLevels};
pub use self::service::{CalendarChange, PolicyChange, ServiceLevels};
use crate::jobs::JobHandler;
use crate::storage::{Entity, KindSpec};

/// The kinds of record of this context.
pub(crate) const KINDS: [&KindSpec; 3] = [TicketLevels::SPEC, Policy::SPEC, BusinessCalendar::SPEC];

/// The sorts of work of this context.
pub(crate) fn handlers() -> [Arc<dyn JobHandler>; 5] {
    [
        Arc::new(look::Look),
        Arc::new(look::Due),
        Arc::new(reconsider::Reconsider),
        Arc::new(notices::Notice),
        Arc::new(notices::NoticeMail),
    ]
}
