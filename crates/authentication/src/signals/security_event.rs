//! Validation of security event tokens (RFC 8417; Shared Signals Framework 1.0, section 4.1).

use std::time::Duration;

use serde_json::{Map, Value};

use super::event::Event;
use super::security_event_error::SecurityEventError as Fault;
use super::transmitter::Transmitter;
use crate::clock::Timestamp;
use crate::oidc::http::printable;
use crate::oidc::jwks::{Jws, KeyError, Typ};
use crate::oidc::numeric_date::strict;
use crate::oidc::verifier::{Audience, TokenFault, TokenProfile, verify};
use crate::secret::fingerprint;

/// The longest token, in bytes.
pub const MAX_SECURITY_EVENT: usize = 64 * 1024;

/// The longest identifier of a token, in bytes.
const MAX_ID: usize = 1024;

/// How long a token of a key that nobody knows may come again, since the first one of that key came.
const NEW_KEY: Duration = Duration::from_secs(5 * 60);

/// A key that is as unknown as before after so long counts as new once more.
const NEW_KEY_FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

type Claims = Map<String, Value>;

/// A token about which everything holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SecurityEvent {
    /// Its identifier (`jti`), unique at its transmitter.
    pub(super) id: String,
    /// When it was made (`iat`).
    pub(super) issued: Timestamp,
    /// What it says.
    pub(super) event: Event,
}

impl Transmitter {
    /// Checks everything about `text`. May wait for the transmitter's keys.
    pub(super) async fn verified(&self, text: &str) -> Result<SecurityEvent, Fault> {
        let token = Jws::parse(text)?;
        let settings = &self.settings;
        let audience = self.audience().ok_or(Fault::Unchecked("the stream is not known yet"))?;
        let profile = TokenProfile {
            types: &[Typ::SecurityEvent],
            purpose: has_events,
            needed: &["iss", "aud", "iat"],
            issuer: settings.transmitter.as_str(),
            audience: Audience::AnyOf(&audience),
            past: &["iat", "nbf"],
            strict_dates: true,
            leeway: settings.leeway,
        };
        let verified = verify(&token, &self.keys, &profile, &self.clock).await;
        verified.map_err(|fault| self.fault(&token, &audience, fault))?;
        read(&token.claims)
    }

    /// Whether tokens of this `kid` came for the first time a short while ago. A transmitter signs with a new key before it
    /// is published everywhere, and its keys are not fetched for each token: what was refused then would be lost.
    fn is_new_key(&self, kid: Option<&str>) -> bool {
        let (now, name) = (self.clock.now(), fingerprint(kid.unwrap_or_default().as_bytes()));
        let known = self.unknown_keys.get(&name).filter(|since| now.since(*since) < NEW_KEY_FORGOTTEN);
        let since = known.unwrap_or_else(|| {
            self.unknown_keys.insert(name, now);
            now
        });
        mutant!(now.since(since) < NEW_KEY, "signal-of-a-new-key-lost" => false)
    }

    fn fault(&self, token: &Jws<'_>, audience: &[String], fault: TokenFault) -> Fault {
        match fault {
            TokenFault::Key(KeyError::Unavailable) => Fault::Unchecked("no trusted keys of the transmitter"),
            TokenFault::Key(KeyError::Unknown) if self.is_new_key(token.header.kid.as_deref()) => {
                Fault::Unchecked("its key is none of those that the transmitter has published so far")
            }
            TokenFault::Key(error) => {
                let theirs = printable(&self.keys.current().described(token.header.kid.as_deref()));
                let alg = token.header.algorithm;
                Fault::Signature(format!("{error} (its alg is {alg}; the transmitter's: {theirs})"))
            }
            TokenFault::Type => Fault::OtherType,
            TokenFault::Purpose(_) | TokenFault::SenderConstrained => Fault::NotOneEvent,
            TokenFault::MissingClaim(name) => Fault::MissingClaim(name),
            TokenFault::BadClaim(name) => Fault::BadClaim(name),
            TokenFault::Issuer(got) => Fault::Issuer { expected: self.settings.transmitter.to_string(), got },
            TokenFault::Audience(got) | TokenFault::OtherAudience(got) => {
                Fault::Audience { expected: printable(&audience.join(", ")), got }
            }
            TokenFault::AuthorizedParty => Fault::BadClaim("azp"),
            TokenFault::Expired { exp, now } => Fault::Expired { exp, now },
            TokenFault::Ahead { name, at, now } => Fault::Ahead { name, at, now },
        }
    }
}

/// What makes a token one of security events (RFC 8417, section 2.2).
fn has_events(_: Typ, claims: &Claims) -> Result<(), TokenFault> {
    let there = claims.get("events").is_some_and(Value::is_object);
    if there { Ok(()) } else { Err(TokenFault::Purpose("events")) }
}

fn read(claims: &Claims) -> Result<SecurityEvent, Fault> {
    let id = match claims.get("jti") {
        Some(Value::String(id)) if !id.is_empty() && id.len() <= MAX_ID => id.clone(),
        Some(_) => return Err(Fault::BadClaim("jti")),
        None => return Err(Fault::MissingClaim("jti")),
    };
    let issued = claims.get("iat").and_then(|iat| strict(iat, f64::floor)).ok_or(Fault::BadClaim("iat"))?;
    Ok(SecurityEvent { id, issued, event: Event::of(claims)? })
}
