//! Whom the rules do not let in, and what it would take.

use askama::Template;
use http::StatusCode;

use super::csp::{Forms, Needs};
use super::link::safe_link;
use super::page::Page;
use super::person::Person;
use crate::identity::{Gaps, Principal, RequestId};

/// The page for somebody who is known and whom the rules do not let in.
#[derive(Clone, Copy, Debug)]
pub struct Forbidden<'a> {
    /// Who was refused.
    pub principal: &'a Principal,
    /// What people call the provider that vouches.
    pub provider: &'a str,
    /// The app's host, with its port where one was asked for.
    pub host: &'a str,
    /// What was required, in plain words, each entry enough by itself (`Explanation::missing`); may be empty.
    pub required: &'a [String],
    /// What the provider did not say, where the refusal hangs on it.
    pub unsaid: Option<Gaps>,
    /// The identifier by which the log knows the request: the page shows it.
    pub request_id: &'a RequestId,
    /// Where the form "sign in as someone else" is posted to: a path of this gateway, or an address on its sign-in host.
    /// Its answer goes on by [`interstitial`](super::interstitial).
    pub switch: &'a str,
    /// A page that is open to them, most often `/`.
    pub back: &'a str,
}

impl Forbidden<'_> {
    /// 403 with the way to sign in as somebody else.
    #[must_use]
    pub fn page(&self) -> Page {
        let person = Person::new(self.principal, self.provider);
        let (switch, back) = (safe_link(self.switch), safe_link(self.back));
        let view = ForbiddenView { forbidden: self, person, switch, back };
        Page::new(StatusCode::FORBIDDEN, &view, Needs { forms: Forms::To(switch), ..Needs::default() })
    }
}

impl ForbiddenView<'_> {
    fn unsaid(&self) -> Option<String> {
        self.forbidden.unsaid.map(|unsaid| unsaid.to_string())
    }
}

#[derive(Template)]
#[template(path = "forbidden.html")]
struct ForbiddenView<'a> {
    forbidden: &'a Forbidden<'a>,
    person: Person<'a>,
    switch: &'a str,
    back: &'a str,
}
