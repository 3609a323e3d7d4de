//! The one verifier of signed tokens (RFC 7519, section 7.2; RFC 8725): access tokens, ID tokens, signed UserInfo. What
//! sets one kind apart from another stands in its [`TokenProfile`], and what is wrong with a token comes back as a
//! [`TokenFault`], which each kind tells in words of its own.

use std::time::Duration;

use serde_json::{Map, Value};

use super::http::printable;
use super::jwks::{JwksCache, Jws, KeyError, Typ};
use super::numeric_date::{lenient, strict};
use crate::clock::{Clock, Timestamp};

type Claims = Map<String, Value>;

/// What a token of one kind must be. Claims that must be there are `needed`; of the others those that are there are
/// checked.
#[derive(Clone, Copy, Debug)]
pub struct TokenProfile<'a> {
    /// What `typ` may say (RFC 8725, section 3.11).
    pub types: &'a [Typ],
    /// Refuses what the claims mark as made for another purpose (RFC 8725, section 3.12).
    pub purpose: fn(Typ, &Claims) -> Result<(), TokenFault>,
    /// Claims that must be there.
    pub needed: &'a [&'static str],
    /// What `iss` must be, to the letter.
    pub issuer: &'a str,
    /// What `aud` must be.
    pub audience: Audience<'a>,
    /// Claims that must not lie ahead, in the order in which they are looked at.
    pub past: &'a [&'static str],
    /// Whether the fraction of a date counts to the strict side, and one that is none is refused though it need not be
    /// there. Providers write odd dates into claims that nobody needs.
    pub strict_dates: bool,
    /// By how much clocks may differ.
    pub leeway: Duration,
}

/// Whom a token must be for. Nothing but equality counts.
#[derive(Clone, Copy, Debug)]
pub enum Audience<'a> {
    /// One of these.
    AnyOf(&'a [String]),
    /// This client, among others perhaps.
    Includes(&'a str),
    /// This client and nobody else but those that the operator trusts with what is meant for us; beside others `azp`
    /// must be there and be the client (OpenID Connect Core 1.0, section 3.1.3.7).
    Client {
        /// Its `client_id`.
        id: &'a str,
        /// Those who may be named beside it.
        trusted: [&'a [String]; 2],
    },
}

/// What is wrong with a token. Whatever is quoted of it has been made printable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// No key of the provider's made the signature, or there are none.
    Key(KeyError),
    /// `typ` names another kind of token.
    Type,
    /// This claim marks it as made for another purpose.
    Purpose(&'static str),
    /// It is bound to a key whose possession its bearer would have to prove (`cnf`; RFC 7800).
    SenderConstrained,
    /// A claim that must be there is not.
    MissingClaim(&'static str),
    /// A claim has a type that it must not have.
    BadClaim(&'static str),
    /// `iss` is another.
    Issuer(String),
    /// What `aud` names in place of us.
    Audience(String),
    /// Somebody whom `aud` names beside us.
    OtherAudience(String),
    /// `azp` is somebody else, or is missing beside several audiences.
    AuthorizedParty,
    /// `exp` is over, leeway included.
    Expired {
        /// What it says.
        exp: Timestamp,
        /// This machine's clock.
        now: Timestamp,
    },
    /// A date lies ahead, leeway included.
    Ahead {
        /// The claim.
        name: &'static str,
        /// What it says.
        at: Timestamp,
        /// This machine's clock.
        now: Timestamp,
    },
}

/// Checks everything about `token` that `profile` asks for, its signature first; may wait for the provider's keys.
/// Returns from when on the token is not accepted any more: `exp` and the leeway, or the end of time.
///
/// # Errors
/// The first fault that is found.
pub async fn verify(
    token: &Jws<'_>,
    keys: &JwksCache,
    profile: &TokenProfile<'_>,
    clock: &Clock,
) -> Result<Timestamp, TokenFault> {
    let signed = keys.verify(token).await.map_err(TokenFault::Key);
    mutant!(signed?, "id-token-signature-not-checked" => ());
    profile.check(token.header.typ, &token.claims, clock.now())
}

/// Whether `iss` is the issuer `ours`: to the letter (RFC 7519, section 4.1.1).
#[must_use]
pub fn is_issuer(ours: &str, iss: &str) -> bool {
    mutant!(
        ours == iss,
        "issuer-by-its-beginning" => iss.starts_with(ours),
        "id-token-issuer-not-checked" => true,
    )
}

impl TokenProfile<'_> {
    fn check(&self, typ: Typ, claims: &Claims, now: Timestamp) -> Result<Timestamp, TokenFault> {
        let known = mutant!(
            self.types.contains(&typ),
            "token-type-not-checked" => true,
            "id-token-type-not-checked" => true,
        );
        if !known {
            return Err(TokenFault::Type);
        }
        (self.purpose)(typ, claims)?;
        // Only whether it is there where it must be: the caller reads what it says.
        self.claim(claims, "sub")?;
        self.check_issuer(claims)?;
        if let Some(aud) = self.claim(claims, "aud")? {
            let checked = self.audience.check(aud, claims);
            mutant!(checked?, "audience-not-checked" => (), "id-token-audience-not-checked" => ());
        }
        self.check_time(claims, now)
    }

    /// The claim called `name`; `None` where it is missing and need not be there.
    fn claim<'c>(&self, claims: &'c Claims, name: &'static str) -> Result<Option<&'c Value>, TokenFault> {
        match claims.get(name) {
            None if self.needed.contains(&name) => Err(TokenFault::MissingClaim(name)),
            claim => Ok(claim),
        }
    }

    fn check_issuer(&self, claims: &Claims) -> Result<(), TokenFault> {
        let Some(iss) = self.claim(claims, "iss")? else { return Ok(()) };
        let iss = iss.as_str().ok_or(TokenFault::BadClaim("iss"))?;
        is_issuer(self.issuer, iss).then_some(()).ok_or_else(|| TokenFault::Issuer(printable(iss)))
    }

    /// Checks the dates, and returns from when on the token is not accepted any more. Where the profile is strict,
    /// a fraction of a second makes `exp` earlier and the others later.
    fn check_time(&self, claims: &Claims, now: Timestamp) -> Result<Timestamp, TokenFault> {
        let exp = mutant!(
            self.date(claims, "exp", f64::floor)?,
            "exp-may-be-missing" => self.date(claims, "exp", f64::floor).ok().flatten(),
        );
        let end = exp.map_or(Timestamp::from_seconds(u64::MAX), |exp| exp + self.leeway);
        let over = mutant!(now >= end, "exp-one-second-late" => now > end, "id-token-expired" => false);
        if let Some(exp) = exp.filter(|_| over) {
            return Err(TokenFault::Expired { exp, now });
        }
        for name in self.past.iter().copied() {
            let at = self.date(claims, name, f64::ceil)?;
            let ahead = |at: &Timestamp| {
                mutant!(
                    now + self.leeway < *at,
                    "nbf-not-checked" => false,
                    "id-token-from-the-future" => false,
                )
            };
            if let Some(at) = at.filter(ahead) {
                return Err(TokenFault::Ahead { name, at, now });
            }
        }
        Ok(end)
    }

    fn date(
        &self,
        claims: &Claims,
        name: &'static str,
        round: fn(f64) -> f64,
    ) -> Result<Option<Timestamp>, TokenFault> {
        let Some(value) = self.claim(claims, name)? else { return Ok(None) };
        let date = if self.strict_dates { strict(value, round) } else { lenient(value) };
        if date.is_none() && (self.strict_dates || self.needed.contains(&name)) {
            return Err(TokenFault::BadClaim(name));
        }
        Ok(date)
    }
}

impl Audience<'_> {
    fn check(&self, aud: &Value, claims: &Claims) -> Result<(), TokenFault> {
        let named = audiences(aud)?;
        let included = match self {
            Self::AnyOf(ours) => named.iter().any(|name| ours.iter().any(|our| is_same(our, name))),
            Self::Includes(id) | Self::Client { id, .. } => named.contains(id),
        };
        if !included {
            return Err(TokenFault::Audience(printable(&named.join(", "))));
        }
        match self {
            Self::AnyOf(_) | Self::Includes(_) => Ok(()),
            Self::Client { id, trusted } => {
                check_others(&named, id, trusted)?;
                mutant!(check_authorized_party(claims, id), "azp-not-checked" => Ok(()))
            }
        }
    }

    /// Whether it is what `claims` name.
    #[must_use]
    pub fn is_of(&self, claims: &Claims) -> bool {
        claims.get("aud").is_some_and(|aud| self.check(aud, claims).is_ok())
    }
}

fn is_same(our: &str, name: &str) -> bool {
    mutant!(our == name, "audience-by-its-beginning" => name.starts_with(our))
}

/// One text or several.
fn audiences(aud: &Value) -> Result<Vec<&str>, TokenFault> {
    let items = aud.as_array().map_or(std::slice::from_ref(aud), Vec::as_slice);
    items.iter().map(|item| item.as_str().ok_or(TokenFault::BadClaim("aud"))).collect()
}

fn check_others(named: &[&str], id: &str, trusted: &[&[String]; 2]) -> Result<(), TokenFault> {
    let is_trusted = |name: &str| {
        let trusted = trusted.iter().copied().flatten().any(|it| it == name);
        mutant!(trusted, "every-audience-trusted" => true)
    };
    let other = named.iter().find(|name| **name != id && !is_trusted(name));
    other.map_or(Ok(()), |other| Err(TokenFault::OtherAudience(printable(other))))
}

fn check_authorized_party(claims: &Claims, id: &str) -> Result<(), TokenFault> {
    let several = claims.get("aud").and_then(Value::as_array).is_some_and(|audiences| audiences.len() > 1);
    match claims.get("azp") {
        None if several => Err(TokenFault::AuthorizedParty),
        None => Ok(()),
        Some(party) if party.as_str() == Some(id) => Ok(()),
        Some(_) => Err(TokenFault::AuthorizedParty),
    }
}
