//! The heads of all chains of this process, and what was heard of those of others: what a checkpoint ties together.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::hash::Hash;

/// The last block of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The chain.
    pub chain: Arc<str>,
    /// The number of the block.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
    /// The file, or the like, that it is in.
    pub file: String,
}

/// What another gateway has signed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Whose it is.
    pub origin: String,
    /// The number of its checkpoint.
    pub number: u64,
    /// The hash of its text.
    pub hash: Hash,
}

/// The heads. It is cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Ties(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    heads: BTreeMap<Arc<str>, (Head, bool)>,
    peers: BTreeMap<String, Peer>,
    changes: u64,
}

impl Ties {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block more. One that holds nothing but the event of a checkpoint is no reason for the next.
    pub fn tell(&self, head: Head, is_news: bool) {
        let mut inner = self.inner();
        inner.changes += u64::from(is_news);
        inner.heads.insert(Arc::clone(&head.chain), (head, false));
    }

    /// Nothing comes to this chain any more. It is told once more.
    pub fn end(&self, chain: &str) {
        if let Some((_, ended)) = self.inner().heads.get_mut(chain) {
            *ended = true;
        }
    }

    /// What another gateway has signed last.
    pub fn hear(&self, peer: Peer) {
        self.inner().peers.insert(peer.origin.clone(), peer);
    }

    /// How often something has changed.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.inner().changes
    }

    /// All heads.
    #[must_use]
    pub fn heads(&self) -> Vec<Head> {
        self.inner().heads.values().map(|(head, _)| head.clone()).collect()
    }

    /// All that was heard of others.
    #[must_use]
    pub fn peers(&self) -> Vec<Peer> {
        self.inner().peers.values().cloned().collect()
    }

    /// These have been signed: those of them that have ended are told no more.
    pub fn signed(&self, heads: &[Head]) {
        let mut inner = self.inner();
        inner.heads.retain(|_, (head, ended)| !*ended || !heads.contains(head));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_that_has_ended_is_told_until_its_end_is_signed() {
        let (ties, head) = (Ties::default(), |number| Head {
            chain: "a".into(),
            number,
            hash: Hash::NONE,
            file: "f".to_owned(),
        });
        ties.tell(head(1), true);
        let before = ties.heads();
        ties.tell(head(2), false);
        ties.end("a");
        ties.signed(&before);
        assert_eq!((ties.heads(), ties.changes()), (vec![head(2)], 1));
        ties.signed(&[head(2)]);
        assert!(ties.heads().is_empty());
    }
}
