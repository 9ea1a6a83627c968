//! The mail that invites somebody to an account that was made for them, as a job.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::mails::{make_token, send};
use super::one_time::OneTimePurpose;
use super::{User, UserId};
use crate::actor::Via;
use crate::helpdesk::Helpdesk;
use crate::jobs::{Job, JobDraft, JobError, JobHandler};
use crate::mail::MailTemplate;
use crate::storage::Changes;

const INVITATION_MAIL: &str = "invitation_mail";

#[derive(Debug, Serialize, Deserialize)]
struct Invitation {
    user: UserId,
    /// The door that the invitation leads to.
    via: Via,
}

/// A mail with a link where somebody chooses the first password of their account.
pub(super) fn invitation_mail(user: UserId, via: &Via, at: DateTime<Utc>) -> JobDraft {
    let key = format!("{INVITATION_MAIL}:{user}");
    JobDraft::new(INVITATION_MAIL, key, at, &Invitation { user, via: via.clone() })
}

/// Makes the token and sends the link.
#[derive(Debug)]
pub(super) struct InvitationMail;

#[async_trait]
impl JobHandler for InvitationMail {
    fn name(&self) -> &'static str {
        INVITATION_MAIL
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let Invitation { user, via } = job.payload()?;
        let user = desk.store().get::<User>(job.scope(), user).await?;
        // Who was sent away meanwhile gets no way in.
        let Some(user) = user.filter(|user| user.state.is_active()) else { return Ok(desk.changes()) };
        let secret = make_token(desk, OneTimePurpose::Invitation, &user, None).await?;
        let link = via.reset_link(desk.site(), user.number, &secret);
        send(desk, job, MailTemplate::Invitation, &user, json!({ "link": link })).await?;
        Ok(desk.changes())
    }
}
