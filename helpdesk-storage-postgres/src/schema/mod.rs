//! The tables of a store: what the kinds want, and bringing a database there.

mod backfill;
mod compare;
mod migrate;
mod rollups;
mod views;
mod wanted;

pub(crate) use self::backfill::backfill;
pub(crate) use self::compare::differences;
pub(crate) use self::migrate::{connect, migrate};
pub(crate) use self::rollups::filled_rollups;
pub(crate) use self::wanted::{fields_hash, sql_type};
