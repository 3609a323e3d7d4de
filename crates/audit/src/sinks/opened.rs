//! Opening a file to write lines into: it is ours alone, by its lock, its owner, its mode and its names.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use portcullis_events::{Field, LONGEST_LINE, Seen};
use rustix::fs::OFlags;

use super::sink::SinkError;
use crate::clock::Timestamp;

/// How often a file is opened that is another one each time it is looked at.
const ATTEMPTS: usize = 8;

/// A file that is ours alone to write.
pub(super) struct Open {
    pub(super) file: File,
    pub(super) path: PathBuf,
    pub(super) inode: (u64, u64),
    pub(super) bytes: u64,
    /// When its first line was written.
    pub(super) first: Timestamp,
    /// Whether it was not there before.
    pub(super) made: bool,
}

impl Open {
    /// Opens a file; none where another process writes it.
    pub(super) fn at(path: &Path, mode: u32, now: Timestamp) -> Result<Option<Self>, SinkError> {
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
pub(super) fn is_at(path: &Path, ours: (u64, u64)) -> bool {
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
