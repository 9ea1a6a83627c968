//! The raw fields of a body or query.

use std::collections::BTreeMap;

use bytes::Bytes;
use helpdesk_core::{Problem, Problems};
use serde_json::{Map, Value};

use super::Field;

/// A file that was uploaded.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The name its sender gave it.
    pub name: String,
    /// What is in it.
    pub content: Bytes,
}

/// A field as it was sent, before its type is known.
#[derive(Clone, Debug)]
pub enum Raw {
    /// It was not sent.
    Missing,
    /// A JSON value.
    Json(Value),
    /// Texts of a form or query, one for each time the field was sent.
    Texts(Vec<String>),
    /// Files.
    Files(Vec<Upload>),
}

/// The fields that were sent, and what was found wrong with them.
#[derive(Debug, Default)]
pub struct Form {
    json: Map<String, Value>,
    texts: BTreeMap<String, Vec<String>>,
    files: BTreeMap<String, Vec<Upload>>,
    problems: Problems,
}

impl Form {
    /// The fields of a JSON object.
    #[must_use]
    pub fn json(object: Map<String, Value>) -> Self {
        Self { json: object, ..Self::default() }
    }

    /// The fields of a form or query.
    #[must_use]
    pub fn pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut form = Self::default();
        pairs.into_iter().for_each(|(name, value)| form.add_text(name, value));
        form
    }

    /// The fields of a query string.
    #[must_use]
    pub fn query(query: &str) -> Self {
        Self::pairs(url::form_urlencoded::parse(query.as_bytes()).into_owned())
    }

    /// Adds a text.
    pub fn add_text(&mut self, name: String, value: String) {
        self.texts.entry(name).or_default().push(value);
    }

    /// Adds a file.
    pub fn add_file(&mut self, name: String, file: Upload) {
        self.files.entry(name).or_default().push(file);
    }

    /// What was found wrong so far.
    #[must_use]
    pub const fn problems(&self) -> &Problems {
        &self.problems
    }

    /// Notes something wrong.
    pub fn add_problem(&mut self, field: &str, problem: Problem) {
        self.problems.add(field, problem);
    }

    /// What was found wrong.
    #[must_use]
    pub fn into_problems(self) -> Problems {
        self.problems
    }

    /// Reads a field, which may have come under any of the names. What is wrong is noted under the first.
    pub fn field<T: Field>(&mut self, names: &[&'static str]) -> Option<T> {
        match T::read(self.take(names)) {
            Ok(value) => Some(value),
            Err(problems) => {
                problems.into_iter().for_each(|problem| self.problems.add(names[0], problem));
                None
            }
        }
    }

    fn take(&mut self, names: &[&'static str]) -> Raw {
        if let Some(value) = names.iter().find_map(|name| self.json.remove(*name)) {
            return Raw::Json(value);
        }
        let mut files = Vec::new();
        names.iter().for_each(|name| files.extend(self.files.remove(*name).unwrap_or_default()));
        if !files.is_empty() {
            return Raw::Files(files);
        }
        let mut texts = Vec::new();
        names.iter().for_each(|name| texts.extend(self.texts.remove(*name).unwrap_or_default()));
        if texts.is_empty() { Raw::Missing } else { Raw::Texts(texts) }
    }
}
