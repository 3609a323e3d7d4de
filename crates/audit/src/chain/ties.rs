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

/// Gateways of which something is heard at most.
const PEERS: usize = 256;

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

    /// What other gateways have signed last, all of them: who is not among them is heard of no more. Nobody goes back, and of
    /// more than there can be gateways the rest is left out.
    pub fn hear(&self, heard: impl IntoIterator<Item = Peer>) {
        let mut inner = self.inner();
        let mut peers: BTreeMap<String, Peer> = BTreeMap::new();
        for peer in heard.into_iter().take(PEERS) {
            let known = peers.get(&peer.origin).or_else(|| inner.peers.get(&peer.origin));
            let newest = known.filter(|known| known.number > peer.number).cloned().unwrap_or(peer);
            peers.insert(newest.origin.clone(), newest);
        }
        inner.peers = peers;
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
    fn what_others_have_signed_goes_forward_and_is_bounded() {
        let (ties, peer) = (Ties::default(), |origin: &str, number| Peer {
            origin: origin.to_owned(),
            number,
            hash: Hash::NONE,
        });
        ties.hear([peer("a", 7), peer("b", 1)]);
        ties.hear([peer("a", 3), peer("a", 8), peer("a", 5)]);
        assert_eq!(ties.peers(), [peer("a", 8)], "and b is gone");
        ties.hear((0..1_000).map(|n| peer(&n.to_string(), n)));
        assert_eq!(ties.peers().len(), PEERS);
    }

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
