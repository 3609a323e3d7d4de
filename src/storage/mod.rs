//! The embedded database: one file, one thread, numbered migrations.
//!
//! A state file that cannot be used is named and left alone; it is never deleted, emptied or replaced.

mod database;
mod error;
mod file;
pub mod keys;
mod migrations;
mod open;

#[cfg(test)]
mod tests;

pub use database::Database;
pub use error::StorageError;
