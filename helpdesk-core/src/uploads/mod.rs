//! Uploads: files that somebody brought and that a ticket, a message or a report may take over.
//!
//! An upload that is taken over becomes an [`Attachment`](crate::tickets::Attachment) of the same id, so that its
//! address stays what it was. One that somebody is shown by stays as their picture. Any other is forgotten after a day.

mod jobs;
mod pictures;
mod service;
mod upload;

use std::sync::Arc;

pub(crate) use self::jobs::{cancel_expiry, forget_blob};
pub use self::service::{FileContent, KeptFile};
pub use self::upload::{Purpose, Upload, UploadId};
use crate::helpdesk::Helpdesk;
use crate::jobs::JobHandler;
use crate::storage::{Entity, KindSpec};

/// The kinds of record of this context.
pub(crate) const KINDS: [&KindSpec; 1] = [Upload::SPEC];

/// The sorts of work of this context.
pub(crate) fn handlers() -> [Arc<dyn JobHandler>; 2] {
    [Arc::new(jobs::Expire), Arc::new(jobs::ForgetBlob)]
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
