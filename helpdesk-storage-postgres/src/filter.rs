//! Filters as SQL.

use std::collections::BTreeSet;

use helpdesk_core::storage::{Bound, Condition, FieldRef, FieldType, Filter, KindSpec, Term};

use crate::args::Args;
use crate::names::column;

/// Whether a filter leaves it to its values which way to go: where one of several fields may decide, as in all tickets of
/// somebody, an agent's values leave thousands and a customer's a handful. A plan for any values takes all rows in their
/// order for the one, and reads the whole table for the other.
pub(crate) fn forks(filter: &Filter) -> bool {
    match filter.condition() {
        Condition::And(parts) => parts.iter().any(forks),
        Condition::Or(parts) => {
            let mut fields = BTreeSet::new();
            parts.iter().for_each(|part| named(part, &mut fields));
            fields.len() > 1
        }
        // What is left out leaves most.
        _ => false,
    }
}

/// Collects the fields that a filter is on; the words of a search count as one.
fn named<'a>(filter: &'a Filter, fields: &mut BTreeSet<&'a str>) {
    match filter.condition() {
        Condition::OneOf(name, _)
        | Condition::Range(name, ..)
        | Condition::Prefix(name, _)
        | Condition::Null(name) => drop(fields.insert(name)),
        Condition::Words(_) => drop(fields.insert("words")),
        Condition::And(parts) | Condition::Or(parts) => parts.iter().for_each(|part| named(part, fields)),
        Condition::Not(part) => named(part, fields),
        _ => {}
    }
}

/// Appends a condition that holds for just those rows of the alias `t` for which the filter holds. It is true where
/// the filter holds, and false or null where it does not.
pub(crate) fn condition(kind: &'static KindSpec, filter: &Filter, sql: &mut String, args: &mut Args) {
    match filter.condition() {
        Condition::All => sql.push_str("true"),
        Condition::OneOf(name, values) => {
            let Some(field) = Field::of(kind, name) else { return sql.push_str("false") };
            let Field { column, ty, many, .. } = &field;
            match &values[..] {
                [] => sql.push_str("false"),
                [value] if !many => {
                    let bound = args.value(*ty, false, value);
                    sql.push_str(&format!("t.{column} = ${bound}"));
                }
                values => {
                    let bound = args.values(*ty, false, values.iter());
                    if *many {
                        sql.push_str(&format!("t.{column} && ${bound}"));
                    } else {
                        sql.push_str(&format!("t.{column} = ANY(${bound})"));
                    }
                }
            }
        }
        Condition::Range(name, low, high) => {
            let Some(field) = Field::of(kind, name) else { return sql.push_str("false") };
            let mut parts = Vec::new();
            for (bound, (included, excluded)) in [(low, (">=", ">")), (high, ("<=", "<"))] {
                let operator = if matches!(bound, Bound::Included(_)) { included } else { excluded };
                if let Some(value) = bound.value() {
                    let bound = args.value(field.ty, false, value);
                    parts.push(format!("{} {operator} ${bound}", field.element()));
                }
            }
            if parts.is_empty() {
                parts.push(format!("{} IS NOT NULL", field.element()));
            }
            sql.push_str(&field.any(&parts.join(" AND ")));
        }
        Condition::Prefix(name, prefix) => {
            let Some(field) = Field::of(kind, name) else { return sql.push_str("false") };
            // By code points, so a prefix is a range, which an index serves.
            let mut parts = vec![format!("{} >= ${}", field.element(), args.bind(prefix.as_str()))];
            if let Some(end) = after_prefix(prefix) {
                parts.push(format!("{} < ${}", field.element(), args.bind(end)));
            }
            sql.push_str(&field.any(&parts.join(" AND ")));
        }
        Condition::Null(name) => match Field::of(kind, name) {
            Some(field) => sql.push_str(&format!("t.{} IS NULL", field.column)),
            None => sql.push_str("false"),
        },
        Condition::Words(terms) => {
            let bound = args.bind(words(terms));
            sql.push_str(&format!("t.words @@ ${bound}::tsquery"));
        }
        Condition::And(parts) => joined(kind, parts, "AND", "true", sql, args),
        Condition::Or(parts) => joined(kind, parts, "OR", "false", sql, args),
        Condition::Not(part) => {
            sql.push('(');
            condition(kind, part, sql, args);
            sql.push_str(") IS NOT TRUE");
        }
        // The port may learn further forms; a store that does not know one must not answer as if it did.
        _ => sql.push_str("false"),
    }
}

fn joined(
    kind: &'static KindSpec,
    parts: &[Filter],
    operator: &str,
    empty: &str,
    sql: &mut String,
    args: &mut Args,
) {
    if parts.is_empty() {
        return sql.push_str(empty);
    }
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            sql.push_str(&format!(" {operator} "));
        }
        sql.push('(');
        condition(kind, part, sql, args);
        sql.push(')');
    }
}

/// A field in a condition.
struct Field {
    column: String,
    ty: FieldType,
    many: bool,
}

impl Field {
    fn of(kind: &'static KindSpec, name: &str) -> Option<Self> {
        let field = kind.field(name)?;
        let many = matches!(field, FieldRef::Declared(place) if kind.fields[place].many);
        Some(Self { column: column(kind, field), ty: kind.type_of(field), many })
    }

    /// What conditions on single values are about. Texts compare by code points, also those of a set.
    fn element(&self) -> String {
        match (self.many, self.ty) {
            (true, FieldType::Text) => "e COLLATE \"C\"".to_owned(),
            (true, _) => "e".to_owned(),
            (false, _) => format!("t.{}", self.column),
        }
    }

    /// A condition that holds if it holds for any value of the field.
    fn any(&self, condition: &str) -> String {
        if self.many {
            return format!("EXISTS (SELECT FROM unnest(t.{}) AS e WHERE {condition})", self.column);
        }
        condition.to_owned()
    }
}

/// The first text after all that begin with a prefix; none where there is no such text.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            last => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// The text of a search for words that core has cut.
fn words(terms: &[Term]) -> String {
    let quoted = |term: &Term| {
        let text = term.text().replace('\\', "\\\\").replace('\'', "''");
        format!("'{text}'{}", if term.is_prefix() { ":*" } else { "" })
    };
    terms.iter().map(quoted).collect::<Vec<_>>().join(" & ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_prefix_is_the_next_text() {
        assert_eq!(after_prefix("ab").as_deref(), Some("ac"));
        assert_eq!(after_prefix("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_prefix("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(after_prefix(""), None);
    }

    #[test]
    fn alternatives_of_several_fields_fork() {
        let one = || Filter::equals("requester", 1_i64);
        let other = || Filter::equals("assignee", 1_i64);
        let alive = |filter| Filter::equals("deleted", false).and(filter);
        assert!(forks(&alive(one().or(other()))));
        assert!(forks(&Filter::equals("number", 1_i64).or(Filter::words(Term::typed("printer")))));
        assert!(!forks(&alive(one().and(other()))));
        assert!(!forks(&alive(one().or(Filter::null("requester")))));
        assert!(!forks(&alive(Filter::all())));
    }

    #[test]
    fn words_are_quoted() {
        assert_eq!(words(&Term::typed("don't pan*")), "'don''t' & 'pan':*");
    }
}
