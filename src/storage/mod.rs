//! The embedded database: one file, one thread, numbered migrations.
//!
//! A state file that cannot be used is named and left alone; it is never deleted, emptied or replaced.

mod database;
mod endings;
mod error;
mod file;
mod health;
pub mod keys;
mod migrations;
mod open;
mod tend;

#[cfg(test)]
mod tests;

pub use database::Database;
pub use endings::EndedId;
pub use error::StorageError;
pub use health::StateHealth;
