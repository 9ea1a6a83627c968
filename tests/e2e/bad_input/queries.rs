//! Queries that make no sense.

use helpdesk_tests::client::Request;
use helpdesk_tests::on_every_store;

use super::Trial;
use crate::support::assert_none;

/// Queries of the ticket list that are refused, and whether as something that is not there.
const REFUSED: &[(&str, u16)] = &[
    ("page=0", 404),
    ("page=-1", 404),
    ("page=2000", 404),
    ("page=1000000000", 404),
    ("page=99999999999999999999", 404),
    ("page=1e9", 404),
    ("page=1.5", 404),
    ("page=first", 404),
    ("page=%00", 400),
    ("page=000000000000000000000001", 400),
    ("page_size=0", 400),
    ("page_size=-1", 400),
    ("page_size=101", 400),
    ("page_size=1000000000", 400),
    ("page_size=99999999999999999999", 400),
    ("page_size=ten", 400),
    ("page_size=1.5", 400),
    ("page_size=%00", 400),
    ("status=Nonsense", 400),
    ("status=new", 400),
    ("status=New,Open", 400),
    ("status=%00", 400),
    ("status=%ff", 400),
    ("priority=Urgent", 400),
    ("priority=1", 400),
    ("department=HR", 400),
    ("search=%00", 400),
    ("category=%00", 400),
    ("ordering=%00", 400),
];

/// Queries that make little sense and are harmless: what they say is passed over, or finds nothing.
const HARMLESS: &[&str] = &[
    "",
    "page=",
    "page=last",
    "page_size=",
    "page=1&page=2&page=1",
    "status=",
    "search=",
    "search=%20%20",
    "search=%22%27%3B--%25_*%3F",
    "search=a%26b%3Dc",
    "search=%F0%9F%92%A9",
    "search=%ff%fe",
    "ordering=nonsense",
    "ordering=-",
    "ordering=,,-submit_date,",
    "ordering=password",
    "nonsense=1",
    "&&&===&",
    "token=nonsense",
    "api_key=nonsense",
    "page[]=1",
];

on_every_store! {
    /// The ticket list with every query that asks for what cannot be.
    async fn queries_that_make_no_sense_are_refused(store: NewStore) {
        let mut trial = Trial::new(store).await;
        let place = trial.targets.iter().position(|target| target.operation.id == "tickets.list");
        let place = place.expect("the operation");
        let mut refused: Vec<(String, u16)> =
            REFUSED.iter().map(|(query, status)| ((*query).to_owned(), *status)).collect();
        let long = "x".repeat(10_000);
        for name in ["page", "page_size", "search", "ordering", "status", "priority", "category", "department"] {
            refused.push((format!("{name}={long}"), 400));
        }
        for (query, status) in refused {
            let mut request = trial.targets[place].request(&trial.world);
            request.target += &format!("?{query}");
            let what = format!("the query {query:.60}");
            let Some(reply) = trial.refused(place, &what, request).await else { continue };
            if reply.status != status {
                trial.note(place, &what, &format!("status {}, not {status}", reply.status));
            }
        }
        assert_none(&trial.problems);
    }

    /// And with those that are harmless.
    async fn harmless_queries_are_answered(store: NewStore) {
        let trial = Trial::new(store).await;
        let token = trial.world.server.token("coordinator").await;
        for query in HARMLESS {
            let request = Request::get(format!("/smartsupport/api/tickets/?{query}")).bearer(&token);
            let reply = trial.world.server.client.send(request).await;
            assert_eq!(reply.status, 200, "{query}: {}", reply.excerpt());
        }
        let request = Request::get("/smartsupport/api/tickets/?search=%22%27%3B--%25_*%3F").bearer(&token);
        assert_eq!(trial.world.server.client.send(request).await.json()["count"], 0);
    }

    /// Tokens and keys in addresses that are no such thing, at every operation that takes them there.
    async fn nonsense_opens_no_files(store: NewStore) {
        let mut trial = Trial::new(store).await;
        for place in 0..trial.targets.len() {
            if trial.targets[place].operation.auth != helpdesk::http::kernel::Auth::File {
                continue;
            }
            let long = "x".repeat(20_000);
            for (name, value) in [
                ("token", ""),
                ("token", "%00"),
                ("token", "%ff"),
                ("token", "..."),
                ("token", "eyJhbGciOiJIUzI1NiJ9.e30.x"),
                ("token", &long),
                ("api_key", ""),
                ("api_key", "%00"),
                ("api_key", &long),
            ] {
                let mut request = trial.targets[place].request(&trial.world);
                request.headers.clear();
                request.target += &format!("?{name}={value}");
                let what = format!("{name}={value:.30}");
                let Some(reply) = trial.refused(place, &what, request).await else { continue };
                if reply.status != 401 {
                    trial.note(place, &what, &format!("status {}", reply.status));
                }
            }
        }
        assert_none(&trial.problems);
    }
}
