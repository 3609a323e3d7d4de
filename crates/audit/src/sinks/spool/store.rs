//! What one process has not brought to a far end, in a folder of its own: numbered files of frames, and how far they are
//! acknowledged. Whoever holds its lock is the only one to touch it.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::frame::{Frame, Read};
use crate::sinks::queue::Loss;

/// What every file begins with: what it is, and its version.
const MAGIC: &[u8; 16] = b"portcullis-sp\0\0\x01";
const LOCK: &str = "lock";
const ACKNOWLEDGED: &str = "acknowledged";
const END: &str = ".spool";

/// A place between two frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) part: u64,
    pub(super) offset: u64,
}

#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    /// Whose it is.
    pub(super) process: Arc<str>,
    _lock: File,
    parts: VecDeque<Part>,
    writer: Option<File>,
    reader: Option<(u64, File)>,
    /// Where what is read next stands.
    next: Position,
    acknowledged: Position,
    /// Behind the last frame that was given.
    given: Position,
    proof: Proof,
    is_dirty: bool,
}

/// One file.
#[derive(Clone, Copy, Debug)]
struct Part {
    number: u64,
    bytes: u64,
    /// Whether it is of another version, or nothing of ours: it is left where it is.
    is_foreign: bool,
}

/// What is next in it.
#[derive(Debug)]
pub(super) enum Next {
    Frame(Frame, Position),
    /// These events cannot be read any more.
    Lost(Loss),
    /// So many bytes of a file are no frames.
    Broken(PathBuf, u64),
    Nothing,
}

impl Store {
    /// Opens a folder, which is made where it is not there; none where another process has it.
    pub(super) fn open(folder: &Path, process: &str) -> io::Result<Option<Self>> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let lock = own(&folder.join(LOCK))?;
        if lock.try_lock().is_err() {
            return Ok(None);
        }
        let proof = Proof { file: own(&folder.join(ACKNOWLEDGED))?, turn: 0 };
        let parts = parts(folder)?;
        let first =
            Position { part: parts.front().map_or(1, |part| part.number), offset: MAGIC.len() as u64 };
        let acknowledged = proof.read().unwrap_or(first).max(first);
        let (folder, process) = (folder.to_owned(), process.into());
        let (writer, reader, is_dirty) = (None, None, false);
        let (next, given) = (acknowledged, acknowledged);
        Ok(Some(Self {
            folder,
            process,
            _lock: lock,
            parts,
            writer,
            reader,
            next,
            acknowledged,
            given,
            proof,
            is_dirty,
        }))
    }

    /// Bytes of all its files.
    pub(super) fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).sum()
    }

    /// Bytes that nobody has acknowledged.
    pub(super) fn waiting(&self) -> u64 {
        let later = self.parts.iter().filter(|part| part.number >= self.acknowledged.part);
        let all: u64 = later.map(|part| part.bytes.saturating_sub(MAGIC.len() as u64)).sum();
        all.saturating_sub(self.acknowledged.offset.saturating_sub(MAGIC.len() as u64))
    }

    /// Adds a frame; into a new file where the one that is written would have more than `most` bytes. What could not be
    /// written whole is not there.
    pub(super) fn append(&mut self, frame: &Frame, most: u64) -> io::Result<()> {
        let is_full = self.parts.back().is_some_and(|part| part.bytes + frame.len() > most);
        if self.writer.is_none() || is_full {
            self.begin_part()?;
        }
        let (Some(writer), Some(part)) = (&mut self.writer, self.parts.back_mut()) else { return Ok(()) };
        if let Err(error) = writer.write_all(&frame.encode()) {
            if writer.set_len(part.bytes).is_err() {
                self.writer = None;
            }
            return Err(error);
        }
        part.bytes += frame.len();
        self.is_dirty = true;
        Ok(())
    }

    fn begin_part(&mut self) -> io::Result<()> {
        self.sync()?;
        let number = self.parts.back().map_or(self.acknowledged.part, |part| part.number + 1);
        let path = self.path(number);
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create_new(true).mode(0o600).open(&path)?;
        if let Err(error) = file.write_all(MAGIC) {
            let _ = fs::remove_file(path);
            return Err(error);
        }
        self.writer = Some(file);
        self.parts.push_back(Part { number, bytes: MAGIC.len() as u64, is_foreign: false });
        Ok(())
    }

    /// Has the disk keep what was written, though the machine loses its power.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        match &self.writer {
            Some(writer) if self.is_dirty => writer.sync_data()?,
            _ => {}
        }
        self.is_dirty = false;
        Ok(())
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:016}{END}"))
    }

    /// Reads what comes next, and goes on behind it.
    pub(super) fn read(&mut self) -> io::Result<Next> {
        loop {
            let Some(part) = self.parts.iter().find(|part| part.number == self.next.part).copied() else {
                let Some(later) = self.parts.iter().find(|part| part.number > self.next.part) else {
                    return Ok(self.nothing());
                };
                self.next = Position { part: later.number, offset: MAGIC.len() as u64 };
                continue;
            };
            let is_last = self.parts.back().is_some_and(|last| last.number == part.number);
            if self.next.offset >= part.bytes {
                if is_last {
                    return Ok(self.nothing());
                }
                self.next = Position { part: part.number + 1, offset: MAGIC.len() as u64 };
                continue;
            }
            return self.read_part(part);
        }
    }

    /// Nothing more can be read: what could not be is done with, once everything before it is.
    fn nothing(&mut self) -> Next {
        if self.given <= self.acknowledged {
            self.acknowledge(self.next);
        }
        Next::Nothing
    }

    fn read_part(&mut self, part: Part) -> io::Result<Next> {
        let offset = self.next.offset;
        let file = self.reader(part.number)?;
        let found = if part.is_foreign { Read::Broken } else { Frame::read_at(file, offset)? };
        Ok(match found {
            Read::Frame(frame, next) => {
                self.next.offset = next;
                self.given = self.next;
                Next::Frame(frame, self.next)
            }
            Read::Damaged(numbers, next) => {
                self.next.offset = next;
                Next::Lost(numbers)
            }
            Read::End | Read::Broken => {
                self.next.offset = part.bytes;
                Next::Broken(self.path(part.number), part.bytes - offset)
            }
        })
    }

    fn reader(&mut self, number: u64) -> io::Result<&File> {
        if self.reader.as_ref().is_none_or(|(open, _)| *open != number) {
            self.reader = None;
        }
        match &mut self.reader {
            Some((_, file)) => Ok(file),
            none @ None => {
                Ok(&none.insert((number, File::open(self.folder.join(format!("{number:016}{END}")))?)).1)
            }
        }
    }

    /// Reads again what nobody has acknowledged.
    pub(super) fn rewind(&mut self) {
        (self.next, self.given) = (self.acknowledged, self.acknowledged);
    }

    /// Says that the far end has everything before this place. Files behind it go.
    pub(super) fn acknowledge(&mut self, position: Position) {
        if position <= self.acknowledged {
            return;
        }
        self.acknowledged = position;
        self.next = self.next.max(position);
        // Where this is not kept, some of it is sent again after a restart: the far end knows it by its ids.
        let _ = self.proof.write(position);
        while self.parts.len() > 1 && self.parts.front().is_some_and(|part| part.number < position.part) {
            self.remove_first();
        }
    }

    /// When the oldest event that waits happened, in microseconds since 1970, where that can be read.
    pub(super) fn oldest(&mut self) -> Option<u64> {
        let Position { part, offset } = self.acknowledged;
        let is_over = self.is_done() || self.parts.iter().all(|known| known.number != part);
        let file = if is_over { None } else { self.reader(part).ok() };
        Some(Frame::numbers_at(file?, offset).ok()??.1)
    }

    /// Whether nothing in it waits.
    pub(super) fn is_done(&self) -> bool {
        self.waiting() == 0
    }

    /// Removes the oldest file, unless it is the one that is written, and gives what was in it and not acknowledged.
    pub(super) fn drop_first(&mut self) -> io::Result<Vec<Loss>> {
        if self.parts.len() == 1 && self.writer.is_some() {
            self.begin_part()?;
        }
        let Some(part) = self.parts.front().copied() else { return Ok(Vec::new()) };
        let lost = self.losses(part)?;
        self.remove_first();
        let next = Position { part: part.number + 1, offset: MAGIC.len() as u64 };
        (self.acknowledged, self.next) = (self.acknowledged.max(next), self.next.max(next));
        let _ = self.proof.write(self.acknowledged);
        Ok(lost)
    }

    /// What of a file is not acknowledged, lane by lane.
    fn losses(&mut self, part: Part) -> io::Result<Vec<Loss>> {
        let is_begun = part.number == self.acknowledged.part;
        let mut at = if is_begun { self.acknowledged.offset } else { MAGIC.len() as u64 };
        let mut lost: Vec<Loss> = Vec::new();
        let file = self.reader(part.number)?;
        while let Some((numbers, _, next)) = Frame::numbers_at(file, at)? {
            match lost.iter_mut().find(|known| known.lane == numbers.lane) {
                Some(known) => (known.to, known.count) = (numbers.to, known.count + numbers.count),
                None => lost.push(numbers),
            }
            at = next;
        }
        Ok(lost)
    }

    fn remove_first(&mut self) {
        if let Some(part) = self.parts.pop_front() {
            self.remove_part(part);
        }
    }

    fn remove_part(&self, part: Part) {
        if !part.is_foreign {
            let _ = fs::remove_file(self.path(part.number));
        }
    }

    /// Removes all of it.
    pub(super) fn remove(&self) {
        self.parts.iter().for_each(|part| self.remove_part(*part));
        for name in [ACKNOWLEDGED, LOCK] {
            let _ = fs::remove_file(self.folder.join(name));
        }
        let _ = fs::remove_dir(&self.folder);
    }
}

fn own(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// The files of a folder, in their order.
fn parts(folder: &Path) -> io::Result<VecDeque<Part>> {
    let number = |name: &str| name.strip_suffix(END)?.parse().ok();
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(number) = entry.file_name().to_str().and_then(number) {
            let (bytes, is_foreign) = (entry.metadata()?.len(), !is_ours(&File::open(entry.path())?));
            parts.push(Part { number, bytes, is_foreign });
        }
    }
    parts.sort_by_key(|part| part.number);
    Ok(parts.into())
}

fn is_ours(file: &File) -> bool {
    let mut begin = [0; MAGIC.len()];
    file.read_exact_at(&mut begin, 0).is_ok() && begin == *MAGIC
}

/// Where it is written how far the far end has come: two places in turn, so that one of them is whole whenever the process
/// ends.
#[derive(Debug)]
struct Proof {
    file: File,
    turn: u64,
}

const CHECK: u64 = 0x706f_7274_6375_6c6c;

impl Proof {
    fn write(&mut self, position: Position) -> io::Result<()> {
        self.turn = 1 - self.turn;
        let check = position.part.rotate_left(32) ^ position.offset ^ CHECK;
        let bytes = [position.part, position.offset, check].map(u64::to_le_bytes).concat();
        self.file.write_all_at(&bytes, self.turn * bytes.len() as u64)
    }

    fn read(&self) -> Option<Position> {
        let read = |place: u64| {
            let mut bytes = [0; 24];
            self.file.read_exact_at(&mut bytes, place * 24).ok()?;
            let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
            let (part, offset, check) = (number(0)?, number(8)?, number(16)?);
            (part.rotate_left(32) ^ offset ^ CHECK == check).then_some(Position { part, offset })
        };
        [read(0), read(1)].into_iter().flatten().max()
    }
}
