//! Signing out: the question, asked because a link alone must not sign anybody out (invariant 18), and the end.

use askama::Template;
use http::StatusCode;

use super::csp::{Forms, Needs};
use super::link::safe_link;
use super::message::Message;
use super::page::Page;
use super::person::Person;
use crate::identity::Principal;

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
    pub fn page(&self) -> Page {
        let person = Person::new(self.principal, self.provider);
        let (action, cancel) = (safe_link(self.action), safe_link(self.cancel));
        let needs = Needs { forms: Forms::To(action), ..Needs::default() };
        Page::new(StatusCode::OK, &SignOutView { person, action, cancel }, needs)
    }
}

/// Tells somebody that nobody is signed in in this browser any more.
#[derive(Clone, Copy, Debug)]
pub struct SignedOut<'a> {
    /// Where "sign in again" leads: the sign-in endpoint.
    pub sign_in: &'a str,
    /// The provider that may still know the person, where it was not told.
    pub still_at: Option<&'a str>,
    /// Whether the sign-out could not be written down anywhere, and is forgotten when the gateway restarts.
    pub until_restart: bool,
}

/// What a person must know whose sign-out is in memory alone.
const UNTIL_RESTART: &str = "This could not be saved: it holds until the gateway restarts. \
    Tell the people who run it that its disk takes nothing any more.";

impl SignedOut<'_> {
    /// 200 with the way back in.
    #[must_use]
    pub fn page(&self) -> Page {
        let rest =
            self.still_at.map(|provider| format!(" {provider} may still remember you in this browser."));
        let first = if self.until_restart { UNTIL_RESTART } else { "It is safe to close this window." };
        let lead = format!("{first}{}", rest.unwrap_or_default());
        let message =
            Message { href: safe_link(self.sign_in), ..Message::good("You are signed out", "closed", &lead) };
        Page::new(StatusCode::OK, &Message { label: "Sign in again", ..message }, Needs::default())
    }
}

#[derive(Template)]
#[template(path = "sign_out.html")]
struct SignOutView<'a> {
    person: Person<'a>,
    action: &'a str,
    cancel: &'a str,
}
