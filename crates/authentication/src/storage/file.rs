//! The state file as a file: where it may lie, who may read it, and who holds it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::StorageError;

/// Only the gateway's user may read or write.
const PRIVATE: u32 = 0o600;

/// How every SQLite file begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// A state file that this process alone uses, as long as this lives.
#[derive(Debug)]
pub(super) struct LockedFile {
    /// Free of links, so that two names of one file meet in one lock.
    pub(super) path: PathBuf,
    _lock: File,
}

/// Takes hold of the file at `path`; an empty one is made where there is none.
pub(super) fn hold(path: &Path) -> Result<LockedFile, StorageError> {
    let path = real(path)?;
    let lock = lock(&path)?;
    create(&path).map_err(|cause| StorageError::inaccessible(&path, cause))?;
    refuse_exposed(&path)?;
    refuse_other_content(&path)?;
    Ok(LockedFile { path, _lock: lock })
}

/// Takes hold of the name at `path` alone, whatever lies there.
pub(super) fn lock_alone(path: &Path) -> Result<LockedFile, StorageError> {
    let path = real(path)?;
    let lock = lock(&path)?;
    Ok(LockedFile { path, _lock: lock })
}

/// The file at `path`, free of links; it must be there.
pub(super) fn existing(path: &Path) -> Result<PathBuf, StorageError> {
    path.canonicalize().map_err(|cause| StorageError::inaccessible(path, cause))
}

fn real(path: &Path) -> Result<PathBuf, StorageError> {
    if let Ok(existing) = path.canonicalize() {
        return Ok(existing);
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let missing = || StorageError::ParentMissing { file: path.to_owned(), parent: parent.to_owned() };
    let name = path.file_name().ok_or_else(missing)?;
    Ok(parent.canonicalize().map_err(|_| missing())?.join(name))
}

/// The lock lies beside the file: closing any handle of the file itself would drop SQLite's own locks
/// (POSIX locks belong to the process), and backup tools must still be able to read it. The lock file
/// stays: removing it would let two gateways hold locks on two files of one name.
fn lock(path: &Path) -> Result<File, StorageError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    let inaccessible = |cause| StorageError::inaccessible(path, cause);
    let file = private().write(true).create(true).truncate(false).open(&name).map_err(inaccessible)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => mutant!(
            Err(StorageError::InUse { file: path.to_owned() }),
            "two-gateways-one-state-file" => Ok(file),
        ),
        Err(TryLockError::Error(cause)) => Err(inaccessible(cause)),
    }
}

fn create(path: &Path) -> io::Result<()> {
    match private().write(true).create_new(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(mutant!(PRIVATE, "state-file-for-everybody" => 0o644));
    options
}

fn refuse_exposed(path: &Path) -> Result<(), StorageError> {
    let metadata = fs::metadata(path).map_err(|cause| StorageError::inaccessible(path, cause))?;
    if !metadata.is_file() {
        return Err(StorageError::inaccessible(path, io::Error::other("it is not a regular file")));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    let exposed = mutant!(mode & 0o007 != 0, "exposed-state-file-trusted" => false);
    if exposed { Err(StorageError::Exposed { file: path.to_owned(), mode }) } else { Ok(()) }
}

/// SQLite itself takes a short file of anything for an empty database, and would overwrite it.
fn refuse_other_content(path: &Path) -> Result<(), StorageError> {
    let mut start = Vec::with_capacity(MAGIC.len());
    let read = File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start));
    read.map_err(|cause| StorageError::inaccessible(path, cause))?;
    if start.is_empty() || start == MAGIC {
        return Ok(());
    }
    Err(StorageError::NotADatabase { file: path.to_owned() })
}
