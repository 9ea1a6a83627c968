//! Index keys: values as bytes that compare as the values do.

use helpdesk_core::storage::Value;
use smallvec::SmallVec;
use uuid::Uuid;

use crate::rows::Row;

/// A key of a composite index: the values, then the row. Short enough to live inside the index's nodes, so that
/// copying a node follows no pointers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Key(SmallVec<[u8; 32]>);

impl Key {
    /// The key of the given values, without a row: sorts before every key that continues it.
    pub(crate) fn of<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut key = Self::default();
        values.into_iter().for_each(|value| key.push(value));
        key
    }

    /// The key followed by a row.
    pub(crate) fn at(mut self, row: Row) -> Self {
        self.0.extend_from_slice(&row.to_be_bytes());
        self
    }

    /// The row that the key ends with.
    pub(crate) fn row(&self) -> Row {
        let start = self.0.len().saturating_sub(4);
        self.0[start..].try_into().map_or(0, Row::from_be_bytes)
    }

    /// A key that sorts after every key that begins as this one does.
    pub(crate) fn after_all(mut self) -> Self {
        self.0.push(0xff);
        self
    }

    /// Appends a value. Tags keep `Null` first; no value's bytes are the beginning of another's.
    pub(crate) fn push(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.push(0),
            Value::Flag(flag) => self.0.extend_from_slice(&[1, u8::from(*flag)]),
            Value::Int(number) | Value::Time(number) => {
                self.0.push(2);
                self.0.extend_from_slice(&(number.cast_unsigned() ^ (1 << 63)).to_be_bytes());
            }
            Value::Real(number) => {
                let bits = number.to_bits();
                let ordered = if bits >> 63 == 1 { !bits } else { bits | (1 << 63) };
                self.0.push(3);
                self.0.extend_from_slice(&ordered.to_be_bytes());
            }
            Value::Uuid(id) => self.push_uuid(*id),
            Value::Text(text) => {
                self.0.push(5);
                self.push_text(text);
                self.0.extend_from_slice(&[0, 0]);
            }
            // A set is neither ordered nor a part of an index.
            Value::Many(_) => self.0.push(6),
        }
    }

    /// Appends the beginning of a text, so that the key is the beginning of the keys of all that continue it.
    pub(crate) fn push_prefix(&mut self, text: &str) {
        self.0.push(5);
        self.push_text(text);
    }

    fn push_uuid(&mut self, id: Uuid) {
        self.0.push(4);
        self.0.extend_from_slice(id.as_bytes());
    }

    fn push_text(&mut self, text: &str) {
        for byte in text.bytes() {
            self.0.push(byte);
            if byte == 0 {
                self.0.push(0xff);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_compare_as_their_values_do() {
        let ordered = [
            Value::Null,
            Value::Flag(false),
            Value::Flag(true),
            Value::Int(i64::MIN),
            Value::Int(-1),
            Value::Int(0),
            Value::Int(i64::MAX),
            Value::Real(f64::NEG_INFINITY),
            Value::Real(-0.5),
            Value::Real(0.0),
            Value::Real(1e300),
            Value::Uuid(Uuid::from_u128(1)),
            Value::text(""),
            Value::text("a"),
            Value::text("a\u{1}"),
            Value::text("ab"),
            Value::text("ä"),
        ];
        let keys: Vec<_> = ordered.iter().map(|value| Key::of([value]).at(7)).collect();
        assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
        assert!(keys.iter().all(|key| key.row() == 7));
    }

    #[test]
    fn a_prefix_is_the_beginning_of_what_continues_it() {
        let mut prefix = Key::default();
        prefix.push_prefix("ab");
        let key = |text: &str| Key::of([&Value::text(text)]).at(1);
        let within = prefix.clone()..prefix.after_all();
        assert!(within.contains(&key("ab")) && within.contains(&key("abc")));
        assert!(!within.contains(&key("aac")) && !within.contains(&key("ac")));
    }
}
