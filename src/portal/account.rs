//! What a provider has said of a person, shown to nobody but them. Who asks why an app is closed to them most often finds
//! here that a group has not arrived.

use std::borrow::Cow;

use askama::Template;
use serde_json::Value;

use super::moment::Moment;
use super::shell::{Frame, Section, Shell, page};
use crate::identity::{Gap, Principal};
use crate::pages::{Look, Page, clipped};
use crate::words::{Arg, Word};

/// The most groups, methods and claims that are shown: a provider may send any number (invariant 14).
const MOST: usize = 200;

/// A person's account.
#[derive(Clone, Debug)]
pub struct AccountPage<'a> {
    /// Who looks.
    pub shell: Shell<'a>,
    /// How they are signed in.
    pub signed_in: SignedIn,
}

/// How somebody is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// When they signed in here.
    pub at: Moment,
    /// When they last proved to their provider who they are, where it says.
    pub proved: Option<Moment>,
    /// When the sign-in ends whatever they do.
    pub ends: Moment,
    /// Whether it is bound to their device; `None`: sessions are not bound here.
    pub bound: Option<bool>,
}

impl AccountPage<'_> {
    /// 200 with the account.
    #[must_use]
    pub fn page(&self) -> Page {
        let Shell { look, principal, provider, .. } = self.shell;
        let ends = Time { words: self.signed_in.ends.words(&look), exact: self.signed_in.ends.exact() };
        let view = AccountView {
            look,
            frame: self.shell.around(Section::Account),
            account: Account::new(principal, provider),
            signed_in: &self.signed_in,
            ends: ends.render().unwrap_or_default(),
        };
        page(look, &view, None)
    }
}

#[derive(Template)]
#[template(path = "portal/account.html")]
struct AccountView<'a> {
    look: Look<'a>,
    frame: Frame<'a>,
    account: Account<'a>,
    signed_in: &'a SignedIn,
    /// When the sign-in ends, as markup.
    ends: String,
}

/// A moment as markup.
#[derive(Template)]
#[template(source = "<time datetime=\"{{ exact }}\" title=\"{{ exact }}\">{{ words }}</time>", ext = "html")]
struct Time {
    words: String,
    exact: String,
}

/// What a provider says, as far as it is shown.
#[derive(Debug)]
struct Account<'a> {
    /// What people call the provider.
    provider: &'a str,
    issuer: Cow<'a, str>,
    /// What rules and apps call the person.
    user: Cow<'a, str>,
    /// What the provider calls them.
    subject: Cow<'a, str>,
    /// The address, and whether the provider vouches for it.
    email: Option<(Cow<'a, str>, bool)>,
    /// How strong the sign-in was (`acr`).
    level: Option<Cow<'a, str>>,
    /// By which methods (`amr`, RFC 8176).
    methods: Vec<Cow<'a, str>>,
    groups: Vec<Cow<'a, str>>,
    /// How many groups are not shown.
    more_groups: usize,
    /// Whether there may be groups that the provider has not listed.
    unlisted: bool,
    /// Names and values as they arrived.
    claims: Vec<(Cow<'a, str>, String)>,
    /// How many claims are not shown.
    more_claims: usize,
}

impl<'a> Account<'a> {
    fn new(principal: &'a Principal, provider: &'a str) -> Self {
        let email = principal.email.as_ref().map(|email| (clipped(&email.address), email.verified));
        let groups = &principal.groups;
        let claim = |(name, value): (&'a String, &Value)| (clipped(name), written(value));
        Self {
            provider,
            issuer: clipped(principal.issuer.as_str()),
            user: clipped(&principal.user),
            subject: clipped(principal.subject.as_str()),
            email,
            level: principal.acr.as_deref().map(clipped),
            methods: methods(principal),
            groups: groups.iter().take(MOST).map(|group| clipped(group)).collect(),
            more_groups: groups.len().saturating_sub(MOST),
            unlisted: principal.gaps.has(Gap::Groups),
            claims: principal.claims.iter().take(MOST).map(claim).collect(),
            more_claims: principal.claims.len().saturating_sub(MOST),
        }
    }
}

fn methods(principal: &Principal) -> Vec<Cow<'_, str>> {
    let methods = principal.claims.get("amr").and_then(Value::as_array);
    methods.into_iter().flatten().filter_map(Value::as_str).take(MOST).map(clipped).collect()
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
