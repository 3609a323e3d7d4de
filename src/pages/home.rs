//! The start page of the sign-in host: who one is here, where one may go, and the way out.

use askama::Template;
use http::StatusCode;

use super::account::Account;
use super::csp::{Forms, Needs};
use super::link::{Link, safe_link};
use super::page::Page;
use super::person::Person;
use crate::identity::Principal;

/// The page for somebody who is signed in and asks for no app.
#[derive(Clone, Copy, Debug)]
pub struct Home<'a> {
    /// Who is signed in.
    pub principal: &'a Principal,
    /// What people call the provider that vouches.
    pub provider: &'a str,
    /// The apps to offer, those that are open to the person; may be empty.
    pub apps: &'a [Link<'a>],
    /// Where the person sees their sign-ins.
    pub sessions: &'a str,
    /// Where the form that signs out is posted to: a path of this gateway. Its answer goes on by
    /// [`interstitial`](super::interstitial).
    pub sign_out: &'a str,
}

impl Home<'_> {
    /// 200 with the person, the apps, what the provider says of them, and the way out.
    #[must_use]
    pub fn page(&self) -> Page {
        let person = Person::new(self.principal, self.provider);
        let account = Account::new(self.principal, self.provider);
        let sign_out = safe_link(self.sign_out);
        let sessions = safe_link(self.sessions);
        let view = HomeView { person, account, apps: self.apps, sessions, sign_out };
        Page::new(StatusCode::OK, &view, Needs { forms: Forms::To(sign_out), ..Needs::default() })
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomeView<'a> {
    person: Person<'a>,
    account: Account<'a>,
    apps: &'a [Link<'a>],
    sessions: &'a str,
    sign_out: &'a str,
}
