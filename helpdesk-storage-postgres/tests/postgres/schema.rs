//! The live tables are those that the kinds declare, and become so under running servers.

use std::collections::{BTreeMap, BTreeSet};

use helpdesk_core::Helpdesk;
use helpdesk_core::storage::conformance;
use helpdesk_core::storage::{FieldSpec, FieldType, JOB, KindSpec, Schema};
use helpdesk_storage_postgres::{PostgresSettings, PostgresStorage, SetupError};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::task::JoinSet;

use crate::fixture::{Desk, ask, run, schema};
use crate::support;

async fn settings(purpose: &str) -> PostgresSettings {
    PostgresSettings::parse(&support::database(purpose).await).expect("an address")
}

async fn migrate(settings: &PostgresSettings, schema: &Schema) {
    PostgresStorage::migrate(settings, schema).await.expect("the tables are made");
    let differences = PostgresStorage::differences(settings, schema).await.expect("the database answers");
    assert!(differences.is_empty(), "{differences:?}");
}

/// Pairs of texts that a statement answers.
async fn pairs(session: &mut PgConnection, sql: &str) -> BTreeSet<(String, String)> {
    let rows = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(session).await;
    rows.unwrap_or_else(|error| panic!("{sql}: {error}")).into_iter().collect()
}

/// Compares the catalogue with the declared kinds, by other means than the store has.
async fn compare(session: &mut PgConnection, schema: &Schema) {
    let tables = "SELECT c.relname::text, '' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'helpdesk' AND c.relkind = 'r'";
    let mut names: BTreeSet<_> = schema.kinds().iter().map(|kind| kind.name).collect();
    names.extend(["batch", "number", "series", "rollup", "_migrations", JOB.name]);
    let mut there: BTreeSet<_> = pairs(session, tables).await.into_iter().map(|(name, _)| name).collect();
    for kind in schema.kinds() {
        for fields in kind.rollups {
            let rollup = format!("{}_{}_rollup", kind.name, fields.join("_"));
            assert!(there.remove(&rollup), "there is no {rollup}");
            let counts = format!("SELECT EXISTS (SELECT FROM helpdesk.rollup WHERE name = '{rollup}')");
            assert!(ask::<bool>(session, &counts).await, "{rollup} does not count everything");
        }
    }
    assert!(names.iter().copied().eq(there.iter()), "{names:?} and {there:?}");

    for kind in schema.kinds().iter().filter(|kind| kind.name != JOB.name) {
        let table = format!("helpdesk.\"{}\"", kind.name);
        let columns = format!(
            "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute
             WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"
        );
        let columns: BTreeMap<_, _> = pairs(session, &columns).await.into_iter().collect();
        let own = [
            "organisation",
            "id",
            "number",
            "version",
            "created_at",
            "updated_at",
            "fields",
            "body_version",
            "body",
        ];
        let expected = own.len() + usize::from(kind.searched) + kind.fields.len();
        assert_eq!(columns.len(), expected, "{}: {columns:?}", kind.name);
        for field in kind.fields {
            let ty = match field.ty {
                FieldType::Text => "text",
                FieldType::Int => "bigint",
                FieldType::Real => "double precision",
                FieldType::Flag => "boolean",
                FieldType::Time => "timestamp with time zone",
                FieldType::Uuid => "uuid",
            };
            let ty = if field.many { format!("{ty}[]") } else { ty.to_owned() };
            assert_eq!(columns.get(field.name), Some(&ty), "{}.{}", kind.name, field.name);
        }

        let constraints = format!(
            "SELECT a.attname::text, k.contype::text || ' ' || COALESCE(f.relname::text, '')
             FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[2]
                  LEFT JOIN pg_class f ON f.oid = k.confrelid
             WHERE k.conrelid = '{table}'::regclass AND k.convalidated AND cardinality(k.conkey) = 2
               AND k.conkey[1] = (SELECT attnum FROM pg_attribute
                                  WHERE attrelid = '{table}'::regclass AND attname = 'organisation')"
        );
        let mut expected =
            BTreeSet::from([("id".to_owned(), "p ".to_owned()), ("number".to_owned(), "u ".to_owned())]);
        for field in kind.fields {
            if field.unique {
                expected.insert((field.name.to_owned(), "u ".to_owned()));
            }
            if let (Some(target), false) = (field.refers, field.many) {
                expected.insert((field.name.to_owned(), format!("f {target}")));
            }
        }
        assert_eq!(pairs(session, &constraints).await, expected, "{}", kind.name);

        let indexes = format!(
            "SELECT m.amname::text, (SELECT string_agg(a.attname, ' ' ORDER BY k.place)
                                     FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k(attnum, place)
                                          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                                     WHERE k.place <= i.indnkeyatts)
             FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
             WHERE i.indrelid = '{table}'::regclass AND i.indisvalid AND i.indisready AND i.indislive"
        );
        let there = pairs(session, &indexes).await;
        let has = |method: &str, columns: &str| {
            assert!(
                there.contains(&(method.to_owned(), columns.to_owned())),
                "{} has no {columns}: {there:?}",
                kind.name
            );
        };
        kind.indexes
            .iter()
            .for_each(|fields| has("btree", &format!("organisation {} number", fields.join(" "))));
        kind.fields.iter().filter(|field| field.many).for_each(|field| has("gin", field.name));
        if kind.searched {
            has("gin", "words");
        }
        // What refers to a record is looked up when that is to go.
        for field in kind.fields.iter().filter(|field| field.refers.is_some() && !field.many) {
            let prefix = format!("organisation {}", field.name);
            assert!(
                there.iter().any(|(_, columns)| columns.starts_with(&prefix)),
                "{}.{}",
                kind.name,
                field.name
            );
        }
    }
}

static VISIT: KindSpec = KindSpec::new(
    "visit",
    &[
        FieldSpec::refers("ticket", "ticket"),
        FieldSpec::text("pass").unique(),
        FieldSpec::time("arrives"),
        FieldSpec::refers("hosts", "account").many(),
    ],
)
.indexes(&[&["arrives"]])
.searched();

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_are_those_of_the_declared_kinds() {
    // The last one with a kind of an embedding team.
    let desk = Helpdesk::schema();
    let schemas = [desk.clone(), conformance::schema(), schema(), desk.with([&VISIT])];
    for (place, schema) in schemas.into_iter().enumerate() {
        let url = support::database(&format!("schema_live_{place}")).await;
        migrate(&PostgresSettings::parse(&url).expect("an address"), &schema).await;
        compare(&mut PgConnection::connect(&url).await.expect("the database answers"), &schema).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_of_an_embedding_team_are_added_to_a_desk() {
    let settings = settings("schema_added").await;
    let desk = Helpdesk::schema();
    migrate(&settings, &desk).await;
    let more = desk.with([&VISIT]);
    let lacks = PostgresStorage::differences(&settings, &more).await.expect("the database answers");
    assert!(lacks.iter().any(|lack| lack.contains("visit")), "{lacks:?}");
    migrate(&settings, &more).await;
    // A server without the team's kinds is content as well.
    migrate(&settings, &desk).await;
    migrate(&settings, &more).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_may_migrate_at_once_and_again() {
    let settings = settings("schema_several").await;
    for _ in 0..2 {
        let mut tasks = JoinSet::new();
        for _ in 0..6 {
            let settings = settings.clone();
            tasks.spawn(async move { migrate(&settings, &Helpdesk::schema()).await });
        }
        tasks.join_all().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_away_is_noticed_and_made_again() {
    let desk = Desk::new("schema_drift").await;
    let mut session = desk.session().await;
    let drifts = [
        "DROP INDEX helpdesk.job_ready_idx",
        "ALTER TABLE helpdesk.\"case\" DROP CONSTRAINT case_shelf_fkey",
        "ALTER TABLE helpdesk.\"case\" DROP CONSTRAINT case_code_key",
        "ALTER TABLE helpdesk.\"case\" DROP COLUMN shelf CASCADE",
        "ALTER TABLE helpdesk.\"case\" ALTER COLUMN body DROP NOT NULL; DROP TABLE helpdesk.shelf CASCADE",
    ];
    for drift in drifts {
        run(&mut session, drift).await;
        let found = PostgresStorage::differences(&desk.settings(), &schema()).await.expect("an answer");
        assert!(!found.is_empty(), "{drift}");
        run(&mut session, "ALTER TABLE helpdesk.\"case\" ALTER COLUMN body SET NOT NULL").await;
        migrate(&desk.settings(), &schema()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_was_left_invalid_is_built_again() {
    let desk = Desk::new("schema_invalid").await;
    let mut session = desk.session().await;
    let filled = "INSERT INTO helpdesk.shelf (organisation, id, version, created_at, updated_at, fields, body_version, body)
        VALUES (gen_random_uuid(), gen_random_uuid(), 1, now(), now(), 0, 1, '{}')";
    // Once where the table is empty, and once where indexes are built beside others' work.
    for fill in ["", filled] {
        run(&mut session, fill).await;
        let invalid =
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'helpdesk.shelf_name_idx'::regclass";
        run(&mut session, invalid).await;
        let found = PostgresStorage::differences(&desk.settings(), &schema()).await.expect("an answer");
        assert!(matches!(&found[..], [one] if one.contains("shelf_name_idx")), "{found:?}");
        migrate(&desk.settings(), &schema()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_that_cannot_have_their_tables_are_refused() {
    static NUMBERED: KindSpec = KindSpec::new("shelf", &[FieldSpec::int("name")]);
    static TAKEN: KindSpec = KindSpec::new("batch", &[]);
    static BODY: KindSpec = KindSpec::new("thing", &[FieldSpec::text("body")]);
    static LONG: KindSpec =
        KindSpec::new("a_name_that_is_longer_than_what_a_postgresql_server_keeps_of_names", &[]);
    static ONE: KindSpec = KindSpec::new("box", &[FieldSpec::text("lid_colour")]);
    static OTHER: KindSpec = KindSpec::new("box_lid", &[FieldSpec::text("colour")]);
    let desk = Desk::new("schema_refused").await;
    static FOLDED: KindSpec = KindSpec::new("thing", &[FieldSpec::int("count")]).rollups(&[&["count"]]);
    static ROLLED: KindSpec = KindSpec::new("box", &[FieldSpec::text("lid")]).rollups(&[&["lid"]]);
    static NAMED: KindSpec = KindSpec::new("box_lid_rollup", &[]);
    for kinds in
        [&[&NUMBERED][..], &[&TAKEN], &[&BODY], &[&LONG], &[&ONE, &OTHER], &[&FOLDED], &[&ROLLED, &NAMED]]
    {
        let refused = PostgresStorage::migrate(&desk.settings(), &Schema::new(kinds.iter().copied())).await;
        let last = kinds.last().expect("a kind").name;
        assert!(
            matches!(&refused, Err(SetupError::Kind { kind, .. }) if *kind == last),
            "{last}: {refused:?}"
        );
    }
    let mut session = desk.session().await;
    assert!(
        !ask::<bool>(&mut session, "SELECT EXISTS (SELECT FROM pg_class WHERE relname LIKE 'box%')").await
    );
}
