//! The process verifies its own record: at the start, and once a day or as often as it was told to. A thread that gives way to
//! all others does it, which works a tenth of the time.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::chain::{Finding, Report, file_name};
use crate::clock::{Clock, Timestamp};
use crate::config::Settings;
use crate::events::{RecordAltered, Recorder};
use crate::sinks::{Evidence, Kept, Signed, VerifyError, verify};

/// How long it works before it rests, and how many times as long it rests then.
const WORK: Duration = Duration::from_millis(5);
const RESTS: u32 = 9;
/// The longest rest, whatever the machine was busy with meanwhile.
const LONGEST_REST: Duration = Duration::from_secs(1);
/// So many lines are read between two looks at the time.
const LINES: u32 = 64;
/// Findings of one verification that are told as events, and those that it remembers to have told.
const TOLD: usize = 16;
const REMEMBERED: usize = 1024;
/// How kind the thread is to others: as kind as there is.
const NICE: i32 = 19;

/// What is verified, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Task {
    kept: Vec<Kept>,
    checkpoints: Option<PathBuf>,
    every: Duration,
}

impl Task {
    fn of(settings: &Settings) -> Self {
        // Not what is in a database: a look at it that lasts so long would keep the server from cleaning up.
        let is_here = |kept: &Kept| kept.path().is_some();
        let (kept, checkpoints) = (settings.chained().filter(is_here).collect(), settings.checkpoint_file());
        Self { kept, checkpoints, every: settings.checkpoints.verify_every }
    }
}

/// What is known of the record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verified {
    /// Whether there is anything to verify.
    pub(super) has_record: bool,
    /// How long ago it was verified to its end last; since the start, where it was not yet.
    pub(super) age: Duration,
    /// What was found then.
    pub(super) findings: u64,
    /// The first of it, in words.
    pub(super) first: Option<String>,
}

#[derive(Debug)]
struct Inner {
    task: Task,
    since: Timestamp,
    findings: u64,
    first: Option<String>,
    ends: bool,
}

/// How the record is, as far as this process has verified it. All clones are one.
#[derive(Clone, Debug)]
pub(super) struct RecordState(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
    clock: Clock,
}

impl RecordState {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known.
    pub(super) fn verified(&self) -> Verified {
        let inner = self.inner();
        Verified {
            has_record: !inner.task.kept.is_empty(),
            age: self.0.clock.now().since(inner.since),
            findings: inner.findings,
            first: inner.first.clone(),
        }
    }

    /// Goes on by other settings.
    pub(super) fn change(&self, settings: &Settings) {
        self.inner().task = Task::of(settings);
        self.0.changed.notify_all();
    }

    fn has_verified(&self, at: Timestamp, findings: &[Finding]) {
        let mut inner = self.inner();
        inner.since = at;
        inner.findings = findings.len() as u64;
        inner.first = findings.first().map(ToString::to_string);
    }

    /// Waits so long; whether the end has come meanwhile.
    fn wait(&self, patience: Duration) -> bool {
        let ends = |inner: &mut Inner| !inner.ends;
        let waited = self.0.changed.wait_timeout_while(self.inner(), patience, ends);
        waited.unwrap_or_else(PoisonError::into_inner).0.ends
    }

    /// Waits until it is due again; whether the end has come first.
    fn wait_until_due(&self, last: Instant) -> bool {
        let mut inner = self.inner();
        loop {
            let left = inner.task.every.saturating_sub(last.elapsed());
            if inner.ends || left.is_zero() {
                return inner.ends;
            }
            let waited = self.0.changed.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The thread that verifies. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Verifying {
    state: RecordState,
    thread: Option<JoinHandle<()>>,
}

impl Verifying {
    /// Begins at once: whatever was done to the record while no gateway ran is found now.
    ///
    /// # Errors
    /// Where there is no thread.
    pub(super) fn start(settings: &Settings, recorder: &Recorder, clock: Clock) -> io::Result<Self> {
        let (task, since) = (Task::of(settings), clock.now());
        let inner = Inner { task, since, findings: 0, first: None, ends: false };
        let shared = Shared { inner: Mutex::new(inner), changed: Condvar::new(), clock };
        let state = RecordState(Arc::new(shared));
        let verifier = Verifier { state: state.clone(), recorder: recorder.clone(), told: HashSet::new() };
        let thread = thread::Builder::new().name("verify".to_owned()).spawn(move || verifier.run())?;
        Ok(Self { state, thread: Some(thread) })
    }

    pub(super) fn state(&self) -> RecordState {
        self.state.clone()
    }
}

impl Drop for Verifying {
    fn drop(&mut self) {
        self.state.inner().ends = true;
        self.state.0.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Verifier {
    state: RecordState,
    recorder: Recorder,
    told: HashSet<Finding>,
}

impl Verifier {
    fn run(mut self) {
        let _ = rustix::process::nice(NICE); // an error: it rests all the same
        loop {
            let last = Instant::now();
            self.verify();
            if self.state.wait_until_due(last) {
                return;
            }
        }
    }

    fn verify(&mut self) {
        let task = self.state.inner().task.clone();
        if task.kept.is_empty() {
            return;
        }
        let begun = self.state.0.clock.now();
        match self.findings(&task) {
            Ok(findings) => {
                self.state.has_verified(begun, &findings);
                self.tell(findings);
            }
            Err(_) if self.state.inner().ends => {}
            Err(error) => tracing::warn!(%error, "the record could not be verified; it is tried again"),
        }
    }

    /// What is wrong. A file may be removed, or go on in another, while others are read: only what is found twice counts.
    fn findings(&self, task: &Task) -> Result<Vec<Finding>, VerifyError> {
        let mut findings = self.walk(task)?.findings;
        if !findings.is_empty() {
            let again = self.walk(task)?.findings;
            findings.retain(|finding| again.contains(finding));
        }
        Ok(findings)
    }

    fn walk(&self, task: &Task) -> Result<Report, VerifyError> {
        let signed = task.checkpoints.as_ref().map(|path| match std::fs::read(path) {
            Ok(text) => {
                Ok(Some(Signed { name: file_name(path), text: String::from_utf8_lossy(&text).into_owned() }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(VerifyError { path: path.clone(), cause }),
        });
        let evidence = Evidence { signed: signed.transpose()?.flatten(), ..Evidence::default() };
        let mut pace = Pace { state: &self.state, lines: 0, began: Instant::now() };
        verify(&task.kept, &evidence, &mut || pace.rest())
    }

    fn tell(&mut self, findings: Vec<Finding>) {
        let count = findings.len() as u64;
        let news: Vec<_> = findings.into_iter().filter(|finding| !self.told.contains(finding)).collect();
        for finding in news.into_iter().take(TOLD) {
            let text = finding.to_string();
            let reason =
                text.strip_prefix(&*finding.place).unwrap_or(&text).trim_start_matches([',', ':', ' ']);
            tracing::error!(file = finding.place, reason, "the record is not as it was written");
            self.recorder.emit(&RecordAltered { file: &finding.place, reason, count });
            if self.told.len() < REMEMBERED {
                self.told.insert(finding);
            }
        }
    }
}

/// What makes reading slow.
struct Pace<'a> {
    state: &'a RecordState,
    lines: u32,
    began: Instant,
}

impl Pace<'_> {
    fn rest(&mut self) -> io::Result<()> {
        self.lines += 1;
        if self.lines < LINES {
            return Ok(());
        }
        self.lines = 0;
        let worked = self.began.elapsed();
        if worked < WORK {
            return Ok(());
        }
        let ends = self.state.wait((worked * RESTS).min(LONGEST_REST));
        self.began = Instant::now();
        if ends { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}
