//! Events as records.

use crate::storage::{FieldSpec, KindSpec, Mode};

/// The kind that events are stored and found under.
pub static EVENT: KindSpec = KindSpec::new(
    "event",
    &[
        FieldSpec::text("subject_kind"),
        FieldSpec::uuid("subject"),
        FieldSpec::uuid("actor"),
        FieldSpec::text("action"),
    ],
)
.indexes(&[&["subject"], &["actor"], &["action"]])
.mode(Mode::AppendOnly);
