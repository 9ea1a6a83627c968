//! Finding contacts by words of their own, or of the company they belong to.

use std::collections::HashMap;

use uuid::Uuid;

use super::contact::Contact;
use super::{Company, CompanyId, Contacts};
use crate::actor::Actor;
use crate::error::Result;
use crate::insight::score;
use crate::storage::{EntityId as _, Filter, MAX_PAGE, Stored, Term, Value, Words};

/// For how many words companies are looked up: nobody types more of a name.
const NAMED: usize = 8;

/// What a text asks for.
#[derive(Debug)]
pub(super) struct Sought {
    terms: Vec<Term>,
    /// The companies that have some of the words, by what they are called.
    companies: HashMap<Uuid, String>,
}

impl Contacts {
    /// What somebody looks for who typed a text.
    pub(super) async fn sought(&self, actor: &Actor, typed: &str) -> Result<Sought> {
        let terms = Term::typing(typed);
        let any = terms.iter().take(NAMED).map(|term| Filter::words(vec![term.clone()])).reduce(Filter::or);
        let Some(any) = any else { return Ok(Sought { terms, companies: HashMap::new() }) };
        let companies = self.desk.store().select::<Company>(actor.scope());
        let companies = companies.filter(Filter::equals("deleted", false).and(any)).newest().limit(MAX_PAGE);
        let companies = companies.page().await?.items.into_iter();
        let companies = companies.map(|company| (company.id.uuid(), company.name.clone())).collect();
        Ok(Sought { terms, companies })
    }
}

impl Sought {
    /// Those that have each of the words, in their own texts or in their company's name. No words find nothing, rather
    /// than everything.
    pub(super) fn filter(&self) -> Filter {
        let (mut own, mut either) = (Vec::new(), Vec::new());
        for term in &self.terms {
            let of_company = self.companies.iter().filter(|(_, name)| has(name, term));
            let companies: Vec<_> = of_company.map(|(id, _)| Value::Uuid(*id)).collect();
            if companies.is_empty() {
                own.push(term.clone());
            } else {
                either.push(Filter::words(vec![term.clone()]).or(Filter::one_of("company", companies)));
            }
        }
        let own = (!own.is_empty()).then(|| Filter::words(own));
        own.into_iter().chain(either).reduce(Filter::and).unwrap_or_else(Filter::none)
    }

    /// How well a contact fits.
    pub(super) fn score(&self, contact: &Stored<Contact>) -> u32 {
        let of_company = |id: CompanyId| self.companies.get(&id.uuid()).map(String::as_str);
        let works_for = contact.company.as_deref().into_iter().chain(contact.company_id.and_then(of_company));
        score(&self.terms, [&*contact.name, &contact.email], works_for)
    }
}

/// Whether a name has a word.
fn has(name: &str, term: &Term) -> bool {
    Words::cut([name]).satisfy(std::slice::from_ref(term))
}
