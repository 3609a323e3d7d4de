//! Keys that the gateway makes for itself and keeps over restarts.

use std::sync::Weak;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use zeroize::Zeroizing;

use super::database::DatabaseInner;
use super::{Database, StorageError};
use crate::secret::{KeyRing, random_bytes};

/// What the keys of the operator's secrets are for.
const PURPOSE: &[u8] = b"portcullis state 1: server key";

/// What a sealed key begins with. One that is not sealed is random or PKCS #8 and does not begin so.
const SEALED: &[u8] = b"portcullis sealed key 1\0";

type Plain = Zeroizing<Vec<u8>>;

/// The gateway's own keys in the state file; sealed where the operator has given secrets (`[state] key`), otherwise
/// protected by the file's mode alone.
#[derive(Clone, Debug)]
pub struct ServerKeys {
    database: Database,
    ring: Option<KeyRing>,
}

impl ServerKeys {
    /// Those in `database`, sealed under the first of `secrets` where there are any. Keys that were kept without, or
    /// under another of them, are sealed anew when they are read.
    #[must_use]
    pub fn new<S: AsRef<[u8]>>(database: Database, secrets: &[S]) -> Self {
        Self { database, ring: KeyRing::derive(secrets, PURPOSE) }
    }

    /// The 512 random bits kept under `purpose`, made at the first call and the same ever after.
    ///
    /// One key serves one purpose (invariant 7): callers never share a `purpose`.
    ///
    /// # Errors
    /// As [`Database::write`]; `Sealed` where no secret opens it.
    pub async fn load_or_create(&self, purpose: &str) -> Result<Zeroizing<[u8; 64]>, StorageError> {
        let create = || Zeroizing::new(random_bytes::<64>().to_vec());
        let bytes = self.load_or_create_with(purpose, create).await?;
        let corrupt = |_| StorageError::Corrupt {
            file: self.database.file().to_owned(),
            detail: format!("the server key `{purpose}` has {} bytes, not 64", bytes.len()),
        };
        <[u8; 64]>::try_from(bytes.as_slice()).map(Zeroizing::new).map_err(corrupt)
    }

    /// The key kept under `purpose` in whatever encoding `create` chose (PKCS #8, say) at the first call.
    ///
    /// # Errors
    /// As [`ServerKeys::load_or_create`].
    pub async fn load_or_create_with(
        &self,
        purpose: &str,
        create: impl FnOnce() -> Plain + Send + 'static,
    ) -> Result<Plain, StorageError> {
        let (ring, name) = (self.ring.clone(), purpose.to_owned());
        let key = self.database.tidy(move |connection| match load(connection, &name)? {
            Some(kept) => reopen(connection, ring.as_ref(), &name, kept),
            None => {
                let key = create();
                save(connection, ring.as_ref(), &name, &key).map(|kept| kept.then_some(key))
            }
        });
        key.await?.ok_or_else(|| self.sealed(purpose))
    }

    /// What is kept under `purpose`; `None` where nothing is.
    ///
    /// # Errors
    /// As [`ServerKeys::load_or_create`].
    pub async fn load(&self, purpose: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        let (ring, name) = (self.ring.clone(), purpose.to_owned());
        let found = self.database.tidy(move |connection| match load(connection, &name)? {
            Some(kept) => reopen(connection, ring.as_ref(), &name, kept).map(|opened| Some(opened.ok_or(()))),
            None => Ok(None),
        });
        found.await?.transpose().map_err(|()| self.sealed(purpose))
    }

    /// Puts `new` in the place of `seen`, unless somebody else has put something else there meanwhile (compare and
    /// set): whether it did. `None` as `seen`: where nothing is kept.
    ///
    /// # Errors
    /// As [`ServerKeys::load_or_create`].
    pub async fn replace(
        &self,
        purpose: &str,
        seen: Option<Zeroizing<Vec<u8>>>,
        new: Zeroizing<Vec<u8>>,
    ) -> Result<bool, StorageError> {
        let (ring, name) = (self.ring.clone(), purpose.to_owned());
        let replaced = self.database.write(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let kept = match load(&transaction, &name)? {
                Some(kept) => match reopen(&transaction, ring.as_ref(), &name, kept)? {
                    Some(opened) => Some(opened),
                    None => return Ok(None),
                },
                None => None,
            };
            if mutant!(kept != seen, "late-rotation-wins" => false) {
                return Ok(Some(false));
            }
            let sealed = save(&transaction, ring.as_ref(), &name, &new)?;
            transaction.commit()?;
            Ok(sealed.then_some(true))
        });
        replaced.await?.ok_or_else(|| self.sealed(purpose))
    }

    /// A handle that does not keep the database open.
    #[must_use]
    pub fn downgrade(&self) -> WeakServerKeys {
        WeakServerKeys { database: self.database.downgrade(), ring: self.ring.clone() }
    }

    fn sealed(&self, purpose: &str) -> StorageError {
        StorageError::Sealed { file: self.database.file().to_owned(), purpose: purpose.to_owned() }
    }
}

/// The gateway's own keys, for as long as somebody else holds the database open: where another process takes over, it
/// must close.
#[derive(Clone, Debug)]
pub struct WeakServerKeys {
    database: Weak<DatabaseInner>,
    ring: Option<KeyRing>,
}

impl WeakServerKeys {
    /// The keys; `None` where the database is closed. To be held for a moment only.
    #[must_use]
    pub fn upgrade(&self) -> Option<ServerKeys> {
        Some(ServerKeys { database: Database::upgrade(&self.database)?, ring: self.ring.clone() })
    }
}

fn load(connection: &Connection, purpose: &str) -> rusqlite::Result<Option<Plain>> {
    let select = "SELECT key FROM server_keys WHERE purpose = ?1";
    connection.query_row(select, [purpose], |row| row.get(0).map(Zeroizing::new)).optional()
}

/// The key that is `kept`, which is sealed anew where the first of the ring's keys has not sealed it; `None` where it
/// does not open.
fn reopen(
    connection: &Connection,
    ring: Option<&KeyRing>,
    purpose: &str,
    kept: Plain,
) -> rusqlite::Result<Option<Plain>> {
    let (key, sealed_well) = match kept.strip_prefix(SEALED) {
        None => (kept, ring.is_none()),
        Some(sealed) => match ring.and_then(|ring| ring.open(purpose.as_bytes(), sealed)) {
            Some(opened) => (opened.plain, !opened.by_an_older_key),
            None => return Ok(None),
        },
    };
    if mutant!(!sealed_well, "keys-of-before-stay-in-the-clear" => false) {
        save(connection, ring, purpose, &key)?;
    }
    Ok(Some(key))
}

/// False where it could not be sealed: nothing is written in the clear then.
fn save(
    connection: &Connection,
    ring: Option<&KeyRing>,
    purpose: &str,
    key: &[u8],
) -> rusqlite::Result<bool> {
    let sealed = match ring {
        None => Some(key.to_vec()),
        Some(ring) => ring.seal(purpose.as_bytes(), key).map(|sealed| [SEALED, &sealed].concat()),
    };
    let Some(sealed) = sealed.map(Zeroizing::new) else { return Ok(false) };
    let insert = "INSERT INTO server_keys (purpose, created, key) VALUES (?1, unixepoch(), ?2)
        ON CONFLICT (purpose) DO UPDATE SET key = ?2";
    connection.execute(insert, params![purpose, sealed.as_slice()])?;
    Ok(true)
}
