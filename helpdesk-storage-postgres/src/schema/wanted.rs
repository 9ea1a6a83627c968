//! The table that a kind wants.

use std::collections::HashSet;

use helpdesk_core::storage::{Builtin, FieldSpec, FieldType, JOB, KindSpec, Mode, Schema};

use crate::SetupError;
use crate::names::{MAX_NAME, Names, fnv, made_of, quoted};
use crate::rollups::Rollup;

/// A table as it should be.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<Column>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) indexes: Vec<Index>,
}

/// A column as it should be.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The type, as the catalogue spells it.
    pub(crate) ty: &'static str,
    pub(crate) required: bool,
    /// What follows the type where the column is made.
    pub(crate) extra: &'static str,
}

impl Column {
    /// The column as it is made.
    pub(crate) fn definition(&self) -> String {
        let required = if self.required { " NOT NULL" } else { "" };
        format!("{} {}{}{required}", quoted(&self.name), self.ty, self.extra)
    }
}

/// A constraint as it should be.
#[derive(Debug)]
pub(crate) struct Constraint {
    pub(crate) name: String,
    pub(crate) definition: String,
    /// Whether it names another table, which must be there first.
    pub(crate) foreign: bool,
}

/// An index as it should be.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) name: String,
    /// What follows the table's name.
    pub(crate) on: String,
}

fn column(name: &str, ty: &'static str, required: bool) -> Column {
    Column { name: name.to_owned(), ty, required, extra: "" }
}

/// The type of a field's column.
pub(crate) const fn sql_type(field: &FieldSpec) -> &'static str {
    match (field.ty, field.many) {
        (FieldType::Text, false) => "text",
        (FieldType::Int, false) => "bigint",
        (FieldType::Real, false) => "double precision",
        (FieldType::Flag, false) => "boolean",
        (FieldType::Time, false) => "timestamp with time zone",
        (FieldType::Uuid, false) => "uuid",
        (FieldType::Text, true) => "text[]",
        (FieldType::Int, true) => "bigint[]",
        (FieldType::Real, true) => "double precision[]",
        (FieldType::Flag, true) => "boolean[]",
        (FieldType::Time, true) => "timestamp with time zone[]",
        (FieldType::Uuid, true) => "uuid[]",
    }
}

/// A mark of the declared fields: what a row was written with.
pub(crate) fn fields_hash(kind: &KindSpec) -> i32 {
    let names: Vec<_> =
        kind.fields.iter().map(|field| format!("{}:{}", field.name, sql_type(field))).collect();
    fnv(names.join(",").as_bytes()).cast_signed()
}

/// Checks that all kinds can have their tables beside one another.
pub(crate) fn check(schema: &Schema, names: &Names) -> Result<(), SetupError> {
    let mut taken = HashSet::new();
    for kind in schema.kinds() {
        check_kind(kind)?;
        // Tables and indexes share their names, and those of two kinds may be joined to the same.
        let Table { name, constraints, indexes, .. } = wanted(kind, names);
        let own =
            constraints.iter().filter(|constraint| !constraint.foreign).map(|constraint| &constraint.name);
        let own = own.chain(indexes.iter().map(|index| &index.name)).cloned();
        let rollups = Rollup::all(kind, names);
        let rolled = rollups.into_iter().flat_map(|rollup| [super::rollups::index(&rollup), rollup.name]);
        for name in own.chain([name.to_owned()]).chain(rolled) {
            if let Some(name) = taken.replace(name) {
                let why = format!("{name} would be the name of two things");
                return Err(SetupError::Kind { kind: kind.name, why });
            }
        }
    }
    Ok(())
}

fn check_kind(kind: &'static KindSpec) -> Result<(), SetupError> {
    let refuse = |why: String| Err(SetupError::Kind { kind: kind.name, why });
    const TABLES: [&str; 5] = ["batch", "number", "series", "rollup", "_migrations"];
    const COLUMNS: [&str; 6] = ["organisation", "version", "body", "body_version", "words", "fields"];
    if TABLES.contains(&kind.name) {
        return refuse("its name is taken".to_owned());
    }
    let named = kind.fields.iter().map(|field| field.name).chain([kind.name]);
    if let Some(name) = named.into_iter().find(|name| name.is_empty() || name.len() > MAX_NAME) {
        return refuse(format!("a name has 1 to {MAX_NAME} bytes: {name:?}"));
    }
    if kind.dense && kind.mode == Mode::Quiet {
        return refuse("a kind without versions is not numbered without gaps".to_owned());
    }
    if let Some(field) =
        kind.rollups.iter().copied().flatten().find(|field| ["count", "folded"].contains(field))
    {
        return refuse(format!("the name of its field {field} is taken in rollups"));
    }
    for field in kind.fields {
        if COLUMNS.contains(&field.name) || Builtin::named(field.name).is_some() {
            return refuse(format!("the name of its field {} is taken", field.name));
        }
        if field.unique && field.many {
            return refuse(format!("its field {} cannot be a set and unique", field.name));
        }
    }
    Ok(())
}

/// The table that a kind wants.
pub(crate) fn wanted(kind: &'static KindSpec, names: &Names) -> Table {
    let is_job = kind.name == JOB.name;
    let mut number = column("number", "bigint", true);
    if !kind.dense {
        number.extra = " GENERATED BY DEFAULT AS IDENTITY";
    }
    let mut columns = vec![
        column("organisation", "uuid", true),
        column("id", "uuid", true),
        number,
        column("version", "bigint", true),
        column("created_at", "timestamp with time zone", true),
        column("updated_at", "timestamp with time zone", true),
        column("fields", "integer", true),
    ];
    if is_job {
        columns.extend([
            column("payload", "text", true),
            column("ready", "timestamp with time zone", false),
            column("token", "uuid", false),
            column("lease_until", "timestamp with time zone", false),
            column("rerun", "timestamp with time zone", false),
            column("error", "text", false),
        ]);
    } else {
        columns.extend([column("body_version", "smallint", true), column("body", "jsonb", true)]);
    }
    if kind.searched {
        columns.push(column("words", "tsvector", false));
    }
    columns.extend(kind.fields.iter().map(|field| Column {
        name: field.name.to_owned(),
        ty: sql_type(field),
        required: false,
        extra: if field.ty == FieldType::Text { " COLLATE \"C\"" } else { "" },
    }));
    Table { name: kind.name, columns, constraints: constraints(kind, names), indexes: indexes(kind) }
}

fn constraints(kind: &'static KindSpec, names: &Names) -> Vec<Constraint> {
    let mut constraints = vec![
        Constraint {
            name: made_of(&[kind.name, "pkey"]),
            definition: "PRIMARY KEY (organisation, id)".to_owned(),
            foreign: false,
        },
        Constraint {
            name: made_of(&[kind.name, "number", "key"]),
            definition: "UNIQUE (organisation, number)".to_owned(),
            foreign: false,
        },
    ];
    for field in kind.fields {
        let name = quoted(field.name);
        if field.unique {
            // Deferrable, so that it is checked when the statement ends: one write of a batch may take what another
            // gives up. The key of a job is what `ON CONFLICT` goes by, and must be checked at once.
            let when = if kind.name == JOB.name { "" } else { " DEFERRABLE" };
            constraints.push(Constraint {
                name: made_of(&[kind.name, field.name, "key"]),
                definition: format!("UNIQUE (organisation, {name}){when}"),
                foreign: false,
            });
        }
        // PostgreSQL has no foreign keys for the elements of a set; the commit sees to those.
        if let (Some(target), false) = (field.refers, field.many) {
            constraints.push(Constraint {
                name: made_of(&[kind.name, field.name, "fkey"]),
                definition: format!(
                    "FOREIGN KEY (organisation, {name}) REFERENCES {}(organisation, id)",
                    names.of(target)
                ),
                foreign: true,
            });
        }
    }
    constraints
}

fn indexes(kind: &'static KindSpec) -> Vec<Index> {
    let mut indexes: Vec<Index> = Vec::new();
    // Lists leave out what was deleted, and the like. With those marks in the index, a count need not look at the rows.
    let flags: Vec<_> = kind
        .fields
        .iter()
        .filter(|field| field.ty == FieldType::Flag && !field.many && field.counted)
        .collect();
    let mut btree = |fields: &[&str]| {
        // As they are ordered by. What every record has comes in the server's own order: one with another place for
        // `Null` would not serve it, though there is none.
        let nulls = |field: &str| if kind.position(field).is_some() { " NULLS FIRST" } else { "" };
        let columns: Vec<_> =
            fields.iter().map(|field| format!("{}{}", quoted(field), nulls(field))).collect();
        let beside = flags.iter().map(|flag| flag.name).filter(|flag| !fields.contains(flag)).map(quoted);
        let beside: Vec<_> = beside.collect();
        let beside =
            if beside.is_empty() { String::new() } else { format!(" INCLUDE ({})", beside.join(", ")) };
        let mut parts = vec![kind.name];
        parts.extend(fields);
        parts.push("idx");
        let name = made_of(&parts);
        if indexes.iter().all(|index| index.name != name) {
            let on = format!("USING btree (organisation, {}, number){beside}", columns.join(", "));
            indexes.push(Index { name, on });
        }
    };
    kind.indexes.iter().for_each(|fields| btree(fields));
    // Records of one value are to be found without walking the others; of a truth value there are only two. And a
    // record that is referred to cannot go, which is looked up by the referring field.
    for field in kind.fields.iter().filter(|field| !field.many && !field.unique) {
        let counted = field.counted && matches!(field.ty, FieldType::Text | FieldType::Uuid);
        let served = kind.indexes.iter().any(|fields| fields[0] == field.name);
        if !served && (counted || field.refers.is_some()) {
            btree(&[field.name]);
        }
    }
    for field in kind.fields.iter().filter(|field| field.many) {
        let on = format!("USING gin ({})", quoted(field.name));
        indexes.push(Index { name: made_of(&[kind.name, field.name, "idx"]), on });
    }
    if kind.searched {
        indexes
            .push(Index { name: made_of(&[kind.name, "words", "idx"]), on: "USING gin (words)".to_owned() });
    }
    if kind.name == JOB.name {
        let on = "USING btree (ready) WHERE (ready IS NOT NULL)".to_owned();
        indexes.push(Index { name: made_of(&[kind.name, "ready", "idx"]), on });
    }
    indexes
}
