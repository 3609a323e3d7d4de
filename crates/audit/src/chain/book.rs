//! What one gateway signs with: its key, the number of its last checkpoint, and every word of its keys. It is kept with the
//! gateway's other keys.
//!
//! A text is kept before it is signed, so that two that disagree never have one number: whoever finds a text that may not
//! have been signed yet signs that one, and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use zeroize::{Zeroize as _, Zeroizing};

use super::checkpoint::{Checkpoint, KeyStatement, Statement};
use super::hash::Hash;
use super::note::{NoteError, SignerKey};
use super::ties::{Head, Peer};
use crate::clock::Timestamp;

/// Why what is kept cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// It is no document.
    #[error("what is kept as the key of the record cannot be read: {0}")]
    Document(#[from] serde_json::Error),
    /// It holds no key, or makes none.
    #[error("the key of the record: {0}")]
    Key(#[from] NoteError),
}

#[derive(Serialize, Deserialize)]
struct Kept {
    origin: String,
    /// PKCS #8 in base64.
    key: String,
    from: Timestamp,
    /// The text of the last checkpoint; empty before the first.
    last: String,
    number: u64,
    /// The words of all keys, signed.
    words: Vec<String>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

/// The key, and what was signed last.
pub struct Book {
    kept: Kept,
    key: SignerKey,
}

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Book")
            .field("origin", &self.kept.origin)
            .field("number", &self.kept.number)
            .finish_non_exhaustive()
    }
}

impl Book {
    /// A new one, with a first key, for the gateway of this host; `tag` tells it from others there.
    ///
    /// # Errors
    /// Where the system gives no key.
    pub fn begin(host: &str, tag: u32, now: Timestamp) -> Result<Self, BookError> {
        let plain = |letter: &char| letter.is_ascii_alphanumeric() || ".:-[]".contains(*letter);
        let host: String = host.chars().filter(plain).collect();
        let origin = format!("{}/{tag:08x}", if host.is_empty() { "portcullis" } else { &host });
        let (pkcs8, last) = (SignerKey::generate()?, String::new());
        let key = SignerKey::read(&origin, &pkcs8)?;
        let first = KeyStatement { origin: origin.clone(), key: key.verifier().clone(), from: now, after: 0 };
        let words = vec![key.sign(&first.text())?];
        let kept = Kept { origin, key: STANDARD.encode(&pkcs8), from: now, last, number: 0, words };
        Ok(Self { kept, key })
    }

    /// Reads what was kept.
    ///
    /// # Errors
    /// Where it is no document, or holds no key.
    pub fn read(kept: &[u8]) -> Result<Self, BookError> {
        let kept: Kept = serde_json::from_slice(kept)?;
        let pkcs8 = Zeroizing::new(STANDARD.decode(kept.key.as_bytes()).map_err(|_| NoteError::Key)?);
        let key = SignerKey::read(&kept.origin, &pkcs8)?;
        Ok(Self { kept, key })
    }

    /// What is to be kept of it.
    ///
    /// # Errors
    /// Never, as far as anybody knows.
    pub fn written(&self) -> Result<Zeroizing<Vec<u8>>, BookError> {
        Ok(Zeroizing::new(serde_json::to_vec(&self.kept)?))
    }

    /// The name of its keys.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.kept.origin
    }

    /// The id of the key that signs.
    #[must_use]
    pub fn key_id(&self) -> String {
        self.key.verifier().short_id()
    }

    /// The number of the last checkpoint; 0 before the first.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.kept.number
    }

    /// From when on its key signs.
    #[must_use]
    pub const fn signs_from(&self) -> Timestamp {
        self.kept.from
    }

    /// What was said by and for its keys: signed notes, the first key's first.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.kept.words
    }

    /// Makes the text of the next checkpoint. It is to be kept, and then signed.
    pub fn next(&mut self, heads: Vec<Head>, peers: Vec<Peer>, now: Timestamp) {
        let after = (self.kept.number > 0).then(|| (self.kept.number, Hash::of(self.kept.last.as_bytes())));
        self.kept.number =
            mutant!(self.kept.number + 1, "two-checkpoints-of-one-number" => self.kept.number.max(1));
        let origin = self.kept.origin.clone();
        // A key signs nothing of before its time, whatever was done to the clock.
        let time = now.max(self.kept.from);
        self.kept.last = Checkpoint { origin, number: self.kept.number, time, after, heads, peers }.text();
    }

    /// The last checkpoint, signed; none before the first. It is the same however often it is asked for.
    ///
    /// # Errors
    /// Where the system gives no signature.
    pub fn last(&self) -> Result<Option<String>, BookError> {
        let signed_before = self.last_time().is_some_and(|time| time < self.kept.from);
        if self.kept.last.is_empty() || signed_before {
            return Ok(None);
        }
        Ok(Some(self.key.sign(&self.kept.last)?))
    }

    /// The hash of the last checkpoint's text; none before the first.
    #[must_use]
    pub fn last_hash(&self) -> Option<Hash> {
        (!self.kept.last.is_empty()).then(|| Hash::of(self.kept.last.as_bytes()))
    }

    fn last_time(&self) -> Option<Timestamp> {
        match Statement::read(&self.kept.last)? {
            Statement::Checkpoint(checkpoint) => Some(checkpoint.time),
            Statement::Key(_) => None,
        }
    }

    /// Whether another key is due, where each signs for so long.
    #[must_use]
    pub fn is_due(&self, every: Duration, now: Timestamp) -> bool {
        now >= self.kept.from + every
    }

    /// Puts a new key in the place of the one that signs, which says so as its last word and is gone then.
    ///
    /// # Errors
    /// Where the system gives no key.
    pub fn rotate(&mut self, now: Timestamp) -> Result<(), BookError> {
        let pkcs8 = SignerKey::generate()?;
        let next = SignerKey::read(&self.kept.origin, &pkcs8)?;
        // A second later than what the old one may have signed, so that each moment has one key.
        let last = self.last_time().unwrap_or(self.kept.from);
        let from = now.max(last + Duration::from_secs(1));
        let (origin, key, after) = (self.kept.origin.clone(), next.verifier().clone(), self.kept.number);
        self.kept.words.push(self.key.sign(&KeyStatement { origin, key, from, after }.text())?);
        self.kept.key.zeroize();
        self.kept.key = STANDARD.encode(&pkcs8);
        self.kept.from = from;
        self.key = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{Note, VerifierKey};

    fn begun() -> Book {
        Book::begin("gate.example", 7, Timestamp::from_seconds(1_800_000_000)).unwrap()
    }

    fn said(note: &str) -> Statement {
        Statement::read(Note::read(note).unwrap().unchecked()).unwrap()
    }

    fn checkpoint(book: &Book) -> Checkpoint {
        let Statement::Checkpoint(checkpoint) = said(&book.last().unwrap().unwrap()) else { panic!("a key") };
        checkpoint
    }

    #[test]
    fn invariant_28_each_checkpoint_has_a_number_of_its_own_and_names_the_one_before() {
        let (mut book, now) = (begun(), Timestamp::from_seconds(1_800_000_060));
        assert_eq!(book.last().unwrap(), None);
        book.next(Vec::new(), Vec::new(), now);
        let first = checkpoint(&book);
        // What was kept and perhaps not signed is signed as it was kept.
        let mut again = Book::read(&book.written().unwrap()).unwrap();
        assert_eq!(again.last().unwrap(), book.last().unwrap());
        again.next(Vec::new(), Vec::new(), now);
        let second = checkpoint(&again);
        assert_eq!((first.number, first.after, second.number), (1, None, 2));
        assert_eq!(second.after, Some((1, Hash::of(first.text().as_bytes()))));
    }

    #[test]
    fn another_key_is_named_by_the_one_before_which_is_gone_then() {
        let (mut book, now) = (begun(), Timestamp::from_seconds(1_800_000_060));
        let key = |word: &str| match said(word) {
            Statement::Key(word) => word.key,
            Statement::Checkpoint(_) => panic!("a checkpoint"),
        };
        let first: VerifierKey = key(&book.words()[0]);
        book.next(Vec::new(), Vec::new(), now);
        let kept = book.written().unwrap();
        book.rotate(now).unwrap();
        assert!(Note::read(&book.words()[1]).unwrap().signed_by(&first).unwrap().is_some());
        let Statement::Key(word) = said(&book.words()[1]) else { panic!("a checkpoint") };
        assert!(word.after == 1 && word.from > now && word.from == book.signs_from());
        assert_eq!(book.last().unwrap(), None, "what the one before has signed the next one does not");
        let secret =
            |kept: &[u8]| serde_json::from_slice::<serde_json::Value>(kept).unwrap()["key"].to_string();
        let rotated = book.written().unwrap();
        assert!(!String::from_utf8_lossy(&rotated).contains(&secret(&kept)));
        book.next(Vec::new(), Vec::new(), now);
        assert!(checkpoint(&book).time >= word.from && book.key_id() == word.key.short_id());
        assert!(
            !book.is_due(Duration::from_secs(60), now)
                && book.is_due(Duration::from_secs(60), now + Duration::from_secs(61))
        );
    }

    #[test]
    fn a_host_of_any_form_makes_a_name_that_keys_can_have() {
        let now = Timestamp::from_seconds(0);
        for (host, origin) in
            [("[::1]:8443", "[::1]:8443/00000007"), ("a+b c\n", "abc/00000007"), ("", "portcullis/00000007")]
        {
            assert_eq!(Book::begin(host, 7, now).unwrap().origin(), origin);
        }
        assert!(Book::read(b"{}").is_err());
    }
}
