//! Finding and reading articles, and voting on them.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::Knowledge;
use super::article::{Article, ArticleId};
use super::readers::{ArticleViews, ArticleViewsId, ArticleVote, ArticleVoteId};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::events::{Audience, EventDraft, FieldChange};
use crate::identity::{User, permissions};
use crate::insight::{Window, ranked, score};
use crate::storage::{
    Changes, Entity as _, EntityId as _, Figures, Filter, From, Group, Measure, Stored, Tally, Term,
    TotalMode, Value,
};

/// Which articles to list. By default all that the actor may see, newest first.
#[derive(Clone, Debug)]
pub struct ArticleQuery {
    filter: Filter,
    terms: Option<Vec<Term>>,
    limit: usize,
    from: From,
}

impl Default for ArticleQuery {
    fn default() -> Self {
        Self { filter: Filter::all(), terms: None, limit: 100, from: From::Start }
    }
}

impl ArticleQuery {
    /// Only those of a category.
    #[must_use]
    pub fn category(mut self, category: &str) -> Self {
        self.filter = self.filter.and(Filter::equals("category", category));
        self
    }

    /// Only those that have the words, the best first. A text without any word finds nothing.
    #[must_use]
    pub fn search(mut self, typed: &str) -> Self {
        let terms = Term::typing(typed);
        let having = if terms.is_empty() { Filter::none() } else { Filter::words(terms.clone()) };
        self.filter = self.filter.and(having);
        self.terms = Some(terms);
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

/// An article with what is shown beside it.
#[derive(Clone, Debug)]
pub struct ArticleView {
    /// The article.
    pub article: Arc<Stored<Article>>,
    /// Who wrote it.
    pub author: Option<Arc<Stored<User>>>,
    /// How often it was read by others than its author.
    pub views: u64,
    /// How many people it has helped.
    pub helpful_votes: u64,
}

/// A page of articles.
#[derive(Clone, Debug)]
pub struct ArticlePage {
    /// The articles.
    pub articles: Vec<ArticleView>,
    /// How many there are in all.
    pub total: u64,
}

/// A category that articles belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArticleCategory {
    /// What it is called.
    pub name: String,
    /// How many articles it has.
    pub articles: u64,
}

/// Which articles an actor may see: the one place where that is decided for lists.
fn visible(actor: &Actor) -> Filter {
    if actor.has(&permissions::KNOWLEDGE_WRITE) { Filter::all() } else { Filter::equals("published", true) }
}

/// Who may see an event about an article: its readers, or those who write while it is, and was, a draft.
pub(super) fn audience(article: &Article, before: Option<&Article>) -> Audience {
    let public = article.published.is_some() || before.is_some_and(|before| before.published.is_some());
    Audience::holders(if public { permissions::KNOWLEDGE_VIEW } else { permissions::KNOWLEDGE_WRITE })
}

impl Knowledge {
    /// A page of articles, with the number of all.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `knowledge.view`. Drafts are there for who has `knowledge.write`.
    pub async fn list(&self, actor: &Actor, query: ArticleQuery) -> Result<ArticlePage> {
        actor.needs(&permissions::KNOWLEDGE_VIEW)?;
        let ArticleQuery { filter, terms, limit, from } = query;
        let select = self.desk.store().select::<Article>(actor.scope()).filter(visible(actor)).filter(filter);
        let skip = match from {
            From::Start => Some(0),
            From::Offset(skip) => Some(skip),
            // A place in the order of age.
            From::After(_) | From::Before(_) => None,
        };
        let listing = match (terms, skip) {
            (Some(terms), Some(skip)) => {
                ranked(select, Window { skip, limit }, |article: &Stored<Article>| {
                    let words = [&article.title, &article.category].into_iter().chain(&article.tags);
                    score(&terms, words.map(String::as_str), [&*article.content])
                })
                .await?
            }
            _ => select.newest().limit(limit).from(from).total(TotalMode::Exact).page().await?,
        };
        let total = listing.total.map_or(0, |total| total.count);
        Ok(ArticlePage { articles: self.views(actor, listing.items).await?, total })
    }

    /// An article, which somebody reads: that counts, unless it is a draft or their own.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `knowledge.view`; [`Error::NotFound`], also for a draft without `knowledge.write`.
    pub async fn read(&self, actor: &Actor, id: ArticleId) -> Result<ArticleView> {
        let counted = self
            .desk
            .decide(|| async move {
                let article = self.visible(actor, id).await?;
                let mut changes = self.desk.changes();
                self.count(actor, &article, &mut changes).await?;
                Ok((changes, article))
            })
            .await;
        let article = match counted {
            Ok((article, _)) => article,
            // That it cannot be counted for the moment is no reason not to show it.
            Err(Error::Conflict(_) | Error::Unavailable { .. }) => self.visible(actor, id).await?,
            Err(error) => return Err(error),
        };
        self.view(actor, article).await
    }

    /// Says whether an article has helped. Everybody has one vote on each article, and may change it.
    ///
    /// # Errors
    ///
    /// As [`Knowledge::read`]; [`Error::NotYours`] where the actor is no person.
    pub async fn vote(&self, actor: &Actor, id: ArticleId, helpful: bool) -> Result<ArticleView> {
        let (article, _) = self
            .desk
            .decide(|| async move {
                let article = self.visible(actor, id).await?;
                let user = actor.person()?;
                let vote = ArticleVote { article: id, user, helpful };
                let vote_id = ArticleVoteId::of(id, user);
                let mut changes = self.desk.changes();
                let before = self.desk.store().get::<ArticleVote>(actor.scope(), vote_id).await?;
                let was = before.as_ref().map(|before| before.helpful);
                if was == Some(helpful) {
                    return Ok((changes, article));
                }
                match before {
                    Some(before) => changes.update(&before, &vote),
                    None => changes.insert(actor.scope(), vote_id, &vote),
                };
                changes.require(&article);
                let told = FieldChange { field: "helpful".into(), from: was.into(), to: helpful.into() };
                let draft = EventDraft::new::<Article>(
                    "article.voted",
                    id,
                    article.version,
                    audience(&article, None),
                );
                changes.event(actor, self.desk.ids().id(changes.at()), draft.changes(vec![told]));
                Ok((changes, article))
            })
            .await?;
        self.view(actor, article).await
    }

    /// The categories of the articles that the actor may see, by name.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `knowledge.view`.
    pub async fn categories(&self, actor: &Actor) -> Result<Vec<ArticleCategory>> {
        actor.needs(&permissions::KNOWLEDGE_VIEW)?;
        let tally =
            Tally::new(Article::SPEC, actor.scope()).filter(visible(actor)).by(Group::Field("category"));
        let counted = self.desk.store().tally(&tally).await?;
        let category = |figures: &Figures| {
            let name = figures.keys[0].as_text()?.to_owned();
            Some(ArticleCategory { name, articles: figures.values[0].as_int()?.unsigned_abs() })
        };
        Ok(counted.iter().filter_map(category).collect())
    }

    pub(super) async fn load(&self, actor: &Actor, id: ArticleId) -> Result<Arc<Stored<Article>>> {
        let found = self.desk.store().get::<Article>(actor.scope(), id).await?;
        found.ok_or(Error::NotFound { what: "article" })
    }

    /// An article that the actor may see.
    async fn visible(&self, actor: &Actor, id: ArticleId) -> Result<Arc<Stored<Article>>> {
        actor.needs(&permissions::KNOWLEDGE_VIEW)?;
        let article = self.load(actor, id).await?;
        if article.published.is_none() && !actor.has(&permissions::KNOWLEDGE_WRITE) {
            return Err(Error::NotFound { what: "article" });
        }
        Ok(article)
    }

    /// Counts that somebody reads an article. It is not written down who did.
    async fn count(&self, actor: &Actor, article: &Stored<Article>, changes: &mut Changes) -> Result<()> {
        let Some(reader) = actor.user().filter(|user| *user != article.author) else { return Ok(()) };
        if article.published.is_none() {
            return Ok(());
        }
        let id = ArticleViewsId::of(article.id, reader);
        match self.desk.store().get::<ArticleViews>(actor.scope(), id).await? {
            Some(before) => {
                let count = before.count.saturating_add(1);
                changes.update(&before, &ArticleViews { count, ..before.value.clone() });
            }
            None => {
                changes.insert(actor.scope(), id, &ArticleViews { article: article.id, count: 1 });
            }
        }
        // That the article is still there is not required: whoever changes it would have to wait for its readers.
        Ok(())
    }

    pub(super) async fn view(&self, actor: &Actor, article: Arc<Stored<Article>>) -> Result<ArticleView> {
        let mut views = self.views(actor, vec![article]).await?;
        views.pop().ok_or(Error::NotFound { what: "article" })
    }

    /// Articles with what is shown beside them, in a fixed number of round trips however many they are.
    async fn views(&self, actor: &Actor, articles: Vec<Arc<Stored<Article>>>) -> Result<Vec<ArticleView>> {
        if articles.is_empty() {
            return Ok(Vec::new());
        }
        let of_them =
            || Filter::one_of("article", articles.iter().map(|article| Value::Uuid(article.id.uuid())));
        let votes = Tally::new(ArticleVote::SPEC, actor.scope())
            .filter(of_them().and(Filter::equals("helpful", true)))
            .by(Group::Field("article"));
        let reads = Tally::new(ArticleViews::SPEC, actor.scope())
            .filter(of_them())
            .by(Group::Field("article"))
            .measure(Measure::Sum("count"));
        let store = self.desk.store();
        let authors = articles.iter().map(|article| article.author);
        let (authors, votes, reads) = tokio::try_join!(
            store.get_map::<User>(actor.scope(), authors),
            store.tally(&votes),
            store.tally(&reads),
        )?;
        let (votes, reads) = (by_article(&votes), by_article(&reads));
        let figure = |figures: &HashMap<Uuid, u64>, id: ArticleId| {
            figures.get(&id.uuid()).copied().unwrap_or_default()
        };
        let view = |article: Arc<Stored<Article>>| ArticleView {
            author: authors.get(&article.author.uuid()).cloned(),
            views: figure(&reads, article.id),
            helpful_votes: figure(&votes, article.id),
            article,
        };
        Ok(articles.into_iter().map(view).collect())
    }
}

fn by_article(figures: &[Figures]) -> HashMap<Uuid, u64> {
    let entry =
        |figures: &Figures| Some((figures.keys[0].as_uuid()?, figures.values[0].as_int()?.unsigned_abs()));
    figures.iter().filter_map(entry).collect()
}
