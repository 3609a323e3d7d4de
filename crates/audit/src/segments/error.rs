//! What can be wrong with a store.

use std::io;
use std::path::{Path, PathBuf};

/// A file of the store does not do its work. The text names it, and holds nothing of what is in it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("{}: {cause}", .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        #[source]
        cause: io::Error,
    },
    /// SQLite refused.
    #[error("{}: {cause}", .file.display())]
    Sqlite {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        #[source]
        cause: rusqlite::Error,
    },
    /// It is something else.
    #[error("{} is no file of a store of events: {detail}", .file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
        /// What was found in place of it.
        detail: String,
    },
}

impl StoreError {
    pub(super) fn io(file: &Path) -> impl Fn(io::Error) -> Self + '_ {
        |cause| Self::Io { file: file.to_owned(), cause }
    }

    pub(super) fn sqlite(file: &Path) -> impl Fn(rusqlite::Error) -> Self + '_ {
        |cause| Self::Sqlite { file: file.to_owned(), cause }
    }

    pub(super) fn foreign(file: &Path, detail: impl Into<String>) -> Self {
        Self::Foreign { file: file.to_owned(), detail: detail.into() }
    }

    /// Whether there is no space left.
    pub(crate) fn is_full(&self) -> bool {
        match self {
            Self::Io { cause, .. } => {
                matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            Self::Sqlite { cause, .. } => cause.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            Self::Foreign { .. } => false,
        }
    }

    /// Whether the file will do later what it does not do now: not where it is gone, or something else.
    pub(crate) fn is_passing(&self) -> bool {
        use rusqlite::ErrorCode::{CannotOpen, DatabaseCorrupt, NotADatabase, ReadOnly};
        match self {
            Self::Sqlite { cause, .. } => {
                let code = cause.sqlite_error_code();
                !matches!(code, None | Some(CannotOpen | DatabaseCorrupt | NotADatabase | ReadOnly))
            }
            Self::Io { cause, .. } => !is_lasting(cause),
            Self::Foreign { .. } => false,
        }
    }
}

/// Whether somebody has to do something about it.
fn is_lasting(cause: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem};
    matches!(cause.kind(), AlreadyExists | NotADirectory | NotFound | PermissionDenied | ReadOnlyFilesystem)
}
