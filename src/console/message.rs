//! What is said in place of a page.

use askama::Template;
use http::{HeaderValue, StatusCode, header};

use super::answer::Visit;
use super::place::Section;
use super::role::Role;
use super::shell::Shell;
use crate::endpoints::UnreadForm;
use crate::pages::Page;

/// Why there is no such page.
#[derive(Clone, Debug)]
pub(super) enum Message {
    /// Nothing stands at the path.
    NotFound,
    /// A sign-in that has ended, or was never there.
    NoSignIn,
    /// It is for another role.
    Forbidden(Role),
    /// Nothing is done there.
    OnlyRead,
    /// The form cannot be read.
    Unread(UnreadForm),
    /// What is asked for makes no sense: why.
    Unclear(String),
    /// It could not be done: why.
    NotDone(String),
    /// Too many watch already.
    TooMany,
    /// No sink is a store that can be asked.
    NoStore,
    /// The record cannot be read: why.
    NotRead(String),
}

impl Message {
    pub(super) fn page(&self, visit: Visit<'_>, section: Option<Section>) -> Page {
        let (title, text) = self.words();
        let shell = Shell::of(visit, section);
        let mut page = shell.page(self.status(), &View { shell: &shell, title, text: &text });
        if let Self::OnlyRead = self {
            page.headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        page
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::NoSignIn | Self::NoStore => StatusCode::NOT_FOUND,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::OnlyRead => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unread(UnreadForm::OtherMediaType) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unread(UnreadForm::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unread(UnreadForm::Late) => StatusCode::REQUEST_TIMEOUT,
            Self::Unclear(_) => StatusCode::BAD_REQUEST,
            Self::NotDone(_) | Self::NotRead(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    fn words(&self) -> (&'static str, String) {
        match self {
            Self::NotFound => ("There is no such page", "The console has nothing at this address.".into()),
            Self::NoSignIn => (
                "There is no such sign-in",
                "It has ended, or was never there. What has ended leaves this list at once.".into(),
            ),
            Self::Forbidden(least) => (
                "This is not open to your role",
                format!(
                    "It needs the role of an {least}. Who has which role is said in [console] of the configuration."
                ),
            ),
            Self::OnlyRead => ("Nothing is done here", "This page can be read, and takes no form.".into()),
            Self::Unread(UnreadForm::OtherMediaType) => {
                ("The form cannot be read", "Forms are sent as application/x-www-form-urlencoded.".into())
            }
            Self::Unread(UnreadForm::TooLarge) => {
                ("The form is too large", "Nothing has been done: a form has 16 KiB at most.".into())
            }
            Self::Unread(UnreadForm::Late) => {
                ("The form has not arrived", "Nothing has been done: it came too slowly.".into())
            }
            Self::Unclear(why) => ("That cannot be asked", why.clone()),
            Self::NotDone(why) => ("It has not been done", why.clone()),
            Self::NoStore => (
                "There is no record to ask",
                "No sink of this gateway is a store. One keeps events beside the state file where [audit] says so.".into(),
            ),
            Self::NotRead(why) => ("The record cannot be read", format!("{why}. It goes on being written.")),
            Self::TooMany => (
                "Too many watch already",
                "One session watches, or has reports made, four times at once, and all together 64 times. Close another tab that does.".into(),
            ),
        }
    }
}

#[derive(Template)]
#[template(path = "console/message.html")]
struct View<'a> {
    shell: &'a Shell,
    title: &'a str,
    text: &'a str,
}
