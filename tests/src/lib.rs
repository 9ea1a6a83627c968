//! What the end-to-end tests run on: a server in this process, clients over real sockets, and a walker that follows
//! the machine-readable contract of a dialect.
//!
//! | module | holds |
//! | --- | --- |
//! | [`stores`] | the stores that every test runs on |
//! | [`dialects`] | the dialects, their mounts and contracts |
//! | [`server`] | a server with demo data, a clock that stands still and mail that is caught |
//! | [`client`], [`raw`] | a client for well-formed requests, and one for everything else |
//! | [`files`] | real files made on the spot, and forms that carry them |
//! | [`json`] | looking into JSON, and comparing its shape |
//! | [`contract`], [`walk`] | the contract's table, and the walker |
//!
//! A new dialect is added to [`dialects::ALL`], with its contract and accounts in `contracts/`; a new store is a
//! function and a test in [`stores`].

pub mod client;
pub mod contract;
pub mod dialects;
pub mod files;
pub mod json;
pub mod mail;
pub mod raw;
pub mod server;
pub mod stores;
pub mod walk;

/// Declares tests that run once on each store: `async fn a_list_is_empty_at_first(store: NewStore) { … }`. What the
/// function is given makes an empty one.
#[macro_export]
macro_rules! on_every_store {
    ($(#[doc = $doc:literal])* async fn $name:ident($store:ident: NewStore) $body:block $($rest:tt)*) => {
        $(#[doc = $doc])*
        async fn $name($store: $crate::stores::NewStore) $body

        mod $name {
            $crate::test_on_each_store! { super::$name }
        }

        $crate::on_every_store! { $($rest)* }
    };
    () => {};
}
