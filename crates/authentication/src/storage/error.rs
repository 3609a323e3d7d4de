//! What can be wrong with the state file. All of it is for the operator: none of it is a client's fault.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::endings;
use super::redis::{RedisClient, RedisError};

/// Why the state file could not be opened, read or written.
///
/// The text says what happened, to which file, and what to do; it holds nothing of the file's content.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StorageError {
    /// The directory is not there. It is not made: a misspelt path would start an empty gateway.
    #[error("state file {}: the directory {} does not exist; create it, or correct `state`", .file.display(), .parent.display())]
    ParentMissing {
        /// The state file as configured.
        file: PathBuf,
        /// The directory that was expected.
        parent: PathBuf,
    },
    /// The operating system refused.
    #[error("state file {} cannot be opened: {cause}; the gateway needs a regular file that it may read and write, in a directory where it may create files", .file.display())]
    Inaccessible {
        /// The state file.
        file: PathBuf,
        /// What the operating system said.
        cause: Arc<io::Error>,
    },
    /// Every user of the machine could read or write the signing keys.
    #[error("state file {} is open to every user of this machine (mode {mode:04o}) and holds signing keys; run `chmod 600` on it, and renew its keys if others may have read them", .file.display())]
    Exposed {
        /// The state file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Another gateway has it open.
    #[error("state file {} is in use by another running gateway; stop that one, or give this one a `state` of its own", .file.display())]
    InUse {
        /// The state file.
        file: PathBuf,
    },
    /// Its content is something else.
    #[error("state file {} is not a database; it was left as it is: correct `state`, or move the file away to start with an empty one", .file.display())]
    NotADatabase {
        /// The state file.
        file: PathBuf,
    },
    /// A database of another program.
    #[error("state file {} is a database of another application (id {application_id:#010x}); it was left as it is: correct `state`", .file.display())]
    Foreign {
        /// The state file.
        file: PathBuf,
        /// Its `application_id`; zero where that program sets none.
        application_id: i32,
    },
    /// A later gateway has migrated it.
    #[error("state file {} was written by a newer gateway (schema {found}; this one knows up to {known}); it was left as it is: run the newer gateway, or restore a backup made before the upgrade", .file.display())]
    Newer {
        /// The state file.
        file: PathBuf,
        /// Its schema version.
        found: i32,
        /// The latest version known here.
        known: i32,
    },
    /// A database, but damaged.
    #[error("state file {} is damaged ({detail}); it was left as it is: restore a backup, or move it away together with its -wal file to start with an empty one", .file.display())]
    Corrupt {
        /// The state file.
        file: PathBuf,
        /// The first finding of SQLite's check.
        detail: String,
    },
    /// None of the operator's secrets opens a key of the gateway's.
    #[error("state file {}: the gateway's key for {purpose} is sealed, and no key of `[state] key` opens it; it was left as it is: give the key that sealed it as a further one of `[state] key`, or move the file away to start with an empty one", .file.display())]
    Sealed {
        /// The state file.
        file: PathBuf,
        /// What the key is for.
        purpose: String,
    },
    /// The Redis that gateways share does not do its work.
    #[error(transparent)]
    Shared(#[from] RedisError),
    /// The same as `Sealed`, in the Redis that gateways share.
    #[error(
        "{server}: the gateway's key for {purpose} is sealed, and no key of `[state] key` opens it; it was left as it is: give every gateway the same `[state] key`, or another `namespace` to start with an empty one"
    )]
    SealedShared {
        /// Which.
        server: String,
        /// What the key is for.
        purpose: String,
    },
    /// A migration did not go through; it was rolled back.
    #[error("state file {}: migration {number} failed and was rolled back: {cause}; make sure that there is free space and keep the file for a report", .file.display())]
    Migration {
        /// The state file.
        file: PathBuf,
        /// Which migration.
        number: i32,
        /// What SQLite said.
        cause: Arc<rusqlite::Error>,
    },
    /// A statement failed.
    #[error("state file {}: {cause}; check free space and permissions", .file.display())]
    Query {
        /// The state file.
        file: PathBuf,
        /// What SQLite said.
        cause: Arc<rusqlite::Error>,
    },
    /// More work was waiting than the database gets done in time.
    #[error("state file {}: too many operations are waiting; the disk is too slow for this load", .file.display())]
    Overloaded {
        /// The state file.
        file: PathBuf,
    },
    /// An ending could not be put on record beside the state file.
    #[error("state file {}: the ending could not be written to {} either: {cause}; free some space", .file.display(), endings::beside(.file).display())]
    Ending {
        /// The state file.
        file: PathBuf,
        /// What the operating system said.
        cause: Arc<io::Error>,
    },
    /// The database's thread has ended, or the operation broke off.
    #[error("state file {}: the operation broke off and changed nothing; the log says why", .file.display())]
    Interrupted {
        /// The state file.
        file: PathBuf,
    },
}

impl StorageError {
    /// Gives SQLite's answer the file it is about, and sets damage apart from other failures.
    pub(super) fn from_sqlite(file: &Path, cause: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        let file = file.to_owned();
        match cause.sqlite_error_code() {
            Some(NotADatabase) => Self::NotADatabase { file },
            Some(DatabaseCorrupt) => Self::Corrupt { file, detail: cause.to_string() },
            Some(_) | None => Self::Query { file, cause: Arc::new(cause) },
        }
    }

    /// Whether somebody must mend something before another start can succeed.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::ParentMissing { .. }
            | Self::Exposed { .. }
            | Self::NotADatabase { .. }
            | Self::Foreign { .. }
            | Self::Newer { .. }
            | Self::Sealed { .. }
            | Self::SealedShared { .. }
            | Self::Corrupt { .. } => true,
            Self::Shared(error) => error.is_final(),
            Self::Inaccessible { .. }
            | Self::InUse { .. }
            | Self::Migration { .. }
            | Self::Query { .. }
            | Self::Overloaded { .. }
            | Self::Ending { .. }
            | Self::Interrupted { .. } => false,
        }
    }

    /// Whether the disk, or the way to it, is to blame, rather than one operation.
    pub(super) fn is_the_disks(&self) -> bool {
        use rusqlite::ErrorCode::ConstraintViolation;
        match self {
            Self::Query { cause, .. } => {
                cause.sqlite_error_code().is_some_and(|code| code != ConstraintViolation)
            }
            Self::Interrupted { .. } | Self::Sealed { .. } | Self::SealedShared { .. } | Self::Shared(_) => {
                false
            }
            Self::ParentMissing { .. }
            | Self::Inaccessible { .. }
            | Self::Exposed { .. }
            | Self::InUse { .. }
            | Self::NotADatabase { .. }
            | Self::Foreign { .. }
            | Self::Newer { .. }
            | Self::Corrupt { .. }
            | Self::Migration { .. }
            | Self::Overloaded { .. }
            | Self::Ending { .. } => true,
        }
    }

    /// What is kept in Redis is not what was written there.
    pub(super) fn of_shared(client: &RedisClient, why: &str) -> Self {
        Self::Shared(client.odd(why))
    }

    pub(super) fn inaccessible(file: &Path, cause: io::Error) -> Self {
        Self::Inaccessible { file: file.to_owned(), cause: Arc::new(cause) }
    }
}

/// Why a backup could not be made or taken back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The state file cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A file is there already, and none is ever overwritten.
    #[error("{} is there already; choose another name, or move it away", .0.display())]
    Exists(PathBuf),
    /// The backup cannot be written.
    #[error("{} cannot be written: {cause}", .file.display())]
    Unwritable {
        /// Which file.
        file: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// The backup cannot be read.
    #[error("{} cannot be read: {cause}", .file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// It is something else, or damaged.
    #[error("{} is no backup that `portcullis backup` has made, or it is damaged: {why}; nothing was changed", .file.display())]
    NotABackup {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A later gateway made it.
    #[error("{} was made by a newer gateway (version {version} of the format; this one knows up to {known}); nothing was changed: restore it with that gateway", .file.display())]
    Newer {
        /// Which file.
        file: PathBuf,
        /// Its version.
        version: u32,
        /// The latest known here.
        known: u32,
    },
}
