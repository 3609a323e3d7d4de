//! Numbered steps from an empty file to the present schema, each in a transaction of its own.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};

use super::StorageError;

/// `application_id` in the file's header: "Prtc".
pub(super) const APPLICATION_ID: i32 = 0x5072_7463;

/// Step `n` leads from `user_version` `n` to `n + 1`. A published step is never edited.
const STEPS: [&str; 6] = [
    include_str!("migrations/0001_server_keys.sql"),
    include_str!("migrations/0002_sessions.sql"),
    include_str!("migrations/0003_probe.sql"),
    include_str!("migrations/0004_cards.sql"),
    include_str!("migrations/0005_signals.sql"),
    include_str!("migrations/0006_bindings.sql"),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(connection: &Connection) -> Vec<(String, String)> {
        let mut all = connection
            .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
            .unwrap();
        all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn a_file_of_any_older_version_becomes_what_a_new_one_is_and_keeps_what_it_holds() {
        let mut new = Connection::open_in_memory().unwrap();
        apply(&mut new, Path::new("new")).unwrap();
        for version in 0..LATEST {
            let mut old = Connection::open_in_memory().unwrap();
            for (number, step) in (1..=version).zip(STEPS) {
                take(&mut old, number, step).unwrap();
            }
            if version > 0 {
                let key = "INSERT INTO server_keys (purpose, created, key) VALUES ('flows', 1, x'0102')";
                old.execute_batch(key).unwrap();
            }
            if version > 1 {
                let family = "INSERT INTO session_families
                    (root, provider, subject, provider_session, created, last_seen, expires, record)
                    VALUES (zeroblob(32), 'corp', zeroblob(32), NULL, 1, 2, 3, x'04')";
                old.execute_batch(family).unwrap();
            }
            apply(&mut old, Path::new("old")).unwrap();
            assert_eq!(schema(&old), schema(&new), "from version {version}");
            let count =
                |table: &str| old.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
            let held = (count("server_keys").unwrap(), count("session_families").unwrap());
            assert_eq!(held, (i32::from(version > 0), i32::from(version > 1)), "from version {version}");
        }
    }
}
