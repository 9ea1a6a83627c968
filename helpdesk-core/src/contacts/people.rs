//! Making, changing, deleting and finding contacts.

use std::collections::HashMap;
use std::sync::Arc;

use super::contact::{Contact, ContactEdit, ContactId, NewContact};
use super::{Company, CompanyId, Contacts};
use crate::actor::Actor;
use crate::error::{Error, Problem, Problems, Result};
use crate::events::{Audience, EventDraft, FieldChange};
use crate::identity::permissions;
use crate::insight::{Window, ranked};
use crate::storage::{Changes, EntityId as _, Filter, From, Listing, Slot, Stored, TotalMode};

/// Which contacts to list. By default all, newest first.
#[derive(Clone, Debug)]
pub struct ContactQuery {
    typed: Option<String>,
    limit: usize,
    from: From,
}

impl Default for ContactQuery {
    fn default() -> Self {
        Self { typed: None, limit: 100, from: From::Start }
    }
}

impl ContactQuery {
    /// Only those who have each of the words in their names, addresses or companies. A text without any word finds
    /// nothing.
    #[must_use]
    pub fn search(mut self, typed: &str) -> Self {
        self.typed = Some(typed.to_owned());
        self
    }

    /// A page: at most so many, from a place on.
    #[must_use]
    pub fn page(mut self, limit: usize, from: From) -> Self {
        self.limit = limit;
        self.from = from;
        self
    }
}

/// A contact with what is shown beside it.
#[derive(Clone, Debug)]
pub struct ContactView {
    /// The contact.
    pub contact: Arc<Stored<Contact>>,
    /// The company they belong to, if it is still there.
    pub company: Option<Arc<Stored<Company>>>,
    /// How many tickets the account of their address has asked for, as far as the actor may see them.
    pub tickets: u64,
}

/// A page of contacts.
#[derive(Clone, Debug)]
pub struct ContactPage {
    /// The contacts.
    pub contacts: Vec<ContactView>,
    /// How many there are in all.
    pub total: u64,
}

impl Contacts {
    /// A page of contacts, with the number of all.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `contact.view`.
    pub async fn list(&self, actor: &Actor, query: ContactQuery) -> Result<ContactPage> {
        actor.needs(&permissions::CONTACT_VIEW)?;
        let filter = match &query.typed {
            Some(typed) => self.sought(actor, typed).await?.filter(),
            None => Filter::all(),
        };
        let select = self.desk.store().select::<Contact>(actor.scope()).filter(filter).newest();
        let listing = select.limit(query.limit).from(query.from).total(TotalMode::Exact).page().await?;
        self.page(actor, listing).await
    }

    /// A page of the contacts that have the words, the best first.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `contact.view`.
    pub async fn search(&self, actor: &Actor, typed: &str, window: Window) -> Result<ContactPage> {
        actor.needs(&permissions::CONTACT_VIEW)?;
        let sought = self.sought(actor, typed).await?;
        let select = self.desk.store().select::<Contact>(actor.scope()).filter(sought.filter());
        let found = ranked(select, window, |contact: &Stored<Contact>| sought.score(contact)).await?;
        self.page(actor, found).await
    }

    /// A contact.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `contact.view`; [`Error::NotFound`].
    pub async fn get(&self, actor: &Actor, id: ContactId) -> Result<ContactView> {
        actor.needs(&permissions::CONTACT_VIEW)?;
        let contact = self.load(actor, id).await?;
        self.shown(actor, contact).await
    }

    /// Makes a contact.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `contact.manage`; [`Error::Invalid`] with all that is wrong, also where the
    /// address is taken or the company unknown.
    pub async fn create(&self, actor: &Actor, new: NewContact) -> Result<ContactView> {
        actor.needs(&permissions::CONTACT_MANAGE)?;
        let mut contact = new.into_contact();
        let problems = contact.tidy();
        self.check_company(actor, contact.company_id, problems).await?;
        let value = &contact;
        let ((id, at, slot), committed) = self
            .desk
            .decide(|| async move {
                let mut changes = self.desk.changes();
                let at = changes.at();
                let id = ContactId::from_uuid(self.desk.ids().id(at));
                let slot = changes.insert(actor.scope(), id, value);
                self.note(&mut changes, actor, "contact.created", id, Some(slot), Vec::new());
                Ok((changes, (id, at, slot)))
            })
            .await
            .map_err(taken)?;
        let stored = Stored::inserted(actor.scope(), id, at, committed.written(slot), contact);
        self.shown(actor, Arc::new(stored)).await
    }

    /// Changes a contact.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `contact.manage`; [`Error::NotFound`]; [`Error::Invalid`] as
    /// [`Contacts::create`].
    pub async fn update(&self, actor: &Actor, id: ContactId, edit: ContactEdit) -> Result<ContactView> {
        actor.needs(&permissions::CONTACT_MANAGE)?;
        self.load(actor, id).await?;
        let named = edit.company_id.flatten();
        let edit = &edit;
        let ((before, after, at, slot), committed) = self
            .desk
            .decide(|| async move {
                let before = self.load(actor, id).await?;
                let mut after = edit.apply(&before);
                let problems = after.tidy();
                self.check_company(actor, named, problems).await?;
                let mut changes = self.desk.changes();
                let at = changes.at();
                let changed = after.changed_since(&before);
                let slot = (!changed.is_empty()).then(|| {
                    let slot = changes.update(&before, &after);
                    self.note(&mut changes, actor, "contact.updated", id, Some(slot), changed);
                    slot
                });
                Ok((changes, (before, after, at, slot)))
            })
            .await
            .map_err(taken)?;
        let stored = match slot {
            Some(slot) => Arc::new(before.replaced(at, committed.written(slot), after)),
            None => before,
        };
        self.shown(actor, stored).await
    }

    /// Deletes a contact. Their account and their tickets stay, and so does what was written down.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `contact.manage`; [`Error::NotFound`].
    pub async fn delete(&self, actor: &Actor, id: ContactId) -> Result<()> {
        actor.needs(&permissions::CONTACT_MANAGE)?;
        self.desk
            .decide(|| async move {
                let before = self.load(actor, id).await?;
                let mut changes = self.desk.changes();
                changes.delete(&before);
                self.note(&mut changes, actor, "contact.deleted", id, None, Vec::new());
                Ok((changes, ()))
            })
            .await?;
        Ok(())
    }

    pub(super) async fn load(&self, actor: &Actor, id: ContactId) -> Result<Arc<Stored<Contact>>> {
        let found = self.desk.store().get::<Contact>(actor.scope(), id).await?;
        found.ok_or(Error::NotFound { what: "contact" })
    }

    /// Says all that is wrong, where the company is none that is there, too.
    async fn check_company(
        &self,
        actor: &Actor,
        company: Option<CompanyId>,
        mut problems: Problems,
    ) -> Result<()> {
        if let Some(id) = company {
            let found = self.desk.store().get::<Company>(actor.scope(), id).await?;
            if found.is_none_or(|company| company.deleted.is_some()) {
                problems.add("company_id", Problem::Unknown("company"));
            }
        }
        problems.into_result()
    }

    /// Writes down what was done to a contact. Seen by those who see contacts.
    pub(super) fn note(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        action: &'static str,
        id: ContactId,
        slot: Option<Slot>,
        changed: Vec<FieldChange>,
    ) {
        let version = slot.map_or(0, |slot| changes.version_after(slot));
        let audience = Audience::holders(permissions::CONTACT_VIEW);
        let draft = EventDraft::new::<Contact>(action, id, version, audience).changes(changed);
        changes.event(actor, self.desk.ids().id(changes.at()), draft);
    }

    async fn page(&self, actor: &Actor, listing: Listing<Contact>) -> Result<ContactPage> {
        let total = listing.total.map_or(0, |total| total.count);
        Ok(ContactPage { contacts: self.views(actor, listing.items).await?, total })
    }

    async fn shown(&self, actor: &Actor, contact: Arc<Stored<Contact>>) -> Result<ContactView> {
        let mut views = self.views(actor, vec![contact]).await?;
        views.pop().ok_or(Error::NotFound { what: "contact" })
    }

    /// Contacts with what is shown beside them, in a fixed number of round trips however many they are.
    async fn views(&self, actor: &Actor, contacts: Vec<Arc<Stored<Contact>>>) -> Result<Vec<ContactView>> {
        let companies: Vec<_> = contacts.iter().filter_map(|contact| contact.company_id).collect();
        let (companies, counts) =
            tokio::try_join!(self.companies_of(actor, companies), self.count_tickets(actor, &contacts))?;
        let view = |contact: Arc<Stored<Contact>>| ContactView {
            company: contact.company_id.and_then(|id| companies.get(&id.uuid()).cloned()),
            tickets: counts.get(&contact.email).copied().unwrap_or_default(),
            contact,
        };
        Ok(contacts.into_iter().map(view).collect())
    }

    /// How many tickets the account of each contact's address has asked for, by address.
    async fn count_tickets(
        &self,
        actor: &Actor,
        contacts: &[Arc<Stored<Contact>>],
    ) -> Result<HashMap<String, u64>> {
        let emails = contacts.iter().map(|contact| contact.email.as_str());
        let accounts = self.desk.identity().accounts_by_email(actor, emails).await?;
        let ids = accounts.iter().map(|account| account.id);
        let counted = self.desk.tickets().count_by_requester(actor, ids).await?;
        let mut counts: HashMap<String, u64> = HashMap::new();
        for account in &accounts {
            let count = counted.get(&account.id).copied().unwrap_or_default();
            *counts.entry(account.email.clone()).or_default() += count;
        }
        Ok(counts)
    }
}

/// Calls the field by what it is.
fn taken(error: Error) -> Error {
    match error {
        Error::Invalid(problems)
            if problems.iter().any(|(_, list)| list.contains(&Problem::Taken("email"))) =>
        {
            Error::invalid("email", Problem::Taken("e-mail address"))
        }
        other => other,
    }
}
