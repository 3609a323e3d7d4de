//! The start page of the sign-in host: who one is here, where one may go, and the way out.

use askama::Template;
use http::StatusCode;

use super::csp::{Forms, Needs};
use super::form::{Form, safe_link};
use super::page::Page;
use super::person::Person;
use crate::identity::Principal;

/// "You are signed in."
#[derive(Clone, Copy, Debug)]
pub struct Home<'a> {
    /// Who is signed in.
    pub principal: &'a Principal,
    /// What people call the provider that vouches.
    pub provider: &'a str,
    /// The apps to offer, those that are open to the person; may be empty.
    pub apps: &'a [App<'a>],
    /// The form that signs out.
    pub sign_out: Form<'a>,
}

/// An app on the start page.
#[derive(Clone, Copy, Debug)]
pub struct App<'a> {
    /// What it is called, most often its host.
    pub name: &'a str,
    /// Where it is.
    pub href: &'a str,
}

impl Home<'_> {
    /// 200 with the person, the apps and the way out.
    #[must_use]
    pub fn page(&self) -> Page {
        let person = Person::new(self.principal, self.provider);
        let forms = Forms::To(self.sign_out.target());
        let view = View { person, apps: self.apps, form: self.sign_out };
        Page::new(StatusCode::OK, &view, Needs { forms, ..Needs::default() })
    }
}

impl App<'_> {
    fn link(&self) -> &str {
        safe_link(self.href)
    }

    fn initial(&self) -> String {
        super::person::initial(self.name)
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct View<'a> {
    person: Person<'a>,
    apps: &'a [App<'a>],
    form: Form<'a>,
}
