//! Asking the requester of a solved ticket how satisfied they are.

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::reactions::wants_mail;
use super::status::{Category, Status};
use super::ticket::{Ticket, TicketId};
use crate::actor::{Actor, Via};
use crate::helpdesk::Helpdesk;
use crate::identity::{Organisation, OrganisationId, RatingClaims, RatingPurpose, User};
use crate::jobs::{Job, JobDraft, JobError, JobHandler};
use crate::mail::MailTemplate;
use crate::storage::{Changes, Entity, EntityId as _, KindSpec, Mode, Row, Scope, Stored};

const REQUEST: &str = "satisfaction_request";
/// How long after a solution it is asked at the latest.
const LATEST: u32 = 28 * 24 * 60;
/// How long nobody is asked again about the same ticket, and how long the links of the mail are good.
const PERIOD: Duration = Duration::days(30);

/// The scores and what they are called, the best first.
const SCORES: [(u8, &str); 5] =
    [(5, "Very good"), (4, "Good"), (3, "Neither good nor bad"), (2, "Bad"), (1, "Very bad")];

/// That somebody was asked. It has the ticket's id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    at: DateTime<Utc>,
}

impl Entity for Asked {
    type Id = TicketId;

    const SPEC: &'static KindSpec =
        &KindSpec::new("satisfaction_request", &[]).mode(Mode::Quiet).of::<Self>();

    fn index(&self, _: &mut Row) {}
}

/// Whether a ticket is done, so that it can be said how well.
pub(super) const fn is_solved(status: Status) -> bool {
    matches!(status.category(), Category::Solved | Category::Closed)
}

#[derive(Debug, Serialize, Deserialize)]
struct Question {
    ticket: TicketId,
    via: Via,
}

/// Has the requester asked some time after a ticket was solved, unless it is reopened before.
pub(super) fn react(
    desk: &Helpdesk,
    changes: &mut Changes,
    actor: &Actor,
    before: &Stored<Ticket>,
    after: &Ticket,
    organisation: &Organisation,
) {
    let (was, is) = (is_solved(before.state.status()), is_solved(after.state.status()));
    let (id, at, scope) = (before.id, changes.at(), before.scope);
    let key = || format!("{REQUEST}:{id}");
    match (was, is, organisation.settings.satisfaction_minutes) {
        (false, true, Some(minutes)) => {
            let due = at + Duration::minutes(i64::from(minutes.min(LATEST)));
            let question = Question { ticket: id, via: (**actor.via()).clone() };
            changes.enqueue(scope, desk.ids().id(at), JobDraft::new(REQUEST, key(), due, &question));
        }
        (true, false, _) => changes.cancel_job(scope, key()),
        _ => {}
    }
}

/// Sends a mail with a link for each score.
#[derive(Debug)]
pub(super) struct SatisfactionRequest;

#[async_trait]
impl JobHandler for SatisfactionRequest {
    fn name(&self) -> &'static str {
        REQUEST
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let Question { ticket, via } = job.payload()?;
        let (scope, mut changes) = (job.scope(), desk.changes());
        let now = changes.at();
        let Some(ticket) = desk.store().get::<Ticket>(scope, ticket).await? else { return Ok(changes) };
        if ticket.deleted.is_some()
            || !is_solved(ticket.state.status())
            || is_rated(&ticket)
            || was_asked(desk, scope, ticket.id, now).await?
        {
            return Ok(changes);
        }
        let requester = desk.store().get::<User>(scope, ticket.requester).await?;
        let Some(requester) = requester.filter(|requester| wants_mail(requester)) else {
            return Ok(changes);
        };
        let link = |score| {
            let claims = RatingClaims {
                purpose: RatingPurpose::Rate,
                org: OrganisationId::from_uuid(scope.id().unwrap_or_default()),
                ticket: ticket.id,
                score,
                exp: (now + PERIOD).timestamp(),
            };
            desk.rating_link(&desk.tokens().sign_rating(&claims))
        };
        let ratings = SCORES.map(|(score, label)| json!({ "label": label, "link": link(score) }));
        let context = json!({
            "reference": via.tickets.format(ticket.number),
            "subject": ticket.subject,
            "ratings": ratings,
        });
        crate::identity::send_mail(desk, job, MailTemplate::SatisfactionRequest, &requester, context).await?;
        changes.overwrite(scope, ticket.id, &Asked { at: now });
        Ok(changes)
    }
}

/// Whether the requester has said how satisfied they are since the ticket was solved.
fn is_rated(ticket: &Ticket) -> bool {
    ticket.satisfaction.as_ref().is_some_and(|rated| ticket.solved_at.is_none_or(|solved| rated.at >= solved))
}

async fn was_asked(
    desk: &Helpdesk,
    scope: Scope,
    ticket: TicketId,
    now: DateTime<Utc>,
) -> Result<bool, JobError> {
    let asked = desk.store().get::<Asked>(scope, ticket).await?;
    Ok(asked.is_some_and(|asked| now - asked.at < PERIOD))
}
