//! Files that are not what they say, and names that are more than names.

use helpdesk_tests::client::{Reply, Request};
use helpdesk_tests::files::{Form, archive, content, jpeg, pdf, png, png_claiming};
use helpdesk_tests::on_every_store;
use serde_json::Value;

use super::Trial;
use crate::support::assert_none;

fn ticket() -> Form {
    let form = Form::new().text("subject", "Files").text("description", "See there.");
    form.text("category", "Hardware").text("sub_category", "Other")
}

/// Name and content of files that are not taken in.
fn refused_files() -> Vec<(&'static str, Vec<u8>)> {
    let html = b"<!DOCTYPE html><html><script>alert(1)</script></html>".to_vec();
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec();
    vec![
        ("page.html", html.clone()),
        ("page.htm", html.clone()),
        ("page.xhtml", html.clone()),
        ("logo.svg", svg.clone()),
        ("logo.svgz", svg.clone()),
        ("feed.xml", b"<?xml version='1.0'?><a/>".to_vec()),
        ("script.js", b"alert(1)".to_vec()),
        ("setup.exe", b"MZ\x90\0\x03".to_vec()),
        ("run.sh", b"#!/bin/sh\necho".to_vec()),
        ("macro.docm", archive(0)),
        ("nothing", b"text".to_vec()),
        ("picture.png.exe", png(0)),
        ("picture.png", html.clone()),
        ("picture.png", svg.clone()),
        ("picture.png", pdf(0)),
        ("picture.jpg", png(0)),
        ("paper.pdf", png(0)),
        ("notes.txt", html),
        ("notes.txt", png(0)),
        ("notes.txt", b"#!/bin/sh\necho".to_vec()),
        ("table.csv", b"a\0b".to_vec()),
        ("paper.docx", pdf(0)),
        ("empty.txt", Vec::new()),
        ("empty.png", Vec::new()),
        ("large.png", png(10 * 1024 * 1024 + 1)),
        ("large.txt", content("text/plain", 10 * 1024 * 1024 + 1)),
    ]
}

/// Pictures that are not taken.
fn refused_pictures() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    vec![
        ("me.gif", "image/gif", content("image/gif", 0)),
        ("me.png", "image/png", content("image/gif", 0)),
        ("me.svg", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec()),
        ("me.png", "image/png", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec()),
        ("me.png", "image/png", b"<!DOCTYPE html><html></html>".to_vec()),
        ("me.png", "image/png", pdf(0)),
        ("me.png", "image/png", png(0)[..30].to_vec()),
        ("me.jpg", "image/jpeg", jpeg(0)[..60].to_vec()),
        ("me.png", "image/png", png(2 * 1024 * 1024 + 1)),
        // Small files that would be immense.
        ("me.png", "image/png", png_claiming(50_000, 50_000, 0)),
        ("me.png", "image/png", png_claiming(u32::MAX, u32::MAX, 0)),
        ("me.png", "image/png", png_claiming(0, 0, 0)),
    ]
}

on_every_store! {
    /// A file is what its name and its content say alike, of a type that nothing runs; else nothing is made of the
    /// request, and none of its files stay.
    async fn files_are_what_they_say(store: NewStore) {
        let mut trial = Trial::of_bodies(store).await;
        let place = trial.targets.iter().position(|target| target.operation.id == "tickets.create");
        let place = place.expect("the operation");
        for (name, content) in refused_files() {
            // A good one beside it does not stay either.
            let form = ticket().file("files[]", "good.png", "image/png", png(0));
            let form = form.file("files[]", name, "image/png", content);
            let request = trial.targets[place].request(&trial.world).form(&form);
            let what = format!("the file {name}");
            let Some(reply) = trial.refused(place, &what, request).await else { continue };
            if reply.json()["field_errors"].get("files[]").is_none() {
                trial.note(place, &what, &format!("the field is not named: {}", reply.excerpt()));
            }
        }
        let many = (0..21).fold(ticket(), |form, number| {
            form.file("files[]", &format!("{number}.png"), "image/png", png(0))
        });
        let request = trial.targets[place].request(&trial.world).form(&many);
        trial.refused(place, "twenty-one files", request).await;
        assert_none(&trial.problems);
    }

    /// A picture is a picture, whatever its name and its type say.
    async fn pictures_are_pictures(store: NewStore) {
        let mut trial = Trial::of_bodies(store).await;
        for id in ["profile.upload_image", "employees.register"] {
            let place = trial.targets.iter().position(|target| target.operation.id == id).expect("the operation");
            let crate::support::Payload::Form(good) = (trial.targets[place].sample.payload)() else { continue };
            for (name, media_type, content) in refused_pictures() {
                let length = content.len();
                let form = good.clone().without("image").file("image", name, media_type, content);
                let request = trial.targets[place].request(&trial.world).form(&form);
                let what = format!("the picture {name} of {length} bytes");
                let Some(reply) = trial.refused(place, &what, request).await else { continue };
                if reply.json()["field_errors"].get("image").is_none() {
                    trial.note(place, &what, &format!("the field is not named: {}", reply.excerpt()));
                }
            }
        }
        assert_none(&trial.problems);
    }

    /// A file name is a name and nothing else: no path, no control characters, no marks that turn it around. So it
    /// is shown, and so it is told to whoever saves it.
    async fn names_of_files_are_only_names(store: NewStore) {
        let trial = Trial::new(store).await;
        let token = trial.world.server.token("customer").await;
        let send = async |form: Form| -> Reply {
            let request = Request::post("/smartsupport/api/tickets/").bearer(&token).form(&form);
            trial.world.server.client.send(request).await
        };
        for (given, kept) in [
            ("../../etc/passwd.png", "passwd.png"),
            ("/etc/cron.d/evil.png", "evil.png"),
            ("C:\\Windows\\evil.png", "evil.png"),
            ("..\\..\\evil.png", "evil.png"),
            ("....//evil.png", "evil.png"),
            (".hidden.png", "hidden.png"),
            ("  spaces  .png", "spaces  .png"),
            ("gnp\u{202e}exe.png", "gnpexe.png"),
            ("\u{2066}isolated\u{2069}\u{200f}.png", "isolated.png"),
            ("zażółć 日本.png", "zażółć 日本.png"),
            ("<img src=x onerror=alert(1)>.png", "<img src=x onerror=alert(1)>.png"),
            ("a;b=c,d.png", "a;b=c,d.png"),
            ("percent%0d%0aX-Evil: 1.png", "percent%0d%0aX-Evil: 1.png"),
        ] {
            let reply = send(ticket().file("files[]", given, "image/png", png(0))).await;
            assert_eq!(reply.status, 201, "{given}: {}", reply.excerpt());
            assert_eq!(reply.json()["attachments"][0]["file_name"], kept, "{given}");
        }
        // The extended form can say what a plain one cannot.
        for (given, kept) in [
            ("..%2F..%2Fevil.png", "evil.png"),
            ("a%0d%0aX-Evil%3a%201.png", "aX-Evil: 1.png"),
            ("a%00b.png", "ab.png"),
            ("a%22b.png", "a\"b.png"),
        ] {
            let disposition = format!("form-data; name=\"files[]\"; filename*=UTF-8''{given}");
            let reply = send(ticket().part(&disposition, Some("image/png"), png(0))).await;
            let body = reply.json();
            match body["attachments"].get(0).map(|file| &file["file_name"]) {
                Some(Value::String(name)) => assert_eq!(name, kept, "{given}"),
                // Not every reader of forms knows that form; then there is no name, and no file.
                _ => assert!((400..500).contains(&reply.status), "{given}: {}", reply.excerpt()),
            }
        }
        let long = format!("{}.png", "x".repeat(300));
        assert_eq!(send(ticket().file("files[]", &long, "image/png", png(0))).await.status, 400);
    }
}
