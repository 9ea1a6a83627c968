//! Rollups: however a store keeps them, they say what counting the records says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fixture::{Draft, Org, refused};
use super::kinds::{ITEM, PRESENCE, READING};
use super::races::{settled, together};
use super::tally::rows;
use crate::storage::{
    Filter, Group, KindSpec, MAX_PAGE, Measure, Storage, StorageError, Tally, TotalMode, Value,
};

/// Holds for every item, but not by anything that a rollup has: what asks for it is counted record by record.
fn anything() -> Filter {
    Filter::null("label").or(Filter::null("label").not())
}

/// Questions that the rollups of items answer.
fn questions(org: &Org) -> Vec<Tally> {
    let tally = || Tally::new(&ITEM, org.scope);
    let by = |fields: &[&'static str]| fields.iter().fold(tally(), |tally, field| tally.by(Group::Field(field)));
    let open = || Filter::equals("open", true);
    let measured = |tally: Tally| {
        tally.measure(Measure::Sum("grade")).measure(Measure::Count).measure(Measure::Average("grade"))
    };
    vec![
        tally(),
        by(&["state"]),
        by(&["grade", "state"]),
        by(&["open", "grade", "state"]),
        by(&["shelf"]),
        tally().filter(open()),
        tally().filter(Filter::null("state").or(Filter::prefix("state", "o"))),
        by(&["state"]).filter(open().not()),
        by(&["state"]).filter(Filter::at_least("grade", 1).and(open())),
        by(&["grade"]).filter(Filter::none()),
        measured(tally()),
        measured(by(&["state"])),
        measured(by(&["open"])).filter(Filter::null("grade").not()),
    ]
}

/// Compares what the rollups say with what counting says, and answers how many items there are.
async fn compare(org: &Org) -> i64 {
    for tally in questions(org) {
        let plain = rows(org, tally.clone().filter(anything())).await;
        assert_eq!(rows(org, tally.clone()).await, plain, "{tally:?}");
    }
    rows(org, Tally::new(&ITEM, org.scope)).await[0][0].as_int().expect("a count")
}

fn item(org: &Org, place: i64) -> Draft {
    let state = [Some("new"), Some("open"), None, Some("Open"), Some("")];
    org.item()
        .set("state", usize::try_from(place % 5).ok().and_then(|place| state[place]))
        .set("open", (place % 7 != 0).then_some(place % 2 == 0))
        .set("grade", (place % 4 != 0).then_some(place % 3 - 1))
}

pub async fn rolled_up_counts_follow_changes(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    assert_eq!(compare(&org).await, 0);
    let items: Vec<_> = (0..40).map(|place| item(&org, place)).collect();
    org.write(items.iter().cloned().map(Draft::insert)).await;
    assert_eq!(compare(&org).await, 40);
    // To other values, to the same, and to what no rollup has.
    for (place, draft) in items.iter().enumerate().take(10) {
        let changed = match place % 3 {
            0 => item(&org, 77 + place as i64).named(draft.id()),
            1 => draft.clone(),
            _ => draft.clone().label("changed"),
        };
        org.write([changed.update(1)]).await;
    }
    assert_eq!(compare(&org).await, 40);
    org.write(items[..10].iter().map(|draft| org.delete(&ITEM, draft.id(), 2))).await;
    assert_eq!(compare(&org).await, 30);
    org.write(items[10..].iter().map(|draft| org.delete(&ITEM, draft.id(), 1))).await;
    assert_eq!(compare(&org).await, 0);
    assert!(rows(&org, Tally::new(&ITEM, org.scope).by(Group::Field("state"))).await.is_empty());
}

pub async fn rolled_up_null_is_a_value_among_others(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let (none, some) = (org.item(), org.item().set("state", "").set("grade", 0).set("open", false));
    org.write([none.clone().insert(), some.clone().insert()]).await;
    let by = |field| Tally::new(&ITEM, org.scope).by(Group::Field(field));
    let one = Value::Int(1);
    for (field, value) in [("state", Value::text("")), ("grade", Value::Int(0)), ("open", Value::Flag(false))] {
        let expected = [vec![Value::Null, one.clone()], vec![value, one.clone()]];
        assert_eq!(rows(&org, by(field)).await, expected);
    }
    org.write([some.clone().set("state", Value::Null).update(1), none.clone().set("grade", 0).update(1)]).await;
    assert_eq!(rows(&org, by("state")).await, [vec![Value::Null, Value::Int(2)]]);
    assert_eq!(rows(&org, by("grade")).await, [vec![Value::Int(0), Value::Int(2)]]);
    compare(&org).await;
}

pub async fn rolled_up_numbers_are_summed_and_averaged(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let grades = [Some(i64::MAX), Some(-3), None, Some(i64::MAX), Some(-3), Some(1)];
    let items = grades.map(|grade| org.item().set("state", "a").set("grade", grade));
    org.write(items.clone().map(Draft::insert)).await;
    let by = || {
        let tally = Tally::new(&ITEM, org.scope).by(Group::Field("state"));
        tally.measure(Measure::Sum("grade")).measure(Measure::Average("grade"))
    };
    assert_eq!(rows(&org, by()).await[0][1], Value::Int(i64::MAX), "no further than whole numbers go");
    org.write([0, 3].map(|place| org.delete(&ITEM, items[place].id(), 1))).await;
    let average = Value::from(-5.0 / 3.0);
    assert_eq!(rows(&org, by()).await, [vec![Value::text("a"), Value::Int(-5), average]], "nothing is left of them");
    org.write([1, 4, 5].map(|place| org.delete(&ITEM, items[place].id(), 1))).await;
    assert_eq!(rows(&org, by()).await, [vec![Value::text("a"), Value::Null, Value::Null]]);
}

pub async fn rolled_up_totals_are_those_of_the_records(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    org.write((0..60).map(|place| item(&org, place).insert())).await;
    for filter in [
        Filter::all(),
        Filter::equals("state", "open"),
        Filter::equals("open", true).and(Filter::null("state")),
        Filter::null("grade").not(),
        Filter::none(),
    ] {
        let query = || org.query().filter(filter.clone()).limit(MAX_PAGE);
        let page = org.page(query().total(TotalMode::Exact)).await;
        let count = page.records.len() as u64;
        assert_eq!(page.total.map(|total| (total.count, total.exact)), Some((count, true)));
        let alone = org.page(query().limit(0).total(TotalMode::Exact)).await;
        assert_eq!(alone.total.map(|total| total.count), Some(count));
        for bound in [0, 5, count, 100] {
            let total = org.page(query().limit(1).total(TotalMode::UpTo(bound))).await.total;
            let expected = (count.min(bound), count <= bound);
            assert_eq!(total.map(|total| (total.count, total.exact)), Some(expected), "up to {bound}");
        }
    }
}

pub async fn every_scope_is_counted_for_itself(store: &Arc<dyn Storage>) {
    let (one, other) = (Org::new(store), Org::new(store));
    let both = (0..12).map(|place| item(if place % 3 == 0 { &other } else { &one }, place).insert());
    one.write(both).await;
    assert_eq!(compare(&one).await, 8);
    assert_eq!(compare(&other).await, 4);
    let moved = one.item().set("state", "here");
    // The same id may be used in both.
    let there = other.item().named(moved.id()).set("state", "there");
    one.write([moved.clone().insert(), there.insert()]).await;
    one.write([one.delete(&ITEM, moved.id(), 1)]).await;
    assert_eq!((compare(&one).await, compare(&other).await), (8, 5));
}

pub async fn several_writes_of_one_batch_are_all_counted(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let shelf = org.insert(org.shelf()).await;
    let items: Vec<_> = (0..9).map(|place| item(&org, place)).collect();
    org.write(items.iter().cloned().map(Draft::insert)).await;
    let mut writes: Vec<_> = items[..3].iter().map(|draft| draft.clone().set("shelf", shelf).update(1)).collect();
    writes.extend(items[3..5].iter().map(|draft| org.delete(&ITEM, draft.id(), 1)));
    writes.extend((20..24).map(|place| item(&org, place).set("shelf", shelf).insert()));
    writes.push(org.draft(&READING).set("item", items[8].id()).insert());
    org.write(writes).await;
    assert_eq!(compare(&org).await, 11);
    let by_shelf = rows(&org, Tally::new(&ITEM, org.scope).by(Group::Field("shelf"))).await;
    assert_eq!(by_shelf, [vec![Value::Null, Value::Int(4)], vec![shelf.into(), Value::Int(7)]]);
}

pub async fn a_failed_batch_counts_for_nothing(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let there = item(&org, 1).set("code", "taken");
    org.insert(there.clone()).await;
    let twice = org.try_write([item(&org, 2).insert(), item(&org, 3).set("code", "taken").insert()]).await;
    refused!(twice, StorageError::Duplicate { .. });
    let stale = org.try_write([item(&org, 4).insert(), there.clone().set("state", "other").update(7)]).await;
    refused!(stale, StorageError::Conflict { .. });
    let gone = org.try_write([org.delete(&ITEM, there.id(), 1), org.delete(&ITEM, org.item().id(), 1)]).await;
    refused!(gone, StorageError::Conflict { .. });
    assert_eq!(compare(&org).await, 1);
    let open = Tally::new(&ITEM, org.scope).filter(Filter::equals("state", "open"));
    assert_eq!(rows(&org, open).await, [[Value::Int(1)]]);
}

pub async fn a_batch_sent_again_is_counted_once(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let batch = org.writes((0..3).map(|place| item(&org, place).insert()));
    let answers = together((0..4).map(|_| {
        let (org, batch) = (org.clone(), batch.clone());
        async move { settled(|| org.store.commit(batch.clone())).await }
    }))
    .await;
    assert!(answers.iter().any(Result::is_ok), "{answers:?}");
    assert_eq!(compare(&org).await, 3);
}

/// How many records a kind has by its rolled up field.
async fn by(org: &Org, kind: &'static KindSpec, field: &'static str) -> Vec<Vec<Value>> {
    rows(org, Tally::new(kind, org.scope).by(Group::Field(field))).await
}

pub async fn what_is_overwritten_is_counted_once(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let somebody = org.draft(&PRESENCE);
    for mood in ["calm", "calm", "busy"] {
        org.write([somebody.clone().set("mood", mood).overwrite()]).await;
    }
    let other = org.draft(&PRESENCE).set("mood", "calm");
    org.write([other.clone().overwrite(), somebody.clone().set("mood", "away").overwrite()]).await;
    let expected = [vec![Value::text("away"), Value::Int(1)], vec![Value::text("calm"), Value::Int(1)]];
    assert_eq!(by(&org, &PRESENCE, "mood").await, expected);
    org.write([org.delete(&PRESENCE, other.id(), 1)]).await;
    assert_eq!(by(&org, &PRESENCE, "mood").await, expected[..1]);
}

pub async fn what_is_appended_is_counted(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = org.insert(org.item()).await;
    let readings: Vec<_> = (0..3).map(|place| org.draft(&READING).set("item", (place > 0).then_some(item))).collect();
    org.write(readings.iter().cloned().map(Draft::insert)).await;
    let expected = |count: i64| [vec![Value::Null, Value::Int(1)], vec![item.into(), Value::Int(count)]];
    assert_eq!(by(&org, &READING, "item").await, expected(2));
    org.write([org.delete(&READING, readings[1].id(), 1)]).await;
    assert_eq!(by(&org, &READING, "item").await, expected(1));
}

pub async fn rolled_up_counts_hold_while_many_write(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let done = Arc::new(AtomicBool::new(false));
    let writers = (0..6_i64).map(|writer| {
        let org = org.clone();
        async move {
            for turn in 0..12 {
                let draft = item(&org, writer + turn * 6);
                let commit = |write| {
                    let org = &org;
                    let batch = org.writes([write]);
                    async move { settled(|| org.store.commit(batch.clone())).await.expect("a commit") }
                };
                commit(draft.clone().insert()).await;
                if turn % 2 == 0 {
                    commit(item(&org, writer + turn).named(draft.id()).update(1)).await;
                }
                if turn % 4 == 0 {
                    commit(org.delete(&ITEM, draft.id(), 2)).await;
                }
            }
        }
    });
    let reader = tokio::spawn({
        let (org, done) = (org.clone(), Arc::clone(&done));
        async move {
            // What one answer has of the records and of the rollup is of one state.
            while !done.load(Ordering::Relaxed) {
                for filter in [Filter::all(), Filter::equals("open", true)] {
                    let query = org.query().filter(filter).limit(MAX_PAGE).total(TotalMode::Exact);
                    let page = org.page(query).await;
                    assert_eq!(page.total.map(|total| total.count), Some(page.records.len() as u64));
                }
            }
        }
    });
    together(writers).await;
    done.store(true, Ordering::Relaxed);
    reader.await.expect("the answers agree");
    assert_eq!(compare(&org).await, 6 * 9);
}
