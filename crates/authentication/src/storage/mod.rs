//! The embedded database: one file, one connection that writes and a few that read beside it, numbered migrations.
//!
//! A state file that cannot be used is named and left alone; it is never deleted, emptied or replaced.

mod backup;
mod container;
mod database;
mod endings;
mod error;
mod file;
mod health;
mod keys;
mod lane;
mod migrations;
mod open;
pub mod redis;
mod seconds;
mod shrink;
mod tend;

#[cfg(test)]
mod tests;

pub use backup::{Restored, RestoredSessions, backup, restore};
pub use container::BackedUpStore;
pub use database::Database;
pub use endings::EndedId;
pub use error::{BackupError, StorageError};
pub use health::StateHealth;
pub use keys::{ServerKeys, WeakServerKeys};
pub use seconds::Seconds;
