//! Values out of earlier answers.

use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;

use super::Walker;
use super::context::{Place, Stop};
use crate::contract::Op;
use crate::json::{as_text, at, search};

/// What stands between the `{{` and `}}` of a text.
pub(super) fn templates(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).filter_map(|part| part.split_once("}}")).map(|(inner, _)| inner)
}

impl Walker<'_> {
    /// A value with every template in it replaced; a template alone keeps its type.
    pub(super) fn fill(&mut self, value: &Value, place: Place) -> Result<Value, Stop> {
        match value {
            Value::Array(items) => {
                let filled: Result<_, _> = items.iter().map(|item| self.fill(item, place)).collect();
                Ok(Value::Array(filled?))
            }
            Value::Object(fields) => {
                let filled: Result<_, _> =
                    fields.iter().map(|(key, part)| Ok((key.clone(), self.fill(part, place)?))).collect();
                Ok(Value::Object(filled?))
            }
            Value::String(text) => self.fill_text(text, place),
            other => Ok(other.clone()),
        }
    }

    fn fill_text(&mut self, text: &str, place: Place) -> Result<Value, Stop> {
        let alone = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        if let Some(inner) = alone.filter(|inner| !inner.contains('{')) {
            return self.expression(inner, place);
        }
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, inner, after)) = rest.split_once("{{").and_then(|(before, rest)| {
            let (inner, after) = rest.split_once("}}")?;
            Some((before, inner, after))
        }) {
            filled += before;
            filled += &as_text(&self.expression(inner, place)?);
            rest = after;
        }
        Ok(Value::String(filled + rest))
    }

    /// The value of what stands between `{{` and `}}`.
    fn expression(&mut self, text: &str, place: Place) -> Result<Value, Stop> {
        let (text, tail) = text.split_once("|after ").map_or((text, ""), |(text, tail)| (text, tail.trim()));
        let text = text.trim();
        let value = if text == "unique" {
            self.serial += 1;
            Value::String(format!("{}{}", self.seed, self.serial))
        } else if let Some(name) = text.strip_prefix("vars.") {
            let found = self.contexts.get(place).vars.get(name).cloned();
            found.ok_or_else(|| Stop::blocked(text, "no such name"))?
        } else if text == "signature" || text.starts_with("totp:") {
            // None of the dialects that are there needs them yet.
            return Err(Stop::Skip(format!("the walker cannot make a {text}")));
        } else {
            self.reference(text, place)?
        };
        if tail.is_empty() {
            return Ok(value);
        }
        let whole = as_text(&value);
        let (_, after) = whole.split_once(tail).ok_or_else(|| Stop::Skip(format!("{text} has no {tail}")))?;
        Ok(Value::String(after.split('?').next().unwrap_or_default().to_owned()))
    }

    /// The value of `OP#/pointer`, or of `N#/pointer` for a scenario's step.
    pub(super) fn reference(&self, text: &str, place: Place) -> Result<Value, Stop> {
        let (op, pointer) = text.split_once('#').unwrap_or((text, ""));
        let none = || Stop::blocked(op, format!("its answer has no {pointer}"));
        if let Ok(step) = op.parse::<usize>() {
            let answer = self.contexts.get(place).steps.get(step).ok_or_else(none)?;
            return at(answer, pointer).ok_or_else(none);
        }
        let home = self.contexts.holding(place, op).ok_or_else(|| Stop::blocked(op, "no usable answer"))?;
        at(&self.contexts.get(home).got[op], pointer).ok_or_else(none)
    }

    /// Whether a text is `OP#/pointer`.
    pub(super) fn is_reference(&self, text: &str) -> bool {
        text.split_once('#').is_some_and(|(op, pointer)| {
            self.ops.contains_key(op)
                && (pointer.is_empty() || pointer.starts_with('/'))
                && !pointer.contains(' ')
        })
    }

    /// A value that no answer carries, out of a mailed link. `None` where the contract's own is meant.
    pub(super) fn out_of_band(
        &mut self,
        name: &str,
        source: &str,
        place: Place,
    ) -> Result<Option<Value>, Stop> {
        if source.contains("TOTP") {
            return Err(Stop::Skip("the walker cannot make a one-time code".into()));
        }
        if let Some(sender) = sender(source) {
            let home = self.contexts.holding(place, sender);
            let in_scenario = self.standing.is_some() && self.contexts.parent(place) == self.standing;
            if in_scenario && home != Some(place) {
                // A scenario that sends no mail of its own wants the literal.
                return Ok(None);
            }
            let home = home.ok_or_else(|| Stop::blocked(sender, "sent no mail"))?;
            let context = self.contexts.get(home);
            let address = search(&context.sent[sender], "email").map(as_text).unwrap_or_default();
            let link = self.server.mails.link(&address, context.mailed[sender]);
            let link =
                link.ok_or_else(|| Stop::blocked("mail", format!("none with a link for {address}")))?;
            self.secret(&link);
            self.last_link = Some(link);
        }
        let Some(link) = &self.last_link else { return Ok(None) };
        let value = from_link(link, name);
        self.secret(&value);
        Ok(Some(Value::String(value)))
    }
}

/// The operation of "… that OP sends".
fn sender(source: &str) -> Option<&str> {
    let (_, rest) = source.split_once("that ")?;
    rest.split_once(" sends").map(|(op, _)| op)
}

/// The value of a name that a link carries: a query parameter, or the last parts of its path.
#[must_use]
pub fn from_link(link: &str, name: &str) -> String {
    let url = Url::parse(link).unwrap_or_else(|error| panic!("{link} is no link: {error}"));
    let names: &[&str] = if name == "uidb64" { &["uidb64", "uid"] } else { &[name, "token"] };
    let parameter =
        |wanted: &&str| url.query_pairs().find(|(key, _)| key == wanted).map(|(_, value)| value.into_owned());
    if let Some(found) = names.iter().find_map(parameter) {
        return found;
    }
    let parts: Vec<_> = url.path_segments().into_iter().flatten().filter(|part| !part.is_empty()).collect();
    let back = if name.starts_with("uid") { 2 } else { 1 };
    let part = parts.len().checked_sub(back).and_then(|place| parts.get(place)).copied().unwrap_or_default();
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// The ids of the operations whose answers, mails or setups a part of the table uses.
pub(super) fn mentioned(op: &Op) -> Vec<String> {
    let mut found: Vec<String> =
        op.setup.iter().map(|text| crate::contract::step(text).0.to_owned()).collect();
    let mut refer = |text: &str| found.extend(text.split_once("#/").map(|(id, _)| id.to_owned()));
    op.bind.values().for_each(|text| {
        refer(text);
        templates(text).for_each(&mut refer);
    });
    texts(&op.body, &mut |text| templates(text).for_each(&mut refer));
    op.body_variants.iter().for_each(|variant| {
        texts(&variant.body, &mut |text| templates(text).for_each(&mut refer));
    });
    found.extend(op.out_of_band.values().filter_map(|source| sender(source)).map(str::to_owned));
    found
}

fn texts(value: &Value, each: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => each(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, each)),
        Value::Object(fields) => fields.values().for_each(|part| texts(part, each)),
        _ => {}
    }
}
