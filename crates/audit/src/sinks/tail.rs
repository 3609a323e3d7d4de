//! The last events, in memory, for whoever watches what happens. What is older makes room: nobody who reads slowly, or not at
//! all, holds anything here.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_events::{Field, Kind, Seen};
use tokio::sync::watch;

use super::personal;
use super::sink::{Batch, Sink, SinkError};

/// Lines, and bytes of them, that are kept at most.
const LINES: usize = 4_096;
const BYTES: usize = 2 << 20;

/// What has happened last. Cheap to clone.
#[derive(Clone)]
pub struct Tail(Arc<Shared>);

struct Shared {
    process: Arc<str>,
    ring: Mutex<Ring>,
    news: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    lines: VecDeque<Arc<TailLine>>,
    bytes: usize,
    /// The number of the line that comes next.
    next: u64,
}

/// An event, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailLine {
    /// Its number among all that came by in this process, from 0.
    pub number: u64,
    /// What has happened.
    pub kind: Kind,
    /// The line of JSON, without its line feed.
    pub text: Box<str>,
}

/// What has come since somebody looked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TailNews {
    /// The lines, the oldest first.
    pub lines: Vec<Arc<TailLine>>,
    /// How many before them are gone already.
    pub missed: u64,
    /// Where to go on.
    pub next: u64,
}

impl Tail {
    /// An empty one, of the process of this name.
    #[must_use]
    pub fn new(process: &str) -> Self {
        let (news, _) = watch::channel(0);
        Self(Arc::new(Shared { process: process.into(), ring: Mutex::default(), news }))
    }

    /// The process, as the ids of its events begin.
    #[must_use]
    pub fn process(&self) -> &str {
        &self.0.process
    }

    /// All that is still here, the oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<Arc<TailLine>> {
        self.ring().lines.iter().map(Arc::clone).collect()
    }

    /// The number of the line that comes next.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.ring().next
    }

    /// What has come from `number` on, at most so many lines.
    #[must_use]
    pub fn since(&self, number: u64, most: usize) -> TailNews {
        let ring = self.ring();
        let first = ring.next - ring.lines.len() as u64;
        let begin = number.clamp(first, ring.next);
        let skipped = usize::try_from(begin - first).unwrap_or(usize::MAX);
        let lines: Vec<_> = ring.lines.iter().skip(skipped).take(most).map(Arc::clone).collect();
        TailNews { missed: begin.saturating_sub(number), next: begin + lines.len() as u64, lines }
    }

    /// Forgets what is personal of somebody.
    pub fn forget(&self, provider: &str, subject: &str) {
        for line in &mut self.ring().lines {
            let bare = without_person(&line.text, provider, subject);
            if let Some(text) = mutant!(bare, "erased-stays-in-the-tail" => None) {
                *line = Arc::new(TailLine { number: line.number, kind: line.kind, text });
            }
        }
    }

    /// Tells whenever something has come.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<u64> {
        self.0.news.subscribe()
    }

    /// What fills it.
    pub(super) fn sink(&self) -> TailSink {
        TailSink(self.clone())
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line without what is personal, where it is about this person.
fn without_person(line: &str, provider: &str, subject: &str) -> Option<Box<str>> {
    let seen = Seen::read(line.as_bytes()).ok()?;
    let is = |field, value| seen.text(field) == Some(value);
    let is_theirs = is(Field::Provider, provider) && is(Field::Subject, subject);
    let mut bare = Vec::new();
    personal::write(line.as_bytes(), None, &mut bare);
    let bare = str::from_utf8(&bare).unwrap_or_default().trim_end();
    is_theirs.then(|| bare.into())
}

impl Ring {
    fn push(&mut self, kind: Kind, text: &str) {
        let line = TailLine { number: self.next, kind, text: text.into() };
        self.next += 1;
        self.bytes += line.text.len();
        self.lines.push_back(Arc::new(line));
        while mutant!(self.lines.len() > LINES || self.bytes > BYTES, "tail-unbounded" => false) {
            let Some(gone) = self.lines.pop_front() else { break };
            self.bytes -= gone.text.len();
        }
    }
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail").field("next", &self.next()).finish_non_exhaustive()
    }
}

/// The sink that fills a tail. It is always ready.
#[derive(Debug)]
pub(super) struct TailSink(Tail);

impl Sink for TailSink {
    fn write(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        let next = {
            let mut ring = self.0.ring();
            for head in batch.heads() {
                // Lines are written as UTF-8 alone.
                let line = str::from_utf8(batch.block.line(head)).unwrap_or_default();
                ring.push(head.kind, line.trim_end_matches('\n'));
            }
            ring.next
        };
        self.0.0.news.send_replace(next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(texts: impl IntoIterator<Item = String>) -> Tail {
        let tail = Tail::new("p");
        texts.into_iter().for_each(|text| tail.ring().push(Kind::SignedOut, &text));
        tail
    }

    #[test]
    fn invariant_14_what_is_old_makes_room() {
        let tail = filled((0..LINES as u64 + 10).map(|number| number.to_string()));
        let lines = tail.lines();
        assert_eq!((lines.len(), &*lines[0].text), (LINES, "10"));
        let long = "x".repeat(8_000);
        let tail = filled((0..1_000).map(|_| long.clone()));
        let kept: usize = tail.lines().iter().map(|line| line.text.len()).sum();
        assert!(kept <= BYTES && kept > BYTES - 8_000, "{kept}");
        assert_eq!(tail.lines().last().unwrap().number, 999);
    }

    proptest! {
        /// Whoever asks again and again from where they were gets each line once, in order, or is told how many are gone.
        #[test]
        fn whoever_goes_on_where_they_were_misses_nothing_unsaid(steps in prop::collection::vec((0usize..9_000, 1usize..5_000), 1..6)) {
            let tail = Tail::new("p");
            let (mut next, mut told) = (0, 0);
            for (written, most) in steps {
                (0..written).for_each(|_| tail.ring().push(Kind::SignedOut, "x"));
                let news = tail.since(next, most);
                told += news.missed;
                for line in &news.lines {
                    prop_assert_eq!(line.number, told);
                    told += 1;
                }
                prop_assert!(news.lines.len() <= most);
                prop_assert_eq!(news.next, told);
                next = news.next;
            }
        }
    }

    #[test]
    fn invariant_15_whoever_is_erased_is_in_no_line_that_is_kept() {
        let line = |provider: &str| {
            format!(
                "{{\"type\":\"signed-out\",\"client\":\"192.0.2.7\",\"provider\":\"{provider}\",\"subject\":\"00u1\"}}"
            )
        };
        let tail = filled([line("corp"), line("partner"), "no line of ours".to_owned()]);
        tail.forget("corp", "00u1");
        let texts: Vec<_> = tail.lines().iter().map(|line| line.text.to_string()).collect();
        assert_eq!(
            texts,
            [
                "{\"type\":\"signed-out\",\"provider\":\"corp\"}".to_owned(),
                line("partner"),
                "no line of ours".into()
            ]
        );
        assert_eq!(tail.since(0, 9).next, 3);
    }

    #[test]
    fn who_asks_for_what_has_not_come_gets_nothing() {
        let tail = filled(["a".to_owned()]);
        assert_eq!(tail.since(99, 10), TailNews { lines: Vec::new(), missed: 0, next: 1 });
        assert_eq!(tail.since(0, 0), TailNews { lines: Vec::new(), missed: 0, next: 0 });
    }
}
