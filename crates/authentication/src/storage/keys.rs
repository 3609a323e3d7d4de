//! Keys that the gateway makes for itself and keeps over restarts.

use rusqlite::{Connection, OptionalExtension, params};
use zeroize::Zeroizing;

use super::{Database, StorageError};
use crate::secret::random_bytes;

/// The 512 random bits kept under `purpose`, made at the first call and the same ever after.
///
/// One key serves one purpose (invariant 7): callers never share a `purpose`.
///
/// # Errors
/// As [`Database::write`].
pub async fn load_or_create(database: &Database, purpose: &str) -> Result<Zeroizing<[u8; 64]>, StorageError> {
    let create = || Zeroizing::new(random_bytes::<64>().to_vec());
    let bytes = load_or_create_with(database, purpose, create).await?;
    let corrupt = |_| StorageError::Corrupt {
        file: database.file().to_owned(),
        detail: format!("the server key `{purpose}` has {} bytes, not 64", bytes.len()),
    };
    <[u8; 64]>::try_from(bytes.as_slice()).map(Zeroizing::new).map_err(corrupt)
}

/// The key kept under `purpose` in whatever encoding `create` chose (PKCS #8, say) at the first call.
///
/// # Errors
/// As [`Database::write`].
pub async fn load_or_create_with(
    database: &Database,
    purpose: &str,
    create: impl FnOnce() -> Zeroizing<Vec<u8>> + Send + 'static,
) -> Result<Zeroizing<Vec<u8>>, StorageError> {
    let purpose = purpose.to_owned();
    database
        .tidy(move |connection| match load(connection, &purpose)? {
            Some(key) => Ok(key),
            None => save(connection, &purpose, create()),
        })
        .await
}

fn load(connection: &Connection, purpose: &str) -> rusqlite::Result<Option<Zeroizing<Vec<u8>>>> {
    let select = "SELECT key FROM server_keys WHERE purpose = ?1";
    connection.query_row(select, [purpose], |row| row.get(0).map(Zeroizing::new)).optional()
}

fn save(
    connection: &Connection,
    purpose: &str,
    key: Zeroizing<Vec<u8>>,
) -> rusqlite::Result<Zeroizing<Vec<u8>>> {
    let insert = "INSERT INTO server_keys (purpose, created, key) VALUES (?1, unixepoch(), ?2)";
    connection.execute(insert, params![purpose, key.as_slice()])?;
    Ok(key)
}
