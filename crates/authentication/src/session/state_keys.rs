//! The keys for what is kept of sessions to be found and shown without their cookies.
//!
//! Each secret of the operator's (`[state] key`) gives three by derivation: one that seals cards and bindings, one for the
//! digests that rows are found by, and one that signs challenges for devices. The first seals and is what new rows are found by; what any of them sealed opens, and is found.
//! So a new one is put in front, and the old one taken out once no session is older than the change.

use std::borrow::Cow;

use aws_lc_rs::hmac;

use super::Digest;
use super::binding::ChallengeKeys;
use crate::identity::Issuer;
use crate::secret::{KeyRing, fingerprint};

const SEAL: &[u8] = b"portcullis state 1: card";
const FIND: &[u8] = b"portcullis state 1: find";

/// All keys for what is kept of sessions at rest.
#[derive(Clone)]
pub struct StateKeys {
    seal: KeyRing,
    find: Box<[hmac::Key]>,
    challenges: ChallengeKeys,
    cards_vouch: bool,
}

impl StateKeys {
    /// The keys that follow from `secrets`, the one that seals first; `None` as of [`KeyRing::derive`].
    #[must_use]
    pub fn derive<S: AsRef<[u8]>>(secrets: &[S]) -> Option<Self> {
        let find = KeyRing::derive(secrets, FIND)?;
        let find = find.keys().map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.expose())).collect();
        let challenges = ChallengeKeys::derive(secrets)?;
        Some(Self { seal: KeyRing::derive(secrets, SEAL)?, find, challenges, cards_vouch: false })
    }

    /// The same for a store that others can write to: a record opens nothing there without a card beside it that one of
    /// these keys sealed and that says the same. Whoever can write the store, but has none of the keys, could else make
    /// a session of anybody's: a record is sealed under a key of its cookie's alone (invariant 7).
    #[must_use]
    pub fn for_a_shared_store(self) -> Self {
        Self { cards_vouch: true, ..self }
    }

    /// Whether a record counts only with its card.
    pub(super) fn cards_vouch(&self) -> bool {
        self.cards_vouch
    }

    /// Seals `card`, bound to the row that it stands in.
    pub(super) fn seal(&self, bound_to: &[u8], card: &impl serde::Serialize) -> Option<Vec<u8>> {
        self.seal.seal_json(bound_to, card)
    }

    /// What any of the keys sealed for this row.
    pub(super) fn open<T: serde::de::DeserializeOwned>(&self, bound_to: &[u8], sealed: &[u8]) -> Option<T> {
        self.seal.open_json(bound_to, sealed)
    }

    /// What challenges for devices are signed with.
    pub(super) const fn challenges(&self) -> &ChallengeKeys {
        &self.challenges
    }

    /// What a new row is found by.
    pub(super) fn digest(&self, name: &Name<'_>) -> Option<Digest> {
        self.find.first().map(|key| digest(key, name))
    }

    /// The digest of each key.
    pub(super) fn keyed(&self, name: &Name<'_>) -> Vec<Digest> {
        self.find.iter().map(|key| digest(key, name)).collect()
    }

    /// Everything that a row may be found by: the digest of each key, and the one without a key, by which versions
    /// before found theirs. The last one is never written: anybody could guess whose it is.
    pub(super) fn digests(&self, name: &Name<'_>) -> Vec<Digest> {
        self.keyed(name).into_iter().chain(name.unkeyed()).collect()
    }
}

fn digest(key: &hmac::Key, name: &Name<'_>) -> Digest {
    let mut digest = [0; 32];
    digest.copy_from_slice(hmac::sign(key, &joined(&name.parts())).as_ref());
    digest
}

/// A name that rows are found by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name<'a> {
    /// A subject at its issuer.
    Subject(&'a Issuer, &'a str),
    /// A provider's own session (`sid`) at its issuer.
    ProviderSession(&'a Issuer, &'a str),
    /// A user name, whoever vouches for it.
    User(&'a str),
    /// An e-mail address at the issuer that gave it, in whatever case.
    Email(&'a Issuer, &'a str),
}

impl Name<'_> {
    /// Each kind by a word of its own: a subject called like somebody's session is not that session.
    fn parts(&self) -> [Cow<'_, str>; 3] {
        let (kind, issuer, name) = match *self {
            Self::Subject(issuer, subject) => ("subject", issuer.as_str(), subject.into()),
            Self::ProviderSession(issuer, sid) => ("provider session", issuer.as_str(), sid.into()),
            Self::User(user) => ("user", "", user.into()),
            Self::Email(issuer, address) => ("email", issuer.as_str(), address.to_lowercase().into()),
        };
        [kind.into(), issuer.into(), name]
    }

    /// What versions before wrote: SHA-256 over an issuer and a name that it gave.
    fn unkeyed(&self) -> Option<Digest> {
        match self {
            Self::Subject(issuer, name) | Self::ProviderSession(issuer, name) => {
                Some(fingerprint(&joined(&[issuer.as_str().into(), (*name).into()])))
            }
            Self::User(_) | Self::Email(..) => None,
        }
    }
}

/// Parts with their lengths, so that no two lists run together.
fn joined(parts: &[Cow<'_, str>]) -> Vec<u8> {
    let mut text = Vec::new();
    for part in parts {
        let length = (part.len() as u64).to_be_bytes();
        mutant!(text.extend_from_slice(&length), "issuers-run-together" => ());
        text.extend_from_slice(part.as_bytes());
    }
    text
}

impl std::fmt::Debug for StateKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StateKeys(…)")
    }
}
