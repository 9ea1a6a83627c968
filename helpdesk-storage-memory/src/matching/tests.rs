//! Rows and totals of filters against looking at every record.

use helpdesk_core::storage::{Body, FieldSpec, KindSpec, Scope, Term, Value, Words};
use uuid::Uuid;

use super::*;
use crate::partition::{FieldIndex, Partition};

static THING: KindSpec = KindSpec::new(
    "thing",
    &[
        FieldSpec::text("status"),
        FieldSpec::flag("deleted"),
        FieldSpec::text("owner"),
        FieldSpec::text("tags").many(),
        FieldSpec::int("rank").counted(),
        FieldSpec::int("size"),
        FieldSpec::text("code").uncounted(),
    ],
)
.indexes(&[&["code"]])
.searched();

/// Rows are seven numbers apart, so that a few thousand records fill several blocks.
const STEP: u32 = 7;

fn thing(step: u32, deleted: bool) -> Record {
    let pick = |from: &[&str], number: u32| Value::text(from[number as usize % from.len()]);
    let tags = ["red", "green", "blue"].into_iter().enumerate();
    let at = chrono::DateTime::UNIX_EPOCH;
    Record {
        id: Uuid::from_u128(u128::from(step)),
        scope: Scope::organisation(Uuid::nil()),
        number: i64::from(step * STEP),
        version: 1,
        created_at: at,
        updated_at: at,
        fields: Box::new([
            pick(&["open", "closed", "closed", "waiting"], step / 3),
            Value::Flag(deleted),
            if step.is_multiple_of(5) { Value::Null } else { Value::text(&format!("o{}", step % 90)) },
            Value::many(tags.filter(|(bit, _)| step >> bit & 1 == 1).map(|(_, tag)| Value::text(tag))),
            if step.is_multiple_of(11) { Value::Null } else { Value::Int(i64::from(step % 4)) },
            Value::Int(i64::from(step % 100)),
            Value::text(&format!("c{}", step % 1_000)),
        ]),
        body: Body { version: 1, json: "{}".into() },
    }
}

fn words(step: u32) -> Words {
    let rare = format!("rare{}", step % 400);
    Words::cut(["common", if step.is_multiple_of(2) { "even" } else { "odd" }, &rare])
}

/// A partition in which one of so many records is marked as deleted, and some were taken out for good.
fn partition(count: u32, deleted: impl Fn(u32) -> bool) -> Partition {
    let mut partition = Partition::new(&THING);
    for step in 1..=count {
        let record = Arc::new(thing(step, deleted(step)));
        partition.write(None, record, Some(words(step))).expect("written");
    }
    for step in (1..=count).filter(|step| step % 13 == 0) {
        let old = thing(step, deleted(step));
        partition.delete(&old);
    }
    for step in (1..=count).filter(|step| step % 13 == 1 && step % 10 == 0) {
        let old = thing(step, deleted(step));
        let mut new = thing(step, false);
        new.fields[0] = Value::text("moved");
        partition.write(Some(&old), Arc::new(new), None).expect("written");
    }
    partition
}

fn leaves() -> Vec<Filter> {
    let texts = |texts: &[&str]| texts.iter().map(|text| Value::text(text)).collect::<Vec<_>>();
    vec![
        Filter::all(),
        Filter::none(),
        Filter::equals("deleted", false),
        Filter::equals("deleted", true),
        Filter::equals("status", "open"),
        Filter::equals("status", "moved"),
        Filter::equals("status", "unheard of"),
        Filter::one_of("status", texts(&["open", "waiting"])),
        Filter::one_of("status", texts(&["closed", "moved", "open", "waiting"])),
        Filter::null("status"),
        Filter::null("owner"),
        Filter::equals("owner", "o7"),
        Filter::prefix("owner", "o1"),
        Filter::equals("tags", "red"),
        Filter::one_of("tags", texts(&["blue", "red"])),
        Filter::one_of("tags", texts(&["blue", "green", "red"])),
        Filter::null("tags"),
        Filter::at_least("rank", 1_i64),
        Filter::at_least("rank", 0_i64),
        Filter::less_than("size", 3_i64),
        Filter::equals("code", "c17"),
        Filter::at_least("number", 9_000_i64),
        Filter::less_than("number", 30_000_i64),
        Filter::words(Term::typed("common")),
        Filter::words(Term::typed("even rare30")),
    ]
}

fn check(partition: &Partition, filter: &Filter) {
    let satisfies = |record: &Record, terms: &[Term]| words(record.number as u32 / STEP).satisfy(terms);
    let expected: Vec<Row> = partition
        .records
        .values()
        .filter(|record| filter.holds(&THING, record, &|terms| satisfies(record, terms)))
        .map(|record| record.number as Row)
        .collect();
    let matching = Matching::new(partition, filter);
    assert_eq!(matching.rows().count(), expected.len() as u64, "{filter:?}");
    assert_eq!(matching.rows().walked(), expected.len() as u64, "{filter:?}");
    assert_eq!(matching.rows().count_to(100), expected.len().min(100) as u64, "{filter:?}");
    assert_eq!(matching.count(), expected.len() as u64, "{filter:?}");
    if let Some(count) = partition.cube.count(filter) {
        assert_eq!(count, expected.len() as u64, "{filter:?}");
    }
    for descending in [false, true] {
        let mut rows = Vec::new();
        for block in matching.rows().blocks(EVERYWHERE, descending) {
            matching.rows().places(block).each(descending, |place| {
                rows.push(join(block, place));
                true
            });
        }
        if descending {
            rows.reverse();
        }
        assert_eq!(rows, expected, "{filter:?}");
    }
    let has = |record: &&Arc<Record>| matching.has(record.number as Row);
    assert_eq!(partition.records.values().filter(has).count(), expected.len(), "{filter:?}");
    let FieldIndex::Counted(values) = &partition.fields[0] else { panic!("counted") };
    let by_value: u64 = values.values().map(|rows| matching.within(&Node::Rows(rows)).count()).sum();
    assert_eq!(by_value, expected.len() as u64, "{filter:?}");
}

fn check_all(partition: &Partition) {
    let leaves = leaves();
    for (place, a) in leaves.iter().enumerate() {
        check(partition, a);
        check(partition, &a.clone().not());
        for b in &leaves[place..] {
            check(partition, &a.clone().and(b.clone()));
            check(partition, &a.clone().and(b.clone().not()));
            check(partition, &a.clone().not().and(b.clone()));
            check(partition, &a.clone().or(b.clone()));
        }
    }
    // What lists ask for: not deleted, one's own, and something more.
    let alive = Filter::equals("deleted", false);
    let mine = Filter::equals("owner", "o7").or(Filter::equals("tags", "red"));
    for leaf in &leaves {
        let list = alive.clone().and(mine.clone());
        check(partition, &list.clone().and(leaf.clone()));
        check(partition, &list.and(leaf.clone().not()).not());
        check(partition, &alive.clone().and(leaf.clone().and(Filter::equals("status", "closed"))));
    }
}

#[test]
fn filters_are_answered_as_by_looking_where_nothing_is_deleted() {
    check_all(&partition(1_200, |_| false));
}

#[test]
fn filters_are_answered_as_by_looking_where_little_is_deleted() {
    let partition = partition(1_500, |step| step % 50 == 0);
    assert!(partition.cube.count(&Filter::equals("status", "open")).is_some());
    check_all(&partition);
}

#[test]
fn filters_are_answered_as_by_looking_where_nearly_all_is_deleted() {
    check_all(&partition(800, |step| step % 90 != 0));
}

#[test]
fn filters_are_answered_as_by_looking_where_there_is_nothing() {
    check_all(&partition(0, |_| false));
}

#[test]
fn a_flag_that_all_records_share_costs_nothing() {
    let partition = partition(200, |_| false);
    let filter = Filter::equals("deleted", false).and(Filter::equals("status", "open"));
    let matching = Matching::new(&partition, &filter);
    assert!(matches!(matching.node, Node::Rows(_)), "{:?}", matching.node);
}
