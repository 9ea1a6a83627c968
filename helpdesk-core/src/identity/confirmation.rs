//! The mails by which somebody shows that an address is theirs, as jobs.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::mails::{Receiver, make_token, send, send_to};
use super::one_time::OneTimePurpose;
use super::{AccountState, User, UserId};
use crate::helpdesk::Helpdesk;
use crate::jobs::{Job, JobDraft, JobError, JobHandler};
use crate::mail::MailTemplate;
use crate::storage::Changes;

const CONFIRMATION_MAIL: &str = "confirmation_mail";
const NEW_ADDRESS_MAIL: &str = "new_address_mail";
const ADDRESS_CHANGE_MAIL: &str = "address_change_mail";

/// Where a mailed link leads: an address, or a path below the site, with `{token}` for the token.
fn link(desk: &Helpdesk, template: &str, token: &str) -> String {
    let site = if template.starts_with('/') { desk.site() } else { "" };
    format!("{site}{}", template.replace("{token}", token))
}

#[derive(Debug, Serialize, Deserialize)]
struct Confirmation {
    user: UserId,
    link: String,
}

/// A mail to somebody who signed up.
pub(super) fn confirmation_mail(user: UserId, link: &str, at: DateTime<Utc>) -> JobDraft {
    let key = format!("{CONFIRMATION_MAIL}:{user}");
    JobDraft::new(CONFIRMATION_MAIL, key, at, &Confirmation { user, link: link.to_owned() })
}

/// Makes the token and sends the link.
#[derive(Debug)]
pub(super) struct ConfirmationMail;

#[async_trait]
impl JobHandler for ConfirmationMail {
    fn name(&self) -> &'static str {
        CONFIRMATION_MAIL
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let Confirmation { user, link: template } = job.payload()?;
        let user = desk.store().get::<User>(job.scope(), user).await?;
        let waits = user.filter(|user| matches!(user.state, AccountState::Unconfirmed));
        if let Some(user) = waits {
            let token = make_token(desk, OneTimePurpose::ConfirmAddress, &user, None).await?;
            let context = json!({ "link": link(desk, &template, &token) });
            send(desk, job, MailTemplate::ConfirmEmail, &user, context).await?;
        }
        Ok(desk.changes())
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct NewAddress {
    user: UserId,
    email: String,
    link: String,
}

/// A mail to the address that somebody wants to have from now on.
pub(super) fn new_address_mail(user: UserId, email: &str, link: &str, at: DateTime<Utc>) -> JobDraft {
    let key = format!("{NEW_ADDRESS_MAIL}:{user}:{}", super::one_time::hash(email));
    let order = NewAddress { user, email: email.to_owned(), link: link.to_owned() };
    JobDraft::new(NEW_ADDRESS_MAIL, key, at, &order)
}

/// Makes the token and sends the link to the new address.
#[derive(Debug)]
pub(super) struct NewAddressMail;

#[async_trait]
impl JobHandler for NewAddressMail {
    fn name(&self) -> &'static str {
        NEW_ADDRESS_MAIL
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let NewAddress { user, email, link: template } = job.payload()?;
        let user = desk.store().get::<User>(job.scope(), user).await?;
        let Some(user) = user.filter(|user| user.state.is_active()) else { return Ok(desk.changes()) };
        let token = make_token(desk, OneTimePurpose::ChangeAddress, &user, Some(email.clone())).await?;
        let context = json!({
            "title": "Confirm your new address",
            "message": "Somebody asked that an account at our help desk has this address from now on. If it was you, \
                        follow the link and give the password of your account; it works once, and for a few days only. \
                        If it was not you, there is nothing for you to do: without that password the account does not \
                        get your address.",
            "link": link(desk, &template, &token),
            "needed": true,
        });
        let name = user.full_name();
        let to = Receiver { address: &email, name: &name, first_name: &user.first_name };
        send_to(desk, job, MailTemplate::Notification, user.scope, to, context).await?;
        Ok(desk.changes())
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct AddressChange {
    user: UserId,
    from: String,
    done: bool,
}

/// A mail to the address that somebody has, or had until now, so that nobody loses an account unawares.
pub(super) fn address_change_mail(user: UserId, from: &str, done: bool, at: DateTime<Utc>) -> JobDraft {
    let key = format!("{ADDRESS_CHANGE_MAIL}:{user}:{done}");
    JobDraft::new(ADDRESS_CHANGE_MAIL, key, at, &AddressChange { user, from: from.to_owned(), done })
}

/// Sends such a mail.
#[derive(Debug)]
pub(super) struct AddressChangeMail;

#[async_trait]
impl JobHandler for AddressChangeMail {
    fn name(&self) -> &'static str {
        ADDRESS_CHANGE_MAIL
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let AddressChange { user, from, done } = job.payload()?;
        let Some(user) = desk.store().get::<User>(job.scope(), user).await? else {
            return Ok(desk.changes());
        };
        let (title, message) = if done {
            (
                "Your address was changed",
                "Your account at our help desk has another address from now on, which was confirmed. If it was not \
                 you who changed it, please tell us at once.",
            )
        } else {
            (
                "Your address is to be changed",
                "Somebody who is signed in to your account at our help desk asked for another address. This one stays \
                 until the other is confirmed. If it was not you, please choose another password.",
            )
        };
        let context = json!({ "title": title, "message": message, "link": null, "needed": true });
        let name = user.full_name();
        let to = Receiver { address: &from, name: &name, first_name: &user.first_name };
        send_to(desk, job, MailTemplate::Notification, user.scope, to, context).await?;
        Ok(desk.changes())
    }
}
