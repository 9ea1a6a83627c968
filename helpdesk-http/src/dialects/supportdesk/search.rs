//! Search over everything, and over tickets and contacts alone.

use helpdesk_core::Problem;
use helpdesk_core::contacts::ContactPage;
use helpdesk_core::identity::permissions;
use helpdesk_core::insight::{SearchKind, Window};
use serde::Serialize;
use utoipa::ToSchema;

use super::contacts::{ContactItem, contact};
use super::envelope::{Page, Success, SuccessList, data, list};
use super::knowledge::{ArticleItem, article};
use super::show::{TicketItem, ticket};
use crate::input;
use crate::input::{Choices, Int, Line};
use crate::kernel::{Auth, Call, Failure, Json, Operation, Query};

input! {
    /// What to search for, in everything.
    struct GlobalQuery {
        /// The words; the last may be the beginning of one.
        q: Line<500>,
        /// What to search: `tickets`, `contacts`, `articles`, with commas between them; all when left out.
        types: Option<Line<100>>,
        /// How many of each: 20, at most 100.
        limit: Option<Int<1, 100>>,
    }

    /// What to search for.
    struct SearchQuery {
        /// The words; the last may be the beginning of one.
        q: Line<500>,
        /// The number of the page, from 1.
        page: Option<Int<1, 1_000_000>>,
        /// How many to a page: 20, at most 100.
        limit: Option<Int<1, 100>>,
    }
}

/// What there is to search.
#[derive(Clone, Copy, Debug)]
struct Types;

impl Choices for Types {
    type Value = SearchKind;

    const WORDS: &'static [(&'static str, SearchKind)] = &[
        ("tickets", SearchKind::Tickets),
        ("contacts", SearchKind::Contacts),
        ("articles", SearchKind::Articles),
    ];
}

/// What was found of each.
#[derive(Debug, Serialize, ToSchema)]
struct SearchFound {
    tickets: Vec<TicketItem>,
    contacts: Vec<ContactItem>,
    articles: Vec<ArticleItem>,
}

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::get("search.global", "/api/search", global)
            .auth(Auth::Bearer)
            .says("Searches everything", "What the caller may see of each, the best first.")
            .errors(&[401, 422]),
        Operation::get("search.tickets", "/api/search/tickets", tickets)
            .auth(Auth::Bearer)
            .says("Searches tickets", "By their words or their number, the best first.")
            .errors(&[401, 422]),
        Operation::get("search.contacts", "/api/search/contacts", contacts)
            .needs(permissions::CONTACT_VIEW)
            .says("Searches contacts", "By name, address or company, the best first.")
            .errors(&[401, 403, 422]),
    ];
    operations.into_iter().map(|operation| operation.area("Search")).collect()
}

/// What the words between commas stand for.
fn kinds(types: &str) -> Result<Vec<SearchKind>, Failure> {
    let kind = |word: &str| Types::WORDS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind);
    let words = types.split(',').map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            kind(word).ok_or_else(|| {
                let choices = Types::WORDS.iter().map(|(word, _)| (*word).to_owned()).collect();
                Failure::invalid("types", Problem::Choice { given: word.chars().take(50).collect(), choices })
            })
        })
        .collect()
}

fn window(page: Page) -> Window {
    Window { skip: (page.number - 1) * page.limit, limit: page.size() }
}

async fn global(call: Call, Query(query): Query<GlobalQuery>) -> Result<Json<Success<SearchFound>>, Failure> {
    let kinds = match &query.types {
        Some(types) => kinds(types)?,
        None => SearchKind::ALL.to_vec(),
    };
    let limit = Page::of(None, query.limit).size();
    let found = call.desk.insight().search(call.actor(), &query.q, &kinds, limit).await?;
    Ok(data(SearchFound {
        tickets: found.tickets.iter().map(|found| ticket(found, call.actor())).collect(),
        contacts: found.contacts.iter().map(contact).collect(),
        articles: found.articles.iter().map(article).collect(),
    }))
}

async fn tickets(
    call: Call,
    Query(query): Query<SearchQuery>,
) -> Result<Json<SuccessList<TicketItem>>, Failure> {
    let page = Page::of(query.page, query.limit);
    let found = call.desk.insight().search_tickets(call.actor(), &query.q, window(page)).await?;
    let shown = found.items.iter().map(|found| ticket(found, call.actor()));
    Ok(list(shown.collect(), page.of_listing(&found)))
}

async fn contacts(
    call: Call,
    Query(query): Query<SearchQuery>,
) -> Result<Json<SuccessList<ContactItem>>, Failure> {
    let page = Page::of(query.page, query.limit);
    let found = call.desk.insight().search_contacts(call.actor(), &query.q, window(page)).await?;
    let ContactPage { contacts, total } = found;
    Ok(list(contacts.iter().map(contact).collect(), page.pagination(total)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_words_between_commas() {
        assert_eq!(kinds("articles, tickets,").expect("known"), [SearchKind::Articles, SearchKind::Tickets]);
        assert!(kinds("tickets,people").is_err());
    }
}
