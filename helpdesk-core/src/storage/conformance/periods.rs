//! Figures by stretches of time, by the clocks of a zone.

use std::sync::Arc;

use chrono_tz::Tz;

use super::fixture::{Org, instant};
use super::kinds::ITEM;
use super::tally::rows;
use crate::storage::{Batch, Filter, Group, Measure, Storage, Tally, Unit, Value};

/// Items due at the given instants.
async fn due(store: &Arc<dyn Storage>, instants: &[&str]) -> Org {
    let org = Org::new(store);
    org.write(instants.iter().map(|due| org.item().set("due", instant(due)).insert())).await;
    org
}

/// Checks which stretches the items fall into, and how many into each.
async fn fall_into(org: &Org, unit: Unit, zone: Tz, expected: &[(&str, i64)]) {
    let tally = Tally::new(&ITEM, org.scope).by(Group::Period("due", unit, zone));
    let expected: Vec<_> =
        expected.iter().map(|(key, count)| vec![Value::text(key), Value::Int(*count)]).collect();
    assert_eq!(rows(org, tally).await, expected, "{unit:?} in {zone}");
}

pub async fn hours_when_the_clocks_go_forward(store: &Arc<dyn Storage>) {
    let times = ["2025-03-30T00:59:59.999999Z", "2025-03-30T01:00:00Z", "2025-03-30T01:59:59Z", "2025-03-30T02:00:00Z"];
    let org = due(store, &times).await;
    // There is no hour that begins at two.
    let hours = [("2025-03-30T01", 1), ("2025-03-30T03", 2), ("2025-03-30T04", 1)];
    fall_into(&org, Unit::Hour, Tz::Europe__Berlin, &hours).await;
    let hours = [("2025-03-30T00", 1), ("2025-03-30T01", 2), ("2025-03-30T02", 1)];
    fall_into(&org, Unit::Hour, Tz::UTC, &hours).await;
}

pub async fn hours_when_the_clocks_go_back(store: &Arc<dyn Storage>) {
    let times =
        ["2025-10-25T23:59:00Z", "2025-10-26T00:00:00Z", "2025-10-26T00:59:59Z", "2025-10-26T01:00:00Z", "2025-10-26T02:00:00Z"];
    let org = due(store, &times).await;
    // The hour that begins at two is there twice, and counts as one.
    let hours = [("2025-10-26T01", 1), ("2025-10-26T02", 3), ("2025-10-26T03", 1)];
    fall_into(&org, Unit::Hour, Tz::Europe__Berlin, &hours).await;
}

pub async fn days_begin_at_midnight_of_the_zone(store: &Arc<dyn Storage>) {
    // The 30th of March has 23 hours there, the 26th of October 25.
    let times = [
        "2025-03-29T22:59:59Z",
        "2025-03-29T23:00:00Z",
        "2025-03-30T21:59:59.999999Z",
        "2025-03-30T22:00:00Z",
        "2025-10-25T21:59:59Z",
        "2025-10-25T22:00:00Z",
        "2025-10-26T22:59:59Z",
        "2025-10-26T23:00:00Z",
    ];
    let org = due(store, &times).await;
    let days = [
        ("2025-03-29", 1),
        ("2025-03-30", 2),
        ("2025-03-31", 1),
        ("2025-10-25", 1),
        ("2025-10-26", 2),
        ("2025-10-27", 1),
    ];
    fall_into(&org, Unit::Day, Tz::Europe__Berlin, &days).await;
    let days = [("2025-03-29", 2), ("2025-03-30", 2), ("2025-10-25", 2), ("2025-10-26", 2)];
    fall_into(&org, Unit::Day, Tz::UTC, &days).await;
}

pub async fn weeks_begin_on_monday(store: &Arc<dyn Storage>) {
    let times = [
        "2024-12-29T22:59:59Z",
        "2024-12-29T23:00:00Z",
        "2025-01-05T22:59:59Z",
        "2025-01-05T23:00:00Z",
        "2025-03-30T21:59:59Z",
        "2025-03-30T22:00:00Z",
    ];
    let org = due(store, &times).await;
    let weeks =
        [("2024-12-23", 1), ("2024-12-30", 2), ("2025-01-06", 1), ("2025-03-24", 1), ("2025-03-31", 1)];
    fall_into(&org, Unit::Week, Tz::Europe__Berlin, &weeks).await;
}

pub async fn months_are_those_of_the_zone(store: &Arc<dyn Storage>) {
    let times = [
        "2024-02-29T12:00:00Z",
        "2024-12-31T22:59:59Z",
        "2024-12-31T23:00:00Z",
        "2025-01-31T22:59:59Z",
        "2025-03-31T21:59:59Z",
        "2025-03-31T22:00:00Z",
    ];
    let org = due(store, &times).await;
    let months = [("2024-02", 1), ("2024-12", 1), ("2025-01", 2), ("2025-03", 1), ("2025-04", 1)];
    fall_into(&org, Unit::Month, Tz::Europe__Berlin, &months).await;
    let months = [("2024-02", 1), ("2024-12", 2), ("2025-01", 1), ("2025-03", 2)];
    fall_into(&org, Unit::Month, Tz::UTC, &months).await;
}

pub async fn zones_need_not_be_whole_hours_away(store: &Arc<dyn Storage>) {
    let org = due(store, &["2025-06-30T18:29:59Z", "2025-06-30T18:30:00Z", "2025-06-30T18:59:59Z"]).await;
    let hours = [("2025-06-30T23", 1), ("2025-07-01T00", 2)];
    fall_into(&org, Unit::Hour, Tz::Asia__Kolkata, &hours).await;
    fall_into(&org, Unit::Month, Tz::Asia__Kolkata, &[("2025-06", 1), ("2025-07", 2)]).await;
    fall_into(&org, Unit::Day, Tz::America__New_York, &[("2025-06-30", 3)]).await;
    // These clocks move by half an hour only: from 01:59 to 01:30.
    let org = due(store, &["2025-04-05T14:45:00Z", "2025-04-05T15:15:00Z", "2025-04-05T15:30:00Z"]).await;
    let hours = [("2025-04-06T01", 2), ("2025-04-06T02", 1)];
    fall_into(&org, Unit::Hour, Tz::Australia__Lord_Howe, &hours).await;
}

pub async fn what_has_no_time_falls_into_no_stretch(store: &Arc<dyn Storage>) {
    let org = due(store, &["2025-06-01T00:00:00Z"]).await;
    org.write([org.item().insert(), org.item().insert()]).await;
    let tally = || Tally::new(&ITEM, org.scope).by(Group::Period("due", Unit::Day, Tz::UTC));
    let june = vec![Value::text("2025-06-01"), Value::Int(1)];
    assert_eq!(rows(&org, tally()).await, [vec![Value::Null, Value::Int(2)], june.clone()]);
    assert_eq!(rows(&org, tally().filter(Filter::null("due").not())).await, [june]);
}

pub async fn stretches_combine_with_fields_and_figures(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    for (at, state, size) in [
        ("2025-05-01T10:00:00Z", "a", 1),
        ("2025-05-01T11:00:00Z", "b", 2),
        ("2025-05-01T12:00:00Z", "a", 4),
        ("2025-05-02T10:00:00Z", "a", 8),
    ] {
        let item = org.item().set("state", state).set("size", size).insert();
        org.commit(Batch { at: instant(at), ..org.writes([item]) }).await;
    }
    let day = Group::Period("created_at", Unit::Day, Tz::UTC);
    let sum = |tally: Tally| tally.measure(Measure::Sum("size"));
    let (first, second) = (Value::text("2025-05-01"), Value::text("2025-05-02"));
    let by_day = sum(Tally::new(&ITEM, org.scope).by(day).by(Group::Field("state")));
    let expected = [
        vec![first.clone(), "a".into(), Value::Int(5)],
        vec![first.clone(), "b".into(), Value::Int(2)],
        vec![second.clone(), "a".into(), Value::Int(8)],
    ];
    assert_eq!(rows(&org, by_day).await, expected);
    let by_state = sum(Tally::new(&ITEM, org.scope).by(Group::Field("state")).by(day));
    let expected = [
        vec!["a".into(), first.clone(), Value::Int(5)],
        vec!["a".into(), second, Value::Int(8)],
        vec!["b".into(), first, Value::Int(2)],
    ];
    assert_eq!(rows(&org, by_state).await, expected);
}
