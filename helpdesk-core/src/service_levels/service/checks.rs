//! What is taken as a policy or as business hours.

use std::collections::BTreeMap;

use chrono::Duration;

use crate::error::{Problem, Problems};
use crate::service_levels::{Calendar, Conditions, Span, Targets};
use crate::tickets::Priority;

/// The most characters of a name.
const MAX_NAME: usize = 100;
/// The most choices of one condition, and the most characters of one of them.
const MAX_CHOICES: usize = 100;
const MAX_CHOICE: usize = 500;
/// The least and most that can be promised.
const LEAST: Duration = Duration::minutes(1);
const MOST: Duration = Duration::days(366);
/// The most dates with hours of their own, and the most spans of a day.
const MAX_DATES: usize = 400;
const MAX_SPANS: usize = 12;

pub(super) fn name(problems: &mut Problems, name: &str) {
    if name.trim().is_empty() {
        problems.add("name", Problem::Blank);
    }
    text(problems, "name", name, MAX_NAME);
}

fn text(problems: &mut Problems, field: &str, text: &str, most: usize) {
    if text.chars().count() > most {
        problems.add(field, Problem::TooLong(most));
    } else if text.contains('\0') {
        problems.add(field, Problem::NulCharacter);
    }
}

pub(super) fn conditions(problems: &mut Problems, conditions: &Conditions) {
    let Conditions { priorities: _, kinds, groups, categories, departments, tags } = conditions;
    for (field, count) in [("kinds", kinds.len()), ("groups", groups.len())] {
        if count > MAX_CHOICES {
            problems.add(field, Problem::TooMany(MAX_CHOICES));
        }
    }
    for (field, choices) in [("categories", categories), ("departments", departments), ("tags", tags)] {
        if choices.len() > MAX_CHOICES {
            problems.add(field, Problem::TooMany(MAX_CHOICES));
        }
        choices.iter().take(MAX_CHOICES).for_each(|choice| text(problems, field, choice, MAX_CHOICE));
    }
}

pub(super) fn targets(problems: &mut Problems, targets: &BTreeMap<Priority, Targets>) {
    if targets.values().all(BTreeMap::is_empty) {
        problems.add("targets", Problem::Required);
    }
    for target in targets.values().flat_map(BTreeMap::values) {
        if target.time < LEAST {
            problems.add("targets", Problem::TooSmall(LEAST.num_seconds()));
        } else if target.time > MOST {
            problems.add("targets", Problem::TooLarge(MOST.num_seconds()));
        }
    }
}

pub(super) fn hours(problems: &mut Problems, hours: &Calendar) {
    if hours.dates().len() > MAX_DATES {
        problems.add("exceptions", Problem::TooMany(MAX_DATES));
    }
    for (field, spans) in hours
        .week()
        .iter()
        .map(|spans| ("week", spans))
        .chain(hours.dates().values().map(|spans| ("exceptions", spans)))
    {
        if spans.len() > MAX_SPANS {
            problems.add(field, Problem::TooMany(MAX_SPANS));
        }
        if !spans.iter().all(Span::is_valid) {
            problems.add(field, Problem::Format("span of a day"));
        }
    }
}
