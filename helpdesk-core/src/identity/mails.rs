//! The mails about accounts, as jobs.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::login::Login;
use super::one_time::{self, OneTime, OneTimeId, OneTimePurpose};
use super::{OrganisationId, User, UserId};
use crate::actor::Via;
use crate::helpdesk::Helpdesk;
use crate::jobs::{Job, JobDraft, JobError, JobHandler};
use crate::mail::{Mail, MailTemplate};
use crate::storage::{Changes, EntityId as _, Filter, Scope, Stored};

const ACCOUNT_MAIL: &str = "account_mail";
const RESET_MAIL: &str = "reset_mail";

#[derive(Debug, Serialize, Deserialize)]
struct AccountNews {
    template: MailTemplate,
    user: UserId,
}

/// A mail that tells somebody about their account.
pub(super) fn account_mail(template: MailTemplate, user: UserId, at: DateTime<Utc>) -> JobDraft {
    let key = format!("{ACCOUNT_MAIL}:{}:{user}", template.name());
    JobDraft::new(ACCOUNT_MAIL, key, at, &AccountNews { template, user })
}

/// Sends such a mail.
#[derive(Debug)]
pub(super) struct AccountMail;

#[async_trait]
impl JobHandler for AccountMail {
    fn name(&self) -> &'static str {
        ACCOUNT_MAIL
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let AccountNews { template, user } = job.payload()?;
        if let Some(user) = desk.store().get::<User>(job.scope(), user).await? {
            send(desk, job, template, &user, json!({})).await?;
        }
        Ok(desk.changes())
    }
}

/// Somebody asked for a link to set a new password.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ResetRequest {
    /// The address they gave, whether or not anybody has it.
    pub email: String,
    /// The door they asked at.
    pub via: Via,
}

/// A mail with such a link, if there is an account of the address.
pub(super) fn reset_mail(request: &ResetRequest, at: DateTime<Utc>) -> JobDraft {
    let key = format!("{RESET_MAIL}:{}", one_time::hash(&request.email));
    JobDraft::new(RESET_MAIL, key, at, request)
}

/// Looks the address up, makes the token and sends the link.
#[derive(Debug)]
pub(super) struct ResetMail;

#[async_trait]
impl JobHandler for ResetMail {
    fn name(&self) -> &'static str {
        RESET_MAIL
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let ResetRequest { email, via } = job.payload()?;
        let organisation = OrganisationId::from_uuid(job.scope().id().unwrap_or_default());
        let logins = desk.store().select::<Login>(Scope::GLOBAL);
        let login = logins.filter(Filter::equals("name", email)).first().await?;
        let Some(login) = login.filter(|login| login.organisation == organisation) else {
            return Ok(desk.changes());
        };
        let user = desk.store().get::<User>(job.scope(), login.user).await?;
        // Somebody who may not log in gets no way in. One who waits for approval may set a password meanwhile.
        let waits_or_active = |user: &Arc<Stored<User>>| matches!(user.state.name(), "approved" | "pending");
        let Some(user) = user.filter(waits_or_active) else { return Ok(desk.changes()) };

        // The token is stored before the mail leaves, so that the link works when it arrives.
        let secret = one_time::text(desk.ids().secret());
        let mut changes = desk.changes();
        let at = changes.at();
        let token = OneTime {
            hash: one_time::hash(&secret),
            purpose: OneTimePurpose::ResetPassword,
            organisation,
            user: user.id,
            expires: at + desk.tokens().lifetimes.reset,
        };
        changes.insert(Scope::GLOBAL, OneTimeId::from_uuid(desk.ids().id(at)), &token);
        desk.commit(changes).await?;
        let uid = URL_SAFE_NO_PAD.encode(user.number.to_string());
        let path = via.reset_path.replace("{uid}", &uid).replace("{token}", &secret);
        let link = format!("{}{path}", desk.site());
        send(desk, job, MailTemplate::PasswordReset, &user, json!({ "link": link })).await?;
        Ok(desk.changes())
    }
}

/// Sends a mail to somebody, with what every template has.
pub(crate) async fn send(
    desk: &Helpdesk,
    job: &Job,
    template: MailTemplate,
    to: &Stored<User>,
    mut context: serde_json::Value,
) -> Result<(), JobError> {
    let organisation = OrganisationId::from_uuid(job.scope().id().unwrap_or_default());
    let organisation = desk.identity().organisation_of(organisation).await?;
    if let Some(context) = context.as_object_mut() {
        context.insert("name".into(), to.full_name().into());
        context.insert("first_name".into(), to.first_name.clone().into());
        context.insert("organisation".into(), organisation.name.clone().into());
        context.insert("site".into(), desk.site().into());
    }
    let mail = Mail { id: job.id(), to: to.email.clone(), name: to.full_name(), template, context };
    desk.mailer().send(&mail).await
}
