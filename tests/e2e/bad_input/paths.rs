//! Ids that are none, and paths that lead elsewhere.

use helpdesk_tests::on_every_store;
use helpdesk_tests::raw::Raw;

use super::Trial;
use crate::support::assert_none;

/// What names nothing, as it stands in a path.
const HOSTILE: &[&str] = &[
    "0",
    "-1",
    "+0",
    "-0",
    "999999999",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "340282366920938463463374607431768211456",
    "1e3",
    "0x1",
    "1.0",
    "1.",
    "%31%00",
    "%00",
    "%0d%0aX-Evil:%201",
    "%20",
    "%201",
    "1%20",
    ".",
    "..",
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%5c..%5cwindows",
    "%2fetc%2fpasswd",
    "%252e%252e%252f",
    "null",
    "undefined",
    "NaN",
    "true",
    "*",
    "[]",
    "{}",
    "{ticket_id}",
    "'%20OR%20'1'='1",
    "1;DROP%20TABLE%20tickets",
    "1,2",
    "1|2",
    "$(id)",
    "%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    "%F0%9F%92%A9",
    "%EF%BC%91",
    "%D9%A1",
    "TX",
    "TX0000",
    "TX00001",
    "TX-1",
    "tx0001",
    "TX99999999999999999999",
    "MA0001",
    "%ff",
    "%c0%af",
    "%",
    "%z",
    "00000000-0000-0000-0000-000000000000",
    "01943fa5-9c80-7000-8000-000000000000",
    "urn:uuid:01943fa5-9c80-7000-8000-000000000000",
];

/// Paths of files that are none.
const HOSTILE_FILES: &[&str] = &[
    "employee_images/",
    "employee_images/none.png",
    "employee_images/..",
    "employee_images/../employee_images/default-profile.png",
    "employee_images/./default-profile.png",
    "employee_images//default-profile.png",
    "employee_images/%2e%2e/default-profile.png",
    "employee_images/default-profile.png%00.jpg",
    "employee_images%2fdefault-profile.png%2f..",
    "employee_images/DEFAULT-PROFILE.PNG",
    "../employee_images/default-profile.png",
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "/etc/passwd",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "C:%5cwindows%5cwin.ini",
    "file:///etc/passwd",
    "http://169.254.169.254/latest/meta-data/",
    "ticket_attachments/",
    "ticket_attachments/../employee_images/default-profile.png",
    "ticket_attachments/1",
    "ticket_attachments/none.pdf",
    "ticket_attachments/01943fa5-9c80-7000-8000-000000000000",
    "ticket_attachments/01943fa5-9c80-7000-8000-000000000000/a/b/c",
    "attachments/01943fa5-9c80-7000-8000-000000000000",
    "pictures/01943fa5-9c80-7000-8000-000000000000.jpg",
    ".git/config",
    "settings.py",
];

on_every_store! {
    /// In every place of every path, what names nothing finds nothing.
    async fn what_names_nothing_finds_nothing(store: NewStore) {
        let mut trial = Trial::new(store).await;
        trial.targets.retain(|target| !target.sample.names.is_empty());
        assert!(trial.targets.len() > 10);
        let mut longer: Vec<String> = HOSTILE.iter().map(|id| (*id).to_owned()).collect();
        longer.extend(["1".repeat(5_000), "%2e%2e%2f".repeat(500)]);
        for place in 0..trial.targets.len() {
            let target = &trial.targets[place];
            let mut ids: Vec<&str> = longer.iter().map(String::as_str).collect();
            if target.operation.id == "media.get" {
                ids.extend(HOSTILE_FILES);
            }
            for id in ids {
                let target = &trial.targets[place];
                let things = &trial.world.things;
                for path in target.sample.paths_with(&target.operation, things, id) {
                    let target = &trial.targets[place];
                    let body = serde_json::to_vec(&target.body()).expect("JSON");
                    let head = vec![
                        format!("{} {}{path} HTTP/1.1", target.operation.method, target.spoken.mount),
                        format!("Authorization: Bearer {}", target.token),
                        "Content-Type: application/json".to_owned(),
                        format!("Content-Length: {}", body.len()),
                    ];
                    let what = format!("the id {id:.60}");
                    let Some(reply) = trial.refused_raw(place, &what, &head, &body).await else { continue };
                    // "." and ".." are ids like any other: nobody takes a path apart.
                    if !matches!(reply.status, 400 | 404) {
                        trial.note(place, &what, &format!("status {}", reply.status));
                    }
                }
            }
        }
        assert_none(&trial.problems);
    }

    /// A ticket goes by its id and by its number, written as the help desk writes them.
    async fn a_ticket_goes_by_id_and_number(store: NewStore) {
        let trial = Trial::new(store).await;
        let token = trial.world.server.token("coordinator").await;
        for id in ["1", "TX0001"] {
            let path = format!("/smartsupport/api/tickets/{id}/");
            let reply = trial.world.server.client.send(helpdesk_tests::client::Request::get(path).bearer(&token)).await;
            assert_eq!((reply.status, &reply.json()["ticket_number"]), (200, &"TX0001".into()), "{id}");
        }
    }

    /// Heads that are no heads are refused by the server itself, and it goes on.
    async fn heads_that_are_none_are_refused(store: NewStore) {
        let trial = Trial::new(store).await;
        let address = trial.world.server.address;
        for head in [
            "nonsense",
            "GET",
            "GET /smartsupport/api/",
            "GET /smartsupport/api/ HTTP/9.9",
            "GET /a path with spaces HTTP/1.1",
            "G\u{1}T /smartsupport/api/ HTTP/1.1",
            "GET /\u{1} HTTP/1.1",
            "GET /smartsupport/api/ HTTP/1.1\r\nA header without a colon",
            "GET /smartsupport/api/ HTTP/1.1\r\nA header : with a space",
            "POST /smartsupport/api/token/admin/ HTTP/1.1\r\nContent-Length: nonsense",
            "POST /smartsupport/api/token/admin/ HTTP/1.1\r\nContent-Length: -1",
            "POST /smartsupport/api/token/admin/ HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6",
        ] {
            let reply = Raw::exchange(address, &[head], b"").await;
            let status = reply.as_ref().map(|reply| reply.status);
            assert!(status.is_none_or(|status| (400..500).contains(&status)), "{head}: {status:?}");
        }
        let long = format!("GET /smartsupport/api/?{} HTTP/1.1", "x".repeat(1_000_000));
        let status = Raw::exchange(address, &[&long], b"").await.map(|reply| reply.status);
        assert!(status.is_none_or(|status| (400..500).contains(&status)), "a long query: {status:?}");
        let many: Vec<String> = (0..1_000).map(|number| format!("X-Header-{number}: x")).collect();
        let mut head = vec!["GET /smartsupport/api/ HTTP/1.1"];
        head.extend(many.iter().map(String::as_str));
        let status = Raw::exchange(address, &head, b"").await.map(|reply| reply.status);
        assert!(status.is_none_or(|status| (400..500).contains(&status)), "many headers: {status:?}");
        // Two ways to say how long a body is: whoever stands before the server may believe the other.
        let both = ["POST /smartsupport/api/token/admin/ HTTP/1.1", "Content-Length: 4", "Transfer-Encoding: chunked"];
        let reply = Raw::exchange(address, &both, b"0\r\n\r\nGET /smartsupport/api/ HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(reply.is_none_or(|reply| (400..500).contains(&reply.status)));
        let health = helpdesk_tests::client::Request::get("/healthz");
        assert_eq!(trial.world.server.client.send(health).await.status, 200);
    }
}
