//! A help desk as a Rust library.
//!
//! This crate re-exports the parts, so that a team adds one dependency:
//!
//! | feature | gives |
//! | --- | --- |
//! | always | the core: [`Helpdesk`], its services and ports |
//! | `memory` (default) | [`MemoryStorage`], the embedded store |
//! | `http` (default) | [`http`], the API dialects as a tower service |
//! | `docs-ui` | the reference pages of the dialects |
//! | `mail`, `smtp` | [`mail`], templates and transports for mail |
//! | `blobs`, `s3` | [`blobs`], files in folders; in object stores as well |
//! | `export` | [`export`], reports as workbooks and PDF |
//! | `postgres` | [`PostgresStorage`], the store on PostgreSQL |
//! | `ws` | [`ws`], events over WebSockets; with `http`, [`HttpSocket`] mounts them there |
//!
//! ```
//! use std::sync::Arc;
//!
//! use helpdesk::tickets::NewTicket;
//! use helpdesk::{Actor, Helpdesk, MemoryStorage};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let desk = Helpdesk::builder().storage(Arc::new(MemoryStorage::new(Helpdesk::schema()))).build();
//! let organisation = desk.identity().create_organisation("Acme", "acme").await?;
//! let system = Actor::system(organisation);
//! assert!(desk.tickets().list(&system, Default::default()).await?.items.is_empty());
//! # Ok::<(), helpdesk::Error>(()) }).unwrap();
//! ```

#[cfg(all(feature = "http", feature = "ws"))]
mod sockets;

#[cfg(feature = "blobs")]
pub use helpdesk_blobs as blobs;
pub use helpdesk_core::*;
#[cfg(feature = "export")]
pub use helpdesk_export as export;
#[cfg(feature = "http")]
pub use helpdesk_http as http;
#[cfg(feature = "mail")]
pub use helpdesk_mail as mail;
#[cfg(feature = "memory")]
pub use helpdesk_storage_memory::MemoryStorage;
#[cfg(feature = "postgres")]
pub use helpdesk_storage_postgres::{PostgresSettings, PostgresStorage};
#[cfg(feature = "ws")]
pub use helpdesk_ws as ws;

#[cfg(all(feature = "http", feature = "ws"))]
pub use self::sockets::HttpSocket;
