//! What is kept in files beside the tests, so that a change of it is seen by whoever reads the change: the operations
//! of each dialect, the rights of each role, each dialect's document.
//!
//! `HELPDESK_BLESS=1 cargo test -p helpdesk-tests committed` writes them anew.

use std::fmt::Write as _;
use std::path::PathBuf;

use helpdesk::Quota;
use helpdesk::http::kernel::{Auth, BodyKind, Dialect, Operation, Rates, document};
use helpdesk::identity::permissions::CATALOGUE;
use helpdesk::identity::{BUILTIN_ROLES, OrganisationId};
use helpdesk::storage::EntityId as _;
use helpdesk_tests::dialects::ALL;
use uuid::Uuid;

/// Compares a text with the file of a name, or writes it there.
fn compare(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("committed").join(name);
    if std::env::var_os("HELPDESK_BLESS").is_some() {
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(text.lines()).position(|(kept, now)| kept != now);
    let line = differs.unwrap_or_else(|| kept.lines().count().min(text.lines().count()));
    let show = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
    assert!(
        kept == text,
        "{name} has changed at line {}:\n- {}\n+ {}\nIf that is meant, run the test with HELPDESK_BLESS=1.",
        line + 1,
        show(&kept),
        show(text),
    );
}

fn dialects() -> impl Iterator<Item = Dialect> {
    ALL.iter().map(|spoken| (spoken.make)(OrganisationId::from_uuid(Uuid::nil())))
}

/// Lines of columns, each as wide as it must be.
fn table(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<_> = (0..columns)
        .map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or_default())
        .collect();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Every operation of every dialect: how it is called, by whom, how often.
#[test]
fn operations() {
    for dialect in dialects() {
        let mut rows = vec![
            ["operation", "method", "path", "caller", "permission", "body", "success", "limit"]
                .map(str::to_owned)
                .into(),
        ];
        rows.extend(dialect.operations.iter().map(|operation| row(&dialect, operation)));
        compare(&format!("{}.operations.txt", dialect.name), &table(&rows));
    }
}

fn row(dialect: &Dialect, operation: &Operation) -> Vec<String> {
    let none = || "-".to_owned();
    let told = |name: &str, quota: Quota| format!("{name} {} in {} s", quota.times, quota.within.as_secs());
    let limit = match dialect.limits {
        Rates::Classes(classes) => operation.rate.and_then(|class| {
            let (_, quota) = classes.iter().find(|(other, _)| *other == class)?;
            Some(told(class.0, *quota))
        }),
        Rates::Callers { unknown, .. } if operation.auth == Auth::None => Some(told("address", unknown)),
        Rates::Callers { known, .. } => Some(told("caller", known)),
    };
    let body = match operation.body {
        BodyKind::None => none(),
        BodyKind::Json { limit } => format!("JSON {} KiB", limit >> 10),
        BodyKind::Form { per_file, total } => format!("form {} of {} KiB", per_file >> 10, total >> 10),
    };
    let auth = match operation.auth {
        Auth::None => "anybody",
        Auth::Bearer => "token",
        Auth::File => "token or key",
    };
    vec![
        operation.id.to_owned(),
        operation.method.to_string(),
        operation.path.to_owned(),
        auth.to_owned(),
        operation.permission.as_ref().map_or_else(none, ToString::to_string),
        body,
        operation.success.as_u16().to_string(),
        limit.unwrap_or_else(none),
    ]
}

/// Every permission, and which of the built-in roles have it.
#[test]
fn roles() {
    let mut rows = vec![
        std::iter::once("permission")
            .chain(BUILTIN_ROLES.iter().map(|role| role.key))
            .map(str::to_owned)
            .collect(),
    ];
    rows.extend(CATALOGUE.iter().map(|(permission, _)| {
        let has =
            BUILTIN_ROLES.iter().map(|role| if role.permissions().contains(permission) { "x" } else { "." });
        std::iter::once(permission.name()).chain(has).map(str::to_owned).collect()
    }));
    compare("roles.txt", &table(&rows));
}

/// Which of the built-in roles get past the door of which operation.
#[test]
fn doors() {
    for dialect in dialects() {
        let head = std::iter::once("operation").chain(BUILTIN_ROLES.iter().map(|role| role.key));
        let mut rows = vec![head.map(str::to_owned).collect()];
        for operation in &dialect.operations {
            let may = BUILTIN_ROLES.iter().map(|role| match &operation.permission {
                Some(permission) if !role.permissions().contains(permission) => ".",
                _ => "x",
            });
            rows.push(std::iter::once(operation.id).chain(may).map(str::to_owned).collect());
        }
        compare(&format!("{}.doors.txt", dialect.name), &table(&rows));
    }
}

/// The documents.
#[test]
fn documents() {
    for dialect in dialects() {
        let server = format!("https://desk.example/{}", dialect.name);
        let document = document(&dialect, &dialect.operations, &server);
        let text = serde_json::to_string_pretty(&document).expect("JSON");
        compare(&format!("{}.openapi.json", dialect.name), &format!("{text}\n"));
    }
}
