//! What was sent and answered so far.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// Why a check could not be made.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// A value that it needs is not to be had; `by` names the operation or account at fault.
    Blocked {
        /// At fault.
        by: String,
        /// Why.
        why: String,
    },
    /// It cannot be made with what the walk was given.
    Skip(String),
}

impl Stop {
    pub(super) fn blocked(by: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Blocked { by: by.into(), why: why.into() }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked { by, why } => write!(f, "blocked by {by} ({why})"),
            Self::Skip(why) => f.write_str(why),
        }
    }
}

/// The place of a context among those of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(usize);

/// The context of the walk itself.
pub(super) const WALKED: Place = Place(0);

/// What was sent and answered, by operation.
#[derive(Debug, Default)]
pub(super) struct Context {
    parent: Option<Place>,
    /// The answers of successes.
    pub(super) got: BTreeMap<String, Value>,
    /// The bodies that were sent for them.
    pub(super) sent: BTreeMap<String, Value>,
    /// How much mail there was before them.
    pub(super) mailed: BTreeMap<String, usize>,
    /// The answers of a scenario's steps.
    pub(super) steps: Vec<Value>,
    /// A scenario's names.
    pub(super) vars: BTreeMap<String, Value>,
}

/// All contexts of a walk. What is not in one is looked up in its parent.
#[derive(Debug)]
pub(super) struct Contexts(Vec<Context>);

impl Contexts {
    pub(super) fn new() -> Self {
        Self(vec![Context::default()])
    }

    /// A fresh context above a parent.
    pub(super) fn above(&mut self, parent: Option<Place>) -> Place {
        self.0.push(Context { parent, ..Context::default() });
        Place(self.0.len() - 1)
    }

    pub(super) fn get(&self, place: Place) -> &Context {
        &self.0[place.0]
    }

    pub(super) fn get_mut(&mut self, place: Place) -> &mut Context {
        &mut self.0[place.0]
    }

    pub(super) fn parent(&self, place: Place) -> Option<Place> {
        self.get(place).parent
    }

    /// The nearest context in which an operation was answered.
    pub(super) fn holding(&self, place: Place, op: &str) -> Option<Place> {
        let mut next = Some(place);
        while let Some(place) = next {
            if self.get(place).got.contains_key(op) {
                return Some(place);
            }
            next = self.parent(place);
        }
        None
    }
}
