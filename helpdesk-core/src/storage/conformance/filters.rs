//! Which records a filter holds for.

use std::sync::Arc;

use chrono::Duration;
use uuid::Uuid;

use super::fixture::{Org, at, ids, instant, texts};
use super::kinds::ITEM;
use crate::storage::{Batch, Bound, Filter, Query, Storage, Value};

/// Items under test, by label, with what is set of each.
async fn items(store: &Arc<dyn Storage>, field: &'static str, values: &[(&str, Value)]) -> Org {
    let org = Org::new(store);
    let draft = |(label, value): &(&str, Value)| org.item().label(label).set(field, value.clone()).insert();
    org.write(values.iter().map(draft)).await;
    org
}

fn included(value: impl Into<Value>) -> Bound {
    Bound::Included(value.into())
}

fn excluded(value: impl Into<Value>) -> Bound {
    Bound::Excluded(value.into())
}

/// Checks equality, ranges and null of one field: `rising` are its values, smallest first.
async fn a_type(store: &Arc<dyn Storage>, field: &'static str, rising: &[Value]) {
    let names: Vec<_> = (0..rising.len()).map(|place| place.to_string()).collect();
    let mut values: Vec<_> = names.iter().map(String::as_str).zip(rising.iter().cloned()).collect();
    values.push(("none", Value::Null));
    let org = items(store, field, &values).await;
    for (place, value) in rising.iter().enumerate() {
        let held = |filter| org.matching(filter);
        assert_eq!(held(Filter::equals(field, value.clone())).await, [names[place].as_str()]);
        let differs = held(Filter::equals(field, value.clone()).not()).await;
        assert_eq!(differs.len(), rising.len(), "what differs, and what has no value");
        let ranges = [
            (Bound::Open, included(value.clone()), 0, place + 1),
            (Bound::Open, excluded(value.clone()), 0, place),
            (included(value.clone()), Bound::Open, place, names.len()),
            (excluded(value.clone()), Bound::Open, place + 1, names.len()),
            (included(value.clone()), included(value.clone()), place, place + 1),
            (included(value.clone()), excluded(value.clone()), place, place),
            (excluded(value.clone()), included(value.clone()), place, place),
            (excluded(value.clone()), excluded(value.clone()), place, place),
            (included(rising[0].clone()), excluded(value.clone()), 0, place),
        ];
        for (low, high, from, to) in ranges {
            let filter = Filter::range(field, low, high);
            assert_eq!(held(filter.clone()).await, names[from..to], "{filter:?}");
            let rest = held(filter.clone().not()).await;
            assert_eq!(rest.len(), values.len() - (to - from), "not {filter:?}");
        }
    }
    let (least, most) = (rising[0].clone(), rising[rising.len() - 1].clone());
    if least < most {
        let backwards = Filter::range(field, included(most.clone()), included(least.clone()));
        assert!(org.matching(backwards).await.is_empty());
    }
    assert_eq!(org.matching(Filter::range(field, Bound::Open, Bound::Open)).await, names, "null is in no range");
    assert_eq!(org.matching(Filter::null(field)).await, ["none"]);
    assert_eq!(org.matching(Filter::null(field).not()).await, names);
    assert_eq!(org.matching(Filter::one_of(field, [most.clone(), least.clone(), most])).await.len(), {
        if rising.len() == 1 { 1 } else { 2 }
    });
    assert!(org.matching(Filter::one_of(field, [])).await.is_empty());
    assert!(org.matching(Filter::equals(field, Value::Null)).await.is_empty(), "null equals nothing");
    assert_eq!(org.matching(Filter::one_of(field, [Value::Null, least])).await, ["0"]);
}

pub async fn texts_compare_by_code_points(store: &Arc<dyn Storage>) {
    // No language would sort them so, and UTF-16 would put the last before the one in front of it.
    let rising = ["", " ", "10", "9", "A", "Z", "_", "a", "ab", "b", "z", "ä", "я", "東", "\u{ffff}", "😀"];
    for field in ["state", "title", "note", "code"] {
        a_type(store, field, &rising.map(Value::text)).await;
    }
}

pub async fn whole_numbers_compare_by_size(store: &Arc<dyn Storage>) {
    let rising = [i64::MIN, -10, -9, -1, 0, 1, 2, 10, i64::MAX].map(Value::Int);
    for field in ["size", "grade"] {
        a_type(store, field, &rising).await;
    }
}

pub async fn numbers_compare_by_size(store: &Arc<dyn Storage>) {
    let rising = [f64::MIN, -1.5, -1e-300, 0.0, 1e-300, 0.1, 0.5, 2.0, 10.0, f64::MAX];
    a_type(store, "weight", &rising.map(Value::from)).await;
}

pub async fn minus_zero_is_zero(store: &Arc<dyn Storage>) {
    let org = items(store, "weight", &[("zero", Value::from(0.0)), ("minus", Value::from(-0.0))]).await;
    assert_eq!(org.matching(Filter::equals("weight", 0.0)).await.len(), 2);
    assert_eq!(org.matching(Filter::equals("weight", -0.0)).await.len(), 2);
}

pub async fn false_is_less_than_true(store: &Arc<dyn Storage>) {
    a_type(store, "open", &[Value::Flag(false), Value::Flag(true)]).await;
}

pub async fn instants_compare_by_time(store: &Arc<dyn Storage>) {
    let micro = Duration::microseconds(1);
    // The first two lie before 1970.
    let old = [instant("0009-01-01T00:00:00Z"), instant("1969-12-31T23:59:59.999999Z")];
    let rising = [old[0], old[1], at(-1), at(0) - micro, at(0), at(0) + micro, at(1), at(86_400)].map(Value::from);
    a_type(store, "due", &rising).await;
}

pub async fn ids_compare_by_their_bytes(store: &Arc<dyn Storage>) {
    let rising = [0, 1, 1 << 64, 1 << 127, u128::MAX].map(|bits| Value::Uuid(Uuid::from_u128(bits)));
    a_type(store, "user", &rising).await;
}

pub async fn prefixes_are_taken_literally(store: &Arc<dyn Storage>) {
    let values = ["a", "ab", "abc", "aB", "Ab", "b", "a%c", "a_c", r"a\c", "ä", "äb", "a\u{308}", "\u{10ffff}x"];
    let cases: [(&str, &[&str]); 10] = [
        ("a", &["a", "ab", "abc", "aB", "a%c", "a_c", r"a\c", "a\u{308}"]),
        ("ab", &["ab", "abc"]),
        ("abcd", &[]),
        ("A", &["Ab"]),
        ("a%", &["a%c"]),
        ("a_", &["a_c"]),
        (r"a\", &[r"a\c"]),
        ("ä", &["ä", "äb"]),
        ("\u{10ffff}", &["\u{10ffff}x"]),
        ("", &values),
    ];
    for field in ["state", "title", "note", "code"] {
        let labelled: Vec<_> = values.iter().map(|value| (*value, Value::text(value))).collect();
        let org = items(store, field, &labelled).await;
        org.insert(org.item().label("none")).await;
        for (prefix, expected) in &cases {
            assert_eq!(org.matching(Filter::prefix(field, *prefix)).await, *expected, "{field} {prefix}");
        }
    }
}

pub async fn sets_satisfy_what_any_element_does(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let numbers = |numbers: &[i64]| Value::many(numbers.iter().map(|number| Value::Int(*number)));
    let items = [
        ("red", texts(&["red"]), numbers(&[1])),
        ("both", texts(&["blue", "red"]), numbers(&[1, 9])),
        ("blue", texts(&["blue"]), numbers(&[5])),
        ("none", Value::Null, Value::Null),
    ];
    let draft = |(label, tags, sizes): &(&str, Value, Value)| {
        org.item().label(label).set("tags", tags.clone()).set("sizes", sizes.clone()).insert()
    };
    org.write(items.iter().map(draft)).await;
    let cases: [(Filter, &[&str]); 12] = [
        (Filter::equals("tags", "red"), &["red", "both"]),
        (Filter::equals("tags", "red").not(), &["blue", "none"]),
        (Filter::equals("tags", "red").and(Filter::equals("tags", "blue")), &["both"]),
        (Filter::one_of("tags", ["red".into(), "green".into()]), &["red", "both"]),
        (Filter::prefix("tags", "bl"), &["both", "blue"]),
        (Filter::null("tags"), &["none"]),
        (Filter::null("tags").not(), &["red", "both", "blue"]),
        (Filter::range("sizes", included(5), Bound::Open), &["both", "blue"]),
        // 1 is below and 9 above: no element is between.
        (Filter::range("sizes", included(2), included(8)), &["blue"]),
        (Filter::range("sizes", Bound::Open, excluded(5)), &["red", "both"]),
        (Filter::range("sizes", Bound::Open, Bound::Open).not(), &["none"]),
        (Filter::equals("sizes", 9).or(Filter::null("sizes")), &["both", "none"]),
    ];
    for (filter, expected) in cases {
        assert_eq!(org.matching(filter.clone()).await, expected, "{filter:?}");
    }
}

pub async fn sets_change_with_their_record(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = org.item().label("item");
    org.insert(item.clone().set("tags", texts(&["a", "b"]))).await;
    org.write([item.clone().set("tags", texts(&["b", "c"])).update(1)]).await;
    assert!(org.matching(Filter::equals("tags", "a")).await.is_empty());
    for tag in ["b", "c"] {
        assert_eq!(org.matching(Filter::equals("tags", tag)).await, ["item"]);
    }
    org.write([item.clone().set("tags", texts(&[])).update(2)]).await;
    assert_eq!(org.matching(Filter::null("tags")).await, ["item"]);
    assert!(org.matching(Filter::one_of("tags", ["b".into(), "c".into()])).await.is_empty());
    org.write([org.delete(&ITEM, item.id(), 3)]).await;
    assert!(org.matching(Filter::null("tags")).await.is_empty());
}

pub async fn references_are_found_by(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let (a, b) = (org.insert(org.shelf()).await, org.insert(org.shelf()).await);
    let item = |label: &str| org.item().label(label);
    org.write([
        item("first").set("shelf", a).insert(),
        item("second").set("shelf", b).set("links", ids(&[a, b])).insert(),
        item("third").set("links", ids(&[b])).insert(),
    ])
    .await;
    assert_eq!(org.matching(Filter::equals("shelf", a)).await, ["first"]);
    assert_eq!(org.matching(Filter::equals("links", b)).await, ["second", "third"]);
    assert_eq!(org.matching(Filter::null("shelf")).await, ["third"]);
}

pub async fn records_are_found_by_what_they_have_built_in(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let drafts = ["a", "b", "c"].map(|label| org.item().label(label));
    let mut numbers = Vec::new();
    for (second, draft) in (10..).zip(&drafts) {
        let batch = Batch { at: at(second), ..org.writes([draft.clone().insert()]) };
        numbers.push(org.commit(batch).await.written[0].number);
    }
    org.commit(Batch { at: at(20), ..org.writes([drafts[0].clone().update(1)]) }).await;
    let (ids, [a, b, c]) = (drafts.each_ref().map(super::fixture::Draft::id), [0, 1, 2].map(|n| numbers[n]));
    let cases: [(Filter, &[&str]); 16] = [
        (Filter::equals("id", ids[1]), &["b"]),
        (Filter::one_of("id", [ids[2].into(), ids[0].into(), super::fixture::fresh().into()]), &["a", "c"]),
        (Filter::equals("id", ids[1]).not(), &["a", "c"]),
        (Filter::range("id", Bound::Open, Bound::Open), &["a", "b", "c"]),
        (Filter::equals("number", b), &["b"]),
        (Filter::one_of("number", [a.into(), c.into(), (c + 1).into(), (-1).into()]), &["a", "c"]),
        (Filter::range("number", included(b), Bound::Open), &["b", "c"]),
        (Filter::range("number", excluded(a), excluded(c)), &["b"]),
        (Filter::range("number", included(i64::MIN), included(i64::MAX)), &["a", "b", "c"]),
        (Filter::range("number", Bound::Open, excluded(i64::MIN)), &[]),
        (Filter::range("number", excluded(i64::MAX), Bound::Open), &[]),
        (Filter::range("number", included(i64::MAX), Bound::Open).not(), &["a", "b", "c"]),
        (Filter::equals("created_at", at(11)), &["b"]),
        (Filter::range("created_at", included(at(11)), excluded(at(12))), &["b"]),
        (Filter::at_least("updated_at", at(12)), &["a", "c"]),
        (Filter::null("updated_at"), &[]),
    ];
    for (filter, expected) in cases {
        assert_eq!(org.matching(filter.clone()).await, expected, "{filter:?}");
    }
}

pub async fn conditions_combine_without_a_third_outcome(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = |label: &str| org.item().label(label);
    org.write([
        item("a1").set("state", "a").set("size", 1).insert(),
        item("a").set("state", "a").insert(),
        item("b1").set("state", "b").set("size", 1).insert(),
        item("b2").set("state", "b").set("size", 2).insert(),
        item("2").set("size", 2).insert(),
        item("").insert(),
    ])
    .await;
    let state = |state: &str| Filter::equals("state", state);
    let size = |size: i64| Filter::equals("size", size);
    let cases: [(Filter, &[&str]); 16] = [
        (Filter::all(), &["a1", "a", "b1", "b2", "2", ""]),
        (Filter::none(), &[]),
        (Filter::none().not(), &["a1", "a", "b1", "b2", "2", ""]),
        (Filter::all().not(), &[]),
        (state("a").and(size(1)), &["a1"]),
        (state("a").or(size(1)), &["a1", "a", "b1"]),
        (state("a").or(state("b")).and(size(2)), &["b2"]),
        (state("a").not(), &["b1", "b2", "2", ""]),
        (state("a").not().not(), &["a1", "a"]),
        (state("a").and(size(1)).not(), &["a", "b1", "b2", "2", ""]),
        (state("a").or(size(1)).not(), &["b2", "2", ""]),
        (state("a").not().and(size(1).not()), &["b2", "2", ""]),
        (size(1).not().or(size(1)), &["a1", "a", "b1", "b2", "2", ""]),
        (size(1).not().and(size(1)), &[]),
        (Filter::less_than("size", 2).not().and(state("b").not()), &["a", "2", ""]),
        (Filter::none().or(state("b").and(Filter::all())).and(Filter::none().not()), &["b1", "b2"]),
    ];
    for (filter, expected) in cases {
        assert_eq!(org.matching(filter.clone()).await, expected, "{filter:?}");
    }
}

pub async fn a_filter_may_be_deep_and_wide(store: &Arc<dyn Storage>) {
    let org = items(store, "size", &[("one", Value::Int(1)), ("two", Value::Int(2))]).await;
    let wide = (0..2_000).map(Value::Int);
    assert_eq!(org.matching(Filter::one_of("size", wide)).await, ["one", "two"]);
    let either = (2..200).fold(Filter::none(), |any, size| any.or(Filter::equals("size", size)));
    assert_eq!(org.matching(either).await, ["two"]);
    let every = (3..200).fold(Filter::all(), |all, size| all.and(Filter::equals("size", size).not()));
    assert_eq!(org.matching(every).await, ["one", "two"]);
    let deep = (0..20).fold(Filter::equals("size", 1), |inner, _| inner.not().and(Filter::all()));
    assert_eq!(org.matching(deep).await, ["one"]);
}

pub async fn filters_follow_changes(store: &Arc<dyn Storage>) {
    for (field, before, after) in [
        ("state", Value::text("a"), Value::text("b")),
        ("title", Value::text("a"), Value::text("b")),
        ("note", Value::text("a"), Value::text("b")),
        ("code", Value::text("a"), Value::text("b")),
        ("size", Value::Int(1), Value::Int(2)),
        ("grade", Value::Int(1), Value::Int(2)),
        ("weight", Value::from(1.0), Value::from(2.0)),
        ("open", Value::Flag(true), Value::Flag(false)),
        ("due", Value::from(at(1)), Value::from(at(2))),
        ("user", Value::Uuid(Uuid::from_u128(1)), Value::Uuid(Uuid::from_u128(2))),
    ] {
        let org = Org::new(store);
        let (item, other) = (org.item(), org.item().set("note", "other"));
        org.write([item.clone().set(field, before.clone()).insert(), other.insert()]).await;
        let count = async |value: &Value| {
            let filter =
                if value.is_null() { Filter::null(field) } else { Filter::equals(field, value.clone()) };
            let records = org.page(Query::new(&ITEM, org.scope).filter(filter)).await.records;
            records.iter().filter(|record| record.id == item.id()).count()
        };
        for (version, value) in (1..).zip([&after, &before, &Value::Null, &after]) {
            org.write([item.clone().set(field, value.clone()).update(version)]).await;
            for other in [&before, &after, &Value::Null] {
                assert_eq!(count(other).await, usize::from(other == value), "{field} {value:?} {other:?}");
            }
        }
    }
}
