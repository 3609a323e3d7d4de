//! Signing in: the choice of a provider, what can go wrong on the way, and the page that leads on to a provider.

use askama::Template;
use http::StatusCode;
use url::{Position, Url, form_urlencoded};

use super::csp::{self, Forms, Needs};
use super::link::{Link, safe_link};
use super::message::Message;
use super::page::Page;
use super::person::initial;
use crate::identity::{ProviderName, RequestId, Shortfall};

/// Parameter of the sign-in endpoint: the name of the provider that was chosen.
pub const PROVIDER: &str = "provider";
/// Parameter of the sign-in endpoint: an e-mail address (OpenID Connect Core 1.0, section 3.1.2.1).
pub const LOGIN_HINT: &str = "login_hint";
/// Parameter of the sign-in endpoint: where the person wanted to go.
pub const RETURN_TO: &str = "return_to";
/// Parameter of the sign-in endpoint: the fingerprint of the secret that waits at the app's host.
pub const HANDOVER: &str = "hop";

/// Asks which provider shall sign the person in.
#[derive(Clone, Copy, Debug)]
pub struct Chooser<'a> {
    /// The app's host, with its port where that is an unusual one; empty where the person goes to no app.
    pub host: &'a str,
    /// The sign-in endpoint, a path of this gateway; the choice is added as its query.
    pub action: &'a str,
    /// The providers to choose from, in the order of the configuration.
    pub providers: &'a [ProviderChoice<'a>],
    /// Whether an e-mail address can find the provider (some provider has `email_domains`).
    pub ask_email: bool,
    /// An address that was given and leads to no provider.
    pub unknown_email: Option<&'a str>,
    /// Parameters of the sign-in endpoint that outlive the choice, the address to come back to last of all. Who
    /// reads them back checks them (invariant 13).
    pub lasting: &'a [(&'a str, &'a str)],
}

/// A provider to choose.
#[derive(Clone, Copy, Debug)]
pub struct ProviderChoice<'a> {
    /// Its name in the configuration.
    pub name: &'a ProviderName,
    /// What people call the provider.
    pub display_name: &'a str,
}

/// The most providers that people take in at a glance. Above more of them stands a field to search by.
pub(super) const FEW: usize = 10;

/// The longest address there is (RFC 5321, section 4.5.3.1, with the angle brackets taken off).
const LONGEST_EMAIL: usize = 254;

impl Chooser<'_> {
    /// 401 with a link for each provider: nobody is signed in. The challenge is the caller's to add.
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
            script: csp::CHOOSER.text,
        };
        Page::new(
            StatusCode::UNAUTHORIZED,
            &view,
            Needs { script: Some(&csp::CHOOSER), forms, ..Needs::default() },
        )
    }

    fn row<'c>(&self, choice: ProviderChoice<'c>) -> ProviderRow<'c> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair(PROVIDER, choice.name.as_str()).extend_pairs(self.lasting);
        let href = format!("{}?{}", safe_link(self.action), query.finish());
        ProviderRow { href, initial: initial(choice.display_name), display_name: choice.display_name }
    }
}

struct ProviderRow<'a> {
    href: String,
    initial: String,
    display_name: &'a str,
}

#[derive(Template)]
#[template(path = "chooser.html")]
struct ChooserView<'a> {
    chooser: &'a Chooser<'a>,
    action: &'a str,
    choices: Vec<ProviderRow<'a>>,
    email: &'a str,
    unknown: bool,
    script: &'static str,
}

/// A sign-in that came to nothing.
#[derive(Clone, Copy, Debug)]
pub struct SignInFailed<'a> {
    /// 400, 403, 502 or what the fault deserves.
    pub status: StatusCode,
    /// Text made for the public; the cause is in the log.
    pub public: &'a str,
    /// The identifier by which the log knows the request: the page shows it.
    pub request_id: &'a RequestId,
    /// Where "try again" leads: where the same sign-in begins anew.
    pub retry: &'a str,
    /// Where "sign in as someone else" leads.
    pub anew: Option<&'a str>,
    /// Other providers to sign in with.
    pub others: &'a [Link<'a>],
}

impl SignInFailed<'_> {
    /// The page, with the way to try again.
    #[must_use]
    pub fn page(&self) -> Page {
        let message = Message::good("Sign-in did not work", "key", self.public);
        let message = Message {
            bad: true,
            label: "Try again",
            href: safe_link(self.retry),
            anew: self.anew.map(safe_link),
            others: self.others,
            request_id: Some(self.request_id),
            ..message
        };
        Page::new(self.status, &message, Needs::default())
    }
}

/// A sign-in that is good, and not as strong as the page that it was for asks.
#[derive(Clone, Copy, Debug)]
pub struct UnmetStepUp<'a> {
    /// What people call the provider.
    pub provider: &'a str,
    /// What was asked for, and what came.
    pub shortfall: &'a [Shortfall],
    /// The identifier by which the log knows the request: the page shows it.
    pub request_id: &'a RequestId,
    /// The page that the person wanted: it asks again.
    pub retry: &'a str,
    /// Where "sign in as someone else" leads.
    pub anew: &'a str,
    /// A page that is open to them.
    pub home: &'a str,
}

impl UnmetStepUp<'_> {
    /// 403: whoever it is may not go on like this. Nothing is tried again by itself.
    #[must_use]
    pub fn page(&self) -> Page {
        let view = UnmetStepUpView {
            unmet: self,
            retry: safe_link(self.retry),
            anew: safe_link(self.anew),
            home: safe_link(self.home),
        };
        Page::new(StatusCode::FORBIDDEN, &view, Needs::default())
    }
}

#[derive(Template)]
#[template(path = "unmet_step_up.html")]
struct UnmetStepUpView<'a> {
    unmet: &'a UnmetStepUp<'a>,
    retry: &'a str,
    anew: &'a str,
    home: &'a str,
}

/// A form of ours that another site sent.
#[derive(Clone, Copy, Debug)]
pub struct CrossSite<'a> {
    /// Where "go to your apps" leads.
    pub home: &'a str,
    /// The identifier by which the log knows the request: the page shows it.
    pub request_id: &'a RequestId,
}

impl CrossSite<'_> {
    /// 403: nothing has been done.
    #[must_use]
    pub fn page(&self) -> Page {
        let message =
            Message::good("Not from here", "alert", "This form works only from a page of this very site.");
        let (href, request_id) = (safe_link(self.home), Some(self.request_id));
        let message = Message { bad: true, label: "Go to your apps", href, request_id, ..message };
        Page::new(StatusCode::FORBIDDEN, &message, Needs::default())
    }
}

/// "Sign in first": for a form that is not kept.
#[derive(Clone, Copy, Debug)]
pub struct NotKept<'a> {
    /// Where to sign in, such that the way back leads to where the form was filled in.
    pub sign_in: &'a str,
    /// The identifier by which the log knows the request: the page shows it.
    pub request_id: &'a RequestId,
}

impl NotKept<'_> {
    /// 401: what was asked for has not been done. The challenge is the caller's to add.
    #[must_use]
    pub fn page(&self) -> Page {
        let lead =
            "You need to be signed in to send this form. It has not gone to the app, and it is not kept.";
        let advice = "Go back and copy what you wrote before you sign in, then send it again.";
        sign_in_first(("First, sign in", lead, advice), self.sign_in, self.request_id)
    }
}

/// "Your session has ended": for a form whose answer was waited for when that happened.
#[derive(Clone, Copy, Debug)]
pub struct EndedMeanwhile<'a> {
    /// Where to sign in, such that the way back leads to where the form was filled in.
    pub sign_in: &'a str,
    /// The identifier by which the log knows the request: the page shows it.
    pub request_id: &'a RequestId,
}

impl EndedMeanwhile<'_> {
    /// 401: whether the app has done what was asked for is not known. The challenge is the caller's to add.
    #[must_use]
    pub fn page(&self) -> Page {
        let lead = "Your session ended before the app had answered. The app may have received what you sent.";
        let advice = "Sign in and look before you send it again.";
        sign_in_first(("Your session has ended", lead, advice), self.sign_in, self.request_id)
    }
}

/// Tells a browser that comes back why it is signed out: somebody who is signed in as the same person elsewhere did that.
#[derive(Clone, Copy, Debug)]
pub struct EndedElsewhere<'a> {
    /// Whether because of a newer sign-in, beyond as many as one person may hold; else by the person's own word.
    pub newer: bool,
    /// Where to sign in, such that the way back leads to where the browser wanted to go.
    pub sign_in: &'a str,
    /// The identifier by which the log knows the request: the page shows it.
    pub request_id: &'a RequestId,
}

impl EndedElsewhere<'_> {
    /// 401 with the way to sign in again. The challenge is the caller's to add.
    #[must_use]
    pub fn page(&self) -> Page {
        let (lead, advice) = match self.newer {
            true => (
                "You have signed in elsewhere, and may be signed in at so many places only: the oldest sign-in, the one \
                 of this browser, has ended.",
                "If you sign in here again, the one that is the oldest then ends in its turn. If the other sign-in was \
                 not yours, change your password.",
            ),
            false => (
                "This sign-in was ended from another browser or device, on the page that shows where you are signed in.",
                "If that was not you, sign in, look at that page, and change your password.",
            ),
        };
        sign_in_first(("You are signed out here", lead, advice), self.sign_in, self.request_id)
    }
}

/// 401, with the way to sign in: title, what has happened, and what to do.
fn sign_in_first((title, lead, advice): (&str, &str, &str), sign_in: &str, request_id: &RequestId) -> Page {
    let (href, request_id) = (safe_link(sign_in), Some(request_id));
    let message = Message::good(title, "half", lead);
    let message = Message { advice, label: "Sign in", href, request_id, ..message };
    Page::new(StatusCode::UNAUTHORIZED, &message, Needs::default())
}

/// A page that goes on to `target` by itself: the answer to a posted form whose way leads through other origins.
/// Browsers hold the `form-action` of a form's page against every redirect of its answer; a navigation that this
/// page begins is free of it, so that a provider may redirect.
#[must_use]
pub fn interstitial(target: &Url) -> Page {
    let lead = format!("You are on your way to {}.", &target[Position::BeforeHost..Position::AfterPort]);
    let href = safe_link(target.as_str());
    let message = Message::good("One moment", "open", &lead);
    let message = Message { label: "Continue", script: Some(csp::INTERSTITIAL.text), href, ..message };
    Page::new(StatusCode::OK, &message, Needs { script: Some(&csp::INTERSTITIAL), ..Needs::default() })
}
