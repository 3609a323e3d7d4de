//! What stands around every page of the portal.

use std::sync::LazyLock;

use askama::Template;
use http::StatusCode;

use crate::identity::Principal;
use crate::pages::{Forms, Needs, Page, Person, Script, Style, safe_link};

/// The style sheet: that of all pages, and what the portal has beyond.
pub(super) static STYLE: LazyLock<Style> = LazyLock::new(|| {
    Style::new(concat!(
        include_str!("../pages/templates/style.css"),
        include_str!("templates/portal/portal.css")
    ))
});

/// A part of the portal that the navigation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Apps,
    Sessions,
    Account,
}

/// Who looks, and where everything is for them.
#[derive(Clone, Copy, Debug)]
pub struct Shell<'a> {
    /// Who is signed in.
    pub principal: &'a Principal,
    /// What people call the provider that vouches.
    pub provider: &'a str,
    /// Where the apps are shown.
    pub apps: &'a str,
    /// Where the sign-ins are shown.
    pub sessions: &'a str,
    /// Where the account is shown.
    pub account: &'a str,
    /// Where the form that signs out is posted to: a path of this gateway. Its answer goes on by
    /// [`interstitial`](crate::pages::interstitial).
    pub sign_out: &'a str,
}

/// The shell around a page of one section.
pub(super) struct Frame<'a> {
    pub(super) person: Person<'a>,
    pub(super) sign_out: &'a str,
    pub(super) apps: &'a str,
    pub(super) sections: [(Section, &'static str, &'a str); 3],
    pub(super) here: Section,
}

impl<'a> Shell<'a> {
    pub(super) fn around(&self, here: Section) -> Frame<'a> {
        let (apps, sessions, account) =
            (safe_link(self.apps), safe_link(self.sessions), safe_link(self.account));
        Frame {
            person: Person::new(self.principal, self.provider),
            sign_out: safe_link(self.sign_out),
            apps,
            sections: [
                (Section::Apps, "Apps", apps),
                (Section::Sessions, "Sign-ins", sessions),
                (Section::Account, "Account", account),
            ],
            here,
        }
    }
}

impl Frame<'_> {
    pub(super) fn is_here(&self, section: &Section) -> bool {
        self.here == *section
    }

    /// The address of the account, behind the person's name.
    pub(super) fn account(&self) -> &str {
        let [.., (_, _, account)] = &self.sections;
        account
    }

    #[expect(clippy::unused_self, reason = "templates reach it through the frame")]
    pub(super) fn style(&self) -> &'static str {
        STYLE.text
    }
}

/// A page of the portal. Its forms lead to the gateway on the same host.
pub(super) fn page(template: &impl Template, script: Option<&'static Script>) -> Page {
    let needs =
        Needs { style: Some(&STYLE), script, forms: Forms::To("/"), pictures: true, ..Needs::default() };
    Page::new(StatusCode::OK, template, needs)
}
