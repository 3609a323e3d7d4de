//! A file of lines. It has one writer, whoever else was told to write it: the second goes on in a file beside it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::health::{Note, Status};
use super::lines::Lines;
use super::opened::{Open, is_at};
use super::rotation::{Names, Old};
use super::settings::{FileSettings, SinkKind};
use super::sink::{Batch, Sink, SinkError};
use crate::chain::{Found, Writer};
use crate::clock::{Clock, Timestamp};

pub(super) struct FileSink {
    settings: FileSettings,
    names: Names,
    process: Arc<str>,
    clock: Clock,
    status: Arc<Status>,
    lines: Lines,
    /// Follows what is written, where `settings.chain` says so.
    chain: Writer,
    open: Open,
    /// Whether it is a file beside the one that it was told.
    beside: bool,
    number: u32,
}

impl FileSink {
    pub(super) fn open(
        settings: &FileSettings,
        chain: Writer,
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
        let mut sink = Self { settings, names, process, clock, status, lines, chain, open, beside, number };
        sink.follow(None);
        Ok(sink)
    }

    /// Has the chain go on in the file that is open now, behind the one of before.
    fn follow(&mut self, before: Option<&Path>) {
        if !self.settings.chain {
            return;
        }
        let (now, path) = (self.clock.now(), &self.open.path);
        if self.open.bytes == 0 {
            self.chain.go_on(path, before, now);
        } else {
            let found = Found::read(&self.open.file).unwrap_or_else(|_| Found::nothing());
            self.chain.take_over(path, found, now);
        }
    }

    /// Ends the block in the file that is left. What cannot be written there is written first in the next one.
    fn leave(&mut self) {
        if !self.settings.chain {
            return;
        }
        let whole = self.open.bytes - self.chain.half();
        let is_whole = whole == self.open.bytes || self.open.file.set_len(whole).is_ok();
        self.lines.rewind();
        self.chain.rewind();
        self.chain.end_block();
        if is_whole {
            self.open.bytes = whole;
            let _ = self.write_own();
        }
    }

    /// Writes what the chain has to say before anything else.
    fn write_own(&mut self) -> io::Result<()> {
        while let Some(own) = self.chain.own() {
            let wrote = write_some(&self.open.file, own)?;
            self.open.bytes += wrote as u64;
            self.chain.wrote_own(wrote);
        }
        Ok(())
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
        self.leave();
        let old = if self.beside { self.open.path.clone() } else { self.rename()? };
        let bytes = self.open.bytes;
        self.open_anew(Some(&old))?;
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
    fn open_anew(&mut self, before: Option<&Path>) -> Result<(), SinkError> {
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
        self.follow(before);
        self.status.writes(&self.open.path);
        Ok(())
    }

    /// Goes on in the file that it was told, once that is nobody else's.
    fn come_back(&mut self) -> Result<(), SinkError> {
        let Some(open) = Open::at(&self.settings.path, self.settings.mode, self.clock.now())? else {
            return Ok(());
        };
        self.leave();
        let left = std::mem::replace(&mut self.open, open);
        self.beside = false;
        self.lines.rewind();
        self.follow(Some(&left.path));
        self.status.writes(&self.open.path);
        self.status.note(Note::Rotated { file: left.path, next: self.open.path.clone(), bytes: left.bytes });
        Ok(())
    }

    /// Removes old files that are too many. One that somebody writes is not old.
    fn remove_spare(&mut self) {
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
            self.chain.has_removed(Some(newest.name.clone()));
            self.status.note(Note::Removed { file, count, bytes });
        }
    }

    /// Removes a file that nobody writes; whether it is gone.
    fn is_removed(&self, old: &Old) -> bool {
        let path = self.names.folder().join(&old.name);
        File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) && fs::remove_file(path).is_ok()
    }

    fn append(&mut self) -> Result<(), SinkError> {
        if self.settings.chain {
            return self.append_chained();
        }
        let Open { file, bytes, .. } = &mut self.open;
        self.lines.write_to(file, |part| *bytes += part as u64)?;
        Ok(())
    }

    fn append_chained(&mut self) -> Result<(), SinkError> {
        self.write_own()?;
        while !self.lines.left().is_empty() {
            let left = self.lines.left();
            let part = &left[..self.chain.room(left)];
            let wrote = write_some(&self.open.file, part)?;
            self.chain.wrote(&part[..wrote]);
            self.open.bytes += wrote as u64;
            self.lines.wrote(wrote);
            // The lines are written, whatever becomes of what stands behind them: it is tried again before the next ones.
            if self.lines.left().is_empty() {
                let _ = self.write_own();
            } else {
                self.write_own()?;
            }
        }
        Ok(())
    }

    /// Ends the block, where no line is half written.
    fn end_block(&mut self) -> Result<(), SinkError> {
        if self.settings.chain && self.lines.fresh().is_some() {
            self.chain.end_block();
            self.write_own()?;
        }
        Ok(())
    }
}

/// Writes a part, or all of it.
fn write_some(mut file: &File, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match file.write(bytes) {
            Ok(0) if !bytes.is_empty() => return Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            wrote => return wrote,
        }
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
            self.leave();
            self.open_anew(None)?;
        }
        if self.lines.fresh().is_some() {
            self.rotate_if_due(0)?;
        }
        self.end_block()
    }

    fn discard(self: Box<Self>) {
        if self.open.made && self.open.bytes == 0 && is_at(&self.open.path, self.open.inode) {
            let _ = fs::remove_file(&self.open.path);
        }
    }

    fn change(&mut self, kind: &SinkKind) {
        if let SinkKind::File(settings) = kind {
            self.lines.change(settings.format);
            let chained = std::mem::replace(&mut self.settings, settings.clone()).chain;
            if settings.chain && !chained {
                self.follow(None);
            }
        }
    }

    fn close(mut self: Box<Self>, _until: Instant) -> Result<(), SinkError> {
        let ended = self.end_block();
        self.chain.end();
        ended
    }
}
