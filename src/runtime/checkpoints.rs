//! What the record holds is signed: every minute in which something has come to it, and once an hour anyway.
//!
//! The key and the number of the last checkpoint are kept with this gateway's other keys, in its own state file also where
//! gateways share a Redis: each signs what it has written itself. A text is kept before it is signed, and nothing else is
//! signed by that number ever after, whatever happens between.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;
use zeroize::Zeroizing;

use crate::chain::{Book, BookError, CheckpointLog, Peer, Ties};
use crate::clock::{Clock, Timestamp};
use crate::events::{RecordCheckpoint, RecordKeyRotated, Recorder};
use crate::replicas::{SharedHeads, SignedLast};
use crate::secret::random_bytes;
use crate::storage::{ServerKeys, StorageError, WeakServerKeys};

/// What the key and the last text are kept under.
const KEPT: &str = "record";
/// How often something is signed where something has come.
const EVERY: Duration = Duration::from_secs(60);
/// How often where nothing has.
const IDLE: Duration = Duration::from_secs(3600);
/// How often where nothing has here, and others have signed more.
const OTHERS: Duration = Duration::from_secs(600);
/// How long it waits for what others have signed.
const EXCHANGE: Duration = Duration::from_millis(500);
/// How long the end of the process waits for what is signed last.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Why what the record holds cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointsError {
    /// The state file cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What is kept there is no key.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The file of checkpoints cannot be opened.
    #[error("the file of checkpoints {}: {error}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Somebody else signs by the same state file.
    #[error("another process has signed with the key that is kept in the state file")]
    Another,
}

/// Where checkpoints go to, and what they are of.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) file: Option<PathBuf>,
    /// Whether something is chained from the start on.
    pub(super) chained: bool,
    pub(super) ties: Ties,
    /// Where gateways that share their state tell one another what they have signed.
    pub(super) heads: Option<SharedHeads>,
    pub(super) recorder: Recorder,
    pub(super) clock: Clock,
}

/// What signs.
#[derive(Debug)]
pub(super) struct Checkpoints {
    keys: WeakServerKeys,
    book: Book,
    sources: Sources,
    /// Notes that could not be written yet.
    unwritten: Vec<String>,
    /// How much had changed when it signed last, and when that was.
    signed: (u64, Timestamp),
    /// What of others it has signed then.
    tied: Vec<Peer>,
}

/// Asks for a checkpoint at once, and waits for it.
#[derive(Clone, Debug)]
pub(super) struct AskCheckpoint(mpsc::Sender<oneshot::Sender<()>>);

impl AskCheckpoint {
    pub(super) fn new() -> (Self, mpsc::Receiver<oneshot::Sender<()>>) {
        let (ask, asked) = mpsc::channel(1);
        (Self(ask), asked)
    }

    pub(super) async fn sign(&self) {
        let (done, signed) = oneshot::channel();
        let asked = async {
            if self.0.send(done).await.is_ok() {
                let _ = signed.await; // an error: nobody signs any more
            }
        };
        let _ = tokio::time::timeout(LAST_WORDS, asked).await;
    }
}

impl Checkpoints {
    /// With the key that is kept, or a first one. What was kept and may not have been written before is written now.
    ///
    /// # Errors
    /// Where the key cannot be read or kept, or the file of checkpoints cannot be opened.
    pub(super) async fn open(
        keys: &ServerKeys,
        host: &str,
        sources: Sources,
    ) -> Result<Self, CheckpointsError> {
        let now = sources.clock.now();
        let first = Book::begin(host, u32::from_be_bytes(random_bytes()), now)?;
        let written = first.written()?;
        let kept = keys.load_or_create_with(KEPT, move || written).await?;
        let book = Book::read(&kept)?;
        let mut this = Self {
            keys: keys.downgrade(),
            book,
            sources,
            unwritten: Vec::new(),
            signed: (0, now),
            tied: Vec::new(),
        };
        if this.was_set_back()? {
            tracing::warn!(
                "more was signed than the state file knows of: it was restored; a new key signs the record"
            );
            this.keep(keys, first).await?;
        }
        let mut notes = this.book.words().to_vec();
        notes.extend(this.book.last()?);
        this.complete(notes)?;
        this.signed.0 = this.sources.ties.changes();
        Ok(this)
    }

    /// Whether checkpoints have been signed of which the state file knows nothing: an older copy of it was put in its place.
    /// By the same key and number nothing else may be signed.
    fn was_set_back(&self) -> Result<bool, CheckpointsError> {
        let Some(file) = self.sources.file.clone().filter(|file| file.exists()) else { return Ok(false) };
        let last = CheckpointLog::open(&file).and_then(|mut log| log.last_number(self.book.origin()));
        let last = last.map_err(|error| CheckpointsError::File { file, error })?;
        Ok(last > self.book.number())
    }

    /// Writes what is not in the file yet, or keeps it until there is something to sign.
    fn complete(&mut self, notes: Vec<String>) -> Result<(), CheckpointsError> {
        let Some(file) = self.sources.file.clone().filter(|_| self.sources.chained) else {
            self.unwritten = notes;
            return Ok(());
        };
        let added =
            CheckpointLog::open(&file).and_then(|mut log| log.complete(notes.iter().map(String::as_str)));
        added.map_err(|error| CheckpointsError::File { file, error })
    }

    /// Signs when it is due, and whenever it is asked to, until the state file is closed.
    pub(super) async fn run(
        mut self,
        rotate: watch::Receiver<Duration>,
        mut asked: mpsc::Receiver<oneshot::Sender<()>>,
    ) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            let answer = tokio::select! {
                _ = ticks.tick() => None,
                Some(answer) = asked.recv() => Some(answer),
            };
            // The store has let go of the state file: whoever has it now signs.
            let Some(keys) = self.keys.upgrade() else { return };
            let period = *rotate.borrow();
            if let Err(error) = self.look(&keys, answer.is_some(), period).await {
                tracing::warn!(%error, "what the record holds could not be signed; it is tried again");
            }
            drop(keys);
            if let Some(answer) = answer {
                let _ = answer.send(()); // an error: nobody waits any more
            }
        }
    }

    async fn look(
        &mut self,
        keys: &ServerKeys,
        at_once: bool,
        period: Duration,
    ) -> Result<(), CheckpointsError> {
        let now = self.sources.clock.now();
        let (changes, last) = self.signed;
        let changed = self.sources.ties.changes() != changes;
        let rotates = self.book.is_due(period, now);
        if !self.sources.ties.heads().is_empty() {
            self.exchange(now).await;
            let others = self.sources.ties.peers() != self.tied && now.since(last) >= OTHERS;
            if rotates || at_once || changed || others || now.since(last) >= IDLE {
                self.sign(keys, now).await?;
                self.exchange(now).await;
            }
        }
        if rotates {
            self.rotate(keys, now).await?;
        }
        Ok(())
    }

    /// Tells other gateways what was signed last here, and hears what they have. Where the store is away, nobody waits for it:
    /// what was heard before is tied again.
    async fn exchange(&self, now: Timestamp) {
        let Some(shared) = &self.sources.heads else { return };
        let heard = tokio::time::timeout(EXCHANGE, shared.exchange(self.own().as_ref(), now)).await;
        let Ok(Ok(heard)) = heard else { return };
        let peer = |heard: SignedLast| {
            let SignedLast { origin, number, hash } = heard;
            Peer { origin, number, hash: hash.into() }
        };
        self.sources.ties.hear(heard.into_iter().map(peer));
    }

    /// What was signed last here.
    fn own(&self) -> Option<SignedLast> {
        let hash = *self.book.last_hash()?.bytes();
        Some(SignedLast { origin: self.book.origin().to_owned(), number: self.book.number(), hash })
    }

    /// Signs what all chains hold.
    async fn sign(&mut self, keys: &ServerKeys, now: Timestamp) -> Result<(), CheckpointsError> {
        let ties = self.sources.ties.clone();
        let (changes, heads, peers) = (ties.changes(), ties.heads(), ties.peers());
        let mut next = Book::read(&self.book.written()?)?;
        next.next(heads.clone(), peers.clone(), now);
        self.keep(keys, next).await?;
        let Some(note) = self.book.last()? else { return Ok(()) };
        self.write(note.clone());
        let (key, number) = (self.book.key_id(), self.book.number());
        self.sources.recorder.emit(&RecordCheckpoint { key: &key, number, note: &note });
        ties.signed(&heads);
        (self.signed, self.tied) = ((changes, now), peers);
        Ok(())
    }

    async fn rotate(&mut self, keys: &ServerKeys, now: Timestamp) -> Result<(), CheckpointsError> {
        let mut next = Book::read(&self.book.written()?)?;
        next.rotate(now)?;
        self.keep(keys, next).await?;
        let Some(note) = self.book.words().last().cloned() else { return Ok(()) };
        self.write(note.clone());
        let (key, signs_from) =
            (self.book.key_id(), self.book.signs_from().seconds().saturating_mul(1_000_000));
        self.sources.recorder.emit(&RecordKeyRotated { key: &key, signs_from, note: &note });
        tracing::info!(key, "another key signs what the record holds");
        Ok(())
    }

    /// Keeps what is to be signed, before it is.
    async fn keep(&mut self, keys: &ServerKeys, next: Book) -> Result<(), CheckpointsError> {
        let (seen, new): (Zeroizing<Vec<u8>>, _) = (self.book.written()?, next.written()?);
        if !keys.replace(KEPT, Some(seen), new).await? {
            return Err(CheckpointsError::Another);
        }
        self.book = next;
        Ok(())
    }

    /// Writes a note, and those before that could not be.
    fn write(&mut self, note: String) {
        self.unwritten.push(note);
        let Some(file) = &self.sources.file else { return self.unwritten.clear() };
        let written = CheckpointLog::open(file).and_then(|mut log| {
            while let Some(note) = self.unwritten.first() {
                log.add(note)?;
                self.unwritten.remove(0);
            }
            Ok(())
        });
        if let Err(error) = written {
            tracing::warn!(file = %file.display(), %error, "a checkpoint of the record could not be written; it is tried again");
        }
    }
}
