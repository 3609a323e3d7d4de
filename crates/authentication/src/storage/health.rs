//! Whether the state file takes what is written, and is still the file that was opened.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_events::{Part, PartWatch, Recorder};

use super::StorageError;

/// What is known of the state file's health, and who is told of each change of it. Cheap to clone; it keeps
/// no file open.
#[derive(Clone, Debug, Default)]
pub struct StateHealth(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    condition: Mutex<FileCondition>,
    /// Whether it takes what is written.
    writing: PartWatch,
    /// Whether it is where it was.
    place: PartWatch,
}

impl Default for Inner {
    fn default() -> Self {
        let part = |name| PartWatch::new(Part::Store, name);
        Self { condition: Mutex::default(), writing: part("state"), place: part("state file") }
    }
}

#[derive(Debug, Default)]
struct FileCondition {
    /// Why the last write failed; `None` once one has gone through.
    failing: Option<String>,
    /// What has happened to the file under its name.
    displaced: Option<String>,
}

impl StateHealth {
    /// Tells `recorder` of each change from now on, and of what is wrong already.
    pub fn record_to(&self, recorder: &Recorder) {
        [&self.0.writing, &self.0.place].into_iter().for_each(|part| part.tell(recorder));
    }

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
            self.0.writing.back();
        }
    }

    fn fails(&self, error: &StorageError) {
        let before = self.state().failing.replace(error.to_string());
        if before.is_none() {
            self.0.writing.lost(format!(
                "the state file cannot be written: nobody can sign in; sign-outs hold and wait beside it: {error}"
            ));
        }
    }

    /// Notes what stands at the file's place.
    pub(super) fn found(&self, displaced: Option<String>) {
        match &displaced {
            Some(what) => self.0.place.lost(what.as_str()),
            None => self.0.place.back(),
        }
        self.state().displaced = displaced;
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
        self.0.condition.lock().unwrap_or_else(PoisonError::into_inner)
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
