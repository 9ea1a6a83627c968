//! Tickets, what is said on them, and the files that hang on them.
//!
//! [`acts`](Act) holds the rules, [`Workflow`] the table of moves; what a transport calls is [`Tickets`].

mod acts;
mod files;
mod message;
mod reactions;
mod service;
mod status;
mod ticket;
mod workflow;

use std::sync::Arc;

pub use self::acts::{Act, Circumstances, Comment, Decision, Edit, decide};
pub use self::files::{CheckedFile, MAX_FILE, MAX_FILE_NAME, MAX_FILES, check_file, clean_name, is_inline};
pub use self::message::{Attachment, AttachmentId, Message, MessageId, Visibility};
pub(crate) use self::service::visible;
pub use self::service::{Done, NewFile, NewTicket, ReadFile, TicketOrder, TicketQuery, TicketView, Tickets};
pub use self::status::{Category, Status, StatusSet};
pub use self::ticket::{
    Approval, Cc, Deletion, Escalation, Priority, Satisfaction, State, Ticket, TicketId, TicketKind,
};
pub use self::workflow::Workflow;
use crate::jobs::JobHandler;
use crate::storage::{Entity, KindSpec};

/// The kinds of record of this context.
pub(crate) const KINDS: [&KindSpec; 3] = [Ticket::SPEC, Message::SPEC, Attachment::SPEC];

/// The sorts of work of this context.
pub(crate) fn handlers() -> [Arc<dyn JobHandler>; 3] {
    [Arc::new(reactions::StatusMail), Arc::new(reactions::AutoClose), Arc::new(reactions::HandOverTicket)]
}
