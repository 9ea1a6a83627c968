//! Finding records: which, in what order, which page of them, and how many there are.

use std::cmp::Ordering;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::filter::known;
use super::kind::{FieldRef, KindSpec};
use super::{Filter, Record, Scope, StorageError, Value};

/// The most records a page may hold.
pub const MAX_PAGE: usize = 1_000;

/// A query for records of one kind in one scope.
///
/// Without an order, records come by rising number. Ties of an order are broken by the number, in the
/// direction of the last ordered field, so every order is total and pages neither skip nor repeat.
#[derive(Clone, Debug)]
pub struct Query {
    kind: &'static KindSpec,
    scope: Scope,
    filter: Filter,
    order: Vec<Order>,
    limit: usize,
    from: From,
    total: TotalMode,
}

/// A field to order by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The field's name.
    pub field: &'static str,
    /// Largest first, `Null` last; else smallest first, `Null` first.
    pub descending: bool,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq)]
pub enum From {
    /// At the first record.
    Start,
    /// After so many records.
    Offset(u64),
    /// After the record that the cursor marks, whether or not it is still there.
    After(Cursor),
    /// The page that ends before the record that the cursor marks.
    Before(Cursor),
}

/// Whether the number of all matching records is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TotalMode {
    /// No.
    None,
    /// Exactly.
    Exact,
    /// Exactly up to this many; beyond, that there are at least so many.
    UpTo(u64),
}

/// A place in an order: the ordered values of a record, and its number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The values of the ordered fields.
    pub values: Vec<Value>,
    /// The record's number.
    pub number: i64,
}

impl Cursor {
    /// The cursor as an opaque text for clients.
    #[must_use]
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// The cursor that a client sent back, or `None` where the text is none of ours.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }
}

/// How many records match a query in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// The number, or the bound where `exact` is false.
    pub count: u64,
    /// Whether there are exactly so many, rather than at least so many.
    pub exact: bool,
}

/// A page of records.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The records, in the query's order.
    pub records: Vec<Arc<Record>>,
    /// How many match in all, where it was asked.
    pub total: Option<Total>,
    /// Where the next page begins ([`From::After`]). `None` where this is the last one. A page that was asked
    /// for by [`From::Before`] takes it for granted that something follows.
    pub next: Option<Cursor>,
    /// Where the previous page ends ([`From::Before`]). `None` where this is the first one. A page that was
    /// asked for by [`From::After`] or a positive offset takes it for granted that something precedes.
    pub previous: Option<Cursor>,
}

impl Query {
    /// All records of a kind in a scope: the first 100, by rising number, without a total.
    #[must_use]
    pub fn new(kind: &'static KindSpec, scope: Scope) -> Self {
        Self {
            kind,
            scope,
            filter: Filter::all(),
            order: Vec::new(),
            limit: 100,
            from: From::Start,
            total: TotalMode::None,
        }
    }

    /// Narrows the query down.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = self.filter.and(filter);
        self
    }

    /// Orders by a field, smallest first, after the fields already given.
    #[must_use]
    pub fn ascending(mut self, field: &'static str) -> Self {
        self.order.push(Order { field, descending: false });
        self
    }

    /// Orders by a field, largest first, after the fields already given.
    #[must_use]
    pub fn descending(mut self, field: &'static str) -> Self {
        self.order.push(Order { field, descending: true });
        self
    }

    /// Asks for at most so many records; at most [`MAX_PAGE`].
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Says where the page begins.
    #[must_use]
    pub fn from(mut self, from: From) -> Self {
        self.from = from;
        self
    }

    /// Asks for the number of all matching records.
    #[must_use]
    pub const fn total(mut self, total: TotalMode) -> Self {
        self.total = total;
        self
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> &'static KindSpec {
        self.kind
    }

    /// The scope.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// The filter.
    #[must_use]
    pub const fn condition(&self) -> &Filter {
        &self.filter
    }

    /// The page's size.
    #[must_use]
    pub const fn page_size(&self) -> usize {
        self.limit
    }

    /// Where the page begins.
    #[must_use]
    pub const fn start(&self) -> &From {
        &self.from
    }

    /// Whether a total is wanted.
    #[must_use]
    pub const fn wants_total(&self) -> TotalMode {
        self.total
    }

    /// The order, without anything after the number, which no two records share.
    #[must_use]
    pub fn ordering(&self) -> Sequence {
        let mut keys: Vec<(FieldRef, bool)> = Vec::with_capacity(self.order.len());
        let mut descending = false;
        for order in &self.order {
            descending = order.descending;
            if order.field == "number" {
                break;
            }
            if let Some(field) = self.kind.field(order.field) {
                keys.push((field, order.descending));
            }
        }
        Sequence { keys, descending }
    }

    /// Checks the query against its kind.
    ///
    /// # Errors
    ///
    /// [`StorageError::Invalid`] where a field is unknown, a value or cursor of another type or length, or the
    /// page too large.
    pub fn check(&self) -> Result<(), StorageError> {
        self.filter.check(self.kind)?;
        for order in &self.order {
            if let FieldRef::Declared(place) = known(self.kind, order.field)?
                && self.kind.fields[place].many
            {
                return Err(StorageError::Invalid(format!("{} is a set, not an order", order.field)));
            }
        }
        if self.limit > MAX_PAGE {
            return Err(StorageError::Invalid(format!("a page of {} records", self.limit)));
        }
        if let From::After(cursor) | From::Before(cursor) = &self.from {
            let keys = self.ordering().keys;
            let fits = keys.len() == cursor.values.len()
                && keys.iter().zip(&cursor.values).all(|((field, _), value)| {
                    value.is_null()
                        || (super::filter::fits(self.kind.type_of(*field), value) && value.is_comparable())
                });
            if !fits {
                return Err(StorageError::Invalid("the cursor belongs to another order".into()));
            }
        }
        Ok(())
    }
}

/// An order with its fields looked up: the fields before the number, and the number's own direction.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// Field and whether it descends.
    pub keys: Vec<(FieldRef, bool)>,
    /// Whether ties are broken by falling number.
    pub descending: bool,
}

impl Sequence {
    /// Which of two records comes first.
    #[must_use]
    pub fn compare(&self, a: &Record, b: &Record) -> Ordering {
        self.keys
            .iter()
            .map(|(field, descending)| turned(a.value(*field).cmp(&b.value(*field)), *descending))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| turned(a.number.cmp(&b.number), self.descending))
    }

    /// Whether a record comes before or after the place that a cursor marks.
    #[must_use]
    pub fn compare_to(&self, record: &Record, cursor: &Cursor) -> Ordering {
        self.keys
            .iter()
            .zip(&cursor.values)
            .map(|((field, descending), value)| turned(record.value(*field).as_ref().cmp(value), *descending))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| turned(record.number.cmp(&cursor.number), self.descending))
    }

    /// The place of a record in this order.
    #[must_use]
    pub fn cursor(&self, record: &Record) -> Cursor {
        let values = self.keys.iter().map(|(field, _)| record.value(*field).into_owned()).collect();
        Cursor { values, number: record.number }
    }

    /// A page of the given records, which are those that were asked for and, where there is one, one more
    /// beyond; of a [`From::Before`] page the one more comes first. The one place where cursors are made.
    #[must_use]
    pub fn page(
        &self,
        mut records: Vec<Arc<Record>>,
        limit: usize,
        from: &From,
        total: Option<Total>,
    ) -> Page {
        let more = records.len() > limit;
        let backwards = matches!(from, From::Before(_));
        if more {
            if backwards {
                records.remove(0);
            } else {
                records.truncate(limit);
            }
        }
        let first = records.first().map(|record| self.cursor(record));
        let last = records.last().map(|record| self.cursor(record));
        let (next, previous) = match from {
            From::Start | From::Offset(0) => (last.filter(|_| more), None),
            From::After(_) | From::Offset(_) => (last.filter(|_| more), first),
            From::Before(_) => (last, first.filter(|_| more)),
        };
        Page { records, total, next, previous }
    }
}

const fn turned(order: Ordering, descending: bool) -> Ordering {
    if descending { order.reverse() } else { order }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_trip_through_a_client() {
        let cursor = Cursor { values: vec![Value::text("ü"), Value::Null, Value::Int(3)], number: 7 };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        assert_eq!(Cursor::decode("no cursor"), None);
    }
}
