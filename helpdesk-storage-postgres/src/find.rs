//! Records by id, and pages of records.

use std::collections::HashMap;
use std::sync::Arc;

use helpdesk_core::storage::{
    Cursor, FieldRef, From, KindSpec, Page, Query, Record, Scope, Sequence, StorageError, Total, TotalMode,
};
use sqlx::Row as _;
use uuid::Uuid;

use crate::args::{Args, organisation};
use crate::errors::failed;
use crate::filter::{condition, forks};
use crate::names::column;
use crate::pool::Pool;
use crate::rows::read;
use crate::tables::{Table, Tables};

pub(crate) async fn get(
    pool: &Pool,
    table: &Table,
    scope: Scope,
    ids: &[Uuid],
) -> Result<Vec<Option<Arc<Record>>>, StorageError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (sql, args) = by_ids(table, scope, ids);
    let rows = pool.all(sql, args).await.map_err(failed)?;
    if let ([_], [row]) = (ids, &rows[..]) {
        return Ok(vec![Some(read(table, scope, row, 0)?)]);
    }
    let mut found = HashMap::with_capacity(rows.len());
    for row in &rows {
        let record = read(table, scope, row, 0)?;
        found.insert(record.id, record);
    }
    Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
}

/// The statement of records by their ids.
pub(crate) fn by_ids(table: &Table, scope: Scope, ids: &[Uuid]) -> (String, Args) {
    let mut args = Args::default();
    args.bind(organisation(scope));
    let condition = match ids {
        [id] => {
            args.bind(*id);
            "t.id = $2"
        }
        ids => {
            args.bind(ids);
            "t.id = ANY($2)"
        }
    };
    let sql =
        format!("SELECT {} FROM {} t WHERE t.organisation = $1 AND {condition}", table.selected, table.name);
    (sql, args)
}

pub(crate) async fn find(pool: &Pool, tables: &Tables, query: &Query) -> Result<Page, StorageError> {
    query.check()?;
    let table = tables.of(query.kind())?;
    let sequence = query.ordering();
    let limit = query.page_size();
    if limit == 0 && query.wants_total() == TotalMode::None {
        return Ok(Page::default());
    }
    let (sql, args) = statement(table, query, &sequence)?;
    let rows =
        if forks(query.condition()) { pool.planned(sql, args).await } else { pool.all(sql, args).await };
    let rows = rows.map_err(failed)?;
    let count = match (query.wants_total(), rows.first()) {
        (TotalMode::None, _) | (_, None) => 0,
        (_, Some(row)) => row.try_get::<i64, _>(0).map_err(failed)?.cast_unsigned(),
    };
    let total = match query.wants_total() {
        TotalMode::None => None,
        TotalMode::Exact => Some(Total { count, exact: true }),
        TotalMode::UpTo(bound) => Some(Total { count: count.min(bound), exact: count <= bound }),
    };
    if limit == 0 {
        return Ok(Page { total, ..Page::default() });
    }
    let mut records = Vec::with_capacity(rows.len());
    for row in &rows {
        // With a total there is a row also where there is no record.
        if row.try_get::<Option<Uuid>, _>(1).map_err(failed)?.is_some() {
            records.push(read(table, query.scope(), row, 1)?);
        }
    }
    if matches!(query.start(), From::Before(_)) {
        records.reverse();
    }
    Ok(sequence.page(records, limit, query.start(), total))
}

/// The statement of a query: a column with the total, then those of a record; one more record than asked for.
pub(crate) fn statement(
    table: &Table,
    query: &Query,
    sequence: &Sequence,
) -> Result<(String, Args), StorageError> {
    let kind = query.kind();
    let mut args = Args::default();
    let mut matching = format!("t.organisation = ${} AND (", args.bind(organisation(query.scope())));
    condition(kind, query.condition(), &mut matching, &mut args);
    matching.push(')');
    // As many combinations of values at most, rather than all that match.
    let rollup = table.rollup(|fields| query.condition().is_on(fields));
    let counted = match (query.wants_total(), rollup) {
        (TotalMode::None, _) => None,
        (_, Some(rollup)) => Some(format!(
            "SELECT COALESCE(sum(t.\"count\"), 0)::bigint AS count FROM {} t WHERE {matching}",
            rollup.table
        )),
        (TotalMode::Exact, None) => {
            Some(format!("SELECT count(*) AS count FROM {} t WHERE {matching}", table.name))
        }
        (TotalMode::UpTo(bound), None) => Some(format!(
            "SELECT count(*) AS count FROM (SELECT FROM {} t WHERE {matching} LIMIT {}) AS bounded",
            table.name,
            bound.saturating_add(1).min(i64::MAX.cast_unsigned())
        )),
    };
    if let (0, Some(counted)) = (query.page_size(), &counted) {
        return Ok((counted.clone(), args));
    }
    let turned = matches!(query.start(), From::Before(_));
    let mut page = format!("SELECT {} FROM {} t WHERE {matching}", table.selected, table.name);
    if let From::After(cursor) | From::Before(cursor) = query.start() {
        page.push_str(" AND (");
        beyond(kind, sequence, cursor, turned, &mut page, &mut args);
        page.push(')');
    }
    page.push_str(" ORDER BY ");
    for (field, descending) in &sequence.keys {
        let nulls = if nullable(*field) {
            if descending ^ turned { " NULLS LAST" } else { " NULLS FIRST" }
        } else {
            ""
        };
        let direction = if descending ^ turned { "DESC" } else { "ASC" };
        page.push_str(&format!("t.{} {direction}{nulls}, ", column(kind, *field)));
    }
    let direction = if sequence.descending ^ turned { "DESC" } else { "ASC" };
    // The limit is written out: it tells the planner that an index in the wanted order will do.
    page.push_str(&format!("t.number {direction} LIMIT {}", query.page_size() + 1));
    if let From::Offset(count) = query.start()
        && *count > 0
    {
        page.push_str(&format!(" OFFSET ${}", args.bind(i64::try_from(*count).unwrap_or(i64::MAX))));
    }
    let sql = match counted {
        None => format!("SELECT NULL::bigint AS count, page.* FROM ({page}) AS page"),
        Some(counted) => {
            format!(
                "SELECT total.count, page.* FROM ({counted}) AS total LEFT JOIN LATERAL ({page}) AS page ON true"
            )
        }
    };
    Ok((sql, args))
}

/// Whether a field may have no value.
const fn nullable(field: FieldRef) -> bool {
    matches!(field, FieldRef::Declared(_))
}

/// Appends a condition that holds for what comes after the place of a cursor, or before it where the page is turned.
fn beyond(
    kind: &'static KindSpec,
    sequence: &Sequence,
    cursor: &Cursor,
    turned: bool,
    sql: &mut String,
    args: &mut Args,
) {
    let number = args.bind(cursor.number);
    let less = sequence.descending ^ turned;
    let operator = if less { "<" } else { ">" };
    let values: Vec<_> = sequence.keys.iter().zip(&cursor.values).collect();
    let uniform = values.iter().all(|((field, descending), value)| {
        !nullable(*field) && !value.is_null() && descending ^ turned == less
    });
    if uniform {
        // As one comparison of rows, which an index on them serves.
        let columns: String =
            sequence.keys.iter().map(|(field, _)| format!("t.{}, ", column(kind, *field))).collect();
        let bound: String = values
            .iter()
            .map(|((field, _), value)| format!("${}, ", args.value(kind.type_of(*field), false, value)))
            .collect();
        return sql.push_str(&format!("({columns}t.number) {operator} ({bound}${number})"));
    }
    let mut same = String::new();
    for ((field, descending), value) in values {
        let name = column(kind, *field);
        let bound = (!value.is_null()).then(|| args.value(kind.type_of(*field), false, value));
        // `Null` comes before everything.
        let further = match (bound, descending ^ turned) {
            (None, false) => format!("t.{name} IS NOT NULL"),
            (None, true) => "false".to_owned(),
            (Some(bound), false) => format!("t.{name} > ${bound}"),
            (Some(bound), true) => format!("(t.{name} < ${bound} OR t.{name} IS NULL)"),
        };
        sql.push_str(&format!("({same}{further}) OR "));
        match bound {
            None => same.push_str(&format!("t.{name} IS NULL AND ")),
            Some(bound) => same.push_str(&format!("t.{name} = ${bound} AND ")),
        }
    }
    sql.push_str(&format!("({same}t.number {operator} ${number})"));
}
