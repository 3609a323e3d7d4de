//! Coming in: which provider, what went wrong, and the last step away from our own pages.

use askama::Template;
use http::StatusCode;
use url::{Url, form_urlencoded};

use super::csp::{Forms, Needs};
use super::form::safe_link;
use super::page::Page;
use super::person::initial;
use crate::identity::{ProviderName, RequestId};

/// Parameter of the sign-in endpoint: the name of the provider that was chosen.
pub const PROVIDER: &str = "provider";
/// Parameter of the sign-in endpoint: an e-mail address (OpenID Connect Core 1.0, section 3.1.2.1).
pub const LOGIN_HINT: &str = "login_hint";
/// Parameter of the sign-in endpoint: where the person wanted to go.
pub const RETURN_TO: &str = "return_to";
/// Parameter of the sign-in endpoint: the fingerprint of the secret that waits at the app's host.
pub const HOP: &str = "hop";

/// Which provider shall sign the person in?
#[derive(Clone, Copy, Debug)]
pub struct Chooser<'a> {
    /// The app's host; empty where the person goes to no app.
    pub host: &'a str,
    /// The sign-in endpoint, a path of this gateway; the choice is added as its query.
    pub action: &'a str,
    /// The providers to choose from, in the order of the configuration.
    pub providers: &'a [Choice<'a>],
    /// Whether an e-mail address can find the provider (some provider has `email_domains`).
    pub ask_email: bool,
    /// An address that was given and leads to no provider.
    pub unknown_email: Option<&'a str>,
    /// Where the person wanted to go. Who reads it back checks it (invariant 13).
    pub return_to: &'a str,
    /// The fingerprint of the secret that waits at the app's host, where the sign-in came from another host.
    pub hop: Option<&'a str>,
}

/// A provider on the chooser.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// Its name in the configuration.
    pub name: &'a ProviderName,
    /// What people call it.
    pub display_name: &'a str,
}

/// The longest address there is (RFC 5321, section 4.5.3.1, with the angle brackets taken off).
const LONGEST_EMAIL: usize = 254;

impl Chooser<'_> {
    /// 200 with a link for each provider.
    #[must_use]
    pub fn page(&self) -> Page {
        let choices = self.providers.iter().map(|choice| self.row(*choice)).collect();
        let unknown = self.unknown_email.filter(|email| email.len() <= LONGEST_EMAIL);
        let action = safe_link(self.action);
        let forms = if self.ask_email { Forms::To(action) } else { Forms::None };
        let view = ChooserView {
            chooser: self,
            action,
            choices,
            email: unknown.unwrap_or_default(),
            unknown: self.unknown_email.is_some(),
        };
        Page::new(StatusCode::OK, &view, Needs { forms, ..Needs::default() })
    }

    fn row<'c>(&self, choice: Choice<'c>) -> Row<'c> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair(PROVIDER, choice.name.as_str()).append_pair(RETURN_TO, self.return_to);
        query.extend_pairs(self.hop.map(|hop| (HOP, hop)));
        let href = format!("{}?{}", safe_link(self.action), query.finish());
        Row { href, initial: initial(choice.display_name), display_name: choice.display_name }
    }
}

struct Row<'a> {
    href: String,
    initial: String,
    display_name: &'a str,
}

#[derive(Template)]
#[template(path = "chooser.html")]
struct ChooserView<'a> {
    chooser: &'a Chooser<'a>,
    action: &'a str,
    choices: Vec<Row<'a>>,
    email: &'a str,
    unknown: bool,
}

/// A sign-in that came to nothing.
#[derive(Clone, Copy, Debug)]
pub struct SignInFailed<'a> {
    /// 400, 403, 502 or what the fault deserves.
    pub status: StatusCode,
    /// Text made for the public; the cause is in the log.
    pub public: &'a str,
    /// The request.
    pub request_id: &'a RequestId,
    /// Where "try again" leads.
    pub retry: &'a str,
}

impl SignInFailed<'_> {
    /// The page, with the way to try again.
    #[must_use]
    pub fn page(&self) -> Page {
        let message = Message::good("Sign-in did not work", "key", self.public);
        let message = Message { bad: true, label: "Try again", href: safe_link(self.retry), ..message };
        let message = Message { request_id: Some(self.request_id), ..message };
        Page::new(self.status, &message, Needs::default())
    }
}

/// A page that goes on to `target` by itself: the answer to a posted form whose way leads through
/// other origins. It ends the reach of `form-action`, which would else stop a provider's own redirects.
#[must_use]
pub fn onward(target: &Url) -> Page {
    let lead = format!("You are on your way to {}.", target.host_str().unwrap_or_default());
    let href = safe_link(target.as_str());
    let message = Message::good("One moment", "open", &lead);
    let message = Message { label: "Continue", refresh: Some(href), href, ..message };
    Page::new(StatusCode::OK, &message, Needs::default())
}

/// A page of one thought and one way on.
#[derive(Clone, Copy, Template)]
#[template(path = "message.html")]
pub(super) struct Message<'a> {
    pub(super) bad: bool,
    pub(super) icon: &'a str,
    pub(super) title: &'a str,
    pub(super) lead: &'a str,
    pub(super) href: &'a str,
    pub(super) label: &'a str,
    pub(super) refresh: Option<&'a str>,
    pub(super) request_id: Option<&'a RequestId>,
}

impl<'a> Message<'a> {
    pub(super) const fn good(title: &'a str, icon: &'a str, lead: &'a str) -> Self {
        Self { bad: false, icon, title, lead, href: "/", label: "", refresh: None, request_id: None }
    }
}
