//! The machine-readable contract of a dialect, as far as the walker reads it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A contract.
#[derive(Debug, Deserialize)]
pub struct Contract {
    /// Whose it is.
    pub dialect: String,
    /// How accounts sign in.
    pub login: Login,
    /// Who calls.
    #[serde(default)]
    pub accounts: BTreeMap<String, AccountSpec>,
    /// What can be called.
    pub operations: Vec<Op>,
    /// Sequences of operations with an expected end.
    #[serde(default)]
    pub scenarios: Vec<Scenario>,
    /// By operation and account: `allow`, `deny:STATUS` or `unstated`.
    #[serde(default)]
    pub access: BTreeMap<String, BTreeMap<String, String>>,
    /// The order of the walk, where it is a list; a text describes it for people.
    #[serde(default)]
    pub walk_order: Value,
    /// The shape of every refusal.
    #[serde(default)]
    pub errors_shape: Value,
}

/// How accounts sign in.
#[derive(Debug, Deserialize)]
pub struct Login {
    /// The operation, unless an account has its own.
    pub op: String,
    /// Where its answer has the token.
    pub token_pointer: String,
    /// Other operations, by account.
    #[serde(default)]
    pub by_actor: BTreeMap<String, String>,
}

/// What a contract declares of an account.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AccountSpec {
    /// `seed`, the steps that make it, or null for a caller without credentials.
    #[serde(default)]
    pub made_by: Value,
    /// The operation that signs it in.
    pub login: Option<String>,
    /// Its address.
    pub email: Option<String>,
    /// Its user name.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// Where its token is, if the steps that make it give one.
    pub token: Option<String>,
    /// Set where the walk changes its password.
    pub password_after_walk: Option<String>,
}

/// What is really so of an account on this server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Its address.
    pub email: Option<String>,
    /// Its user name.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// A token that it has already.
    pub token: Option<String>,
    /// An API key that it comes with instead.
    pub api_key: Option<String>,
    /// Names that the contract has for it beside the declared ones.
    #[serde(default)]
    pub stands_for: Vec<String>,
}

/// An operation.
#[derive(Debug, Deserialize)]
pub struct Op {
    /// Its name.
    pub id: String,
    /// Its method.
    pub method: String,
    /// Its path, with `{parameters}`.
    pub path: String,
    /// `none`, `bearer`, `api_key`, `webhook`, or several with `|` between them.
    pub auth: Option<String>,
    /// Who calls it in the walk.
    pub actor: Option<String>,
    /// Values of path and query parameters.
    #[serde(default)]
    pub bind: BTreeMap<String, String>,
    /// The query parameters that there are.
    #[serde(default)]
    pub query: Vec<Parameter>,
    /// `json`, `multipart`, or none.
    pub body_type: Option<String>,
    /// The body.
    #[serde(default)]
    pub body: Value,
    /// Further bodies that it must accept.
    #[serde(default)]
    pub body_variants: Vec<Variant>,
    /// The status of its success.
    pub success: u16,
    /// Other statuses that are as good.
    #[serde(default)]
    pub success_any: Vec<u16>,
    /// The same under another name.
    #[serde(default)]
    pub success_codes: Vec<u16>,
    /// The statuses of its refusals.
    #[serde(default)]
    pub errors: Vec<u16>,
    /// Steps that must run immediately before it.
    #[serde(default)]
    pub setup: Vec<String>,
    /// An example of its answer.
    #[serde(default)]
    pub response: Value,
    /// The type of an answer that is no JSON.
    pub response_type: Option<String>,
    /// Pointers at which the answer may be null.
    #[serde(default)]
    pub nullable: Vec<String>,
    /// Pointers into the body whose values arrive by other ways, and by which.
    #[serde(default)]
    pub out_of_band: BTreeMap<String, String>,
    /// Headers to be sent.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// A query parameter.
#[derive(Debug, Deserialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
}

/// A further body.
#[derive(Debug, Deserialize)]
pub struct Variant {
    /// What it is called.
    pub name: Option<String>,
    /// What is special about it.
    pub note: Option<String>,
    /// The body.
    pub body: Value,
}

/// A sequence of operations with an expected end.
#[derive(Debug, Deserialize)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// `OP as ACTOR`, one after another.
    pub steps: Vec<String>,
    /// What is meant.
    #[serde(default)]
    pub expect: String,
    /// What the last step must answer.
    pub expect_status: u16,
    /// What it may answer as well.
    #[serde(default)]
    pub expect_any: Vec<u16>,
    /// What is different about a step, by its place.
    #[serde(default)]
    pub overrides: BTreeMap<String, Override>,
    /// What must hold on the way.
    #[serde(default)]
    pub asserts: Vec<Claim>,
    /// Names that are filled in once.
    #[serde(default)]
    pub vars: BTreeMap<String, Value>,
}

/// What is different about a call.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Merged over the operation's body.
    #[serde(default)]
    pub body: Value,
    /// A body in its place.
    pub body_is: Option<Value>,
    /// The place in the contract of a body in its place.
    pub body_from: Option<String>,
    /// Fields that are not sent.
    #[serde(default)]
    pub body_remove: Vec<String>,
    /// Query parameters; null ones are not sent.
    #[serde(default)]
    pub query: BTreeMap<String, Value>,
    /// Other values of parameters.
    #[serde(default)]
    pub bind: BTreeMap<String, String>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A token in place of the account's.
    pub token: Option<String>,
    /// What a step in the middle must answer.
    pub status: Option<Statuses>,
    /// Whose newest mail has a link that is opened after the step.
    pub follow_mail: Option<String>,
    /// Another method.
    #[serde(skip)]
    pub method: Option<&'static str>,
    /// A body as it is; the inner `None` is no body at all.
    #[serde(skip)]
    pub raw: Option<Option<&'static str>>,
    /// Path parameters that replace those of the table.
    #[serde(skip)]
    pub unknown: BTreeMap<String, String>,
    /// Whether values that arrive by other ways stay as the contract writes them.
    #[serde(skip)]
    pub literal: bool,
}

/// A status or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Statuses {
    /// One.
    One(u16),
    /// Several.
    Any(Vec<u16>),
}

impl Statuses {
    /// Whether a status is among them.
    #[must_use]
    pub fn has(&self, status: u16) -> bool {
        match self {
            Self::One(one) => *one == status,
            Self::Any(any) => any.contains(&status),
        }
    }
}

/// Something that must hold of the answer to a step.
#[derive(Clone, Debug, Deserialize)]
pub struct Claim {
    /// Which step.
    pub step: usize,
    /// Where in its answer.
    pub pointer: Option<String>,
    /// Or in which header.
    pub header: Option<String>,
    /// Whether it may be absent.
    #[serde(default)]
    pub optional: bool,
    /// What must hold, by the name of the test.
    #[serde(flatten)]
    pub tests: BTreeMap<String, Value>,
}

impl Contract {
    /// Reads a contract.
    ///
    /// # Panics
    ///
    /// If it is none: it is part of the tests.
    #[must_use]
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("the contract cannot be read: {error}"))
    }
}

impl Op {
    /// Whether a status counts as its success.
    #[must_use]
    pub fn succeeds(&self, status: u16) -> bool {
        status == self.success || self.success_any.contains(&status) || self.success_codes.contains(&status)
    }

    /// The names of the path's parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.path.split('{').skip(1).filter_map(|part| part.split('}').next())
    }

    /// Whether callers must say who they are.
    #[must_use]
    pub fn needs_caller(&self) -> bool {
        self.auth.as_deref().is_some_and(|auth| auth.contains("bearer") || auth.contains("api_key"))
    }
}

/// The operation and the actor of `OP as ACTOR`.
#[must_use]
pub fn step(text: &str) -> (&str, Option<&str>) {
    text.split_once(" as ").map_or((text, None), |(op, actor)| (op, Some(actor)))
}
