//! Signed in, but not allowed.

use askama::Template;
use http::StatusCode;

use super::csp::{Forms, Needs};
use super::form::{Form, safe_link};
use super::page::Page;
use super::person::Person;
use crate::identity::{Gaps, Principal, RequestId};

/// What the 403 page tells.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// Who was refused.
    pub principal: &'a Principal,
    /// What people call the provider that vouches.
    pub provider: &'a str,
    /// The app's host.
    pub host: &'a str,
    /// What was required, in plain words, each entry enough by itself (`Explanation::missing`); may be empty.
    pub required: &'a [String],
    /// What the provider did not say, where the refusal hangs on it.
    pub unsaid: Option<Gaps>,
    /// The request.
    pub request_id: &'a RequestId,
    /// "Sign in as someone else". Its answer goes on by [`onward`](super::onward).
    pub switch: Form<'a>,
    /// A page that is open to them, most often `/`.
    pub back: &'a str,
}

impl Refusal<'_> {
    /// 403 with the way out.
    #[must_use]
    pub fn page(&self) -> Page {
        let person = Person::new(self.principal, self.provider);
        let needs = Needs { forms: Forms::To(self.switch.target()), ..Needs::default() };
        Page::new(StatusCode::FORBIDDEN, &View { refusal: self, person, back: safe_link(self.back) }, needs)
    }
}

impl View<'_> {
    fn unsaid(&self) -> Option<String> {
        self.refusal.unsaid.map(|unsaid| unsaid.to_string())
    }
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct View<'a> {
    refusal: &'a Refusal<'a>,
    person: Person<'a>,
    back: &'a str,
}
