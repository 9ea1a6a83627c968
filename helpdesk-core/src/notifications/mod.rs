//! Notifications: what somebody is told of within the desk, and by mail where they want it.
//!
//! | file | holds |
//! | --- | --- |
//! | `notification` | the record |
//! | `preferences` | what somebody wants to be told of |
//! | `news` | what an act on a ticket is to whom: the rules, pure |
//! | `mentions` | who is called by name in a text |
//! | `telling` | the job that makes the records of an act |
//! | `mails` | the jobs that send mails |
//! | `cleanup` | the job that removes what was read long ago |
//! | `service` | what transports call |

mod cleanup;
mod mails;
mod mentions;
mod news;
mod notification;
mod preferences;
mod service;
mod telling;

use std::sync::Arc;

pub use self::notification::{Notification, NotificationId, NotificationKind};
pub use self::preferences::Preferences;
pub use self::service::{NotificationQuery, Notifications};
use self::telling::MADE;
pub(crate) use self::telling::{Deed, tell};

use crate::jobs::JobHandler;
use crate::storage::{Entity, KindSpec};

/// The kinds of record of this context.
pub(crate) const KINDS: [&KindSpec; 1] = [Notification::SPEC];

/// The sorts of work of this context.
pub(crate) fn handlers() -> [Arc<dyn JobHandler>; 4] {
    [
        Arc::new(telling::TellPeople),
        Arc::new(mails::NoticeMail),
        Arc::new(mails::ReplyMail),
        Arc::new(cleanup::Cleanup),
    ]
}
