//! What readers leave with an article: that they have read it, and whether it helped.
//!
//! Both are records of their own, so that nobody who reads stands in the way of somebody who writes, and the article
//! has not changed when it was only read.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::article::ArticleId;
use crate::entity_id;
use crate::identity::UserId;
use crate::storage::{Entity, EntityId as _, FieldSpec, KindSpec, Row};

/// Over how many records the reads of an article are spread, so that many readers at once do not wait for each other.
pub(super) const COUNTERS: u8 = 16;

entity_id! {
    /// The id of a vote: given by the article and the person, so that each has one.
    pub ArticleVoteId
}

entity_id! {
    /// The id of a count of reads: given by the article and the part of the readers that it counts.
    pub ArticleViewsId
}

/// Whether an article has helped somebody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArticleVote {
    /// The article.
    pub article: ArticleId,
    /// Who says so.
    pub user: UserId,
    /// Whether it has helped.
    pub helpful: bool,
}

/// How often some of its readers have read an article. All counts of an article together are its views.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArticleViews {
    /// The article.
    pub article: ArticleId,
    /// How often.
    pub count: u32,
}

impl ArticleVoteId {
    /// The id of somebody's vote on an article.
    pub(super) fn of(article: ArticleId, user: UserId) -> Self {
        Self(derived("article_vote", article, user.uuid().as_bytes()))
    }
}

impl ArticleViewsId {
    /// The id of the count that somebody's reads of an article go to.
    pub(super) fn of(article: ArticleId, user: UserId) -> Self {
        // The last bits of an id are random.
        let part = user.uuid().as_bytes()[15] % COUNTERS;
        Self(derived("article_views", article, &[part]))
    }
}

/// An id that follows from what it is for.
fn derived(what: &str, article: ArticleId, of: &[u8]) -> Uuid {
    let mut hash = Sha256::new();
    for part in [what.as_bytes(), article.uuid().as_bytes(), of] {
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

impl Entity for ArticleVote {
    type Id = ArticleVoteId;

    const SPEC: &'static KindSpec =
        &KindSpec::new("article_vote", &[FieldSpec::uuid("article"), FieldSpec::flag("helpful")])
            .indexes(&[&["article"]])
            .of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("article", self.article.uuid());
        row.set("helpful", self.helpful);
    }
}

impl Entity for ArticleViews {
    type Id = ArticleViewsId;

    const SPEC: &'static KindSpec =
        &KindSpec::new("article_views", &[FieldSpec::uuid("article"), FieldSpec::int("count")])
            .indexes(&[&["article"]])
            .of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("article", self.article.uuid());
        row.set("count", i64::from(self.count));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::storage::EntityId;

    fn id<I: EntityId>(number: u128) -> I {
        I::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn each_person_has_one_vote_on_each_article() {
        let vote = |article, user| ArticleVoteId::of(id(article), id(user));
        assert_eq!(vote(1, 2), vote(1, 2));
        let different = HashSet::from([vote(1, 2), vote(2, 1), vote(1, 1), vote(2, 2)]);
        assert_eq!(different.len(), 4);
    }

    #[test]
    fn the_readers_of_an_article_share_a_few_counts() {
        let of = |article: u128| {
            (0..1_000).map(move |user| ArticleViewsId::of(id(article), id(user))).collect::<HashSet<_>>()
        };
        let (one, other) = (of(1), of(2));
        assert_eq!((one.len(), other.len()), (COUNTERS.into(), COUNTERS.into()));
        assert!(one.is_disjoint(&other));
    }
}
