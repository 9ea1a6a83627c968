//! Walks a running server along a contract, and reports where the two differ.
//!
//! | section | checks |
//! | --- | --- |
//! | `operations` | every operation once, after its setup: status, content type, every documented key with its type, every further body |
//! | `scenarios` | sequences of operations with an expected end, and what must hold on the way |
//! | `access` | every stated refusal; no token and a made-up one |
//! | `routes` | an undocumented method on a documented path |
//! | `malformed` | a body that is no JSON |
//! | `unknown` | ids that do not exist, in each place of each path |
//! | `refusals` | every answer of 400 or more that was met on the way has the dialect's shape, and tells no secret |
//!
//! A status of 500 or more, or no answer, fails the walk wherever it happens. After every request that may have
//! changed something the walker waits until no job is due, so nothing needs to be tried twice.

mod access;
mod account;
mod claims;
mod context;
mod edges;
mod operations;
mod report;
mod requests;
mod scenarios;
mod templates;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

use self::account::Account;
use self::context::{Contexts, Place, Stop};
pub use self::report::{Count, Report};
pub use self::templates::from_link;
use crate::client::Reply;
use crate::contract::{Contract, Given, Op};
use crate::dialects::Spoken;
use crate::server::Server;

type Boxed<'w, T> = Pin<Box<dyn Future<Output = Result<T, Stop>> + 'w>>;

/// What was sent, and what came back.
#[derive(Debug)]
struct Sent {
    reply: Reply,
    body: Value,
}

/// Builds requests out of a contract, sends them, and judges the answers.
#[derive(Debug)]
pub struct Walker<'s> {
    server: &'s Server,
    mount: &'static str,
    contract: Arc<Contract>,
    /// The contract as it stands, for bodies that it keeps elsewhere.
    whole: Value,
    ops: BTreeMap<String, Arc<Op>>,
    order: Vec<Arc<Op>>,
    accounts: BTreeMap<String, Account>,
    contexts: Contexts,
    standing: Option<Place>,
    last_link: Option<String>,
    seed: &'static str,
    serial: u32,
    /// What was found so far.
    pub report: Report,
    /// Everything that was sent or answered on the way and is nobody else's business: tokens, passwords, links,
    /// addresses, keys.
    pub secrets: BTreeSet<String>,
}

impl<'s> Walker<'s> {
    /// A walker along the contract of a dialect, with the accounts that are really there.
    #[must_use]
    pub fn new(server: &'s Server, spoken: &Spoken, given: &BTreeMap<String, Given>) -> Self {
        let mut contract = Contract::read(spoken.contract);
        let operations: Vec<_> = std::mem::take(&mut contract.operations).into_iter().map(Arc::new).collect();
        let ops: BTreeMap<_, _> = operations.iter().map(|op| (op.id.clone(), Arc::clone(op))).collect();
        let order = match &contract.walk_order {
            Value::Array(ids) => ids.iter().filter_map(|id| ops.get(id.as_str()?).cloned()).collect(),
            _ => operations,
        };
        let names: BTreeSet<_> = contract.accounts.keys().chain(given.keys()).cloned().collect();
        let accounts = names.into_iter().map(|name| {
            let declared = contract.accounts.get(&name).cloned().unwrap_or_default();
            let by_actor = contract.login.by_actor.get(&name);
            let login = declared.login.as_ref().or(by_actor).unwrap_or(&contract.login.op);
            let login = ops.get(login).cloned();
            let account = Account::new(&name, declared, given.get(&name).cloned(), login);
            (name, account)
        });
        Self {
            server,
            mount: spoken.mount,
            accounts: accounts.collect(),
            contract: Arc::new(contract),
            whole: serde_json::from_str(spoken.contract).unwrap_or_default(),
            ops,
            order,
            contexts: Contexts::new(),
            standing: None,
            last_link: None,
            seed: "w",
            serial: 0,
            report: Report::default(),
            secrets: BTreeSet::new(),
        }
    }

    /// Everything, in the order of the sections.
    pub async fn run(&mut self) {
        self.walk().await;
        self.play().await;
        self.access().await;
        self.edges().await;
    }
}
