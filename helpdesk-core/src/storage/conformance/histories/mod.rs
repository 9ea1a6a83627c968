//! Random histories, played on a store and on the oracle, and compared step by step.
//!
//! A history is a list of steps made of small numbers only, which are looked up in what is there when the step
//! comes. So any part of a history is a history too, and one that fails can be cut down to what makes it fail.

mod compare;
mod parts;
mod plan;
mod play;
mod pools;
mod questions;

use std::sync::Arc;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use tokio::runtime::Handle;

pub(super) use self::compare::{Numbers, same_figures, same_page};
use self::play::Player;
use crate::storage::Storage;

/// How many histories are played where the environment does not say.
const HISTORIES: u32 = 256;

fn setting(name: &str) -> Option<u32> {
    std::env::var(name).ok()?.parse().ok()
}

/// Plays 256 histories of 50 steps on average, or as many as `HELPDESK_HISTORIES` says. They are the same in
/// every run, unless `HELPDESK_SEED` asks for others.
pub async fn random_histories_are_answered_as_by_the_oracle(store: &Arc<dyn Storage>) {
    let config = Config {
        cases: setting("HELPDESK_HISTORIES").unwrap_or(HISTORIES),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        max_shrink_time: 120_000,
        ..Config::default()
    };
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&setting("HELPDESK_SEED").unwrap_or(1).to_le_bytes());
    let (store, handle) = (Arc::clone(store), Handle::current());
    let played = tokio::task::spawn_blocking(move || {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        TestRunner::new_with_rng(config, rng).run(&plan::history(), |history| {
            handle.block_on(Player::play(&store, &history.0)).map_err(TestCaseError::fail)
        })
    });
    if let Err(error) = played.await.expect("the histories are played") {
        panic!("{error}");
    }
}
