//! The start page of the sign-in host: who one is here, where one may go, and the way out.

use askama::Template;
use http::StatusCode;

use super::csp::{Forms, Needs};
use super::form::{Form, Link};
use super::page::Page;
use super::person::Person;
use super::told::Told;
use crate::identity::Principal;

/// "You are signed in."
#[derive(Clone, Copy, Debug)]
pub struct Home<'a> {
    /// Who is signed in.
    pub principal: &'a Principal,
    /// What people call the provider that vouches.
    pub provider: &'a str,
    /// The apps to offer, those that are open to the person; may be empty.
    pub apps: &'a [Link<'a>],
    /// The form that signs out.
    pub sign_out: Form<'a>,
}

impl Home<'_> {
    /// 200 with the person, the apps, what the provider says of them, and the way out.
    #[must_use]
    pub fn page(&self) -> Page {
        let person = Person::new(self.principal, self.provider);
        let forms = Forms::To(self.sign_out.target());
        let told = Told::new(self.principal, self.provider);
        let view = View { person, told, apps: self.apps, form: self.sign_out };
        Page::new(StatusCode::OK, &view, Needs { forms, ..Needs::default() })
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct View<'a> {
    person: Person<'a>,
    told: Told<'a>,
    apps: &'a [Link<'a>],
    form: Form<'a>,
}
