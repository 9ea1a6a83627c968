//! The help desk over HTTP.
//!
//! A *dialect* is one public API, as data: a table of [`Operation`](kernel::Operation)s, its words, and how it says
//! that something went wrong. [`HttpApi`] mounts dialects and is a `tower::Service`; [`serve`] puts it on a listener.
//!
//! To add an operation to a dialect, write an async function from [`Call`](kernel::Call) (and what is to be read of
//! the request) to a view, and a line in the table of its area. Routing, authentication, permission, limits and the
//! dialect's document follow from that line.

mod api;
pub mod dialects;
#[cfg(feature = "docs-ui")]
mod docs;
pub mod input;
pub mod kernel;
mod server;
mod sockets;

pub use self::api::{Builder, HttpApi};
pub use self::server::serve;
pub use self::sockets::{Opening, Socket};
