//! What the claims of a verified token, or of UserInfo, say about a person.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::id_token::numeric_date;
use super::settings::{ClaimMapping, ProviderSettings};
use crate::identity::{Email, Principal, Subject, texts};

/// Groups that one person may have.
pub const MAX_GROUPS: usize = 1000;
/// The claims of one person as JSON, in bytes.
pub const MAX_CLAIMS: usize = 64 * 1024;
/// The subject identifier (OpenID Connect Core 1.0, section 2), in bytes.
pub const MAX_SUBJECT: usize = 255;

/// Claims that make no principal. Too much is refused rather than cut: a `deny` rule may name the group
/// that was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsError {
    /// `sub` is missing, empty, no string, or too long.
    #[error("sub is missing or not a string of 1 to {MAX_SUBJECT} bytes")]
    Subject,
    /// More than [`MAX_GROUPS`].
    #[error("more than {MAX_GROUPS} groups; let the provider send only those that matter here")]
    TooManyGroups,
    /// More than [`MAX_CLAIMS`] bytes.
    #[error("more than {MAX_CLAIMS} bytes of claims; let the provider send fewer")]
    TooLarge,
}

/// The principal that `claims`, already verified to be the issuer's, speak of; `subject` is what they call
/// it, by `sub` where there is one.
///
/// The user's name is the claim mapped in `settings`; where none is mapped, `preferred_username`, else the
/// verified e-mail address; else, and where a mapped claim is missing, the subject: people can often choose
/// the other claims themselves, so that they must not stand in for one the operator trusts. `scopes` are
/// those of an access token.
///
/// # Errors
/// Where there is more than a person may have.
pub fn principal(
    settings: &ProviderSettings,
    subject: Subject,
    claims: Map<String, Value>,
    scopes: Vec<String>,
) -> Result<Principal, ClaimsError> {
    if serde_json::to_vec(&claims).map_or(true, |json| json.len() > MAX_CLAIMS) {
        return Err(ClaimsError::TooLarge);
    }
    let email = email(&settings.claims, &claims);
    Ok(Principal {
        provider: settings.name.clone(),
        issuer: settings.issuer.clone(),
        user: user(&settings.claims, &claims, email.as_ref()).unwrap_or_else(|| subject.as_str().to_owned()),
        subject,
        email,
        groups: groups(&settings.claims, &claims)?,
        scopes,
        auth_time: numeric_date(&claims, "auth_time"),
        acr: claims.get("acr").and_then(Value::as_str).map(str::to_owned),
        claims: claims.into(),
    })
}

/// The subject that the claim called `name` holds.
///
/// # Errors
/// [`ClaimsError::Subject`] where it is missing, empty, no string, or too long.
pub fn subject(claims: &Map<String, Value>, name: &str) -> Result<Subject, ClaimsError> {
    let text = claims.get(name).and_then(Value::as_str);
    let usable = text.filter(|text| (1..=MAX_SUBJECT).contains(&text.len()));
    usable.map(Subject::new).ok_or(ClaimsError::Subject)
}

/// Whether a claim that the mapping names is missing, so that UserInfo is worth a question.
pub(super) fn incomplete(mapping: &ClaimMapping, claims: &Map<String, Value>) -> bool {
    let missing = |path: &crate::identity::ClaimPath| path.find(claims).is_none();
    let name_missing = mapping.user.as_ref().map_or(!claims.contains_key("preferred_username"), missing);
    name_missing || missing(&mapping.email) || missing(&mapping.groups)
}

fn user(mapping: &ClaimMapping, claims: &Map<String, Value>, email: Option<&Email>) -> Option<String> {
    match &mapping.user {
        Some(path) => text(path.find(claims)),
        None => text(claims.get("preferred_username"))
            .or_else(|| email.filter(|email| email.verified).map(|email| email.address.clone())),
    }
}

/// `email_verified` speaks of `email` alone: an address from another claim is verified only where it is
/// the same (invariant 11).
fn email(mapping: &ClaimMapping, claims: &Map<String, Value>) -> Option<Email> {
    let address = text(mapping.email.find(claims))?;
    let vouched = claims.get("email").and_then(Value::as_str) == Some(&address);
    let verified = vouched && claims.get("email_verified") == Some(&Value::Bool(true));
    Some(Email { address, verified })
}

/// Array or string; a string is one group, commas and spaces included.
fn groups(mapping: &ClaimMapping, claims: &Map<String, Value>) -> Result<Vec<String>, ClaimsError> {
    let mut groups = mapping.groups.find(claims).map(texts).unwrap_or_default();
    let mut seen = HashSet::new();
    groups.retain(|group| !group.is_empty() && seen.insert(group.clone()));
    if groups.len() > MAX_GROUPS { Err(ClaimsError::TooManyGroups) } else { Ok(groups) }
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
