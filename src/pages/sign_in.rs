//! Signing in: the choice of a provider, what can go wrong on the way, and the page that leads on to a provider.

use askama::Template;
use http::StatusCode;
use url::{Position, Url, form_urlencoded};

use super::csp::{self, Forms, Needs};
use super::link::{Link, safe_link};
use super::look::Look;
use super::message::Message;
use super::page::Page;
use super::person::initial;
use crate::identity::{ProviderName, RequestId, Shortfall};
use crate::words::{Arg, Catalogue, Word};

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
    pub fn page(&self, look: Look<'_>) -> Page {
        let choices = self.providers.iter().map(|choice| self.row(*choice)).collect();
        let unknown = self.unknown_email.filter(|email| email.len() <= LONGEST_EMAIL);
        let action = safe_link(self.action);
        let forms = if self.ask_email { Forms::To(action) } else { Forms::None };
        let view = ChooserView {
            look,
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
            Needs { style: Some(&look.brand.narrow), script: Some(&csp::CHOOSER), forms, ..Needs::default() },
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
    look: Look<'a>,
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
    pub fn page(&self, look: Look<'_>) -> Page {
        let (title, label) = (look.say(Word::SignInFailed), look.say(Word::TryAgain));
        let lead = translated(look, self.public);
        let message = Message::good(look, &title, "key", &lead);
        let message = Message {
            bad: true,
            label: &label,
            href: safe_link(self.retry),
            anew: self.anew.map(safe_link),
            others: self.others,
            request_id: Some(self.request_id),
            ..message
        };
        Page::new(self.status, &message, sheet(look))
    }
}

/// What a sign-in may come to nothing by, in words for the public.
const FAILURES: [Word; 6] = [
    Word::FailedAway,
    Word::FailedDenied,
    Word::FailedStart,
    Word::FailedAnswer,
    Word::FailedSetup,
    Word::FailedLost,
];

/// The text in the language of the page, where it is one of those.
fn translated(look: Look<'_>, text: &str) -> String {
    let known = FAILURES.iter().find(|word| Catalogue::english().say(**word) == text);
    known.map_or_else(|| text.to_owned(), |word| look.say(word))
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
    pub fn page(&self, look: Look<'_>) -> Page {
        let view = UnmetStepUpView {
            look,
            unmet: self,
            retry: safe_link(self.retry),
            anew: safe_link(self.anew),
            home: safe_link(self.home),
        };
        Page::new(StatusCode::FORBIDDEN, &view, sheet(look))
    }
}

#[derive(Template)]
#[template(path = "unmet_step_up.html")]
struct UnmetStepUpView<'a> {
    look: Look<'a>,
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
    pub fn page(&self, look: Look<'_>) -> Page {
        let [title, lead, label] =
            [Word::CrossSiteTitle, Word::CrossSiteLead, Word::ToYourApps].map(|word| look.say(word));
        let message = Message::good(look, &title, "alert", &lead);
        let (href, request_id) = (safe_link(self.home), Some(self.request_id));
        let message = Message { bad: true, label: &label, href, request_id, ..message };
        Page::new(StatusCode::FORBIDDEN, &message, sheet(look))
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
    pub fn page(&self, look: Look<'_>) -> Page {
        let texts = [Word::FirstSignIn, Word::NotKeptLead, Word::NotKeptAdvice];
        sign_in_first(look, texts, self.sign_in, self.request_id)
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
    pub fn page(&self, look: Look<'_>) -> Page {
        let texts = [Word::EndedMeanwhileTitle, Word::EndedMeanwhileLead, Word::EndedMeanwhileAdvice];
        sign_in_first(look, texts, self.sign_in, self.request_id)
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
    pub fn page(&self, look: Look<'_>) -> Page {
        let (lead, advice) = match self.newer {
            true => (Word::EndedNewerLead, Word::EndedNewerAdvice),
            false => (Word::EndedElsewhereLead, Word::EndedElsewhereAdvice),
        };
        sign_in_first(look, [Word::EndedElsewhereTitle, lead, advice], self.sign_in, self.request_id)
    }
}

/// 401, with the way to sign in: title, what has happened, and what to do.
fn sign_in_first(look: Look<'_>, texts: [Word; 3], sign_in: &str, request_id: &RequestId) -> Page {
    let ([title, lead, advice], label) = (texts.map(|word| look.say(word)), look.say(Word::SignIn));
    let (href, request_id) = (safe_link(sign_in), Some(request_id));
    let message = Message::good(look, &title, "half", &lead);
    let message = Message { advice: &advice, label: &label, href, request_id, ..message };
    Page::new(StatusCode::UNAUTHORIZED, &message, sheet(look))
}

/// What a page needs that has no forms and no scripts.
fn sheet(look: Look<'_>) -> Needs<'_> {
    Needs { style: Some(&look.brand.narrow), ..Needs::default() }
}

/// A page that goes on to `target` by itself: the answer to a posted form whose way leads through other origins.
/// Browsers hold the `form-action` of a form's page against every redirect of its answer; a navigation that this
/// page begins is free of it, so that a provider may redirect.
#[must_use]
pub fn interstitial(look: Look<'_>, target: &Url) -> Page {
    let place = &target[Position::BeforeHost..Position::AfterPort];
    let lead = look.plain(Word::OnYourWay, &[("place", Arg::Text(place))]);
    let (title, label) = (look.say(Word::OneMoment), look.say(Word::GoOn));
    let message = Message::good(look, &title, "open", &lead);
    let (script, href) = (Some(csp::INTERSTITIAL.text), safe_link(target.as_str()));
    let message = Message { label: &label, script, href, ..message };
    Page::new(StatusCode::OK, &message, Needs { script: Some(&csp::INTERSTITIAL), ..sheet(look) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::tests::german;

    /// Those who tell a failure do it in English, and know nothing of pages.
    #[test]
    fn each_failure_is_told_in_these_very_words() {
        let sources = [
            include_str!("../../crates/authentication/src/oidc/error.rs"),
            include_str!("../gate/respond/refused.rs"),
        ];
        let sources = sources.concat().replace("\\\n    ", "");
        for word in FAILURES {
            let text = Catalogue::english().say(word);
            assert!(sources.contains(&text), "{text}");
            assert_ne!(translated(german(), &text), text);
        }
        assert_eq!(translated(german(), "Other"), "Other");
    }
}
