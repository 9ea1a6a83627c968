//! The documents of the dialects, and their pages.

use std::collections::BTreeSet;

use helpdesk::http::kernel::{Auth, Operation};
use helpdesk_tests::client::Request;
use helpdesk_tests::dialects::ALL;
use helpdesk_tests::on_every_store;
use helpdesk_tests::server::Server;
use serde_json::{Map, Value};

use crate::support::{World, assert_none, sample};

on_every_store! {
    /// Every dialect's document is OpenAPI 3.1, has every operation, and refers to nothing that is not there.
    async fn documents_are_whole(store: NewStore) {
        let server = Server::start(store).await;
        let mut problems = Vec::new();
        for spoken in ALL {
            let reply = server.client.send(Request::get(format!("{}/openapi.json", spoken.mount))).await;
            assert_eq!((reply.status, reply.media_type().as_str()), (200, "application/json"));
            let document = reply.json();
            assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")));
            for field in ["title", "version", "description"] {
                assert!(document["info"][field].is_string(), "{field}");
            }
            assert_eq!(document["servers"][0]["url"], format!("http://{}{}", server.address, spoken.mount));
            let operations = spoken.operations(server.organisation);
            let paths = document["paths"].as_object().expect("paths");
            let shown: usize = paths.values().filter_map(Value::as_object).map(Map::len).sum();
            assert_eq!(shown, operations.len());
            for operation in &operations {
                problems.extend(described(&document, operation, spoken.invalid));
            }
            problems.extend(references(&document, &document));
            for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
                problems.extend(schema_problems(schema).map(|problem| format!("{name}: {problem}")));
            }
        }
        assert_none(&problems);
    }

    /// What is answered is what the document says.
    async fn answers_are_as_the_documents_say(store: NewStore) {
        let world = World::new(store).await;
        let (admin, customer) = (world.server.token("admin").await, world.server.token("customer").await);
        let mut problems = Vec::new();
        for spoken in ALL {
            let document = Request::get(format!("{}/openapi.json", spoken.mount));
            let document = world.server.client.send(document).await.json();
            for operation in spoken.operations(world.server.organisation) {
                let token = if operation.permission.is_some() { &admin } else { &customer };
                let request = sample(spoken, operation.id).request(spoken, &operation, &world.things);
                let reply = world.server.client.send(request.bearer(token)).await;
                let method = operation.method.as_str().to_lowercase();
                let path = operation.path.replace("{*", "{");
                let answers = &document["paths"][path][method]["responses"];
                let shown = &answers[reply.status.to_string()];
                if shown.is_null() {
                    problems.push(format!("{} answers {} and does not say so", operation.id, reply.status));
                }
                let schema = &shown["content"]["application/json"]["schema"];
                if reply.media_type() == "application/json" {
                    mismatches(&document, schema, &reply.json(), operation.id, &mut problems);
                }
            }
        }
        assert_none(&problems);
    }

    /// The page and all that it loads come out of the binary, and from nowhere else.
    async fn pages_come_out_of_the_binary(store: NewStore) {
        let server = Server::start(store).await;
        let ask = async |path: &str| server.client.send(Request::get(path)).await;
        for spoken in ALL {
            let moved = ask(&format!("{}/docs", spoken.mount)).await;
            let there = format!("http://{}{}/docs/", server.address, spoken.mount);
            assert_eq!((moved.status, moved.header("location")), (308, there.as_str()));
            let page = ask(&format!("{}/docs/", spoken.mount)).await;
            assert_eq!((page.status, page.media_type().as_str()), (200, "text/html"));
            let policy = page.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
            assert!(!policy.contains("http") && !policy.contains('*') && !policy.contains("unsafe-eval"));
            let html = page.text();
            let addresses: Vec<_> =
                ["src=\"", "href=\""].iter().flat_map(|name| html.split(name).skip(1)).collect();
            let addresses: BTreeSet<_> = addresses.iter().filter_map(|rest| rest.split('"').next()).collect();
            assert!(addresses.len() >= 4, "{addresses:?}");
            for address in addresses {
                assert!(!address.contains("//"), "{address} is elsewhere");
                let file = address.trim_start_matches("./");
                let asset = ask(&format!("{}/docs/{file}", spoken.mount)).await;
                assert_eq!(asset.status, 200, "{address}");
                let media_type = match address.rsplit('.').next() {
                    Some("js") => "javascript",
                    Some("css") => "text/css",
                    _ => "image/",
                };
                assert!(asset.media_type().contains(media_type), "{address} is {}", asset.media_type());
                // As it is: what is compressed in the binary must not be handed out so.
                assert!(!asset.body.is_empty() && !asset.body.starts_with(b"\x1f\x8b"));
            }
            // What is written in the page runs nothing, for the policy forbids it.
            assert!(!html.contains("<script>"), "a script stands in the page");
            let start = ask(&format!("{}/docs/swagger-initializer.js", spoken.mount)).await.text();
            assert!(start.contains("../openapi.json") && !start.contains("https://"), "{start}");
            assert_eq!(ask(&format!("{}/docs/none.js", spoken.mount)).await.status, 404);
            assert_eq!(ask(&format!("{}/docs/../openapi.json", spoken.mount)).await.status, 404);
        }
    }
}

/// What is wrong with the description of an operation.
fn described(document: &Value, operation: &Operation, invalid: u16) -> Vec<String> {
    let mut problems = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            problems.push(format!("{}: {what}", operation.id));
        }
    };
    let shown =
        &document["paths"][operation.path.replace("{*", "{")][operation.method.as_str().to_lowercase()];
    check(shown["operationId"] == operation.id, "its name");
    check(shown["summary"].as_str().is_some_and(|text| !text.is_empty()), "it is not summed up");
    check(shown["tags"][0].as_str().is_some_and(|text| !text.is_empty()), "it stands under no heading");
    let parameters = shown["parameters"].as_array().cloned().unwrap_or_default();
    let in_path: Vec<_> = parameters.iter().filter(|parameter| parameter["in"] == "path").collect();
    let names: Vec<_> = in_path.iter().filter_map(|parameter| parameter["name"].as_str()).collect();
    check(names == operation.parameters().collect::<Vec<_>>(), "its path's parameters");
    check(in_path.iter().all(|parameter| parameter["required"] == true), "a part of a path is always there");
    check(parameters.iter().all(|parameter| parameter["schema"].is_object()), "a parameter without a schema");
    let responses = shown["responses"].as_object().cloned().unwrap_or_default();
    check(responses.contains_key(operation.success.as_str()), "its success");
    check(operation.errors.iter().all(|status| responses.contains_key(&status.to_string())), "its refusals");
    let described = responses.values().all(|response| response["description"].is_string());
    check(described, "an answer that is not described");
    let has = |status: u16| operation.errors.contains(&status);
    check(operation.auth == Auth::None || has(401), "it may be refused with 401");
    check(operation.permission.is_none() || has(403), "it may be refused with 403");
    check(operation.parameters().next().is_none() || has(404), "it may be refused with 404");
    check(shown["requestBody"].is_null() || has(400), "it may be refused with 400");
    let has_query = parameters.iter().any(|parameter| parameter["in"] == "query");
    check(!has_query || has(invalid), "its query may be refused with 400");
    let secured = shown["security"].as_array().is_some_and(|schemes| !schemes.is_empty());
    check(secured == (operation.auth != Auth::None), "who may call it");
    let schemes = &document["components"]["securitySchemes"];
    let named = shown["security"].as_array().into_iter().flatten().filter_map(Value::as_object);
    check(named.flat_map(Map::keys).all(|name| schemes[name].is_object()), "a scheme that is not there");
    if let Some(permission) = &operation.permission {
        let told = shown["description"].as_str().unwrap_or_default();
        check(told.contains(permission.name()), "its permission is not told");
    }
    problems
}

/// References that lead nowhere.
fn references(document: &Value, value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(|item| references(document, item)).collect(),
        Value::Object(fields) => {
            let mut wrong: Vec<_> = fields.values().flat_map(|part| references(document, part)).collect();
            if let Some(Value::String(target)) = fields.get("$ref") {
                let found = target.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
                wrong.extend(found.is_none().then(|| format!("{target} is not there")));
            }
            wrong
        }
        _ => Vec::new(),
    }
}

/// What is wrong with a schema, as far as its own form goes.
fn schema_problems(schema: &Value) -> impl Iterator<Item = String> {
    let types = ["null", "boolean", "integer", "number", "string", "array", "object"];
    let given: Vec<_> = match &schema["type"] {
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let unknown = given.iter().find(|name| !types.contains(name)).map(|name| format!("no type {name}"));
    let properties = schema["properties"].as_object();
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let missing = required.filter(|name| properties.is_none_or(|fields| !fields.contains_key(*name)));
    let missing: Vec<_> = missing.map(|name| format!("{name} is required and not described")).collect();
    let bare = (given.is_empty()
        && schema["$ref"].is_null()
        && schema["oneOf"].is_null()
        && schema["anyOf"].is_null())
    .then(|| "says nothing".to_owned());
    unknown.into_iter().chain(missing).chain(bare)
}

/// Where an answer is not what a schema says.
fn mismatches(document: &Value, schema: &Value, value: &Value, place: &str, problems: &mut Vec<String>) {
    if let Some(target) = schema["$ref"].as_str() {
        let found = target.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        return mismatches(document, found.unwrap_or(&Value::Null), value, place, problems);
    }
    let choices = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    if let Some(choices) = choices {
        let fits = choices.iter().any(|choice| {
            let mut wrong = Vec::new();
            mismatches(document, choice, value, place, &mut wrong);
            wrong.is_empty()
        });
        if !fits {
            problems.push(format!("{place} is none of its choices"));
        }
        return;
    }
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = match &schema["type"] {
        Value::Array(several) => several.iter().any(|name| name == is),
        Value::String(one) => one == is || (one == "number" && is == "integer"),
        _ => true,
    };
    if !allowed {
        problems.push(format!("{place} is {is}, not {}", schema["type"]));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.is_object() && value.get(name).is_none() {
            problems.push(format!("{place}/{name} is missing"));
        }
    }
    for (name, part) in value.as_object().into_iter().flatten() {
        let free = &schema["additionalProperties"];
        let below = schema["properties"].get(name).or_else(|| free.as_object().map(|_| free));
        match below {
            Some(below) => mismatches(document, below, part, &format!("{place}/{name}"), problems),
            None if schema["properties"].is_object() => {
                problems.push(format!("{place}/{name} is not described"))
            }
            None => {}
        }
    }
    for item in value.as_array().into_iter().flatten() {
        mismatches(document, &schema["items"], item, &format!("{place}/0"), problems);
    }
}
