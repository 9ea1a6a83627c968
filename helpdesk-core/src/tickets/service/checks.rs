//! Whether what is given with a ticket or an act is well formed.

use std::collections::BTreeSet;

use email_address::EmailAddress;

use crate::error::{Problem, Problems, Result};
use crate::tickets::acts::{Act, Asked, Comment, Edit};
use crate::tickets::files::MAX_FILES;
use crate::tickets::ticket::{Cc, MAX_CC};
use crate::uploads::UploadId;

/// The longest text that is taken, in characters.
const MAX_TEXT: usize = 100_000;
/// The longest line that is taken: subjects, categories.
const MAX_LINE: usize = 500;
/// The longest tag, in characters, and the most tags of a ticket.
const MAX_TAG: usize = 100;
const MAX_TAGS: usize = 100;
/// The longest address, in characters.
const MAX_ADDRESS: usize = 254;

/// Collects what is wrong, so that all of it is said at once.
#[derive(Debug, Default)]
pub(super) struct Checks(Problems);

impl Checks {
    /// A text that must say something.
    pub(super) fn text(&mut self, field: &str, text: &str) {
        self.check(field, text, true, MAX_TEXT);
    }

    /// A line that must say something.
    pub(super) fn line(&mut self, field: &str, line: &str) {
        self.check(field, line, true, MAX_LINE);
    }

    /// A line that may be empty, or not there.
    pub(super) fn optional(&mut self, field: &str, line: Option<&str>) {
        self.check(field, line.unwrap_or_default(), false, MAX_LINE);
    }

    /// The tags of a ticket.
    pub(super) fn tags(&mut self, tags: &BTreeSet<String>) {
        tags.iter().for_each(|tag| self.check("tags", tag, true, MAX_TAG));
        if tags.len() > MAX_TAGS {
            self.add("tags", Problem::TooMany(MAX_TAGS));
        }
    }

    /// Something else that is wrong.
    pub(super) fn add(&mut self, field: &str, problem: Problem) {
        self.0.add(field, problem);
    }

    /// What was wrong.
    pub(super) fn into_problems(self) -> Problems {
        self.0
    }

    /// Uploads that come with something.
    pub(super) fn uploads(&mut self, uploads: &[UploadId]) {
        if uploads.len() > MAX_FILES {
            self.add("attachments", Problem::TooMany(MAX_FILES));
        }
    }

    fn comment(&mut self, comment: Option<&Comment>) {
        if let Some(comment) = comment {
            self.text("comment", &comment.body);
            self.uploads(&comment.uploads);
        }
    }

    fn people(&mut self, people: &[Cc]) {
        if people.len() > MAX_CC {
            self.add("cc", Problem::TooMany(MAX_CC));
        }
        for cc in people {
            self.check("cc", &cc.address, true, MAX_ADDRESS);
            if !EmailAddress::is_valid(cc.address.trim()) {
                self.add("cc", Problem::Format("e-mail address"));
            }
            self.check("cc", cc.name.as_deref().unwrap_or_default(), false, MAX_TAG);
        }
    }

    fn edit(&mut self, edit: &Edit) {
        if let Some(subject) = &edit.subject {
            self.line("subject", subject);
        }
        if let Some(description) = &edit.description {
            self.text("description", description);
        }
        for (field, line) in [
            ("category", &edit.category),
            ("subcategory", &edit.subcategory),
            ("department", &edit.department),
        ] {
            self.optional(field, line.as_ref().and_then(Option::as_deref));
        }
        if let Some(tags) = &edit.tags {
            self.tags(tags);
        }
    }

    fn check(&mut self, field: &str, text: &str, required: bool, most: usize) {
        if required && text.trim().is_empty() {
            self.add(field, Problem::Blank);
        } else if text.chars().count() > most {
            self.add(field, Problem::TooLong(most));
        } else if text.contains('\0') {
            // No store keeps it.
            self.add(field, Problem::NulCharacter);
        }
    }
}

/// Checks what is given with what is to be done.
///
/// # Errors
///
/// [`Error::Invalid`](crate::Error::Invalid) with all that is wrong.
pub(super) fn check_asked(asked: &Asked) -> Result<()> {
    match asked {
        Asked::Acts(acts) => acts.iter().try_for_each(check_act),
        Asked::Revision(revision) => {
            let mut checks = Checks::default();
            checks.edit(&revision.edit);
            checks.into_problems().into_result()
        }
    }
}

fn check_act(act: &Act) -> Result<()> {
    let mut checks = Checks::default();
    match act {
        Act::Approve { department, comment, .. } => {
            checks.optional("department", department.as_deref());
            checks.comment(comment.as_ref());
        }
        Act::Reject { reason, comment } => {
            checks.text("reason", reason);
            checks.comment(comment.as_ref());
        }
        Act::Move { comment, .. } | Act::Withdraw { comment } | Act::Close { comment } => {
            checks.comment(comment.as_ref());
        }
        Act::Say(comment) => checks.comment(Some(comment)),
        Act::Edit(edit) => checks.edit(edit),
        Act::Escalate { level, reason } => {
            if *level == 0 {
                checks.add("level", Problem::TooSmall(1));
            }
            if let Some(reason) = reason {
                checks.check("reason", reason, false, MAX_TEXT);
            }
        }
        Act::Copy(people) => checks.people(people),
        Act::Claim
        | Act::Assign { .. }
        | Act::Route { .. }
        | Act::EndCopy { .. }
        | Act::Follow { .. }
        | Act::Unfollow { .. }
        | Act::HandOver
        | Act::Delete
        | Act::Restore => {}
    }
    checks.into_problems().into_result()
}
