//! The entry to everything: a help desk, put together from its ports.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use tokio::sync::Notify;

use crate::blobs::{Blobs, MemoryBlobs};
use crate::clock::{Clock, SystemClock};
use crate::contacts::Contacts;
use crate::error::{Conflict, Error, Result};
use crate::events::Notifier;
use crate::gateway::WorkflowGateway;
use crate::groups::Groups;
use crate::identity::{Identity, Lifetimes, PasswordCost, Passwords, Pictures, Tokens};
use crate::ids::{Ids, SystemIds};
use crate::insight::{Insight, ReportWriter};
use crate::jobs::{JobHandler, Jobs};
use crate::knowledge::Knowledge;
use crate::limits::{Limiter, LocalLimiter};
use crate::mail::{Mailer, NoMail};
use crate::notifications::Notifications;
use crate::service_levels::ServiceLevels;
use crate::storage::{Changes, Committed, KindSpec, Schema, Storage, StorageError, Store};
use crate::tags::Tags;
use crate::tickets::{Tickets, Workflow};
use crate::uploads::Uploads;

/// A help desk: the services over one store, with the ports it was given. Cheap to clone.
///
/// ```
/// # use std::sync::Arc;
/// use helpdesk_core::Helpdesk;
/// # use helpdesk_storage_memory::MemoryStorage;
///
/// let storage = MemoryStorage::new(Helpdesk::schema());
/// let desk = Helpdesk::builder().storage(Arc::new(storage)).build();
/// # let _ = desk;
/// ```
#[derive(Clone)]
pub struct Helpdesk(Arc<Ports>);

struct Ports {
    store: Store,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    mailer: Arc<dyn Mailer>,
    blobs: Arc<dyn Blobs>,
    limiter: Arc<dyn Limiter>,
    gateway: Option<Arc<dyn WorkflowGateway>>,
    report_writer: Option<Arc<dyn ReportWriter>>,
    notifiers: Vec<Arc<dyn Notifier>>,
    handlers: HashMap<&'static str, Arc<dyn JobHandler>>,
    workflow: Arc<Workflow>,
    tokens: Tokens,
    passwords: Passwords,
    pictures: Pictures,
    site: String,
    rating_link: String,
    jobs_enqueued: Notify,
}

impl Helpdesk {
    /// The kinds of record that a help desk keeps: what a store must be made for.
    #[must_use]
    pub fn schema() -> Schema {
        let events_and_jobs: [&'static KindSpec; 2] = [&crate::events::EVENT, &crate::storage::JOB];
        Schema::new(
            events_and_jobs
                .into_iter()
                .chain(crate::identity::KINDS)
                .chain(crate::groups::KINDS)
                .chain(crate::contacts::KINDS)
                .chain(crate::tags::KINDS)
                .chain(crate::tickets::KINDS)
                .chain(crate::uploads::KINDS)
                .chain(crate::service_levels::KINDS)
                .chain(crate::knowledge::KINDS)
                .chain(crate::notifications::KINDS)
                .chain(crate::insight::KINDS),
        )
    }

    /// Begins to put a help desk together.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// People, their accounts and their rights.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity::new(self.clone())
    }

    /// Tickets, their messages and files.
    #[must_use]
    pub fn tickets(&self) -> Tickets {
        Tickets::new(self.clone())
    }

    /// Groups of people of the desk.
    #[must_use]
    pub fn groups(&self) -> Groups {
        Groups::new(self.clone())
    }

    /// Contacts and their companies.
    #[must_use]
    pub fn contacts(&self) -> Contacts {
        Contacts::new(self.clone())
    }

    /// The words that tickets and articles are marked with.
    #[must_use]
    pub fn tags(&self) -> Tags {
        Tags::new(self.clone())
    }

    /// Files that somebody brought, and that a ticket may take over.
    #[must_use]
    pub fn uploads(&self) -> Uploads {
        Uploads::new(self.clone())
    }

    /// What the desk has promised, and whether it was kept.
    #[must_use]
    pub fn service_levels(&self) -> ServiceLevels {
        ServiceLevels::new(self.clone())
    }

    /// The knowledge base.
    #[must_use]
    pub fn knowledge(&self) -> Knowledge {
        Knowledge::new(self.clone())
    }

    /// What people are told of.
    #[must_use]
    pub fn notifications(&self) -> Notifications {
        Notifications::new(self.clone())
    }

    /// Search, dashboards and reports.
    #[must_use]
    pub fn insight(&self) -> Insight {
        Insight::new(self.clone())
    }

    /// Jobs, as administrators see them.
    #[must_use]
    pub fn jobs(&self) -> Jobs {
        Jobs(self.clone())
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// The typed layer over the store, for an embedding team's own kinds.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The source of ids and secrets.
    #[must_use]
    pub fn ids(&self) -> &dyn Ids {
        &*self.0.ids
    }

    /// No changes yet, at the present.
    #[must_use]
    pub fn changes(&self) -> Changes {
        self.changes_at(self.now())
    }

    /// No changes yet, at a time.
    #[must_use]
    pub fn changes_at(&self, at: DateTime<Utc>) -> Changes {
        Changes::new(self.ids().id(at), at)
    }

    /// Commits changes, and wakes the workers where there are jobs among them.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`].
    pub async fn commit(&self, changes: Changes) -> Result<Committed, StorageError> {
        let enqueues = changes.has_jobs();
        let committed = self.0.store.commit(changes).await?;
        if enqueues {
            self.0.jobs_enqueued.notify_one();
        }
        Ok(committed)
    }

    /// Decides and commits, and decides again from fresh reads where the commit crossed with another, a bounded
    /// number of times. The decision must have no effect outside the changes it answers.
    ///
    /// # Errors
    ///
    /// What the decision answers; [`Error::Conflict`] where others were quicker again and again.
    pub async fn decide<T, F, D>(&self, mut decision: D) -> Result<(T, Committed)>
    where
        D: FnMut() -> F + Send,
        F: Future<Output = Result<(Changes, T)>> + Send,
    {
        const ATTEMPTS: u32 = 10;
        for attempt in 0..ATTEMPTS {
            let (changes, outcome) = decision().await?;
            match self.commit(changes).await {
                Ok(committed) => return Ok((outcome, committed)),
                Err(error) if error.is_retryable() => self.step_aside(attempt).await,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict(Conflict::Busy))
    }

    /// Lets others go first for a moment, longer with each attempt and never equally long.
    async fn step_aside(&self, attempt: u32) {
        if attempt == 0 {
            return tokio::task::yield_now().await;
        }
        let random = u64::from(self.ids().secret()[0]) + 1;
        tokio::time::sleep(std::time::Duration::from_micros((random * 8) << attempt.min(8))).await;
    }

    /// Waits until a job was enqueued in this process.
    pub(crate) async fn job_enqueued(&self) {
        self.0.jobs_enqueued.notified().await;
    }

    /// Has one more worker of this process look for jobs.
    pub(crate) fn wake_worker(&self) {
        self.0.jobs_enqueued.notify_one();
    }

    pub(crate) fn handler(&self, name: &str) -> Option<&dyn JobHandler> {
        self.0.handlers.get(name).map(|handler| &**handler)
    }

    pub(crate) fn notifiers(&self) -> &[Arc<dyn Notifier>] {
        &self.0.notifiers
    }

    pub(crate) fn mailer(&self) -> &dyn Mailer {
        &*self.0.mailer
    }

    pub(crate) fn blobs(&self) -> &dyn Blobs {
        &*self.0.blobs
    }

    pub(crate) fn limiter(&self) -> &dyn Limiter {
        &*self.0.limiter
    }

    pub(crate) fn gateway(&self) -> Option<&dyn WorkflowGateway> {
        self.0.gateway.as_deref()
    }

    pub(crate) fn report_writer(&self) -> Option<&Arc<dyn ReportWriter>> {
        self.0.report_writer.as_ref()
    }

    pub(crate) fn workflow(&self) -> &Arc<Workflow> {
        &self.0.workflow
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    pub(crate) fn pictures(&self) -> &Pictures {
        &self.0.pictures
    }

    pub(crate) fn site(&self) -> &str {
        &self.0.site
    }

    /// Where a click rates a solved ticket, with a token.
    pub(crate) fn rating_link(&self, token: &str) -> String {
        self.0.rating_link.replace("{token}", token)
    }
}

impl fmt::Debug for Helpdesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Helpdesk").field("site", &self.0.site).finish_non_exhaustive()
    }
}

/// Puts a help desk together. Only the storage must be given.
#[derive(Debug)]
pub struct Builder {
    storage: Option<Arc<dyn Storage>>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    mailer: Arc<dyn Mailer>,
    blobs: Arc<dyn Blobs>,
    limiter: Option<Arc<dyn Limiter>>,
    gateway: Option<Arc<dyn WorkflowGateway>>,
    report_writer: Option<Arc<dyn ReportWriter>>,
    notifiers: Vec<Arc<dyn Notifier>>,
    handlers: Vec<Arc<dyn JobHandler>>,
    workflow: Workflow,
    secret: Option<SecretString>,
    lifetimes: Lifetimes,
    password_cost: PasswordCost,
    site: String,
    rating_link: Option<String>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            storage: None,
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds::new()),
            mailer: Arc::new(NoMail),
            blobs: Arc::new(MemoryBlobs::default()),
            limiter: None,
            gateway: None,
            report_writer: None,
            notifiers: Vec::new(),
            handlers: Vec::new(),
            workflow: Workflow::default(),
            secret: None,
            lifetimes: Lifetimes::default(),
            password_cost: PasswordCost::default(),
            site: "http://localhost:8080".to_owned(),
            rating_link: None,
        }
    }
}

impl Builder {
    /// The store, made for [`Helpdesk::schema`] and the embedding team's own kinds.
    #[must_use]
    pub fn storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = Some(storage);
        self
    }

    /// The clock. Default: the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The source of ids and secrets. Default: the operating system.
    #[must_use]
    pub fn ids(mut self, ids: Arc<dyn Ids>) -> Self {
        self.ids = ids;
        self
    }

    /// What sends mail. Default: nothing does.
    #[must_use]
    pub fn mailer(mut self, mailer: Arc<dyn Mailer>) -> Self {
        self.mailer = mailer;
        self
    }

    /// Where files are kept. Default: in memory.
    #[must_use]
    pub fn blobs(mut self, blobs: Arc<dyn Blobs>) -> Self {
        self.blobs = blobs;
        self
    }

    /// What counts attempts to log in and the like. Default: this process.
    #[must_use]
    pub fn limiter(mut self, limiter: Arc<dyn Limiter>) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// The external workflow system that tickets are handed over to. Default: none; a hand-over is then only
    /// written down.
    #[must_use]
    pub fn workflow_gateway(mut self, gateway: Arc<dyn WorkflowGateway>) -> Self {
        self.gateway = Some(gateway);
        self
    }

    /// What writes reports as files. Default: none; they are then written as CSV alone.
    #[must_use]
    pub fn report_writer(mut self, writer: Arc<dyn ReportWriter>) -> Self {
        self.report_writer = Some(writer);
        self
    }

    /// One more who is told of each event.
    #[must_use]
    pub fn notifier(mut self, notifier: Arc<dyn Notifier>) -> Self {
        self.notifiers.push(notifier);
        self
    }

    /// One more sort of work. A handler of a name that is taken replaces the one that had it.
    #[must_use]
    pub fn job_handler(mut self, handler: Arc<dyn JobHandler>) -> Self {
        self.handlers.push(handler);
        self
    }

    /// The table of moves that tickets may make.
    #[must_use]
    pub fn workflow(mut self, workflow: Workflow) -> Self {
        self.workflow = workflow;
        self
    }

    /// What tokens are signed with. Default: a random one, so that tokens end with the process.
    #[must_use]
    pub fn secret(mut self, secret: SecretString) -> Self {
        self.secret = Some(secret);
        self
    }

    /// How long tokens are valid.
    #[must_use]
    pub const fn lifetimes(mut self, lifetimes: Lifetimes) -> Self {
        self.lifetimes = lifetimes;
        self
    }

    /// How much work a password hash takes.
    #[must_use]
    pub const fn password_cost(mut self, cost: PasswordCost) -> Self {
        self.password_cost = cost;
        self
    }

    /// The address of the site that mails link to, without a slash at its end.
    #[must_use]
    pub fn site(mut self, address: &str) -> Self {
        self.site = address.trim_end_matches('/').to_owned();
        self
    }

    /// Where a mail sends people to say how satisfied they are: an address with `{token}` for the token. Default:
    /// `/satisfaction?token={token}` at the site.
    #[must_use]
    pub fn rating_link(mut self, address: &str) -> Self {
        self.rating_link = Some(address.to_owned());
        self
    }

    /// The help desk.
    ///
    /// # Panics
    ///
    /// If no storage was given: there is no sensible default for where a team's records go.
    #[must_use]
    pub fn build(self) -> Helpdesk {
        let storage = self.storage.expect("a help desk needs a storage");
        let secret = self.secret.map_or_else(|| Tokens::random_secret(&*self.ids), Tokens::secret);
        let limiter = self.limiter.unwrap_or_else(|| Arc::new(LocalLimiter::new(Arc::clone(&self.clock))));
        let own = crate::identity::handlers()
            .into_iter()
            .chain(crate::groups::handlers())
            .chain(crate::contacts::handlers())
            .chain(crate::tags::handlers())
            .chain(crate::tickets::handlers())
            .chain(crate::uploads::handlers())
            .chain(crate::service_levels::handlers())
            .chain(crate::knowledge::handlers())
            .chain(crate::notifications::handlers())
            .chain(crate::insight::handlers());
        let handlers = own.chain(self.handlers).map(|handler| (handler.name(), handler)).collect();
        Helpdesk(Arc::new(Ports {
            store: Store::new(storage),
            clock: self.clock,
            ids: self.ids,
            mailer: self.mailer,
            blobs: self.blobs,
            limiter,
            gateway: self.gateway,
            report_writer: self.report_writer,
            notifiers: self.notifiers,
            handlers,
            workflow: Arc::new(self.workflow),
            tokens: Tokens::new(&secret, self.lifetimes),
            passwords: Passwords::new(self.password_cost),
            pictures: Pictures::new(),
            rating_link: self
                .rating_link
                .unwrap_or_else(|| format!("{}/satisfaction?token={{token}}", self.site)),
            site: self.site,
            jobs_enqueued: Notify::new(),
        }))
    }
}

/// An error and what caused it, on one line for the log.
#[derive(Debug)]
pub struct Chain<'a>(pub &'a (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
