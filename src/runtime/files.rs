//! Watching files by looking at them: works on every file system, for symbolic links that are swapped
//! as Kubernetes does, and for files that an editor replaces.

use std::fs;
use std::future::Future;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::sync::watch::Receiver;

use super::Event;

/// Says when to look; a test ticks by hand.
pub trait Ticker: Send {
    /// Ends at the next tick.
    fn tick(&mut self) -> impl Future<Output = ()> + Send;
}

impl Ticker for tokio::time::Interval {
    async fn tick(&mut self) {
        Self::tick(self).await;
    }
}

/// Ticks of the machine's clock.
impl Ticker for Duration {
    async fn tick(&mut self) {
        tokio::time::sleep(*self).await;
    }
}

/// What tells one state of a file from another; the link's target counts, not the link.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FileVersion {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

type FileVersions = Vec<(PathBuf, Option<FileVersion>)>;

/// Looks at the `files` at every tick and sends [`Event::Reload`] once they have changed and then stayed
/// the same for one tick, so that certificate and key are not read between two writes.
///
/// What counts as known is what the files are when this is called, not when it is first polled. Ends when
/// nobody receives any more. Files that are new in a list count as seen, not as changed.
pub fn watch(
    mut files: Receiver<Vec<PathBuf>>,
    ticker: impl Ticker,
    events: Sender<Event>,
) -> impl Future<Output = ()> + Send {
    let known = look(&files.borrow_and_update());
    follow(files, known, ticker, events)
}

/// The loop of [`watch`], which compares three looks at the files: `told` is what the last reload was asked
/// for, `last` is the one at the tick before, `seen` the present one. A reload is due where `seen` is `last`
/// (nobody is writing any more) and not `told`. A new list of files changes none of that: `carry` takes the
/// versions along.
async fn follow(
    mut files: Receiver<Vec<PathBuf>>,
    mut told: FileVersions,
    mut ticker: impl Ticker,
    events: Sender<Event>,
) {
    let mut last = told.clone();
    loop {
        tokio::select! {
            () = ticker.tick() => {}
            () = events.closed() => return,
        }
        if files.has_changed().unwrap_or(false) {
            // A file of both lists may have changed while the reload read it: to read it once more harms
            // nothing, to miss its last change would.
            let list = files.borrow_and_update();
            (told, last) = (carry(&told, &list), carry(&last, &list));
        }
        let seen = look(&files.borrow());
        let settled = seen == last;
        if settled && seen != told {
            told.clone_from(&seen);
            if events.send(Event::Reload).await.is_err() {
                return;
            }
        }
        last = seen;
    }
}

/// The versions of the files of a new list: those that are known, and for the others what they are now.
fn carry(known: &FileVersions, files: &[PathBuf]) -> FileVersions {
    let before = |file: &PathBuf| known.iter().find(|(path, _)| path == file).cloned();
    files
        .iter()
        .flat_map(|file| before(file).map_or_else(|| look(std::slice::from_ref(file)), |one| vec![one]))
        .collect()
}

/// The present version of each file, by one `stat` call. `None`, for one that is not there, is a version like
/// others.
fn look(files: &[PathBuf]) -> FileVersions {
    files
        .iter()
        .map(|file| (file.clone(), fs::metadata(file).ok().map(|metadata| FileVersion::of(&metadata))))
        .collect()
}

impl FileVersion {
    fn of(metadata: &fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}
