//! From the claims of a verified access token to a principal, by the rules that sign-in follows too.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::error::TokenError;
use crate::identity::{Gap, Principal, Subject, is_text, texts};
use crate::oidc::ProviderSettings;
use crate::oidc::claims::{self, ClaimsError, SourcesAnswered};

/// The most scopes of one token. More refuse it, as with groups: a list cut short could lose the very one
/// that a `deny` rule looks for.
const MAX_SCOPES: usize = 1_000;

type Claims = Map<String, Value>;

/// Who the claims of a verified access token speak of. Nothing but the token was asked: what it does not say is
/// unknown (invariant 19).
///
/// # Errors
/// Where neither `sub` nor `client_id` says who, or there is more than a principal may have.
pub fn principal(provider: &ProviderSettings, claims: Claims) -> Result<Principal, TokenError> {
    let (subject, scopes) = (subject(&claims)?, scopes(&claims)?);
    let scopes_are_unknown = !written_scopes(&claims).is_some_and(is_text);
    let made = claims::principal(provider, subject, claims, scopes, SourcesAnswered::Some);
    let mut made = made.map_err(|error| match error {
        ClaimsError::Subject => TokenError::BadClaim("sub"),
        ClaimsError::TooManyGroups => TokenError::BadClaim("groups"),
        ClaimsError::TooLarge => TokenError::TooLarge,
    })?;
    if scopes_are_unknown {
        made.gaps = made.gaps.with(Gap::Scopes);
    }
    Ok(made)
}

/// `sub`; a client that acts for itself may be named by `client_id` alone.
fn subject(claims: &Claims) -> Result<Subject, TokenError> {
    let named = ["sub", "client_id"].into_iter().find(|name| claims.contains_key(*name));
    let name = named.ok_or(TokenError::MissingClaim("sub"))?;
    claims::subject(claims, name).map_err(|_| TokenError::BadClaim(name))
}

/// `scope` as RFC 8693, section 4.2 has it, else the `scp` of Entra ID (text) and Okta (array).
fn written_scopes(claims: &Claims) -> Option<&Value> {
    claims.get("scope").or_else(|| claims.get("scp"))
}

fn scopes(claims: &Claims) -> Result<Vec<String>, TokenError> {
    let written = written_scopes(claims).map(texts).unwrap_or_default();
    let words = written.iter().flat_map(|text| text.split(' ')).filter(|word| !word.is_empty());
    let mut seen = HashSet::new();
    let scopes: Vec<_> = words.filter(|word| seen.insert(*word)).map(str::to_owned).collect();
    if scopes.len() > MAX_SCOPES { Err(TokenError::BadClaim("scope")) } else { Ok(scopes) }
}
