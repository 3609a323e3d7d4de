//! Verifying bearer tokens, and remembering which ones were good.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::digest_cache::{DigestCache, TokenDigest, Validity};
use super::settings::MAX_TOKEN;
use super::token::Token;
use super::{BearerSettings, TokenError, claims, principal};
use crate::clock::{Clock, Timestamp};
use crate::identity::Principal;
use crate::oidc::ProviderSettings;
use crate::oidc::jwks::{JwksCache, Key};

/// A provider whose access tokens are accepted, and its keys.
#[derive(Clone, Debug)]
pub struct BearerIssuer {
    /// Its settings; without `audiences` none of its tokens is accepted.
    pub settings: ProviderSettings,
    /// Its keys.
    pub keys: Arc<JwksCache>,
}

/// What a good token says.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Who it speaks of.
    pub principal: Arc<Principal>,
    /// From when on it is not accepted any more: `exp` and the leeway.
    pub expires: Timestamp,
}

/// Verifies the bearer tokens of all providers that have `audiences`. Shared by all workers.
#[derive(Debug)]
pub struct BearerVerifier {
    issuers: Vec<BearerIssuer>,
    clock: Clock,
    settings: BearerSettings,
    verified: DigestCache<Arc<Verified>>,
    refused: DigestCache<TokenError>,
}

/// What was found out about a token, apart from the cache.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    verified: Arc<Verified>,
    validity: Validity,
}

impl BearerVerifier {
    /// A verifier with empty caches; a new configuration gets a new one.
    #[must_use]
    pub fn new(mut issuers: Vec<BearerIssuer>, clock: Clock, settings: BearerSettings) -> Self {
        issuers.retain(|issuer| !issuer.settings.audiences.is_empty());
        let verified = DigestCache::new(settings.verified_bytes);
        let refused = DigestCache::new(settings.refused_entries);
        Self { issuers, clock, settings, verified, refused }
    }

    /// What was found out about exactly this token, as long as that is still right: its time is not
    /// over and no key of its provider was removed since. Costs a digest of the token.
    #[must_use]
    pub fn cached(&self, token: &str) -> Option<Arc<Verified>> {
        self.found(token).map(|(verified, _)| verified)
    }

    /// The same, for somebody who sees this token often. Nothing of the token is in it.
    pub(super) fn remembered(&self, token: &str) -> Option<Remembered> {
        let (verified, validity) = self.found(token)?;
        Some(Remembered { verified, validity })
    }

    /// What this verifier found out, as long as it is right by the same rules as in the cache.
    pub(super) fn recall(&self, token: &Remembered) -> Option<Arc<Verified>> {
        self.holds(&token.validity).then(|| Arc::clone(&token.verified))
    }

    fn found(&self, token: &str) -> Option<(Arc<Verified>, Validity)> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        self.verified.get(&TokenDigest::of(token), |validity| self.holds(validity))
    }

    /// Checks `token` completely (RFC 9068, section 4; RFC 8725) and remembers the outcome. May wait for
    /// the provider's keys; call [`BearerVerifier::cached`] first.
    ///
    /// # Errors
    /// [`TokenError`], by cause; [`TokenError::KeysUnavailable`] where the token could not be checked.
    pub async fn verify(&self, token: &str) -> Result<Arc<Verified>, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::TooLarge);
        }
        let digest = TokenDigest::of(token);
        if let Some((refusal, _)) = self.refused.get(&digest, |validity| self.holds(validity)) {
            return Err(refusal);
        }
        let parsed = Token::parse(token)?;
        let (place, issuer) = self.issuer(&parsed.claims)?;
        // Read before the key is looked up: a key removed meanwhile makes the answer void, never valid.
        let generation = issuer.keys.generation();
        let key = issuer.keys.for_kid(parsed.header.kid.as_deref(), parsed.header.algorithm).await?;
        let outcome = self.judge(issuer, &key, parsed);
        let until = issuer.keys.current().trusted_until();
        self.remember(digest, token.len(), &outcome, Validity { issuer: place, generation, until });
        outcome
    }

    /// What is remembered of good and of refused tokens, in the units of their bounds.
    #[cfg(test)]
    pub(super) fn weights(&self) -> (u64, u64) {
        (self.verified.weight(), self.refused.weight())
    }

    /// The provider that has exactly this `iss`; of several, the one that has the audience.
    fn issuer(&self, claims: &Map<String, Value>) -> Result<(usize, &BearerIssuer), TokenError> {
        let iss = claims::issuer(claims)?;
        let ours = || self.issuers.iter().enumerate().filter(|(_, it)| it.settings.issuer.as_str() == iss);
        let meant = ours().find(|(_, it)| claims::is_for(&it.settings, claims) == Ok(true));
        meant.or_else(|| ours().next()).ok_or(TokenError::UnknownIssuer)
    }

    /// Signature first: until it holds, no claim decides anything but which keys are asked.
    fn judge(&self, issuer: &BearerIssuer, key: &Key, token: Token<'_>) -> Result<Arc<Verified>, TokenError> {
        let Token { header, claims, signed, signature } = token;
        key.verify(header.algorithm, signed, signature).map_err(|_| TokenError::BadSignature)?;
        let expires = claims::check(&issuer.settings, header.is_at_jwt, &claims, self.clock.now())?;
        let principal = Arc::new(principal(&issuer.settings, claims)?);
        Ok(Arc::new(Verified { principal, expires }))
    }

    fn remember(
        &self,
        token: TokenDigest,
        size: usize,
        outcome: &Result<Arc<Verified>, TokenError>,
        validity: Validity,
    ) {
        let now = self.clock.now();
        match outcome {
            Ok(verified) => {
                let until = validity.until.min(verified.expires).min(now + self.settings.verified_time);
                let validity = Validity { until, ..validity };
                let kept = (validity, weight(size));
                self.verified.insert(token, Arc::clone(verified), kept, |validity| self.holds(validity));
            }
            // It will be valid soon, without any change.
            Err(TokenError::NotYetValid) => {}
            Err(refusal) => {
                let until = validity.until.min(now + self.settings.refused_time);
                let validity = Validity { until, ..validity };
                self.refused.insert(token, *refusal, (validity, 1), |validity| self.holds(validity));
            }
        }
    }

    fn holds(&self, validity: &Validity) -> bool {
        let generation = self.issuers.get(validity.issuer).map(|issuer| issuer.keys.generation());
        self.clock.now() < validity.until && generation == Some(validity.generation)
    }
}

/// Bytes a verified token takes, by estimate: its claims as a tree are some four times as large as it.
fn weight(size: usize) -> u32 {
    u32::try_from(1024 + 4 * size).unwrap_or(u32::MAX)
}
