//! Bodies that can be read, with one field that is wrong. The refusal names that field and no other.

use helpdesk_tests::client::Request;
use helpdesk_tests::files::{Form, png};
use helpdesk_tests::on_every_store;
use serde_json::{Value, json};

use super::{Field, Trial};
use crate::support::{Payload, assert_none};

/// What a field cannot be in JSON.
fn wrong_values(field: &Field) -> Vec<(&'static str, Value)> {
    let mut wrong = vec![("a text with a null character", json!("a\0b"))];
    if field.is("type", "object") {
        wrong.extend([
            ("an array", json!(["text"])),
            ("a text", json!("text")),
            ("a number", json!(1)),
            ("an object with a null character in it", json!({ "a": ["b\0"] })),
        ]);
        return wrong;
    }
    wrong.push(("an object", json!({ "a": 1 })));
    if field.is("type", "array") {
        wrong.extend([
            ("an array of numbers", json!([1])),
            ("a text", json!("text")),
            ("a number", json!(1)),
        ]);
        return wrong;
    }
    if field.is("type", "boolean") {
        wrong.extend([("an array", json!([true])), ("a number", json!(5)), ("a text", json!("true"))]);
        if field.required {
            wrong.push(("null", Value::Null));
        }
        return wrong;
    }
    let nested = (0..100).fold(json!(1), |inner, _| json!([inner]));
    wrong.extend([
        ("an array", json!(["text"])),
        ("an empty array", json!([])),
        ("arrays in arrays", nested),
        ("a number", json!(5)),
        ("a huge number", json!(1e308)),
        ("a whole number too large for anything", json!(u64::MAX)),
        ("a negative number", json!(-1)),
        ("a truth value", json!(true)),
    ]);
    if field.required {
        wrong.push(("null", Value::Null));
    }
    wrong.extend(wrong_texts(field).into_iter().map(|(what, text)| (what, json!(text))));
    wrong
}

/// What a field cannot be, neither in JSON nor in a form.
fn wrong_texts(field: &Field) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    if field.is_file() {
        wrong.push(("a text", "text".to_owned()));
        return wrong;
    }
    wrong.push(("a megabyte", "x".repeat(1_000_000)));
    if let Some(most) = field.longest() {
        wrong.push(("a character too many", "ż".repeat(most + 1)));
    }
    if field.schema.get("enum").is_some() {
        wrong.push(("none of the choices", "Nonsense".into()));
        let first = field.schema["enum"][0].as_str().unwrap_or_default();
        wrong.push(("a choice in other letters", first.to_uppercase() + "x"));
        wrong.push(("a choice with a space", format!("{first} ")));
    }
    if field.is("format", "email") {
        for (what, text) in [
            ("no address", "nobody"),
            ("an address without a name", "@demo.test"),
            ("an address without a place", "nobody@"),
            ("two addresses", "a@demo.test,b@demo.test"),
            ("an address with a line in it", "a@demo.test\nBcc: everybody@demo.test"),
        ] {
            wrong.push((what, text.to_owned()));
        }
    }
    if field.is("format", "date") {
        for (what, text) in [
            ("no day", "tomorrow"),
            ("a day that is not", "2025-02-30"),
            ("a day in another order", "25/12/2023"),
            ("an instant", "2025-01-15T09:00:00Z"),
            ("a far day", "99999-01-01"),
        ] {
            wrong.push((what, text.to_owned()));
        }
    }
    // Where nothing may stand for nothing, it does; where something must be, nothing is not it.
    if field.required && field.schema.get("minLength").is_some() {
        wrong.push(("nothing", String::new()));
        wrong.push(("spaces", " \t ".into()));
    }
    wrong
}

impl Trial {
    /// Sends one wrong field, and checks that the refusal is about it.
    pub(super) async fn wrong_field(&mut self, place: usize, field: &str, what: &str, request: Request) {
        let what = format!("{what} as {field}");
        // What is too large as a whole is not looked into.
        let too_large = request.body.len() as u64 > self.targets[place].limit();
        let Some(reply) = self.refused(place, &what, request).await else { return };
        let told = reply.json();
        let spoken = self.targets[place].spoken;
        let told = told.pointer(spoken.problems_at).and_then(Value::as_object);
        let named: Vec<_> = told.into_iter().flat_map(|it| it.keys()).collect();
        let named_or_unread = named == [field] || (too_large && named.is_empty());
        if !named_or_unread || (reply.status != spoken.invalid && !too_large) {
            self.note(place, &what, &format!("{} names {named:?}", reply.status));
        }
    }
}

on_every_store! {
    /// Every field of every operation that takes JSON, with everything that it cannot be.
    async fn fields_of_json(store: NewStore) {
        let mut trial = Trial::of_bodies(store).await;
        let mut tried = 0;
        for place in 0..trial.targets.len() {
            let (fields, good) = (trial.targets[place].fields.clone(), trial.targets[place].body());
            let needs_files = fields.iter().any(|field| field.required && field.is_file());
            for field in fields {
                let send = |trial: &Trial, value: Option<Value>| {
                    let mut body = good.clone();
                    match value {
                        Some(value) => drop(body.insert(field.name.clone(), value)),
                        None => drop(body.remove(&field.name)),
                    }
                    trial.targets[place].request(&trial.world).json(&Value::Object(body))
                };
                for (what, value) in wrong_values(&field) {
                    // A file that JSON cannot carry is missing as well.
                    if needs_files && !field.is_file() {
                        continue;
                    }
                    let request = send(&trial, Some(value));
                    trial.wrong_field(place, &field.name, what, request).await;
                    tried += 1;
                }
                if field.required {
                    let request = send(&trial, None);
                    trial.wrong_field(place, &field.name, "nothing at all", request).await;
                    tried += 1;
                }
            }
        }
        assert_none(&trial.problems);
        assert!(tried > 400, "{tried}");
    }

    /// The same in forms, as far as forms can say it: as parts, and as pairs.
    async fn fields_of_forms(store: NewStore) {
        let mut trial = Trial::of_bodies(store).await;
        let mut tried = 0;
        for place in 0..trial.targets.len() {
            let Payload::Form(good) = (trial.targets[place].sample.payload)() else { continue };
            for field in trial.targets[place].fields.clone() {
                let name = &field.name;
                let mut forms = Vec::new();
                for (what, text) in wrong_texts(&field) {
                    forms.push((what, good.clone().without(name).text(name, text)));
                }
                if !field.is_file() {
                    let with_null = good.clone().without(name).text(name, "a\0b");
                    forms.push(("a null character", with_null));
                    let file = good.clone().without(name).file(name, "a.png", "image/png", png(0));
                    forms.push(("a file", file));
                }
                if field.required {
                    forms.push(("nothing at all", good.clone().without(name)));
                }
                for (what, form) in forms {
                    let request = trial.targets[place].request(&trial.world).form(&form);
                    trial.wrong_field(place, name, what, request).await;
                    tried += 1;
                    let pairs: Vec<(&str, String)> = form.texts().collect();
                    let needs_files = trial.targets[place].fields.iter().any(|it| it.required && it.is_file());
                    if needs_files || what == "a file" || what == "a megabyte" {
                        continue;
                    }
                    let pairs = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
                    let request = trial.targets[place].request(&trial.world);
                    let request = request.body("application/x-www-form-urlencoded", pairs);
                    trial.wrong_field(place, name, what, request).await;
                }
            }
        }
        assert_none(&trial.problems);
        assert!(tried > 60, "{tried}");
    }

    /// Texts that are hard to keep and harmless: they are taken as they are, and come back as they were.
    async fn strange_texts_come_back_as_they_were(store: NewStore) {
        let trial = Trial::new(store).await;
        let token = trial.world.server.token("customer").await;
        for text in [
            "' OR '1'='1'; DROP TABLE tickets; --",
            "<script>alert(1)</script>",
            "{{7*7}} ${7*7} %s %n {from}",
            "\u{202e}desrever\u{202c}",
            "👩‍👩‍👧‍👦 zażółć gęślą jaźń 日本語",
            "a\u{301}\u{301}\u{301}\u{200b}\u{feff}",
            "\\u0000 \\x00 %00",
            "=cmd|' /C calc'!A0",
            "\u{f8f0}0190163d8694739baea5966c26f8ad91:0:4\u{f8f0}",
        ] {
            let form = Form::new().text("subject", text).text("description", text);
            let form = form.text("category", "Hardware").text("sub_category", "Other");
            let request = Request::post("/smartsupport/api/tickets/").bearer(&token).form(&form);
            let made = trial.world.server.client.send(request).await;
            assert_eq!(made.status, 201, "{text}: {}", made.excerpt());
            let path = format!("/smartsupport/api/tickets/{}/", made.json()["id"]);
            let read = trial.world.server.client.send(Request::get(path).bearer(&token)).await.json();
            assert_eq!((read["subject"].as_str(), read["description"].as_str()), (Some(text), Some(text)));
        }
    }
}
