//! Pages that say one thing and lead on to one place.

use askama::Template;

use super::link::Link;
use super::look::Look;
use crate::identity::RequestId;
use crate::words::Word;

/// A page of a title, a sentence or two, and a button.
#[derive(Clone, Copy, Template)]
#[template(path = "message.html")]
pub(super) struct Message<'a> {
    pub(super) look: Look<'a>,
    /// Whether something went wrong.
    pub(super) bad: bool,
    pub(super) icon: &'a str,
    pub(super) title: &'a str,
    /// What has happened.
    pub(super) lead: &'a str,
    /// Where the button leads.
    pub(super) href: &'a str,
    pub(super) label: &'a str,
    /// What the person can do; empty where the button says it.
    pub(super) advice: &'a str,
    /// Where "sign in as someone else" leads.
    pub(super) anew: Option<&'a str>,
    /// Other providers to sign in with.
    pub(super) others: &'a [Link<'a>],
    pub(super) script: Option<&'static str>,
    pub(super) request_id: Option<&'a RequestId>,
}

impl<'a> Message<'a> {
    pub(super) const fn good(look: Look<'a>, title: &'a str, icon: &'a str, lead: &'a str) -> Self {
        Self {
            look,
            bad: false,
            icon,
            title,
            lead,
            advice: "",
            href: "/",
            label: "",
            anew: None,
            others: &[],
            script: None,
            request_id: None,
        }
    }
}
