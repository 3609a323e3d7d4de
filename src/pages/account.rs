//! What a provider has said of a person, shown to nobody but them. Who asks why an app is closed to them most often finds
//! here that a group has not arrived.

use std::borrow::Cow;

use serde_json::Value;

use super::person::clipped;
use crate::identity::{Gap, Principal};

/// The most groups and claims that are shown: a provider may send any number (invariant 14).
const MOST: usize = 200;

/// A person's account, as far as it is shown.
#[derive(Debug)]
pub(super) struct Account<'a> {
    /// What people call the provider.
    pub(super) provider: &'a str,
    pub(super) issuer: Cow<'a, str>,
    /// What rules and apps call the person.
    pub(super) user: Cow<'a, str>,
    /// The address, and whether the provider vouches for it.
    pub(super) email: Option<(Cow<'a, str>, bool)>,
    pub(super) groups: Vec<Cow<'a, str>>,
    /// How many groups are not shown.
    pub(super) more_groups: usize,
    /// Whether there may be groups that the provider has not listed.
    pub(super) unlisted: bool,
    /// Names and values as they arrived.
    pub(super) claims: Vec<(Cow<'a, str>, String)>,
    /// How many claims are not shown.
    pub(super) more_claims: usize,
}

impl<'a> Account<'a> {
    pub(super) fn new(principal: &'a Principal, provider: &'a str) -> Self {
        let email = principal.email.as_ref().map(|email| (clipped(&email.address), email.verified));
        let groups = &principal.groups;
        let claim = |(name, value): (&'a String, &Value)| (clipped(name), written(value));
        Self {
            provider,
            issuer: clipped(principal.issuer.as_str()),
            user: clipped(&principal.user),
            email,
            groups: groups.iter().take(MOST).map(|group| clipped(group)).collect(),
            more_groups: groups.len().saturating_sub(MOST),
            unlisted: principal.gaps.has(Gap::Groups),
            claims: principal.claims.iter().take(MOST).map(claim).collect(),
            more_claims: principal.claims.len().saturating_sub(MOST),
        }
    }
}

/// Text as it is, everything else as JSON.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => clipped(text).into_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            clipped(&value.to_string()).into_owned()
        }
    }
}
