//! Forms that are none.

use helpdesk_tests::files::{Form, png};
use helpdesk_tests::on_every_store;

use super::Trial;
use crate::support::{Payload, assert_none};

/// Content types and bodies that are no form.
fn broken(good: &Form) -> Vec<(&'static str, String, Vec<u8>)> {
    let media_type = good.content_type();
    let whole = good.encode().to_vec();
    let text =
        |body: &str| body.replace('\n', "\r\n").replace("B\r", &format!("{}\r", Form::BOUNDARY)).into_bytes();
    let closing = format!("--{}--\r\n", Form::BOUNDARY).into_bytes();
    let many = (0..1_000).fold(good.clone(), |form, number| form.text(&format!("field{number}"), "x"));
    vec![
        ("no boundary", "multipart/form-data".into(), whole.clone()),
        ("an empty boundary", "multipart/form-data; boundary=".into(), whole.clone()),
        ("another boundary", "multipart/form-data; boundary=other".into(), whole.clone()),
        (
            "a boundary that is far too long",
            format!("multipart/form-data; boundary={}", "x".repeat(5_000)),
            whole.clone(),
        ),
        ("an empty body", media_type.clone(), Vec::new()),
        ("only its end", media_type.clone(), closing),
        ("half a form", media_type.clone(), whole[..whole.len() / 2].to_vec()),
        (
            "a form without its end",
            media_type.clone(),
            whole[..whole.len() - Form::BOUNDARY.len() - 6].to_vec(),
        ),
        ("nonsense", media_type.clone(), b"nonsense".to_vec()),
        ("JSON", media_type.clone(), b"{\"a\": 1}".to_vec()),
        (
            "lines without returns",
            media_type.clone(),
            String::from_utf8_lossy(&whole).replace("\r\n", "\n").into(),
        ),
        (
            "a part without a name",
            media_type.clone(),
            text("--B\nContent-Disposition: form-data\n\nx\n--B--\n"),
        ),
        (
            "a part without a disposition",
            media_type.clone(),
            text("--B\nContent-Type: text/plain\n\nx\n--B--\n"),
        ),
        ("a part without a head", media_type.clone(), text("--B\n\nx\n--B--\n")),
        (
            "a head without an end",
            media_type.clone(),
            text("--B\nContent-Disposition: form-data; name=\"a\""),
        ),
        ("a part with a long head", media_type.clone(), {
            let long = "x".repeat(200_000);
            text(&format!("--B\nContent-Disposition: form-data; name=\"a\"\nX-Long: {long}\n\nx\n--B--\n"))
        }),
        ("a name that is not UTF-8", media_type.clone(), {
            let part = [b"Content-Disposition: form-data; name=\"\xff\xfe\"\r\n\r\nx".as_slice()].concat();
            [
                b"--",
                Form::BOUNDARY.as_bytes(),
                b"\r\n",
                &part,
                b"\r\n--",
                Form::BOUNDARY.as_bytes(),
                b"--\r\n",
            ]
            .concat()
        }),
        (
            "a field that is not UTF-8",
            media_type.clone(),
            good.clone().text("more", vec![0xff, 0xfe]).encode().to_vec(),
        ),
        ("a thousand fields", media_type, many.encode().to_vec()),
    ]
}

on_every_store! {
    /// Whatever is wrong with a form, it is told and nothing is kept of it.
    async fn broken_forms_are_refused(store: NewStore) {
        let mut trial = Trial::of_bodies(store).await;
        let mut tried = 0;
        for place in 0..trial.targets.len() {
            let Payload::Form(good) = (trial.targets[place].sample.payload)() else { continue };
            for (what, media_type, body) in broken(&good) {
                let request = trial.targets[place].request(&trial.world).body(&media_type, body);
                trial.refused(place, what, request).await;
                tried += 1;
            }
        }
        assert_none(&trial.problems);
        assert!(tried >= 3 * 19, "{tried}");
    }

    /// A file that is larger than any may be is not read to its end.
    async fn files_have_a_limit(store: NewStore) {
        let mut trial = Trial::of_bodies(store).await;
        for place in 0..trial.targets.len() {
            let helpdesk::http::kernel::BodyKind::Form { per_file, .. } = trial.targets[place].operation.body else {
                continue;
            };
            let Payload::Form(good) = (trial.targets[place].sample.payload)() else { continue };
            let large = usize::try_from(per_file).expect("a size") + 1;
            let fields = trial.targets[place].fields.clone();
            let Some(name) = fields.iter().find(|field| field.is_file()).map(|field| &field.name) else { continue };
            let form = good.without(name).file(name, "large.png", "image/png", png(large));
            let body = form.encode();
            // In chunks, so that the length does not give it away.
            let content_type = format!("Content-Type: {}", form.content_type());
            let head = trial.targets[place].head(&trial.world, &[&content_type, "Transfer-Encoding: chunked"]);
            let mut chunks = format!("{:x}\r\n", body.len()).into_bytes();
            chunks.extend_from_slice(&body);
            chunks.extend_from_slice(b"\r\n0\r\n\r\n");
            trial.refused_raw(place, "a file that is too large", &head, &chunks).await;
        }
        assert_none(&trial.problems);
    }
}
