//! Tickets, what is said on them, and the files that hang on them.
//!
//! [`acts`](Act) holds the rules, [`Workflow`] the table of moves; what a transport calls is [`Tickets`].

mod acts;
mod closed;
mod fields;
mod files;
mod hand_back;
mod link;
mod merging;
mod message;
mod reactions;
mod satisfaction;
mod service;
mod status;
mod ticket;
mod workflow;

use std::sync::Arc;

pub use self::acts::{Act, Asked, Circumstances, Comment, Decision, Edit, Revision, decide};
pub use self::closed::Reply;
pub use self::fields::{FieldKind, MAX_FIELDS, TicketField};
pub use self::files::{CheckedFile, MAX_FILE, MAX_FILE_NAME, MAX_FILES, check_file, clean_name, is_inline};
pub(crate) use self::hand_back::{hand_back, ungroup};
pub use self::link::{LinkKind, TicketLink, TicketLinkId};
pub use self::message::{Attachment, AttachmentId, Message, MessageId, Visibility};
pub(crate) use self::service::audience;
pub use self::service::{
    BulkItem, Done, Linked, MAX_BULK, Merged, NewFile, NewTicket, ReadFile, TicketNews, TicketOrder,
    TicketQuery, TicketView, Tickets,
};
pub use self::status::{Category, Status, StatusSet};
pub use self::ticket::{
    Approval, Cc, Deletion, Escalation, MAX_CC, MAX_FOLLOWERS, MAX_MERGED, Priority, Satisfaction, State,
    Ticket, TicketId, TicketKind,
};
pub use self::workflow::Workflow;
use crate::jobs::JobHandler;
use crate::storage::{Entity, KindSpec};

/// The kinds of record of this context.
pub(crate) const KINDS: [&KindSpec; 5] =
    [Ticket::SPEC, Message::SPEC, Attachment::SPEC, TicketLink::SPEC, satisfaction::Asked::SPEC];

/// The sorts of work of this context.
pub(crate) fn handlers() -> [Arc<dyn JobHandler>; 7] {
    [
        Arc::new(reactions::ReceiptMail),
        Arc::new(reactions::StatusMail),
        Arc::new(reactions::AutoClose),
        Arc::new(reactions::HandOverTicket),
        Arc::new(hand_back::HandBack),
        Arc::new(hand_back::Ungroup),
        Arc::new(satisfaction::SatisfactionRequest),
    ]
}
