//! The types of fields: what each accepts, how it is said to be wrong, and how the document shows it.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::ops::Deref;

use helpdesk_core::Problem;
use serde_json::{Map, Value};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{RefOr, schema};
use uuid::Uuid;

use super::{Form, Input, Raw, Upload};

/// A type that a field can have.
///
/// | type | accepts |
/// | --- | --- |
/// | [`Line<MAX>`](Line) | a text that is not empty, at most so many characters, without spaces around it |
/// | [`Text<MAX>`](Text) | any text of at most so many characters |
/// | [`Email`] | an address, as far as its form goes |
/// | [`Int<MIN, MAX>`](Int) | a whole number |
/// | [`Choice<T>`](Choice) | one of the words that a dialect has for the values of `T` |
/// | `bool`, `NaiveDate`, `Uuid` | these |
/// | [`Moment`](super::Moment) | a date or an instant in ISO 8601 |
/// | [`Object<T>`](Object) | an object that is an [`Input`] itself |
/// | `Map<String, Value>` | any object |
/// | [`Upload`] | a file of a form |
/// | [`Change<T>`](Change) | the same, or `null` to take it away, or nothing to leave it |
/// | `Option<T>` | the same, nothing, or `null`; in a form also an empty text, as in JSON for an id |
/// | `Vec<T>` | any number of the same, nothing, or `null` |
pub trait Field: Sized + Send {
    /// Whether it must be there.
    const REQUIRED: bool = true;

    /// Whether an empty text says "nothing" also in JSON, as the choice of none does in forms: where no value is empty.
    const BLANK_IS_NOTHING: bool = false;

    /// Reads it.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    fn read(raw: Raw) -> Result<Self, Vec<Problem>>;

    /// How the document shows it.
    fn schema() -> RefOr<Schema>;
}

/// A text that is not empty, of at most `MAX` characters, without spaces around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<const MAX: usize>(pub String);

/// Any text of at most `MAX` characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<const MAX: usize>(pub String);

/// An address, as far as its form goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(pub String);

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Int<const MIN: i64, const MAX: i64>(pub i64);

/// An object inside a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object<T>(pub T);

/// What is to become of a value that may be absent: what is not sent stays as it is, and `null` takes it away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<T>(pub Option<Option<T>>);

/// One of the words that a dialect has for the values of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice<C: Choices>(pub C::Value, PhantomData<fn() -> C>);

/// The words of a dialect for the values of a type. A table, so that reading, writing and documenting agree.
pub trait Choices: Debug + Clone + Copy + Send + 'static {
    /// What the words stand for.
    type Value: Copy + PartialEq + Send + Debug;

    /// The words that are accepted, and what each stands for.
    const WORDS: &'static [(&'static str, Self::Value)];
}

impl<const MAX: usize> Deref for Line<MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> Deref for Text<MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A text, however it was sent. Numbers are texts in a form, and nowhere else.
pub(super) fn text(raw: Raw) -> Result<String, Vec<Problem>> {
    let text = match raw {
        Raw::Missing => return Err(vec![Problem::Required]),
        Raw::Json(Value::Null) => return Err(vec![Problem::Null]),
        Raw::Json(Value::String(text)) => text,
        Raw::Texts(mut texts) => texts.pop().unwrap_or_default(),
        Raw::Json(_) | Raw::Files(_) => return Err(vec![Problem::Type("a text")]),
    };
    if text.contains('\0') { Err(vec![Problem::NulCharacter]) } else { Ok(text) }
}

pub(super) fn string(max: Option<usize>, min: Option<usize>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).max_length(max).min_length(min)
}

pub(super) fn format(format: &str) -> RefOr<Schema> {
    string(None, None).format(Some(SchemaFormat::Custom(format.to_owned()))).into()
}

impl<const MAX: usize> Field for Line<MAX> {
    fn read(raw: Raw) -> Result<Self, Vec<Problem>> {
        let text = text(raw)?;
        let text = text.trim();
        if text.is_empty() {
            return Err(vec![Problem::Blank]);
        }
        if text.chars().count() > MAX {
            return Err(vec![Problem::TooLong(MAX)]);
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> RefOr<Schema> {
        string(Some(MAX), Some(1)).into()
    }
}

impl<const MAX: usize> Field for Text<MAX> {
    fn read(raw: Raw) -> Result<Self, Vec<Problem>> {
        let text = text(raw)?;
        if text.chars().count() > MAX { Err(vec![Problem::TooLong(MAX)]) } else { Ok(Self(text)) }
    }

    fn schema() -> RefOr<Schema> {
        string(Some(MAX), None).into()
    }
}

impl Field for Email {
    fn read(raw: Raw) -> Result<Self, Vec<Problem>> {
        let Line::<254>(text) = Line::read(raw)?;
        let form = text.split_once('@');
        let looks_right = form.is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && !text.contains(char::is_whitespace)
        });
        if looks_right { Ok(Self(text)) } else { Err(vec![Problem::Format("e-mail address")]) }
    }

    fn schema() -> RefOr<Schema> {
        format("email")
    }
}

impl<const MIN: i64, const MAX: i64> Field for Int<MIN, MAX> {
    fn read(raw: Raw) -> Result<Self, Vec<Problem>> {
        let wrong = || vec![Problem::Type("a whole number")];
        let number = match raw {
            Raw::Json(Value::Number(number)) => number.as_i64().ok_or_else(wrong)?,
            Raw::Json(Value::String(_)) => return Err(wrong()),
            other => text(other)
                .map_err(|problems| match problems[..] {
                    [Problem::Type(_)] => wrong(),
                    _ => problems,
                })?
                .trim()
                .parse()
                .map_err(|_| wrong())?,
        };
        match number {
            small if small < MIN => Err(vec![Problem::TooSmall(MIN)]),
            large if large > MAX => Err(vec![Problem::TooLarge(MAX)]),
            number => Ok(Self(number)),
        }
    }

    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer));
        number.minimum(Some(MIN)).maximum(Some(MAX)).into()
    }
}

impl<C: Choices> Field for Choice<C> {
    fn read(raw: Raw) -> Result<Self, Vec<Problem>> {
        let text = text(raw)?;
        let known = C::WORDS.iter().find(|(word, _)| *word == text);
        known.map(|(_, value)| Self(*value, PhantomData)).ok_or_else(|| {
            vec![Problem::Choice {
                given: text.chars().take(50).collect(),
                choices: C::WORDS.iter().map(|(word, _)| (*word).to_owned()).collect(),
            }]
        })
    }

    fn schema() -> RefOr<Schema> {
        string(None, None).enum_values(Some(C::WORDS.iter().map(|(word, _)| *word))).into()
    }
}

impl Field for bool {
    fn read(raw: Raw) -> Result<Self, Vec<Problem>> {
        match raw {
            Raw::Json(Value::Bool(truth)) => Ok(truth),
            Raw::Json(Value::String(_)) => Err(vec![Problem::Type("a truth value")]),
            other => match text(other)?.to_ascii_lowercase().as_str() {
                "true" | "1" | "on" | "yes" => Ok(true),
                "false" | "0" | "off" | "no" => Ok(false),
                _ => Err(vec![Problem::Type("a truth value")]),
            },
        }
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(SchemaType::Type(Type::Boolean)).into()
    }
}

impl<T: Input> Field for Object<T> {
    fn read(raw: Raw) -> Result<Self, Vec<Problem>> {
        let mut form = match raw {
            Raw::Missing => return Err(vec![Problem::Required]),
            Raw::Json(Value::Null) => return Err(vec![Problem::Null]),
            Raw::Json(Value::Object(object)) => Form::json(object),
            _ => return Err(vec![Problem::Type("an object")]),
        };
        match T::read(&mut form) {
            Some(value) => Ok(Self(value)),
            None => Err(form
                .into_problems()
                .iter()
                .flat_map(|(field, problems)| {
                    problems.iter().map(|problem| Problem::Within {
                        field: field.to_owned(),
                        problem: Box::new(problem.clone()),
                    })
                })
                .collect()),
        }
    }

    fn schema() -> RefOr<Schema> {
        T::schema()
    }
}

/// Any object.
impl Field for Map<String, Value> {
    fn read(raw: Raw) -> Result<Self, Vec<Problem>> {
        match raw {
            Raw::Missing => Err(vec![Problem::Required]),
            Raw::Json(Value::Null) => Err(vec![Problem::Null]),
            // No store keeps the character, wherever in the object it stands.
            Raw::Json(value @ Value::Object(_)) if value.to_string().contains("\\u0000") => {
                Err(vec![Problem::NulCharacter])
            }
            Raw::Json(Value::Object(object)) => Ok(object),
            _ => Err(vec![Problem::Type("an object")]),
        }
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(SchemaType::Type(Type::Object)).into()
    }
}

impl<T: Field> Field for Change<T> {
    const REQUIRED: bool = false;

    fn read(raw: Raw) -> Result<Self, Vec<Problem>> {
        match raw {
            Raw::Missing => Ok(Self(None)),
            Raw::Json(Value::Null) => Ok(Self(Some(None))),
            raw if is_nothing::<T>(&raw) => Ok(Self(Some(None))),
            raw => T::read(raw).map(|value| Self(Some(Some(value)))),
        }
    }

    fn schema() -> RefOr<Schema> {
        T::schema()
    }
}

/// Whether a text stands for no value of a type.
fn is_nothing<T: Field>(raw: &Raw) -> bool {
    T::BLANK_IS_NOTHING && matches!(raw, Raw::Json(Value::String(text)) if text.trim().is_empty())
}

impl Field for Uuid {
    const BLANK_IS_NOTHING: bool = true;

    fn read(raw: Raw) -> Result<Self, Vec<Problem>> {
        text(raw)?.parse().map_err(|_| vec![Problem::Format("id")])
    }

    fn schema() -> RefOr<Schema> {
        format("uuid")
    }
}

impl Field for Upload {
    fn read(raw: Raw) -> Result<Self, Vec<Problem>> {
        match raw {
            Raw::Files(mut files) => files.pop().ok_or_else(|| vec![Problem::Required]),
            Raw::Missing => Err(vec![Problem::Required]),
            Raw::Json(_) | Raw::Texts(_) => Err(vec![Problem::Type("a file")]),
        }
    }

    fn schema() -> RefOr<Schema> {
        format("binary")
    }
}

impl<T: Field> Field for Option<T> {
    const REQUIRED: bool = false;

    fn read(raw: Raw) -> Result<Self, Vec<Problem>> {
        match raw {
            Raw::Missing | Raw::Json(Value::Null) => Ok(None),
            // A form has no other way to say "nothing".
            Raw::Texts(texts) if texts.iter().all(|text| text.trim().is_empty()) => Ok(None),
            raw if is_nothing::<T>(&raw) => Ok(None),
            raw => T::read(raw).map(Some),
        }
    }

    fn schema() -> RefOr<Schema> {
        T::schema()
    }
}

impl<T: Field> Field for Vec<T> {
    const REQUIRED: bool = false;

    fn read(raw: Raw) -> Result<Self, Vec<Problem>> {
        let raws: Vec<Raw> = match raw {
            Raw::Missing | Raw::Json(Value::Null) => Vec::new(),
            Raw::Json(Value::Array(values)) => values.into_iter().map(Raw::Json).collect(),
            Raw::Json(_) => return Err(vec![Problem::Type("a list")]),
            Raw::Texts(texts) => texts.into_iter().map(|text| Raw::Texts(vec![text])).collect(),
            Raw::Files(files) => files.into_iter().map(|file| Raw::Files(vec![file])).collect(),
        };
        let (mut items, mut problems) = (Vec::with_capacity(raws.len()), Vec::new());
        for raw in raws {
            match T::read(raw) {
                Ok(item) => items.push(item),
                Err(wrong) => problems.extend(wrong),
            }
        }
        if problems.is_empty() { Ok(items) } else { Err(problems) }
    }

    fn schema() -> RefOr<Schema> {
        ArrayBuilder::new().items(T::schema()).into()
    }
}

/// Any JSON.
impl Field for Value {
    fn read(raw: Raw) -> Result<Self, Vec<Problem>> {
        match raw {
            Raw::Missing => Err(vec![Problem::Required]),
            Raw::Json(value) => Ok(value),
            other => text(other).map(Self::String),
        }
    }

    fn schema() -> RefOr<Schema> {
        schema::empty().into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn json<T: Field>(value: Value) -> Result<T, Vec<Problem>> {
        T::read(Raw::Json(value))
    }

    fn form<T: Field>(text: &str) -> Result<T, Vec<Problem>> {
        T::read(Raw::Texts(vec![text.to_owned()]))
    }

    #[test]
    fn lines_are_trimmed_counted_in_characters_and_never_empty() {
        assert_eq!(json(json!("  żółć ")), Ok(Line::<4>("żółć".into())));
        assert_eq!(json::<Line<4>>(json!("abcde")), Err(vec![Problem::TooLong(4)]));
        assert_eq!(json::<Line<4>>(json!(" ")), Err(vec![Problem::Blank]));
        assert_eq!(json::<Line<4>>(json!("a\0")), Err(vec![Problem::NulCharacter]));
        assert_eq!(json::<Line<4>>(json!(5)), Err(vec![Problem::Type("a text")]));
        assert_eq!(json::<Line<4>>(Value::Null), Err(vec![Problem::Null]));
        assert_eq!(Line::<4>::read(Raw::Missing), Err(vec![Problem::Required]));
    }

    #[test]
    fn numbers_are_whole_and_in_range_however_large_they_are_written() {
        assert_eq!(json(json!(5)), Ok(Int::<1, 10>(5)));
        assert_eq!(form(" 5 "), Ok(Int::<1, 10>(5)));
        assert_eq!(json::<Int<1, 10>>(json!(11)), Err(vec![Problem::TooLarge(10)]));
        let wrong = Err(vec![Problem::Type("a whole number")]);
        for value in [json!(1.5), json!("5"), json!([5]), serde_json::from_str("1e400").unwrap_or(json!({}))]
        {
            assert_eq!(json::<Int<1, 10>>(value), wrong);
        }
        assert_eq!(form::<Int<1, 10>>("99999999999999999999999"), wrong);
    }

    #[test]
    fn nothing_is_nothing_in_json_and_in_forms() {
        assert_eq!(json::<Option<Line<4>>>(Value::Null), Ok(None));
        assert_eq!(form::<Option<Line<4>>>(""), Ok(None));
        assert_eq!(Option::<Line<4>>::read(Raw::Missing), Ok(None));
        assert_eq!(json::<Option<Line<4>>>(json!("")), Err(vec![Problem::Blank]));
        assert_eq!(json::<Option<Uuid>>(json!("")), Ok(None));
        assert_eq!(json::<Change<Uuid>>(json!(" ")), Ok(Change(Some(None))));
        assert_eq!(json::<Uuid>(json!("")), Err(vec![Problem::Format("id")]));
        assert_eq!(json::<Vec<Line<4>>>(Value::Null), Ok(Vec::new()));
    }

    #[test]
    fn addresses_have_a_name_and_a_place() {
        assert!(json::<Email>(json!("ada@example.com")).is_ok());
        for wrong in ["ada", "@x", "ada@", "a b@c", "a@b@c"] {
            assert_eq!(json::<Email>(json!(wrong)), Err(vec![Problem::Format("e-mail address")]), "{wrong}");
        }
    }
}
