//! Whether the state file takes what is written, and is still the file that was opened.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::StorageError;

/// What is known of the state file's health, and the log's word on each change of it. Cheap to clone; it keeps
/// no file open.
#[derive(Clone, Debug, Default)]
pub struct StateHealth(Arc<Mutex<FileCondition>>);

#[derive(Debug, Default)]
struct FileCondition {
    /// Why the last write failed; `None` once one has gone through.
    failing: Option<String>,
    /// What has happened to the file under its name.
    displaced: Option<String>,
}

impl StateHealth {
    /// Notes what became of an operation. Only one that wrote shows that writing works again.
    pub(super) fn note<T>(&self, result: &Result<T, StorageError>, wrote: bool) {
        match result {
            Ok(_) if wrote => self.writes(),
            Ok(_) => {}
            Err(error) if error.is_the_disks() => self.fails(error),
            Err(_) => {}
        }
    }

    fn writes(&self) {
        if self.state().failing.take().is_some() {
            tracing::info!("the state file can be written again");
        }
    }

    fn fails(&self, error: &StorageError) {
        let mut state = self.state();
        if state.failing.is_none() {
            tracing::error!(
                %error,
                "the state file cannot be written: nobody can sign in; sign-outs hold and wait beside it"
            );
        }
        state.failing = Some(error.to_string());
    }

    /// Notes what stands at the file's place.
    pub(super) fn found(&self, displaced: Option<String>) {
        let mut state = self.state();
        match (&state.displaced, &displaced) {
            (before, Some(what)) if before.as_ref() != Some(what) => tracing::error!("{what}"),
            (Some(_), None) => tracing::info!("the state file is back in its place"),
            (None, None) | (_, Some(_)) => {}
        }
        state.displaced = displaced;
    }

    pub(super) fn is_failing(&self) -> bool {
        self.state().failing.is_some()
    }

    /// What is wrong with the state file at the moment, a sentence each; nothing where all is well.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let state = self.state();
        state.displaced.iter().chain(&state.failing).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, FileCondition> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What tells a file from another of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inode(u64, u64);

impl Inode {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self::from(&metadata))
    }

    fn from(metadata: &Metadata) -> Self {
        Self(metadata.dev(), metadata.ino())
    }
}

/// What has happened to the file at `path`, which was `opened`.
pub(super) fn displaced(path: &Path, opened: Inode) -> Option<String> {
    let what = match fs::metadata(path) {
        Ok(metadata) if Inode::from(&metadata) != opened => "was replaced by another file",
        Ok(metadata) if metadata.len() == 0 => "was emptied",
        Ok(_) => return None,
        Err(error) if error.kind() == io::ErrorKind::NotFound => "was deleted or moved away",
        Err(_) => "cannot be looked at any more",
    };
    Some(format!(
        "state file {}: it {what} while the gateway runs; what happens from now on is lost at the next start: \
         put it back, or stop the gateway, restore a backup and start it",
        path.display()
    ))
}
