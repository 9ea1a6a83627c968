//! The values that a statement is run with. Every one is bound; none is ever written into SQL.

use chrono::{DateTime, Utc};
use helpdesk_core::storage::{FieldType, Scope, StorageError, Value};
use sqlx::postgres::PgArguments;
use sqlx::{Arguments as _, Encode, Postgres, Type};
use uuid::Uuid;

/// The first instant that PostgreSQL knows, in microseconds since 1970: 4714 BC.
const FIRST_INSTANT: i64 = -210_866_803_200_000_000;

/// Bound values, with the numbers that SQL knows them by.
#[derive(Debug, Default)]
pub(crate) struct Args {
    bound: PgArguments,
    failed: bool,
}

impl Args {
    /// Binds a value, and answers its number.
    pub(crate) fn bind<'q, T: Encode<'q, Postgres> + Type<Postgres>>(&mut self, value: T) -> usize {
        self.failed |= self.bound.add(value).is_err();
        self.bound.len()
    }

    /// Binds a value of a field, which may be `Null`. A set is bound as the text of its literal.
    pub(crate) fn value(&mut self, ty: FieldType, many: bool, value: &Value) -> usize {
        if many {
            return self.bind(literal(value));
        }
        match ty {
            FieldType::Text => self.bind(value.as_text()),
            FieldType::Int => self.bind(value.as_int()),
            FieldType::Real => self.bind(value.as_real()),
            FieldType::Flag => self.bind(flag(value)),
            FieldType::Time => self.bind(time(value)),
            FieldType::Uuid => self.bind(value.as_uuid()),
        }
    }

    /// Binds values of a field as an array. Sets are bound as the texts of their literals.
    pub(crate) fn values<'a>(
        &mut self,
        ty: FieldType,
        many: bool,
        values: impl Iterator<Item = &'a Value>,
    ) -> usize {
        if many {
            return self.bind(values.map(literal).collect::<Vec<_>>());
        }
        match ty {
            FieldType::Text => self.bind(values.map(Value::as_text).collect::<Vec<_>>()),
            FieldType::Int => self.bind(values.map(Value::as_int).collect::<Vec<_>>()),
            FieldType::Real => self.bind(values.map(Value::as_real).collect::<Vec<_>>()),
            FieldType::Flag => self.bind(values.map(flag).collect::<Vec<_>>()),
            FieldType::Time => self.bind(values.map(time).collect::<Vec<_>>()),
            FieldType::Uuid => self.bind(values.map(Value::as_uuid).collect::<Vec<_>>()),
        }
    }

    /// The values, to run a statement with.
    pub(crate) fn finish(self) -> Result<PgArguments, StorageError> {
        if self.failed {
            return Err(StorageError::Invalid("a value is too large to be sent".to_owned()));
        }
        Ok(self.bound)
    }
}

fn flag(value: &Value) -> Option<bool> {
    if let Value::Flag(flag) = value { Some(*flag) } else { None }
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    let Value::Time(micros) = value else { return None };
    let micros = (*micros).max(FIRST_INSTANT);
    Some(DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC))
}

/// The literal of an array: arrays of different lengths do not fit into one that is bound as a whole.
fn literal(value: &Value) -> Option<String> {
    if value.is_null() {
        return None;
    }
    let mut literal = String::from("{");
    for element in value.elements() {
        if literal.len() > 1 {
            literal.push(',');
        }
        match element {
            Value::Text(text) => quote(text, &mut literal),
            Value::Int(number) => literal.push_str(&number.to_string()),
            Value::Real(number) => literal.push_str(&format!("{number:e}")),
            Value::Flag(flag) => literal.push_str(&flag.to_string()),
            Value::Uuid(id) => literal.push_str(&id.to_string()),
            Value::Time(_) => {
                let at = time(element).unwrap_or_default();
                literal.push_str(&at.format("\"%Y-%m-%dT%H:%M:%S%.6fZ\"").to_string());
            }
            Value::Null | Value::Many(_) => {}
        }
    }
    literal.push('}');
    Some(literal)
}

/// The literal of an array of texts.
pub(crate) fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut literal = String::from("{");
    for text in texts {
        if literal.len() > 1 {
            literal.push(',');
        }
        quote(text, &mut literal);
    }
    literal.push('}');
    literal
}

fn quote(text: &str, literal: &mut String) {
    literal.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            literal.push('\\');
        }
        literal.push(c);
    }
    literal.push('"');
}

/// What stands in the column `organisation`. No organisation has the id of zeros.
pub(crate) fn organisation(scope: Scope) -> Uuid {
    scope.id().unwrap_or_default()
}

/// The scope of what stands in the column `organisation`.
pub(crate) fn scope(organisation: Uuid) -> Scope {
    Scope::stored(Some(organisation).filter(|id| !id.is_nil()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_written_as_arrays_whatever_they_hold() {
        let set = Value::many(["a,b", "{x}", "\"", "\\", "NULL", ""].map(Value::text));
        assert_eq!(literal(&set).as_deref(), Some(r#"{"","\"","NULL","\\","a,b","{x}"}"#));
        assert_eq!(literal(&Value::many([3, -1].map(Value::Int))).as_deref(), Some("{-1,3}"));
        assert_eq!(literal(&Value::Null), None);
    }

    #[test]
    fn instants_beyond_the_database_are_the_first_and_last_it_knows() {
        assert!(time(&Value::Time(i64::MIN)) < time(&Value::Time(0)));
        assert_eq!(time(&Value::Time(i64::MAX)), Some(DateTime::<Utc>::MAX_UTC));
    }
}
