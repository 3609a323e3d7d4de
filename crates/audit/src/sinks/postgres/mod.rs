//! Events in PostgreSQL: a row each, in a table for each day, chained as they were written.
//!
//! What a statement writes is a block of a chain, and both are committed at once: what comes again, because nobody knows
//! whether a commit was the last word, is known by its id and written once. Of what a connection has told nothing is taken
//! for granted on the next one.

mod blocks;
mod columns;
mod fault;
mod migrate;
mod part;
mod record;
mod server;
mod session;
mod sink;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod upkeep;

use std::time::Duration;

pub use record::PostgresRecord;
pub use server::{PostgresHost, PostgresServer};
pub(super) use sink::PostgresSink;

/// A database that keeps events, and how much of the past it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresSettings {
    /// Where it is.
    pub server: PostgresServer,
    /// How old a day may become.
    pub keep: Duration,
}

/// Whether a checkpoint calls a place in PostgreSQL so: `events_20261130/postgres/9f2c41d07ab3`.
#[must_use]
pub fn is_postgres_place(name: &str) -> bool {
    let day = name.strip_prefix("events_").and_then(|rest| rest.split_once('/'));
    day.is_some_and(|(day, _)| day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()))
}
