//! The kinds that the suite keeps in a store: between them, every type of field and every mode.

use crate::events::EVENT;
use crate::storage::{FieldSpec, JOB, KindSpec, Mode, Schema};

/// The schema that a store under test must be made for.
#[must_use]
pub fn schema() -> Schema {
    Schema::new([&ITEM, &SHELF, &BADGE, &READING, &PRESENCE, &EVENT, &JOB])
}

/// A record with fields of every type, each in its own manner of being indexed.
pub(super) static ITEM: KindSpec = KindSpec::new(
    "conformance_item",
    &[
        // By which behaviours tell items; no behaviour is about it.
        FieldSpec::text("label").uncounted(),
        FieldSpec::text("state"),
        FieldSpec::text("title").uncounted(),
        FieldSpec::text("note").uncounted(),
        FieldSpec::text("code").unique(),
        FieldSpec::int("size"),
        FieldSpec::int("grade").counted(),
        FieldSpec::real("weight"),
        FieldSpec::flag("open"),
        FieldSpec::time("due"),
        // A word that SQL keeps for itself: embedding teams do not know that, and need not.
        FieldSpec::uuid("user"),
        FieldSpec::text("tags").many(),
        FieldSpec::int("sizes").many(),
        FieldSpec::refers("shelf", "conformance_shelf"),
        FieldSpec::refers("links", "conformance_shelf").many(),
    ],
)
.indexes(&[
    &["state", "due"],
    &["open", "grade"],
    &["grade", "size"],
    &["title"],
    &["due"],
    &["weight"],
    &["created_at"],
    &["shelf", "updated_at"],
])
.rollups(&[&["state", "open", "grade"], &["shelf"]])
.searched();

/// What items refer to, and each other.
pub(super) static SHELF: KindSpec = KindSpec::new(
    "conformance_shelf",
    &[
        FieldSpec::text("name"),
        FieldSpec::int("place").unique(),
        FieldSpec::int("load"),
        FieldSpec::refers("above", "conformance_shelf"),
    ],
);

/// At most one to an item: a reference that is unique.
pub(super) static BADGE: KindSpec =
    KindSpec::new("conformance_badge", &[FieldSpec::refers("item", "conformance_item").unique()]);

/// Appended and never changed; its reference is not counted.
pub(super) static READING: KindSpec = KindSpec::new(
    "conformance_reading",
    &[
        FieldSpec::refers("item", "conformance_item").uncounted(),
        FieldSpec::int("amount"),
        FieldSpec::time("taken"),
    ],
)
.indexes(&[&["taken"]])
.rollups(&[&["item"]])
.mode(Mode::AppendOnly);

/// Overwritten without asking.
pub(super) static PRESENCE: KindSpec =
    KindSpec::new("conformance_presence", &[FieldSpec::text("mood"), FieldSpec::text("seat").unique()])
        .rollups(&[&["mood"]])
        .mode(Mode::Quiet);

/// A kind that no store under test is made for.
pub(super) static STRANGER: KindSpec = KindSpec::new("conformance_stranger", &[FieldSpec::text("state")]);
