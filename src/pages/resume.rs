//! A form that was sent while nobody was signed in, brought through the sign-in.
//!
//! [`Keep`] puts the sealed form into the tab's own storage (`sessionStorage`) and goes to sign in;
//! [`Resume`] sends it to [`RESUME`]; [`Replay`] forgets it and sends the opened form to where it was meant to
//! go. It is forgotten that late so that a gateway that fails in between costs nobody what they wrote. No
//! server remembers a form.

use std::fmt;

use askama::Template;
use http::StatusCode;

use super::csp::{self, Forms, Needs};
use super::link::safe_link;
use super::look::Look;
use super::page::Page;
use super::person::Person;
use crate::identity::{Principal, RequestId};
use crate::words::{Arg, Word};

/// The address that [`Resume`] shows itself at and sends the sealed form to, on the app's own host.
pub const RESUME: &str = "/.portcullis/resume";
/// The one field of what [`Resume`] sends.
pub const SEALED: &str = "sealed";

/// "Sign in first": keeps a form in the tab and moves on.
///
/// It answers only a form that came from the app's own origin: whatever is kept is sent again later, in the
/// name of the person who signed in, and must not be another site's (invariant 18).
#[derive(Clone, Copy)]
pub struct Keep<'a> {
    /// The name under which the tab keeps it; the same stands in [`Resume`]. Random, so that no other site can
    /// lead a person to it.
    pub id: &'a str,
    /// The form, sealed; text of any alphabet. Browsers keep about five million characters.
    pub sealed: &'a str,
    /// Where to sign in, such that the way back leads to [`Resume`].
    pub sign_in_url: &'a str,
    /// The identifier by which the log knows the request: the page shows it.
    pub request_id: &'a RequestId,
}

impl Keep<'_> {
    /// 401: what was asked for has not been done. The challenge is the caller's to add.
    #[must_use]
    pub fn page(&self, look: Look<'_>) -> Page {
        let needs = Needs { style: Some(&look.brand.narrow), script: Some(&csp::KEEP), ..Needs::default() };
        let view =
            KeepView { look, keep: self, sign_in: safe_link(self.sign_in_url), script: csp::KEEP.text };
        Page::new(StatusCode::UNAUTHORIZED, &view, needs)
    }
}

impl fmt::Debug for Keep<'_> {
    /// Without the form: it holds what a person typed (invariant 15).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keep")
            .field("id", &self.id)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

#[derive(Template)]
#[template(path = "keep.html")]
struct KeepView<'a> {
    look: Look<'a>,
    keep: &'a Keep<'a>,
    sign_in: &'a str,
    script: &'static str,
}

/// "Sign in first": keeps an address in the tab that is too long to be taken along, and moves on.
#[derive(Clone, Copy, Debug)]
pub struct KeepAddress<'a> {
    /// The name under which the tab keeps it; the same stands in [`Resume`].
    pub id: &'a str,
    /// The address, a path of this host that ends in a parameter which a fragment may be added to; where it is not
    /// given, it is that of the page itself, with its fragment.
    pub address: Option<&'a str>,
    /// Where to sign in, such that the way back leads to [`Resume`].
    pub next: &'a str,
    /// Where to sign in without the address.
    pub sign_in: &'a str,
    /// The identifier by which the log knows the request: the page shows it.
    pub request_id: &'a RequestId,
}

impl KeepAddress<'_> {
    /// 401: nobody is signed in. The challenge is the caller's to add.
    #[must_use]
    pub fn page(&self, look: Look<'_>) -> Page {
        let needs =
            Needs { style: Some(&look.brand.narrow), script: Some(&csp::KEEP_ADDRESS), ..Needs::default() };
        let view = KeepAddressView {
            look,
            keep: self,
            address: self.address.map(safe_link),
            next: safe_link(self.next),
            sign_in: safe_link(self.sign_in),
            script: csp::KEEP_ADDRESS.text,
        };
        Page::new(StatusCode::UNAUTHORIZED, &view, needs)
    }
}

#[derive(Template)]
#[template(path = "keep_address.html")]
struct KeepAddressView<'a> {
    look: Look<'a>,
    keep: &'a KeepAddress<'a>,
    address: Option<&'a str>,
    next: &'a str,
    sign_in: &'a str,
    script: &'static str,
}

/// "Welcome back": goes to the address that the tab keeps, or sends the form that it keeps to [`RESUME`], as the
/// field [`SEALED`].
#[derive(Clone, Copy, Debug)]
pub struct Resume<'a> {
    /// The name under which [`Keep`] or [`KeepAddress`] put it away.
    pub id: &'a str,
}

impl Resume<'_> {
    /// 200; where the tab holds nothing of that name, the page says so.
    #[must_use]
    pub fn page(&self, look: Look<'_>) -> Page {
        let needs = Needs {
            style: Some(&look.brand.narrow),
            script: Some(&csp::RESUME),
            forms: Forms::To(RESUME),
            ..Needs::default()
        };
        Page::new(StatusCode::OK, &ResumeView { look, id: self.id, script: csp::RESUME.text }, needs)
    }
}

#[derive(Template)]
#[template(path = "resume.html")]
struct ResumeView<'a> {
    look: Look<'a>,
    id: &'a str,
    script: &'static str,
}

/// How a form is written into a body (HTML Standard, form submission: `enctype`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enctype {
    /// `application/x-www-form-urlencoded`.
    #[default]
    UrlEncoded,
    /// `multipart/form-data`.
    Multipart,
}

impl Enctype {
    /// The media type, as the attribute has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UrlEncoded => "application/x-www-form-urlencoded",
            Self::Multipart => "multipart/form-data",
        }
    }
}

/// The form as it was first sent, to be sent again by a press of its button: who signed in may be another than who
/// filled it in.
#[derive(Clone, Copy)]
pub struct Replay<'a> {
    /// Where it was meant to go: a path of this host, or an address of its origin.
    pub action: &'a str,
    /// How its body was written.
    pub enctype: Enctype,
    /// Its fields, in order; a name may repeat. Line breaks arrive as CR LF, as browsers always send them.
    pub fields: &'a [(&'a str, &'a str)],
    /// A whole body of `multipart/form-data` in place of fields: its media type, and itself in Base64. The browser
    /// reads it, files and all.
    pub multipart: Option<(&'a str, &'a str)>,
    /// Who is signed in, and what people call the provider that vouches.
    pub person: Option<(&'a Principal, &'a str)>,
}

impl Replay<'_> {
    /// 200 with the form, which waits for a press of its button.
    #[must_use]
    pub fn page(&self, look: Look<'_>) -> Page {
        let needs = Needs {
            style: Some(&look.brand.narrow),
            script: Some(&csp::REPLAY),
            forms: Forms::OfTheApp,
            ..Needs::default()
        };
        let person = self.person.map(|(principal, provider)| Person::new(principal, provider));
        let (action, script) = (safe_link(self.action), csp::REPLAY.text);
        let view = ReplayView { look, replay: self, person, action, script };
        Page::new(StatusCode::OK, &view, needs)
    }
}

impl fmt::Debug for Replay<'_> {
    /// Names only: the values are what a person typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("Replay").field("action", &self.action).field("fields", &names).finish_non_exhaustive()
    }
}

#[derive(Template)]
#[template(path = "replay.html")]
struct ReplayView<'a> {
    look: Look<'a>,
    replay: &'a Replay<'a>,
    person: Option<Person<'a>>,
    action: &'a str,
    script: &'static str,
}
