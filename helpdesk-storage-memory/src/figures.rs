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
    let matching = Matching::new(partition, tally.condition());
    if let Some(figures) = by_counts(partition, &matching, tally) {
        return figures;
    }
    let kind = tally.kind();
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

/// Counts by counted fields, or by none, without looking at records.
fn by_counts(partition: &Partition, matching: &Matching<'_>, tally: &Tally) -> Option<Vec<Figures>> {
    if tally.measures().iter().any(|measure| *measure != Measure::Count) {
        return None;
    }
    let figures = |keys, count: u64| Figures {
        keys,
        values: vec![Value::Int(i64::try_from(count).unwrap_or(i64::MAX)); tally.measures().len()],
    };
    let place = |group: &Group| match group {
        Group::Field(name) => partition.kind.position(name),
        Group::Period(..) => None,
    };
    let places: Vec<_> = tally.groups().iter().map(place).collect::<Option<_>>()?;
    if places.is_empty() {
        return Some(vec![figures(Vec::new(), matching.count())]);
    }
    if let Some(counts) = partition.cube.counts(tally.condition(), &places) {
        return Some(counts.into_iter().map(|(keys, count)| figures(keys, count)).collect());
    }
    let [place] = places[..] else { return None };
    let FieldIndex::Counted(values) = &partition.fields[place] else { return None };
    // With many values, most of them rare, going through the records is quicker.
    if values.len() > MANY_VALUES {
        return None;
    }
    let counts = values.iter().map(|(value, rows)| (value, matching.within(&Node::Rows(rows)).count()));
    Some(
        counts
            .filter(|(_, count)| *count > 0)
            .map(|(value, count)| figures(vec![value.clone()], count))
            .collect(),
    )
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
