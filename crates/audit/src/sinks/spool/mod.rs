//! What a far end has not got yet, on disk and up to a bound: it survives an end of the process, and an outage that is not
//! longer than there is room for. One thread adds, another takes, and neither waits for the other.
//!
//! Each process writes into a folder of its own, named for itself, and holds its lock. A folder whose process is gone is
//! taken over by whoever finds it. Where the disk takes nothing, a little waits in memory in its place.

mod frame;
mod held;
mod store;
mod waiting;

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(super) use frame::Frame;
use held::Held;
use store::{Next as NextStored, Position, Store};
use waiting::Rate;
pub use waiting::Waiting;

use super::queue::Loss;

/// Into how many files the bound is divided: so much of it goes at once where it is reached.
const PARTS: u64 = 8;

/// Where a spool is, and how large it may become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolSettings {
    /// Its folder; nobody else puts anything there.
    pub folder: PathBuf,
    /// Bytes that all its files may have.
    pub size: u64,
}

#[derive(Debug)]
pub(super) struct Spool {
    settings: SpoolSettings,
    /// Whether it refuses what is new, rather than drop what is old, where it is full.
    keeps: bool,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    own: Store,
    /// Of processes that are gone, oldest first.
    others: Vec<Store>,
    /// Processes whose folders were looked at.
    known: HashSet<Arc<str>>,
    held: Held,
    lost: Vec<Lost>,
    rate: Rate,
    /// Why the disk has not taken what came last, where it has not.
    refused: Option<(io::ErrorKind, String)>,
    closed: Option<Instant>,
    begun: bool,
    ended: bool,
    called: bool,
}

/// What cannot be brought any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// These events of a process (none: of this one): there was no room, or they were damaged.
    Events(Option<Arc<str>>, Loss),
    /// So many bytes of a file, of which it is not known what they were.
    Bytes(PathBuf, u64),
}

/// What was given, to be acknowledged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark(Given);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Given {
    Stored(Arc<str>, Position),
    Held(u64),
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Next {
    /// Lines of a process.
    Frame(Arc<str>, Frame, Mark),
    Nothing,
    /// Nothing more; whatever is left to do ends by this moment.
    Closed(Instant),
}

impl Spool {
    /// Opens it for a process.
    pub(super) fn open(settings: &SpoolSettings, process: &Arc<str>, keeps: bool) -> io::Result<Arc<Self>> {
        let taken = || io::Error::new(io::ErrorKind::WouldBlock, "another sink has it");
        let own = Store::open(&settings.folder.join(&**process), process)?.ok_or_else(taken)?;
        let state = State {
            own,
            others: Vec::new(),
            known: HashSet::from([Arc::clone(process)]),
            held: Held::default(),
            lost: Vec::new(),
            rate: Rate::new(),
            refused: None,
            closed: None,
            begun: false,
            ended: false,
            called: false,
        };
        let (settings, changed) = (settings.clone(), Condvar::new());
        Ok(Arc::new(Self { settings, keeps, state: Mutex::new(state), changed }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it gives what it has.
    pub(super) fn begin(&self) {
        self.state().begun = true;
        self.changed.notify_all();
    }

    /// Adds a frame. Good is what an end of the process does not take away, or what waits in memory for the disk.
    pub(super) fn append(&self, frame: Frame) -> io::Result<()> {
        let mut state = self.state();
        state.rate.add(frame.len());
        let kept = state.put_held(self.part()).and_then(|()| self.make_room(&mut state, frame.len()));
        let kept = kept.and_then(|()| state.own.append(&frame, self.part()));
        state.refused = kept.as_ref().err().map(|error| (error.kind(), error.to_string()));
        let kept = match kept {
            Err(error) if error.kind() == io::ErrorKind::QuotaExceeded && self.keeps => Err(error),
            Err(error) => state.held.hold(frame).ok_or(error),
            Ok(()) => Ok(()),
        };
        self.changed.notify_all();
        kept
    }

    fn part(&self) -> u64 {
        self.settings.size / PARTS
    }

    /// Drops the oldest files until there is room.
    fn make_room(&self, state: &mut State, more: u64) -> io::Result<()> {
        while mutant!(state.bytes() + more > self.settings.size, "spool-unbounded" => false) {
            if self.keeps {
                return Err(io::Error::new(io::ErrorKind::QuotaExceeded, "the spool is full"));
            }
            if !state.drop_oldest()? {
                break;
            }
        }
        Ok(())
    }

    /// Looks after its files, each second: what waits in memory is tried again, and what dead processes left is found.
    pub(super) fn tend(&self) -> io::Result<()> {
        let mut state = self.state();
        state.rate.turn();
        self.adopt(&mut state)?;
        state.put_held(self.part())?;
        state.own.sync()?;
        self.changed.notify_all();
        // It may take more now, which what comes next will show.
        state.refused.clone().map_or(Ok(()), |(kind, text)| Err(io::Error::new(kind, text)))
    }

    /// Takes what processes have left that are gone.
    fn adopt(&self, state: &mut State) -> io::Result<()> {
        for entry in fs::read_dir(&self.settings.folder)? {
            let entry = entry?;
            let name = entry.file_name().to_str().map(Arc::<str>::from);
            let Some(process) = name.filter(|name| is_process(name) && !state.known.contains(name)) else {
                continue;
            };
            if let Some(store) = Store::open(&entry.path(), &process)? {
                state.known.insert(process);
                state.others.push(store);
            }
        }
        Ok(())
    }

    /// Calls whoever waits for what comes next, before anything comes: there is something else to look at.
    pub(super) fn call(&self) {
        self.state().called = true;
        self.changed.notify_all();
    }

    /// What comes next, waited for until `until`.
    pub(super) fn next(&self, until: Instant) -> io::Result<Next> {
        let mut state = self.state();
        loop {
            if std::mem::take(&mut state.called) {
                return Ok(Next::Nothing);
            }
            if state.begun
                && let Some(next) = state.take()?
            {
                return Ok(next);
            }
            if let Some(until) = state.closed {
                return Ok(Next::Closed(until));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Next::Nothing);
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Gives again what nobody has acknowledged.
    pub(super) fn rewind(&self) {
        let mut state = self.state();
        state.own.rewind();
        state.others.iter_mut().for_each(Store::rewind);
        state.held.given = 0;
    }

    /// Says that the far end has what was given up to this mark.
    pub(super) fn acknowledge(&self, mark: &Mark) {
        let mut state = self.state();
        match &mark.0 {
            Given::Held(number) => state.held.acknowledge(*number),
            Given::Stored(process, position) => {
                let mut stores = state.stores();
                if let Some(store) = stores.find(|store| store.process == *process) {
                    store.acknowledge(*position);
                }
            }
        }
        state.remove_done();
    }

    /// What cannot be brought any more.
    pub(super) fn take_lost(&self) -> Vec<Lost> {
        std::mem::take(&mut self.state().lost)
    }

    /// Waits for so long, or until it is closed; gives when all must have ended, where it is.
    pub(super) fn pause(&self, span: Duration) -> Option<Instant> {
        let waited = self.changed.wait_timeout_while(self.state(), span, |state| state.closed.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    /// Nothing is added any more, and what is left to do ends by this moment.
    pub(super) fn close(&self, until: Instant) {
        self.state().closed = Some(until);
        self.changed.notify_all();
    }

    /// Whether an end of the process takes nothing away.
    pub(super) fn is_all_on_disk(&self) -> bool {
        self.state().held.frames.is_empty()
    }

    /// Says that nobody takes any more.
    pub(super) fn end(&self) {
        self.state().ended = true;
        self.changed.notify_all();
    }

    /// Waits until nobody takes any more.
    pub(super) fn wait_end(&self, until: Instant) {
        let left = until.saturating_duration_since(Instant::now());
        drop(self.changed.wait_timeout_while(self.state(), left, |state| !state.ended));
    }

    /// Removes the files of this process, where nobody takes any more and nothing in them waits.
    pub(super) fn remove_if_done(&self) {
        let state = self.state();
        if state.ended && state.own.is_done() && state.held.frames.is_empty() {
            state.own.remove();
        }
    }

    /// What lies in it.
    pub(super) fn waiting(&self) -> Waiting {
        let mut state = self.state();
        let oldest = state.stores().filter_map(Store::oldest).next();
        let oldest = oldest.or_else(|| Some(state.held.frames.front()?.time));
        let stored = state.own.waiting() + state.others.iter().map(Store::waiting).sum::<u64>();
        let (bytes, bound) = (stored + state.held.bytes, self.settings.size);
        Waiting { bytes, bound, lasts: state.rate.lasts(bound.saturating_sub(bytes)), oldest }
    }
}

/// Whether a folder's name is one that processes give.
fn is_process(name: &str) -> bool {
    name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl State {
    /// In the order in which they are read.
    fn stores(&mut self) -> impl Iterator<Item = &mut Store> {
        self.others.iter_mut().chain([&mut self.own])
    }

    fn bytes(&self) -> u64 {
        self.own.bytes() + self.others.iter().map(Store::bytes).sum::<u64>()
    }

    fn take(&mut self) -> io::Result<Option<Next>> {
        let own = Arc::clone(&self.own.process);
        let mut lost = Vec::new();
        let mut found = None;
        for store in self.others.iter_mut().chain([&mut self.own]) {
            found = next_of(store, &own, &mut lost)?;
            if found.is_some() {
                break;
            }
        }
        self.lost.append(&mut lost);
        self.remove_done();
        let held =
            || self.held.next().map(|(frame, number)| Next::Frame(own, frame, Mark(Given::Held(number))));
        Ok(found.or_else(held))
    }

    /// Puts onto the disk what waits in memory.
    fn put_held(&mut self, part: u64) -> io::Result<()> {
        while let Some(frame) = self.held.frames.front() {
            self.own.append(frame, part)?;
            self.held.remove_first();
        }
        Ok(())
    }

    /// Whether there was something to drop.
    fn drop_oldest(&mut self) -> io::Result<bool> {
        let own = Arc::clone(&self.own.process);
        let before = self.bytes();
        let Some(store) = self.stores().find(|store| store.bytes() > 0) else { return Ok(false) };
        let process = (store.process != own).then(|| Arc::clone(&store.process));
        let lost = store.drop_first()?;
        let events = |loss| Lost::Events(process.clone(), loss);
        mutant!(self.lost.extend(lost.into_iter().map(events)), "spool-drops-untold" => ());
        self.remove_done();
        Ok(self.bytes() < before)
    }

    /// Removes the folders of dead processes in which nothing waits.
    fn remove_done(&mut self) {
        self.others.extract_if(.., |store| store.is_done()).for_each(|store| store.remove());
    }
}

/// The next frame of a store; what cannot be read is lost.
fn next_of(store: &mut Store, own: &Arc<str>, lost: &mut Vec<Lost>) -> io::Result<Option<Next>> {
    let process = Arc::clone(&store.process);
    loop {
        match store.read()? {
            NextStored::Frame(frame, at) => {
                let mark = Mark(Given::Stored(Arc::clone(&process), at));
                return Ok(Some(Next::Frame(process, frame, mark)));
            }
            NextStored::Lost(loss) => {
                lost.push(Lost::Events((process != *own).then(|| Arc::clone(&process)), loss));
            }
            NextStored::Broken(file, bytes) => lost.push(Lost::Bytes(file, bytes)),
            NextStored::Nothing => return Ok(None),
        }
    }
}
