//! What is kept of a session, sealed so that only the browser's key opens it.
//!
//! A key derived from the session's key seals the family's key; the family's key seals the record. A stolen
//! database shows neither person nor token, and a row moved to another session, family or host does not open
//! (invariant 7).

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::{Digest, SessionId, SessionKey, Tokens};
use crate::clock::Timestamp;
use crate::identity::{Gap, Gaps, Issuer, Principal};
use crate::secret::{SealingKey, Secret};

const WRAP: &[u8] = b"portcullis session 1: family key";
const RECORD: &[u8] = b"portcullis session 1: record";

/// The key of a family's record.
#[derive(Clone, Debug)]
pub(super) struct FamilyKey(SealingKey);

impl FamilyKey {
    pub(super) fn random() -> Self {
        Self(SealingKey::random())
    }

    /// Seals it for the holder of `key`, on `host`, in the family of `root`.
    pub(super) fn wrap(&self, key: &SessionKey, root: SessionId, host: &str) -> Option<Vec<u8>> {
        SealingKey::derived(key.bytes(), WRAP)?.wrap(&binding(*key.id(), root, host), &self.0)
    }

    pub(super) fn unwrap(key: &SessionKey, root: SessionId, host: &str, sealed: &[u8]) -> Option<Self> {
        SealingKey::derived(key.bytes(), WRAP)?.unwrap(&binding(*key.id(), root, host), sealed).map(Self)
    }
}

/// What counts of a family; the store's columns beside it only find and expire rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) principal: Arc<Principal>,
    pub(super) tokens: Tokens,
    pub(super) sid: Option<String>,
    pub(super) created: Timestamp,
    pub(super) expires: Timestamp,
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

/// SHA-256 over an issuer and a name it gave, each with its length, so that no two pairs run together.
pub(super) fn digest_at(issuer: &Issuer, name: &str) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in [issuer.as_str(), name] {
        let length = (part.len() as u64).to_be_bytes();
        mutant!(context.update(&length), "issuers-run-together" => ());
        context.update(part.as_bytes());
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
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
    principal: &'a Principal,
    gaps: Gaps,
    access: Option<&'a str>,
    access_expires: Option<Timestamp>,
    renew_at: Option<Timestamp>,
    refresh: Option<&'a str>,
    id: Option<&'a str>,
    sid: Option<&'a str>,
    created: Timestamp,
    expires: Timestamp,
}

impl<'a> From<&'a Record> for RecordToWrite<'a> {
    fn from(record: &'a Record) -> Self {
        let tokens = &record.tokens;
        Self {
            principal: &record.principal,
            gaps: record.principal.gaps,
            access: tokens.access.as_ref().map(Secret::expose),
            access_expires: tokens.access_expires,
            renew_at: tokens.renew_at,
            refresh: tokens.refresh.as_ref().map(Secret::expose),
            id: tokens.id.as_ref().map(Secret::expose),
            sid: record.sid.as_deref(),
            created: record.created,
            expires: record.expires,
        }
    }
}

#[derive(Deserialize)]
struct RecordRead {
    principal: Principal,
    /// `None`: by a version that did not tell unknown from none.
    gaps: Option<Gaps>,
    access: Option<String>,
    access_expires: Option<Timestamp>,
    renew_at: Option<Timestamp>,
    refresh: Option<String>,
    id: Option<String>,
    sid: Option<String>,
    created: Timestamp,
    expires: Timestamp,
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
        let (sid, created, expires) = (read.sid, read.created, read.expires);
        let gaps = read.gaps.unwrap_or_else(|| unrecorded(&read.principal));
        let principal = Arc::new(Principal { gaps, ..read.principal });
        Self { principal, tokens, sid, created, expires }
    }
}

/// What was not known of a principal where nobody wrote it down. Names and addresses stand: there was no session
/// where UserInfo had failed. No groups could as well be groups that were kept elsewhere or could not be read, and
/// nobody had been asked for a claim that is not mapped.
fn unrecorded(principal: &Principal) -> Gaps {
    let elsewhere = principal.claims.contains_key("_claim_names");
    let groups = (principal.groups.is_empty() || elsewhere).then_some(Gap::Groups);
    [Gap::Claims].into_iter().chain(groups).collect()
}

#[cfg(test)]
impl super::Session {
    pub(super) fn key_bytes(&self) -> [u8; 32] {
        *self.key.0.expose()
    }
}
