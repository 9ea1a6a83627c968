//! Searching everything at once.

use std::sync::Arc;

use super::Insight;
use super::ranking::{Window, ranked, score};
use crate::actor::Actor;
use crate::contacts::{ContactPage, ContactView};
use crate::error::Result;
use crate::identity::permissions;
use crate::knowledge::{ArticlePage, ArticleQuery, ArticleView};
use crate::storage::{EntityId as _, Filter, From, Listing, Stored, Term};
use crate::tickets::{Ticket, TicketQuery};

/// What can be searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchKind {
    /// Tickets.
    Tickets,
    /// Contacts.
    Contacts,
    /// Articles of the knowledge base.
    Articles,
}

impl SearchKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tickets, Self::Contacts, Self::Articles];
}

/// What a search has found, the best of each kind first.
#[derive(Clone, Debug, Default)]
pub struct SearchResults {
    /// Tickets.
    pub tickets: Vec<Arc<Stored<Ticket>>>,
    /// Contacts.
    pub contacts: Vec<ContactView>,
    /// Articles.
    pub articles: Vec<ArticleView>,
}

impl Insight {
    /// Searches several kinds of record at once: at most `limit` of each, the best first. What the actor may not see is
    /// not found; a text without any word finds nothing, but a ticket's number finds the ticket.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn search(
        &self,
        actor: &Actor,
        typed: &str,
        kinds: &[SearchKind],
        limit: usize,
    ) -> Result<SearchResults> {
        let wants = |kind| kinds.contains(&kind);
        let tickets = wants(SearchKind::Tickets);
        let contacts = wants(SearchKind::Contacts) && actor.has(&permissions::CONTACT_VIEW);
        let articles = wants(SearchKind::Articles) && actor.has(&permissions::KNOWLEDGE_VIEW);
        let window = Window::first(limit);
        let (tickets, contacts, articles) = tokio::try_join!(
            given(tickets, self.search_tickets(actor, typed, window)),
            given(contacts, self.search_contacts(actor, typed, window)),
            given(articles, self.search_articles(actor, typed, window)),
        )?;
        Ok(SearchResults {
            tickets: tickets.map(|found| found.items).unwrap_or_default(),
            contacts: contacts.map(|found| found.contacts).unwrap_or_default(),
            articles: articles.map(|found| found.articles).unwrap_or_default(),
        })
    }

    /// The tickets that the actor may see and that have the words or the number, with the number of all.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn search_tickets(
        &self,
        actor: &Actor,
        typed: &str,
        window: Window,
    ) -> Result<Listing<Ticket>> {
        let (terms, tickets) = (Term::typing(typed), self.desk.tickets());
        // Nobody types a number for its own sake.
        let named = match number(actor, typed) {
            Some(number) => {
                let query = TicketQuery::default().search("", [number]);
                tickets.select(actor, query).await?.first().await?
            }
            None => None,
        };
        let mut select = tickets.select(actor, TicketQuery::default().search(typed, [])).await?;
        if let Some(named) = &named {
            select = select.filter(Filter::equals("id", named.id.uuid()).not());
        }
        let ahead = u64::from(named.is_some());
        let first = named.filter(|_| window.skip == 0 && window.limit > 0);
        let rest = Window {
            skip: window.skip.saturating_sub(ahead),
            limit: window.limit - usize::from(first.is_some()),
        };
        let mut found = ranked(select, rest, |ticket: &Stored<Ticket>| {
            let called = std::iter::once(&ticket.subject).chain(&ticket.tags).map(String::as_str);
            score(&terms, called, [&*ticket.description])
        })
        .await?;
        if let Some(total) = &mut found.total {
            total.count += ahead;
        }
        found.items.splice(0..0, first);
        Ok(found)
    }

    /// The contacts that have the words, with the number of all.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`](crate::Error::Forbidden) without `contact.view`.
    pub async fn search_contacts(&self, actor: &Actor, typed: &str, window: Window) -> Result<ContactPage> {
        self.desk.contacts().search(actor, typed, window).await
    }

    /// The articles that the actor may see and that have the words, with the number of all.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`](crate::Error::Forbidden) without `knowledge.view`.
    pub async fn search_articles(&self, actor: &Actor, typed: &str, window: Window) -> Result<ArticlePage> {
        let query = ArticleQuery::default().search(typed).page(window.limit, From::Offset(window.skip));
        self.desk.knowledge().list(actor, query).await
    }
}

/// What a search finds, where it is to be made.
async fn given<T>(wanted: bool, search: impl Future<Output = Result<T>> + Send) -> Result<Option<T>> {
    if wanted { search.await.map(Some) } else { Ok(None) }
}

/// The number of the ticket that the text names, as it is called at the actor's door or plainly.
fn number(actor: &Actor, typed: &str) -> Option<i64> {
    let typed = typed.trim();
    actor.via().tickets.parse(typed).or_else(|| typed.parse().ok()).filter(|number| *number > 0)
}
