//! Undocumented methods, broken bodies, ids that do not exist.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::Walker;
use super::context::{Stop, WALKED};
use crate::contract::{Op, Override};

const UNKNOWN_UUID: &str = "00000000-0000-4000-8000-000000000000";

impl Walker<'_> {
    /// Tries them all.
    pub async fn edges(&mut self) {
        let mut seen = BTreeSet::new();
        for op in self.order.clone() {
            let first = seen.insert(op.path.clone());
            let names: Vec<String> = op.parameters().map(str::to_owned).collect();
            let (mut ids, mut made_up) = (BTreeMap::new(), BTreeMap::new());
            for name in &names {
                let known = self.known(&op, name).await;
                let unknown = made_up_like(known.as_deref().unwrap_or("1"));
                ids.insert(name.clone(), known.unwrap_or_else(|| unknown.clone()));
                made_up.insert(name.clone(), unknown);
            }
            if first {
                for method in self.undocumented(&op, &ids).into_iter().take(2) {
                    let body = (method != "GET").then_some("{}");
                    let over = Override { method: Some(method), raw: Some(body), ..without_query(&op) };
                    let name = format!("{method} {}", op.path);
                    self.edge("routes", &op, &name, &ids, over, |status| matches!(status, 404 | 405)).await;
                }
            }
            if op.body_type.as_deref() == Some("json") && matches!(&*op.method, "POST" | "PUT" | "PATCH") {
                let over = Override { raw: Some(Some("{\"broken\": ")), ..without_query(&op) };
                self.edge("malformed", &op, &op.id, &ids, over, is_refusal).await;
            }
            for name in &names {
                let mut wrong = vec![made_up[name].clone()];
                wrong.extend(first.then(|| "not%an-id".to_owned()));
                for value in wrong {
                    let mut ids = ids.clone();
                    ids.insert(name.clone(), value.clone());
                    let what = format!("{} {name}={value}", op.id);
                    self.edge("unknown", &op, &what, &ids, Override::default(), is_refusal).await;
                }
            }
        }
    }

    /// The methods that no operation has on the operation's path, or on a path of the same form.
    fn undocumented(&self, op: &Op, ids: &BTreeMap<String, String>) -> Vec<&'static str> {
        let path =
            ids.iter().fold(op.path.clone(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id));
        let same = |other: &Op| other.path == op.path || fits(&other.path, &path);
        let mut documented: Vec<&str> =
            self.ops.values().filter(|other| same(other)).map(|other| other.method.as_str()).collect();
        // Either way of changing a record may be there for the other.
        if documented.contains(&"PUT") || documented.contains(&"PATCH") {
            documented.extend(["PUT", "PATCH"]);
        }
        ["DELETE", "POST", "PATCH", "PUT", "GET"].into_iter().filter(|m| !documented.contains(m)).collect()
    }

    /// The walk's own value of a path parameter.
    async fn known(&mut self, op: &Op, name: &str) -> Option<String> {
        let alone = Op {
            id: op.id.clone(),
            path: format!("{{{name}}}"),
            bind: op
                .bind
                .iter()
                .filter(|(key, _)| *key == name)
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect(),
            ..empty()
        };
        let (path, _) = self.address(&alone, WALKED, &Override::default(), None).await.ok()?;
        Some(percent_decode_str(&path).decode_utf8_lossy().into_owned())
    }

    async fn edge(
        &mut self,
        section: &'static str,
        op: &Op,
        name: &str,
        ids: &BTreeMap<String, String>,
        over: Override,
        right: fn(u16) -> bool,
    ) {
        let over = Override { unknown: ids.clone(), literal: true, ..over };
        let place = self.contexts.above(Some(WALKED));
        match self.call(op, place, op.actor.as_deref(), &over, None).await {
            Ok(sent) if right(sent.reply.status) => self.report.check(section, name, &[]),
            Ok(sent) => {
                let wrong = format!("status {}: {}", sent.reply.status, sent.reply.excerpt());
                self.report.check(section, name, &[wrong]);
            }
            Err(Stop::Skip(why)) => self.report.skip(section, name, &why),
            Err(blocked) => self.report.check(section, name, &[blocked.to_string()]),
        }
    }
}

const fn is_refusal(status: u16) -> bool {
    400 <= status && status < 500 && status != 429
}

fn without_query(op: &Op) -> Override {
    let query = op.bind.keys().map(|name| (name.clone(), Value::Null)).collect();
    Override { query, ..Override::default() }
}

/// An id that does not exist, of the form that the real one has.
fn made_up_like(known: &str) -> String {
    if known.bytes().all(|byte| byte.is_ascii_digit()) {
        "999999999".into()
    } else if known.parse::<uuid::Uuid>().is_ok() {
        UNKNOWN_UUID.into()
    } else {
        "unknown-00000000".into()
    }
}

/// Whether a path is one of a template's.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(path).all(|(part, given)| part.starts_with('{') || *part == given)
}

fn empty() -> Op {
    Op {
        id: String::new(),
        method: "GET".into(),
        path: String::new(),
        auth: None,
        actor: None,
        bind: BTreeMap::new(),
        query: Vec::new(),
        body_type: None,
        body: Value::Null,
        body_variants: Vec::new(),
        success: 200,
        success_any: Vec::new(),
        success_codes: Vec::new(),
        errors: Vec::new(),
        setup: Vec::new(),
        response: Value::Null,
        response_type: None,
        nullable: Vec::new(),
        out_of_band: BTreeMap::new(),
        headers: BTreeMap::new(),
    }
}
