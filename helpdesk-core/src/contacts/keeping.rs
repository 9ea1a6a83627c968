//! Accounts of people outside become contacts: whoever may ask is somebody the desk deals with.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::contact::{Contact, ContactId, NewContact};
use crate::actor::Actor;
use crate::helpdesk::Helpdesk;
use crate::identity::{OrganisationId, Permissions, User, UserId, permissions};
use crate::jobs::{Job, JobDraft, JobError, JobHandler};
use crate::storage::{Changes, EntityId as _, Filter, Scope};

const KEEP: &str = "contact_of_account";

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    user: UserId,
}

/// Whether somebody with these permissions is one whom the desk deals with, rather than one who works in the house.
pub(crate) fn is_outside(may: &Permissions) -> bool {
    let inside = [
        permissions::QUEUE_ACCESS_HELPDESK,
        permissions::TICKET_ACCESS_INTERNAL,
        permissions::TICKET_VIEW_ALL,
    ];
    !inside.iter().any(|permission| may.contains(permission))
}

/// Has an account that was let in become a contact.
pub(crate) fn keep(desk: &Helpdesk, changes: &mut Changes, scope: Scope, user: UserId) {
    let draft = JobDraft::new(KEEP, format!("{KEEP}:{user}"), changes.at(), &Order { user });
    changes.enqueue(scope, desk.ids().id(changes.at()), draft);
}

/// Makes the contact, unless the account is one of the house or there is a contact of its address.
#[derive(Debug)]
pub(super) struct Keep;

#[async_trait]
impl JobHandler for Keep {
    fn name(&self) -> &'static str {
        KEEP
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let Order { user } = job.payload()?;
        let (scope, mut changes) = (job.scope(), desk.changes());
        let user = desk.store().get::<User>(scope, user).await?;
        let Some(user) = user.filter(|user| user.state.is_active()) else { return Ok(changes) };
        let actor = Actor::system(OrganisationId::from_uuid(scope.id().unwrap_or_default()));
        let may = desk.identity().permissions_of(&user).await?;
        if !is_outside(&may) {
            return Ok(changes);
        }
        let known = desk.store().select::<Contact>(scope).filter(Filter::equals("email", &*user.email));
        if known.first_id().await?.is_some() {
            return Ok(changes);
        }
        let mut contact = NewContact {
            name: user.full_name(),
            email: user.email.clone(),
            phone: user.phone.clone(),
            company_id: user.company,
            ..NewContact::default()
        }
        .into_contact();
        if contact.tidy().is_empty() {
            let id = ContactId::from_uuid(desk.ids().id(changes.at()));
            let slot = changes.insert(scope, id, &contact);
            desk.contacts().note(&mut changes, &actor, "contact.created", id, Some(slot), Vec::new());
        }
        Ok(changes)
    }
}
