//! What is kept of a session, sealed so that only the browser's key opens it.
//!
//! A key derived from the session's key seals the family's key; the family's key seals the record. A stolen
//! database shows neither person nor token, and a row moved to another session, family or host does not open
//! (invariant 7).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::card::{Card, CardRead, CardToWrite};
use super::{SessionId, SessionKey, Tokens};
use crate::clock::Timestamp;
use crate::secret::{SealingKey, Secret};

const WRAP: &[u8] = b"portcullis session 1: family key";
const ADDRESS: &[u8] = b"portcullis session 1: address";
/// Bytes of a wrapped key: nonce, key and tag of AES-256-GCM.
const WRAPPED: usize = 12 + 32 + 16;
const RECORD: &[u8] = b"portcullis session 1: record";

/// The key of a family's record.
#[derive(Clone, Debug)]
pub(super) struct FamilyKey(SealingKey);

impl FamilyKey {
    pub(super) fn random() -> Self {
        Self(SealingKey::random())
    }

    pub(super) fn sealed(&self, by: &SealingKey, bound_to: &[u8]) -> Option<Vec<u8>> {
        by.wrap(bound_to, &self.0)
    }

    pub(super) fn opened(by: &SealingKey, bound_to: &[u8], sealed: &[u8]) -> Option<Self> {
        by.unwrap(bound_to, sealed).map(Self)
    }

    /// Seals it for the holder of `key`, on `host`, in the family of `root`; and behind it the address that the session is
    /// made from.
    pub(super) fn wrap(
        &self,
        key: &SessionKey,
        root: SessionId,
        host: &str,
        address: Option<IpAddr>,
    ) -> Option<Vec<u8>> {
        let (wrapping, bound_to) = (SealingKey::derived(key.bytes(), WRAP)?, binding(*key.id(), root, host));
        let mut sealed = wrapping.wrap(&bound_to, &self.0)?;
        if let Some(address) = address {
            sealed.extend(wrapping.seal_json(&[ADDRESS, &bound_to].concat(), &address)?);
        }
        Some(sealed)
    }

    /// The key, and the address that the session was made from, where one is kept.
    pub(super) fn unwrap(
        key: &SessionKey,
        root: SessionId,
        host: &str,
        sealed: &[u8],
    ) -> Option<(Self, Option<IpAddr>)> {
        let (wrapping, bound_to) = (SealingKey::derived(key.bytes(), WRAP)?, binding(*key.id(), root, host));
        let (wrapped, address) = sealed.split_at_checked(WRAPPED)?;
        let opened = Self(wrapping.unwrap(&bound_to, wrapped)?);
        if address.is_empty() {
            return Some((opened, None));
        }
        let address = wrapping.open_json(&[ADDRESS, &bound_to].concat(), address)?;
        Some((opened, Some(address)))
    }
}

/// What counts of a family; the store's columns beside it only find and expire rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) card: Card,
    pub(super) tokens: Tokens,
}

impl Record {
    pub(super) fn seal(&self, key: &FamilyKey, root: SessionId) -> Option<Vec<u8>> {
        key.0.seal_json(&record_binding(root), &RecordToWrite::from(self))
    }

    pub(super) fn open(key: &FamilyKey, root: SessionId, sealed: &[u8]) -> Option<Self> {
        key.0.open_json::<RecordRead>(&record_binding(root), sealed).map(Self::from)
    }
}

/// Seals any bytes in the place of a record.
#[cfg(any(test, fuzzing))]
pub(super) fn seal_record(key: &FamilyKey, root: SessionId, plain: &[u8]) -> Option<Vec<u8>> {
    key.0.seal(&record_binding(root), plain)
}

fn binding(id: SessionId, root: SessionId, host: &str) -> Vec<u8> {
    let host = mutant!(host.as_bytes(), "family-key-for-any-host" => b"");
    [WRAP, id.as_bytes(), root.as_bytes(), host].concat()
}

fn record_binding(root: SessionId) -> Vec<u8> {
    [RECORD, mutant!(root.as_bytes(), "record-of-another-family" => &[0; 32])].concat()
}

/// Tokens are spelled out here and nowhere else: [`Secret`] does not serialize itself.
#[derive(Serialize)]
struct RecordToWrite<'a> {
    #[serde(flatten)]
    card: CardToWrite<'a>,
    access: Option<&'a str>,
    access_expires: Option<Timestamp>,
    renew_at: Option<Timestamp>,
    refresh: Option<&'a str>,
    id: Option<&'a str>,
}

impl<'a> From<&'a Record> for RecordToWrite<'a> {
    fn from(record: &'a Record) -> Self {
        let tokens = &record.tokens;
        Self {
            card: CardToWrite::from(&record.card),
            access: tokens.access.as_ref().map(Secret::expose),
            access_expires: tokens.access_expires,
            renew_at: tokens.renew_at,
            refresh: tokens.refresh.as_ref().map(Secret::expose),
            id: tokens.id.as_ref().map(Secret::expose),
        }
    }
}

#[derive(Deserialize)]
struct RecordRead {
    #[serde(flatten)]
    card: CardRead,
    access: Option<String>,
    access_expires: Option<Timestamp>,
    renew_at: Option<Timestamp>,
    refresh: Option<String>,
    id: Option<String>,
}

impl From<RecordRead> for Record {
    fn from(read: RecordRead) -> Self {
        let tokens = Tokens {
            access: read.access.map(Secret::new),
            access_expires: read.access_expires,
            renew_at: read.renew_at,
            refresh: read.refresh.map(Secret::new),
            id: read.id.map(Secret::new),
        };
        Self { card: read.card.into(), tokens }
    }
}

#[cfg(test)]
impl super::Session {
    pub(super) fn key_bytes(&self) -> [u8; 32] {
        *self.key.0.expose()
    }
}
