//! What an act needs beyond seeing the ticket.

use super::seeing::Standing;
use crate::actor::Actor;
use crate::error::Result;
use crate::identity::{Permission, permissions as p};
use crate::tickets::acts::{Act, Edit};
use crate::tickets::message::Visibility;

/// Checks that an actor may do this to a ticket that is so much to them. What is for the requester alone is decided with
/// the act, whatever somebody's permissions, and to whom a ticket may be given is asked with those people at hand.
///
/// # Errors
///
/// [`Error::Forbidden`](crate::Error::Forbidden) with the permission that is missing.
pub(super) fn check_right(actor: &Actor, standing: Standing, act: &Act) -> Result<()> {
    permission(act, standing).map_or(Ok(()), |permission| actor.needs(&permission))
}

fn permission(act: &Act, Standing { own, copied }: Standing) -> Option<Permission> {
    match act {
        Act::Approve { .. } => Some(p::TICKET_APPROVE),
        Act::Reject { .. } => Some(p::TICKET_REJECT),
        Act::Claim => Some(p::TICKET_CLAIM),
        Act::Move { .. } => Some(p::TICKET_SET_STATUS),
        Act::Assign { .. } | Act::Route { .. } | Act::Withdraw { .. } | Act::Close { .. } => None,
        Act::Say(comment) if comment.visibility == Visibility::Internal => {
            Some(p::HELPDESK_ADD_INTERNAL_NOTES)
        }
        Act::Say(_) if own || copied => Some(p::TICKET_COMMENT_OWN),
        // Others are answered by the desk: by those who know what it says among itself.
        Act::Say(_) => Some(p::TICKET_ACCESS_INTERNAL),
        Act::Edit(edit) if own && is_requesters(edit) => Some(p::TICKET_UPDATE_OWN),
        Act::Edit(_) => Some(p::TICKET_SET_PRIORITY),
        Act::Escalate { .. } => Some(p::TICKET_ESCALATE),
        Act::Copy(_) | Act::EndCopy { .. } if own => Some(p::TICKET_UPDATE_OWN),
        Act::Copy(_) | Act::EndCopy { .. } | Act::Follow { .. } | Act::Unfollow { .. } => {
            Some(p::TICKET_ACCESS_INTERNAL)
        }
        Act::HandOver => Some(p::TICKET_FINALIZE),
        Act::Delete | Act::Restore => Some(p::TICKET_DELETE),
    }
}

/// Whether an edit changes only what the requester said: how urgent it is, of what sort, who deals with it and what the
/// organisation's own fields hold is for the desk to say.
fn is_requesters(edit: &Edit) -> bool {
    edit.priority.is_none() && edit.kind.is_none() && edit.department.is_none() && edit.fields.is_empty()
}
