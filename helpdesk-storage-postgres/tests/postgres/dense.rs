//! Numbers that people read: without gaps, and rising in the order in which commits were answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use helpdesk_core::storage::{Scope, Storage as _, StorageError, Write};
use tokio::task::JoinSet;

use crate::fixture::{CASE, Desk, ask, commit, fresh, within};

const CREATORS: usize = 32;
const EACH: usize = 25;

/// A desk of each of two organisations on one database.
async fn two_desks(purpose: &str) -> [Desk; 2] {
    let first = Desk::new(purpose).await;
    let second = Desk { scope: Scope::organisation(fresh()), ..first.clone() };
    [first, second]
}

fn new_case(desk: &Desk) -> Write {
    desk.insert(&CASE, fresh(), &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_have_no_gaps_and_rise_from_answer_to_answer() {
    let desks = two_desks("dense_rising").await;
    let nodes = [desks[0].open().await, desks[0].open().await];
    // The highest number that was answered to anybody, of each organisation.
    let answered = Arc::new([AtomicI64::new(0), AtomicI64::new(0)]);
    let mut creators = JoinSet::new();
    for creator in 0..CREATORS {
        let (desks, store, answered) =
            (desks.clone(), Arc::clone(&nodes[creator % 2]), Arc::clone(&answered));
        creators.spawn(async move {
            let mut made = [0; 2];
            for round in 0..EACH {
                // Of either organisation, now and then several, and now and then of both.
                let own = (creator / 2) % 2;
                let mut places = vec![own; 1 + round % 3 / 2];
                if round % 5 == 4 {
                    places.push(1 - own);
                }
                let before = [0, 1].map(|place: usize| answered[place].load(Ordering::SeqCst));
                let batch = desks[0].writes(places.iter().map(|place| new_case(&desks[*place])));
                let written = commit(&store, batch).await.written;
                let mut last = before;
                for (place, written) in places.into_iter().zip(written) {
                    assert!(written.number > last[place], "{} after {}", written.number, last[place]);
                    last[place] = written.number;
                    made[place] += 1;
                    answered[place].fetch_max(written.number, Ordering::SeqCst);
                }
            }
            made
        });
    }
    let made = within("the creators", creators.join_all()).await;
    let mut session = desks[0].session().await;
    for (place, desk) in desks.iter().enumerate() {
        let made: i64 = made.iter().map(|made| made[place]).sum();
        let organisation = desk.scope.id().expect("an organisation");
        let dense = format!(
            "SELECT count(*) = {made} AND min(number) = 1 AND max(number) = {made} FROM helpdesk.\"case\"
             WHERE organisation = '{organisation}'"
        );
        assert!(ask::<bool>(&mut session, &dense).await, "{made} numbers without gaps");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_batches_that_failed_leave_gaps() {
    let [desk, other] = two_desks("dense_gaps").await;
    let store = desk.open().await;
    let coded = |code: &str| desk.writes([desk.insert(&CASE, fresh(), &[("code", code.into())])]);
    assert_eq!(commit(&store, coded("a")).await.written[0].number, 1);
    let refused = store.commit(coded("a")).await;
    assert!(matches!(refused, Err(StorageError::Duplicate { .. })), "{refused:?}");
    assert_eq!(commit(&store, coded("b")).await.written[0].number, 3);
    // Nobody else's numbers are touched.
    assert_eq!(commit(&store, other.writes([new_case(&other)])).await.written[0].number, 1);
}
