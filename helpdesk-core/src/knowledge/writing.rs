//! Writing, changing and deleting articles.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::Duration;
use serde::{Deserialize, Serialize};

use super::Knowledge;
use super::article::{Article, ArticleEdit, ArticleId, NewArticle};
use super::readers::{ArticleViews, ArticleVote};
use super::reading::{ArticleView, audience};
use crate::actor::Actor;
use crate::error::Result;
use crate::events::EventDraft;
use crate::helpdesk::Helpdesk;
use crate::identity::permissions;
use crate::jobs::{Job, JobDraft, JobError, JobHandler};
use crate::storage::{EntityId as _, Filter, Stored};

const SWEEP: &str = "article_sweep";
/// How long after an article what its readers have left is swept away: when whoever was reading it has been counted.
const LATER: Duration = Duration::minutes(1);
/// How much of it is swept away at a time.
const HANDFUL: usize = 400;

impl Knowledge {
    /// Writes an article; the actor is its author.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::Error::Forbidden) without `knowledge.write`; [`NotYours`](crate::Error::NotYours) where the
    /// actor is no person; [`Invalid`](crate::Error::Invalid) with all that is wrong.
    pub async fn create(&self, actor: &Actor, new: NewArticle) -> Result<ArticleView> {
        actor.needs(&permissions::KNOWLEDGE_WRITE)?;
        let mut article = new.into_article(actor.person()?, self.desk.now());
        article.tidy().into_result()?;
        let value = &article;
        let ((id, at, slot), committed) = self
            .desk
            .decide(|| async move {
                let mut changes = self.desk.changes();
                let at = changes.at();
                let id = ArticleId::from_uuid(self.desk.ids().id(at));
                let slot = changes.insert(actor.scope(), id, value);
                let draft = EventDraft::new::<Article>("article.created", id, 1, audience(value, None))
                    .changes(value.changed_since(None));
                changes.event(actor, self.desk.ids().id(at), draft);
                Ok((changes, (id, at, slot)))
            })
            .await?;
        let stored = Stored::inserted(actor.scope(), id, at, committed.written(slot), article);
        self.view(actor, Arc::new(stored)).await
    }

    /// Changes an article.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::Error::Forbidden) without `knowledge.write`, or for other people's articles without
    /// `knowledge.manage`; [`NotFound`](crate::Error::NotFound); [`Invalid`](crate::Error::Invalid) with all that is
    /// wrong.
    pub async fn update(&self, actor: &Actor, id: ArticleId, edit: ArticleEdit) -> Result<ArticleView> {
        let edit = &edit;
        let ((before, after, at, slot), committed) = self
            .desk
            .decide(|| async move {
                let before = self.load_to_write(actor, id).await?;
                let mut changes = self.desk.changes();
                let at = changes.at();
                let mut after = edit.apply(&before, at);
                after.tidy().into_result()?;
                let changed = after.changed_since(Some(&before));
                let slot = (!changed.is_empty()).then(|| {
                    let slot = changes.update(&before, &after);
                    let version = changes.version_after(slot);
                    let audience = audience(&after, Some(&before));
                    let draft = EventDraft::new::<Article>("article.updated", id, version, audience);
                    changes.event(actor, self.desk.ids().id(at), draft.changes(changed));
                    slot
                });
                Ok((changes, (before, after, at, slot)))
            })
            .await?;
        let stored = match slot {
            Some(slot) => Arc::new(before.replaced(at, committed.written(slot), after)),
            None => before,
        };
        self.view(actor, stored).await
    }

    /// Deletes an article, and with it, by and by, its votes and views.
    ///
    /// # Errors
    ///
    /// As [`Knowledge::update`].
    pub async fn delete(&self, actor: &Actor, id: ArticleId) -> Result<()> {
        self.desk
            .decide(|| async move {
                let before = self.load_to_write(actor, id).await?;
                let mut changes = self.desk.changes();
                let at = changes.at();
                changes.delete(&before);
                let draft = EventDraft::new::<Article>("article.deleted", id, 0, audience(&before, None));
                changes.event(actor, self.desk.ids().id(at), draft);
                let sweep = JobDraft::new(SWEEP, format!("{SWEEP}:{id}"), at + LATER, &Gone { article: id });
                changes.enqueue(actor.scope(), self.desk.ids().id(at), sweep);
                Ok((changes, ()))
            })
            .await?;
        Ok(())
    }

    /// An article that the actor may change.
    async fn load_to_write(&self, actor: &Actor, id: ArticleId) -> Result<Arc<Stored<Article>>> {
        actor.needs(&permissions::KNOWLEDGE_WRITE)?;
        let article = self.load(actor, id).await?;
        if actor.user() != Some(article.author) {
            actor.needs(&permissions::KNOWLEDGE_MANAGE)?;
        }
        Ok(article)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Gone {
    article: ArticleId,
}

/// Sweeps away what readers have left with an article that is gone.
#[derive(Debug)]
pub(super) struct Sweep;

#[async_trait]
impl JobHandler for Sweep {
    fn name(&self) -> &'static str {
        SWEEP
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<crate::storage::Changes, JobError> {
        let gone: Gone = job.payload()?;
        let (scope, of_article) = (job.scope(), || Filter::equals("article", gone.article.uuid()));
        let votes =
            desk.store().select::<ArticleVote>(scope).filter(of_article()).limit(HANDFUL).page().await?;
        let views =
            desk.store().select::<ArticleViews>(scope).filter(of_article()).limit(HANDFUL).page().await?;
        let mut changes = desk.changes();
        votes.items.iter().for_each(|vote| changes.delete(vote));
        views.items.iter().for_each(|count| changes.delete(count));
        if votes.next.is_some() || views.next.is_some() {
            // While it runs, enqueuing it has it run once more.
            let key = format!("{SWEEP}:{}", gone.article);
            changes.enqueue(scope, job.id(), JobDraft::new(SWEEP, key, changes.at(), &gone));
        }
        Ok(changes)
    }
}
