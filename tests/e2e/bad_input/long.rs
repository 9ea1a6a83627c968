//! Long texts, in every place that takes a text.

use helpdesk::http::kernel::Auth;
use helpdesk_tests::client::{Reply, Request};
use helpdesk_tests::files::Form;
use helpdesk_tests::on_every_store;
use helpdesk_tests::raw::Raw;
use serde_json::Value;

use super::{Field, Trial};
use crate::support::{Payload, assert_none, refusal_problems};

/// What is long for a line, and what is long for anything; of narrow characters and of wide ones.
fn long_texts() -> Vec<(String, String)> {
    let text = |character: &str, length: usize| {
        (format!("{length} characters of {} bytes", character.len()), character.repeat(length))
    };
    vec![text("x", 5_000), text("x", 200_000), text("💩", 5_000), text("💩", 200_000)]
}

impl Trial {
    /// Sends a long text. Where it is longer than the document allows, that is what the refusal is about; else it may
    /// be taken, or be refused like any other.
    async fn long_field(&mut self, place: usize, field: &Field, what: &str, length: usize, request: Request) {
        // Without a length it is of a kind that is never long.
        if field.longest().is_none_or(|most| length > most) {
            return self.wrong_field(place, &field.name, what, request).await;
        }
        let what = format!("{what} as {}", field.name);
        let before = self.world.server.stored().await;
        let reply = self.world.server.client.try_send(request).await;
        match reply {
            Ok(reply) if (200..300).contains(&reply.status) => {}
            Ok(reply) => drop(self.judge(place, &what, Some(reply), before).await),
            Err(error) => self.note(place, &what, &error.to_string()),
        }
    }

    /// Sends a head that is too long for some servers. This one may say so itself, before it knows the dialect.
    async fn long_head(&mut self, place: usize, what: &str, head: &[String]) {
        let before = self.world.server.stored().await;
        let head: Vec<_> = head.iter().map(String::as_str).collect();
        let reply = Raw::exchange(self.world.server.address, &head, b"").await;
        let too_long = |reply: &Reply| matches!(reply.status, 414 | 431);
        if let Some(reply) = reply.filter(|reply| !too_long(reply)) {
            self.judge(place, what, Some(reply), before).await;
        } else if self.world.server.stored().await != before {
            self.note(place, what, "something was stored");
        }
    }
}

on_every_store! {
    /// In every field of every body.
    async fn long_fields_are_refused_or_kept(store: NewStore) {
        let mut trial = Trial::of_bodies(store).await;
        let mut tried = 0;
        for place in 0..trial.targets.len() {
            let fields = trial.targets[place].fields.clone();
            let needs_files = fields.iter().any(|field| field.required && field.is_file());
            for field in fields.iter().filter(|field| !field.is_file() && !field.is("type", "array")) {
                for (what, text) in long_texts() {
                    let length = text.chars().count();
                    let target = &trial.targets[place];
                    let mut requests = Vec::new();
                    if let Payload::Form(good) = (target.sample.payload)() {
                        let form = good.without(&field.name).text(&field.name, text.clone());
                        requests.push(target.request(&trial.world).form(&form));
                    }
                    if !needs_files {
                        let mut body = target.body();
                        body.insert(field.name.clone(), Value::String(text));
                        requests.push(target.request(&trial.world).json(&Value::Object(body)));
                    }
                    for request in requests {
                        trial.long_field(place, field, &what, length, request).await;
                        tried += 1;
                    }
                }
            }
        }
        assert_none(&trial.problems);
        assert!(tried > 120, "{tried}");
    }

    /// In every parameter of every query, those that nobody knows among them.
    async fn long_queries_are_refused_or_passed_over(store: NewStore) {
        let mut trial = Trial::new(store).await;
        let mut declared = 0;
        for place in 0..trial.targets.len() {
            let queries = trial.targets[place].queries.clone();
            declared += queries.len();
            for name in &queries {
                let target = &trial.targets[place];
                let mut request = target.request(&trial.world);
                request.target = format!("{}?{name}={}", target.path(&trial.world), "x".repeat(5_000));
                let invalid = target.spoken.invalid;
                let what = format!("5000 characters as {name} in the query");
                let Some(reply) = trial.refused(place, &what, request).await else { continue };
                if reply.status != 400 && reply.status != invalid {
                    trial.note(place, &what, &format!("status {}", reply.status));
                }
            }
            let target = &trial.targets[place];
            let mut others = vec!["nonsense"];
            // Whoever calls with a token in the header is not asked for another.
            if target.operation.auth == Auth::File {
                others.extend(["token", "api_key"]);
            }
            for name in others.into_iter().chain(queries.iter().map(String::as_str)) {
                let target = &trial.targets[place];
                let plain = target.request(&trial.world);
                let mut request = plain.clone();
                let and = if request.target.contains('?') { '&' } else { '?' };
                request.target += &format!("{and}{name}={}", "x".repeat(5_000));
                // What changes something would, though nobody asked for that with a name that nobody knows.
                if target.operation.method == http::Method::GET && !queries.iter().any(|query| query == name) {
                    let without = trial.world.server.client.send(plain).await.status;
                    let reply = trial.world.server.client.send(request).await;
                    if reply.status != without {
                        trial.note(place, name, &format!("status {}: {}", reply.status, reply.excerpt()));
                    }
                }
                let target = &trial.targets[place];
                let head = [format!(
                    "{} {}?{name}={} HTTP/1.1",
                    target.operation.method,
                    target.path(&trial.world),
                    "x".repeat(200_000)
                )];
                trial.long_head(place, &format!("200000 characters as {name} in the query"), &head).await;
            }
        }
        assert_none(&trial.problems);
        assert!(declared > 0);
    }

    /// In every place of every path, and where there is no path.
    async fn long_paths_lead_nowhere(store: NewStore) {
        let mut trial = Trial::new(store).await;
        for place in 0..trial.targets.len() {
            let target = &trial.targets[place];
            let (mount, method) = (target.spoken.mount, target.operation.method.clone());
            let token = format!("Authorization: Bearer {}", target.token);
            for length in [5_000, 200_000] {
                let target = &trial.targets[place];
                let long = "x".repeat(length);
                let mut paths = vec![format!("{}{long}", target.path(&trial.world)), format!("{mount}/{long}")];
                let longer = target.sample.paths_with(&target.operation, &trial.world.things, &long);
                paths.extend(longer.into_iter().map(|path| format!("{mount}{path}")));
                for path in paths {
                    let head = [format!("{method} {path} HTTP/1.1"), token.clone(), "Content-Length: 0".to_owned()];
                    trial.long_head(place, &format!("{length} characters in the path"), &head).await;
                }
            }
        }
        assert_none(&trial.problems);
    }

    /// In the headers that are read.
    async fn long_headers_are_refused_or_passed_over(store: NewStore) {
        let mut trial = Trial::new(store).await;
        for place in 0..trial.targets.len() {
            for length in [5_000, 200_000] {
                let long = "x".repeat(length);
                let target = &trial.targets[place];
                let line = format!("{} {} HTTP/1.1", target.operation.method, target.path(&trial.world));
                if target.operation.auth != Auth::None {
                    for header in ["Authorization: Bearer ", "Authorization: ", "X-Api-Key: "] {
                        let head = [line.clone(), format!("{header}{long}"), "Content-Length: 0".to_owned()];
                        trial.long_head(place, &format!("{length} characters as {header}"), &head).await;
                    }
                }
            }
        }
        let (spoken, health) = (trial.targets[0].spoken, Request::get("/healthz"));
        for header in ["x-request-id", "x-forwarded-for", "accept-encoding", "origin", "range", "cookie", "if-none-match"] {
            for length in [5_000, 200_000] {
                let list = Request::get(format!("{}/api/tickets/", spoken.mount)).header(header, &"x".repeat(length));
                let reply = trial.world.server.client.send(list).await;
                let problems = refusal_problems(spoken, &reply);
                assert!(problems.is_empty() || reply.status == 431, "{header} of {length}: {problems:?}");
                assert!(reply.headers.values().all(|value| value.len() < 1_000), "{header} of {length} comes back");
            }
        }
        assert_eq!(trial.world.server.client.send(health).await.status, 200);
        assert_none(&trial.problems);
    }

    /// What is as long as it may be comes back whole.
    async fn long_texts_come_back_whole(store: NewStore) {
        let trial = Trial::new(store).await;
        let token = trial.world.server.token("customer").await;
        for character in ["x", "ż", "💩"] {
            let (subject, description) = (character.repeat(255), character.repeat(100_000));
            let form = Form::new().text("subject", subject.clone()).text("description", description.clone());
            let form = form.text("category", "Hardware").text("sub_category", "Other");
            let request = Request::post("/smartsupport/api/tickets/").bearer(&token).form(&form);
            let made = trial.world.server.client.send(request).await;
            assert_eq!(made.status, 201, "{}", made.excerpt());
            let path = format!("/smartsupport/api/tickets/{}/", made.json()["id"]);
            let read = trial.world.server.client.send(Request::get(path).bearer(&token)).await.json();
            assert!(read["subject"] == subject && read["description"] == description);
        }
    }
}
