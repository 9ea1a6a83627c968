//! Lists and pages of 200,000 tickets go by indexes: no statement of theirs walks the table.

#[path = "../tests/support/mod.rs"]
mod support;

use helpdesk_core::Helpdesk;
use helpdesk_core::storage::{
    Cursor, Filter, From, Group, KindSpec, Measure, Query, Scope, Tally, Term, TotalMode, Unit, Value,
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use uuid::Uuid;

use crate::args::Args;
use crate::filter::forks;
use crate::names::Names;
use crate::tables::Tables;
use crate::{PostgresSettings, PostgresStorage, find, rollups, schema, tally};

/// How many tickets there are, nine in ten of them of one organisation.
const TICKETS: i64 = 200_000;

const ORGANISATION: Uuid = Uuid::from_u128(1);

/// The account of a number.
const fn account(number: u128) -> Uuid {
    Uuid::from_u128(0x1000 + number)
}

/// Fills the tables as a desk would that has been used for years: most tickets are closed, a few people have them, and
/// many asked for them.
const FILL: &str = r#"
    INSERT INTO helpdesk.account (organisation, id, number, version, created_at, updated_at, fields, body_version, body)
    SELECT lpad(to_hex(org), 32, '0')::uuid, lpad(to_hex(4096 + i), 32, '0')::uuid, i, 1, now(), now(), 0, 1, '{}'
    FROM generate_series(1, 2) AS org, generate_series(0, 4999) AS i;

    INSERT INTO helpdesk.ticket (organisation, id, number, version, created_at, updated_at, fields, body_version, body,
        words, status, priority, requester, assignee, followers, cc, solved_at, rating, category, department, tags, deleted, subject)
    SELECT lpad(CASE WHEN i % 10 = 0 THEN '2' ELSE '1' END, 32, '0')::uuid, gen_random_uuid(), i, 1,
        '2020-01-01'::timestamptz + i * interval '10 minutes',
        '2020-01-01'::timestamptz + i * interval '10 minutes' + i * 7919 % 100000 * interval '1 minute',
        0, 1, jsonb_build_object('subject', 'Something is wrong ' || i, 'description', repeat('It began yesterday. ', 20)),
        array_to_tsvector(ARRAY['something', 'wrong', 'word' || i * 31 % 3000, 'word' || i * 17 % 20000, 'name' || i]),
        (ARRAY['closed','closed','closed','closed','closed','closed','resolved','open','pending','new'])[1 + i * 7 % 10],
        CASE WHEN i % 4 > 0 THEN 1 + i % 4 END,
        lpad(to_hex(4096 + 50 + i * 7919 % 4950), 32, '0')::uuid,
        CASE WHEN i % 5 > 0 THEN lpad(to_hex(4096 + i % 50), 32, '0')::uuid END,
        CASE WHEN i % 11 = 0 THEN ARRAY[lpad(to_hex(4096 + i % 50), 32, '0')::uuid, lpad(to_hex(4096 + i % 37), 32, '0')::uuid] END,
        CASE WHEN i % 7 = 0 THEN ARRAY['person' || i * 7919 % 4950 || '@desk.test'] END,
        CASE WHEN i * 7 % 10 < 7 THEN '2020-01-01'::timestamptz + i * interval '10 minutes' + i % 100 * interval '1 hour' END,
        CASE WHEN i * 7 % 10 < 7 AND i % 3 = 0 THEN 1 + i % 5 END,
        'category ' || i % 12, CASE WHEN i % 3 = 0 THEN 'department ' || i % 7 END,
        CASE WHEN i % 9 = 0 THEN ARRAY['tag' || i % 100] END, i % 200 = 0, 'Something is wrong ' || i
    FROM generate_series(1, $COUNT) AS i
"#;

struct Plans {
    session: PgConnection,
    tables: Tables,
    /// Whether an index has what is looked for in the order that is asked for.
    in_order: bool,
    /// Whether what is asked for are a few tickets among many.
    few: bool,
    /// Whether an index has all that is looked for.
    covered: bool,
    /// Whether nothing but a rollup is to be read.
    rolled_up: bool,
    /// What was found wanting.
    walks: Vec<String>,
}

fn ticket() -> &'static KindSpec {
    Helpdesk::schema().kind("ticket").expect("the kind of tickets")
}

fn query() -> Query {
    Query::new(ticket(), Scope::organisation(ORGANISATION)).limit(20)
}

/// All that lists show: what was not deleted.
fn alive(filter: Filter) -> Filter {
    Filter::equals("deleted", false).and(filter)
}

impl Plans {
    /// Looks at the plans of a statement: the one for its values, and the one for any that the server may keep.
    async fn look(&mut self, what: &str, sql: &str, args: Args) {
        self.look_at(what, sql, args, true).await;
    }

    async fn look_at(&mut self, what: &str, sql: &str, args: Args, kept: bool) {
        let args = args.finish().expect("the values are bound");
        let count = sqlx::Arguments::len(&args);
        let explain = format!("EXPLAIN {sql}");
        let lines = sqlx::query_scalar_with(AssertSqlSafe(explain), args).fetch_all(&mut self.session).await;
        self.judge(what, lines.unwrap_or_else(|error| panic!("{what}: {error}")));

        if !kept {
            return;
        }
        let nothing = vec!["NULL"; count].join(", ");
        for sql in
            [format!("PREPARE planned AS {sql}"), "SET plan_cache_mode = force_generic_plan".to_owned()]
        {
            let ran = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.session).await;
            ran.unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        let execute = format!("EXPLAIN EXECUTE planned ({nothing})");
        let lines =
            sqlx::query_scalar(AssertSqlSafe(execute)).persistent(false).fetch_all(&mut self.session).await;
        self.judge(
            &format!("{what}, for any values"),
            lines.unwrap_or_else(|error| panic!("{what}: {error}")),
        );
        let ran = sqlx::raw_sql("RESET plan_cache_mode; DEALLOCATE planned").execute(&mut self.session).await;
        ran.expect("the statement is forgotten");
    }

    /// Set `HELPDESK_SHOW_PLANS` and pass `--nocapture` to read them all.
    fn judge(&mut self, what: &str, plan: Vec<String>) {
        if std::env::var_os("HELPDESK_SHOW_PLANS").is_some() {
            println!("{what}:\n  {}", plan.join("\n  "));
        }
        // What an index gives in the order of the page need not be sorted, which takes reading all of it.
        let sorts = self.in_order && plan.iter().any(|line| line.contains("Sort"));
        // All tickets in their order, to find those of one person among them.
        let all = ["ticket_number_key", "ticket_updated_at_idx"];
        let reads_all = self.few && plan.iter().any(|line| all.iter().any(|index| line.contains(index)));
        let aside = self.rolled_up && plan.iter().any(|line| line.contains(" on ticket t"));
        let looks = self.covered && !plan.iter().any(|line| line.contains("Index Only Scan"));
        if sorts || looks || aside || reads_all || plan.iter().any(|line| line.contains("Seq Scan on ticket"))
        {
            self.walks.push(format!("{what}:\n  {}", plan.join("\n  ")));
        }
    }

    /// Looks at a query as it is, with a bounded total, with an exact one, and at that alone.
    async fn pages(&mut self, what: &str, query: Query) {
        let totals = [
            ("without a total", query.clone()),
            ("with a bounded total", query.clone().total(TotalMode::UpTo(1_000))),
            ("with an exact total", query.clone().total(TotalMode::Exact)),
            ("its count alone", query.limit(0).total(TotalMode::Exact)),
        ];
        for (total, query) in totals {
            query.check().expect("a query that makes sense");
            let (sql, args) =
                find::statement(self.tables.of(ticket()).expect("a table"), &query, &query.ordering())
                    .expect("a statement");
            self.look_at(&format!("{what}, {total}"), &sql, args, !forks(query.condition())).await;
        }
    }

    async fn figures(&mut self, what: &str, tally: Tally) {
        let statement = tally::statement(&self.tables, &tally).expect("a statement");
        self.look(what, &statement.sql, statement.args).await;
    }
}

async fn filled() -> Plans {
    let url = support::database("plans").await;
    let settings = PostgresSettings::parse(&url).expect("an address");
    PostgresStorage::migrate(&settings, &Helpdesk::schema()).await.expect("the tables are made");
    let mut session = PgConnection::connect(&url).await.expect("the database answers");
    let fill = FILL.replace("$COUNT", &TICKETS.to_string());
    // As the autovacuum would have done.
    for sql in [fill.as_str(), "VACUUM ANALYZE helpdesk.ticket", "VACUUM ANALYZE helpdesk.account"] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut session).await.expect("the tables are filled");
    }
    Plans {
        session,
        tables: Tables::new(Helpdesk::schema(), Names::new("helpdesk")),
        in_order: false,
        few: false,
        covered: false,
        rolled_up: false,
        walks: Vec::new(),
    }
}

#[tokio::test]
async fn lists_and_pages_of_tickets_go_by_indexes() {
    let mut plans = filled().await;
    let cursor = |values: Vec<Value>| Cursor { values, number: TICKETS / 2 };
    let updated = || Value::time(chrono::DateTime::from_timestamp(1_640_000_000, 0).expect("an instant"));

    let filters = [
        ("all", Filter::all()),
        ("of a rare status", Filter::equals("status", "new")),
        ("of the commonest status", Filter::equals("status", "closed")),
        ("of several statuses", Filter::one_of("status", ["new", "open"].map(Value::from))),
        ("of a requester", Filter::equals("requester", account(60))),
        ("of an assignee", Filter::equals("assignee", account(7))),
        ("without an assignee", Filter::null("assignee")),
        ("of somebody", Filter::equals("requester", account(60)).or(Filter::equals("assignee", account(60)))),
        ("of a priority", Filter::equals("priority", 4)),
        ("of a category", Filter::equals("category", "category 3")),
        ("of a department", Filter::equals("department", "department 3")),
        ("with a tag", Filter::equals("tags", "tag9")),
        (
            "of a status and an assignee",
            Filter::equals("status", "open").and(Filter::equals("assignee", account(7))),
        ),
        ("with a rare word", Filter::words(Term::typed("name4711"))),
        ("with a word", Filter::words(Term::typed("word17 something"))),
        ("with a beginning", Filter::words(Term::typing("word17"))),
        ("with a number", Filter::equals("number", 4_711)),
        (
            "with a number or words",
            Filter::equals("number", 4_711).or(Filter::words(Term::typing("word4711"))),
        ),
    ];
    for (what, filter) in filters {
        let query = || query().filter(alive(filter.clone()));
        plans.in_order = ["all", "of a rare status", "of the commonest status"].contains(&what);
        plans.pages(&format!("{what}, newest first"), query().descending("number")).await;
        plans.pages(&format!("{what}, last changed first"), query().descending("updated_at")).await;
        let after = query().descending("number").from(From::After(cursor(vec![])));
        plans.pages(&format!("{what}, after a place"), after).await;
        let before = query().descending("updated_at").from(From::Before(cursor(vec![updated()])));
        plans.pages(&format!("{what}, before a change"), before).await;
        let later = query().descending("number").from(From::Offset(200));
        plans.pages(&format!("{what}, the eleventh page"), later).await;
    }
    plans.in_order = true;
    for (what, order) in [("by priority", "priority"), ("by status", "status")] {
        plans.pages(what, query().filter(alive(Filter::all())).descending(order)).await;
        plans.pages(what, query().filter(alive(Filter::all())).ascending(order)).await;
    }
    plans.in_order = false;
    let recent = Filter::at_least("updated_at", updated().as_time().expect("an instant"));
    plans.pages("changed since", query().filter(alive(recent)).descending("updated_at")).await;

    let scope = Scope::organisation(ORGANISATION);
    for (what, ids) in [("by its id", vec![account(1)]), ("by their ids", (0..50).map(account).collect())] {
        let (sql, args) = find::by_ids(plans.tables.of(ticket()).expect("a table"), scope, &ids);
        plans.look(what, &sql, args).await;
    }
    let all = || Tally::new(ticket(), scope).filter(Filter::equals("deleted", false)).measure(Measure::Count);
    plans.figures("how many of each status", all().by(Group::Field("status"))).await;
    plans.figures("how many of each assignee", all().by(Group::Field("assignee"))).await;
    let open = all().filter(Filter::equals("status", "open"));
    plans.figures("how many open ones of each priority", open.by(Group::Field("priority"))).await;
    let lately = all().filter(Filter::at_least("updated_at", updated().as_time().expect("an instant")));
    let by_day = lately.by(Group::Period("updated_at", Unit::Day, chrono_tz::UTC));
    plans.figures("how many changed each day", by_day).await;

    // What dashboards and reports count of a time.
    plans.covered = true;
    let since = |field| Filter::at_least(field, updated().as_time().expect("an instant"));
    let solved = || all().filter(since("solved_at"));
    let came = || all().filter(since("created_at"));
    let days = |field| Group::Period(field, Unit::Day, chrono_tz::UTC);
    plans.figures("how many were solved since", solved()).await;
    plans.figures("how many were solved each day", solved().by(days("solved_at"))).await;
    let rated = solved().filter(Filter::null("rating").not());
    plans.figures("how satisfied people were", rated.by(Group::Field("rating"))).await;
    plans.figures("how many came each day", came().by(days("created_at"))).await;
    let standing = came().by(Group::Field("status")).by(Group::Field("priority"));
    plans.figures("what became of those that came", standing).await;
    plans.covered = false;

    // What is seen by an agent who sees the tickets of groups, and by a customer.
    let person = Filter::equals("requester", account(60)).or(Filter::equals("assignee", account(60)));
    let copied = Filter::equals("cc", "person60@desk.test");
    let groups = Filter::one_of("group", [account(1), account(2)].map(Value::Uuid));
    for (what, filter) in [
        ("of a customer", person.clone().or(copied.clone())),
        ("of an agent", person.or(Filter::equals("followers", account(60))).or(groups).or(copied)),
    ] {
        plans.few = what == "of a customer";
        for order in ["number", "updated_at"] {
            plans.pages(what, query().filter(alive(filter.clone())).descending(order)).await;
        }
    }

    plans.few = false;
    let filled = schema::filled_rollups(&mut plans.session, plans.tables.names()).await;
    rollups::note(&plans.tables, &filled.expect("the rollups are looked at"));
    plans.rolled_up = true;
    plans.figures("how many of each status, by the rollup", all().by(Group::Field("status"))).await;
    let open = || Filter::equals("status", "open").and(Filter::equals("priority", 4));
    plans.figures("how many open ones, by the rollup", all().filter(open())).await;
    let count = query().filter(alive(open())).limit(0).total(TotalMode::Exact);
    let (sql, args) = find::statement(plans.tables.of(ticket()).expect("a table"), &count, &count.ordering())
        .expect("a statement");
    plans.look("the total of open ones, by the rollup", &sql, args).await;

    let Plans { walks, mut session, .. } = plans;
    let ran = sqlx::raw_sql("DROP SCHEMA helpdesk CASCADE").execute(&mut session).await;
    ran.expect("the tables make room");
    assert!(walks.is_empty(), "{} walk the table:\n{}", walks.len(), walks.join("\n"));
}
