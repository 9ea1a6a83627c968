//! What transports call of companies.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Company, CompanyId, Contacts};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::events::{Audience, EventDraft, FieldChange};
use crate::identity::permissions;
use crate::storage::{Changes, EntityId as _, Filter, From, Listing, Slot, Stored, Term, TotalMode};

/// A company to be made.
#[derive(Clone, Debug, Default)]
pub struct NewCompany {
    /// What it is called.
    pub name: String,
    /// The domain of its addresses.
    pub domain: Option<String>,
    /// What the desk keeps of it.
    pub settings: Map<String, Value>,
}

/// Changes to a company: what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct CompanyEdit {
    /// What it is called.
    pub name: Option<String>,
    /// The domain of its addresses.
    pub domain: Option<Option<String>>,
    /// What the desk keeps of it, in place of what it kept.
    pub settings: Option<Map<String, Value>>,
}

/// Which companies to list. By default all, by name.
#[derive(Clone, Debug)]
pub struct CompanyQuery {
    filter: Filter,
    limit: usize,
    from: From,
}

impl Default for CompanyQuery {
    fn default() -> Self {
        Self { filter: Filter::equals("deleted", false), limit: 100, from: From::Start }
    }
}

impl CompanyQuery {
    /// Only those whose names or domains have the words.
    #[must_use]
    pub fn search(mut self, typed: &str) -> Self {
        let terms = Term::typing(typed);
        // A text without any word finds nothing, rather than everything.
        let words = if terms.is_empty() { Filter::none() } else { Filter::words(terms) };
        self.filter = self.filter.and(words);
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

impl Contacts {
    /// A page of the companies, with the number of all.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.view_organization`.
    pub async fn companies(&self, actor: &Actor, query: CompanyQuery) -> Result<Listing<Company>> {
        actor.needs(&permissions::ADMIN_VIEW_ORGANIZATION)?;
        let companies = self.desk.store().select::<Company>(actor.scope()).filter(query.filter);
        let companies = companies.ascending("name").limit(query.limit).from(query.from);
        Ok(companies.total(TotalMode::Exact).page().await?)
    }

    /// A company.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `contact.view`; [`Error::NotFound`], also for a deleted one.
    pub async fn company(&self, actor: &Actor, id: CompanyId) -> Result<Arc<Stored<Company>>> {
        actor.needs(&permissions::CONTACT_VIEW)?;
        self.load_company(actor, id).await
    }

    /// The companies behind ids that a record shows, without those that were deleted: whoever belonged to one of them
    /// belongs to none.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn companies_of(
        &self,
        actor: &Actor,
        ids: impl IntoIterator<Item = CompanyId> + Send,
    ) -> Result<HashMap<Uuid, Arc<Stored<Company>>>> {
        let mut companies = self.desk.store().get_map::<Company>(actor.scope(), ids).await?;
        companies.retain(|_, company| company.deleted.is_none());
        Ok(companies)
    }

    /// Makes a company.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `contact.manage_companies`; [`Error::Invalid`] with all that is wrong, also where
    /// another company has the domain.
    pub async fn create_company(&self, actor: &Actor, new: NewCompany) -> Result<Stored<Company>> {
        actor.needs(&permissions::CONTACT_MANAGE_COMPANIES)?;
        let company = Company {
            name: new.name.trim().to_owned(),
            domain: new.domain.as_deref().map(normal),
            settings: new.settings,
            deleted: None,
            ext: Map::new(),
        };
        company.problems().into_result()?;
        let mut changes = self.desk.changes();
        let at = changes.at();
        let id = CompanyId::from_uuid(self.desk.ids().id(at));
        let slot = changes.insert(actor.scope(), id, &company);
        self.record_company(&mut changes, actor, "company.created", (id, slot), &[]);
        let committed = self.desk.commit(changes).await?;
        Ok(Stored::inserted(actor.scope(), id, at, committed.written(slot), company))
    }

    /// Changes a company.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `contact.manage_companies`; [`Error::NotFound`]; [`Error::Invalid`] with all that
    /// is wrong, also where another company has the domain.
    pub async fn update_company(
        &self,
        actor: &Actor,
        id: CompanyId,
        edit: CompanyEdit,
    ) -> Result<Stored<Company>> {
        actor.needs(&permissions::CONTACT_MANAGE_COMPANIES)?;
        let edit = &edit;
        self.change_company(actor, id, "company.updated", |company, _| {
            if let Some(name) = &edit.name {
                name.trim().clone_into(&mut company.name);
            }
            if let Some(domain) = &edit.domain {
                company.domain = domain.as_deref().map(normal);
            }
            if let Some(settings) = &edit.settings {
                company.settings.clone_from(settings);
            }
            company.problems().into_result()
        })
        .await
    }

    /// Deletes a company. It stays as a mark for what refers to it, and its domain is free for another.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `contact.manage_companies`; [`Error::NotFound`].
    pub async fn delete_company(&self, actor: &Actor, id: CompanyId) -> Result<()> {
        actor.needs(&permissions::CONTACT_MANAGE_COMPANIES)?;
        let delete = |company: &mut Company, changes: &mut Changes| {
            company.deleted = Some(changes.at());
            Ok(())
        };
        self.change_company(actor, id, "company.deleted", delete).await.map(drop)
    }

    async fn load_company(&self, actor: &Actor, id: CompanyId) -> Result<Arc<Stored<Company>>> {
        let found = self.desk.store().get::<Company>(actor.scope(), id).await?;
        found.filter(|company| company.deleted.is_none()).ok_or(Error::NotFound { what: "company" })
    }

    /// Changes a company, and writes down that it was done.
    async fn change_company(
        &self,
        actor: &Actor,
        id: CompanyId,
        action: &'static str,
        change: impl Fn(&mut Company, &mut Changes) -> Result<()> + Send + Sync,
    ) -> Result<Stored<Company>> {
        let change = &change;
        let ((before, company, slot, at), committed) = self
            .desk
            .decide(|| async move {
                let before = self.load_company(actor, id).await?;
                let mut changes = self.desk.changes();
                let at = changes.at();
                let mut company = before.value.clone();
                change(&mut company, &mut changes)?;
                let slot = changes.update(&before, &company);
                let fields = changed_fields(&before, &company);
                self.record_company(&mut changes, actor, action, (id, slot), &fields);
                Ok((changes, (before, company, slot, at)))
            })
            .await?;
        Ok(before.replaced(at, committed.written(slot), company))
    }

    /// Writes down what was done to a company, and to which of its fields. What they hold is in the record alone.
    fn record_company(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        action: &'static str,
        (id, slot): (CompanyId, Slot),
        fields: &[&'static str],
    ) {
        let hidden = || Value::Null;
        let changed =
            fields.iter().map(|field| FieldChange { field: (*field).into(), from: hidden(), to: hidden() });
        let audience = Audience::holders(permissions::CONTACT_VIEW);
        let draft = EventDraft::new::<Company>(action, id, changes.version_after(slot), audience);
        let draft = draft.changes(changed.collect());
        changes.event(actor, self.desk.ids().id(changes.at()), draft);
    }
}

/// A domain as it is compared.
fn normal(domain: &str) -> String {
    domain.trim().to_lowercase()
}

fn changed_fields(before: &Company, after: &Company) -> Vec<&'static str> {
    [
        ("name", before.name != after.name),
        ("domain", before.domain != after.domain),
        ("settings", before.settings != after.settings),
    ]
    .into_iter()
    .filter_map(|(field, differs)| differs.then_some(field))
    .collect()
}
