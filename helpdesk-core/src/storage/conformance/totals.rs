//! How many records match a query.

use std::sync::Arc;

use super::fixture::{Org, fresh, texts};
use super::kinds::{ITEM, SHELF};
use crate::storage::{Filter, From, Query, Storage, Term, Total, TotalMode};

const fn exactly(count: u64) -> Option<Total> {
    Some(Total { count, exact: true })
}

const fn at_least(count: u64) -> Option<Total> {
    Some(Total { count, exact: false })
}

/// Ten items, of which five are `even`, and one is neither open nor shut.
async fn items(store: &Arc<dyn Storage>) -> Org {
    let org = Org::new(store);
    let writes = (0..10).map(|size: i64| {
        let item = org.item().label(&size.to_string()).set("size", size).says("common words");
        let item = item.set("state", if size % 2 == 0 { "even" } else { "odd" });
        let item = item.set("open", (size != 0).then_some(size > 5)).set("tags", texts(&["all", "some"]));
        item.insert()
    });
    org.write(writes).await;
    org
}

pub async fn a_total_is_only_told_when_asked(store: &Arc<dyn Storage>) {
    let org = items(store).await;
    assert_eq!(org.page(org.query()).await.total, None);
    assert_eq!(org.page(org.query().total(TotalMode::None)).await.total, None);
    assert_eq!(org.page(Query::new(&SHELF, org.scope)).await.total, None);
}

pub async fn an_exact_total_counts_all_that_match(store: &Arc<dyn Storage>) {
    let org = items(store).await;
    let cases = [
        (Filter::all(), 10),
        (Filter::none(), 0),
        (Filter::equals("state", "even"), 5),
        (Filter::equals("state", "even").not(), 5),
        (Filter::one_of("state", ["even".into(), "odd".into()]), 10),
        (Filter::null("open"), 1),
        (Filter::equals("open", true), 4),
        (Filter::less_than("size", 3), 3),
        (Filter::less_than("size", 3).and(Filter::equals("state", "odd")), 1),
        (Filter::equals("size", 1).or(Filter::equals("size", 2)), 2),
        (Filter::one_of("tags", ["all".into(), "some".into()]), 10),
        (Filter::words(Term::typed("comm*")), 10),
        (Filter::words(Term::typed("words")).and(Filter::at_least("size", 8)), 2),
        (Filter::equals("id", fresh()), 0),
        (Filter::range("number", crate::storage::Bound::Open, crate::storage::Bound::Open), 10),
    ];
    for (filter, count) in cases {
        let total = org.page(org.query().filter(filter.clone()).total(TotalMode::Exact)).await.total;
        assert_eq!(total, exactly(count), "{filter:?}");
    }
}

pub async fn a_total_does_not_depend_on_the_page(store: &Arc<dyn Storage>) {
    let org = items(store).await;
    let query = org.query().filter(Filter::equals("state", "even")).descending("size");
    let cursor = query.ordering().cursor(&org.page(query.clone()).await.records[1]);
    for from in
        [From::Start, From::Offset(2), From::Offset(99), From::After(cursor.clone()), From::Before(cursor)]
    {
        for limit in [0, 1, 2, 100] {
            let asked = query.clone().from(from.clone()).limit(limit);
            assert_eq!(org.page(asked.clone().total(TotalMode::Exact)).await.total, exactly(5));
            assert_eq!(org.page(asked.total(TotalMode::UpTo(4))).await.total, at_least(4));
        }
    }
}

pub async fn a_bounded_total_is_exact_up_to_its_bound(store: &Arc<dyn Storage>) {
    let org = items(store).await;
    for filter in [
        Filter::all(),
        Filter::equals("tags", "all"),
        Filter::at_least("size", 0),
        Filter::words(Term::typed("common")),
    ] {
        let total = async |most| {
            let query = org.query().filter(filter.clone()).limit(1).total(TotalMode::UpTo(most));
            org.page(query).await.total
        };
        assert_eq!(total(0).await, at_least(0));
        assert_eq!(total(1).await, at_least(1));
        assert_eq!(total(9).await, at_least(9));
        assert_eq!(total(10).await, exactly(10));
        assert_eq!(total(11).await, exactly(10));
        assert_eq!(total(u64::MAX).await, exactly(10));
    }
}

pub async fn the_total_of_nothing_is_exactly_none(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    for mode in [TotalMode::Exact, TotalMode::UpTo(0), TotalMode::UpTo(5)] {
        assert_eq!(org.page(org.query().total(mode)).await.total, exactly(0));
    }
}

pub async fn totals_follow_changes(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = org.item().set("state", "a");
    let total = async |filter: Filter| {
        org.page(org.query().filter(filter).limit(0).total(TotalMode::Exact)).await.total
    };
    org.insert(item.clone()).await;
    assert_eq!(total(Filter::equals("state", "a")).await, exactly(1));
    org.write([item.clone().set("state", "b").update(1)]).await;
    assert_eq!(total(Filter::equals("state", "a")).await, exactly(0));
    assert_eq!(total(Filter::equals("state", "b")).await, exactly(1));
    assert_eq!(total(Filter::all()).await, exactly(1));
    org.write([org.delete(&ITEM, item.id(), 2)]).await;
    assert_eq!(total(Filter::all()).await, exactly(0));
    assert_eq!(total(Filter::equals("state", "b").not()).await, exactly(0));
}
