//! Saying how well a ticket was solved.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::json;

use super::{Tickets, audience};
use crate::actor::{Actor, Via, Who};
use crate::error::{Error, Problem, Problems, Rejection, Result};
use crate::events::{EventDraft, FieldChange};
use crate::storage::Stored;
use crate::tickets::satisfaction::is_solved;
use crate::tickets::ticket::{Satisfaction, Ticket, TicketId};

/// The longest comment, in characters.
const MAX_COMMENT: usize = 10_000;

impl Tickets {
    /// Says how satisfied the requester is with how a ticket was solved: from 1, very bad, to 5, very good. Saying it
    /// again takes the place of what was said before; a comment that is `None` stays.
    ///
    /// It is no change of the ticket's course, so a closed one takes it too.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::NotYours`] for others than the requester; [`Error::Invalid`] for `score` and
    /// `comment`; [`Error::Rejected`] where the ticket is not solved.
    pub async fn rate(
        &self,
        actor: &Actor,
        id: TicketId,
        score: u8,
        comment: Option<String>,
    ) -> Result<Stored<Ticket>> {
        let mut problems = Problems::default();
        if score < 1 {
            problems.add("score", Problem::TooSmall(1));
        } else if score > 5 {
            problems.add("score", Problem::TooLarge(5));
        }
        if let Some(comment) = &comment {
            if comment.chars().count() > MAX_COMMENT {
                problems.add("comment", Problem::TooLong(MAX_COMMENT));
            } else if comment.contains('\0') {
                problems.add("comment", Problem::NulCharacter);
            }
        }
        problems.into_result()?;
        let comment = &comment;
        let ((before, slot, at, ticket), committed) = self
            .desk
            .decide(|| async move {
                let before = self.load(actor, id).await?;
                self.standing(actor, &before).await?;
                if actor.user() != Some(before.requester) {
                    return Err(Error::NotYours { who: "the requester" });
                }
                let rated = self.rated(&before, score, comment.clone())?;
                let mut changes = self.desk.changes();
                let at = changes.at();
                // The same once more is no news.
                let Some(ticket) = rated else { return Ok((changes, (before, None, at, None))) };
                let slot = changes.update(&before, &ticket);
                let was = before.satisfaction.as_ref().map(|rated| rated.score);
                let change =
                    FieldChange { field: Cow::Borrowed("rating"), from: json!(was), to: json!(score) };
                let version = changes.version_after(slot);
                let draft = EventDraft::new::<Ticket>("ticket.rated", id, version, audience(&ticket, false))
                    .changes(vec![change]);
                changes.event(actor, self.new_id(&changes), draft);
                Ok((changes, (before, Some(slot), at, Some(ticket))))
            })
            .await?;
        Ok(match (slot, ticket) {
            (Some(slot), Some(ticket)) => before.replaced(at, committed.written(slot), ticket),
            _ => (*before).clone(),
        })
    }

    /// The same by a link of the mail that asked for it, which says the ticket and the score.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] where the link is none of ours or has expired; otherwise as [`rate`](Self::rate).
    pub async fn rate_by_token(
        &self,
        via: Arc<Via>,
        token: &str,
        comment: Option<String>,
    ) -> Result<Stored<Ticket>> {
        let claims =
            self.desk.tokens().read_rating(token, self.desk.now()).map_err(Error::Unauthenticated)?;
        let system = Actor::system(claims.org);
        let ticket = self.load(&system, claims.ticket).await?;
        let requester = Actor::new(Who::User(ticket.requester), claims.org, requesters_rights(), via);
        self.rate(&requester, claims.ticket, claims.score, comment).await
    }

    /// The ticket with what is said of it; `None` where that was said already.
    fn rated(&self, ticket: &Ticket, score: u8, comment: Option<String>) -> Result<Option<Ticket>> {
        if ticket.deleted.is_some() {
            return Err(Error::NotFound { what: "ticket" });
        }
        let status = ticket.state.status();
        if !is_solved(status) {
            return Err(Error::Rejected(Rejection::Status { status }));
        }
        let before = ticket.satisfaction.as_ref();
        let comment = match comment {
            Some(comment) => Some(comment.trim().to_owned()).filter(|comment| !comment.is_empty()),
            None => before.and_then(|rated| rated.comment.clone()),
        };
        if before.is_some_and(|rated| rated.score == score && rated.comment == comment) {
            return Ok(None);
        }
        let mut ticket = ticket.clone();
        ticket.satisfaction = Some(Satisfaction { score, comment, at: self.desk.now() });
        Ok(Some(ticket))
    }
}

/// Who has the link may do this one thing, whatever they are allowed otherwise.
fn requesters_rights() -> Arc<crate::identity::Permissions> {
    Arc::new([crate::identity::permissions::TICKET_VIEW_OWN].into_iter().collect())
}
