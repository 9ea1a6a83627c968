//! The order of what a query finds.

use std::sync::Arc;

use uuid::Uuid;

use super::fixture::{Org, at};
use crate::storage::{Batch, Filter, Storage, Value};

/// Inserts items of the given labels and values of a field, in this order.
async fn items(store: &Arc<dyn Storage>, field: &'static str, values: &[(&str, Value)]) -> Org {
    let org = Org::new(store);
    let draft = |(label, value): &(&str, Value)| org.item().label(label).set(field, value.clone()).insert();
    org.write(values.iter().map(draft)).await;
    org
}

pub async fn records_come_by_rising_number(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    for label in ["a", "b", "c"] {
        org.insert(org.item().label(label)).await;
    }
    assert_eq!(org.labels(org.query()).await, ["a", "b", "c"]);
    assert_eq!(org.labels(org.query().ascending("number")).await, ["a", "b", "c"]);
    assert_eq!(org.labels(org.query().descending("number")).await, ["c", "b", "a"]);
}

pub async fn null_comes_before_every_value(store: &Arc<dyn Storage>) {
    let id = |bits| Value::Uuid(Uuid::from_u128(bits));
    let values = [
        ("state", [Value::text(""), Value::text("a"), Value::text("ä")]),
        ("title", [Value::text("\u{1}"), Value::text("Z"), Value::text("a")]),
        ("note", [Value::text("10"), Value::text("9"), Value::text("東")]),
        ("code", [Value::text("a"), Value::text("b"), Value::text("c")]),
        ("size", [Value::Int(i64::MIN), Value::Int(0), Value::Int(9)]),
        ("grade", [Value::Int(-1), Value::Int(0), Value::Int(1)]),
        ("weight", [Value::from(f64::MIN), Value::from(-0.5), Value::from(3.0)]),
        ("due", [Value::from(at(-1_000_000_000)), Value::from(at(0)), Value::from(at(1))]),
        ("user", [id(0), id(1), id(u128::MAX)]),
    ];
    for (field, [low, middle, high]) in values {
        let values = [("high", high), ("null", Value::Null), ("low", low), ("middle", middle)];
        let org = items(store, field, &values).await;
        let rising = org.labels(org.query().ascending(field)).await;
        assert_eq!(rising, ["null", "low", "middle", "high"], "{field}");
        let falling = org.labels(org.query().descending(field)).await;
        assert_eq!(falling, ["high", "middle", "low", "null"], "{field}");
    }
}

pub async fn false_comes_before_true(store: &Arc<dyn Storage>) {
    let values = [("yes", Value::Flag(true)), ("null", Value::Null), ("no", Value::Flag(false))];
    let org = items(store, "open", &values).await;
    assert_eq!(org.labels(org.query().ascending("open")).await, ["null", "no", "yes"]);
    assert_eq!(org.labels(org.query().descending("open")).await, ["yes", "no", "null"]);
}

pub async fn ties_are_broken_by_number_in_the_direction_of_the_last_field(store: &Arc<dyn Storage>) {
    for field in ["state", "note"] {
        let values =
            [("b1", "b".into()), ("n1", Value::Null), ("a1", "a".into()), ("b2", "b".into()), ("a2", "a".into())];
        let org = items(store, field, &values).await;
        org.insert(org.item().label("n2")).await;
        let rising = org.labels(org.query().ascending(field)).await;
        assert_eq!(rising, ["n1", "n2", "a1", "a2", "b1", "b2"]);
        let falling = org.labels(org.query().descending(field)).await;
        assert_eq!(falling, ["b2", "b1", "a2", "a1", "n2", "n1"]);
        // An order may name the number itself, and then in either direction.
        let mixed = org.labels(org.query().ascending(field).descending("number")).await;
        assert_eq!(mixed, ["n2", "n1", "a2", "a1", "b2", "b1"]);
        let mixed = org.labels(org.query().descending(field).ascending("number")).await;
        assert_eq!(mixed, ["b1", "b2", "a1", "a2", "n1", "n2"]);
    }
}

pub async fn nothing_is_ordered_after_the_number(store: &Arc<dyn Storage>) {
    let org = items(store, "state", &[("first", "b".into()), ("second", "a".into())]).await;
    assert_eq!(org.labels(org.query().ascending("number").ascending("state")).await, ["first", "second"]);
    assert_eq!(org.labels(org.query().descending("number").ascending("state")).await, ["second", "first"]);
}

pub async fn several_fields_order_one_after_the_other(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    // Grade and size are an index of the kind, state and weight are none.
    for (names, first, second) in
        [("declared", "grade", "size"), ("undeclared", "size", "weight"), ("turned", "size", "grade")]
    {
        let value = |field: &str, number: i64| match field {
            "weight" => Value::from(if number == 1 { 1.0 } else { 2.0 }),
            _ => Value::Int(number),
        };
        let scoped = Org::new(store);
        for (label, one, two) in
            [("21", 2, 1), ("12", 1, 2), ("11", 1, 1), ("22", 2, 2), ("12'", 1, 2), ("11'", 1, 1)]
        {
            let item = scoped.item().label(label).set(first, value(first, one));
            scoped.insert(item.set(second, value(second, two))).await;
        }
        scoped.insert(scoped.item().label("1-").set(first, value(first, 1))).await;
        let cases = [
            ((false, false), ["1-", "11", "11'", "12", "12'", "21", "22"]),
            ((true, true), ["22", "21", "12'", "12", "11'", "11", "1-"]),
            ((false, true), ["12'", "12", "11'", "11", "1-", "22", "21"]),
            ((true, false), ["21", "22", "1-", "11", "11'", "12", "12'"]),
        ];
        for ((first_down, second_down), expected) in cases {
            let query = scoped.query();
            let query = if first_down { query.descending(first) } else { query.ascending(first) };
            let query = if second_down { query.descending(second) } else { query.ascending(second) };
            assert_eq!(scoped.labels(query).await, expected, "{names} {first_down} {second_down}");
        }
    }
    assert!(org.labels(org.query().ascending("grade").descending("size")).await.is_empty());
}

pub async fn records_are_ordered_by_what_they_have_built_in(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let drafts = [30, 10, 20].map(|id| {
        let high = super::fixture::fresh().as_u64_pair().0;
        org.item().label(&id.to_string()).named(Uuid::from_u64_pair(id, high))
    });
    for (second, draft) in [2, 3, 1].into_iter().zip(&drafts) {
        org.commit(Batch { at: at(second), ..org.writes([draft.clone().insert()]) }).await;
    }
    assert_eq!(org.labels(org.query().ascending("id")).await, ["10", "20", "30"]);
    assert_eq!(org.labels(org.query().ascending("created_at")).await, ["20", "30", "10"]);
    org.commit(Batch { at: at(9), ..org.writes([drafts[2].clone().update(1)]) }).await;
    assert_eq!(org.labels(org.query().descending("updated_at")).await, ["20", "10", "30"]);
    assert_eq!(org.labels(org.query().descending("created_at")).await, ["10", "30", "20"]);
}

pub async fn an_order_holds_within_a_filter(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    for (label, state, due) in
        [("a3", "a", 3), ("b2", "b", 2), ("a1", "a", 1), ("b1", "b", 1), ("a2", "a", 2), ("a1'", "a", 1)]
    {
        org.insert(org.item().label(label).set("state", state).set("due", at(due))).await;
    }
    org.insert(org.item().label("a-").set("state", "a")).await;
    org.insert(org.item().label("-1").set("due", at(1))).await;
    let of = |state: &str| org.query().filter(Filter::equals("state", state));
    assert_eq!(org.labels(of("a").ascending("due")).await, ["a-", "a1", "a1'", "a2", "a3"]);
    assert_eq!(org.labels(of("a").descending("due")).await, ["a3", "a2", "a1'", "a1", "a-"]);
    assert_eq!(org.labels(of("b").ascending("due")).await, ["b1", "b2"]);
    let without = org.query().filter(Filter::null("state"));
    assert_eq!(org.labels(without.ascending("due")).await, ["-1"]);
    let timed = of("a").filter(Filter::at_least("due", at(1)).and(Filter::less_than("due", at(3))));
    assert_eq!(org.labels(timed.descending("due")).await, ["a2", "a1'", "a1"]);
    let both = org.query().filter(Filter::one_of("state", ["a".into(), "b".into()]));
    assert_eq!(org.labels(both.ascending("due").limit(4)).await, ["a-", "a1", "b1", "a1'"]);
}

pub async fn an_order_follows_changes(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let drafts = ["a", "b", "c"].map(|label| org.item().label(label).set("state", "s").set("due", at(5)));
    org.write(drafts.each_ref().map(|draft| draft.clone().insert())).await;
    org.write([drafts[0].clone().set("due", at(9)).update(1), drafts[2].clone().set("due", at(1)).update(1)])
        .await;
    let due = || org.query().filter(Filter::equals("state", "s")).ascending("due");
    assert_eq!(org.labels(due()).await, ["c", "b", "a"]);
    assert_eq!(org.labels(org.query().ascending("due")).await, ["c", "b", "a"]);
    org.write([drafts[1].clone().set("state", "t").update(1)]).await;
    assert_eq!(org.labels(due()).await, ["c", "a"]);
}
