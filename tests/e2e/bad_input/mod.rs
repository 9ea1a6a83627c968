//! Whatever is sent: the answer is a refusal in the dialect's shape, never a failure of the server, and nothing is
//! stored.

mod bodies;
mod fields;
mod files;
mod forms;
mod long;
mod paths;
mod queries;

use std::collections::BTreeMap;

use helpdesk::http::kernel::{BodyKind, Operation, document};
use helpdesk_tests::client::{Reply, Request};
use helpdesk_tests::dialects::{ALL, Spoken};
use helpdesk_tests::raw::Raw;
use helpdesk_tests::stores::NewStore;
use serde_json::{Map, Value, json};

use crate::support::{Payload, Sample, Whose, World, refusal_problems, sample};

/// A field of a body, as the dialect's document shows it.
#[derive(Clone, Debug)]
struct Field {
    name: String,
    required: bool,
    schema: Value,
}

impl Field {
    fn is(&self, key: &str, value: &str) -> bool {
        self.schema.get(key).and_then(Value::as_str) == Some(value)
    }

    /// Whether it takes a file, or several.
    fn is_file(&self) -> bool {
        self.is("format", "binary") || self.schema.pointer("/items/format").is_some_and(|it| it == "binary")
    }

    fn longest(&self) -> Option<usize> {
        self.schema.get("maxLength").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok())
    }
}

/// An operation that is to be sent nonsense.
struct Target {
    spoken: &'static Spoken,
    operation: Operation,
    sample: &'static Sample,
    fields: Vec<Field>,
    /// The parameters of the query that the document shows.
    queries: Vec<String>,
    token: String,
}

impl Target {
    fn path(&self, world: &World) -> String {
        format!("{}{}", self.spoken.mount, self.sample.path(&self.operation, &world.things))
    }

    /// The path with what the query must have.
    fn target(&self, world: &World) -> String {
        format!("{}{}", self.spoken.mount, self.sample.target(&self.operation, &world.things))
    }

    /// A request without a body, by somebody who may make it.
    fn request(&self, world: &World) -> Request {
        Request::new(self.operation.method.clone(), self.target(world)).bearer(&self.token)
    }

    /// The lines of a head by hand, with further ones.
    fn head(&self, world: &World, more: &[&str]) -> Vec<String> {
        let mut head = vec![
            format!("{} {} HTTP/1.1", self.operation.method, self.target(world)),
            format!("Authorization: Bearer {}", self.token),
        ];
        head.extend(more.iter().map(|line| (*line).to_owned()));
        head
    }

    const fn takes_forms(&self) -> bool {
        matches!(self.operation.body, BodyKind::Form { .. })
    }

    /// The most bytes that it takes.
    const fn limit(&self) -> u64 {
        match self.operation.body {
            BodyKind::None => 0,
            BodyKind::Json { limit } => limit,
            BodyKind::Form { total, .. } => total,
        }
    }

    /// A good body in JSON; of a form, its texts.
    fn body(&self) -> Map<String, Value> {
        match (self.sample.payload)() {
            Payload::Nothing => Map::new(),
            Payload::Json(body) => body.as_object().cloned().unwrap_or_default(),
            Payload::Form(form) => form.texts().map(|(name, text)| (name.to_owned(), json!(text))).collect(),
        }
    }
}

/// The world, every operation that takes a body, and what goes wrong.
struct Trial {
    world: World,
    targets: Vec<Target>,
    problems: Vec<String>,
}

impl Trial {
    /// Every operation with a body.
    async fn of_bodies(store: NewStore) -> Self {
        let mut trial = Self::new(store).await;
        trial.targets.retain(|target| target.operation.body != BodyKind::None);
        assert!(trial.targets.iter().all(|target| !target.fields.is_empty()));
        trial
    }

    /// Every operation.
    async fn new(store: NewStore) -> Self {
        let world = World::new(store).await;
        let (admin, customer) = (world.server.token("admin").await, world.server.token("customer").await);
        let mut targets = Vec::new();
        for spoken in ALL {
            let operations = spoken.operations(world.server.organisation);
            let dialect = (spoken.make)(world.server.organisation);
            let document = json!(document(&dialect, &operations, "http://desk.test"));
            for operation in operations {
                let sample = sample(spoken, operation.id);
                let of_the_desk = sample.names.first().is_some_and(|thing| thing.whose() == Whose::TheDesks);
                let token = if operation.permission.is_some() || of_the_desk { &admin } else { &customer };
                let fields = fields_of(&document, &operation);
                let queries = queries_of(&document, &operation);
                targets.push(Target { spoken, sample, fields, queries, token: token.clone(), operation });
            }
        }
        Self { world, targets, problems: Vec::new() }
    }

    /// Sends what must be refused without anything being stored. Answers the refusal.
    async fn refused(&mut self, place: usize, what: &str, request: Request) -> Option<Reply> {
        let before = self.world.server.stored().await;
        let reply = self.world.server.client.try_send(request).await;
        let reply = reply.map_err(|error| self.note(place, what, &error.to_string())).ok();
        self.judge(place, what, reply, before).await
    }

    /// The same with a request by hand.
    async fn refused_raw(&mut self, place: usize, what: &str, head: &[String], body: &[u8]) -> Option<Reply> {
        let before = self.world.server.stored().await;
        let head: Vec<_> = head.iter().map(String::as_str).collect();
        let reply = Raw::exchange(self.world.server.address, &head, body).await;
        if reply.is_none() {
            self.note(place, what, "no answer");
        }
        self.judge(place, what, reply, before).await
    }

    async fn judge(
        &mut self,
        place: usize,
        what: &str,
        reply: Option<Reply>,
        before: (u64, u64),
    ) -> Option<Reply> {
        if let Some(reply) = &reply {
            for problem in refusal_problems(self.targets[place].spoken, reply) {
                self.note(place, what, &problem);
            }
        }
        if self.world.server.stored().await != before {
            self.note(place, what, "something was stored");
        }
        reply
    }

    fn note(&mut self, place: usize, what: &str, problem: &str) {
        let operation = self.targets.get(place).map_or("", |target| target.operation.id);
        self.problems.push(format!("{operation} with {what}: {problem}"));
    }
}

/// What the document shows of an operation.
fn shown<'d>(document: &'d Value, operation: &Operation) -> &'d Value {
    let method = operation.method.as_str().to_lowercase();
    &document["paths"][operation.path.replace("{*", "{")][method]
}

/// The parameters that the document shows for an operation's query.
fn queries_of(document: &Value, operation: &Operation) -> Vec<String> {
    let parameters = shown(document, operation)["parameters"].as_array().into_iter().flatten();
    let queries = parameters.filter(|parameter| parameter["in"] == "query");
    queries.filter_map(|parameter| parameter["name"].as_str()).map(str::to_owned).collect()
}

/// The fields that the document shows for an operation's body.
fn fields_of(document: &Value, operation: &Operation) -> Vec<Field> {
    let schema = &shown(document, operation)["requestBody"]["content"]["application/json"]["schema"];
    let required: Vec<_> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties: BTreeMap<_, _> = schema["properties"].as_object().into_iter().flatten().collect();
    let field = |(name, schema): (&String, &Value)| Field {
        name: name.clone(),
        required: required.contains(&name.as_str()),
        schema: schema.clone(),
    };
    properties.into_iter().map(field).collect()
}
