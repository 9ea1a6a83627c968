//! Files that somebody brings must not become programs in somebody else's browser.

use chrono::Duration;
use helpdesk_tests::client::{Reply, Request};
use helpdesk_tests::files::{Form, archive, content, jpeg, pdf, png};
use helpdesk_tests::on_every_store;
use helpdesk_tests::server::Server;
use serde_json::Value;

use super::ticket_with;

/// The path of an address of this server.
fn path(server: &Server, address: &Value) -> String {
    let address = address.as_str().expect("an address");
    address.strip_prefix(&format!("http://{}", server.address)).expect("an address of this server").to_owned()
}

/// What every file is answered with.
fn check_headers(reply: &Reply, name: &str) {
    assert_eq!(reply.status, 200, "{name}: {}", reply.excerpt());
    assert_eq!(reply.header("x-content-type-options"), "nosniff", "{name}");
    assert!(reply.header("content-security-policy").contains("sandbox"), "{name}");
    assert_eq!(reply.header("cache-control"), "private, no-cache", "{name}");
    let varies = reply.headers.get_all("vary").iter();
    assert!(
        varies.filter_map(|vary| vary.to_str().ok()).any(|vary| vary.contains("authorization")),
        "{name}"
    );
    assert_eq!(reply.headers.get_all("content-disposition").iter().count(), 1, "{name}");
    assert!(reply.headers.keys().all(|header| !header.as_str().contains("evil")), "{name}");
}

on_every_store! {
    /// Pictures and PDF are shown in place, everything else is saved; the type is what the content is, whatever its
    /// sender called it.
    async fn only_what_is_harmless_is_shown_in_place(store: NewStore) {
        let server = Server::start(store).await;
        let token = server.token("customer").await;
        for (name, content, media_type, how) in [
            ("a.png", png(0), "image/png", "inline"),
            ("A.PNG", png(0), "image/png", "inline"),
            ("a.jpg", jpeg(0), "image/jpeg", "inline"),
            ("a.jpeg", jpeg(0), "image/jpeg", "inline"),
            ("a.gif", content("image/gif", 0), "image/gif", "inline"),
            ("a.pdf", pdf(0), "application/pdf", "inline"),
            ("a.txt", b"hello <script>alert(1)</script>".to_vec(), "text/plain", "attachment"),
            ("a.log", b"hello".to_vec(), "text/plain", "attachment"),
            ("a.csv", content("text/csv", 0), "text/csv", "attachment"),
            ("a.md", b"# <img src=x onerror=alert(1)>".to_vec(), "text/markdown", "attachment"),
            ("a.json", b"{}".to_vec(), "application/json", "attachment"),
            ("a.zip", archive(0), "application/zip", "attachment"),
            (
                "a.docx",
                archive(0),
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "attachment",
            ),
        ] {
            let made = ticket_with(&server, &token, name, content.clone()).await;
            assert_eq!(made.status, 201, "{name}: {}", made.excerpt());
            let file = made.json()["attachments"][0].clone();
            assert_eq!(file["file_type"], media_type);
            // By its address alone, and with a token in the header.
            let address = path(&server, &file["file"]);
            let plain = Request::get(format!("/smartsupport/api/attachments/{}/download/", file["id"])).bearer(&token);
            for request in [Request::get(address), plain] {
                let reply = server.client.send(request).await;
                check_headers(&reply, name);
                assert_eq!((reply.media_type().as_str(), &reply.body[..]), (media_type, &content[..]), "{name}");
                let disposition = reply.header("content-disposition");
                assert!(disposition.starts_with(&format!("{how}; filename=\"{name}\"")), "{disposition}");
            }
        }
    }

    /// The name of a file cannot add a header, end its own, or call itself something else there.
    async fn names_of_files_stay_in_their_header(store: NewStore) {
        let server = Server::start(store).await;
        let token = server.token("customer").await;
        for (name, shown) in [
            ("a%22; filename=%22evil.html.png", "a_; filename=_evil.html.png"),
            ("a%0d%0aX-Evil: 1%0d%0a%0d%0a<html>.png", "html>.png"),
            ("a%5c%22b.png", "_b.png"),
            ("%00.png", "png"),
            ("za%C5%BC%C3%B3%C5%82%C4%87.png", "za____.png"),
            ("%E2%80%AEgnp.exe.png", "gnp.exe.png"),
            ("a;b,c=d.png", "a;b,c=d.png"),
        ] {
            let disposition = format!("form-data; name=\"files[]\"; filename*=UTF-8''{}", name.replace(' ', "%20"));
            let form = Form::new().text("subject", "A file").text("description", "See there.");
            let form = form.text("category", "Software").text("sub_category", "Other");
            let form = form.part(&disposition, Some("image/png"), png(0));
            let made = server.client.send(Request::post("/smartsupport/api/tickets/").bearer(&token).form(&form)).await;
            let body = made.json();
            let Some(file) = body["attachments"].get(0) else {
                assert!((400..500).contains(&made.status), "{name}: {}", made.excerpt());
                continue;
            };
            let reply = server.client.send(Request::get(path(&server, &file["file"]))).await;
            check_headers(&reply, name);
            let disposition = reply.header("content-disposition").to_owned();
            let plain = disposition.split("filename=\"").nth(1).and_then(|rest| rest.split('"').next());
            assert!(plain.is_some_and(|plain| plain.ends_with(shown)), "{disposition}");
            let quotes = disposition.matches('"').count();
            assert_eq!(quotes, 2, "{disposition}");
            // What the plain form cannot say, the extended one says.
            let (_, extended) = disposition.split_once("filename*=UTF-8''").expect("the extended form");
            let said = percent_encoding::percent_decode_str(extended).decode_utf8().expect("UTF-8").into_owned();
            assert_eq!(file["file_name"], said);
            assert!(extended.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)), "{extended}");
        }
    }

    /// An address that was handed out opens that file for as long as its caller may see it, and for an hour.
    async fn addresses_of_files_end(store: NewStore) {
        let server = Server::start(store).await;
        let owner = server.sign_in("customer").await;
        let other = server.sign_in("customer2").await;
        let made = ticket_with(&server, &owner.access, "a.png", png(0)).await.json();
        let address = path(&server, &made["attachments"][0]["file"]);
        let open = async |address: &str| server.client.send(Request::get(address)).await.status;
        assert_eq!(open(&address).await, 200);
        // Somebody else's token does not do, though it opens their own files.
        let (file, token) = address.split_once("token=").expect("a token");
        let profile = Request::get("/smartsupport/api/employee/profile/").bearer(&other.access);
        let picture = server.client.send(profile).await.json()["image"].clone();
        let (_, foreign) = picture.as_str().expect("an address").split_once("token=").expect("a token");
        assert_eq!(open(&path(&server, &picture)).await, 200);
        assert_eq!(open(&format!("{file}token={foreign}")).await, 403);
        // It is no token for anything else, nor does it get another.
        assert_ne!(token, owner.access);
        let refresh = Request::post("/smartsupport/api/token/refresh/");
        let refresh = server.client.send(refresh.json(&serde_json::json!({ "refresh": token }))).await;
        assert_eq!(refresh.status, 401);
        server.clock.advance(Duration::minutes(61));
        assert_eq!(open(&address).await, 401);
        // And it ends with the session that it was handed out in.
        let fresh = server.sign_in("customer").await;
        let ticket = Request::get(format!("/smartsupport/api/tickets/{}/", made["id"])).bearer(&fresh.access);
        let address = path(&server, &server.client.send(ticket).await.json()["attachments"][0]["file"]);
        assert_eq!(open(&address).await, 200);
        server.desk.identity().sign_out(&fresh.caller).await.expect("signed out");
        assert_eq!(open(&address).await, 401);
    }

    /// Pictures of people become pictures of the help desk's own making: whatever else was in the file is gone.
    async fn pictures_are_made_anew(store: NewStore) {
        let server = Server::start(store).await;
        let token = server.token("customer").await;
        // A picture with a page in it.
        let mut picture = jpeg(0);
        picture.extend_from_slice(b"<script>alert(1)</script>");
        for (name, content) in [("me.jpg", picture), ("me.png", png(100_000))] {
            let form = Form::new().file("image", name, "image/png", content);
            let request = Request::post("/smartsupport/api/employee/upload-image/").bearer(&token).form(&form);
            let set = server.client.send(request).await;
            assert_eq!(set.status, 200, "{}", set.excerpt());
            let reply = server.client.send(Request::get(path(&server, &set.json()["user"]["image"]))).await;
            check_headers(&reply, name);
            assert_eq!(reply.media_type(), "image/jpeg");
            assert!(reply.body.starts_with(b"\xff\xd8") && !reply.text().contains("script"));
            // The head of the picture says how large it is.
            let frame = reply.body.windows(2).position(|marker| marker == b"\xff\xc0").expect("a frame");
            assert_eq!(reply.body[frame + 5..frame + 9], [4, 0, 4, 0], "1024 by 1024");
        }
    }
}
