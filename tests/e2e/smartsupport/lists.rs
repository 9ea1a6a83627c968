//! The ticket list: pages, filters, orders, words.

use helpdesk_tests::on_every_store;
use serde_json::Value;

use super::{Desk, approval};

/// The ids of a page.
fn ids(page: &Value) -> Vec<i64> {
    let results = page["results"].as_array().expect("results");
    results.iter().filter_map(|ticket| ticket["id"].as_i64()).collect()
}

on_every_store! {
    /// From the first page to the last and back by the addresses that are handed out: everything once, newest first.
    async fn pages_lead_through_everything(store: NewStore) {
        let desk = Desk::new(store).await;
        for number in 0..23 {
            desk.ticket(&format!("Number {number}")).await;
        }
        let base = format!("http://{}/smartsupport", desk.server.address);
        let page = async |address: &str| desk.get(&desk.admin, address.strip_prefix(&base).unwrap_or(address)).await;
        let first = page("/api/tickets/?page_size=7&status=New").await.json();
        let count = usize::try_from(first["count"].as_u64().expect("a count")).expect("a count");
        assert!(count > 21);
        let (mut seen, mut here, mut pages) = (ids(&first), first.clone(), 1);
        assert_eq!(first["previous"], Value::Null);
        while let Some(next) = here["next"].as_str().map(str::to_owned) {
            assert!(next.contains("page_size=7") && next.contains("status=New"), "{next}");
            here = page(&next).await.json();
            assert_eq!(here["count"], first["count"]);
            seen.extend(ids(&here));
            pages += 1;
        }
        assert_eq!((seen.len(), pages), (count, count.div_ceil(7)));
        assert!(seen.is_sorted_by(|a, b| a > b), "newest first, nothing twice");
        assert_eq!(page("/api/tickets/?page_size=7&status=New&page=last").await.json()["results"], here["results"]);
        while let Some(previous) = here["previous"].as_str().map(str::to_owned) {
            here = page(&previous).await.json();
            pages -= 1;
        }
        assert_eq!((ids(&here), pages), (ids(&first), 1));
        // Without a size there are twenty to a page.
        assert_eq!(ids(&page("/api/tickets/").await.json()).len(), 20);
    }

    /// Filters, orders and words narrow the list down to what they say.
    async fn filters_keep_what_they_say(store: NewStore) {
        let desk = Desk::new(store).await;
        let ticket = desk.ticket("A purple elephant in the office").await;
        assert_eq!(desk.act(&desk.coordinator, ticket, "approve", approval()).await, 200);
        let list = async |query: &str| {
            let reply = desk.get(&desk.admin, &format!("/api/tickets/?page_size=100&{query}")).await;
            assert_eq!(reply.status, 200, "{query}: {}", reply.excerpt());
            reply.json()
        };
        let number = format!("TX{ticket:04}");
        for query in
            ["search=purple", "search=PURPLE+elephant", "search=eleph", &format!("search={number}"), "category=Software&search=purple"]
        {
            assert_eq!(ids(&list(query).await), [ticket], "{query}");
        }
        for query in ["search=purple+giraffe", "category=None", "search=TX9999", "status=Rejected&search=purple"] {
            assert_eq!(ids(&list(query).await), Vec::<i64>::new(), "{query}");
        }
        for (query, field, value) in [
            ("status=New", "status", "New"),
            ("status=Open", "status", "Open"),
            ("priority=High", "priority", "High"),
            ("category=Hardware", "category", "Hardware"),
            ("department=IT+Department", "department", "IT Department"),
        ] {
            let page = list(query).await;
            let results = page["results"].as_array().expect("results");
            assert!(!results.is_empty() && results.iter().all(|ticket| ticket[field] == value), "{query}");
            assert_eq!(page["count"], results.len());
        }
        for (order, field) in [("submit_date", "id"), ("subject", "subject")] {
            let up = list(&format!("ordering={order}")).await;
            let mut down = list(&format!("ordering=-{order}")).await;
            let values = |page: &Value| -> Vec<Value> {
                page["results"].as_array().expect("results").iter().map(|ticket| ticket[field].clone()).collect()
            };
            down["results"].as_array_mut().expect("results").reverse();
            assert_eq!(values(&up), values(&down), "{order}");
        }
    }

    /// The desk's own lists: what is new, what is open, what is mine.
    async fn the_desk_has_its_lists(store: NewStore) {
        let desk = Desk::new(store).await;
        let ticket = desk.ticket("For the lists").await;
        let has = async |path: &str, token: &str| {
            let list = desk.get(token, path).await.json();
            let found = list.as_array().expect("a list").iter().find(|other| other["id"] == ticket).cloned();
            found.map(|ticket| ticket["status"].as_str().unwrap_or_default().to_owned())
        };
        let lists = async || {
            let new = has("/api/tickets/new/", &desk.coordinator).await;
            let open = has("/api/tickets/open/", &desk.coordinator).await;
            let mine = has("/api/tickets/my-tickets/", &desk.coordinator).await;
            let theirs = has("/api/tickets/my-tickets/", &desk.admin).await;
            [new, open, mine, theirs].map(Option::unwrap_or_default)
        };
        assert_eq!(lists().await, ["New", "", "", ""]);
        assert_eq!(desk.act(&desk.coordinator, ticket, "approve", approval()).await, 200);
        assert_eq!(lists().await, ["", "Open", "", ""]);
        assert_eq!(desk.act(&desk.coordinator, ticket, "claim", serde_json::json!({})).await, 200);
        assert_eq!(lists().await, ["", "", "In Progress", ""]);
        assert_eq!(desk.act(&desk.customer, ticket, "withdraw", serde_json::json!({})).await, 200);
        assert_eq!(lists().await, ["", "", "Withdrawn", ""]);
        assert_eq!(desk.get(&desk.customer2, &format!("/api/tickets/{ticket}/")).await.status, 403);
    }
}
