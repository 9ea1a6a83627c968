//! Playing a history on both stores.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::Duration;
use uuid::Uuid;

use super::compare::{Numbers, Side, same_figures, same_page};
use super::parts::add;
use super::plan::{Plan, Question, Slip, Start, Step};
use super::pools::kind;
use super::questions::{SORTS, everything};
use crate::storage::conformance::fixture::{PATIENCE, at, fresh};
use crate::storage::conformance::jobs::claims;
use crate::storage::conformance::kinds::schema;
use crate::storage::conformance::oracle::Oracle;
use crate::storage::{
    Batch, Claim, Cursor, From, KindSpec, Lease, Position, Query, Record, Scope, Storage, StorageError,
};

/// Plays one history.
pub(super) struct Player {
    pub(super) store: Arc<dyn Storage>,
    pub(super) oracle: Oracle,
    pub(super) scopes: [Scope; 2],
    pub(super) numbers: Numbers,
    /// Seconds since the beginning.
    pub(super) elapsed: i64,
    pub(super) leases: Vec<Lease>,
    /// The ids that records of each kind were given, whether or not they are there.
    given: BTreeMap<(&'static str, Scope), Vec<Uuid>>,
    batches: Vec<Batch>,
    pages: Vec<Turned>,
    logged: Position,
    events: usize,
    high: u64,
    next: u64,
}

/// A page that was answered, to turn from.
struct Turned {
    query: [Query; 2],
    next: Option<[Cursor; 2]>,
    previous: Option<[Cursor; 2]>,
}

type Played = Result<(), String>;

fn failed(what: &str, error: &StorageError) -> String {
    format!("{what}: {error:?}")
}

impl Player {
    pub(super) async fn play(store: &Arc<dyn Storage>, history: &[Step]) -> Played {
        let scopes = [(); 2].map(|()| Scope::organisation(fresh()));
        let org = super::super::fixture::Org { store: Arc::clone(store), scope: scopes[0] };
        let _alone = claims(&org).await;
        let health = store.health().await.map_err(|error| failed("health", &error))?;
        let mut player = Self {
            store: Arc::clone(store),
            oracle: Oracle::new(schema()),
            scopes,
            numbers: Numbers::default(),
            elapsed: 0,
            leases: Vec::new(),
            given: BTreeMap::new(),
            batches: Vec::new(),
            pages: Vec::new(),
            logged: health.newest,
            events: 0,
            high: fresh().as_u64_pair().0,
            next: 0,
        };
        for (place, step) in history.iter().enumerate() {
            player.step(step).await.map_err(|error| format!("step {place}: {error}"))?;
        }
        player.look_at_all().await.map_err(|error| format!("in the end: {error}"))
    }

    async fn step(&mut self, step: &Step) -> Played {
        match step {
            Step::Commit(plan) => {
                let batch = self.batch(plan);
                self.commit(batch).await
            }
            Step::Again(pick) => match self.picked(*pick) {
                Some(batch) => self.commit(batch).await,
                None => Ok(()),
            },
            Step::Outcome(pick) => self.outcome(*pick).await,
            Step::Get(sort, org, picks) => {
                let (kind, scope) = (kind(*sort), self.scope(*org));
                let given = self.ids(kind.name, scope, false);
                let pick = |pick: &u8| given.get(usize::from(*pick) % (given.len() + 1)).copied();
                let ids: Vec<_> = picks.iter().map(|place| pick(place).unwrap_or_default()).collect();
                self.both(kind, scope, &ids).await.map(drop)
            }
            Step::Find(question) => self.ask(question).await,
            Step::Turn(pick, back) => self.turn(*pick, *back).await,
            Step::Tally(figure) => {
                let (store, oracle) = (self.tally(figure, Side::Store), self.tally(figure, Side::Oracle));
                let same = match (self.store.tally(&store).await, self.oracle.tally(&oracle).await) {
                    (Ok(a), Ok(b)) => same_figures(&store, &a, &b),
                    (a, b) => Err(format!("{a:?}, where the oracle says {b:?}")),
                };
                same.map_err(|error| {
                    let (kind, filter, groups) = (store.kind().name, store.condition(), store.groups());
                    format!("{error}, to {kind} where {filter:?} by {groups:?}")
                })
            }
            Step::Claim { wait, limit } => {
                self.elapsed += i64::from(*wait);
                self.claim(usize::from(*limit)).await
            }
            Step::Log => self.read_log().await,
        }
    }

    /// An id that rises and falls from one to the next.
    pub(super) fn id(&mut self, kind: &KindSpec, scope: Scope) -> Uuid {
        let id = self.unnamed();
        self.give(kind, scope, id);
        id
    }

    pub(super) fn give(&mut self, kind: &KindSpec, scope: Scope, id: Uuid) {
        self.given.entry((kind.name, scope)).or_default().push(id);
    }

    pub(super) fn unnamed(&mut self) -> Uuid {
        self.next += 1;
        Uuid::from_u64_pair(self.high, self.next.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The ids of a kind that were given, or those of them that are there.
    pub(super) fn ids(&self, kind: &str, scope: Scope, there: bool) -> Vec<Uuid> {
        let kind = schema().kind(kind).expect("a kind of the suite");
        let Some(given) = self.given.get(&(kind.name, scope)) else { return Vec::new() };
        if !there {
            return given.clone();
        }
        let there = self.oracle.ids(kind, scope);
        given.iter().filter(|id| there.contains(id)).copied().collect()
    }

    pub(super) fn scope(&self, org: bool) -> Scope {
        self.scopes[usize::from(org)]
    }

    fn picked(&self, pick: u8) -> Option<Batch> {
        self.batches.get(usize::from(pick) % self.batches.len().max(1)).cloned()
    }

    async fn commit(&mut self, batch: Batch) -> Played {
        let objections = self.oracle.objections(&batch);
        let known = self.oracle.outcome(batch.id).await.is_ok_and(|known| known.is_some());
        let answers = (self.store.commit(batch.clone()).await, self.oracle.commit(batch.clone()).await);
        match answers {
            (Ok(store), Ok(oracle)) => {
                self.numbers.same_committed(&batch.writes, &store, &oracle)?;
                if !known {
                    self.events += batch.events.len();
                    self.batches.push(batch);
                }
                Ok(())
            }
            (Err(store), Err(_)) => {
                self.batches.push(batch);
                if objections.iter().any(|objection| same_error(&store, objection)) {
                    return Ok(());
                }
                Err(format!("{store:?}, where the oracle objects {objections:?}"))
            }
            (store, oracle) => Err(format!("{store:?}, where the oracle says {oracle:?}, to {batch:?}")),
        }
    }

    async fn outcome(&mut self, pick: u8) -> Played {
        let Some(batch) = self.picked(pick) else { return Ok(()) };
        match (self.store.outcome(batch.id).await, self.oracle.outcome(batch.id).await) {
            (Ok(None), Ok(None)) => Ok(()),
            (Ok(Some(store)), Ok(Some(oracle))) => {
                self.numbers.same_committed(&batch.writes, &store, &oracle)
            }
            (store, oracle) => Err(format!("outcome {store:?}, where the oracle says {oracle:?}")),
        }
    }

    /// The records of ids, from the store and from the oracle.
    async fn both(
        &mut self,
        kind: &'static KindSpec,
        scope: Scope,
        ids: &[Uuid],
    ) -> Result<Vec<[Arc<Record>; 2]>, String> {
        let store = self.store.get(kind, scope, ids).await.map_err(|error| failed("get", &error))?;
        let oracle = self.oracle.get(kind, scope, ids).await.map_err(|error| failed("get", &error))?;
        if store.len() != ids.len() {
            return Err(format!("{} answers to {} ids", store.len(), ids.len()));
        }
        let mut records = Vec::new();
        for (id, pair) in ids.iter().zip(store.into_iter().zip(oracle)) {
            match pair {
                (None, None) => {}
                (Some(a), Some(b)) => {
                    self.numbers.same_record(kind, &a, &b)?;
                    records.push([a, b]);
                }
                (a, b) => return Err(format!("{id} is {a:?}, where the oracle has {b:?}")),
            }
        }
        Ok(records)
    }

    async fn ask(&mut self, question: &Question) -> Played {
        let mut query = [Side::Store, Side::Oracle].map(|side| self.query(question, side));
        let place = match question.start {
            Start::First => None,
            Start::Offset(count) => {
                query = query.map(|query| query.from(From::Offset(u64::from(count))));
                None
            }
            Start::After(pick) => Some((pick, From::After as fn(Cursor) -> From)),
            Start::Before(pick) => Some((pick, From::Before as fn(Cursor) -> From)),
        };
        if let Some((pick, from)) = place {
            let (kind, scope) = (query[0].kind(), query[0].scope());
            let ids = self.ids(kind.name, scope, true);
            if let Some(id) = ids.get(usize::from(pick) % ids.len().max(1)) {
                let records = self.both(kind, scope, &[*id]).await?;
                let [a, b] = &records[0];
                let order = query[0].ordering();
                let [x, y] = query;
                query = [x.from(from(order.cursor(a))), y.from(from(order.cursor(b)))];
            }
        }
        self.find(query).await
    }

    async fn find(&mut self, query: [Query; 2]) -> Played {
        let (store, oracle) = match (self.store.find(&query[0]).await, self.oracle.find(&query[1]).await) {
            (Ok(store), Ok(oracle)) => (store, oracle),
            (store, oracle) => return Err(format!("{store:?}, where the oracle says {oracle:?}")),
        };
        same_page(&mut self.numbers, query[0].kind(), query[0].scope(), &store, &oracle).map_err(
            |error| {
                let (kind, filter, from) = (query[0].kind().name, query[0].condition(), query[0].start());
                format!("{error}, to {kind} where {filter:?} by {:?} from {from:?}", query[0].ordering())
            },
        )?;
        let pair = |a: Option<Cursor>, b: Option<Cursor>| Some([a?, b?]);
        self.pages.push(Turned {
            query,
            next: pair(store.next, oracle.next),
            previous: pair(store.previous, oracle.previous),
        });
        Ok(())
    }

    async fn turn(&mut self, pick: u8, back: bool) -> Played {
        let Some(page) = self.pages.get(usize::from(pick) % self.pages.len().max(1)) else { return Ok(()) };
        let (cursors, from): (_, fn(Cursor) -> From) =
            if back { (&page.previous, From::Before) } else { (&page.next, From::After) };
        let Some([a, b]) = cursors.clone() else { return Ok(()) };
        let [x, y] = page.query.clone();
        self.find([x.from(from(a)), y.from(from(b))]).await
    }

    async fn claim(&mut self, limit: usize) -> Played {
        let now = at(self.elapsed);
        let ready = self.oracle.ready(now);
        // Which of those that are ready since one moment come first is not said, so none is left out.
        let mut limit = limit.min(ready.len());
        while limit > 0 && limit < ready.len() && ready[limit - 1].0 == ready[limit].0 {
            limit += 1;
        }
        let claim = Claim { now, lease: Duration::seconds(5), token: self.unnamed(), limit };
        let store = self.store.claim(claim).await.map_err(|error| failed("claim", &error))?;
        let oracle = self.oracle.claim(claim).await.map_err(|error| failed("claim", &error))?;
        let since = |job: Uuid| ready.iter().find(|(_, id)| *id == job).map(|(since, _)| *since);
        if !store.iter().map(|job| since(job.lease.job)).is_sorted() {
            return Err(format!("{store:?} are not in the order of {ready:?}"));
        }
        let sorted = |mut jobs: Vec<crate::storage::Claimed>| {
            jobs.sort_by_key(|job| job.lease.job);
            let known = jobs.iter().map(|job| {
                let payload = serde_json::from_str::<serde_json::Value>(&job.payload).ok();
                (
                    job.lease.scope,
                    job.lease.job,
                    job.key.clone(),
                    job.name.clone(),
                    payload,
                    job.due,
                    job.attempt,
                )
            });
            known.collect::<Vec<_>>()
        };
        self.leases.extend(oracle.iter().map(|job| job.lease));
        let (store, oracle) = (sorted(store), sorted(oracle));
        if store == oracle { Ok(()) } else { Err(format!("claimed {store:?}, and by the oracle {oracle:?}")) }
    }

    /// Reads on in both logs.
    async fn read_log(&mut self) -> Played {
        let all = self.oracle.events(Position::default(), usize::MAX).await;
        let all = all.map_err(|error| failed("events", &error))?;
        let expected = &all[all.len() - self.events..];
        let mut read = Vec::new();
        let reading = async {
            while read.len() < expected.len() {
                let piece = self.store.events(self.logged, 50).await?;
                if piece.is_empty() {
                    self.store.wait(self.logged).await?;
                }
                for logged in piece {
                    if logged.position <= self.logged {
                        return Ok(Some(format!("{logged:?} after {:?}", self.logged)));
                    }
                    self.logged = logged.position;
                    if self.scopes.contains(&logged.record.scope) {
                        read.push(logged.record);
                    }
                }
            }
            Ok(None)
        };
        match tokio::time::timeout(PATIENCE, reading).await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(disorder))) => return Err(disorder),
            Ok(Err(error)) => return Err(failed("events", &error)),
            Err(_) => return Err(format!("of {} events only {read:?} were logged", expected.len())),
        }
        let expected: Vec<_> = expected.iter().map(|logged| Arc::clone(&logged.record)).collect();
        self.events = 0;
        self.numbers.same_records(&crate::events::EVENT, &read, &expected)
    }

    async fn look_at_all(&mut self) -> Played {
        self.read_log().await?;
        for sort in SORTS {
            for org in [false, true] {
                self.ask(&everything(sort, org)).await?;
            }
        }
        Ok(())
    }

    /// A batch as planned, as far as there is what the plan speaks of.
    fn batch(&mut self, plan: &Plan) -> Batch {
        self.elapsed += i64::from(plan.wait);
        let mut batch = Batch::new(self.unnamed(), at(self.elapsed));
        let mut touched = BTreeSet::new();
        for part in &plan.parts {
            add(self, &mut batch, part, &mut touched);
        }
        batch
    }

    /// A record to change, and the version to expect of it.
    pub(super) fn target(&self, kind: &KindSpec, scope: Scope, pick: u8, slip: Slip) -> Option<(Uuid, i64)> {
        let ids = self.ids(kind.name, scope, slip != Slip::Gone);
        let id = *ids.get(usize::from(pick) % ids.len().max(1))?;
        let version = self.oracle.version(kind, scope, id).unwrap_or(1);
        Some((id, if slip == Slip::Version { version + 1 } else { version }))
    }
}

/// Whether two errors say the same of the same thing.
fn same_error(a: &StorageError, b: &StorageError) -> bool {
    use StorageError::{Conflict, Duplicate, LeaseLost, MissingReference, Referenced};
    match (a, b) {
        (Conflict { kind, id, current }, Conflict { kind: of, id: other, current: now }) => {
            (kind, id, current) == (of, other, now)
        }
        (Duplicate { kind, field }, Duplicate { kind: of, field: other })
        | (MissingReference { kind, field }, MissingReference { kind: of, field: other }) => {
            (kind, field) == (of, other)
        }
        (Referenced { kind, id }, Referenced { kind: of, id: other }) => (kind, id) == (of, other),
        (LeaseLost { job }, LeaseLost { job: other }) => job == other,
        _ => false,
    }
}
