//! A file of lines. It has one writer, whoever else was told to write it: the second goes on in a file beside it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use portcullis_events::{Field, LONGEST_LINE, Seen};
use rustix::fs::OFlags;

use super::health::{Note, Status};
use super::lines::Lines;
use super::rotation::{Names, Old};
use super::settings::{FileSettings, SinkKind};
use super::sink::{Batch, Sink, SinkError};
use crate::clock::{Clock, Timestamp};

/// How often a file is opened that is another one each time it is looked at.
const ATTEMPTS: usize = 8;

pub(super) struct FileSink {
    settings: FileSettings,
    names: Names,
    process: Arc<str>,
    clock: Clock,
    status: Arc<Status>,
    lines: Lines,
    open: Open,
    /// Whether it is a file beside the one that it was told.
    beside: bool,
    number: u32,
}

/// A file that is ours alone to write.
struct Open {
    file: File,
    path: PathBuf,
    inode: (u64, u64),
    bytes: u64,
    /// When its first line was written.
    first: Timestamp,
    /// Whether it was not there before.
    made: bool,
}

impl Open {
    /// Opens a file; none where another process writes it.
    fn at(path: &Path, mode: u32, now: Timestamp) -> Result<Option<Self>, SinkError> {
        for _ in 0..ATTEMPTS {
            let made = fs::symlink_metadata(path).is_err();
            let file = open(path, mode).map_err(SinkError::Unusable)?;
            if !mutant!(is_locked(&file)?, "record-two-writers" => true) {
                return Ok(None);
            }
            let inode = inode(&file.metadata()?);
            // Its last writer may have renamed it in between.
            if is_at(path, inode) {
                let bytes = end_last_line(&file)?;
                let first = first_time(&file, bytes).unwrap_or(now);
                return Ok(Some(Self { file, path: path.to_owned(), inode, bytes, first, made }));
            }
        }
        Ok(None)
    }
}

fn open(path: &Path, mode: u32) -> io::Result<File> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let mut options = OpenOptions::new();
    let file = options.read(true).append(true).create(true).mode(mode).custom_flags(flags).open(path)?;
    narrow(&file, mode)?;
    Ok(file)
}

/// Has the file be ours alone to read and write, as far as `mode` says: whoever may write it can change the record, and
/// whoever has another name for it keeps what we remove. It is looked at as it was opened, not by its name.
fn narrow(file: &File, mode: u32) -> io::Result<()> {
    let (found, us) = (file.metadata()?, rustix::process::geteuid().as_raw());
    let wrong = |what: String| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    if !found.is_file() {
        return wrong("it is no file".to_owned());
    }
    if mutant!(found.uid() != us, "record-of-a-stranger" => false) {
        return wrong(format!("it belongs to the user {}, and this is {us}", found.uid()));
    }
    if mutant!(found.nlink() != 1, "record-with-another-name" => false) {
        return wrong(format!("it has {} names, and should have one", found.nlink()));
    }
    let (asked, there) = (mode & 0o777, found.mode() & 0o7777);
    if mutant!(there & !asked == 0, "record-open-to-others" => true) {
        return Ok(());
    }
    file.set_permissions(fs::Permissions::from_mode(there & asked))
}

/// Takes the lock, which ends with the file; whether it is free.
fn is_locked(file: &File) -> Result<bool, SinkError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(SinkError::Unusable(error)),
    }
}

fn inode(metadata: &fs::Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Whether the path still leads to this file.
fn is_at(path: &Path, ours: (u64, u64)) -> bool {
    let there = fs::symlink_metadata(path).is_ok_and(|metadata| inode(&metadata) == ours);
    mutant!(there, "record-follows-a-moved-file" => true)
}

/// Ends a line that its writer could not; gives the bytes of the file.
fn end_last_line(mut file: &File) -> io::Result<u64> {
    let bytes = file.metadata()?.len();
    let mut last = [b'\n'];
    if bytes > 0 {
        file.seek(SeekFrom::Start(bytes - 1))?;
        file.read_exact(&mut last)?;
    }
    if mutant!(last == *b"\n", "record-half-line-after-full-disk" => true) {
        return Ok(bytes);
    }
    file.write_all(b"\n").map(|()| bytes + 1)
}

/// The time of the first line, where there is one that can be read.
fn first_time(mut file: &File, bytes: u64) -> Option<Timestamp> {
    file.seek(SeekFrom::Start(0)).ok().filter(|_| bytes > 0)?;
    let mut line = Vec::new();
    BufReader::new(file).take(LONGEST_LINE as u64).read_until(b'\n', &mut line).ok()?;
    let time = Seen::read(&line).ok()?.text(Field::Time)?.to_owned();
    humantime::parse_rfc3339(&time).ok().map(|time| {
        Timestamp::from_seconds(time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs())
    })
}

impl FileSink {
    pub(super) fn open(
        settings: &FileSettings,
        process: &Arc<str>,
        clock: &Clock,
        status: &Arc<Status>,
    ) -> Result<Self, SinkError> {
        let (names, process, mut number) = (Names::new(&settings.path), Arc::clone(process), 0);
        let main = Open::at(&settings.path, settings.mode, clock.now())?;
        let beside = main.is_none();
        let open = match main {
            Some(open) => open,
            None => open_beside(settings, &names, &process, &mut number, clock.now())?,
        };
        if beside {
            status.note(Note::Beside { file: settings.path.clone(), next: open.path.clone() });
        }
        status.writes(&open.path);
        let (settings, clock, status) = (settings.clone(), clock.clone(), Arc::clone(status));
        let lines = Lines::new(settings.format);
        Ok(Self { settings, names, process, clock, status, lines, open, beside, number })
    }

    fn age(&self) -> Duration {
        self.clock.now().since(self.open.first)
    }

    /// Goes on in a new file where this one is full or old enough.
    fn rotate_if_due(&mut self, more: usize) -> Result<(), SinkError> {
        if self.settings.rotation.is_due(self.open.bytes, self.age(), more as u64) {
            self.rotate()
        } else {
            Ok(())
        }
    }

    fn rotate(&mut self) -> Result<(), SinkError> {
        let old = if self.beside { self.open.path.clone() } else { self.rename()? };
        let bytes = self.open.bytes;
        self.open_anew()?;
        self.status.note(Note::Rotated { file: old, next: self.open.path.clone(), bytes });
        self.remove_spare();
        Ok(())
    }

    /// Gives the file the name of an old one. One that is not there any more has none.
    fn rename(&mut self) -> Result<PathBuf, SinkError> {
        if self.open.path != self.settings.path || !is_at(&self.open.path, self.open.inode) {
            return Ok(self.open.path.clone());
        }
        let name = next_name(&self.names, self.open.first, &self.process, &mut self.number);
        fs::rename(&self.open.path, &name)?;
        self.open.path.clone_from(&name);
        Ok(name)
    }

    /// Opens the file that it was told, or one beside it where that is another process's.
    fn open_anew(&mut self) -> Result<(), SinkError> {
        let (settings, now) = (&self.settings, self.clock.now());
        let main = Open::at(&settings.path, settings.mode, now)?;
        let was_beside = std::mem::replace(&mut self.beside, main.is_none());
        self.open = match main {
            Some(open) => open,
            None => open_beside(settings, &self.names, &self.process, &mut self.number, now)?,
        };
        if self.beside && !was_beside {
            self.status.note(Note::Beside { file: settings.path.clone(), next: self.open.path.clone() });
        }
        self.lines.rewind();
        self.status.writes(&self.open.path);
        Ok(())
    }

    /// Goes on in the file that it was told, once that is nobody else's.
    fn come_back(&mut self) -> Result<(), SinkError> {
        let Some(open) = Open::at(&self.settings.path, self.settings.mode, self.clock.now())? else {
            return Ok(());
        };
        let left = std::mem::replace(&mut self.open, open);
        self.beside = false;
        self.lines.rewind();
        self.status.writes(&self.open.path);
        self.status.note(Note::Rotated { file: left.path, next: self.open.path.clone(), bytes: left.bytes });
        Ok(())
    }

    /// Removes old files that are too many. One that somebody writes is not old.
    fn remove_spare(&self) {
        let Ok(entries) = fs::read_dir(self.names.folder()) else { return };
        let old = entries.flatten().filter_map(|entry| {
            let name = entry.file_name().into_string().ok().filter(|name| self.names.is_old(name))?;
            Some(Old { name, bytes: entry.metadata().ok().filter(fs::Metadata::is_file)?.len() })
        });
        let spare = self.settings.rotation.spare(old.collect(), self.open.bytes);
        let removed: Vec<_> = spare.iter().filter(|file| self.is_removed(file)).collect();
        if let Some(newest) = mutant!(removed.first(), "record-removal-untold" => None) {
            let file = self.names.folder().join(&newest.name);
            let (count, bytes) = (removed.len() as u64, removed.iter().map(|file| file.bytes).sum());
            self.status.note(Note::Removed { file, count, bytes });
        }
    }

    /// Removes a file that nobody writes; whether it is gone.
    fn is_removed(&self, old: &Old) -> bool {
        let path = self.names.folder().join(&old.name);
        File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) && fs::remove_file(path).is_ok()
    }

    fn append(&mut self) -> Result<(), SinkError> {
        let Open { file, bytes, .. } = &mut self.open;
        self.lines.write_to(file, |part| *bytes += part as u64)?;
        Ok(())
    }
}

fn next_name(names: &Names, first: Timestamp, process: &str, number: &mut u32) -> PathBuf {
    loop {
        *number += 1;
        let name = names.old(first, process, *number);
        if fs::symlink_metadata(&name).is_err() {
            return name;
        }
    }
}

fn open_beside(
    settings: &FileSettings,
    names: &Names,
    process: &str,
    number: &mut u32,
    now: Timestamp,
) -> Result<Open, SinkError> {
    let path = next_name(names, now, process, number);
    let taken = || SinkError::Unusable(io::ErrorKind::WouldBlock.into());
    Open::at(&path, settings.mode, now)?.ok_or_else(taken)
}

impl Sink for FileSink {
    fn write(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        self.lines.prepare(batch);
        if let Some(more) = self.lines.fresh() {
            // Where that fails, the file that is open is written still, and the next beat tells.
            let _ = self.rotate_if_due(more);
        }
        if self.open.bytes == 0 {
            self.open.first = self.clock.now();
        }
        self.append()
    }

    fn beat(&mut self) -> Result<(), SinkError> {
        if self.beside {
            self.come_back()?;
        } else if !is_at(&self.settings.path, self.open.inode) {
            // Where that fails, the one that is open is written still.
            self.open_anew()?;
        }
        if self.lines.fresh().is_some() { self.rotate_if_due(0) } else { Ok(()) }
    }

    fn discard(self: Box<Self>) {
        if self.open.made && self.open.bytes == 0 && is_at(&self.open.path, self.open.inode) {
            let _ = fs::remove_file(&self.open.path);
        }
    }

    fn change(&mut self, kind: &SinkKind) {
        if let SinkKind::File(settings) = kind {
            self.lines.change(settings.format);
            self.settings = settings.clone();
        }
    }
}
