//! What the claims of a verified token, or of UserInfo, say about a person.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::numeric_date::numeric_date;
use super::settings::{AbsentGroups, ClaimMapping, EmailVerification, ProviderSettings};
use crate::identity::{ClaimPath, Email, Gap, Gaps, Principal, Subject, is_text, texts};

/// The most groups that one person may have.
pub const MAX_GROUPS: usize = 1000;
/// The most bytes that the claims of one person take as JSON.
pub const MAX_CLAIMS: usize = 64 * 1024;
/// The claim that names the user where none is mapped.
const NAME: &str = "preferred_username";
/// The longest subject identifier, in bytes (OpenID Connect Core 1.0, section 2).
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

/// Who has spoken of a person. What is absent is none only where everybody has who may say it; elsewhere it is
/// unknown (invariant 19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourcesAnswered {
    /// The ID token, and UserInfo where the provider has it.
    All,
    /// Something has not been asked, or has failed: UserInfo, or, beside a bearer token, all but the token.
    Some,
}

/// The principal that `claims`, already verified to be the issuer's, speak of; `subject` is what they call
/// it, by `sub` where there is one.
///
/// The user's name is the claim mapped in `settings`; where none is mapped, `preferred_username`, else the
/// verified e-mail address; else, and where a mapped claim is missing, the subject: people can often choose
/// the other claims themselves, so that they must not stand in for one the operator trusts. `scopes` are
/// those of an access token; `answered` says who has made the claims.
///
/// # Errors
/// Where there is more than a person may have.
pub fn principal(
    settings: &ProviderSettings,
    subject: Subject,
    claims: Map<String, Value>,
    scopes: Vec<String>,
    answered: SourcesAnswered,
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
        gaps: gaps(&settings.claims, &claims, answered),
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

/// Whether a claim is missing that the mapping or a rule names, so that UserInfo is worth a question.
pub(super) fn incomplete(mapping: &ClaimMapping, claims: &Map<String, Value>) -> bool {
    let mut named = [&mapping.email, &mapping.groups].into_iter().chain(&mapping.named_by_rules);
    lacks_name(mapping, claims) || named.any(|path| path.find(claims).is_none_or(Value::is_null))
}

/// Whether another name would have to stand in for that of the user.
pub(super) fn lacks_name(mapping: &ClaimMapping, claims: &Map<String, Value>) -> bool {
    name(mapping, claims).is_none_or(Value::is_null)
}

fn name<'a>(mapping: &ClaimMapping, claims: &'a Map<String, Value>) -> Option<&'a Value> {
    mapping.user.as_ref().map_or_else(|| claims.get(NAME), |path| path.find(claims))
}

/// What may be so although `claims` do not say it: what nobody has said who could, what is kept elsewhere, and
/// what was said in a shape that cannot be read.
fn gaps(mapping: &ClaimMapping, claims: &Map<String, Value>, answered: SourcesAnswered) -> Gaps {
    let silent = mutant!(answered == SourcesAnswered::Some, "silence-is-none" => false);
    let elsewhere =
        |path: &ClaimPath| mutant!(path.is_kept_elsewhere(claims), "groups-kept-elsewhere-are-none" => false);
    let is_unsaid = |found: Option<&Value>, silent: bool, readable: fn(&Value) -> bool| {
        found.filter(|found| !found.is_null()).map_or(silent, |found| !readable(found))
    };
    let name_elsewhere = mapping.user.as_ref().is_some_and(elsewhere);
    let silent_groups = silent && mapping.absent_groups == AbsentGroups::Unknown;
    let (email, groups) = (mapping.email.find(claims), mapping.groups.find(claims));
    let unsaid = [
        (Gap::User, name_elsewhere || is_unsaid(name(mapping, claims), silent, is_one)),
        (Gap::Email, elsewhere(&mapping.email) || is_unsaid(email, silent, is_one)),
        (Gap::Groups, elsewhere(&mapping.groups) || is_unsaid(groups, silent_groups, is_text)),
        (Gap::Claims, silent),
    ];
    unsaid.into_iter().filter(|(_, unsaid)| *unsaid).map(|(gap, _)| gap).collect()
}

fn is_one(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_))
}

fn user(mapping: &ClaimMapping, claims: &Map<String, Value>, email: Option<&Email>) -> Option<String> {
    match &mapping.user {
        Some(path) => text(path.find(claims)),
        None => text(claims.get(NAME))
            .or_else(|| email.filter(|email| email.verified).map(|email| email.address.clone())),
    }
}

/// `email_verified` speaks of `email` alone: an address from another claim is verified only where it is
/// the same (invariant 11). Of what nobody speaks, the operator may.
fn email(mapping: &ClaimMapping, claims: &Map<String, Value>) -> Option<Email> {
    let address = text(mapping.email.find(claims))?;
    let said = claims.get("email_verified").filter(|said| !said.is_null());
    let same = claims.get("email").and_then(Value::as_str) == Some(&address);
    let verified = match (said, &mapping.email_verified) {
        (Some(said), _) => mutant!(same, "verified-address-of-another-claim" => true) && is_true(said),
        (None, EmailVerification::Assume(domains)) => is_of(&address, domains),
        (None, EmailVerification::AsSaid | EmailVerification::Require) => false,
    };
    let withheld = !verified && mapping.email_verified == EmailVerification::Require;
    Some(Email { address, verified, withheld })
}

/// As the standard has it, and as Amazon Cognito and JumpCloud do: in a text.
pub(super) fn is_true(said: &Value) -> bool {
    match said {
        Value::Bool(truth) => *truth,
        Value::String(text) => text == "true",
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// One `@`, and behind it the whole of one of `domains`.
fn is_of(address: &str, domains: &[String]) -> bool {
    let parts = address.split_once('@').filter(|(local, domain)| !local.is_empty() && !domain.contains('@'));
    parts.is_some_and(|(_, domain)| domains.iter().any(|known| {
            mutant!(known.eq_ignore_ascii_case(domain), "domain-by-its-end" => domain.ends_with(known.as_str()))
        }))
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
