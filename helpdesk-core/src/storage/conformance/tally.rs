//! Figures over records, by the values of fields.

use std::sync::Arc;

use uuid::Uuid;

use super::fixture::{Org, at, texts};
use super::kinds::ITEM;
use crate::storage::{Figures, Filter, Group, Measure, Storage, Tally, Value};

/// The rows of an answer: the keys of a group, then its figures.
pub(super) async fn rows(org: &Org, tally: Tally) -> Vec<Vec<Value>> {
    let figures = org.store.tally(&tally).await.expect("the store answers");
    figures.into_iter().map(|Figures { keys, values }| [keys, values].concat()).collect()
}

fn tally(org: &Org) -> Tally {
    Tally::new(&ITEM, org.scope)
}

fn row<const N: usize>(values: [Value; N]) -> Vec<Value> {
    values.into()
}

pub async fn records_are_counted(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    org.write((0..3).map(|_| org.item().insert())).await;
    assert_eq!(rows(&org, tally(&org)).await, [[Value::Int(3)]]);
    assert_eq!(rows(&org, tally(&org).measure(Measure::Count)).await, [[Value::Int(3)]]);
    let none = tally(&org).filter(Filter::equals("state", "none"));
    assert_eq!(rows(&org, none).await, [[Value::Int(0)]], "one row, also where it counts none");
}

pub async fn a_tally_of_nothing_is_one_row_without_groups_and_none_with(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let all = |tally: Tally| {
        tally.measure(Measure::Count).measure(Measure::Sum("size")).measure(Measure::Greatest("state"))
    };
    let nothing = row([Value::Int(0), Value::Null, Value::Null]);
    assert_eq!(rows(&org, all(tally(&org))).await, vec![nothing.clone()]);
    assert!(rows(&org, all(tally(&org).by(Group::Field("state")))).await.is_empty());
    assert!(rows(&org, tally(&org).by(Group::Field("state"))).await.is_empty());
    org.insert(org.item().set("state", "a").set("size", 1)).await;
    let none = || tally(&org).filter(Filter::none());
    assert_eq!(rows(&org, all(none())).await, [nothing]);
    assert!(rows(&org, all(none().by(Group::Field("state")))).await.is_empty());
    assert!(rows(&org, none().by(Group::Field("state"))).await.is_empty());
}

pub async fn groups_are_ordered_by_their_keys_with_null_first(store: &Arc<dyn Storage>) {
    let id = |bits| Value::Uuid(Uuid::from_u128(bits));
    let cases = [
        ("state", vec![Value::text(""), Value::text("Z"), Value::text("a"), Value::text("ä")]),
        ("title", vec![Value::text("10"), Value::text("9")]),
        ("note", vec![Value::text("a"), Value::text("b")]),
        ("code", vec![Value::text("a"), Value::text("b")]),
        ("size", vec![Value::Int(-10), Value::Int(-9), Value::Int(0), Value::Int(7)]),
        ("grade", vec![Value::Int(-1), Value::Int(0), Value::Int(1)]),
        ("weight", vec![Value::from(-0.5), Value::from(0.0), Value::from(10.0)]),
        ("open", vec![Value::Flag(false), Value::Flag(true)]),
        ("due", vec![Value::from(at(0)), Value::from(at(1))]),
        ("user", vec![id(0), id(1), id(u128::MAX)]),
    ];
    for (field, rising) in cases {
        let org = Org::new(store);
        // The place of a value says how often it is there, beginning with null.
        let values: Vec<_> = std::iter::once(Value::Null).chain(rising).collect();
        let times = |place: usize| if field == "code" && place > 0 { 1 } else { place + 1 };
        for (place, value) in values.iter().enumerate().rev() {
            let item = || org.item().set(field, value.clone()).insert();
            org.write((0..times(place)).map(|_| item())).await;
        }
        let expected: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(place, value)| vec![value.clone(), Value::Int(i64::try_from(times(place)).expect("small"))])
            .collect();
        assert_eq!(rows(&org, tally(&org).by(Group::Field(field))).await, expected, "{field}");
        let filtered = tally(&org).filter(Filter::null(field).not()).by(Group::Field(field));
        assert_eq!(rows(&org, filtered).await, expected[1..], "{field}");
    }
}

pub async fn groups_are_divided_by_several_fields(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = |state: Option<&str>, grade: Option<i64>| {
        org.item().set("state", state).set("grade", grade).set("size", 10).insert()
    };
    org.write([
        item(Some("b"), Some(1)),
        item(Some("a"), Some(2)),
        item(Some("a"), Some(1)),
        item(Some("a"), Some(2)),
        item(None, Some(1)),
        item(Some("a"), None),
        item(None, None),
    ])
    .await;
    let both = tally(&org).by(Group::Field("state")).by(Group::Field("grade"));
    let (a, b, one, two) = (Value::text("a"), Value::text("b"), Value::Int(1), Value::Int(2));
    let expected = [
        row([Value::Null, Value::Null, one.clone()]),
        row([Value::Null, one.clone(), one.clone()]),
        row([a.clone(), Value::Null, one.clone()]),
        row([a.clone(), one.clone(), one.clone()]),
        row([a.clone(), two.clone(), two.clone()]),
        row([b.clone(), one.clone(), one.clone()]),
    ];
    assert_eq!(rows(&org, both).await, expected);
    let turned = tally(&org).by(Group::Field("grade")).by(Group::Field("state")).measure(Measure::Sum("size"));
    let first = rows(&org, turned).await;
    assert_eq!(first[0], [Value::Null, Value::Null, Value::Int(10)]);
    assert_eq!(first[5], [two, a, Value::Int(20)]);
}

pub async fn a_record_counts_for_each_element_of_a_set(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = |tags: &[&str], size: i64| org.item().set("tags", texts(tags)).set("size", size).insert();
    org.write([item(&["a"], 1), item(&["a", "b"], 2), item(&["b", "c"], 4), item(&[], 8)]).await;
    let by = || tally(&org).by(Group::Field("tags"));
    let (a, b, c) = (Value::text("a"), Value::text("b"), Value::text("c"));
    let counts = [
        row([Value::Null, Value::Int(1)]),
        row([a.clone(), Value::Int(2)]),
        row([b.clone(), Value::Int(2)]),
        row([c.clone(), Value::Int(1)]),
    ];
    assert_eq!(rows(&org, by()).await, counts);
    let sums = [
        row([Value::Null, Value::Int(8)]),
        row([a.clone(), Value::Int(3)]),
        row([b.clone(), Value::Int(6)]),
        row([c.clone(), Value::Int(4)]),
    ];
    assert_eq!(rows(&org, by().measure(Measure::Sum("size"))).await, sums);
    // The filter says which records count, not under which elements.
    let with_b = by().filter(Filter::equals("tags", "b"));
    assert_eq!(rows(&org, with_b).await, [row([a, Value::Int(1)]), row([b, Value::Int(2)]), row([c, Value::Int(1)])]);
    let small = by().filter(Filter::less_than("size", 2));
    assert_eq!(rows(&org, small).await, [row([Value::text("a"), Value::Int(1)])]);
}

pub async fn numbers_are_summed_and_averaged(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = |size: Option<i64>, weight: Option<f64>| org.item().set("size", size).set("weight", weight).insert();
    org.write([
        item(Some(1), Some(0.5)),
        item(Some(2), Some(-2.0)),
        item(None, None),
        item(Some(-7), Some(4.25)),
        item(Some(-7), None),
    ])
    .await;
    let all = tally(&org)
        .measure(Measure::Sum("size"))
        .measure(Measure::Average("size"))
        .measure(Measure::Sum("weight"))
        .measure(Measure::Count)
        .measure(Measure::Average("weight"));
    let figures = rows(&org, all).await;
    assert_eq!(figures, [[
        Value::Int(-11),
        Value::from(-2.75),
        Value::from(2.75),
        Value::Int(5),
        Value::from(2.75 / 3.0)
    ]]);
    let exact = |place: usize| matches!(figures[0][place], Value::Int(_));
    assert!(exact(0) && !exact(1) && !exact(2), "a sum is of its field's type, an average is not");
}

pub async fn values_that_are_not_there_are_not_measured(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    org.write([org.item().set("state", "a").insert(), org.item().set("state", "b").set("size", 4).insert()]).await;
    let by = tally(&org)
        .by(Group::Field("state"))
        .measure(Measure::Sum("size"))
        .measure(Measure::Average("size"))
        .measure(Measure::Least("size"))
        .measure(Measure::Greatest("size"));
    let none = row([Value::text("a"), Value::Null, Value::Null, Value::Null, Value::Null]);
    let four = Value::Int(4);
    let some = row([Value::text("b"), four.clone(), Value::from(4.0), four.clone(), four]);
    assert_eq!(rows(&org, by).await, [none, some]);
}

pub async fn the_least_and_greatest_are_those_of_the_order(store: &Arc<dyn Storage>) {
    let id = |bits| Value::Uuid(Uuid::from_u128(bits));
    let cases = [
        ("state", Value::text("Z"), Value::text("a"), Value::text("ä")),
        ("title", Value::text(""), Value::text("10"), Value::text("9")),
        ("size", Value::Int(i64::MIN), Value::Int(0), Value::Int(i64::MAX)),
        ("weight", Value::from(-1e300), Value::from(1e-300), Value::from(1e300)),
        ("open", Value::Flag(false), Value::Flag(false), Value::Flag(true)),
        ("due", Value::from(at(-1_000_000)), Value::from(at(0)), Value::from(at(1))),
        ("user", id(1), id(1 << 100), id(u128::MAX)),
    ];
    for (field, low, middle, high) in cases {
        let org = Org::new(store);
        let values = [middle, high.clone(), Value::Null, low.clone()];
        org.write(values.map(|value| org.item().set(field, value).insert())).await;
        let both = tally(&org).measure(Measure::Least(field)).measure(Measure::Greatest(field));
        assert_eq!(rows(&org, both).await, [[low, high]], "{field}");
    }
}

pub async fn what_records_have_built_in_is_measured(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = org.item();
    let number = org.write([item.clone().insert()]).await[0].number;
    let batch = crate::storage::Batch { at: at(9), ..org.writes([item.clone().update(1), org.item().insert()]) };
    org.commit(batch).await;
    let all = tally(&org)
        .measure(Measure::Least("number"))
        .measure(Measure::Least("created_at"))
        .measure(Measure::Greatest("created_at"))
        .measure(Measure::Least("updated_at"));
    let expected = row([Value::Int(number), at(0).into(), at(9).into(), at(9).into()]);
    assert_eq!(rows(&org, all).await, [expected]);
    let by = tally(&org).by(Group::Field("created_at"));
    assert_eq!(rows(&org, by).await, [row([at(0).into(), Value::Int(1)]), row([at(9).into(), Value::Int(1)])]);
}

pub async fn large_numbers_are_summed_exactly(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let large = (1 << 53) + 1;
    org.write([large, 1, 1].map(|size| org.item().set("size", size).insert())).await;
    let sum = tally(&org).measure(Measure::Sum("size"));
    let expected = Value::Int(large + 2);
    assert_eq!(rows(&org, sum).await[0][0].as_int(), expected.as_int(), "not by way of a float");
    // On the way a sum may leave the whole numbers, and where it ends beyond them it ends at the last.
    for (sizes, sum) in [
        ([i64::MAX, i64::MAX, -i64::MAX], i64::MAX),
        ([i64::MIN, -1, i64::MAX], -2),
        ([i64::MAX, 1, 1], i64::MAX),
        ([i64::MIN, -1, 0], i64::MIN),
    ] {
        let org = Org::new(store);
        org.write(sizes.map(|size| org.item().set("size", size).insert())).await;
        assert_eq!(rows(&org, tally(&org).measure(Measure::Sum("size"))).await, [[Value::Int(sum)]]);
    }
}

pub async fn tallies_follow_changes(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = org.item().set("state", "a").set("tags", texts(&["x"]));
    org.insert(item.clone()).await;
    let by = |field| tally(&org).by(Group::Field(field));
    org.write([item.clone().set("state", "b").set("tags", texts(&["x", "y"])).update(1)]).await;
    assert_eq!(rows(&org, by("state")).await, [row([Value::text("b"), Value::Int(1)])]);
    assert_eq!(rows(&org, by("tags")).await.len(), 2);
    org.write([org.delete(&ITEM, item.id(), 2)]).await;
    assert!(rows(&org, by("state")).await.is_empty());
    assert!(rows(&org, by("tags")).await.is_empty());
    assert_eq!(rows(&org, tally(&org)).await, [[Value::Int(0)]]);
}
