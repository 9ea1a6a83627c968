//! How a kind of record declares what a store must know of it.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Body, Entity, StorageError, Value};

/// The type of a declared field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A text, compared by code points.
    Text,
    /// A whole number.
    Int,
    /// A number.
    Real,
    /// A truth value.
    Flag,
    /// An instant.
    Time,
    /// An id.
    Uuid,
}

/// A field that records of a kind can be found, ordered and grouped by.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// The field's name; in PostgreSQL the column's.
    pub name: &'static str,
    /// The type of its values.
    pub ty: FieldType,
    /// Whether no two records of a scope may share a value; `Null` may repeat.
    pub unique: bool,
    /// Whether a record may have several values. A filter then holds if it holds for any of them.
    pub many: bool,
    /// The kind whose records the values are ids of. They must exist in the same scope, and cannot be deleted
    /// while they are referred to.
    pub refers: Option<&'static str>,
    /// Whether the store can find and count the records of one value without walking the others.
    pub counted: bool,
}

impl FieldSpec {
    const fn new(name: &'static str, ty: FieldType, counted: bool) -> Self {
        Self { name, ty, unique: false, many: false, refers: None, counted }
    }

    /// A text field, counted.
    #[must_use]
    pub const fn text(name: &'static str) -> Self {
        Self::new(name, FieldType::Text, true)
    }

    /// A truth value, counted.
    #[must_use]
    pub const fn flag(name: &'static str) -> Self {
        Self::new(name, FieldType::Flag, true)
    }

    /// An id, counted.
    #[must_use]
    pub const fn uuid(name: &'static str) -> Self {
        Self::new(name, FieldType::Uuid, true)
    }

    /// A whole number.
    #[must_use]
    pub const fn int(name: &'static str) -> Self {
        Self::new(name, FieldType::Int, false)
    }

    /// A number.
    #[must_use]
    pub const fn real(name: &'static str) -> Self {
        Self::new(name, FieldType::Real, false)
    }

    /// An instant.
    #[must_use]
    pub const fn time(name: &'static str) -> Self {
        Self::new(name, FieldType::Time, false)
    }

    /// The id of a record of another kind.
    #[must_use]
    pub const fn refers(name: &'static str, kind: &'static str) -> Self {
        let mut field = Self::uuid(name);
        field.refers = Some(kind);
        field
    }

    /// Lets no two records of a scope share a value.
    #[must_use]
    pub const fn unique(mut self) -> Self {
        self.unique = true;
        self.counted = false;
        self
    }

    /// Lets a record have several values.
    #[must_use]
    pub const fn many(mut self) -> Self {
        self.many = true;
        self
    }

    /// Has the records of each value counted: for whole numbers with few values, such as a priority.
    #[must_use]
    pub const fn counted(mut self) -> Self {
        self.counted = true;
        self
    }

    /// Has the records of each value not counted: for texts that are shown or ordered by, but not filtered by.
    #[must_use]
    pub const fn uncounted(mut self) -> Self {
        self.counted = false;
        self
    }
}

/// How records of a kind may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Every change names the version it was decided on.
    Versioned,
    /// Records are inserted and deleted, never changed.
    AppendOnly,
    /// The last write wins, without a version. Never for a kind that an invariant hangs on.
    Quiet,
}

/// What a kind of record declares, once, as a `static`.
///
/// ```
/// use helpdesk_core::storage::{FieldSpec, KindSpec};
///
/// static NOTE: KindSpec = KindSpec::new("note", &[FieldSpec::text("topic"), FieldSpec::time("due")])
///     .indexes(&[&["topic"], &["topic", "due"]])
///     .searched();
/// assert_eq!(NOTE.position("due"), Some(1));
/// ```
#[derive(Debug)]
pub struct KindSpec {
    /// The kind's name, lower case with underscores; in PostgreSQL the table's.
    pub name: &'static str,
    /// The declared fields, in the order in which records hold them.
    pub fields: &'static [FieldSpec],
    /// Composite indexes: the fields that lists filter on, then the one they are ordered by. Each is followed
    /// by the record's number, so `&["status"]` serves "newest of one status". Every one costs each commit.
    /// A set has no place in an order, so a field of several values stands in none.
    pub indexes: &'static [&'static [&'static str]],
    /// Rollups: fields by whose values together the records of a scope are kept counted, so that figures and totals
    /// on them alone stay quick however many records there are. Callers ask as ever, and the store sees what serves.
    /// Good for fields with few values; every one costs the commits that change its fields.
    pub rollups: &'static [&'static [&'static str]],
    /// How records may change.
    pub mode: Mode,
    /// Whether records have words that full-text search sees.
    pub searched: bool,
    /// Whether people read the numbers, so that a store leaves no gaps but those of batches that failed.
    pub dense: bool,
    /// The version of the body's form; an older body is brought up to date when it is read.
    pub body_version: u16,
    /// Derives the declared fields from a body, for records that were written before a field was declared.
    pub derive: Option<Derive>,
}

/// Derives the declared fields from a body.
pub type Derive = fn(&Body) -> Result<Box<[Value]>, StorageError>;

impl KindSpec {
    /// A versioned kind without indexes.
    #[must_use]
    pub const fn new(name: &'static str, fields: &'static [FieldSpec]) -> Self {
        Self {
            name,
            fields,
            indexes: &[],
            rollups: &[],
            mode: Mode::Versioned,
            searched: false,
            dense: false,
            body_version: 1,
            derive: None,
        }
    }

    /// Declares the composite indexes.
    #[must_use]
    pub const fn indexes(mut self, indexes: &'static [&'static [&'static str]]) -> Self {
        self.indexes = indexes;
        self
    }

    /// Declares the rollups.
    #[must_use]
    pub const fn rollups(mut self, rollups: &'static [&'static [&'static str]]) -> Self {
        self.rollups = rollups;
        self
    }

    /// Has the records' words seen by full-text search.
    #[must_use]
    pub const fn searched(mut self) -> Self {
        self.searched = true;
        self
    }

    /// Declares how records may change.
    #[must_use]
    pub const fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Has the records numbered without gaps, but for those of batches that failed: for numbers that people read.
    #[must_use]
    pub const fn dense(mut self) -> Self {
        self.dense = true;
        self
    }

    /// Declares the type that is kept, from whose bodies the declared fields can be derived.
    #[must_use]
    pub const fn of<T: Entity>(mut self) -> Self {
        self.derive = Some(super::entity::derive::<T>);
        self
    }

    /// Declares the version of the body's form.
    #[must_use]
    pub const fn body_version(mut self, version: u16) -> Self {
        self.body_version = version;
        self
    }

    /// The place among the rollups of the one with the fewest fields that will do.
    #[must_use]
    pub fn rollup(&self, will_do: impl Fn(usize, &[&str]) -> bool) -> Option<usize> {
        let places = (0..self.rollups.len()).filter(|place| will_do(*place, self.rollups[*place]));
        places.min_by_key(|place| self.rollups[*place].len())
    }

    /// Where among a record's values the field `name` stands.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

/// The kinds that a store is made for: the standard ones and those of the embedding team.
///
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Schema {
    kinds: Arc<[&'static KindSpec]>,
    places: Arc<HashMap<&'static str, usize>>,
}

impl Schema {
    /// The schema of the given kinds.
    ///
    /// # Panics
    ///
    /// If a name is used twice, an index or rollup names no field or a set, or a field refers to no kind: mistakes in
    /// the program that would otherwise show up late.
    #[must_use]
    pub fn new(kinds: impl IntoIterator<Item = &'static KindSpec>) -> Self {
        let kinds: Arc<[_]> = kinds.into_iter().collect();
        let mut places = HashMap::new();
        for (place, kind) in kinds.iter().enumerate() {
            assert!(places.insert(kind.name, place).is_none(), "the kind {} is declared twice", kind.name);
        }
        for kind in kinds.iter() {
            for field in kind.indexes.iter().copied().flatten() {
                let single = kind.position(field).is_some_and(|place| !kind.fields[place].many);
                assert!(Builtin::named(field).is_some() || single, "no index on {}.{field}", kind.name);
            }
            kind.rollups.iter().for_each(|fields| check_rollup(kind, fields));
            for target in kind.fields.iter().filter_map(|field| field.refers) {
                assert!(places.contains_key(target), "{} refers to the unknown kind {target}", kind.name);
            }
        }
        Self { kinds, places: Arc::new(places) }
    }

    /// This schema with more kinds, as an embedding team adds its own.
    ///
    /// # Panics
    ///
    /// As [`Schema::new`].
    #[must_use]
    pub fn with(&self, kinds: impl IntoIterator<Item = &'static KindSpec>) -> Self {
        Self::new(self.kinds.iter().copied().chain(kinds))
    }

    /// All kinds, in the order they were declared.
    #[must_use]
    pub fn kinds(&self) -> &[&'static KindSpec] {
        &self.kinds
    }

    /// The place of a kind among [`Schema::kinds`].
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// The kind called `name`.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&'static KindSpec> {
        self.place(name).map(|place| self.kinds[place])
    }
}

/// A rollup counts by declared fields with a single value that several records may share.
fn check_rollup(kind: &KindSpec, fields: &[&str]) {
    assert!(!fields.is_empty(), "a rollup of {} has no fields", kind.name);
    for (place, field) in fields.iter().enumerate() {
        let fits = kind.position(field).is_some_and(|place| {
            let field = &kind.fields[place];
            !field.many && !field.unique
        });
        assert!(fits && !fields[..place].contains(field), "no rollup by {}.{field}", kind.name);
    }
}

/// The fields that every record has without declaring them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builtin {
    /// `id`
    Id,
    /// `number`
    Number,
    /// `created_at`
    CreatedAt,
    /// `updated_at`
    UpdatedAt,
}

impl Builtin {
    /// The built-in field of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "id" => Some(Self::Id),
            "number" => Some(Self::Number),
            "created_at" => Some(Self::CreatedAt),
            "updated_at" => Some(Self::UpdatedAt),
            _ => None,
        }
    }

    /// The type of its values.
    #[must_use]
    pub const fn ty(self) -> FieldType {
        match self {
            Self::Id => FieldType::Uuid,
            Self::Number => FieldType::Int,
            Self::CreatedAt | Self::UpdatedAt => FieldType::Time,
        }
    }
}

/// A field of a kind, looked up by name once and then used for every record.
#[derive(Clone, Copy, Debug)]
pub enum FieldRef {
    /// One that every record has.
    Builtin(Builtin),
    /// A declared one, by its place.
    Declared(usize),
}

impl KindSpec {
    /// The field called `name`, built in or declared.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<FieldRef> {
        self.position(name).map(FieldRef::Declared).or_else(|| Builtin::named(name).map(FieldRef::Builtin))
    }

    /// The type of a field's values.
    #[must_use]
    pub fn type_of(&self, field: FieldRef) -> FieldType {
        match field {
            FieldRef::Builtin(builtin) => builtin.ty(),
            FieldRef::Declared(place) => self.fields[place].ty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "no index on tagged.tags")]
    fn a_set_stands_in_no_index() {
        static TAGGED: KindSpec =
            KindSpec::new("tagged", &[FieldSpec::text("tags").many()]).indexes(&[&["tags"]]);
        let _ = Schema::new([&TAGGED]);
    }

    #[test]
    #[should_panic(expected = "no rollup by marked.tags")]
    fn a_set_stands_in_no_rollup() {
        static MARKED: KindSpec =
            KindSpec::new("marked", &[FieldSpec::flag("open"), FieldSpec::text("tags").many()])
                .rollups(&[&["open", "tags"]]);
        let _ = Schema::new([&MARKED]);
    }

    #[test]
    #[should_panic(expected = "no rollup by dated.created_at")]
    fn a_rollup_is_by_declared_fields() {
        static DATED: KindSpec =
            KindSpec::new("dated", &[FieldSpec::flag("open")]).rollups(&[&["created_at"]]);
        let _ = Schema::new([&DATED]);
    }

    #[test]
    fn the_smallest_rollup_that_will_do_is_taken() {
        static COUNTED: KindSpec =
            KindSpec::new("counted", &[FieldSpec::text("a"), FieldSpec::text("b"), FieldSpec::text("c")])
                .rollups(&[&["a", "b", "c"], &["b"], &["a", "b"]]);
        let _ = Schema::new([&COUNTED]);
        let with = |field| COUNTED.rollup(|_, fields| fields.contains(&field));
        assert_eq!([with("a"), with("b"), with("c"), with("d")], [Some(2), Some(1), Some(0), None]);
        assert_eq!(COUNTED.rollup(|place, _| place != 1), Some(2));
    }
}
