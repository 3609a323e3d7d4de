//! Looking after the folder: segments that are over are closed, what is too old or too much is removed. A thread of its own
//! does it when there is something to do, so that nothing waits for it to be written.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::close;
use super::error::StoreError;
use super::names::{self, SegmentName, process_lock};
use super::retention::{self, Removed, Spare};
use super::settings::StoreSettings;
use crate::chain::Ties;

/// How often it looks, in microseconds.
const LOOK: u64 = 60_000_000;
/// How often a file is opened that is another one each time it is looked at.
const ATTEMPTS: usize = 8;

/// What the record is to tell.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Segments were removed: so many, of which `file` is the newest.
    Removed { file: PathBuf, count: u64, bytes: u64 },
    /// A segment cannot be closed; it is left as it is.
    Damaged { file: PathBuf, reason: String },
}

#[derive(Debug)]
pub(super) struct Upkeep {
    folder: PathBuf,
    process: Arc<str>,
    /// Says to others that this process writes here.
    _lives: File,
    /// Held by the one process that removes and adopts.
    keeper: Option<File>,
    over: Vec<SegmentName>,
    damaged: HashSet<SegmentName>,
    looked: Option<u64>,
    job: Option<JoinHandle<Report>>,
    removal: Removal,
    ties: Ties,
}

/// What is too old or too much. It goes once the chain of the record says so.
#[derive(Debug, Default)]
enum Removal {
    #[default]
    Nothing,
    Wanted(Spare),
    Told(Spare),
}

#[derive(Debug, Default)]
struct Report {
    removed: Option<Removed>,
    spare: Option<Spare>,
    /// Those that are to be tried again.
    left: Vec<SegmentName>,
    damaged: HashMap<SegmentName, StoreError>,
}

impl Upkeep {
    pub(super) fn start(folder: &Path, process: &Arc<str>, ties: Ties) -> Result<Self, StoreError> {
        let path = process_lock(folder, process);
        let lives = own_lock(&path).map_err(StoreError::io(&path))?;
        Ok(Self {
            folder: folder.to_owned(),
            process: Arc::clone(process),
            _lives: lives,
            keeper: None,
            over: Vec::new(),
            damaged: HashSet::new(),
            looked: None,
            job: None,
            removal: Removal::Nothing,
            ties,
        })
    }

    /// Has a segment closed that is not written any more.
    pub(super) fn has_ended(&mut self, segment: Option<SegmentName>) {
        self.over.extend(segment);
        self.looked = None;
    }

    /// Begins what is due, and gives what was found since.
    pub(super) fn beat(&mut self, settings: &StoreSettings, now: u64) -> Vec<Finding> {
        let report = self.job.take_if(|job| job.is_finished()).and_then(|job| job.join().ok());
        let findings = report.map(|report| self.learn(report)).unwrap_or_default();
        let is_due = self.looked.is_none_or(|looked| now >= looked.saturating_add(LOOK) || now < looked)
            || matches!(self.removal, Removal::Told(_));
        if self.job.is_none() && is_due {
            self.looked = Some(now);
            self.begin(settings, now);
        }
        findings
    }

    fn begin(&mut self, settings: &StoreSettings, now: u64) {
        if self.keeper.is_none() {
            self.keeper = free_lock(&self.folder.join(names::LOCK)).unwrap_or_default();
        }
        let removes = match std::mem::take(&mut self.removal) {
            Removal::Told(spare) => Some(spare),
            Removal::Nothing | Removal::Wanted(_) => None,
        };
        let job = Job {
            removes,
            ties: self.ties.clone(),
            settings: StoreSettings { path: self.folder.clone(), ..settings.clone() },
            process: Arc::clone(&self.process),
            over: std::mem::take(&mut self.over),
            damaged: self.damaged.clone(),
            keeps: self.keeper.is_some(),
            now,
        };
        let over = job.over.clone();
        match thread::Builder::new().name("store".to_owned()).spawn(move || job.run()) {
            Ok(thread) => self.job = Some(thread),
            Err(_) => self.over = over,
        }
    }

    /// Up to which moment segments are to be removed, where that is still to be told.
    pub(super) fn wants_removed(&self) -> Option<u64> {
        match &self.removal {
            Removal::Wanted(spare) => Some(spare.until),
            Removal::Nothing | Removal::Told(_) => None,
        }
    }

    /// It is told that they are, up to this moment.
    pub(super) fn removes(&mut self, until: Option<u64>) {
        self.removal = match std::mem::take(&mut self.removal) {
            Removal::Wanted(spare) if until == Some(spare.until) => Removal::Told(spare),
            other @ (Removal::Nothing | Removal::Wanted(_) | Removal::Told(_)) => other,
        };
    }

    fn learn(&mut self, report: Report) -> Vec<Finding> {
        self.over.extend(report.left);
        self.removal = report.spare.map_or(Removal::Nothing, Removal::Wanted);
        let removed =
            report.removed.map(|Removed { file, count, bytes }| Finding::Removed { file, count, bytes });
        let damaged = report.damaged.into_iter().map(|(name, error)| {
            let file = name.path(&self.folder);
            self.damaged.insert(name);
            Finding::Damaged { file, reason: error.to_string() }
        });
        removed.into_iter().chain(damaged).collect()
    }

    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        let removal = matches!(self.removal, Removal::Nothing);
        self.job.is_none() && self.over.is_empty() && self.looked.is_some() && removal
    }

    /// Waits for what is being done, which may have to be done again by others where it fails.
    pub(super) fn wait(&mut self) {
        if let Some(job) = self.job.take() {
            let _ = job.join();
        }
    }
}

struct Job {
    settings: StoreSettings,
    process: Arc<str>,
    over: Vec<SegmentName>,
    damaged: HashSet<SegmentName>,
    keeps: bool,
    now: u64,
    removes: Option<Spare>,
    ties: Ties,
}

impl Job {
    fn run(self) -> Report {
        let (mut report, folder) = (Report::default(), self.settings.path.as_path());
        for name in &self.over {
            self.close(name, &mut report);
        }
        if self.keeps {
            let left = names::segments(folder).unwrap_or_default();
            for name in left.iter().filter(|name| name.is_open && !self.damaged.contains(name)) {
                // Whoever begins while we look has a lock before it has a segment.
                if *name.process != *self.process && is_free(&process_lock(folder, &name.process)) {
                    self.close(name, &mut report);
                }
            }
            remove_locks(folder, &self.process);
            report.removed =
                self.removes.as_ref().and_then(|it| retention::remove(&self.settings, it, self.now));
            report.spare = retention::spare_now(&self.settings, self.now);
        }
        report
    }

    fn close(&self, name: &SegmentName, report: &mut Report) {
        match close::close(&self.settings.path, name) {
            Ok(closed) => {
                // Nobody else tells the end of a chain that nobody goes on with.
                let is_own = *name.process == *self.process;
                if let Some(head) = closed.head.filter(|_| !is_own || closed.is_longer) {
                    let chain = Arc::clone(&head.chain);
                    self.ties.tell(head, true);
                    self.ties.end(&chain);
                }
            }
            Err(error) if error.is_passing() => report.left.push(name.clone()),
            Err(error) => drop(report.damaged.insert(name.clone(), error)),
        }
    }
}

/// Removes the locks of processes that are no more.
fn remove_locks(folder: &Path, own: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_lock = path.extension().is_some_and(|end| end == "lock");
        let is_own = path.file_stem().is_some_and(|stem| stem == own);
        if is_lock && !is_own && is_free(&path) {
            let _ = fs::remove_file(path);
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Whether nobody holds a lock.
fn is_free(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => file.try_lock().is_ok(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Takes a lock; none where somebody else has it.
fn free_lock(path: &Path) -> io::Result<Option<File>> {
    for _ in 0..ATTEMPTS {
        let file = open(path)?;
        if file.try_lock().is_err() {
            return Ok(None);
        }
        // Somebody may have removed it in between.
        let there = fs::symlink_metadata(path).ok().map(|metadata| metadata.ino());
        if there == Some(file.metadata()?.ino()) {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// Takes a lock that nobody else wants for longer than a look.
fn own_lock(path: &Path) -> io::Result<File> {
    for _ in 0..ATTEMPTS {
        if let Some(lock) = free_lock(path)? {
            return Ok(lock);
        }
        thread::yield_now();
    }
    Err(io::Error::new(io::ErrorKind::WouldBlock, "another process has its lock"))
}
