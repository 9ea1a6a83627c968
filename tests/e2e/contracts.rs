//! Each dialect against its contract.

use std::collections::BTreeMap;

use helpdesk::http::kernel::{Auth, BodyKind};
use helpdesk_tests::contract::{Contract, Given, Op};
use helpdesk_tests::dialects::{ACCOUNTS, ALL, SMARTSUPPORT, SUPPORTDESK, Spoken};
use helpdesk_tests::on_every_store;
use helpdesk_tests::server::Server;
use helpdesk_tests::walk::Walker;

/// The demo accounts of a dialect.
pub(crate) fn accounts(spoken: &Spoken) -> BTreeMap<String, Given> {
    let mut all: BTreeMap<String, BTreeMap<String, Given>> =
        serde_json::from_str(ACCOUNTS).expect("the accounts can be read");
    all.remove(spoken.name).unwrap_or_default()
}

on_every_store! {
    /// The whole contract as the demo accounts.
    async fn smartsupport_holds(store: NewStore) {
        let server = Server::start(store).await;
        let mut walker = Walker::new(&server, &SMARTSUPPORT, &accounts(&SMARTSUPPORT));
        walker.run().await;
        walker.report.assert_holds();
        // A section that checks less than it did has lost something on the way.
        let made = [
            ("operations", 32),
            ("scenarios", 64),
            ("access", 87),
            ("routes", 62),
            ("malformed", 14),
            ("unknown", 24),
        ];
        assert_eq!(made.map(|(section, _)| (section, walker.report.made(section))), made);
    }

    /// The same, with employees that sign up on the way, as people do.
    async fn smartsupport_holds_for_newcomers(store: NewStore) {
        let server = Server::start(store).await;
        let mut given = accounts(&SMARTSUPPORT);
        given.retain(|name, _| !name.starts_with("employee"));
        let mut walker = Walker::new(&server, &SMARTSUPPORT, &given);
        walker.run().await;
        walker.report.assert_holds();
        assert_eq!((walker.report.made("operations"), walker.report.made("scenarios")), (32, 64));
    }
}

on_every_store! {
    /// The whole contract as the demo accounts. It has no scenarios of its own.
    async fn supportdesk_holds(store: NewStore) {
        let server = Server::start(store).await;
        let mut walker = Walker::new(&server, &SUPPORTDESK, &accounts(&SUPPORTDESK));
        walker.run().await;
        walker.report.assert_holds();
        let made =
            [("operations", 79), ("scenarios", 0), ("access", 195), ("routes", 107), ("malformed", 29), ("unknown", 62)];
        assert_eq!(made.map(|(section, _)| (section, walker.report.made(section))), made);
    }
}

/// Every operation of a contract is in its dialect's table, and the other way round.
#[tokio::test]
async fn tables_and_contracts_have_the_same_operations() {
    let server = Server::start(helpdesk_tests::stores::memory).await;
    for spoken in ALL {
        let contract = Contract::read(spoken.contract);
        let promised: BTreeMap<String, String> =
            contract.operations.iter().map(|op| (op.id.clone(), promised(op))).collect();
        let kept: BTreeMap<String, String> = spoken
            .operations(server.organisation)
            .iter()
            .filter(|operation| operation.documented)
            .map(|operation| {
                let auth = match operation.auth {
                    Auth::None => "none",
                    Auth::Bearer => "bearer",
                    Auth::File => "bearer|api_key",
                };
                let body = match operation.body {
                    BodyKind::None => "nothing",
                    BodyKind::Json { .. } => "json",
                    BodyKind::Form { .. } => "multipart",
                };
                let (method, path) = (&operation.method, operation.path.replace("{*", "{"));
                let success = operation.success.as_u16();
                (operation.id.to_owned(), format!("{method} {path} {auth} {body} {success}"))
            })
            .collect();
        assert_eq!(promised, kept, "{}", spoken.name);
    }
}

fn promised(op: &Op) -> String {
    let auth = op.auth.as_deref().unwrap_or("none");
    let body = op.body_type.as_deref().unwrap_or("nothing");
    format!("{} {} {auth} {body} {}", op.method, op.path, op.success)
}
