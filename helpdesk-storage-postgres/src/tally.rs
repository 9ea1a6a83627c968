//! Figures over records.

use helpdesk_core::storage::{
    FieldRef, FieldType, Figures, Group, KindSpec, Measure, StorageError, Tally, Unit,
};

use crate::args::{Args, organisation};
use crate::errors::failed;
use crate::filter::condition;
use crate::names::{column, quoted};
use crate::pool::Pool;
use crate::rows::value;
use crate::tables::Tables;

pub(crate) async fn tally(pool: &Pool, tables: &Tables, tally: &Tally) -> Result<Vec<Figures>, StorageError> {
    tally.check()?;
    let Statement { sql, args, types, groups } = statement(tables, tally)?;
    let rows = pool.all(sql, args).await.map_err(failed)?;
    rows.iter()
        .map(|row| {
            let read = types.iter().enumerate().map(|(place, ty)| value(row, place, *ty));
            let mut keys = read.collect::<Result<Vec<_>, _>>().map_err(failed)?;
            let values = keys.split_off(groups);
            Ok(Figures { keys, values })
        })
        .collect()
}

/// The statement of a tally.
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) args: Args,
    /// The types of its columns: those of the groups, then those of the measures.
    types: Vec<FieldType>,
    groups: usize,
}

pub(crate) fn statement(tables: &Tables, tally: &Tally) -> Result<Statement, StorageError> {
    let kind = tally.kind();
    let table = tables.of(kind)?;
    let mut args = Args::default();
    let mut matching = format!("t.organisation = ${} AND (", args.bind(organisation(tally.scope())));
    condition(kind, tally.condition(), &mut matching, &mut args);
    matching.push(')');

    let (mut selected, mut types, mut joined) = (Vec::new(), Vec::new(), String::new());
    for (place, group) in tally.groups().iter().enumerate() {
        let (Group::Field(name) | Group::Period(name, ..)) = *group;
        let field = known(kind, name)?;
        let mut key = format!("t.{}", column(kind, field));
        if matches!(field, FieldRef::Declared(place) if kind.fields[place].many) {
            // A record counts for each element, and once where there is none.
            joined.push_str(&format!(" LEFT JOIN LATERAL unnest({key}) AS e{place}(e) ON true"));
            key = format!("e{place}.e");
        }
        let ty = match group {
            Group::Field(_) => kind.type_of(field),
            Group::Period(_, unit, zone) => {
                let local = format!("{key} AT TIME ZONE ${}", args.bind(zone.name()));
                key = label(*unit, &local);
                FieldType::Text
            }
        };
        if ty == FieldType::Text {
            key.push_str(" COLLATE \"C\"");
        }
        selected.push(key);
        types.push(ty);
    }
    let groups = selected.len();
    // Which has the same columns, and says how many rows there are of each combination of values.
    let rollup = table.rollup(|fields| tally.is_on(fields));
    for measure in tally.measures() {
        let (measured, ty) = if rollup.is_some() { rolled_up(*measure) } else { figure(kind, *measure)? };
        selected.push(measured);
        types.push(ty);
    }
    let from = rollup.map_or(&table.name, |rollup| &rollup.table);
    let mut sql = format!("SELECT {} FROM {from} t{joined} WHERE {matching}", selected.join(", "));
    if groups > 0 {
        let places: Vec<_> = (1..=groups).map(|place| place.to_string()).collect();
        let ordered: Vec<_> = places.iter().map(|place| format!("{place} NULLS FIRST")).collect();
        // Of a combination that went out of use, as many were added as taken away.
        let some = if rollup.is_some() { " HAVING sum(t.\"count\") <> 0" } else { "" };
        sql.push_str(&format!(" GROUP BY {}{some} ORDER BY {}", places.join(", "), ordered.join(", ")));
    }
    Ok(Statement { sql, args, types, groups })
}

fn known(kind: &KindSpec, name: &str) -> Result<FieldRef, StorageError> {
    kind.field(name).ok_or_else(|| StorageError::Invalid(format!("{} has no field {name}", kind.name)))
}

/// The name of the stretch of time that a local time falls into.
fn label(unit: Unit, local: &str) -> String {
    match unit {
        Unit::Hour => format!("to_char({local}, 'YYYY-MM-DD\"T\"HH24')"),
        Unit::Day => format!("to_char({local}, 'YYYY-MM-DD')"),
        Unit::Week => format!("to_char(date_trunc('week', {local}), 'YYYY-MM-DD')"),
        Unit::Month => format!("to_char({local}, 'YYYY-MM')"),
    }
}

/// A figure of a rollup as SQL, and its type: a count, or a figure of whole numbers that are among its fields.
fn rolled_up(measure: Measure) -> (String, FieldType) {
    let Some(name) = measure.field() else {
        return ("COALESCE(sum(t.\"count\"), 0)::bigint".to_owned(), FieldType::Int);
    };
    let column = format!("t.{}", quoted(name));
    // Exact, since what was added and taken away again must leave nothing.
    let sum = format!("sum({column}::numeric * t.\"count\")");
    let count = format!("NULLIF(sum(t.\"count\") FILTER (WHERE {column} IS NOT NULL), 0)");
    if matches!(measure, Measure::Average(_)) {
        return (format!("({sum} / {count})::double precision"), FieldType::Real);
    }
    let bounds = (i64::MIN, i64::MAX);
    let bounded = format!("LEAST(GREATEST({sum}, {}), {})::bigint", bounds.0, bounds.1);
    (format!("CASE WHEN {count} > 0 THEN {bounded} END"), FieldType::Int)
}

/// A figure as SQL, and its type.
fn figure(kind: &'static KindSpec, measure: Measure) -> Result<(String, FieldType), StorageError> {
    let Some(name) = measure.field() else { return Ok(("count(*)".to_owned(), FieldType::Int)) };
    let field = known(kind, name)?;
    let (ty, column) = (kind.type_of(field), format!("t.{}", column(kind, field)));
    let bounds = (i64::MIN, i64::MAX);
    Ok(match (measure, ty) {
        (Measure::Count, _) => ("count(*)".to_owned(), FieldType::Int),
        (Measure::Sum(_), FieldType::Int) => {
            // Both ignore `Null`, which a sum of nothing is.
            let bounded = format!("LEAST(GREATEST(sum({column}), {}), {})::bigint", bounds.0, bounds.1);
            (format!("CASE WHEN count({column}) > 0 THEN {bounded} END"), ty)
        }
        (Measure::Sum(_), _) => (format!("sum({column})"), ty),
        (Measure::Average(_), _) => {
            (format!("sum({column}::double precision) / count({column})"), FieldType::Real)
        }
        // There is no `min` of these, and of truth values the least is that all are.
        (Measure::Least(_), FieldType::Flag) => (format!("bool_and({column})"), ty),
        (Measure::Greatest(_), FieldType::Flag) => (format!("bool_or({column})"), ty),
        (Measure::Least(_), FieldType::Uuid) => (format!("min({column}::text COLLATE \"C\")::uuid"), ty),
        (Measure::Greatest(_), FieldType::Uuid) => (format!("max({column}::text COLLATE \"C\")::uuid"), ty),
        (Measure::Least(_), _) => (format!("min({column})"), ty),
        (Measure::Greatest(_), _) => (format!("max({column})"), ty),
    })
}
