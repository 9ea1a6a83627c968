//! Writers that note what they were answered, and a check that what was answered is so.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use helpdesk_core::storage::{Batch, Committed, Counter, Expect, JOB, Query, Require, Storage, StorageError};
use helpdesk_storage_postgres::PostgresStorage;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::fixture::{CASE, Desk, SHELF, action, ask, follow, fresh, until, within};

/// A batch that was sent: a case, a job and two events, all under one name.
#[derive(Debug)]
struct Sent {
    batch: Uuid,
    case: Uuid,
    name: String,
    answer: Result<Committed, StorageError>,
}

/// What writers were answered.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    desk: Desk,
    sent: Arc<Mutex<Vec<Sent>>>,
    made: Arc<AtomicUsize>,
    enough: Arc<AtomicBool>,
}

impl Ledger {
    pub(crate) fn new(desk: &Desk) -> Self {
        Self { desk: desk.clone(), sent: Arc::default(), made: Arc::default(), enough: Arc::default() }
    }

    /// How many batches were answered as made.
    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    /// Waits until so many more were made.
    pub(crate) async fn more(&self, count: usize) {
        let before = self.made();
        until("further commits", || async { self.made() >= before + count }).await;
    }

    /// Starts writers, each of which commits one batch after the other on the node of its turn until told to end.
    pub(crate) fn write(&self, nodes: &[Arc<PostgresStorage>], writers: usize) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for writer in 0..writers {
            let (ledger, store) = (self.clone(), Arc::clone(&nodes[writer % nodes.len()]));
            tasks.spawn(async move {
                for number in 0.. {
                    if ledger.enough.load(Ordering::Relaxed) {
                        return;
                    }
                    ledger.send(&*store, &format!("{writer:02}.{number:06}"), number % 3 == 0).await;
                }
            });
        }
        tasks
    }

    async fn send(&self, store: &dyn Storage, name: &str, several: bool) {
        let (desk, case) = (&self.desk, fresh());
        let events = [format!("{name} begins"), format!("{name} ends")];
        let mut batch = Batch {
            writes: vec![desk.insert(&CASE, case, &[("code", name.into())])],
            jobs: vec![desk.enqueue(name)],
            ..desk.logs(events.iter().map(String::as_str))
        };
        if several {
            // What takes several statements.
            batch.counters.push(Counter { scope: desk.scope, series: "drawn".to_owned() });
            let expect = Expect::Absent;
            batch.requires.push(Require { kind: &SHELF, scope: desk.scope, id: fresh(), expect });
        }
        let id = batch.id;
        let answer = within("an answer", store.commit(batch)).await;
        self.made.fetch_add(usize::from(answer.is_ok()), Ordering::Relaxed);
        let sent = Sent { batch: id, case, name: name.to_owned(), answer };
        self.sent.lock().expect("no writer panicked").push(sent);
    }

    /// Has the writers end.
    pub(crate) async fn end(&self, mut writers: JoinSet<()>) {
        self.enough.store(true, Ordering::Relaxed);
        while let Some(ended) = writers.join_next().await {
            ended.expect("a writer");
        }
    }

    /// Checks that all that was answered as made is there once, that all else is there as a whole or not at all, and
    /// as [`Storage::outcome`] says. Answers how many there are, and how many were not answered as made.
    pub(crate) async fn check(&self, store: &PostgresStorage) -> (usize, usize) {
        let sent = std::mem::take(&mut *self.sent.lock().expect("no writer panicked"));
        let mut made: HashMap<&str, &Sent> = HashMap::new();
        let (mut counters, mut numbers) = (Vec::new(), Vec::new());
        let unanswered = sent.iter().filter(|sent| sent.answer.is_err()).count();
        for sent in &sent {
            let outcome = store.outcome(sent.batch).await.expect("the store answers");
            match &sent.answer {
                Ok(answer) => assert_eq!(outcome.as_ref(), Some(answer), "{}", sent.name),
                Err(StorageError::Unavailable { .. } | StorageError::Crossed { .. }) => {
                    assert_eq!(outcome, None, "{} was answered as not done", sent.name);
                }
                Err(StorageError::Unknown { batch, .. }) => assert_eq!(*batch, sent.batch),
                Err(other) => panic!("{}: {other:?}", sent.name),
            }
            let record = store.get(&CASE, self.desk.scope, &[sent.case]).await.expect("the store answers");
            let Some(outcome) = outcome else {
                assert!(record[0].is_none(), "nothing is there of {}", sent.name);
                continue;
            };
            let record = record[0].as_ref().unwrap_or_else(|| panic!("{} is there", sent.name));
            let written = outcome.written[0];
            assert_eq!((record.version, record.number), (written.version, written.number));
            counters.extend(outcome.counters);
            numbers.push(record.number);
            made.insert(&sent.name, sent);
        }

        let mut session = self.desk.session().await;
        let count = i64::try_from(made.len()).expect("a count");
        for (kind, each) in [("case", 1), ("event", 2), ("job", 1)] {
            let there: i64 = ask(&mut session, &format!("SELECT count(*) FROM helpdesk.\"{kind}\"")).await;
            assert_eq!(there, count * each, "of {kind}");
        }
        counters.sort_unstable();
        let drawn: Vec<_> = (1..).take(counters.len()).collect();
        assert_eq!(counters, drawn, "each number of the series once");
        self.check_events(store, &made).await;
        self.check_jobs(store, &made).await;
        self.check_numbers(&sent);
        (made.len(), unanswered)
    }

    /// Each event once, those of a batch together, those of a writer in the order of its batches.
    async fn check_events(&self, store: &PostgresStorage, made: &HashMap<&str, &Sent>) {
        let read = follow(store, made.len() * 2).await;
        let mut last: HashMap<&str, &str> = HashMap::new();
        for pair in read.chunks(2) {
            let name = pair[0].1.strip_suffix(" begins").expect("the first event of a batch");
            assert_eq!(pair[1].1, format!("{name} ends"));
            let (writer, number) = name.split_once('.').expect("a writer's batch");
            let before = last.insert(writer, number);
            assert!(made.contains_key(name) && before < Some(number), "{writer}: {number} after {before:?}");
        }
        let end = read.last().map(|(position, _)| *position).unwrap_or_default();
        assert!(store.events(end, 1).await.expect("the store answers").is_empty(), "no event twice");
        until("a place for every event", || async {
            store.health().await.expect("the store answers").unplaced == 0
        })
        .await;
        // The log as it was read just now is the log.
        let mut again = Vec::new();
        while again.len() < read.len() {
            let after = again.last().map(|(position, _)| *position).unwrap_or_default();
            let page = store.events(after, 1_000).await.expect("the store answers");
            again.extend(page.iter().map(|logged| (logged.position, action(logged))));
        }
        assert_eq!(again, read);
    }

    async fn check_jobs(&self, store: &PostgresStorage, made: &HashMap<&str, &Sent>) {
        let mut from = helpdesk_core::storage::From::Start;
        let mut jobs = 0;
        loop {
            let query = Query::new(&JOB, self.desk.scope).limit(1_000).from(from);
            let page = store.find(&query).await.expect("the store answers");
            for job in &page.records {
                let key = job.fields[0].as_text().expect("a key");
                assert!(made.contains_key(key) && job.version == 1, "{key}");
            }
            jobs += page.records.len();
            let Some(next) = page.next else { break };
            from = helpdesk_core::storage::From::After(next);
        }
        assert_eq!(jobs, made.len());
    }

    /// What one writer was answered later has the higher number.
    fn check_numbers(&self, sent: &[Sent]) {
        let mut last: HashMap<&str, i64> = HashMap::new();
        for sent in sent {
            let Ok(answer) = &sent.answer else { continue };
            let (writer, _) = sent.name.split_once('.').expect("a writer's batch");
            let number = answer.written[0].number;
            let before = last.insert(writer, number).unwrap_or_default();
            assert!(before < number, "{writer} was given {number} after {before}");
        }
    }
}
