//! The knowledge base: articles, their categories, views and votes.

mod article;
mod markdown;
mod readers;
mod reading;
mod writing;

use std::sync::Arc;

pub use self::article::{Article, ArticleEdit, ArticleId, NewArticle};
pub use self::readers::{ArticleViews, ArticleViewsId, ArticleVote, ArticleVoteId};
pub use self::reading::{ArticleCategory, ArticlePage, ArticleQuery, ArticleView};
use crate::helpdesk::Helpdesk;
use crate::jobs::JobHandler;
use crate::storage::{Entity, KindSpec};

/// The kinds of record of this context.
pub(crate) const KINDS: [&KindSpec; 3] = [Article::SPEC, ArticleVote::SPEC, ArticleViews::SPEC];

/// The sorts of work of this context.
pub(crate) fn handlers() -> [Arc<dyn JobHandler>; 1] {
    [Arc::new(writing::Sweep)]
}

/// The knowledge base. From [`Helpdesk::knowledge`].
#[derive(Clone, Debug)]
pub struct Knowledge {
    desk: Helpdesk,
}

impl Knowledge {
    pub(crate) const fn new(desk: Helpdesk) -> Self {
        Self { desk }
    }
}
