//! Rollups count all rows there are, whoever writes, folds, or declares them meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use helpdesk_core::storage::{
    Batch, Expect, FieldSpec, Figures, Filter, Group, KindSpec, Query, Schema, Storage as _, StorageError,
    Tally, TotalMode, Value, Write,
};
use helpdesk_storage_postgres::PostgresStorage;
use sqlx::PgConnection;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::fixture::{Desk, ask, commit, fresh, run, schema, until};

/// As the older release declares it.
static PLAIN: KindSpec = KindSpec::new("errand", FIELDS);

/// As the newer one does.
static COUNTED: KindSpec = KindSpec::new("errand", FIELDS).rollups(&[&["state", "urgent"], &["weight"]]);

const FIELDS: &[FieldSpec] = &[
    FieldSpec::text("state"),
    FieldSpec::flag("urgent"),
    FieldSpec::int("weight").counted(),
    FieldSpec::text("note").uncounted(),
];

fn older() -> Schema {
    schema().with([&PLAIN])
}

fn newer() -> Schema {
    schema().with([&COUNTED])
}

async fn migrate(desk: &Desk, schema: &Schema) {
    PostgresStorage::migrate(&desk.settings(), schema).await.expect("the tables are made");
}

async fn open(desk: &Desk, schema: Schema) -> Arc<PostgresStorage> {
    Arc::new(PostgresStorage::open(&desk.settings(), schema).await.expect("the store opens"))
}

/// An errand's fields, different from place to place, and some of them not there.
fn fields(place: usize) -> [(&'static str, Value); 3] {
    let state = ["new", "open", "done"].get(place % 4).copied();
    [
        ("state", state.into()),
        ("urgent", (!place.is_multiple_of(3)).then_some(place % 3 == 1).into()),
        ("weight", (!place.is_multiple_of(5)).then_some((place % 5) as i64).into()),
    ]
}

fn put(desk: &Desk, id: Uuid, place: usize, expect: Expect) -> Write {
    let mut put = desk.put(&COUNTED, id, &fields(place));
    put.expect = expect;
    Write::Put(put)
}

/// Inserts an errand, changes it, and now and then deletes it.
async fn errand(store: &PostgresStorage, desk: &Desk, place: usize) {
    let id = fresh();
    commit(store, desk.writes([put(desk, id, place, Expect::Absent)])).await;
    commit(store, desk.writes([put(desk, id, place * 7 + 1, Expect::Version(1))])).await;
    if place.is_multiple_of(3) {
        let delete = Write::Delete { kind: &COUNTED, scope: desk.scope, id, expect: Expect::Version(2) };
        commit(store, desk.writes([delete])).await;
    }
}

/// How many combinations of values the rollups and the table disagree about, in one snapshot.
async fn off(session: &mut PgConnection) -> i64 {
    let of = |rollup: &str, fields: &str| {
        format!(
            "(SELECT organisation, {fields} FROM
                 (SELECT organisation, {fields}, count(*) AS n FROM helpdesk.errand GROUP BY organisation, {fields}
                  UNION ALL SELECT organisation, {fields}, -\"count\" FROM helpdesk.{rollup}) AS sides
              GROUP BY organisation, {fields} HAVING sum(n) <> 0)"
        )
    };
    let sql = format!(
        "SELECT (SELECT count(*) FROM {} AS a) + (SELECT count(*) FROM {} AS b)",
        of("errand_state_urgent_rollup", "state, urgent"),
        of("errand_weight_rollup", "weight"),
    );
    ask(session, &sql).await
}

/// How many rows the rollups have.
async fn rows(session: &mut PgConnection) -> i64 {
    let sql = "SELECT (SELECT count(*) FROM helpdesk.errand_state_urgent_rollup)
        + (SELECT count(*) FROM helpdesk.errand_weight_rollup)";
    ask(session, sql).await
}

/// Compares what a store answers with what it counts errand by errand.
async fn compare(store: &PostgresStorage, desk: &Desk) {
    let anything = || Filter::null("note").or(Filter::null("note").not());
    let tally = || Tally::new(&COUNTED, desk.scope);
    for tally in [
        tally(),
        tally().by(Group::Field("state")),
        tally().by(Group::Field("weight")),
        tally().by(Group::Field("urgent")).filter(Filter::equals("state", "open")),
    ] {
        let figures = |tally: Tally| async move { store.tally(&tally).await.expect("the store answers") };
        assert_eq!(figures(tally.clone()).await, figures(tally.filter(anything())).await);
    }
}

fn lacks_rollups(found: &[String]) -> usize {
    found.iter().filter(|lack| lack.contains("rollup")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn folding_changes_no_answer_while_two_servers_write() {
    let desk = Desk::new("rollup_fold").await;
    migrate(&desk, &newer()).await;
    let servers = [open(&desk, newer()).await, open(&desk, newer()).await];
    let done = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let (desk, store) = (desk.clone(), Arc::clone(&servers[writer % 2]));
        writers.spawn(async move {
            for turn in 0..25 {
                errand(&store, &desk, writer * 31 + turn).await;
            }
        });
    }
    // Both fold, and sometimes at once.
    let mut folders = JoinSet::new();
    for store in &servers {
        let (store, done) = (Arc::clone(store), Arc::clone(&done));
        folders.spawn(async move {
            let mut folded = 0;
            while !done.load(Ordering::Relaxed) {
                folded += store.fold().await.expect("the rollups are folded");
            }
            folded
        });
    }
    let watcher = tokio::spawn({
        let (mut session, done) = (desk.session().await, Arc::clone(&done));
        let (desk, store) = (desk.clone(), Arc::clone(&servers[0]));
        async move {
            while !done.load(Ordering::Relaxed) {
                assert_eq!(off(&mut session).await, 0);
                let open = Filter::equals("state", "open");
                let query =
                    Query::new(&COUNTED, desk.scope).filter(open).limit(1_000).total(TotalMode::Exact);
                let page = store.find(&query).await.expect("the store answers");
                assert_eq!(page.total.map(|total| total.count), Some(page.records.len() as u64));
            }
        }
    });
    writers.join_all().await;
    done.store(true, Ordering::Relaxed);
    watcher.await.expect("the rollups agree with the table at every moment");
    let folded: u64 = folders.join_all().await.into_iter().sum();
    let left = servers[1].fold().await.expect("the rollups are folded");
    assert!(folded + left > 0);
    let mut session = desk.session().await;
    assert_eq!(off(&mut session).await, 0);
    // Four states, three urgencies, and five weights.
    assert!(rows(&mut session).await <= 12 + 5);
    assert_eq!(servers[0].fold().await.expect("the rollups are folded"), 0);
    compare(&servers[0], &desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollup_is_declared_while_an_older_server_goes_on() {
    let desk = Desk::new("rollup_release").await;
    migrate(&desk, &older()).await;
    let old = open(&desk, older()).await;
    // It does not know of rollups, and none of its commits fails; several newer ones start meanwhile.
    let (enough, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let (desk, old) = (desk.clone(), Arc::clone(&old));
        let (enough, written) = (Arc::clone(&enough), Arc::clone(&written));
        writers.spawn(async move {
            while !enough.load(Ordering::Relaxed) {
                errand(&old, &desk, writer + written.fetch_add(1, Ordering::Relaxed)).await;
            }
        });
    }
    until("errands", || async { written.load(Ordering::Relaxed) > 100 }).await;
    let mut starting = JoinSet::new();
    for _ in 0..3 {
        let desk = desk.clone();
        starting.spawn(async move { migrate(&desk, &newer()).await });
    }
    starting.join_all().await;
    let mut session = desk.session().await;
    assert_eq!(off(&mut session).await, 0);
    let new = open(&desk, newer()).await;
    let before = written.load(Ordering::Relaxed);
    until("further errands", || async { written.load(Ordering::Relaxed) > before + 50 }).await;
    assert_eq!(off(&mut session).await, 0);
    new.fold().await.expect("the rollups are folded");
    enough.store(true, Ordering::Relaxed);
    writers.join_all().await;
    assert_eq!(off(&mut session).await, 0);
    compare(&new, &desk).await;
    let lacks = PostgresStorage::differences(&desk.settings(), &newer()).await.expect("an answer");
    assert!(lacks.is_empty(), "{lacks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollup_is_read_only_once_it_counts_everything() {
    let desk = Desk::new("rollup_unfilled").await;
    migrate(&desk, &older()).await;
    let (old, early) = (open(&desk, older()).await, open(&desk, newer()).await);
    for place in 0..20 {
        errand(&old, &desk, place).await;
    }
    let found = PostgresStorage::differences(&desk.settings(), &newer()).await.expect("an answer");
    assert_eq!(lacks_rollups(&found), 2, "{found:?}");
    // Nobody migrated for it, and it answers all the same.
    compare(&early, &desk).await;
    assert_eq!(early.fold().await.expect("there is nothing to fold"), 0);

    // As if a migration had been stopped between making a rollup and filling it.
    migrate(&desk, &newer()).await;
    let mut session = desk.session().await;
    run(&mut session, "DELETE FROM helpdesk.rollup; DELETE FROM helpdesk.errand_weight_rollup").await;
    errand(&old, &desk, 1).await;
    assert_ne!(off(&mut session).await, 0);
    let halfway = open(&desk, newer()).await;
    compare(&halfway, &desk).await;
    let tally = Tally::new(&COUNTED, desk.scope);
    let count = |figures: Vec<Figures>| figures[0].values[0].clone();
    let all = count(halfway.tally(&tally).await.expect("the store answers"));
    migrate(&desk, &newer()).await;
    assert_eq!(off(&mut session).await, 0);
    let new = open(&desk, newer()).await;
    compare(&new, &desk).await;
    assert_eq!(count(new.tally(&tally).await.expect("the store answers")), all);
    // Now it is the rollup that answers.
    run(&mut session, "UPDATE helpdesk.errand_weight_rollup SET \"count\" = \"count\" + 1").await;
    assert_ne!(count(new.tally(&tally).await.expect("the store answers")), all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollup_whose_triggers_went_is_noticed_and_made_right() {
    let desk = Desk::new("rollup_drift").await;
    migrate(&desk, &newer()).await;
    let store = open(&desk, newer()).await;
    let mut session = desk.session().await;
    let drifts = [
        "DROP TRIGGER errand_weight_rollup_inserted ON helpdesk.errand",
        "ALTER TABLE helpdesk.errand DISABLE TRIGGER errand_weight_rollup_updated",
        "DROP FUNCTION helpdesk.errand_weight_rollup CASCADE",
        "DROP TABLE helpdesk.errand_weight_rollup; DROP FUNCTION helpdesk.errand_weight_rollup CASCADE",
    ];
    for (place, drift) in drifts.into_iter().enumerate() {
        errand(&store, &desk, place).await;
        run(&mut session, drift).await;
        let found = PostgresStorage::differences(&desk.settings(), &newer()).await.expect("an answer");
        assert_eq!(lacks_rollups(&found), 1, "{drift}: {found:?}");
        errand(&store, &desk, place + 10).await;
        migrate(&desk, &newer()).await;
        assert_eq!(off(&mut session).await, 0, "{drift}");
        errand(&store, &desk, place + 20).await;
        assert_eq!(off(&mut session).await, 0, "{drift}");
        let found = PostgresStorage::differences(&desk.settings(), &newer()).await.expect("an answer");
        assert!(found.is_empty(), "{drift}: {found:?}");
    }
    let store = open(&desk, newer()).await;
    compare(&store, &desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_nothing_that_is_counted_adds_nothing() {
    let desk = Desk::new("rollup_idle").await;
    migrate(&desk, &newer()).await;
    let store = open(&desk, newer()).await;
    let mut session = desk.session().await;
    let id = fresh();
    commit(&store, desk.writes([put(&desk, id, 1, Expect::Absent)])).await;
    let before = rows(&mut session).await;
    for version in 1..5 {
        let mut noted = desk.put(&COUNTED, id, &fields(1));
        noted.fields[3] = format!("note {version}").into();
        noted.expect = Expect::Version(version);
        commit(&store, desk.writes([Write::Put(noted)])).await;
    }
    assert_eq!(rows(&mut session).await, before);
    // And what fails adds nothing either.
    let refused = store
        .commit(desk.writes([put(&desk, fresh(), 2, Expect::Absent), put(&desk, id, 3, Expect::Version(1))]));
    assert!(matches!(refused.await, Err(StorageError::Conflict { .. })));
    assert_eq!(rows(&mut session).await, before);
    // A batch of many adds a row for each combination, not for each errand.
    let many: Batch = desk.writes((0..200).map(|_| put(&desk, fresh(), 2, Expect::Absent)));
    commit(&store, many).await;
    assert_eq!(rows(&mut session).await, before + 2);
    assert_eq!(off(&mut session).await, 0);
}
