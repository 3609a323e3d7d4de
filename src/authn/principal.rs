//! From verified claims to a principal.
//!
//! Sign-in maps the claims of ID tokens by the same rules; where the two meet in one function, it is
//! this one that gives way.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::TokenError;
use crate::clock::Timestamp;
use crate::identity::{Email, Principal, Subject, texts};
use crate::oidc::{ClaimMapping, ProviderSettings};

/// The most groups and the most scopes of one token. More refuse it: a list cut short could lose the
/// very group that a `deny` rule looks for.
const MAX_ITEMS: usize = 1_000;
/// The longest `sub`, in bytes.
const MAX_SUBJECT: usize = 1_024;

type Claims = Map<String, Value>;

/// Who the claims of a verified access token speak of.
///
/// # Errors
/// Where neither `sub` nor `client_id` says who, or a list is longer than 1,000 items.
pub fn principal(provider: &ProviderSettings, claims: Claims) -> Result<Principal, TokenError> {
    let subject = subject(&claims)?;
    let email = email(&provider.claims, &claims);
    let user = user(&provider.claims, &claims, email.as_ref()).unwrap_or_else(|| subject.to_owned());
    Ok(Principal {
        provider: provider.name.clone(),
        issuer: provider.issuer.clone(),
        subject: Subject::new(subject),
        user,
        groups: groups(&provider.claims, &claims)?,
        scopes: scopes(&claims)?,
        auth_time: claims.get("auth_time").and_then(Value::as_u64).map(Timestamp::from_seconds),
        acr: text(&claims, "acr").map(str::to_owned),
        email,
        claims,
    })
}

/// `sub`; a client that acts for itself may be named by `client_id` alone.
fn subject(claims: &Claims) -> Result<&str, TokenError> {
    let (name, value) = match claims.get("sub") {
        Some(sub) => ("sub", Some(sub)),
        None => ("client_id", claims.get("client_id")),
    };
    let subject = value.ok_or(TokenError::MissingClaim("sub"))?.as_str();
    subject.filter(|text| !text.is_empty() && text.len() <= MAX_SUBJECT).ok_or(TokenError::BadClaim(name))
}

fn user(mapping: &ClaimMapping, claims: &Claims, email: Option<&Email>) -> Option<String> {
    let mapped = || texts(mapping.user.as_ref()?.find(claims)?).into_iter().next();
    let preferred = || text(claims, "preferred_username").map(str::to_owned);
    let verified = || email.filter(|email| email.verified).map(|email| email.address.clone());
    let client = || text(claims, "client_id").filter(|_| is_client(claims)).map(str::to_owned);
    let named = |name: &String| !name.is_empty();
    mapped()
        .filter(named)
        .or_else(|| preferred().filter(named))
        .or_else(|| verified().filter(named))
        .or_else(|| client().filter(named))
}

/// Whether the token is the client's own and no person's (RFC 9068, section 2.2: `sub` is the client).
fn is_client(claims: &Claims) -> bool {
    claims.get("sub").is_none_or(|sub| claims.get("client_id") == Some(sub))
}

fn email(mapping: &ClaimMapping, claims: &Claims) -> Option<Email> {
    let address = mapping.email.find(claims)?.as_str()?.to_owned();
    // Only a JSON `true` vouches: "true" is what a person might have typed somewhere (invariant 11).
    Some(Email { address, verified: claims.get("email_verified") == Some(&Value::Bool(true)) })
}

fn groups(mapping: &ClaimMapping, claims: &Claims) -> Result<Vec<String>, TokenError> {
    distinct("groups", mapping.groups.find(claims).map(texts).unwrap_or_default())
}

/// `scope` as RFC 8693, section 4.2 has it, else the `scp` of Entra ID (text) and Okta (array).
fn scopes(claims: &Claims) -> Result<Vec<String>, TokenError> {
    let written = claims.get("scope").or_else(|| claims.get("scp")).map(texts).unwrap_or_default();
    let words = |text: &String| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    distinct("scope", written.iter().flat_map(words).filter(|scope| !scope.is_empty()).collect())
}

fn distinct(claim: &'static str, mut items: Vec<String>) -> Result<Vec<String>, TokenError> {
    let mut seen = HashSet::new();
    items.retain(|item| seen.insert(item.clone()));
    if items.len() > MAX_ITEMS { Err(TokenError::BadClaim(claim)) } else { Ok(items) }
}

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}
