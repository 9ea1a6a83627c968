//! Whose records an operation may touch.

use std::fmt;

use serde::Serialize;
use uuid::Uuid;

/// The organisation an operation is confined to, or the small global area that belongs to none.
///
/// Nothing in the port works without a scope: a record of one organisation cannot be found, counted, changed
/// or referred to from the scope of another. The global scope holds what must be found before an organisation
/// is known (log-in names, sessions, API keys); nothing outside this crate names it but stores that read it back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Scope(Option<Uuid>);

impl Scope {
    /// The area of records that belong to no organisation.
    pub(crate) const GLOBAL: Self = Self(None);

    /// The scope of one organisation.
    #[must_use]
    pub const fn organisation(id: Uuid) -> Self {
        Self(Some(id))
    }

    /// The scope that a store reads back: of what [`Scope::id`] answered when a record was written.
    #[must_use]
    pub const fn stored(id: Option<Uuid>) -> Self {
        Self(id)
    }

    /// The organisation's id, or `None` for the global scope. Stores keep it in a column of its own.
    #[must_use]
    pub const fn id(self) -> Option<Uuid> {
        self.0
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(id) => write!(f, "Scope({id})"),
            None => f.write_str("Scope(global)"),
        }
    }
}
