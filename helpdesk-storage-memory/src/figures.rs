//! Figures over records, from one partition.

use std::collections::BTreeMap;

use helpdesk_core::storage::{FieldRef, Figures, Group, Measure, Record, Sums, Tally, Value};

use crate::find::MANY_VALUES;
use crate::matching::Matching;
use crate::node::Node;
use crate::partition::{FieldIndex, Partition};

pub(crate) fn tally(partition: Option<&Partition>, tally: &Tally) -> Vec<Figures> {
    let Some(partition) = partition else {
        if !tally.groups().is_empty() {
            return Vec::new();
        }
        return vec![Figures { keys: Vec::new(), values: Sums::new(tally).values(tally.kind()) }];
    };
    if let Some(figures) = by_cube(partition, tally) {
        return figures;
    }
    let kind = tally.kind();
    if let Some(place) = kind.rollup(|_, fields| tally.is_on(fields)) {
        return partition.rollups[place].figures(tally);
    }
    let matching = Matching::new(partition, tally.condition());
    if let Some(figures) = by_counts(partition, &matching, tally) {
        return figures;
    }
    let groups: Vec<_> = tally
        .groups()
        .iter()
        .filter_map(|group| {
            let (Group::Field(name) | Group::Period(name, ..)) = group;
            kind.field(name).map(|field| (*group, field))
        })
        .collect();
    let mut figures: BTreeMap<Vec<Value>, Sums> = BTreeMap::new();
    if groups.is_empty() {
        figures.insert(Vec::new(), Sums::new(tally));
    }
    for record in matching.records() {
        for keys in keys(record, &groups) {
            figures.entry(keys).or_insert_with(|| Sums::new(tally)).add(record);
        }
    }
    figures.into_iter().map(|(keys, sums)| Figures { keys, values: sums.values(kind) }).collect()
}

/// The places of the fields that records are to be counted by, where there is nothing else to it.
fn counted(tally: &Tally) -> Option<Vec<usize>> {
    if tally.measures().iter().any(|measure| *measure != Measure::Count) {
        return None;
    }
    let place = |group: &Group| match group {
        Group::Field(name) => tally.kind().position(name),
        Group::Period(..) => None,
    };
    tally.groups().iter().map(place).collect()
}

fn figures(tally: &Tally, keys: Vec<Value>, count: u64) -> Figures {
    let count = Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    Figures { keys, values: vec![count; tally.measures().len()] }
}

/// Counts from the combinations of values.
fn by_cube(partition: &Partition, tally: &Tally) -> Option<Vec<Figures>> {
    let places = counted(tally)?;
    if places.is_empty() {
        // A filter that leaves few rows has ways of its own.
        return None;
    }
    let counts = partition.cube.counts(tally.condition(), &places)?;
    Some(counts.into_iter().map(|(keys, count)| figures(tally, keys, count)).collect())
}

/// Counts by counted fields, or by none, without looking at records.
fn by_counts(partition: &Partition, matching: &Matching<'_>, tally: &Tally) -> Option<Vec<Figures>> {
    let places = counted(tally)?;
    if places.is_empty() {
        return Some(vec![figures(tally, Vec::new(), matching.count())]);
    }
    let [place] = places[..] else { return None };
    let FieldIndex::Counted(values) = &partition.fields[place] else { return None };
    // With many values, most of them rare, going through the records is quicker.
    if values.len() > MANY_VALUES {
        return None;
    }
    let counts = values.iter().map(|(value, rows)| (value, matching.within(&Node::Rows(rows)).count()));
    let some = counts.filter(|(_, count)| *count > 0);
    Some(some.map(|(value, count)| figures(tally, vec![value.clone()], count)).collect())
}

/// The groups that a record counts in: several where a grouping field is a set.
fn keys(record: &Record, groups: &[(Group, FieldRef)]) -> Vec<Vec<Value>> {
    let mut all = vec![Vec::with_capacity(groups.len())];
    for (group, field) in groups {
        let value = record.value(*field);
        let values: Vec<Value> = match group {
            Group::Field(_) if value.is_null() => vec![Value::Null],
            Group::Field(_) => value.elements().to_vec(),
            Group::Period(_, unit, zone) => {
                vec![value.as_time().map_or(Value::Null, |at| Value::from(unit.label(at, *zone)))]
            }
        };
        all = all
            .into_iter()
            .flat_map(|keys| {
                values.iter().map(move |value| {
                    let mut keys = keys.clone();
                    keys.push(value.clone());
                    keys
                })
            })
            .collect();
    }
    all
}
