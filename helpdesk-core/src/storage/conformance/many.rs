//! The same answers where there are so many records that a store goes about them in other ways.

use std::sync::Arc;

use uuid::Uuid;

use super::fixture::{Draft, Org, at, texts};
use super::histories::{Numbers, same_figures, same_page};
use super::kinds::{ITEM, schema};
use super::oracle::Oracle;
use crate::storage::{
    Batch, Bound, Filter, From, Group, MAX_PAGE, Measure, Query, Storage, Tally, Term, TotalMode, Value,
};

const ITEMS: i64 = 5_000;

fn item(org: &Org, place: i64) -> Draft {
    let state = [Some("new"), Some("open"), Some("open"), None, Some("closed")];
    let pick = usize::try_from(place).expect("a place");
    let bits = u128::try_from(place % 1_250).expect("a place");
    org.item()
        .label(&place.to_string())
        .set("state", state[pick % 5])
        .set("title", format!("title {}", place * 7 % 900))
        .set("note", (place % 4 != 0).then(|| format!("note {}", place % 50)))
        .set("size", place * 31 % 1_009 - 500)
        .set("grade", place % 3)
        .set("weight", (place % 6 != 0).then_some(f64::from(u16::try_from(place % 97).expect("small")) / 4.0))
        .set("open", place % 2 == 0)
        .set("due", (place % 10 != 3).then(|| at(place * 37 % 3_001)))
        // More different ones than a store may wish to go through one by one.
        .set("user", Value::Uuid(Uuid::from_u128(bits << 64)))
        .set("tags", texts(&["all", ["red", "green", "blue"][pick % 3]]))
        .says(["printer on fire", "paper", "printer out of paper", ""][pick % 4])
}

/// Both stores with the same records: inserted, then some changed and some deleted.
async fn filled(store: &Arc<dyn Storage>) -> (Org, Oracle, Vec<Draft>) {
    let (org, oracle) = (Org::new(store), Oracle::new(schema()));
    let drafts: Vec<Draft> = (0..ITEMS).map(|place| item(&org, place)).collect();
    let mut batches = Vec::new();
    for drafts in drafts.chunks(1_000) {
        let batch = org.writes(drafts.iter().cloned().map(Draft::insert));
        batches.push(Batch { at: at(i64::try_from(batches.len()).expect("few")), ..batch });
    }
    let changed = drafts.iter().zip(1_000..).step_by(9);
    batches.push(org.writes(changed.map(|(draft, place)| item(&org, place).named(draft.id()).update(1))));
    let gone = drafts.iter().enumerate().step_by(13);
    let version = |place: usize| if place.is_multiple_of(9) { 2 } else { 1 };
    batches.push(org.writes(gone.map(|(place, draft)| org.delete(&ITEM, draft.id(), version(place)))));
    for batch in batches {
        org.commit(batch.clone()).await;
        oracle.commit(batch).await.expect("the oracle commits");
    }
    (org, oracle, drafts)
}

fn filters(drafts: &[Draft]) -> Vec<Filter> {
    let user = Value::Uuid(Uuid::from_u128(77 << 64));
    let id = |place: usize| Filter::equals("id", drafts[place].id());
    vec![
        Filter::all(),
        Filter::equals("state", "open"),
        Filter::equals("state", "open").and(Filter::equals("grade", 1)).and(Filter::equals("open", true)),
        Filter::null("state").or(Filter::equals("state", "new").not()),
        Filter::equals("user", user),
        Filter::range("due", Bound::Excluded(at(100).into()), Bound::Included(at(900).into())),
        Filter::equals("tags", "red").and(Filter::at_least("size", 0)),
        Filter::one_of("state", ["open".into(), "new".into()]),
        Filter::words(Term::typed("printer")).and(Filter::null("due").not()),
        Filter::words(Term::typed("pap*")).not(),
        Filter::prefix("title", "title 1").and(Filter::equals("open", false)),
        Filter::equals("note", "note 7").or(Filter::less_than("weight", 1.0)),
        id(1).or(id(4_990)),
        id(4_990).or(id(1)),
    ]
}

fn orders() -> [fn(Query) -> Query; 13] {
    [
        |query| query,
        |query| query.descending("number"),
        |query| query.ascending("state"),
        |query| query.descending("user"),
        |query| query.descending("due"),
        |query| query.ascending("grade").ascending("size"),
        |query| query.descending("grade").ascending("size"),
        |query| query.descending("due").ascending("number"),
        |query| query.descending("grade").descending("size"),
        |query| query.descending("title"),
        |query| query.ascending("created_at").ascending("number"),
        |query| query.descending("open").ascending("weight"),
        |query| query.ascending("note"),
    ]
}

pub async fn many_records_are_found_as_few_are(store: &Arc<dyn Storage>) {
    let (org, oracle, drafts) = filled(store).await;
    let mut numbers = Numbers::default();
    let all = org.query().limit(MAX_PAGE);
    let mut from = [From::Start, From::Start];
    // All of them once, so that every number is known.
    loop {
        let [a, b] = from.map(|from| all.clone().from(from));
        let (a, b) = (org.page(a).await, oracle.find(&b).await.expect("the oracle answers"));
        same_page(&mut numbers, &ITEM, org.scope, &a, &b).expect("the same page");
        let (Some(a), Some(b)) = (a.next, b.next) else { break };
        from = [From::After(a), From::After(b)];
    }
    let mut turn = 0_u64;
    for filter in filters(&drafts) {
        for order in orders() {
            turn += 1;
            let query = order(org.query()).filter(filter.clone()).limit(20);
            let total = if turn.is_multiple_of(2) { TotalMode::Exact } else { TotalMode::UpTo(turn * 17) };
            let starts = [From::Start, From::Offset(turn * 97 % 1_500)];
            for start in starts {
                let query = query.clone().from(start).total(total);
                let (a, b) = (org.page(query.clone()).await, oracle.find(&query).await.expect("an answer"));
                same_page(&mut numbers, &ITEM, org.scope, &a, &b).unwrap_or_else(|e| panic!("{e}: {query:?}"));
                let turns = [(a.next, b.next, From::After as fn(_) -> _), (a.previous, b.previous, From::Before)];
                for (a, b, from) in turns {
                    let (Some(a), Some(b)) = (a, b) else { continue };
                    let [a, b] = [a, b].map(|cursor| query.clone().limit(30).from(from(cursor)));
                    let (x, y) = (org.page(a.clone()).await, oracle.find(&b).await.expect("an answer"));
                    same_page(&mut numbers, &ITEM, org.scope, &x, &y).unwrap_or_else(|e| panic!("{e}: {a:?}"));
                }
            }
        }
    }
}

pub async fn many_records_are_tallied_as_few_are(store: &Arc<dyn Storage>) {
    let (org, oracle, drafts) = filled(store).await;
    for filter in filters(&drafts) {
        let tally = || Tally::new(&ITEM, org.scope).filter(filter.clone());
        let sums = tally().measure(Measure::Sum("size")).measure(Measure::Average("weight"));
        for tally in [
            tally(),
            tally().by(Group::Field("state")),
            tally().by(Group::Field("tags")),
            tally().by(Group::Field("user")),
            tally().by(Group::Field("grade")).by(Group::Field("state")),
            tally().by(Group::Field("open")).measure(Measure::Sum("grade")).measure(Measure::Average("grade")),
            sums.clone(),
            sums.by(Group::Field("open")).by(Group::Field("note")),
        ] {
            let (a, b) = (store.tally(&tally).await, oracle.tally(&tally).await);
            let (a, b) = (a.expect("the store answers"), b.expect("the oracle answers"));
            same_figures(&tally, &a, &b).unwrap_or_else(|error| panic!("{error}: {tally:?}"));
        }
    }
}
