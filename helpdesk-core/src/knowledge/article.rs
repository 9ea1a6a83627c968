//! The article.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::markdown;
use crate::entity_id;
use crate::error::Problems;
use crate::events::FieldChange;
use crate::identity::UserId;
use crate::storage::{Entity, EntityId as _, FieldSpec, KindSpec, Row};
use crate::texts::Texts;

/// The longest texts that are taken, in characters, and the most tags of an article.
const MAX_TITLE: usize = 255;
const MAX_CONTENT: usize = 200_000;
const MAX_CATEGORY: usize = 100;
const MAX_TAG: usize = 100;
const MAX_TAGS: usize = 50;

entity_id! {
    /// The id of an article.
    pub ArticleId
}

/// An article of the knowledge base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Article {
    /// What it is called.
    pub title: String,
    /// What it says, in Markdown, as it was written.
    pub content: String,
    /// What it belongs to. A category is there as long as an article belongs to it.
    pub category: String,
    /// Words it is marked with.
    pub tags: BTreeSet<String>,
    /// Who wrote it.
    pub author: UserId,
    /// Since when everybody may read it; nothing for a draft.
    pub published: Option<DateTime<Utc>>,
    /// Values of the embedding team.
    #[serde(default)]
    pub ext: serde_json::Map<String, serde_json::Value>,
}

/// An article to be made.
#[derive(Clone, Debug, Default)]
pub struct NewArticle {
    /// What it is called; not empty, at most 255 characters.
    pub title: String,
    /// What it says, in Markdown; not empty, at most 200,000 characters.
    pub content: String,
    /// What it belongs to; not empty, at most 100 characters.
    pub category: String,
    /// Words it is marked with; at most 50, of at most 100 characters.
    pub tags: BTreeSet<String>,
    /// Whether everybody may read it at once.
    pub published: bool,
}

/// What is to be different about an article; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ArticleEdit {
    /// What it is called.
    pub title: Option<String>,
    /// What it says.
    pub content: Option<String>,
    /// What it belongs to.
    pub category: Option<String>,
    /// Words it is marked with.
    pub tags: Option<BTreeSet<String>>,
    /// Whether everybody may read it.
    pub published: Option<bool>,
}

impl NewArticle {
    pub(super) fn into_article(self, author: UserId, now: DateTime<Utc>) -> Article {
        let Self { title, content, category, tags, published } = self;
        let published = published.then_some(now);
        Article { title, content, category, tags, author, published, ext: serde_json::Map::new() }
    }
}

impl ArticleEdit {
    /// The article as it becomes. One that is published already stays so since the same time.
    pub(super) fn apply(&self, before: &Article, now: DateTime<Utc>) -> Article {
        let Self { title, content, category, tags, published } = self.clone();
        Article {
            title: title.unwrap_or_else(|| before.title.clone()),
            content: content.unwrap_or_else(|| before.content.clone()),
            category: category.unwrap_or_else(|| before.category.clone()),
            tags: tags.unwrap_or_else(|| before.tags.clone()),
            author: before.author,
            published: match published {
                Some(true) => before.published.or(Some(now)),
                Some(false) => None,
                None => before.published,
            },
            ext: before.ext.clone(),
        }
    }
}

impl Article {
    /// What it says, as HTML that is safe to be shown on any page.
    #[must_use]
    pub fn html(&self) -> String {
        markdown::html(&self.content)
    }

    /// Brings the texts into the form that is kept, and says what is wrong with them.
    pub(super) fn tidy(&mut self) -> Problems {
        let mut texts = Texts::default();
        texts.line("title", &mut self.title, MAX_TITLE);
        texts.text("content", &self.content, MAX_CONTENT);
        texts.line("category", &mut self.category, MAX_CATEGORY);
        texts.words("tags", &mut self.tags, MAX_TAGS, MAX_TAG);
        texts.into_problems()
    }

    /// The fields in which it differs from what it was. Title and content are named and not told.
    pub(super) fn changed_since(&self, before: Option<&Self>) -> Vec<FieldChange> {
        let mut changes = Vec::new();
        macro_rules! told {
            ($($name:literal: $article:ident => $value:expr),* $(,)?) => {$(
                let of = |$article: &Self| serde_json::to_value($value).unwrap_or_default();
                let (from, to) = (before.map(of).unwrap_or_default(), of(self));
                if from != to {
                    changes.push(FieldChange { field: $name.into(), from, to });
                }
            )*};
        }
        told! {
            "category": article => &article.category,
            "tags": article => &article.tags,
            "published": article => article.published.is_some(),
        }
        if let Some(before) = before {
            let texts = [("title", &before.title, &self.title), ("content", &before.content, &self.content)];
            for (field, _, _) in texts.into_iter().filter(|(_, from, to)| from != to) {
                let hidden = serde_json::Value::Null;
                changes.push(FieldChange { field: field.into(), from: hidden.clone(), to: hidden });
            }
        }
        changes
    }
}

impl Entity for Article {
    type Id = ArticleId;

    const SPEC: &'static KindSpec = &KindSpec::new(
        "article",
        &[FieldSpec::text("category"), FieldSpec::flag("published"), FieldSpec::refers("author", "account")],
    )
    .indexes(&[&["published"], &["category"]])
    .searched()
    .of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("category", &self.category);
        row.set("published", self.published.is_some());
        row.set("author", self.author.uuid());
    }

    fn searched<'a>(&'a self, texts: &mut Vec<&'a str>) {
        // A record has only so many words: those that say most of it come first.
        texts.extend([self.title.as_str(), &self.category]);
        texts.extend(self.tags.iter().map(String::as_str));
        texts.push(&self.content);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("an instant")
    }

    fn article(published: bool) -> Article {
        let new = NewArticle {
            title: "Printers".into(),
            content: "# Hold\n".into(),
            category: "Hardware".into(),
            tags: ["printer".to_owned()].into(),
            published,
        };
        new.into_article(UserId::from_uuid(uuid::Uuid::nil()), at(1))
    }

    #[test]
    fn an_article_is_published_once_and_taken_back() {
        let publish = ArticleEdit { published: Some(true), ..ArticleEdit::default() };
        let withdraw = ArticleEdit { published: Some(false), ..ArticleEdit::default() };
        let draft = article(false);
        let published = publish.apply(&draft, at(2));
        assert_eq!((draft.published, published.published), (None, Some(at(2))));
        assert_eq!(publish.apply(&published, at(3)).published, Some(at(2)));
        assert_eq!(ArticleEdit::default().apply(&published, at(3)), published);
        assert_eq!(withdraw.apply(&published, at(3)), draft);
    }

    #[test]
    fn what_was_written_is_kept_as_it_is() {
        let mut article = Article { title: " Printers ".into(), ..article(true) };
        assert!(article.tidy().is_empty());
        assert_eq!((article.title.as_str(), article.content.as_str()), ("Printers", "# Hold\n"));
    }

    #[test]
    fn texts_have_bounds() {
        let mut article = Article {
            title: "x".repeat(256),
            content: " \n".into(),
            category: String::new(),
            tags: (0..51).map(|tag| tag.to_string()).collect(),
            ..article(true)
        };
        let problems = article.tidy();
        let fields: Vec<_> = problems.iter().map(|(field, _)| field.to_owned()).collect();
        assert_eq!(fields, ["category", "content", "tags", "title"]);
    }

    #[test]
    fn events_name_the_texts_and_tell_the_rest() {
        let before = article(false);
        let after = Article { content: "x".into(), published: Some(at(5)), ..before.clone() };
        let changes = after.changed_since(Some(&before));
        let fields: Vec<_> = changes.iter().map(|change| (&*change.field, change.to.clone())).collect();
        assert_eq!(fields, [("published", true.into()), ("content", serde_json::Value::Null)]);
        assert!(before.changed_since(Some(&before)).is_empty());
    }
}
