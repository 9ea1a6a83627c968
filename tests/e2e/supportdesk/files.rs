//! Files: who may read them, and when.

use helpdesk_tests::client::{Reply, Request};
use helpdesk_tests::files::{Form, png};
use helpdesk_tests::on_every_store;
use helpdesk_tests::server::Server;
use http::Method;
use serde_json::{Value, json};

use super::{call, data, get, id, post, put, ticket};

async fn upload(server: &Server, token: &str, name: &str, content: Vec<u8>) -> Reply {
    let form = Form::new().file("file", name, "application/octet-stream", content);
    server.client.send(Request::post("/supportdesk/api/upload").bearer(token).form(&form)).await
}

/// A comment with a file.
fn with(file: &Value, public: bool) -> Value {
    json!({ "body": "See there.", "public": public, "attachments": [{
        "filename": file["filename"], "url": file["url"], "mime_type": file["mime_type"], "size": file["size"],
    }] })
}

on_every_store! {
    /// A file is its owner's until a comment takes it over; then it is for whoever may read the comment.
    async fn a_comment_takes_a_file_over(store: NewStore) {
        let server = Server::start(store).await;
        let (customer, other) = (server.token("customer").await, server.token("customer2").await);
        let agent = server.token("agent").await;
        let content = png(0);
        let made = upload(&server, &customer, "../a shot.png", content.clone()).await;
        assert_eq!(made.status, 201);
        let file = data(&made);
        assert_eq!((&file["filename"], &file["mime_type"]), (&json!("a shot.png"), &json!("image/png")));
        let path = format!("/api/uploads/{}", id(&file));
        assert!(file["url"].as_str().is_some_and(|url| url.ends_with(&format!("/supportdesk{path}"))), "{file}");
        let read = get(&server, &customer, &path).await;
        assert_eq!((read.status, &read.body[..], read.media_type()), (200, &content[..], "image/png".into()));
        for (name, value) in [("x-content-type-options", "nosniff"), ("content-security-policy", "default-src 'none'; sandbox")] {
            assert_eq!(read.header(name), value);
        }
        for token in [&other, &agent] {
            assert!(matches!(get(&server, token, &path).await.status, 403 | 404));
        }
        let ticket = ticket(&server, &customer, "Files").await;
        let comments = format!("/api/tickets/{ticket}/comments");
        let said = data(&post(&server, &customer, &comments, with(&file, true)).await);
        assert_eq!(said["attachments"][0]["filename"], "a shot.png");
        let again = post(&server, &customer, &comments, with(&file, true)).await;
        assert_eq!(again.status, 422, "a file is taken over once");
        assert_eq!(get(&server, &agent, &path).await.status, 200);
        assert!(matches!(get(&server, &other, &path).await.status, 403 | 404));
        // Nobody else's file can be taken over.
        let theirs = data(&upload(&server, &other, "theirs.png", content).await);
        let stolen = post(&server, &customer, &comments, with(&theirs, true)).await;
        assert_eq!(stolen.status, 422);
        // What hangs on a note is the desk's.
        let internal = data(&upload(&server, &agent, "internal.png", png(0)).await);
        data(&post(&server, &agent, &comments, with(&internal, false)).await);
        let path = format!("/api/uploads/{}", id(&internal));
        assert!(matches!(get(&server, &customer, &path).await.status, 403 | 404));
        assert_eq!(get(&server, &server.token("agent2").await, &path).await.status, 200);
        // A ticket that is gone takes its files along.
        data(&call(&server, &agent, Method::DELETE, &format!("/api/tickets/{ticket}"), None).await);
        assert_eq!(get(&server, &customer, &path).await.status, 404);
    }

    /// A picture that somebody is shown by is for everybody of the organisation, and stays until there is another.
    async fn a_profile_takes_its_picture_over(store: NewStore) {
        let server = Server::start(store).await;
        let mut customer = server.token("customer").await;
        let picture = data(&upload(&server, &customer, "me.png", png(0)).await);
        let path = format!("/api/uploads/{}", id(&picture));
        let wear = |file: &Value| json!({ "avatar": file["url"] });
        let kept = data(&put(&server, &customer, "/api/settings/profile", wear(&picture)).await);
        assert_eq!(kept["avatar"], picture["url"]);
        // Nobody is shown by somebody else's upload, and no ticket takes the picture away.
        let theirs = data(&upload(&server, &server.token("agent").await, "agent.png", png(1)).await);
        data(&put(&server, &server.token("customer2").await, "/api/settings/profile", wear(&theirs)).await);
        let ticket = ticket(&server, &customer, "Files").await;
        let taken = post(&server, &customer, &format!("/api/tickets/{ticket}/comments"), with(&picture, true)).await;
        assert_eq!(taken.status, 422);
        server.clock.advance(chrono::Duration::hours(25));
        server.settle().await;
        customer = server.token("customer").await;
        for who in ["customer", "customer2", "agent", "admin"] {
            let read = get(&server, &server.token(who).await, &path).await;
            assert_eq!((read.status, read.media_type()), (200, "image/png".into()), "{who}");
        }
        assert_eq!(server.client.send(Request::get(format!("/supportdesk{path}"))).await.status, 401);
        let gone = format!("/api/uploads/{}", id(&theirs));
        assert_eq!(get(&server, &server.token("agent").await, &gone).await.status, 404, "nothing took it over");
        // What is no picture shows nobody.
        let notes = data(&upload(&server, &customer, "notes.txt", b"some notes".to_vec()).await);
        assert_eq!(put(&server, &customer, "/api/settings/profile", wear(&notes)).await.status, 422);
        // The same again changes nothing; another takes its place.
        data(&put(&server, &customer, "/api/settings/profile", wear(&picture)).await);
        assert_eq!(get(&server, &customer, &path).await.status, 200);
        let other = data(&upload(&server, &customer, "me too.png", png(2)).await);
        let kept = server.blobs.kept();
        data(&put(&server, &customer, "/api/settings/profile", wear(&other)).await);
        server.settle().await;
        assert_eq!(get(&server, &customer, &path).await.status, 404);
        assert_eq!(server.blobs.kept(), kept - 1, "its content is gone");
        // Whoever deletes their picture is shown without.
        let path = format!("/api/uploads/{}", id(&other));
        let refused = call(&server, &server.token("admin").await, Method::DELETE, &path, None).await;
        assert_eq!(refused.status, 404, "it is not theirs");
        data(&call(&server, &customer, Method::DELETE, &path, None).await);
        assert_eq!(data(&get(&server, &customer, "/api/settings").await)["profile"]["avatar"], json!(null));
    }

    /// Files are what their names say, and not too large; what was deleted is gone.
    async fn files_are_checked(store: NewStore) {
        let server = Server::start(store).await;
        let customer = server.token("customer").await;
        for (name, content) in [
            ("page.html", b"<html></html>".to_vec()),
            ("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec()),
            ("picture.png", b"%PDF-1.4".to_vec()),
            ("empty.txt", Vec::new()),
            ("large.png", png(10 * 1024 * 1024 + 1)),
        ] {
            let kept = server.blobs.kept();
            let reply = upload(&server, &customer, name, content).await;
            assert!(matches!(reply.status, 400 | 422), "{name}: {}", reply.status);
            assert_eq!(server.blobs.kept(), kept, "{name}");
        }
        let file = data(&upload(&server, &customer, "notes.txt", b"some notes".to_vec()).await);
        let path = format!("/api/uploads/{}", id(&file));
        let read = get(&server, &customer, &path).await;
        assert!(read.header("content-disposition").starts_with("attachment"), "text is saved, not shown");
        let kept = server.blobs.kept();
        data(&call(&server, &customer, Method::DELETE, &path, None).await);
        server.settle().await;
        assert_eq!(get(&server, &customer, &path).await.status, 404);
        assert!(server.blobs.kept() < kept, "its content is gone");
        // What nothing has taken over does not stay for ever.
        let file = data(&upload(&server, &customer, "notes.txt", b"more notes".to_vec()).await);
        server.clock.advance(chrono::Duration::hours(25));
        server.settle().await;
        let customer = server.token("customer").await;
        assert_eq!(get(&server, &customer, &format!("/api/uploads/{}", id(&file))).await.status, 404);
    }
}
