//! Pages: none skips a record, none repeats one.

use std::sync::Arc;

use super::fixture::{Draft, Org, at, fresh, labels};
use super::kinds::ITEM;
use crate::storage::{Batch, Cursor, Filter, From, MAX_PAGE, Page, Query, Storage, Value, Write};

/// Eleven items with ties and nulls, labelled `a` to `k` by rising number.
async fn items(store: &Arc<dyn Storage>) -> Org {
    let org = Org::new(store);
    let states = [Some("x"), None, Some("y"), Some("x"), Some("z"), None];
    let dues = [Some(3), Some(1), None, Some(1)];
    for (place, label) in ('a'..='k').enumerate() {
        let item = org.item().label(&label.to_string()).set("note", states[(place + 1) % 6]);
        let item = item.set("state", states[place % 6]).set("due", dues[place % 4].map(at));
        let item = item.set("grade", i64::try_from(place % 3).expect("a small number")).set("open", place % 2 == 0);
        org.insert(item).await;
    }
    org
}

/// The queries whose pages are walked through: every way in which a store may come by an order.
fn queries(org: &Org) -> Vec<Query> {
    let query = || org.query();
    vec![
        query(),
        query().descending("number"),
        query().ascending("state"),
        query().descending("state"),
        query().ascending("note"),
        query().descending("note"),
        query().descending("due"),
        query().ascending("due").descending("number"),
        query().ascending("grade").descending("due"),
        query().descending("grade").ascending("state").ascending("label"),
        query().filter(Filter::equals("open", true)).ascending("grade"),
        query().filter(Filter::null("state")).ascending("due"),
        query().filter(Filter::equals("state", "x").or(Filter::null("state"))).descending("state"),
        query().filter(Filter::none()),
        query().ascending("id"),
        query().descending("created_at"),
    ]
}

/// Follows the cursors from a page on, and answers what the pages hold, page by page.
async fn walk(org: &Org, query: &Query, mut page: Page, forwards: bool) -> Vec<Vec<String>> {
    let mut pages = vec![labels(&page)];
    loop {
        let cursor = if forwards { page.next } else { page.previous };
        let Some(cursor) = cursor else { return pages };
        let from = if forwards { From::After(cursor) } else { From::Before(cursor) };
        page = org.page(query.clone().from(from)).await;
        pages.push(labels(&page));
        assert!(pages.len() <= 20, "the pages have no end: {pages:?}");
    }
}

/// The place of each record that a query finds.
async fn places(org: &Org, query: &Query) -> Vec<Cursor> {
    let order = query.ordering();
    org.page(query.clone()).await.records.iter().map(|record| order.cursor(record)).collect()
}

pub async fn pages_follow_one_another(store: &Arc<dyn Storage>) {
    let org = items(store).await;
    for query in queries(&org) {
        let all = org.labels(query.clone()).await;
        for limit in [1, 2, 3, 10, 11, 12] {
            let query = query.clone().limit(limit);
            let pages = walk(&org, &query, org.page(query.clone()).await, true).await;
            let mut expected: Vec<Vec<String>> = all.chunks(limit).map(<[String]>::to_vec).collect();
            if expected.is_empty() {
                expected.push(Vec::new());
            }
            assert_eq!(pages, expected, "{query:?}");
        }
    }
}

pub async fn pages_lead_back(store: &Arc<dyn Storage>) {
    let org = items(store).await;
    for query in queries(&org) {
        let all = org.labels(query.clone()).await;
        let places = places(&org, &query).await;
        for (place, cursor) in places.iter().enumerate() {
            for limit in [1, 3, 10, 11] {
                let query = query.clone().limit(limit);
                let page = org.page(query.clone().from(From::Before(cursor.clone()))).await;
                let pages = walk(&org, &query, page, false).await;
                let mut expected: Vec<Vec<String>> = all[..place].rchunks(limit).map(<[String]>::to_vec).collect();
                if expected.is_empty() {
                    expected.push(Vec::new());
                }
                assert_eq!(pages, expected, "{query:?}");
            }
        }
    }
}

pub async fn a_page_begins_after_any_record(store: &Arc<dyn Storage>) {
    let org = items(store).await;
    for query in queries(&org) {
        let all = org.labels(query.clone()).await;
        for (place, cursor) in places(&org, &query).await.into_iter().enumerate() {
            // A cursor goes through the hands of a client.
            let cursor = Cursor::decode(&cursor.encode()).expect("a cursor of ours");
            let page = org.page(query.clone().limit(4).from(From::After(cursor))).await;
            assert_eq!(labels(&page), all[place + 1..(place + 5).min(all.len())], "{query:?}");
            assert_eq!(page.next.is_some(), place + 5 < all.len(), "{query:?}");
        }
    }
}

pub async fn pages_begin_at_an_offset(store: &Arc<dyn Storage>) {
    let org = items(store).await;
    for query in queries(&org) {
        let all = org.labels(query.clone()).await;
        for limit in [1, 4, 11] {
            for offset in 0..=all.len() + 1 {
                let query = query.clone().limit(limit);
                let page = org.page(query.clone().from(From::Offset(offset as u64))).await;
                let end = (offset + limit).min(all.len());
                assert_eq!(labels(&page), all[offset.min(end)..end], "{query:?} from {offset}");
                assert_eq!(page.next.is_some(), offset + limit < all.len(), "{query:?} from {offset}");
                assert_eq!(page.previous.is_some(), offset > 0 && offset < all.len());
                if let Some(cursor) = page.next {
                    let next = org.page(query.clone().from(From::After(cursor))).await;
                    assert_eq!(labels(&next), all[end..(end + limit).min(all.len())]);
                }
                if let Some(cursor) = page.previous {
                    let previous = org.page(query.clone().from(From::Before(cursor))).await;
                    assert_eq!(labels(&previous), all[offset.saturating_sub(limit)..offset]);
                }
            }
        }
        for far in [1_000_000, i64::MAX as u64, u64::MAX] {
            assert!(org.labels(query.clone().from(From::Offset(far))).await.is_empty());
        }
    }
}

pub async fn the_first_page_has_nothing_before_it_and_the_last_nothing_after(store: &Arc<dyn Storage>) {
    let org = items(store).await;
    let first = org.page(org.query().limit(4)).await;
    assert!(first.previous.is_none() && first.next.is_some());
    let second = org.page(org.query().limit(4).from(From::After(first.next.clone().expect("a next page")))).await;
    assert!(second.previous.is_some() && second.next.is_some());
    let third = org.page(org.query().limit(4).from(From::After(second.next.expect("a next page")))).await;
    assert!(third.previous.is_some() && third.next.is_none());
    let back = org.page(org.query().limit(4).from(From::Before(second.previous.expect("a page before")))).await;
    assert!(back.previous.is_none() && back.next.is_some());
    assert_eq!(labels(&back), labels(&first));
    // Exactly as many as a page holds: no further page is promised.
    let whole = org.page(org.query().limit(11)).await;
    assert!(whole.previous.is_none() && whole.next.is_none());
}

pub async fn a_page_of_nothing_has_neither_records_nor_cursors(store: &Arc<dyn Storage>) {
    let org = items(store).await;
    let cursor = places(&org, &org.query()).await.swap_remove(5);
    let starts = [From::Start, From::Offset(3), From::After(cursor.clone()), From::Before(cursor)];
    for from in starts {
        for query in [org.query().limit(0), org.query().filter(Filter::none())] {
            let page = org.page(query.from(from.clone())).await;
            assert!(page.records.is_empty() && page.next.is_none() && page.previous.is_none(), "{from:?}");
        }
    }
    let page = Org::new(store).page(org.query().limit(0)).await;
    assert!(page.records.is_empty());
}

pub async fn a_page_goes_on_where_a_deleted_record_was(store: &Arc<dyn Storage>) {
    for query in [Query::ascending, Query::descending] {
        for field in ["number", "state", "note", "due", "grade"] {
            let org = items(store).await;
            let query = query(org.query(), field);
            let (all, places) = (org.labels(query.clone()).await, places(&org, &query).await);
            let marked = org.page(query.clone()).await.records[5].id;
            org.write([org.delete(&ITEM, marked, 1)]).await;
            let after = org.labels(query.clone().from(From::After(places[5].clone()))).await;
            assert_eq!(after, all[6..], "{query:?}");
            let before = org.labels(query.clone().from(From::Before(places[5].clone()))).await;
            assert_eq!(before, all[..5], "{query:?}");
        }
    }
}

pub async fn a_page_goes_on_where_a_moved_record_was(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let drafts: Vec<Draft> =
        (1..=5).map(|due| org.item().label(&due.to_string()).set("due", at(due))).collect();
    org.write(drafts.iter().cloned().map(Draft::insert)).await;
    let query = org.query().ascending("due");
    let third = places(&org, &query).await.swap_remove(2);
    org.write([drafts[2].clone().set("due", at(9)).update(1), drafts[0].clone().set("due", at(3)).update(1)])
        .await;
    // What was first now ties with the place, and by its number comes before it.
    let after = query.clone().from(From::After(third.clone()));
    assert_eq!(org.labels(after).await, ["4", "5", "3"]);
    assert_eq!(org.labels(query.from(From::Before(third))).await, ["2", "1"]);
}

pub async fn records_that_come_in_between_appear_on_later_pages_only(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    for due in [10, 20, 30, 40] {
        org.insert(org.item().label(&due.to_string()).set("due", at(due))).await;
    }
    let query = org.query().ascending("due").limit(2);
    let first = org.page(query.clone()).await;
    org.insert(org.item().label("15").set("due", at(15))).await;
    org.insert(org.item().label("25").set("due", at(25))).await;
    let pages = walk(&org, &query, first, true).await;
    assert_eq!(pages, [vec!["10", "20"], vec!["25", "30"], vec!["40"]]);
}

pub async fn a_place_among_nulls_is_a_place(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let labels = ["n1", "n2", "n3"];
    org.write(labels.map(|label| org.item().label(label).insert())).await;
    org.insert(org.item().label("v").set("due", at(1)).set("note", "v")).await;
    for field in ["state", "note", "due", "weight", "user"] {
        let query = org.query().ascending(field).ascending("due");
        let places = places(&org, &query).await;
        assert!(places[1].values.iter().all(Value::is_null));
        assert_eq!(org.labels(query.clone().from(From::After(places[1].clone()))).await, ["n3", "v"]);
        assert_eq!(org.labels(query.from(From::Before(places[1].clone()))).await, ["n1"]);
        let query = org.query().descending("due").descending(field);
        let after = query.clone().from(From::After(places[1].clone()));
        assert_eq!(org.labels(after).await, ["n1"]);
        assert_eq!(org.labels(query.from(From::Before(places[1].clone()))).await, ["v", "n3"]);
    }
}

pub async fn a_page_may_hold_a_thousand(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let drafts = |count: usize| (0..count).map(|_| org.item().named(fresh()).insert()).collect::<Vec<Write>>();
    org.commit(Batch { writes: drafts(1_000), ..org.batch() }).await;
    assert_eq!(org.page(org.query()).await.records.len(), 100, "unless more is said");
    let page = org.page(org.query().limit(MAX_PAGE)).await;
    assert_eq!((page.records.len(), page.next), (1_000, None));
    org.commit(Batch { writes: drafts(1), ..org.batch() }).await;
    let page = org.page(org.query().limit(MAX_PAGE)).await;
    let rest = org.page(org.query().limit(MAX_PAGE).from(From::After(page.next.expect("a next page")))).await;
    assert_eq!((page.records.len(), rest.records.len(), rest.next), (1_000, 1, None));
}
