//! Writing a store: batch by batch, each of them whole or not at all.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_events::EventHead;

use super::error::StoreError;
use super::fold::{Fold, Work};
use super::links::Links;
use super::people::People;
use super::segment::Segment;
use super::settings::{Limits, StoreSettings};
use super::upkeep::{Finding, Upkeep};
use super::{close, names};
use crate::clock::Clock;

/// Rows up to which a segment gets its indexes at once when the process ends; of others, when somebody begins.
const FEW: u64 = 20_000;

/// A store that is written, by one thread.
#[derive(Debug)]
pub(crate) struct Writer {
    settings: StoreSettings,
    limits: Limits,
    process: Arc<str>,
    clock: Clock,
    people: People,
    segment: Option<Segment>,
    fold: Fold,
    work: Work,
    /// Whether the work has a batch in it that is not written yet, and will be given again.
    holds_batch: bool,
    upkeep: Upkeep,
    links: Links,
}

impl Writer {
    /// Begins to write into a folder, which is made where it is missing.
    pub(crate) fn open(
        settings: &StoreSettings,
        process: &Arc<str>,
        clock: &Clock,
        limits: Limits,
        links: Links,
    ) -> Result<Self, StoreError> {
        make_folder(&settings.path)?;
        let upkeep = Upkeep::start(&settings.path, process, links.ties())?;
        let people = People::open(&settings.path)?;
        let (settings, process, clock) = (settings.clone(), Arc::clone(process), clock.clone());
        let (segment, fold, work, holds_batch) = (None, Fold::default(), Work::default(), false);
        Ok(Self { settings, limits, process, clock, people, segment, fold, work, holds_batch, upkeep, links })
    }

    /// Goes on by other settings of the same folder.
    pub(crate) fn change(&mut self, settings: &StoreSettings) {
        self.settings = settings.clone();
    }

    /// The file that is written now.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.segment.as_ref().map(|segment| segment.path.as_path())
    }

    /// Takes events of a lane. Where it fails, they are given again.
    pub(crate) fn write<'a>(
        &mut self,
        lane: u16,
        events: impl Iterator<Item = (&'a EventHead, &'a [u8])>,
    ) -> Result<(), StoreError> {
        if !self.holds_batch {
            self.begin_anew_if_full()?;
            events.for_each(|(head, line)| self.fold.take(head, lane, line, &mut self.work));
            self.holds_batch = true;
        }
        if mutant!(true, "store-acknowledges-before-commit" => false) {
            self.commit()?;
        }
        self.holds_batch = false;
        Ok(())
    }

    /// Comes every second: writes what is due, and looks after the folder. Gives what the record is to tell.
    pub(crate) fn beat(&mut self) -> Result<Vec<Finding>, StoreError> {
        let now = self.clock.moment().micros();
        // Whoever was erased has no key in memory a second later.
        self.people.learn()?;
        let findings = self.upkeep.beat(&self.settings, now);
        // A batch that failed is written by whoever gives it again.
        if self.holds_batch {
            return Ok(findings);
        }
        if self.segment.as_ref().is_some_and(|segment| !segment.is_there()) {
            self.lose_segment();
        }
        self.fold.tend(now, &mut self.work);
        self.begin_anew_if_full()?;
        let removes = self.upkeep.wants_removed();
        removes.into_iter().for_each(|until| self.links.will_remove(until, now));
        self.commit()?;
        // It is told and committed before anything is removed.
        self.upkeep.removes(removes);
        self.links.tend(now);
        if let Some(segment) = &mut self.segment {
            segment.sync()?;
        }
        Ok(findings)
    }

    /// Whether nothing is to be done in the folder.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.upkeep.is_idle()
    }

    /// Ends: what goes on is over.
    pub(crate) fn close(mut self) -> Result<(), StoreError> {
        if mutant!(true, "store-interval-lost-at-end" => false) {
            self.fold.end(&mut self.work);
        }
        self.commit()?;
        self.links.end();
        self.upkeep.wait();
        let Some(mut segment) = self.segment.take() else { return Ok(()) };
        segment.sync()?;
        let (name, few) = (segment.name.clone(), segment.rows() <= FEW);
        drop(segment);
        if few { close::close(&self.settings.path, &name).map(drop) } else { Ok(()) }
    }

    fn begin_anew_if_full(&mut self) -> Result<(), StoreError> {
        let now = self.clock.moment().micros();
        if self.segment.as_ref().is_some_and(|segment| segment.is_full(&self.limits, now)) {
            self.fold.end(&mut self.work);
            self.commit()?;
            let ended = self.segment.take();
            ended.iter().for_each(|segment| self.links.leave(segment.newest));
            self.upkeep.has_ended(ended.map(|segment| segment.name.clone()));
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if self.work.is_empty() && !self.links.is_pressing() {
            return Ok(());
        }
        let now = self.clock.moment().micros();
        let segment = match &mut self.segment {
            Some(segment) => segment,
            none => {
                let segment = Segment::create(&self.settings.path, &self.process, now)?;
                self.links.begin(&segment.name, now);
                none.insert(segment)
            }
        };
        match segment.write(&self.work, &mut self.people, &mut self.links, now) {
            Ok(()) => self.work = Work::default(),
            Err(error) => {
                if !error.is_passing() {
                    self.lose_segment();
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Goes on in a new one: this one is gone, or cannot be written.
    fn lose_segment(&mut self) {
        let lost = self.segment.take().filter(Segment::is_there);
        self.upkeep.has_ended(lost.map(|segment| segment.name.clone()));
        self.fold.is_unwritten();
        self.links.begin_anew(self.clock.moment().micros());
    }
}

fn make_folder(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt as _;
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(StoreError::io(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.segment = None;
        self.upkeep.wait();
        let lock: PathBuf = names::process_lock(&self.settings.path, &self.process);
        let _ = std::fs::remove_file(lock);
    }
}
