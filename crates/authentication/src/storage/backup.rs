//! Copies of everything that the gateway keeps, made while it runs, and the way back.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};

use super::container::{self, BackedUpStore};
use super::endings::recorded;
use super::error::BackupError;
use super::{StorageError, file, open};

/// Which sessions a restored state file has: a copy must not revive what was ended since (invariant 27).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoredSessions {
    /// None: everybody signs in again.
    End,
    /// Those of the backup, among them any that were signed out since.
    Keep,
}

/// What a restore has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Sign-ins of the backup.
    pub sign_ins: usize,
    /// Where the state file from before lies, if there was one.
    pub before: Option<PathBuf>,
}

/// Copies the state file at `state`, whether a gateway runs on it or not, to a new file `target` of mode 0600.
/// It is as the state file was at one moment, without sign-ins whose end is on record beside it. `erasures`: the list of who
/// has been erased from the record, which goes along.
///
/// # Errors
/// The state file is none, or `target` is there already or cannot be written. Nothing is left behind then.
pub fn backup(state: &Path, erasures: Option<&Path>, target: &Path) -> Result<(), BackupError> {
    if target.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    let state = file::existing(state)?;
    let copy = Scratch::beside(target, ".part-state")?;
    copy_state(&state, &copy.0)?;
    let archive = Scratch::beside(target, ".part")?;
    let unwritable = |cause| BackupError::Unwritable { file: target.to_owned(), cause };
    let file = OpenOptions::new().write(true).open(&archive.0).map_err(unwritable)?;
    let erasures = erasures.map(|list| (BackedUpStore::Erasures, list));
    let stores: Vec<_> = std::iter::once((BackedUpStore::State, copy.0.as_path())).chain(erasures).collect();
    container::write(file, &stores).map_err(unwritable)?;
    // A hard link fails where a file has come meanwhile; a rename would replace that file.
    fs::hard_link(&archive.0, target).map_err(unwritable)?;
    sync_folder(target).map_err(unwritable)
}

fn copy_state(state: &Path, copy: &Path) -> Result<(), StorageError> {
    let fault = |cause| StorageError::from_sqlite(state, cause);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(state, flags).map_err(fault)?;
    open::identify(&connection, state)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(fault)?;
    connection.busy_timeout(open::BUSY).map_err(fault)?;
    connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()]).map_err(fault)?;
    // Read after the copy was made: what ended meanwhile is missing from it, too.
    let ended = recorded(state).map_err(|cause| StorageError::inaccessible(state, cause))?;
    let copied = Connection::open(copy).map_err(fault)?;
    copied.pragma_update(None, "foreign_keys", true).map_err(fault)?;
    let remove = "DELETE FROM session_families WHERE root IN (SELECT root FROM sessions WHERE id = ?1)";
    let ended = mutant!(ended, "backup-keeps-the-signed-out" => Vec::new());
    ended.iter().try_for_each(|id| copied.execute(remove, params![id]).map(drop)).map_err(fault)
}

/// Puts the backup at `source` in the place of the state file at `state`, which no gateway may run on. The one
/// from before is kept beside it, under a name that ends in `-before-restore`. `erasures` takes the list of who had been
/// erased from the record, where the backup holds one; it comes before anything is put in place.
///
/// # Errors
/// A gateway runs, or the backup is none; the state file is as it was then.
pub fn restore(
    source: &Path,
    state: &Path,
    sessions: RestoredSessions,
    erasures: &mut dyn FnMut(&mut dyn io::Read) -> io::Result<()>,
) -> Result<Restored, BackupError> {
    let held = file::lock_alone(state)?;
    let state = held.path.as_path();
    let fresh = Scratch::beside(state, "-restore")?;
    container::read(source, |store, content| match store {
        BackedUpStore::State => unpack(content, &fresh.0, source),
        BackedUpStore::Erasures => {
            erasures(content).map_err(|cause| BackupError::Unreadable { file: source.to_owned(), cause })
        }
    })?;
    let sign_ins = ready(&fresh.0, sessions)?;
    let before = put_aside(state).map_err(|cause| StorageError::inaccessible(state, cause))?;
    let placed = fs::rename(&fresh.0, state).and_then(|()| sync_folder(state));
    placed.map_err(|cause| StorageError::inaccessible(state, cause))?;
    Ok(Restored { sign_ins, before })
}

fn unpack(content: &mut dyn io::Read, to: &Path, source: &Path) -> Result<(), BackupError> {
    let unwritable = |cause| BackupError::Unwritable { file: to.to_owned(), cause };
    let mut file = OpenOptions::new().write(true).open(to).map_err(unwritable)?;
    io::copy(content, &mut file)
        .map_err(|cause| BackupError::Unreadable { file: source.to_owned(), cause })?;
    file.sync_all().map_err(unwritable)
}

/// Checks the unpacked file, brings it up to date, and ends its sessions unless they stay.
fn ready(fresh: &Path, sessions: RestoredSessions) -> Result<usize, StorageError> {
    let fault = |cause| StorageError::from_sqlite(fresh, cause);
    let connection = open::open(fresh)?;
    let count = "SELECT count(*) FROM session_families";
    let sign_ins: i64 = connection.query_row(count, [], |row| row.get(0)).map_err(fault)?;
    if mutant!(sessions == RestoredSessions::End, "restore-revives-sessions" => false) {
        connection.execute("DELETE FROM session_families", []).map_err(fault)?;
    }
    connection.close().map_err(|(_, cause)| fault(cause))?;
    Ok(usize::try_from(sign_ins).unwrap_or(0))
}

/// Moves the state file away together with its log: without that it would be another one.
fn put_aside(state: &Path) -> io::Result<Option<PathBuf>> {
    let before = with(state, "-before-restore");
    remove(&with(&before, "-wal"))?;
    rename(&with(state, "-wal"), &with(&before, "-wal"))?;
    remove(&with(state, "-shm"))?;
    Ok(rename(state, &before)?.then_some(before))
}

fn rename(from: &Path, to: &Path) -> io::Result<bool> {
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// A file of mode 0600 that is gone when this is, unless it was renamed.
struct Scratch(PathBuf);

impl Scratch {
    fn beside(path: &Path, suffix: &str) -> Result<Self, BackupError> {
        let scratch = with(path, suffix);
        let unwritable = |cause| BackupError::Unwritable { file: scratch.clone(), cause };
        remove(&scratch).map_err(unwritable)?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mutant!(0o600, "backup-for-everybody" => 0o644))
            .open(&scratch)
            .map_err(unwritable)?;
        Ok(Self(scratch))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            drop(remove(&with(&self.0, suffix)));
        }
    }
}
