//! What stands around every page.

use askama::Template;
use http::StatusCode;

use super::answer::Visit;
use super::assets::{SCRIPT, STYLE};
use super::place::{Act, Section};
use super::role::Role;
use super::text;
use crate::endpoints::SIGN_OUT;
use crate::pages::{Forms, Needs, Page};

/// The frame of a page.
#[derive(Clone, Debug)]
pub(super) struct Shell {
    /// What people call the gateway, and its logo.
    pub(super) name: String,
    pub(super) logo: Option<String>,
    /// Where the console stands, without a slash at its end.
    pub(super) mount: String,
    /// Who looks.
    pub(super) user: String,
    /// By whose word.
    pub(super) provider: String,
    /// What they may do.
    pub(super) role: Role,
    /// The part of the console that the page belongs to.
    section: Option<Section>,
}

impl Shell {
    pub(super) fn of(visit: Visit<'_>, section: Option<Section>) -> Self {
        let brand = visit.context.look.brand;
        Self {
            name: brand.name.clone(),
            logo: brand.logo.clone(),
            mount: visit.mount.to_string().trim_end_matches('/').to_owned(),
            user: text::short(&visit.person.user),
            provider: text::short(visit.person.provider.as_str()),
            role: visit.role,
            section,
        }
    }

    /// One of somebody with this role, for tests.
    #[cfg(test)]
    pub(super) fn sample(role: Role, section: Section) -> Self {
        let (mount, user, provider) = ("/at".to_owned(), "olga".to_owned(), "corp".to_owned());
        Self { name: "Portcullis".into(), logo: None, mount, user, provider, role, section: Some(section) }
    }

    /// The page of `template`; forms of it lead to the console alone.
    pub(super) fn page(&self, status: StatusCode, template: &impl Template) -> Page {
        let here = format!("{}/", self.mount);
        let needs = Needs { own_files: true, forms: Forms::To(&here), ..Needs::default() };
        Page::new(status, template, needs)
    }

    /// Where the navigation leads whoever looks.
    pub(super) fn sections(&self) -> impl Iterator<Item = Section> + '_ {
        Section::ALL.into_iter().filter(|section| section.is_for(self.role))
    }

    pub(super) fn is_here(&self, section: &Section) -> bool {
        self.section == Some(*section)
    }

    pub(super) fn may_act(&self) -> bool {
        self.role >= Role::Operator
    }

    pub(super) fn sees_people(&self) -> bool {
        Section::Sessions.is_for(self.role)
    }

    pub(super) fn initial(&self) -> String {
        text::initial(&self.user)
    }

    #[expect(clippy::unused_self, reason = "templates reach it through the shell")]
    pub(super) const fn sign_out(&self) -> &'static str {
        SIGN_OUT
    }

    /// Where the style sheet is, and the script.
    pub(super) fn style(&self) -> String {
        format!("{}/{}", self.mount, STYLE.path)
    }

    pub(super) fn script(&self) -> String {
        format!("{}/{}", self.mount, SCRIPT.path)
    }

    /// What they may have done, for whoever looks for it.
    pub(super) fn acts(&self) -> impl Iterator<Item = Act> + '_ {
        Act::ALL.into_iter().filter(|_| self.may_act())
    }
}
