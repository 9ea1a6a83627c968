//! Whether two stores answered the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::storage::conformance::fixture::same_body;
use crate::storage::{
    Committed, Cursor, Figures, JOB, JobState, KindSpec, Measure, Page, Record, Scope, Tally, Value, Write,
};

/// What the answers of a store and of the oracle have been, where numbers are concerned.
///
/// Numbers may leave gaps, so those of two stores are the same if they stand in the same order. Each pair that
/// stands for one record is noted, and every later one must fit in between.
#[derive(Debug, Default)]
pub(crate) struct Numbers(BTreeMap<(&'static str, Scope), BTreeMap<i64, i64>>);

/// Which of the two stores something is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Store,
    Oracle,
}

type Compared = Result<(), String>;

fn alike<T: PartialEq + std::fmt::Debug>(what: &str, store: T, oracle: T) -> Compared {
    if store == oracle { Ok(()) } else { Err(format!("{what}: {store:?}, where the oracle says {oracle:?}")) }
}

impl Numbers {
    /// Notes that a number of the store stands for one of the oracle.
    pub(crate) fn pair(&mut self, kind: &KindSpec, scope: Scope, store: i64, oracle: i64) -> Compared {
        let pairs = self.0.entry((kind.name, scope)).or_default();
        let before = pairs.range(..oracle).next_back().is_none_or(|(_, before)| *before < store);
        let after = pairs.range(oracle + 1..).next().is_none_or(|(_, after)| *after > store);
        if before && after && *pairs.entry(oracle).or_insert(store) == store {
            return Ok(());
        }
        Err(format!("{} numbers are out of order: {store} for the oracle's {oracle} of {pairs:?}", kind.name))
    }

    /// One of the numbers that were given, as a side knows it.
    pub(super) fn pick(&self, kind: &KindSpec, scope: Scope, place: usize, side: Side) -> Option<i64> {
        let pairs = self.0.get(&(kind.name, scope))?;
        let (oracle, store) = pairs.iter().nth(place % pairs.len())?;
        Some(if side == Side::Store { *store } else { *oracle })
    }

    pub(super) fn same_committed(
        &mut self,
        writes: &[Write],
        store: &Committed,
        oracle: &Committed,
    ) -> Compared {
        alike("counters", &store.counters, &oracle.counters)?;
        alike("answers to writes", store.written.len(), oracle.written.len())?;
        for (write, (store, oracle)) in writes.iter().zip(store.written.iter().zip(&oracle.written)) {
            let (kind, scope, ..) = write.target();
            alike("version", store.version, oracle.version)?;
            self.pair(kind, scope, store.number, oracle.number)?;
        }
        Ok(())
    }

    pub(super) fn same_record(&mut self, kind: &KindSpec, store: &Record, oracle: &Record) -> Compared {
        alike("record", (store.id, store.scope), (oracle.id, oracle.scope))?;
        self.pair(kind, store.scope, store.number, oracle.number)?;
        alike("created_at", store.created_at, oracle.created_at)?;
        alike("fields", &store.fields, &oracle.fields)?;
        if kind.name == JOB.name {
            // When a store writes a job without changing it is its own affair.
            let read = |record: &Record| {
                let state = JobState::read(&record.body).map_err(|error| error.to_string())?;
                let payload: serde_json::Value =
                    serde_json::from_str(&state.payload).map_err(|error| error.to_string())?;
                Ok::<_, String>((JobState { payload: "".into(), ..state }, payload))
            };
            return alike("job", read(store)?, read(oracle)?);
        }
        alike("version", store.version, oracle.version)?;
        alike("updated_at", store.updated_at, oracle.updated_at)?;
        if same_body(&store.body, &oracle.body) {
            return Ok(());
        }
        Err(format!("body {}, where the oracle has {}", store.body.json, oracle.body.json))
    }

    pub(super) fn same_records(
        &mut self,
        kind: &KindSpec,
        store: &[Arc<Record>],
        oracle: &[Arc<Record>],
    ) -> Compared {
        let ids = |records: &[Arc<Record>]| records.iter().map(|record| record.id).collect::<Vec<_>>();
        alike("records", ids(store), ids(oracle))?;
        store.iter().zip(oracle).try_for_each(|(store, oracle)| self.same_record(kind, store, oracle))
    }

    fn same_cursor(
        &mut self,
        kind: &KindSpec,
        scope: Scope,
        store: Option<&Cursor>,
        oracle: Option<&Cursor>,
    ) -> Compared {
        match (store, oracle) {
            (None, None) => Ok(()),
            (Some(store), Some(oracle)) => {
                alike("values of a cursor", &store.values, &oracle.values)?;
                self.pair(kind, scope, store.number, oracle.number)
            }
            _ => Err(format!("cursor {store:?}, where the oracle says {oracle:?}")),
        }
    }
}

/// Compares two pages of records of one kind and scope.
pub(crate) fn same_page(
    numbers: &mut Numbers,
    kind: &KindSpec,
    scope: Scope,
    store: &Page,
    oracle: &Page,
) -> Compared {
    alike("total", store.total, oracle.total)?;
    numbers.same_records(kind, &store.records, &oracle.records)?;
    numbers.same_cursor(kind, scope, store.next.as_ref(), oracle.next.as_ref())?;
    numbers.same_cursor(kind, scope, store.previous.as_ref(), oracle.previous.as_ref())
}

/// Compares two answers to a tally.
pub(crate) fn same_figures(tally: &Tally, store: &[Figures], oracle: &[Figures]) -> Compared {
    let keys = |rows: &[Figures]| rows.iter().map(|row| row.keys.clone()).collect::<Vec<_>>();
    alike("groups", keys(store), keys(oracle))?;
    for (store, oracle) in store.iter().zip(oracle) {
        alike("figures", store.values.len(), oracle.values.len())?;
        for (measure, (a, b)) in tally.measures().iter().zip(store.values.iter().zip(&oracle.values)) {
            let same = match (measure, a, b) {
                // Which way the sum is taken decides on the last digits of an average.
                (Measure::Average(_), Value::Real(a), Value::Real(b)) => {
                    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
                }
                (_, a, b) => std::mem::discriminant(a) == std::mem::discriminant(b) && a == b,
            };
            if !same {
                return Err(format!("{measure:?} of {:?}: {a:?}, where the oracle says {b:?}", store.keys));
            }
        }
    }
    Ok(())
}
