//! Verifying bearer tokens, and remembering which ones were good.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::claims;
use super::credential_id::CredentialId;
use super::digest_cache::{DigestCache, TokenDigest, Validity};
use super::error::{TokenError, TokenRefusal};
use super::principal::principal;
use super::settings::{BearerSettings, MAX_TOKEN};
use crate::clock::{Clock, Timestamp};
use crate::identity::Principal;
use crate::oidc::ProviderSettings;
use crate::oidc::http::printable;
use crate::oidc::jwks::{JoseHeader, JwksCache, Jws, KeyError};
use crate::oidc::verifier::{Audience, TokenFault, is_issuer, verify};

/// A provider whose access tokens are accepted, and its keys.
#[derive(Clone, Debug)]
pub struct BearerIssuer {
    /// Its settings; without `audiences` none of its tokens is accepted.
    pub settings: ProviderSettings,
    /// Its keys, kept fresh in the background.
    pub keys: Arc<JwksCache>,
}

/// What a good token says.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Who it speaks of.
    pub principal: Arc<Principal>,
    /// From when on it is not accepted any more: `exp` and the leeway.
    pub expires: Timestamp,
    /// The digest of the token, which names it where it must not be named itself.
    pub id: CredentialId,
}

/// Verifies the bearer tokens of all providers that have `audiences`. Shared by all workers.
#[derive(Debug)]
pub struct BearerVerifier {
    issuers: Vec<BearerIssuer>,
    clock: Clock,
    settings: BearerSettings,
    verified: DigestCache<Arc<Verified>>,
    refused: DigestCache<TokenRefusal>,
}

/// What was found out about a token, apart from the cache.
#[derive(Clone, Debug)]
pub(super) struct CachedToken {
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

    /// The same, to be kept by a connection that may bring the token again. Nothing of the token is in it.
    pub(super) fn remembered(&self, token: &str) -> Option<CachedToken> {
        let (verified, validity) = self.found(token)?;
        Some(CachedToken { verified, validity })
    }

    /// What this verifier found out, as long as it is right by the same rules as in the cache.
    pub(super) fn recall<'a>(&self, token: &'a CachedToken) -> Option<&'a Verified> {
        self.holds(&token.validity).then_some(&*token.verified)
    }

    /// Whom the claims of `known`, a token's, speak of in this configuration; `None` where it takes no token of that
    /// provider, or for that audience. The token itself is not at hand any more: its signature was good when it came, and
    /// its time ends by itself.
    pub(super) fn present(&self, known: &Principal) -> Option<Arc<Principal>> {
        let takes = |BearerIssuer { settings, .. }: &&BearerIssuer| {
            (&settings.name, &settings.issuer) == (&known.provider, &known.issuer)
                && Audience::AnyOf(&settings.audiences).is_of(&known.claims)
        };
        let issuer = self.issuers.iter().find(takes)?;
        principal(&issuer.settings, (*known.claims).clone()).ok().map(Arc::new)
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
    /// [`TokenRefusal`], by cause; [`TokenError::KeysUnavailable`] where the token could not be checked.
    pub async fn verify(&self, token: &str) -> Result<Arc<Verified>, TokenRefusal> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::TooLarge.into());
        }
        let digest = TokenDigest::of(token);
        if let Some((refusal, _)) = self.refused.get(&digest, |validity| self.holds(validity)) {
            return Err(refusal);
        }
        let parsed = Jws::parse(token)?;
        let (place, issuer) = self.issuer(&parsed.claims)?;
        // Read before the keys are looked at: a key removed meanwhile makes the answer void, never valid.
        let generation = issuer.keys.generation();
        let outcome =
            match verify(&parsed, &issuer.keys, &claims::profile(&issuer.settings), &self.clock).await {
                Ok(expires) => verified(issuer, parsed.claims, expires, digest.id()),
                // Not remembered: the provider may publish the key at any time.
                Err(TokenFault::Key(error)) if error != KeyError::BadSignature => {
                    return Err(unfit(issuer, &parsed, error));
                }
                Err(fault) => Err(claims::refusal(&issuer.settings, fault)),
            };
        let wall = Timestamp::default()..issuer.keys.current().trusted_until();
        let generation = mutant!(generation, "generation-read-too-late" => issuer.keys.generation());
        let validity = Validity { issuer: place, generation, wall, until: self.clock.monotonic() };
        self.remember(digest, token.len(), &outcome, validity);
        outcome
    }

    /// What is remembered of good and of refused tokens, in the units of their bounds.
    #[cfg(test)]
    pub(super) fn weights(&self) -> (u64, u64) {
        (self.verified.weight(), self.refused.weight())
    }

    /// The provider that has exactly this `iss`; of several, the one that has the audience.
    fn issuer(&self, claims: &Map<String, Value>) -> Result<(usize, &BearerIssuer), TokenRefusal> {
        let iss = claims::issuer(claims)?;
        let is_its = |it: &BearerIssuer| is_issuer(it.settings.issuer.as_str(), iss);
        let ours = || self.issuers.iter().enumerate().filter(|(_, it)| is_its(it));
        let meant = ours().find(|(_, it)| Audience::AnyOf(&it.settings.audiences).is_of(claims));
        meant.or_else(|| ours().next()).ok_or_else(|| self.unknown_issuer(iss))
    }

    fn unknown_issuer(&self, iss: &str) -> TokenRefusal {
        let issuers =
            self.issuers.iter().map(|it| it.settings.issuer.as_str()).collect::<Vec<_>>().join(", ");
        let told = format!("expected {}, got {}", printable(&issuers), printable(iss));
        TokenRefusal::new(TokenError::UnknownIssuer, told)
    }

    fn remember(
        &self,
        token: TokenDigest,
        size: usize,
        outcome: &Result<Arc<Verified>, TokenRefusal>,
        validity: Validity,
    ) {
        let Validity { wall, until: now, .. } = validity.clone();
        match outcome {
            Ok(verified) => {
                let (wall, until) = (
                    wall.start..mutant!(wall.end.min(verified.expires), "remembered-beyond-exp" => wall.end),
                    now + self.settings.verified_time,
                );
                let kept = (Validity { wall, until, ..validity }, weight(size));
                self.verified.insert(token, Arc::clone(verified), kept, |validity| self.holds(validity));
            }
            // Not remembered: the token becomes valid by the passing of time alone.
            Err(TokenRefusal { error: TokenError::NotYetValid, .. }) => {}
            Err(refusal) => {
                let (wall, until) = (refusal.since()..wall.end, now + self.settings.refused_time);
                let kept = (Validity { wall, until, ..validity }, 1);
                self.refused.insert(token, refusal.clone(), kept, |validity| self.holds(validity));
            }
        }
    }

    fn holds(&self, validity: &Validity) -> bool {
        let generation = self.issuers.get(validity.issuer).map(|issuer| issuer.keys.generation());
        validity.wall.contains(&self.clock.now())
            && self.clock.monotonic() < validity.until
            && mutant!(generation == Some(validity.generation), "remembered-beyond-its-key" => true)
    }
}

/// Whom a token speaks of about which everything holds.
fn verified(
    issuer: &BearerIssuer,
    claims: Map<String, Value>,
    expires: Timestamp,
    id: CredentialId,
) -> Result<Arc<Verified>, TokenRefusal> {
    let principal = Arc::new(principal(&issuer.settings, claims)?);
    Ok(Arc::new(Verified { principal, expires, id }))
}

/// What the log is told of a token that fits no key: what it names, and what there is.
fn unfit(issuer: &BearerIssuer, token: &Jws<'_>, error: KeyError) -> TokenRefusal {
    let JoseHeader { algorithm, ref kid, .. } = token.header;
    let told = |theirs: Option<&str>| {
        let (kid, keys) = (kid.as_deref().unwrap_or("none"), issuer.keys.current().described(theirs));
        format!("kid {}, alg {algorithm}; the provider's: {}", printable(kid), printable(&keys))
    };
    match error {
        KeyError::BadSignature => TokenError::from(error).into(),
        KeyError::Unavailable => TokenRefusal::unchecked(issuer.settings.name.clone()),
        KeyError::Ambiguous => TokenRefusal::new(error.into(), told(None)),
        KeyError::Unknown | KeyError::WrongAlgorithm => TokenRefusal::new(error.into(), told(kid.as_deref())),
    }
}

/// Bytes a verified token takes, by estimate: its claims as a tree are some four times as large as it.
fn weight(size: usize) -> u32 {
    u32::try_from(1024 + 4 * size).unwrap_or(u32::MAX)
}
