//! A server in this process, on a port of its own.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use helpdesk::export::FileWriter;
use helpdesk::http::kernel::Dialect;
use helpdesk::http::{Builder as HttpBuilder, HttpApi, serve};
use helpdesk::identity::{Admission, OrganisationId, PasswordCost, SignedIn};
use helpdesk::jobs::Workers;
use helpdesk::storage::{EntityId as _, Filter, JOB, Query, Scope, TotalMode};
use helpdesk::{
    Builder as DeskBuilder, Clock as _, Helpdesk, Limiter, LocalLimiter, ManualClock, SeededIds, Unlimited,
    Via,
};
use helpdesk_examples::demo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::dialects::{self, Spoken};
use crate::mail::Outbox;
use crate::stores::{NewStore, Watched, WatchedBlobs};

/// After how long a test that waits for something gives up. Nothing depends on it but how a failure shows itself.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The short name of the other organisation, in tests that have two.
pub const OTHER: &str = "elsewhere";

/// When the tests happen.
const NOW: &str = "2025-01-15T09:00:00Z";

type Change<T> = Box<dyn FnOnce(T) -> T>;
type MakeDialect = Box<dyn FnOnce(OrganisationId) -> Dialect>;

/// A server to be started.
pub struct Setup {
    store: NewStore,
    mounts: Vec<(String, MakeDialect)>,
    desk: Vec<Change<DeskBuilder>>,
    http: Vec<Change<HttpBuilder>>,
    limited: bool,
    grace: Duration,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("mounts", &self.mounts.len()).finish_non_exhaustive()
    }
}

impl Setup {
    /// A server on a store, with every dialect at its mount and no limits.
    #[must_use]
    pub fn new(store: NewStore) -> Self {
        let mounts = dialects::ALL.iter().map(|spoken| {
            let make: MakeDialect = Box::new(spoken.make);
            (spoken.mount.to_owned(), make)
        });
        Self {
            store,
            mounts: mounts.collect(),
            desk: Vec::new(),
            http: Vec::new(),
            limited: false,
            grace: PATIENCE,
        }
    }

    /// Mounts another dialect.
    #[must_use]
    pub fn mount(mut self, at: &str, make: impl FnOnce(OrganisationId) -> Dialect + 'static) -> Self {
        self.mounts.push((at.to_owned(), Box::new(make)));
        self
    }

    /// Changes something about the help desk.
    #[must_use]
    pub fn desk(mut self, change: impl FnOnce(DeskBuilder) -> DeskBuilder + 'static) -> Self {
        self.desk.push(Box::new(change));
        self
    }

    /// Changes something about the service.
    #[must_use]
    pub fn http(mut self, change: impl FnOnce(HttpBuilder) -> HttpBuilder + 'static) -> Self {
        self.http.push(Box::new(change));
        self
    }

    /// Counts requests and attempts against the documented limits, by the test's clock.
    #[must_use]
    pub fn limited(mut self) -> Self {
        self.limited = true;
        self
    }

    /// How long requests may take to finish once the server was told to stop.
    #[must_use]
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// If it does not start: there is nothing to test then.
    pub async fn start(self) -> Server {
        let clock = Arc::new(ManualClock::at(NOW.parse().expect("an instant")));
        let (mails, blobs) = (Arc::new(Outbox::default()), Arc::new(WatchedBlobs::default()));
        let storage = Arc::new(Watched::new((self.store)().await));
        let limiter = |limited| -> Arc<dyn Limiter> {
            if limited { Arc::new(LocalLimiter::new(clock.clone())) } else { Arc::new(Unlimited) }
        };
        let builder = Helpdesk::builder()
            .storage(storage.clone())
            .clock(clock.clone())
            .ids(Arc::new(SeededIds::new(1)))
            .mailer(mails.clone())
            .blobs(blobs.clone())
            .limiter(limiter(self.limited))
            .password_cost(PasswordCost::Least)
            .report_writer(Arc::new(FileWriter::new()))
            .site("https://desk.test");
        let desk = self.desk.into_iter().fold(builder, |builder, change| change(builder)).build();
        let organisation = demo::load(&desk).await.expect("demo data");
        let workers = desk.spawn_workers(1).await.expect("workers");

        let builder = HttpApi::builder(desk.clone()).limiter(limiter(self.limited));
        let mounted = self
            .mounts
            .into_iter()
            .fold(builder, |builder, (at, make)| builder.dialect(&at, make(organisation)));
        let api = self.http.into_iter().fold(mounted, |builder, change| change(builder)).build();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move { drop(stopped.await) };
        let serving = tokio::spawn(serve(listener, api, stopped, self.grace));
        Server {
            address,
            desk,
            organisation,
            clock,
            mails,
            storage,
            blobs,
            client: Client::new(address),
            stop: Some(stop),
            serving,
            _workers: workers,
        }
    }
}

/// A server that runs, and everything behind it. It ends with the test's runtime.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// The help desk.
    pub desk: Helpdesk,
    /// The demo organisation.
    pub organisation: OrganisationId,
    /// The clock that everything goes by.
    pub clock: Arc<ManualClock>,
    /// The mail that was sent.
    pub mails: Arc<Outbox>,
    /// The store.
    pub storage: Arc<Watched>,
    /// The files.
    pub blobs: Arc<WatchedBlobs>,
    /// A client.
    pub client: Client,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<std::io::Result<()>>,
    _workers: Workers,
}

impl Server {
    /// A server on a store, with every dialect at its mount and no limits.
    pub async fn start(store: NewStore) -> Self {
        Setup::new(store).start().await
    }

    /// Waits until no job is due: what follows from earlier requests has then happened.
    ///
    /// # Panics
    ///
    /// If the store fails.
    pub async fn settle(&self) {
        let settled = async {
            loop {
                self.desk.run_due(self.clock.now()).await.expect("jobs run");
                let mut busy = false;
                for scope in self.scopes().await {
                    busy |= self.is_busy(scope).await;
                }
                if !busy && !self.storage.is_committing() {
                    return;
                }
                // A worker has the rest.
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, settled).await.expect("the jobs end");
    }

    /// Where there may be jobs: the demo organisation, and the other one where a test has made it.
    async fn scopes(&self) -> Vec<Scope> {
        let other = self.desk.identity().organisation_by_slug(OTHER).await.expect("the organisations");
        let both = [Some(self.organisation), other].into_iter().flatten();
        both.map(|organisation| Scope::organisation(organisation.uuid())).collect()
    }

    /// Whether a job is due or runs.
    async fn is_busy(&self, scope: Scope) -> bool {
        let now = self.clock.now();
        let due = Filter::equals("state", "waiting")
            .and(Filter::at_least("due", now).not().or(Filter::equals("due", now)));
        let busy = Query::new(&JOB, scope)
            .filter(due.or(Filter::equals("state", "leased")))
            .limit(0)
            .total(TotalMode::Exact);
        let page = self.desk.store().storage().find(&busy).await.expect("the jobs");
        page.total.is_some_and(|total| total.count > 0)
    }

    /// What is stored: batches that were committed, and files that are kept. Equal before and after means that
    /// nothing was.
    pub async fn stored(&self) -> (u64, u64) {
        self.settle().await;
        (self.storage.commits(), self.blobs.kept())
    }

    /// Signs a demo account in, past every door.
    ///
    /// # Panics
    ///
    /// If there is no such account.
    pub async fn sign_in(&self, name: &str) -> SignedIn {
        self.sign_in_with(name, demo::PASSWORD).await
    }

    /// Signs any account in, past every door.
    ///
    /// # Panics
    ///
    /// If there is no such account, or it has another password.
    pub async fn sign_in_with(&self, name: &str, password: &str) -> SignedIn {
        let admit = |_: &_, _: &_| Ok(Admission::Approved);
        let via = Arc::new(Via::SYSTEM);
        let signed_in = self.desk.identity().sign_in(None, name, password, via, admit).await;
        signed_in.unwrap_or_else(|error| panic!("{name} cannot sign in: {error}"))
    }

    /// The access token of a demo account.
    pub async fn token(&self, name: &str) -> String {
        self.sign_in(name).await.access
    }

    /// The address of a path of a dialect.
    #[must_use]
    pub fn at(&self, spoken: &Spoken, path: &str) -> String {
        format!("{}{path}", spoken.mount)
    }

    /// Tells the server to stop, and answers what its end is waited for with.
    pub fn stop(&mut self) -> &mut JoinHandle<std::io::Result<()>> {
        drop(self.stop.take());
        &mut self.serving
    }
}
