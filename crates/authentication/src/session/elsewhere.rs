//! What other processes end and change in the store that they share with this one: one that has taken over, or other gateways.

use std::fmt::Display;
use std::sync::atomic::Ordering;

use portcullis_events::StoreMissed;

use tokio::sync::broadcast;

use super::error::StoreFault;
use super::family::Ending;
use super::sessions::SessionsInner;
use super::{SessionEnd, SessionId, Sessions, StoreUnavailable};

/// What other gateways end, as records call it.
pub(super) const OTHERS: &str = "endings of other gateways";

impl Sessions {
    /// Families as they end, for a process that this one has taken over from: it cuts their
    /// streams by [`Sessions::cut`].
    #[must_use]
    pub fn endings(&self) -> broadcast::Receiver<Ending> {
        self.0.families.endings()
    }

    /// Ends the family of `root` in memory: another process has ended it in the store.
    pub fn cut(&self, (root, why): Ending) {
        // First: one of its sessions that is just being loaded, which only the store knows to be one, is read again
        // rather than put into a new family that lives.
        mutant!(self.0.cache.read_again(), "loaded-while-another-ends-it" => ());
        self.0.families.end(root, why);
        self.0.cache.forget(&root);
    }

    /// Another process has changed session `id` in the store.
    pub fn changed(&self, id: &SessionId) {
        self.0.cache.forget(id);
    }

    /// Anything in the store may have changed unheard: everything is read anew.
    pub fn doubt(&self) {
        self.0.cache.forget_all();
    }

    /// The roots of which some session in memory lives.
    #[must_use]
    pub fn in_use(&self) -> Vec<SessionId> {
        self.0.families.alive()
    }

    /// What other gateways end has not been heard for too long: what lives in memory ends there, streams and all, and
    /// until [`Sessions::confirm`] nothing is read from the store, which answers 503 and never a pass.
    pub fn unconfirm(&self) {
        if self.0.unconfirmed.swap(true, Ordering::SeqCst) {
            return;
        }
        self.0.others.lost("the session store was not heard for too long: nobody is let in before it is");
        // In this order: who has looked before the flag was up finds that everything has changed meanwhile.
        self.0.cache.forget_all();
        self.in_use().into_iter().for_each(|root| self.0.families.end(root, SessionEnd::Unconfirmed));
    }

    /// What other gateways end is heard again.
    pub fn confirm(&self) {
        self.0.unconfirmed.store(false, Ordering::SeqCst);
        self.0.others.back();
    }

    /// What other gateways end is not heard at the moment.
    pub(super) fn unheard(&self, why: &impl Display) {
        self.0.others.lost(format!("what other gateways end is not heard; it is tried again: {why}"));
    }

    /// Some of what other gateways ended was not heard, and never will be.
    pub(super) fn missed(&self) {
        let reason = "some of what other gateways ended was missed: all sessions are read anew";
        let missed = StoreMissed { name: OTHERS, reason, away: None };
        self.0.notes.recorder().map(|recorder| recorder.emit(&missed));
    }
}

impl SessionsInner {
    /// # Errors
    /// Nobody here can say whether a session that the store holds has ended.
    pub(super) fn confirmed(&self) -> Result<(), StoreUnavailable> {
        match mutant!(self.unconfirmed.load(Ordering::SeqCst), "unconfirmed-is-believed" => false) {
            true => Err(StoreUnavailable::new(StoreFault::Unheard)),
            false => Ok(()),
        }
    }
}
