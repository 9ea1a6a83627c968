//! From an operation of the table to a request, and to its answer.

use std::collections::BTreeMap;

use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::form_urlencoded;

use super::account::Account;
use super::context::{Place, Stop};
use super::{Boxed, Sent, Walker};
use crate::client::{Reply, Request};
use crate::contract::{Op, Override};
use crate::files::{Form, content};
use crate::json::{as_text, at, differences, put, relaxed, search};

/// What stays as it is in a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

impl Walker<'_> {
    /// Sends an operation as `actor`. A success is kept in `record`, or in the context of the call.
    pub(super) fn call<'w>(
        &'w mut self,
        op: &'w Op,
        place: Place,
        actor: Option<&'w str>,
        over: &'w Override,
        record: Option<Place>,
    ) -> Boxed<'w, Sent> {
        Box::pin(async move {
            let account = if over.token.is_some() { None } else { self.account(actor).await? };
            let (path, mut query) = self.address(op, place, over, actor).await?;
            let method = over.method.unwrap_or(&op.method);
            let mut request = Request::new(Method::from_bytes(method.as_bytes()).expect("a method"), "");
            for (name, value) in op.headers.iter().chain(&over.headers) {
                let value = self.fill(&Value::String(value.clone()), place)?;
                request = request.header(name, &as_text(&value));
            }
            let mut body = Value::Null;
            if let Some(raw) = over.raw {
                request = request.body("application/json", raw.unwrap_or_default());
            } else {
                body = self.body(op, place, over, account.as_ref()).await?;
                if op.body_type.as_deref() == Some("multipart") && !body.is_null() {
                    request = request.form(&form(&body));
                } else if !body.is_null() {
                    request = request.json(&body);
                }
            }
            let token = match &over.token {
                Some(token) => Some(as_text(&self.fill(&Value::String(token.clone()), place)?)),
                None => account.as_ref().and_then(|account| account.token.clone()),
            };
            let key = account.as_ref().and_then(|account| account.given.api_key.clone());
            let authorised = request.headers.contains_key("authorization");
            match (token, key) {
                (Some(token), _) if !authorised => {
                    self.secret(&token);
                    request = request.bearer(&token);
                }
                (None, Some(key)) => {
                    self.secret(&key);
                    if op.query.iter().any(|parameter| parameter.name == "api_key") {
                        query.insert("api_key".into(), key);
                    } else {
                        request = request.header("x-api-key", &key);
                    }
                }
                _ => {}
            }
            self.note(&body);
            for name in ["token", "api_key"] {
                query.get(name).cloned().iter().for_each(|value| self.secret(value));
            }
            let mark = self.server.mails.mark();
            let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(&query).finish();
            let target = if encoded.is_empty() { path } else { format!("{path}?{encoded}") };
            let label = format!("{} as {}", op.id, actor.unwrap_or("nobody"));
            let mut reply = self.send(request, &target, &label).await?;
            if op.response_type.is_some() && (300..400).contains(&reply.status) {
                reply = self.open(reply.header("location"), &label).await?;
            }
            let sent = Sent { reply, body };
            if op.succeeds(sent.reply.status) && over.raw.is_none() && over.method.is_none() {
                self.keep(record.unwrap_or(place), op, &sent, mark);
                self.remember(op, &sent.body, account.as_ref());
            }
            Ok(sent)
        })
    }

    /// A `POST` of JSON, without a caller.
    pub(super) async fn post(&mut self, path: &str, body: &Value, label: &str) -> Result<Reply, Stop> {
        self.note(body);
        self.send(Request::post("").json(body), path, label).await
    }

    /// The answer to a link that the server gave, asked of this server whatever host the link names.
    pub(super) async fn open(&mut self, link: &str, label: &str) -> Result<Reply, Stop> {
        let target =
            link.split_once("://").map_or(link, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
        let target = target.strip_prefix(self.mount).unwrap_or(target).to_owned();
        self.send(Request::get(""), &target, label).await
    }

    /// Sends a request below the mount, waits until what follows from it has happened, and looks over the answer
    /// as far as every answer is the same.
    async fn send(&mut self, mut request: Request, target: &str, label: &str) -> Result<Reply, Stop> {
        let method = request.method.clone();
        let what = format!("{method} {target} ({label})");
        request.target = format!("{}{target}", self.mount);
        self.report.requests += 1;
        let answered = self.server.client.try_send(request).await;
        if method != Method::GET {
            self.server.settle().await;
        }
        let reply = match answered {
            Ok(reply) => reply,
            Err(error) => {
                self.report.failures.push(format!("{what}: {error}"));
                return Err(Stop::blocked(label, "no answer"));
            }
        };
        if reply.status >= 500 {
            self.report.failures.push(format!("{what}: {} {}", reply.status, reply.excerpt()));
        }
        if reply.status >= 400 {
            let mut wrong = differences(&relaxed(&self.contract.errors_shape), &reply.json(), &[]);
            let text = reply.text();
            // Names may be told back; what opens something never is.
            let told =
                self.secrets.iter().filter(|secret| !secret.contains('@') && text.contains(secret.as_str()));
            wrong.extend(told.map(|secret| format!("it tells {secret}")));
            self.report.check("refusals", &what, &wrong);
        } else {
            self.note(&reply.json());
        }
        Ok(reply)
    }

    /// The path with its parameters, and the query.
    pub(super) async fn address(
        &mut self,
        op: &Op,
        place: Place,
        over: &Override,
        actor: Option<&str>,
    ) -> Result<(String, BTreeMap<String, String>), Stop> {
        let mut bound = op.bind.clone();
        bound.extend(over.bind.clone());
        let names: Vec<String> = op.parameters().map(str::to_owned).collect();
        let mut path = op.path.clone();
        for name in &names {
            let value = match over.unknown.get(name) {
                Some(value) => value.clone(),
                None => self.value_of(op, name, bound.get(name), place, actor).await?,
            };
            path = path.replace(&format!("{{{name}}}"), &utf8_percent_encode(&value, PATH).to_string());
        }
        let mut query = BTreeMap::new();
        for (name, text) in bound.iter().filter(|(name, _)| !names.contains(name)) {
            if over.query.get(name) != Some(&Value::Null) {
                query.insert(name.clone(), self.value_of(op, name, Some(text), place, actor).await?);
            }
        }
        for (name, value) in over.query.iter().filter(|(_, value)| !value.is_null()) {
            query.insert(name.clone(), as_text(&self.fill(value, place)?));
        }
        Ok((path, query))
    }

    async fn value_of(
        &mut self,
        op: &Op,
        name: &str,
        text: Option<&String>,
        place: Place,
        actor: Option<&str>,
    ) -> Result<String, Stop> {
        let text = text.ok_or_else(|| Stop::blocked(&op.id, format!("the contract binds no {name}")))?;
        let found = if text == "OWN_ORG" {
            let reply = actor.and_then(|actor| self.accounts.get(actor)?.reply.as_ref());
            reply.and_then(|reply| search(reply, "orgId")).cloned().unwrap_or_default()
        } else if self.is_reference(text) {
            self.reference(text, place)?
        } else {
            let localized = self.localize(&Value::String(text.clone()), place, None).await?;
            self.fill(&localized, place)?
        };
        if found.is_null() {
            return Err(Stop::blocked(text.split('#').next().unwrap_or_default(), format!("{name} is null")));
        }
        Ok(as_text(&found))
    }

    /// The body to send: the operation's, with the override's changes, real names and values filled in.
    async fn body(
        &mut self,
        op: &Op,
        place: Place,
        over: &Override,
        account: Option<&Account>,
    ) -> Result<Value, Stop> {
        let mut body = over.body_is.clone().unwrap_or_else(|| op.body.clone());
        if let Some(from) = &over.body_from {
            let pointer = format!("/{}", from.replace('.', "/"));
            body = at(&self.whole, &pointer).ok_or_else(|| Stop::blocked(from, "no such body"))?;
        }
        match (&mut body, &over.body) {
            (_, Value::Null) => {}
            (Value::Object(fields), Value::Object(changes)) => fields.extend(changes.clone()),
            (body, changes) => *body = changes.clone(),
        }
        if let Value::Object(fields) = &mut body {
            fields.retain(|key, _| !over.body_remove.contains(key));
        }
        let caller = account.filter(|_| op.auth.as_deref() != Some("none"));
        let localized = self.localize(&body, place, caller).await?;
        let mut body = self.fill(&localized, place)?;
        // Those that name the mail come first: the others are "from the same link".
        let mut sources: Vec<_> = op.out_of_band.iter().collect();
        sources.sort_by_key(|(_, source)| !source.contains("that "));
        for (pointer, source) in sources {
            let name = pointer.trim_matches('/');
            if over.literal || over.body.get(name).is_some() {
                continue;
            }
            if let Some(value) = self.out_of_band(name, source, place)? {
                put(&mut body, pointer, value);
            }
        }
        Ok(body)
    }

    /// Remembers something that nobody but its owner may ever see.
    pub(super) fn secret(&mut self, text: &str) {
        // What is this short stands everywhere by chance.
        if text.len() >= 8 {
            self.secrets.insert(text.to_owned());
        }
    }

    /// Remembers what is secret in a body or an answer.
    fn note(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.note(item)),
            Value::Object(fields) => {
                for (key, part) in fields {
                    let name = key.to_lowercase();
                    let hidden = ["password", "token", "access", "refresh", "secret", "email"];
                    match part {
                        Value::String(text) if hidden.iter().any(|word| name.contains(word)) => {
                            self.secret(text)
                        }
                        Value::String(text) => {
                            if let Some((_, token)) = text.split_once("?token=") {
                                self.secret(token);
                            }
                        }
                        other => self.note(other),
                    }
                }
            }
            _ => {}
        }
    }
}

/// A body of the table as a form: files are `{file, type}` objects, and lists of them repeat a field.
fn form(body: &Value) -> Form {
    let mut form = Form::new();
    for (name, value) in body.as_object().into_iter().flatten() {
        let several = value.as_array().filter(|items| items.iter().any(Value::is_object));
        for item in several.map_or_else(|| std::slice::from_ref(value), Vec::as_slice) {
            form = match item.get("file").and_then(Value::as_str) {
                Some(file) => {
                    let media_type = item.get("type").and_then(Value::as_str);
                    let size =
                        item.get("bytes").and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
                    let content = match item.get("content").and_then(Value::as_str) {
                        Some(content) => content.as_bytes().to_vec(),
                        None => content(media_type.unwrap_or_default(), size.unwrap_or_default()),
                    };
                    form.file(name, file, media_type.unwrap_or("application/octet-stream"), content)
                }
                None => form.text(name, as_text(item)),
            };
        }
    }
    form
}
