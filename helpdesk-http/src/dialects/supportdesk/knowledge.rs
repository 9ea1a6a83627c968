//! The knowledge base.

use std::collections::BTreeSet;

use helpdesk_core::identity::permissions;
use helpdesk_core::knowledge::{ArticleEdit, ArticleId, ArticlePage, ArticleQuery, ArticleView, NewArticle};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Nothing, Page, PageQuery, Success, SuccessList, data, done, list as listed};
use super::show::time;
use crate::input;
use crate::input::{Int, Line, Text};
use crate::kernel::{Body, BodyKind, Call, Failure, Json, Operation, Query};

/// The most bytes of an article's body: the longest content with every character written as an escape.
const ARTICLE_BYTES: u64 = 3 * 1024 * 1024;

input! {
    /// Which articles to list.
    struct ListQuery {
        /// The number of the page, from 1.
        page: Option<Int<1, 1_000_000>>,
        /// How many to a page: 20, at most 100.
        limit: Option<Int<1, 100>>,
        /// Only those of the category.
        category: Option<Line<100>>,
        /// Only those that have the words, the best first.
        search: Option<Line<500>>,
    }

    /// An article to be made.
    struct Create {
        /// What it is called.
        title: Line<255>,
        /// What it says, in Markdown.
        content: Text<200_000>,
        /// What it belongs to.
        category: Line<100>,
        /// Words it is marked with.
        tags: Option<Vec<Line<100>>>,
        /// Whether everybody may read it; otherwise it is a draft.
        published: Option<bool>,
    }

    /// What is to be different about an article.
    struct Update {
        /// What it is called.
        title: Option<Line<255>>,
        /// What it says, in Markdown.
        content: Option<Text<200_000>>,
        /// What it belongs to.
        category: Option<Line<100>>,
        /// Words it is marked with.
        tags: Option<Vec<Line<100>>>,
        /// Whether everybody may read it; otherwise it is a draft.
        published: Option<bool>,
    }

    /// A vote on an article.
    struct Vote {
        /// Whether it has helped.
        helpful: bool,
    }
}

/// An article.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ArticleItem {
    id: String,
    title: String,
    /// In Markdown, as it was written.
    content: String,
    /// The same in HTML that is safe to be shown; of a single article.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<String>,
    category: String,
    tags: Vec<String>,
    published: bool,
    author: ArticleAuthor,
    views: u64,
    helpful_votes: u64,
    created_at: String,
    updated_at: String,
}

/// Who wrote an article.
#[derive(Debug, Serialize, ToSchema)]
struct ArticleAuthor {
    id: String,
    name: String,
}

/// A category.
#[derive(Debug, Serialize, ToSchema)]
struct ArticleCategory {
    name: String,
    articles_count: u64,
}

/// What a vote has come to.
#[derive(Debug, Serialize, ToSchema)]
struct ArticleVotes {
    id: String,
    helpful_votes: u64,
}

pub(super) fn operations() -> Vec<Operation> {
    let (read, write) = (permissions::KNOWLEDGE_VIEW, permissions::KNOWLEDGE_WRITE);
    let long =
        |operation: Operation| Operation { body: BodyKind::Json { limit: ARTICLE_BYTES }, ..operation };
    let operations = vec![
        Operation::get("kb.articles.list", "/api/kb/articles", list)
            .needs(read.clone())
            .says(
                "Lists articles",
                "Newest first, or with `search` the best first. Drafts are for those who write.",
            )
            .errors(&[401, 403, 422]),
        long(Operation::post("kb.articles.create", "/api/kb/articles", create))
            .needs(write.clone())
            .success(StatusCode::CREATED)
            .says("Makes an article", "The caller is its author.")
            .errors(&[400, 401, 403, 422]),
        Operation::get("kb.articles.get", "/api/kb/articles/{id}", get)
            .needs(read.clone())
            .says("Shows an article", "Which counts as a view, unless it is a draft or the caller's own.")
            .errors(&[401, 403, 404]),
        long(Operation::put("kb.articles.update", "/api/kb/articles/{id}", update))
            .needs(write.clone())
            .says(
                "Changes an article",
                "What is not sent stays as it is. Other people's articles are for team leads.",
            )
            .errors(&[400, 401, 403, 404, 422]),
        Operation::delete("kb.articles.delete", "/api/kb/articles/{id}", delete)
            .needs(write)
            .says("Deletes an article", "With its votes. Other people's articles are for team leads.")
            .errors(&[401, 403, 404]),
        Operation::post("kb.articles.vote", "/api/kb/articles/{id}/vote", vote)
            .needs(read.clone())
            .says("Votes on an article", "Everybody has one vote on each article, and may change it.")
            .errors(&[400, 401, 403, 404, 422]),
        Operation::get("kb.categories", "/api/kb/categories", categories)
            .needs(read)
            .says("Lists the categories of articles", "Those that the caller sees articles of, by name.")
            .errors(&[401, 403, 422]),
    ];
    operations.into_iter().map(|operation| operation.area("Knowledge Base")).collect()
}

/// An article as lists show it.
pub(super) fn article(view: &ArticleView) -> ArticleItem {
    let article = &view.article;
    ArticleItem {
        id: article.id.to_string(),
        title: article.title.clone(),
        content: article.content.clone(),
        content_html: None,
        category: article.category.clone(),
        tags: article.tags.iter().cloned().collect(),
        published: article.published.is_some(),
        author: ArticleAuthor {
            id: article.author.to_string(),
            name: view.author.as_ref().map(|author| author.full_name()).unwrap_or_default(),
        },
        views: view.views,
        helpful_votes: view.helpful_votes,
        created_at: time(article.created_at),
        updated_at: time(article.updated_at),
    }
}

/// An article by itself.
fn detail(view: &ArticleView) -> ArticleItem {
    ArticleItem { content_html: Some(view.article.html()), ..article(view) }
}

/// The article that the path names.
fn named(call: &Call) -> Result<ArticleId, Failure> {
    call.id("id", "article")
}

fn words(tags: Vec<Line<100>>) -> BTreeSet<String> {
    tags.into_iter().map(|tag| tag.0).collect()
}

async fn list(call: Call, Query(query): Query<ListQuery>) -> Result<Json<SuccessList<ArticleItem>>, Failure> {
    let page = Page::of(query.page, query.limit);
    let mut wanted = ArticleQuery::default().page(page.size(), page.from());
    if let Some(category) = &query.category {
        wanted = wanted.category(category);
    }
    if let Some(search) = &query.search {
        wanted = wanted.search(search);
    }
    let ArticlePage { articles, total } = call.desk.knowledge().list(call.actor(), wanted).await?;
    Ok(listed(articles.iter().map(article).collect(), page.pagination(total)))
}

async fn create(call: Call, Body(body): Body<Create>) -> Result<Json<Success<ArticleItem>>, Failure> {
    let new = NewArticle {
        title: body.title.0,
        content: body.content.0,
        category: body.category.0,
        tags: words(body.tags.unwrap_or_default()),
        published: body.published.unwrap_or_default(),
    };
    Ok(data(detail(&call.desk.knowledge().create(call.actor(), new).await?)))
}

async fn get(call: Call) -> Result<Json<Success<ArticleItem>>, Failure> {
    Ok(data(detail(&call.desk.knowledge().read(call.actor(), named(&call)?).await?)))
}

async fn update(call: Call, Body(body): Body<Update>) -> Result<Json<Success<ArticleItem>>, Failure> {
    let edit = ArticleEdit {
        title: body.title.map(|title| title.0),
        content: body.content.map(|content| content.0),
        category: body.category.map(|category| category.0),
        tags: body.tags.map(words),
        published: body.published,
    };
    Ok(data(detail(&call.desk.knowledge().update(call.actor(), named(&call)?, edit).await?)))
}

async fn delete(call: Call) -> Result<Json<Success<Nothing>>, Failure> {
    call.desk.knowledge().delete(call.actor(), named(&call)?).await?;
    Ok(done("Article deleted"))
}

async fn vote(call: Call, Body(body): Body<Vote>) -> Result<Json<Success<ArticleVotes>>, Failure> {
    let voted = call.desk.knowledge().vote(call.actor(), named(&call)?, body.helpful).await?;
    Ok(data(ArticleVotes { id: voted.article.id.to_string(), helpful_votes: voted.helpful_votes }))
}

async fn categories(
    call: Call,
    Query(query): Query<PageQuery>,
) -> Result<Json<SuccessList<ArticleCategory>>, Failure> {
    let page = query.page();
    let categories = call.desk.knowledge().categories(call.actor()).await?;
    let total = categories.len() as u64;
    let before = usize::try_from((page.number - 1) * page.limit).unwrap_or(usize::MAX);
    let shown = categories
        .into_iter()
        .skip(before)
        .take(page.size())
        .map(|category| ArticleCategory { name: category.name, articles_count: category.articles });
    Ok(listed(shown.collect(), page.pagination(total)))
}
