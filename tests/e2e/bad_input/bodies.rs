//! Bodies that cannot be read at all.

use helpdesk::http::kernel::BodyKind;
use helpdesk_tests::on_every_store;
use helpdesk_tests::raw::Raw;

use super::Trial;
use crate::support::assert_none;

/// What is no JSON object, whatever the operation.
fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let deep = |open: &str, close: &str| [open.repeat(10_000), close.repeat(10_000)].concat();
    vec![
        ("half an object", b"{\"a\": ".to_vec()),
        ("a word", b"nonsense".to_vec()),
        ("two objects", b"{}{}".to_vec()),
        ("an object and more", b"{} x".to_vec()),
        ("single quotes", b"{'a': 1}".to_vec()),
        ("a comma too many", b"{\"a\": 1,}".to_vec()),
        ("a comment", b"{/* a */}".to_vec()),
        ("not a number", b"{\"a\": NaN}".to_vec()),
        ("an endless number", b"{\"a\": Infinity}".to_vec()),
        ("a number out of range", b"{\"a\": 1e400}".to_vec()),
        ("a number of many digits that is none", [b"{\"a\": 1", [b'0'; 400].as_slice(), b".}"].concat()),
        ("an array", b"[]".to_vec()),
        ("an array of objects", b"[{}]".to_vec()),
        ("a text", b"\"text\"".to_vec()),
        ("a number", b"5".to_vec()),
        ("null", b"null".to_vec()),
        ("arrays in arrays", deep("[", "]").into_bytes()),
        ("objects in objects", deep("{\"a\":", "}").into_bytes()),
        ("arrays without an end", "[".repeat(100_000).into_bytes()),
        ("a field of arrays in arrays", format!("{{\"a\": {}}}", deep("[", "]")).into_bytes()),
        ("half a surrogate", b"{\"a\": \"\\ud800\"}".to_vec()),
        ("the other half", b"{\"a\": \"\\udc00\"}".to_vec()),
        ("halves in the wrong order", b"{\"a\": \"\\udc00\\ud800\"}".to_vec()),
        ("a bare control character", b"{\"a\": \"\n\"}".to_vec()),
        ("a bare null byte", b"{\"a\": \"\0\"}".to_vec()),
        ("what is not UTF-8", b"{\"a\": \"\xff\xfe\"}".to_vec()),
        ("a long form of a slash", b"{\"a\": \"\xc0\xaf\"}".to_vec()),
        ("a surrogate in UTF-8", b"{\"a\": \"\xed\xa0\x80\"}".to_vec()),
        ("UTF-16", b"\xff\xfe{\0}\0".to_vec()),
        ("a byte order mark", b"\xef\xbb\xbf{}".to_vec()),
        ("spaces", b"   ".to_vec()),
        ("a megabyte of spaces", vec![b' '; 1_000_000]),
        ("a compressed body", b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec()),
    ]
}

on_every_store! {
    /// A body that is no JSON object is told so.
    async fn what_is_no_object_is_refused(store: NewStore) {
        let mut trial = Trial::of_bodies(store).await;
        for place in 0..trial.targets.len() {
            for (what, body) in broken() {
                let request = trial.targets[place].request(&trial.world).body("application/json", body);
                trial.refused(place, what, request).await;
            }
        }
        assert_none(&trial.problems);
    }

    /// A body of a type that an operation does not take.
    async fn other_content_types_are_refused(store: NewStore) {
        let mut trial = Trial::of_bodies(store).await;
        for place in 0..trial.targets.len() {
            let target = &trial.targets[place];
            let body = serde_json::to_vec(&target.body()).expect("JSON");
            let mut types = vec!["text/plain", "text/html", "application/xml", "application/octet-stream", "nonsense"];
            if !target.takes_forms() {
                types.extend(["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]);
            }
            for media_type in types {
                let request = trial.targets[place].request(&trial.world).body(media_type, body.clone());
                trial.refused(place, media_type, request).await;
            }
        }
        assert_none(&trial.problems);
    }

    /// No body at all, where something is required.
    async fn nothing_is_not_enough(store: NewStore) {
        let mut trial = Trial::of_bodies(store).await;
        for place in 0..trial.targets.len() {
            let target = &trial.targets[place];
            let required: Vec<_> =
                target.fields.iter().filter(|field| field.required).map(|field| field.name.clone()).collect();
            if required.is_empty() {
                continue;
            }
            let bare = target.request(&trial.world);
            let typed = bare.clone().body("application/json", "");
            for (what, request) in [("no body", bare), ("an empty body", typed)] {
                let Some(reply) = trial.refused(place, what, request).await else { continue };
                let spoken = trial.targets[place].spoken;
                let told = reply.json().pointer(spoken.problems_at).cloned().unwrap_or_default();
                for name in required.iter().filter(|name| told.get(name.as_str()).is_none()) {
                    trial.note(place, what, &format!("nothing is said of {name}"));
                }
            }
        }
        assert_none(&trial.problems);
    }

    /// A body that is larger than it may be: refused by the length that it announces, before it is sent; and without
    /// such a length, as soon as it is too much.
    async fn bodies_have_a_limit(store: NewStore) {
        let mut trial = Trial::of_bodies(store).await;
        for place in 0..trial.targets.len() {
            let target = &trial.targets[place];
            let too_much = format!("Content-Length: {}", target.limit() + 1);
            let form = format!("Content-Type: {}", helpdesk_tests::files::Form::new().content_type());
            let media_type = if target.takes_forms() { form.as_str() } else { "Content-Type: application/json" };
            let head = target.head(&trial.world, &[media_type, &too_much]);
            trial.refused_raw(place, "a length that is too much", &head, b"").await;

            // JSON has its own limit, also where a form may have more.
            let chunks = match trial.targets[place].operation.body {
                BodyKind::Json { limit } => limit / 0x10000 + 1,
                BodyKind::None | BodyKind::Form { .. } => 17,
            };
            let chunked = ["Content-Type: application/json", "Transfer-Encoding: chunked"];
            let head = trial.targets[place].head(&trial.world, &chunked);
            let before = trial.world.server.stored().await;
            let mut connection = Raw::connect(trial.world.server.address).await;
            connection.send(format!("{}\r\nHost: desk.test\r\n\r\n", head.join("\r\n"))).await;
            let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
            for _ in 0..chunks {
                if !connection.send(&chunk).await {
                    break;
                }
            }
            let reply = connection.reply().await;
            if reply.is_none() {
                trial.note(place, "chunks without an end", "no answer");
            }
            trial.judge(place, "chunks without an end", reply, before).await;
        }
        assert_none(&trial.problems);
    }

    /// A client that announces more than it sends and goes away, or sends nonsense for chunks.
    async fn half_a_body_does_nothing(store: NewStore) {
        let mut trial = Trial::of_bodies(store).await;
        for place in 0..trial.targets.len() {
            let body = serde_json::to_vec(&trial.targets[place].body()).expect("JSON");
            let (json, length) = ("Content-Type: application/json", format!("Content-Length: {}", body.len() + 1));
            let head = trial.targets[place].head(&trial.world, &[json, &length]);
            let before = trial.world.server.stored().await;
            let mut connection = Raw::connect(trial.world.server.address).await;
            connection.send(format!("{}\r\nHost: desk.test\r\n\r\n", head.join("\r\n"))).await;
            connection.send(&body).await;
            connection.finish().await;
            // There may be an answer, but it says that this was no request.
            let reply = connection.reply().await;
            if reply.is_some() {
                trial.judge(place, "half a body", reply, before).await;
            }
            if trial.world.server.stored().await != before {
                trial.note(place, "half a body", "something was stored");
            }
            let head = trial.targets[place].head(&trial.world, &[json, "Transfer-Encoding: chunked"]);
            trial.refused_raw(place, "chunks that are none", &head, b"zz\r\n{}\r\n0\r\n\r\n").await;
        }
        assert_none(&trial.problems);
    }
}
