//! Doing the same to several tickets.

use std::collections::HashSet;

use futures_util::{StreamExt as _, stream};

use super::Tickets;
use super::acting::Done;
use super::checks::check_asked;
use crate::actor::Actor;
use crate::error::{Error, Problem, Result};
use crate::helpdesk::Chain;
use crate::tickets::acts::Asked;
use crate::tickets::ticket::TicketId;

/// The most tickets that are changed by one call.
pub const MAX_BULK: usize = 100;
/// How many of them are worked on at a time.
const AT_A_TIME: usize = 8;

/// What became of one ticket of several.
#[derive(Debug)]
pub struct BulkItem {
    /// The ticket.
    pub id: TicketId,
    /// What was done to it, or why nothing was.
    pub outcome: Result<Done>,
}

impl Tickets {
    /// Does the same to several tickets, to each of them all of it or nothing. A ticket that is named twice is one.
    /// What happens to one makes no difference to the others.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for `tickets` where they are more than 100, and for what is given with an act. What is wrong
    /// with one ticket is its outcome.
    pub async fn bulk(
        &self,
        actor: &Actor,
        ids: &[TicketId],
        asked: impl Into<Asked> + Send,
    ) -> Result<Vec<BulkItem>> {
        let asked = asked.into();
        if ids.len() > MAX_BULK {
            return Err(Error::invalid("tickets", Problem::TooMany(MAX_BULK)));
        }
        check_asked(&asked)?;
        let mut seen = HashSet::with_capacity(ids.len());
        let ids: Vec<_> = ids.iter().copied().filter(|id| seen.insert(*id)).collect();
        let each = ids.into_iter().map(|id| {
            let asked = asked.clone();
            async move {
                let outcome = self.act_all(actor, id, None, asked).await;
                if let Err(error @ (Error::Unavailable { .. } | Error::Internal { .. })) = &outcome {
                    // The caller is told of each ticket; what exactly was in the way, only the log.
                    tracing::error!(ticket = %id, error = %Chain(error), "a ticket of several was not changed");
                }
                BulkItem { id, outcome }
            }
        });
        Ok(stream::iter(each).buffered(AT_A_TIME).collect().await)
    }
}
