//! What every answer has: an id, headers that keep browsers from mischief, the size that was asked for; and how paths
//! and methods are found.

use std::io::Read as _;

use helpdesk_tests::client::{Reply, Request};
use helpdesk_tests::dialects::ALL;
use helpdesk_tests::on_every_store;
use helpdesk_tests::raw::Raw;
use helpdesk_tests::server::Server;

use super::{lacks, probe};

on_every_store! {
    /// Whatever is asked, the answer keeps browsers from guessing, framing, keeping and running it.
    async fn every_answer_is_secured(store: NewStore) {
        let (setup, _) = probe::setup(store);
        let server = setup.start().await;
        let token = server.token("admin").await;
        let picture = "/smartsupport/media/employee_images/default-profile.png";
        for (request, status) in [
            (Request::get("/smartsupport/api/"), 200),
            (Request::get("/smartsupport/api/employees/").bearer(&token), 200),
            (Request::get("/smartsupport/api/employees/"), 401),
            (Request::get("/smartsupport/api/employees/999/").bearer(&token), 404),
            (Request::get("/smartsupport/api/token/admin/"), 405),
            (Request::post("/smartsupport/api/token/admin/").body("application/json", "{"), 400),
            (Request::get(picture).bearer(&token), 200),
            (Request::get("/smartsupport/openapi.json"), 200),
            (Request::get("/smartsupport/docs"), 308),
            (Request::get("/smartsupport/docs/"), 200),
            (Request::get("/smartsupport/docs/none.js"), 404),
            (Request::get("/probe/panics"), 500),
            (Request::get("/probe/breaks"), 500),
            (Request::get("/probe/none"), 404),
            (Request::get("/healthz"), 200),
            (Request::get("/readyz"), 200),
            (Request::get("/nowhere"), 404),
            (Request::get("/"), 404),
        ] {
            let target = request.target.clone();
            let reply = server.client.send(request).await;
            assert_eq!((reply.status, lacks(&reply)), (status, Vec::new()), "{target}");
        }
    }

    /// A request keeps the id that its client gave it, if it is one; else it gets one of its own.
    async fn requests_have_ids(store: NewStore) {
        let server = Server::start(store).await;
        let ask = async |id: &[u8]| -> Reply {
            let mut connection = Raw::connect(server.address).await;
            connection.send([b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: ", id, b"\r\n\r\n"].concat()).await;
            connection.reply().await.expect("an answer")
        };
        let longest = "x".repeat(64);
        for good in ["a", "7f3c-1", "Client_1.2-3", &longest] {
            assert_eq!(ask(good.as_bytes()).await.header("x-request-id"), good);
        }
        let longer = "x".repeat(65);
        let hostile: [&[u8]; 10] = [
            b"",
            b"two words",
            b"<script>",
            b"a;b",
            b"a,b",
            b"a\tb",
            b"\"quoted\"",
            b"%0d%0aX-Evil: 1",
            "żółć".as_bytes(),
            longer.as_bytes(),
        ];
        let mut made = Vec::new();
        for id in hostile {
            let reply = ask(id).await;
            let answered = reply.header("x-request-id").to_owned();
            assert!(!answered.is_empty() && answered.as_bytes() != id, "{id:?}");
            assert!(answered.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{answered}");
            made.push(answered);
        }
        made.push(server.client.send(Request::get("/healthz")).await.header("x-request-id").to_owned());
        let count = made.len();
        made.sort_unstable();
        made.dedup();
        assert_eq!(made.len(), count, "no two requests have one id");
    }

    /// Answers are compressed for those who ask for it, and for nobody else; what is compressed already stays.
    async fn answers_are_compressed_when_asked(store: NewStore) {
        let (setup, _) = probe::setup(store);
        let server = setup.start().await;
        let ask = async |path: &str, encoding: Option<&str>| {
            let request = Request::get(path);
            let request = encoding.iter().fold(request, |request, encoding| request.header("accept-encoding", encoding));
            server.client.send(request).await
        };
        let plain = ask("/probe/long", None).await;
        assert_eq!((plain.header("content-encoding"), plain.body.len()), ("", 13_000));
        assert_eq!(ask("/probe/long", Some("identity")).await.body, plain.body);

        let gzip = ask("/probe/long", Some("gzip")).await;
        assert_eq!(gzip.header("content-encoding"), "gzip");
        assert!(gzip.header("vary").to_lowercase().contains("accept-encoding"));
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&gzip.body[..]).read_to_end(&mut text).expect("gzip");
        assert_eq!(text, plain.body);

        let br = ask("/probe/long", Some("gzip, br")).await;
        assert_eq!(br.header("content-encoding"), "br");
        let mut text = Vec::new();
        brotli_decompressor::BrotliDecompress(&mut &br.body[..], &mut text).expect("brotli");
        assert_eq!(text, plain.body);
        assert!(br.body.len() < 1_000 && gzip.body.len() < 1_000);

        assert_eq!(ask("/probe/long", Some("nonsense")).await.header("content-encoding"), "");
        assert_eq!(lacks(&gzip), Vec::<&str>::new());
        // Of little and of pictures nothing would be saved.
        assert_eq!(ask("/probe/ok", Some("gzip")).await.header("content-encoding"), "");
        let token = server.token("customer").await;
        let picture = Request::get("/smartsupport/media/employee_images/default-profile.png").bearer(&token);
        let picture = server.client.send(picture.header("accept-encoding", "gzip, br")).await;
        assert_eq!((picture.status, picture.header("content-encoding")), (200, ""));
    }

    /// A slash at the end makes no difference, either way, at any operation of any dialect.
    async fn the_last_slash_makes_no_difference(store: NewStore) {
        let server = Server::start(store).await;
        for spoken in ALL {
            for operation in spoken.operations(server.organisation) {
                let path = operation.path.replace(['{', '}', '*'], "");
                let (with, without) = (format!("{}/", path.trim_end_matches('/')), path.trim_end_matches('/'));
                let mut answers = Vec::new();
                for path in [&with, without] {
                    let request = Request::new(operation.method.clone(), format!("{}{path}", spoken.mount));
                    let reply = server.client.send(request).await;
                    // Addresses in the answer have the slash that the document gives them.
                    answers.push((reply.status, reply.body));
                }
                assert_eq!(answers[0], answers[1], "{}", operation.id);
                assert_ne!(answers[0].0, 405, "{}", operation.id);
            }
        }
    }

    /// What is not there, and what cannot be done with what is there: in the dialect's own shape, with the methods
    /// that can.
    async fn unknown_paths_and_methods_are_told(store: NewStore) {
        let server = Server::start(store).await;
        for path in ["/smartsupport", "/smartsupport/", "/smartsupport/api/none/", "/smartsupport//api/", "/smartsupport/API/"] {
            let reply = server.client.send(Request::get(path)).await;
            assert_eq!((reply.status, &reply.json()["error"]), (404, &"Not found.".into()), "{path}");
            assert_eq!(reply.header("allow"), "");
        }
        for (method, path, allowed) in [
            ("DELETE", "/smartsupport/api/tickets/", "GET, POST"),
            ("PUT", "/smartsupport/api/tickets/1/", "GET"),
            ("GET", "/smartsupport/api/tickets/1/approve/", "POST"),
            ("OPTIONS", "/smartsupport/api/tickets/", "GET, POST"),
            ("TRACE", "/smartsupport/api/", "GET"),
            ("PROPFIND", "/smartsupport/api/", "GET"),
        ] {
            let method = http::Method::from_bytes(method.as_bytes()).expect("a method");
            let reply = server.client.send(Request::new(method, path)).await;
            let mut told: Vec<_> = reply.header("allow").split(", ").collect();
            told.sort_unstable();
            assert_eq!((reply.status, told.join(", ").as_str()), (405, allowed), "{path}");
            assert_eq!(reply.json()["error"], "Method not allowed.");
        }
        // Outside of every mount there is no dialect to say it in.
        let reply = server.client.send(Request::get("/nowhere")).await;
        assert_eq!((reply.status, reply.media_type().as_str()), (404, "text/plain"));
    }
}
