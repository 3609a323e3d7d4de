//! Keys that the gateway makes for itself and keeps over restarts.

use std::sync::Weak;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use zeroize::Zeroizing;

use super::database::DatabaseInner;
use super::redis::RedisClient;
use super::{Database, StorageError};
use crate::secret::{KeyRing, random_bytes};

/// What the keys of the operator's secrets are for.
const PURPOSE: &[u8] = b"portcullis state 1: server key";

/// What a sealed key begins with. One that is not sealed is random or PKCS #8 and does not begin so.
const SEALED: &[u8] = b"portcullis sealed key 1\0";

pub(super) type Plain = Zeroizing<Vec<u8>>;

/// The gateway's own keys: in the state file, sealed where the operator has given secrets (`[state] key`) and otherwise
/// protected by the file's mode alone; or, always sealed, in the Redis that gateways share.
#[derive(Clone, Debug)]
pub struct ServerKeys(Place);

#[derive(Clone, Debug)]
enum Place {
    File(Database, Option<KeyRing>),
    Shared(RedisClient, KeyRing),
}

impl ServerKeys {
    /// Those in `database`, sealed under the first of `secrets` where there are any. Keys that were kept without, or
    /// under another of them, are sealed anew when they are read.
    #[must_use]
    pub fn new<S: AsRef<[u8]>>(database: Database, secrets: &[S]) -> Self {
        Self(Place::File(database, KeyRing::derive(secrets, PURPOSE)))
    }

    /// Those behind `client`, which the first gateway makes and all others use, always sealed.
    ///
    /// # Errors
    /// `SealedShared` where there is no secret to seal them under.
    pub fn shared<S: AsRef<[u8]>>(client: RedisClient, secrets: &[S]) -> Result<Self, StorageError> {
        match KeyRing::derive(secrets, PURPOSE) {
            Some(ring) => Ok(Self(Place::Shared(client, ring))),
            None => Err(StorageError::SealedShared {
                server: client.name().to_string(),
                purpose: "everything".to_owned(),
            }),
        }
    }

    /// The 512 random bits kept under `purpose`, made at the first call and the same ever after.
    ///
    /// One key serves one purpose (invariant 7): callers never share a `purpose`.
    ///
    /// # Errors
    /// As [`Database::write`], or of Redis; `Sealed` where no secret opens it.
    pub async fn load_or_create(&self, purpose: &str) -> Result<Zeroizing<[u8; 64]>, StorageError> {
        let create = || Zeroizing::new(random_bytes::<64>().to_vec());
        let bytes = self.load_or_create_with(purpose, create).await?;
        let corrupt = |_| {
            let detail = format!("the server key `{purpose}` has {} bytes, not 64", bytes.len());
            match &self.0 {
                Place::File(database, _) => {
                    StorageError::Corrupt { file: database.file().to_owned(), detail }
                }
                Place::Shared(client, _) => StorageError::of_shared(client, &detail),
            }
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
        match &self.0 {
            Place::File(database, ring) => in_file(database, ring.clone(), purpose, create).await,
            Place::Shared(client, ring) => super::redis::load_or_create(client, ring, purpose, create).await,
        }
    }

    /// What is kept under `purpose`; `None` where nothing is.
    ///
    /// # Errors
    /// As [`ServerKeys::load_or_create`].
    pub async fn load(&self, purpose: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        match &self.0 {
            Place::File(database, ring) => load_of_file(database, ring.clone(), purpose).await,
            Place::Shared(client, ring) => super::redis::load(client, ring, purpose).await,
        }
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
        match &self.0 {
            Place::File(database, ring) => replace_in_file(database, ring.clone(), purpose, seen, new).await,
            Place::Shared(client, ring) => super::redis::replace(client, ring, purpose, seen, new).await,
        }
    }

    /// A handle that does not keep the database open.
    #[must_use]
    pub fn downgrade(&self) -> WeakServerKeys {
        WeakServerKeys(match &self.0 {
            Place::File(database, ring) => WeakPlace::File(database.downgrade(), ring.clone()),
            Place::Shared(client, ring) => WeakPlace::Shared(client.clone(), ring.clone()),
        })
    }
}

/// The gateway's own keys, for as long as somebody else holds the database open: where another process takes over, it
/// must close.
#[derive(Clone, Debug)]
pub struct WeakServerKeys(WeakPlace);

#[derive(Clone, Debug)]
enum WeakPlace {
    File(Weak<DatabaseInner>, Option<KeyRing>),
    Shared(RedisClient, KeyRing),
}

impl WeakServerKeys {
    /// The keys; `None` where the database is closed. To be held for a moment only.
    #[must_use]
    pub fn upgrade(&self) -> Option<ServerKeys> {
        Some(ServerKeys(match &self.0 {
            WeakPlace::File(database, ring) => Place::File(Database::upgrade(database)?, ring.clone()),
            WeakPlace::Shared(client, ring) => Place::Shared(client.clone(), ring.clone()),
        }))
    }
}

async fn in_file(
    database: &Database,
    ring: Option<KeyRing>,
    purpose: &str,
    create: impl FnOnce() -> Plain + Send + 'static,
) -> Result<Plain, StorageError> {
    let name = purpose.to_owned();
    let key = database.tidy(move |connection| match load(connection, &name)? {
        Some(kept) => reopen(connection, ring.as_ref(), &name, kept),
        None => {
            let key = create();
            save(connection, ring.as_ref(), &name, &key).map(|kept| kept.then_some(key))
        }
    });
    key.await?.ok_or_else(|| sealed(database, purpose))
}

async fn load_of_file(
    database: &Database,
    ring: Option<KeyRing>,
    purpose: &str,
) -> Result<Option<Plain>, StorageError> {
    let name = purpose.to_owned();
    let found = database.tidy(move |connection| match load(connection, &name)? {
        Some(kept) => reopen(connection, ring.as_ref(), &name, kept).map(|opened| Some(opened.ok_or(()))),
        None => Ok(None),
    });
    found.await?.transpose().map_err(|()| sealed(database, purpose))
}

async fn replace_in_file(
    database: &Database,
    ring: Option<KeyRing>,
    purpose: &str,
    seen: Option<Plain>,
    new: Plain,
) -> Result<bool, StorageError> {
    let name = purpose.to_owned();
    let replaced = database.write(move |connection| {
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
    replaced.await?.ok_or_else(|| sealed(database, purpose))
}

fn sealed(database: &Database, purpose: &str) -> StorageError {
    StorageError::Sealed { file: database.file().to_owned(), purpose: purpose.to_owned() }
}

/// The key that is `kept`, and whether the first of the ring's keys has sealed it; `None` where it does not open.
pub(super) fn open(ring: Option<&KeyRing>, purpose: &str, kept: Plain) -> Option<(Plain, bool)> {
    match kept.strip_prefix(SEALED) {
        None => Some((kept, ring.is_none())),
        Some(sealed) => {
            let opened = ring?.open(purpose.as_bytes(), sealed)?;
            Some((opened.plain, !opened.by_an_older_key))
        }
    }
}

/// As it is kept; `None` where it could not be sealed: nothing is written in the clear then.
pub(super) fn seal(ring: Option<&KeyRing>, purpose: &str, key: &[u8]) -> Option<Plain> {
    let sealed = match ring {
        None => key.to_vec(),
        Some(ring) => [SEALED, &ring.seal(purpose.as_bytes(), key)?].concat(),
    };
    Some(Zeroizing::new(sealed))
}

/// Whether what is kept is sealed at all.
pub(super) fn is_sealed(kept: &[u8]) -> bool {
    kept.starts_with(SEALED)
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
    let Some((key, sealed_well)) = open(ring, purpose, kept) else { return Ok(None) };
    if mutant!(!sealed_well, "keys-of-before-stay-in-the-clear" => false) {
        save(connection, ring, purpose, &key)?;
    }
    Ok(Some(key))
}

/// False where it could not be sealed.
fn save(
    connection: &Connection,
    ring: Option<&KeyRing>,
    purpose: &str,
    key: &[u8],
) -> rusqlite::Result<bool> {
    let Some(sealed) = seal(ring, purpose, key) else { return Ok(false) };
    let insert = "INSERT INTO server_keys (purpose, created, key) VALUES (?1, unixepoch(), ?2)
        ON CONFLICT (purpose) DO UPDATE SET key = ?2";
    connection.execute(insert, params![purpose, sealed.as_slice()])?;
    Ok(true)
}
