//! Small pools that values are drawn from, so that clashes and ties are frequent.

use uuid::Uuid;

use super::compare::Side;
use super::plan::Sort;
use super::play::Player;
use crate::events::EVENT;
use crate::storage::conformance::fixture::at;
use crate::storage::conformance::kinds::{BADGE, ITEM, PRESENCE, READING, SHELF};
use crate::storage::{FieldSpec, FieldType, JOB, KindSpec, Scope, Term, Value, Words};

pub(super) const KEYS: [&str; 6] = ["a", "b", "c", "A", "a b", ""];
pub(super) const ACTIONS: [&str; 4] = ["opened", "closed", "moved", "open"];
pub(super) const SERIES: [&str; 3] = ["tickets", "orders", ""];
const TEXTS: [&str; 8] = ["a", "b", "ab", "A", "", "ä", "東", "a%"];
const STATES: [&str; 3] = ["waiting", "leased", "failed"];
const INTS: [i64; 6] = [1, 2, 0, -3, 7, i64::MAX];
const REALS: [f64; 5] = [0.5, -1.5, 0.0, 2.25, 1e9];
const SAID: [&str; 8] = [
    "printer",
    "",
    "paper printer",
    "Fire in the paper",
    "Straße über",
    "tx0001 fire fire",
    "東京 printer",
    "prints paper printing",
];
const TYPED: [&str; 8] = ["printer", "print*", "fire paper", "strasse", "p*", "東", "TX0001", "nothing"];

pub(super) const fn kind(sort: Sort) -> &'static KindSpec {
    match sort {
        Sort::Item => &ITEM,
        Sort::Shelf => &SHELF,
        Sort::Badge => &BADGE,
        Sort::Reading => &READING,
        Sort::Presence => &PRESENCE,
        Sort::Event => &EVENT,
        Sort::Job => &JOB,
    }
}

pub(super) fn said(place: u8) -> Words {
    Words::cut([SAID[usize::from(place) % SAID.len()]])
}

pub(super) fn typed(place: u8) -> Vec<Term> {
    Term::typed(TYPED[usize::from(place) % TYPED.len()])
}

/// One of the texts, for prefixes.
pub(super) fn text(place: u8) -> &'static str {
    TEXTS[usize::from(place) % TEXTS.len()]
}

fn one_of<T: Copy>(pool: &[T], place: usize) -> T {
    pool[place % pool.len()]
}

impl Player {
    /// What a record's field is set to.
    pub(super) fn written(&self, kind: &KindSpec, field: &FieldSpec, scope: Scope, byte: u8) -> Value {
        if field.unique && byte < 160 || byte.is_multiple_of(4) {
            return Value::Null;
        }
        let place = usize::from(byte / 4);
        if let Some(target) = field.refers {
            // Now and then one that was deleted.
            let all = byte % 64 == 63;
            let targets = self.ids(target, scope, !all);
            if targets.is_empty() {
                return Value::Null;
            }
            let one = |place: usize| Value::Uuid(targets[place % targets.len()]);
            return if field.many { Value::many([one(place), one(place / 3)]) } else { one(place) };
        }
        let one = |place| self.pooled(kind, field, place);
        if field.many { Value::many([one(place), one(place / 8)]) } else { one(place) }
    }

    /// A value that a field is compared with.
    pub(super) fn compared(&self, kind: &KindSpec, name: &str, scope: Scope, byte: u8, side: Side) -> Value {
        let place = usize::from(byte);
        let known = |of: &str| {
            let ids = self.ids(of, scope, false);
            Value::Uuid(if ids.is_empty() { Uuid::nil() } else { ids[place % ids.len()] })
        };
        match name {
            "id" => known(kind.name),
            "number" => Value::Int(self.numbers.pick(kind, scope, place, side).unwrap_or(0)),
            "created_at" | "updated_at" => self.instant(place),
            name => {
                let field = &kind.fields[kind.position(name).expect("a declared field")];
                match field.refers {
                    Some(target) => known(target),
                    None => self.pooled(kind, field, place),
                }
            }
        }
    }

    fn pooled(&self, kind: &KindSpec, field: &FieldSpec, place: usize) -> Value {
        match (kind.name, field.name) {
            ("job", "key") => return Value::text(one_of(&KEYS, place)),
            ("job", "state") => return Value::text(one_of(&STATES, place)),
            ("job", "name") => return Value::text("work"),
            ("job", "due") => return self.instant(place),
            ("event", "action") => return Value::text(one_of(&ACTIONS, place)),
            ("event", "subject") => {
                let items = self.ids(ITEM.name, self.scopes[0], false);
                return Value::Uuid(if items.is_empty() { Uuid::nil() } else { items[place % items.len()] });
            }
            _ => {}
        }
        match field.ty {
            FieldType::Text => Value::text(one_of(&TEXTS, place)),
            FieldType::Int => Value::Int(one_of(&INTS[..if field.unique { 6 } else { 5 }], place)),
            FieldType::Real => Value::from(one_of(&REALS, place)),
            FieldType::Flag => Value::Flag(place.is_multiple_of(2)),
            // Hours apart, so that they fall into different stretches.
            FieldType::Time => Value::from(at(i64::try_from(place % 7).unwrap_or(0) * 40_000)),
            FieldType::Uuid => Value::Uuid(Uuid::from_u128(u128::try_from(place % 4).unwrap_or(0) << 100)),
        }
    }

    /// An instant at which something may have happened.
    fn instant(&self, place: usize) -> Value {
        Value::from(at(i64::try_from(place).unwrap_or(0) % (self.elapsed + 8)))
    }
}
