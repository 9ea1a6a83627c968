//! Names in SQL. Those of tables and columns come from the declared kinds alone, and are always quoted.

use helpdesk_core::storage::{Builtin, FieldRef, KindSpec};

/// The longest name that PostgreSQL keeps, in bytes.
pub(crate) const MAX_NAME: usize = 63;

/// A name, quoted.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A name made of parts, cut where it is too long. What is cut off is told apart by a hash.
pub(crate) fn made_of(parts: &[&str]) -> String {
    let name = parts.join("_");
    if name.len() <= MAX_NAME {
        return name;
    }
    let hash = format!("_{:08x}", fnv(name.as_bytes()));
    let mut end = MAX_NAME - hash.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{hash}", &name[..end])
}

/// A hash that stays the same over versions (FNV-1a).
pub(crate) fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// As [`fnv`], with 64 bits.
pub(crate) fn fnv64(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The schema that the tables of a store live in.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    schema: String,
}

impl Names {
    pub(crate) fn new(schema: &str) -> Self {
        Self { schema: schema.to_owned() }
    }

    /// The schema, unquoted.
    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// The schema of the views that other programs read.
    pub(crate) fn views(&self) -> String {
        made_of(&[&self.schema, "read"])
    }

    /// A table or function of the schema.
    pub(crate) fn of(&self, name: &str) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(name))
    }

    /// The table of a kind.
    pub(crate) fn table(&self, kind: &KindSpec) -> String {
        self.of(kind.name)
    }

    /// The key of the lock that a store's nodes agree on for a purpose.
    pub(crate) fn lock(&self, purpose: &str) -> i64 {
        let high = fnv(self.schema.as_bytes());
        i64::from(high) << 32 | i64::from(fnv(purpose.as_bytes()))
    }

    /// The channel on which the relay tells how far the log goes.
    pub(crate) fn log_channel(&self) -> String {
        made_of(&["helpdesk", &self.schema, "log"])
    }

    /// The channel on which the relay is told that there are events to be placed.
    pub(crate) fn bell_channel(&self) -> String {
        made_of(&["helpdesk", &self.schema, "bell"])
    }
}

/// The column of a field.
pub(crate) fn column(kind: &KindSpec, field: FieldRef) -> String {
    match field {
        FieldRef::Declared(place) => quoted(kind.fields[place].name),
        FieldRef::Builtin(Builtin::Id) => "id".to_owned(),
        FieldRef::Builtin(Builtin::Number) => "number".to_owned(),
        FieldRef::Builtin(Builtin::CreatedAt) => "created_at".to_owned(),
        FieldRef::Builtin(Builtin::UpdatedAt) => "updated_at".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_never_too_long() {
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(made_of(&["ticket", "status", "idx"]), "ticket_status_idx");
        let long = made_of(&["ż".repeat(60).as_str(), "idx"]);
        assert!(long.len() <= MAX_NAME && long != made_of(&["ż".repeat(61).as_str(), "idx"]));
    }
}
