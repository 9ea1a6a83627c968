//! The conformance suite: what every store must do, one named test for each behaviour.
//!
//! A store's crate stamps the suite out with [`conformance_suite!`](crate::conformance_suite), and passes if all
//! of it does. Among the behaviours is one that plays random histories on the store and on the [`Oracle`], a
//! store so simple that it is right by inspection, and compares every answer.
//!
//! Each behaviour keeps to organisations of its own, so that stores that share a database can pass as well as
//! those that begin empty. They do not sleep: where a store may show something a little later, they wait for it.
//! Only behaviours that claim jobs need the store for themselves, for a claim takes jobs of every scope; those of
//! one process take turns, so the tests of two processes must not share a database.
//!
//! A new behaviour is a `pub async fn` in the file of its area, and a line in `suite.rs`.

// The name of a behaviour says what it is; prose would only say it again.
macro_rules! areas {
    ($($area:ident),* $(,)?) => {
        $(
            #[expect(missing_docs, reason = "a behaviour is documented by its name")]
            pub mod $area;
        )*

        #[cfg(test)]
        const AREAS: &[(&str, &str)] = &[$((stringify!($area), include_str!(concat!(stringify!($area), ".rs")))),*];
    };
}

mod fixture;
pub mod histories;
mod kinds;
mod oracle;
mod suite;

areas! {
    atomicity, bounds, counters, events, filters, invalid, jobs, leases, many, modes, numbers, ordering, outcome,
    paging, periods, races, references, rollups, scopes, search, tally, totals, uniqueness, writes,
}

pub use self::kinds::schema;
pub use self::oracle::Oracle;
