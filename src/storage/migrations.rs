//! Numbered steps from an empty file to the present schema, each in a transaction of its own.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};

use super::StorageError;
use super::open::APPLICATION_ID;

/// Step `n` leads from `user_version` `n` to `n + 1`. A published step is never edited.
const STEPS: [&str; 3] = [
    include_str!("migrations/0001_server_keys.sql"),
    include_str!("migrations/0002_sessions.sql"),
    include_str!("migrations/0003_probe.sql"),
];

/// The version after the last step.
pub(super) const LATEST: i32 = STEPS.len() as i32;

/// Takes the steps that the file has not seen yet.
pub(super) fn apply(connection: &mut Connection, path: &Path) -> Result<(), StorageError> {
    let version: i32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|cause| StorageError::from_sqlite(path, cause))?;
    for (number, step) in (1..).zip(STEPS).skip(usize::try_from(version).unwrap_or(0)) {
        take(connection, number, step).map_err(|cause| StorageError::Migration {
            file: path.to_owned(),
            number,
            cause: Arc::new(cause),
        })?;
    }
    Ok(())
}

fn take(connection: &mut Connection, number: i32, step: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(step)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", number)?;
    transaction.commit()
}
