//! What stands around every page of the portal.

use askama::Template;
use http::StatusCode;

use crate::identity::Principal;
use crate::pages::{Forms, Look, Needs, Page, Person, Script, safe_link};
use crate::words::Word;

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
    /// How the page looks for them.
    pub look: Look<'a>,
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
    pub(super) sections: [(Section, Word, &'a str); 3],
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
                (Section::Apps, Word::PortalApps, apps),
                (Section::Sessions, Word::PortalSignIns, sessions),
                (Section::Account, Word::PortalAccount, account),
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
}

/// A page of the portal. Its forms lead to the gateway on the same host.
pub(super) fn page(look: Look<'_>, template: &impl Template, script: Option<&'static Script>) -> Page {
    let needs = Needs {
        style: Some(&look.brand.wide),
        script,
        forms: Forms::To("/"),
        pictures: true,
        ..Needs::default()
    };
    Page::new(StatusCode::OK, template, needs)
}
