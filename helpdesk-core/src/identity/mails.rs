//! The mails about accounts, as jobs.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::cleanup::remove_after;
use super::login::Login;
use super::one_time::{self, OneTime, OneTimeId, OneTimePurpose};
use super::{AccountState, OrganisationId, User, UserId};
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
    /// The organisation at whose door they asked, where the door belongs to one.
    pub door: Option<OrganisationId>,
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
        let ResetRequest { email, door, via } = job.payload()?;
        let logins = desk.store().select::<Login>(Scope::GLOBAL);
        let login = logins.filter(Filter::equals("name", email)).first().await?;
        let at_the_door = |organisation| door.is_none_or(|door| door == organisation);
        let Some(login) = login.filter(|login| at_the_door(login.organisation)) else {
            return Ok(desk.changes());
        };
        let scope = Scope::organisation(login.organisation.uuid());
        let user = desk.store().get::<User>(scope, login.user).await?;
        let Some(user) = user.filter(|user| may_reset(&user.state)) else { return Ok(desk.changes()) };
        let secret = make_token(desk, OneTimePurpose::ResetPassword, &user, None).await?;
        let link = via.reset_link(desk.site(), user.number, &secret);
        send(desk, job, MailTemplate::PasswordReset, &user, json!({ "link": link })).await?;
        Ok(desk.changes())
    }
}

/// Who may set a password by a mailed link. Somebody who may not log in gets no way in; but one who waits for approval
/// may set a password meanwhile, and one whose address is to be confirmed shows by the link that it is theirs.
const fn may_reset(state: &AccountState) -> bool {
    matches!(state, AccountState::Unconfirmed | AccountState::Pending | AccountState::Approved { .. })
}

/// How many links of a sort are good at a time for one account. The oldest give way to the next.
const MAX_LINKS: usize = 20;

/// Makes a one-time token and answers its text. It is stored before the mail leaves, so that the link works when it
/// arrives.
pub(super) async fn make_token(
    desk: &Helpdesk,
    purpose: OneTimePurpose,
    user: &Stored<User>,
    email: Option<String>,
) -> Result<String, JobError> {
    let secret = one_time::text(desk.ids().secret());
    let mut changes = desk.changes();
    let at = changes.at();
    let lifetimes = &desk.tokens().lifetimes;
    let lasts = match purpose {
        OneTimePurpose::ResetPassword => lifetimes.reset,
        OneTimePurpose::ConfirmAddress | OneTimePurpose::ChangeAddress => lifetimes.confirmation,
        OneTimePurpose::Invitation => lifetimes.invitation,
    };
    let token = OneTime {
        hash: one_time::hash(&secret),
        purpose,
        organisation: OrganisationId::from_uuid(user.scope.id().unwrap_or_default()),
        user: user.id,
        expires: at + lasts,
        email,
    };
    let present = desk.identity().pending_tokens(user.id).await?;
    let alike: Vec<_> = present.iter().filter(|token| token.purpose == purpose).collect();
    let many = (alike.len() + 1).saturating_sub(MAX_LINKS);
    alike.iter().take(many).for_each(|token| changes.delete(token));
    remove_after(desk, &mut changes, token.expires);
    changes.insert(Scope::GLOBAL, OneTimeId::from_uuid(desk.ids().id(at)), &token);
    // A change of password ends what was sent before it, and must not miss this one.
    changes.require(user);
    desk.commit(changes).await?;
    Ok(secret)
}

/// Sends a mail to somebody, with what every template has.
pub(crate) async fn send(
    desk: &Helpdesk,
    job: &Job,
    template: MailTemplate,
    to: &Stored<User>,
    context: serde_json::Value,
) -> Result<(), JobError> {
    let receiver = Receiver { address: &to.email, name: &to.full_name(), first_name: &to.first_name };
    send_to(desk, job, template, to.scope, receiver, context).await
}

/// Whom a mail goes to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receiver<'a> {
    pub address: &'a str,
    pub name: &'a str,
    pub first_name: &'a str,
}

/// The same, to an address that need not be an account's.
pub(crate) async fn send_to(
    desk: &Helpdesk,
    job: &Job,
    template: MailTemplate,
    scope: Scope,
    to: Receiver<'_>,
    mut context: serde_json::Value,
) -> Result<(), JobError> {
    let organisation = OrganisationId::from_uuid(scope.id().unwrap_or_default());
    let organisation = desk.identity().organisation_of(organisation).await?;
    if let Some(context) = context.as_object_mut() {
        context.insert("name".into(), to.name.into());
        context.insert("first_name".into(), to.first_name.into());
        context.insert("organisation".into(), organisation.name.clone().into());
        context.insert("site".into(), desk.site().into());
    }
    let mail = Mail { id: job.id(), to: to.address.into(), name: to.name.into(), template, context };
    desk.mailer().send(&mail).await
}
