//! What each gateway has signed last of its record, told to the others: a checkpoint of one ties what the others have.
//!
//! A word is good for minutes and names when it was said; it is authenticated by the key that all gateways share
//! (`[state] key`), so that whoever can write to the store can neither bring in another gateway nor have one say what it has
//! not. What was said long ago, or is no word, is nothing.

use std::fmt;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::secret::KeyRing;
use crate::storage::redis::{RedisClient, RedisError, Script};

static TIE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("redis/tie.lua")));

const HEADS: &[u8] = b"portcullis state 1: heads of the record";
/// How long a word is good.
const GOOD: Duration = Duration::from_secs(600);
/// Words at most, and bytes of one.
const WORDS: usize = 256;
const BYTES: usize = 600;
/// Bytes of a gateway's name.
const ORIGIN: usize = 300;

/// The last checkpoint of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedLast {
    /// The name of its keys.
    pub origin: String,
    /// The checkpoint's number.
    pub number: u64,
    /// The SHA-256 of its text.
    pub hash: [u8; 32],
}

/// What gateways tell one another of their records, by the Redis that they share.
pub struct SharedHeads {
    client: RedisClient,
    words: Words,
    /// What was told last.
    told: Mutex<String>,
}

impl fmt::Debug for SharedHeads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedHeads(…)")
    }
}

impl SharedHeads {
    /// By the keys that follow from `secrets`: the first one's signs, each is known. `None` as of [`KeyRing::derive`].
    #[must_use]
    pub fn derive<S: AsRef<[u8]>>(client: RedisClient, secrets: &[S]) -> Option<Self> {
        let words = Words::derive(secrets)?;
        Some(Self { client, words, told: Mutex::default() })
    }

    /// Tells what this gateway has signed last, where it has, and gives what the others have.
    ///
    /// # Errors
    /// Where the store has not answered.
    pub async fn exchange(
        &self,
        own: Option<&SignedLast>,
        now: Timestamp,
    ) -> Result<Vec<SignedLast>, RedisError> {
        let word = own.map(|own| self.words.say(own, now)).unwrap_or_default();
        let before =
            std::mem::replace(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner), word.clone());
        let mut script = TIE.key(self.client.key("record-heads"));
        let script = script.arg(word).arg(before).arg(GOOD.as_secs()).arg(WORDS).arg(BYTES);
        let words: Vec<Vec<u8>> = self.client.run(script).await?;
        let heard = words.iter().take(WORDS).filter_map(|word| self.words.hear(word, now));
        Ok(heard.filter(|heard| own.is_none_or(|own| own.origin != heard.origin)).collect())
    }
}

/// How a word is said, and known.
struct Words(Vec<hmac::Key>);

impl Words {
    fn derive<S: AsRef<[u8]>>(secrets: &[S]) -> Option<Self> {
        let ring = KeyRing::derive(secrets, HEADS)?;
        let keys: Vec<_> = ring.keys().map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.expose())).collect();
        (!keys.is_empty()).then_some(Self(keys))
    }

    fn say(&self, head: &SignedLast, now: Timestamp) -> String {
        let hash = URL_SAFE_NO_PAD.encode(head.hash);
        let said = format!("{} {} {hash} {}", now.seconds(), head.number, head.origin);
        let tag = self.0.first().map(|key| hmac::sign(key, said.as_bytes()));
        let tag = tag.map(|tag| URL_SAFE_NO_PAD.encode(tag)).unwrap_or_default();
        format!("{tag} {said}")
    }

    /// What a word says; none where it is of nobody who has the key, or too old, or of a time to come.
    fn hear(&self, word: &[u8], now: Timestamp) -> Option<SignedLast> {
        let word = str::from_utf8(word).ok().filter(|word| word.len() <= BYTES)?;
        let (tag, said) = word.split_once(' ')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        let is_known = self.0.iter().any(|key| hmac::verify(key, said.as_bytes(), &tag).is_ok());
        if !mutant!(is_known, "heads-of-anybody" => true) {
            return None;
        }
        let mut parts = said.splitn(4, ' ');
        let time: u64 = parts.next()?.parse().ok()?;
        if time.abs_diff(now.seconds()) > GOOD.as_secs() {
            return None;
        }
        let number = parts.next()?.parse().ok()?;
        let hash = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?.try_into().ok()?;
        let origin = parts.next().filter(|origin| is_origin(origin))?.to_owned();
        Some(SignedLast { origin, number, hash })
    }
}

/// Whether it can stand in a checkpoint as the name of a gateway.
fn is_origin(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".:-[]/".contains(&byte);
    !name.is_empty() && name.len() <= ORIGIN && name.bytes().all(plain)
}

/// For a fuzzer: any bytes as a word, and as what somebody says who has the key.
#[cfg(any(test, fuzzing))]
pub(super) fn any(data: &[u8]) {
    let now = Timestamp::from_seconds(1_800_000_000);
    let Some(words) = Words::derive(&["of a fuzzer, and long enough for a key"]) else { return };
    assert_eq!(words.hear(data, now), None, "nobody has the key");
    let Some(key) = words.0.first() else { return };
    let tag = URL_SAFE_NO_PAD.encode(hmac::sign(key, data));
    let word = [tag.as_bytes(), b" ", data].concat();
    if let Some(heard) = words.hear(&word, now) {
        assert!(is_origin(&heard.origin));
        assert_eq!(words.hear(words.say(&heard, now).as_bytes(), now), Some(heard));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn words(secrets: &[&str]) -> Words {
        let long: Vec<_> = secrets.iter().map(|secret| secret.repeat(40)).collect();
        Words::derive(&long).unwrap()
    }

    fn head() -> SignedLast {
        SignedLast { origin: "gate.example/9f2c41d0".to_owned(), number: 7, hash: [9; 32] }
    }

    #[test]
    fn a_word_is_heard_by_whoever_has_the_key_and_for_minutes() {
        let (now, own) = (Timestamp::from_seconds(NOW), words(&["a"]));
        let word = own.say(&head(), now);
        assert!(word.len() < BYTES);
        for seconds in [NOW - 600, NOW, NOW + 600] {
            assert_eq!(own.hear(word.as_bytes(), Timestamp::from_seconds(seconds)), Some(head()));
        }
        for seconds in [0, NOW - 601, NOW + 601] {
            assert_eq!(own.hear(word.as_bytes(), Timestamp::from_seconds(seconds)), None, "{seconds}");
        }
        let rotated = words(&["b", "a"]);
        assert_eq!(rotated.hear(word.as_bytes(), now), Some(head()));
        assert_eq!(words(&["b"]).hear(word.as_bytes(), now), None);
    }

    #[test]
    fn invariant_28_nobody_without_the_key_says_what_a_gateway_has_signed() {
        let (now, words) = (Timestamp::from_seconds(NOW), words(&["a"]));
        let word = words.say(&head(), now);
        for at in 0..word.len() {
            let mut other = word.clone().into_bytes();
            other[at] ^= 1;
            assert_eq!(words.hear(&other, now), None, "{}", String::from_utf8_lossy(&other));
        }
        for odd in ["", " ", "x", "x y z", &"x ".repeat(900), &word[1..], &word.replace(' ', "  ")] {
            assert_eq!(words.hear(odd.as_bytes(), now), None, "{odd}");
        }
        assert_eq!(words.hear(&[0xFF; 90], now), None);
        // Whoever has the key and says what could not stand in a checkpoint says nothing.
        for origin in ["", "a b", "a\nhead x", &"a".repeat(301)] {
            let word = words.say(&SignedLast { origin: origin.to_owned(), ..head() }, now);
            assert_eq!(words.hear(word.as_bytes(), now), None, "{origin}");
        }
    }
}
