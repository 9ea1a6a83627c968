//! The one statement that makes all the changes of a batch, and fails as a whole where one of them cannot be made.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use helpdesk_core::storage::{Batch, Expect, Put, StorageError, Value, Words, Write};
use uuid::Uuid;

use super::jobs::{self, Settled};
use super::plan::{Change, Plan, RowKey, Strength};
use super::source::Source;
use crate::args::{Args, organisation, texts};
use crate::names::quoted;
use crate::tables::{Table, Tables};

/// The most bytes of words that a search vector holds. PostgreSQL refuses more than a mebibyte.
const MAX_WORD_BYTES: usize = 1_000_000;

/// A statement in the making: `WITH` parts, and what must hold of them.
pub(super) struct Statement<'a> {
    pub(super) tables: &'a Tables,
    pub(super) args: Args,
    pub(super) at: usize,
    parts: Vec<String>,
    checks: Vec<String>,
    /// The part that must be done before anything is changed.
    gate: Option<String>,
}

/// Numbers that were given to new records of dense kinds, by the place of the write.
pub(super) type Dense = BTreeMap<usize, i64>;

/// The statement of a batch. `settled` are jobs whose changes were worked out beforehand.
pub(super) fn statement(
    batch: &Batch,
    plan: &Plan,
    tables: &Tables,
    dense: &Dense,
    counters: &[i64],
    settled: &[Settled],
) -> Result<(String, Args), StorageError> {
    let mut args = Args::default();
    let id = args.bind(batch.id);
    let at = args.bind(micros(batch.at));
    let mut statement = Statement { tables, args, at, parts: Vec::new(), checks: Vec::new(), gate: None };
    statement.lock_values(plan);
    for ((place, strength), rows) in &plan.locks {
        statement.lock(*place, *strength, rows);
    }
    let mut written = Vec::new();
    for ((place, change), indices) in &plan.groups {
        written.push(statement.write(batch, *place, *change, indices, dense)?);
    }
    if let Some(place) = plan.events {
        let events: Vec<&Put> = batch.events.iter().collect();
        let table = tables.at(place);
        let part = statement.insert(table, &events, &[]);
        statement.part("e", &part);
    }
    match &plan.jobs {
        Some(simple) => jobs::simple(&mut statement, &batch.jobs, simple),
        None => jobs::settled(&mut statement, settled),
    }
    Ok(statement.finish(batch, id, counters, &written))
}

impl Statement<'_> {
    /// Adds a part, to be run once the gate is passed.
    pub(super) fn part(&mut self, name: &str, sql: &str) {
        self.parts.push(format!("{name} AS ({sql})"));
    }

    /// Fails the statement unless a count is as it should be.
    pub(super) fn expect(&mut self, counted: &str, count: usize) {
        // Bound, so that the statement stays the same for any number of rows.
        let count = self.args.bind(i64::try_from(count).unwrap_or(i64::MAX));
        self.check(&format!("{counted} = ${count}"));
    }

    /// Fails the statement unless a condition holds.
    fn check(&mut self, condition: &str) {
        let expect = self.tables.names().of("expect");
        self.checks.push(format!("{expect}({condition}, 'not as expected')"));
    }

    /// A condition that makes a part wait until everything is locked.
    pub(super) fn gated(&self) -> String {
        self.gate
            .as_ref()
            .map_or_else(|| "true".to_owned(), |gate| format!("(SELECT count(*) FROM {gate}) >= 0"))
    }

    fn lock_values(&mut self, plan: &Plan) {
        if plan.values.is_empty() {
            return;
        }
        // In order, and before any row is written: two inserts of one value would wait for each other.
        let keys = self.args.bind(plan.values.iter().copied().collect::<Vec<_>>());
        let sql = format!("SELECT pg_advisory_xact_lock(key) FROM unnest(${keys}::bigint[]) AS key");
        self.parts.push(format!("lv AS MATERIALIZED ({sql})"));
        self.gate = Some("lv".to_owned());
    }

    fn lock(&mut self, place: usize, strength: Strength, rows: &BTreeMap<RowKey, Option<i64>>) {
        let name = format!(
            "l{place}{}",
            match strength {
                Strength::Key => "k",
                Strength::Share => "s",
                Strength::Change => "c",
            }
        );
        let gated = self.gated();
        let mut source = Source::new(&mut self.args, rows.len());
        let organisation = source.column("uuid", rows.keys().map(|(organisation, _)| *organisation));
        let id = source.column("uuid", rows.keys().map(|(_, id)| *id));
        let version = source.sparse("bigint", rows.values().copied());
        let mode = match strength {
            Strength::Key => "KEY SHARE",
            Strength::Share => "SHARE",
            Strength::Change => "NO KEY UPDATE",
        };
        let sql = format!(
            "SELECT {version} AS version FROM {} JOIN {} t ON t.organisation = {organisation} AND t.id = {id}
             WHERE ({version} IS NULL OR t.version = {version}) AND {gated} ORDER BY t.organisation, t.id FOR {mode} OF t",
            source.table(),
            self.tables.at(place).name,
        );
        self.parts.push(format!("{name} AS MATERIALIZED ({sql})"));
        let (counted, wanted) = match strength {
            // Each must be there, at whatever version.
            Strength::Key => ("*", rows.len()),
            _ => ("version", rows.values().flatten().count()),
        };
        self.expect(&format!("(SELECT count({counted}) FROM {name})"), wanted);
        self.gate = Some(name);
    }

    /// Adds the part of a group of writes. Answers a query for place, number and version of each.
    fn write(
        &mut self,
        batch: &Batch,
        place: usize,
        change: Change,
        indices: &[usize],
        dense: &Dense,
    ) -> Result<String, StorageError> {
        let table = self.tables.at(place);
        let puts: Vec<&Put> = indices
            .iter()
            .filter_map(|index| match &batch.writes[*index] {
                Write::Put(put) => Some(put),
                Write::Delete { .. } => None,
            })
            .collect();
        let name = format!(
            "w{place}{}",
            match change {
                Change::Insert => "i",
                Change::Update => "u",
                Change::Upsert => "p",
                Change::Delete => "d",
                Change::DeleteAny => "x",
            }
        );
        let sql = match change {
            Change::Insert => {
                let numbers: Vec<_> = indices.iter().filter_map(|index| dense.get(index).copied()).collect();
                self.drawn(table, &puts, &numbers);
                self.insert(table, &puts, &numbers)
            }
            Change::Upsert => {
                let insert = self.insert(table, &puts, &[]);
                format!("{insert} {}", replacing(table))
            }
            Change::Update => self.update(table, &puts),
            Change::Delete | Change::DeleteAny => self.delete(batch, table, change, indices),
        };
        self.part(&name, &format!("{sql} RETURNING t.organisation, t.id, t.number, t.version"));
        self.expect(&format!("(SELECT count(*) FROM {name})"), indices.len());
        if let [index] = indices {
            let place = self.args.bind(i32::try_from(*index).unwrap_or(i32::MAX));
            return Ok(format!("SELECT ${place} AS place, number, version FROM {name}"));
        }
        let targets = || indices.iter().map(|index| batch.writes[*index].target());
        let mut source = Source::new(&mut self.args, indices.len());
        let organisation = source.column("uuid", targets().map(|(_, scope, ..)| organisation(scope)));
        let id = source.column("uuid", targets().map(|(_, _, id, _)| id));
        let places = indices.iter().map(|index| i32::try_from(*index).unwrap_or(i32::MAX));
        let places = source.column("integer", places);
        Ok(format!(
            "SELECT {places} AS place, r.number, r.version FROM {name} r JOIN {} ON r.organisation = {organisation} AND r.id = {id}",
            source.table()
        ))
    }

    /// Fails the statement where the database has forgotten that numbers were drawn, as it may when it crashes: they
    /// will be drawn again, and whoever is answered first must have the lower one.
    fn drawn(&mut self, table: &Table, puts: &[&Put], numbers: &[i64]) {
        let mut last: BTreeMap<Uuid, i64> = BTreeMap::new();
        for (put, number) in puts.iter().zip(numbers) {
            let last = last.entry(organisation(put.scope)).or_default();
            *last = (*last).max(*number);
        }
        let drawn = self.tables.names().of("number");
        for (organisation, number) in last {
            let (organisation, kind) = (self.args.bind(organisation), self.args.bind(table.kind.name));
            let number = self.args.bind(number);
            self.check(&format!(
                "(SELECT last FROM {drawn} WHERE organisation = ${organisation} AND kind = ${kind}) >= ${number}"
            ));
        }
    }

    /// Rows to insert. `numbers` are given beforehand, or none are.
    pub(super) fn insert(&mut self, table: &Table, puts: &[&Put], numbers: &[i64]) -> String {
        let (at, gated) = (self.at, self.gated());
        let mut source = Source::new(&mut self.args, puts.len());
        let mut columns = vec!["organisation", "id", "version", "created_at", "updated_at", "fields"];
        let mut values = vec![
            source.column("uuid", puts.iter().map(|put| organisation(put.scope))),
            source.column("uuid", puts.iter().map(|put| put.id)),
            "1".to_owned(),
            format!("${at}"),
            format!("${at}"),
            table.hash.to_string(),
        ];
        if !numbers.is_empty() {
            columns.push("number");
            values.push(source.column("bigint", numbers.iter().copied()));
        }
        let content = content(table, puts, &mut source);
        columns.extend(content.iter().map(|(column, _)| column.as_str()));
        values.extend(content.iter().map(|(_, value)| value.clone()));
        format!(
            "INSERT INTO {} AS t ({}) SELECT {} FROM {} WHERE {gated}",
            table.name,
            columns.join(","),
            values.join(","),
            source.table(),
        )
    }

    fn update(&mut self, table: &Table, puts: &[&Put]) -> String {
        let (at, gated) = (self.at, self.gated());
        let mut source = Source::new(&mut self.args, puts.len());
        let organisation = source.column("uuid", puts.iter().map(|put| organisation(put.scope)));
        let id = source.column("uuid", puts.iter().map(|put| put.id));
        let version = source.column("bigint", puts.iter().map(|put| version(put.expect)));
        let set: String = content(table, puts, &mut source)
            .into_iter()
            .map(|(column, value)| match column.as_str() {
                // Without words, those of before stay.
                "words" => format!(", words = COALESCE({value}, t.words)"),
                _ => format!(", {column} = {value}"),
            })
            .collect();
        format!(
            "UPDATE {} AS t SET version = t.version + 1, updated_at = ${at}, fields = {}{set} FROM {}
             WHERE t.organisation = {organisation} AND t.id = {id} AND t.version = {version} AND {gated}",
            table.name,
            table.hash,
            source.table(),
        )
    }

    fn delete(&mut self, batch: &Batch, table: &Table, change: Change, indices: &[usize]) -> String {
        let gated = self.gated();
        let targets = || indices.iter().map(|index| batch.writes[*index].target());
        let mut source = Source::new(&mut self.args, indices.len());
        let organisation = source.column("uuid", targets().map(|(_, scope, ..)| organisation(scope)));
        let id = source.column("uuid", targets().map(|(_, _, id, _)| id));
        let versioned = match change {
            Change::Delete => {
                let version = source.column("bigint", targets().map(|(.., expect)| version(expect)));
                format!(" AND t.version = {version}")
            }
            _ => String::new(),
        };
        format!(
            "DELETE FROM {} AS t USING {} WHERE t.organisation = {organisation} AND t.id = {id}{versioned} AND {gated}",
            table.name,
            source.table(),
        )
    }

    /// Adds the row of the batch itself, and puts everything together.
    fn finish(mut self, batch: &Batch, id: usize, counters: &[i64], written: &[String]) -> (String, Args) {
        let organisations: Vec<Uuid> = batch.events.iter().map(|event| organisation(event.scope)).collect();
        let ids: Vec<Uuid> = batch.events.iter().map(|event| event.id).collect();
        let (organisations, ids) = (self.args.bind(organisations), self.args.bind(ids));
        let counters = self.args.bind(counters);
        let events = self.args.bind(i32::try_from(batch.events.len()).unwrap_or(i32::MAX));
        let outcome = if written.is_empty() {
            "'{}'::bigint[], '{}'::bigint[]".to_owned()
        } else {
            self.parts.push(format!("w AS ({})", written.join(" UNION ALL ")));
            // None where a write did not find its row, which the checks then tell.
            let of = |column| format!("COALESCE((SELECT array_agg({column} ORDER BY place) FROM w), '{{}}')");
            format!("{}, {}", of("number"), of("version"))
        };
        let table = self.tables.names().of("batch");
        let mut gated = self.gated();
        if !written.is_empty() {
            // Not before the records are locked and written, else one that overwrites what this writes could have the
            // higher `seq` and the lower version.
            gated.push_str(" AND (SELECT count(*) FROM w) >= 0");
        }
        self.parts.push(format!(
            "b AS (INSERT INTO {table} (id, events, event_organisations, event_ids, counters, numbers, versions)
             SELECT ${id}, ${events}, ${organisations}, ${ids}, ${counters}, {outcome} WHERE {gated} RETURNING numbers, versions)",
        ));
        let checks: String = self.checks.iter().map(|check| format!(", {check}")).collect();
        (format!("WITH {} SELECT b.numbers, b.versions{checks} FROM b", self.parts.join(", ")), self.args)
    }
}

/// What an upsert does where there is a row.
fn replacing(table: &Table) -> String {
    let mut set = vec!["version = t.version + 1".to_owned()];
    let own = ["updated_at", "fields", "body_version", "body"].map(str::to_owned);
    set.extend(own.iter().chain(&table.columns).map(|column| format!("{column} = excluded.{column}")));
    if table.kind.searched {
        set.push("words = COALESCE(excluded.words, t.words)".to_owned());
    }
    format!("ON CONFLICT (organisation, id) DO UPDATE SET {}", set.join(", "))
}

/// The columns of body, words and declared fields, with their values.
fn content(table: &Table, puts: &[&Put], source: &mut Source<'_>) -> Vec<(String, String)> {
    let versions = source.column("smallint", puts.iter().map(|put| put.body.version.cast_signed()));
    let bodies = source.column("text", puts.iter().map(|put| &*put.body.json));
    let mut content =
        vec![("body_version".to_owned(), versions), ("body".to_owned(), format!("{bodies}::jsonb"))];
    if table.kind.searched {
        let words = source.sparse("text", puts.iter().map(|put| put.words.as_ref().map(vector)));
        content.push(("words".to_owned(), format!("array_to_tsvector({words}::text[])")));
    }
    for (place, field) in table.kind.fields.iter().enumerate() {
        let value = source.field(field, puts.iter().map(|put| &put.fields[place]));
        content.push((quoted(field.name), value));
    }
    content
}

/// The words of a record as the literal of an array.
fn vector(words: &Words) -> String {
    let mut bytes = 0;
    let fitting = words.iter().take_while(|word| {
        bytes += word.len();
        bytes <= MAX_WORD_BYTES
    });
    texts(fitting)
}

const fn version(expect: Expect) -> i64 {
    match expect {
        Expect::Version(version) => version,
        // No record has it.
        Expect::Absent | Expect::Anything => 0,
    }
}

/// An instant as the database keeps it.
pub(crate) fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    Value::time(at).as_time().unwrap_or(at)
}
