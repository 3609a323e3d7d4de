//! Signing out: the question, asked because a link alone must not sign anybody out (invariant 18), and the end.

use askama::Template;
use http::StatusCode;

use super::csp::{Forms, Needs};
use super::link::safe_link;
use super::look::Look;
use super::page::Page;
use super::person::Person;
use crate::identity::Principal;
use crate::words::{Arg, Word};

/// Asks somebody who is signed in whether they want to leave.
#[derive(Clone, Copy, Debug)]
pub struct SignOut<'a> {
    /// Who is signed in.
    pub principal: &'a Principal,
    /// What people call the provider that vouches.
    pub provider: &'a str,
    /// Where the form is posted to: a path of this gateway. Its answer goes on by [`interstitial`](super::interstitial).
    pub action: &'a str,
    /// Where "stay signed in" leads.
    pub cancel: &'a str,
}

impl SignOut<'_> {
    /// 200 with the question, and a form to say yes.
    #[must_use]
    pub fn page(&self, look: Look<'_>) -> Page {
        let person = Person::new(self.principal, self.provider);
        let (action, cancel) = (safe_link(self.action), safe_link(self.cancel));
        let needs = Needs { style: Some(&look.brand.narrow), forms: Forms::To(action), ..Needs::default() };
        Page::new(StatusCode::OK, &SignOutView { look, person, action, cancel }, needs)
    }
}

/// Whether the provider knows that its person has signed out here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The person was sent there to sign out, and has come back.
    Yes,
    /// It offers no way to be told.
    No,
}

/// What became of the tokens that the provider gave the gateway for its person (RFC 7009).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenTokens {
    /// The provider has taken them back.
    TakenBack,
    /// The provider has been asked, and has not answered yet.
    Asked,
    /// The provider did not take them back.
    NotTakenBack,
}

/// Tells somebody that nobody is signed in in this browser any more, and what that does not end.
#[derive(Clone, Copy, Debug)]
pub struct SignedOut<'a> {
    /// Where "sign in again" leads: the sign-in endpoint.
    pub sign_in: &'a str,
    /// What people call the provider that vouched, and whether it knows; `None` where it is not known which it was.
    pub provider: Option<(&'a str, Told)>,
    /// What became of its tokens, where that was asked for and the page can tell.
    pub tokens: Option<GivenTokens>,
    /// Whether the sign-out could not be written down anywhere, and is forgotten when the gateway restarts.
    pub until_restart: bool,
}

impl SignedOut<'_> {
    /// 200 with the way back in.
    #[must_use]
    pub fn page(&self, look: Look<'_>) -> Page {
        let (provider, told) = self.provider.unzip();
        let view = SignedOutView {
            look,
            sign_in: safe_link(self.sign_in),
            until_restart: self.until_restart,
            provider: provider.unwrap_or_default(),
            told,
            tokens: self.tokens,
        };
        Page::new(StatusCode::OK, &view, Needs { style: Some(&look.brand.narrow), ..Needs::default() })
    }
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutView<'a> {
    look: Look<'a>,
    sign_in: &'a str,
    until_restart: bool,
    provider: &'a str,
    told: Option<Told>,
    tokens: Option<GivenTokens>,
}

#[derive(Template)]
#[template(path = "sign_out.html")]
struct SignOutView<'a> {
    look: Look<'a>,
    person: Person<'a>,
    action: &'a str,
    cancel: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::tests::plain;

    const HERE: SignedOut<'_> =
        SignedOut { sign_in: "/in", provider: None, tokens: None, until_restart: false };

    fn says(page: &SignedOut<'_>, words: &str) -> bool {
        page.page(plain()).html.contains(words)
    }

    #[test]
    fn the_page_says_what_has_ended_and_what_has_not() {
        assert!(says(&HERE, "You are signed out") && says(&HERE, "every app behind this gateway"));
        assert!(says(&HERE, "other browsers and devices") && says(&HERE, "href=\"/in\""));
        for (told, yes, no) in [
            (Told::Yes, "<bdi>Corp</bdi> was told as well", "may still remember you"),
            (Told::No, "<bdi>Corp</bdi> was not told, and may still remember you", "was told as well"),
        ] {
            let page = SignedOut { provider: Some(("Corp", told)), ..HERE };
            assert!(says(&page, yes) && !says(&page, no), "{told:?}");
            assert!(!says(&page, "tokens"), "nothing is said of what nobody knows");
        }
        for (tokens, words) in [
            (GivenTokens::TakenBack, "has taken back the tokens"),
            (GivenTokens::Asked, "has been asked to take back the tokens"),
            (GivenTokens::NotTakenBack, "did not take back the tokens"),
        ] {
            let page = SignedOut { provider: Some(("Corp", Told::No)), tokens: Some(tokens), ..HERE };
            assert!(says(&page, words), "{tokens:?}");
        }
        let page = SignedOut { until_restart: true, ..HERE };
        assert!(says(&page, "until the gateway restarts") && !says(&page, "safe to close"));
    }
}
