//! Whom the rules do not let in, and what it would take.

use askama::Template;
use http::StatusCode;

use super::csp::{Forms, Needs};
use super::link::safe_link;
use super::look::Look;
use super::page::Page;
use super::person::Person;
use crate::identity::{Gap, Gaps, Principal, RequestId};
use crate::words::{Arg, Word};

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
    pub fn page(&self, look: Look<'_>) -> Page {
        let person = Person::new(self.principal, self.provider);
        let (switch, back) = (safe_link(self.switch), safe_link(self.back));
        let view = ForbiddenView { look, forbidden: self, person, switch, back };
        let needs = Needs { style: Some(&look.brand.narrow), forms: Forms::To(switch), ..Needs::default() };
        Page::new(StatusCode::FORBIDDEN, &view, needs)
    }
}

/// What a provider may not say, and the words for it.
const GAPS: [(Gap, Word); 7] = [
    (Gap::User, Word::GapUser),
    (Gap::Email, Word::GapEmail),
    (Gap::Groups, Word::GapGroups),
    (Gap::Scopes, Word::GapScopes),
    (Gap::Claims, Word::GapClaims),
    (Gap::SignIn, Word::GapSignIn),
    (Gap::Binding, Word::GapBinding),
];

impl ForbiddenView<'_> {
    /// What the provider did not say, in words.
    fn unsaid(&self) -> Option<String> {
        let gaps = self.forbidden.unsaid?;
        let words = GAPS.iter().filter(|(gap, _)| gaps.has(*gap)).map(|(_, word)| self.look.say(word));
        words.reduce(|one, other| {
            self.look.plain(Word::GapAnd, &[("one", Arg::Text(&one)), ("other", Arg::Text(&other))])
        })
    }
}

#[derive(Template)]
#[template(path = "forbidden.html")]
struct ForbiddenView<'a> {
    look: Look<'a>,
    forbidden: &'a Forbidden<'a>,
    person: Person<'a>,
    switch: &'a str,
    back: &'a str,
}
