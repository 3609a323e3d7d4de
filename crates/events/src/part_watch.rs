//! Whether a part that we need is there, told on each change.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::event::{Part, PartBack, PartLost};
use super::recorder::Recorder;

/// Tells when a part is lost, and when it is back. What happened before there was a recorder is told when there is one.
#[derive(Debug)]
pub struct PartWatch {
    part: Part,
    name: String,
    recorder: OnceLock<Recorder>,
    lost: Mutex<Option<Loss>>,
}

#[derive(Debug)]
struct Loss {
    reason: String,
    /// By the monotonic clock; none where nobody has told yet.
    since: Option<Duration>,
}

impl PartWatch {
    /// One of a part that is there.
    #[must_use]
    pub fn new(part: Part, name: impl Into<String>) -> Self {
        Self { part, name: name.into(), recorder: OnceLock::new(), lost: Mutex::new(None) }
    }

    /// Tells `recorder` from now on, and what is lost already; a second recorder changes nothing.
    pub fn tell(&self, recorder: &Recorder) {
        if self.recorder.set(recorder.clone()).is_ok()
            && let Some(loss) = &mut *self.state()
        {
            self.tell_loss(loss);
        }
    }

    /// Whom it tells, where that is known.
    #[must_use]
    pub fn recorder(&self) -> Option<&Recorder> {
        self.recorder.get()
    }

    /// The part is lost, for this reason. Told once, and again where the reason is another one.
    pub fn lost(&self, reason: impl Into<String>) {
        let (mut state, reason) = (self.state(), reason.into());
        let since = match &*state {
            Some(loss) if loss.reason == reason => return,
            before => before.as_ref().and_then(|loss| loss.since),
        };
        let loss = state.insert(Loss { reason, since });
        self.tell_loss(loss);
    }

    /// The part can be used.
    pub fn back(&self) {
        let Some(Loss { since, .. }) = self.state().take() else { return };
        if let Some(recorder) = self.recorder.get() {
            let away = since.map(|since| recorder.clock().monotonic().saturating_sub(since));
            recorder.emit(&PartBack { part: self.part, name: &self.name, route: None, away });
        }
    }

    /// Whether it is lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.state().is_some()
    }

    fn tell_loss(&self, loss: &mut Loss) {
        if let Some(recorder) = self.recorder.get() {
            loss.since.get_or_insert_with(|| recorder.clock().monotonic());
            recorder.emit(&PartLost { part: self.part, name: &self.name, route: None, reason: &loss.reason });
        }
    }

    fn state(&self) -> MutexGuard<'_, Option<Loss>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use portcullis_rules::clock::{Clock, Timestamp};

    use super::*;
    use crate::{Field, KindSet, Seen};

    fn told(recorder: &Recorder) -> Vec<(String, Option<String>, Option<u64>)> {
        let mut told = Vec::new();
        recorder.sweep(|block| {
            for head in block.heads() {
                let line = Seen::read(block.line(head)).unwrap();
                let reason = line.text(Field::Reason).map(Into::into);
                told.push((head.kind.word().to_owned(), reason, line.number(Field::Us)));
            }
        });
        told
    }

    #[test]
    fn each_change_is_told_once() {
        let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
        let recorder = Recorder::new(0, clock.clone(), 0);
        recorder.want(KindSet::ALL, false);
        let watch = PartWatch::new(Part::Store, "state");
        watch.back();
        watch.lost("full");
        watch.lost("full");
        watch.tell(&recorder);
        let lost = |reason: &str| ("store.lost".to_owned(), Some(reason.to_owned()), None);
        assert_eq!(told(&recorder), [lost("full")]);
        clock.advance(Duration::from_secs(2));
        watch.lost("broken");
        clock.advance(Duration::from_secs(1));
        watch.back();
        watch.back();
        assert_eq!(told(&recorder), [lost("broken"), ("store.back".to_owned(), None, Some(3_000_000))]);
        assert!(!watch.is_lost());
    }
}
