//! What a browser asks of the sign-in endpoint, read from a query and written into one.

use std::borrow::Cow;

use http::Uri;
use url::form_urlencoded;

use super::context::RequestContext;
use super::handover::HandoverFingerprint;
use super::hosts::Hosts;
use super::paths::SIGN_IN;
use super::return_to::ReturnTo;
use crate::pages;

/// Parameter: sign in even where there is a session.
const ANEW: &str = "anew";
/// Parameter: this sign-in is begun because an earlier one was lost.
pub(super) const AGAIN: &str = "again";

/// Parameter: the strength that the sign-in must have, sealed: nobody writes one of their own.
const STEP_UP: &str = "step_up";

/// The longest `login_hint` that is passed on, in bytes.
const LONGEST_HINT: usize = 320;

/// A wish to sign in: the parameters of the sign-in endpoint.
#[derive(Clone, Debug, Default)]
pub struct SignInRequest {
    /// Where to come back to.
    pub return_to: Option<ReturnTo>,
    /// The provider to sign in with, by its name in the configuration.
    pub provider: Option<String>,
    /// An e-mail address or user name for the provider (OpenID Connect Core 1.0, section 3.1.2.1).
    pub login_hint: Option<String>,
    /// The fingerprint of the secret that waits at the app's host.
    pub(super) handover: Option<HandoverFingerprint>,
    /// Whether to sign in even where there is a session: as someone else.
    pub anew: bool,
    /// Whether it is begun because an earlier one was lost. That is done once.
    pub again: bool,
    /// How strong it must be, sealed.
    pub(super) step_up: Option<String>,
}

impl SignInRequest {
    /// A sign-in that leads to `return_to`, with a provider of the person's choice.
    #[must_use]
    pub fn to(return_to: Option<ReturnTo>) -> Self {
        Self { return_to, ..Self::default() }
    }

    /// One that leads back to this path of the host that is asked.
    pub(super) fn back_to(context: RequestContext<'_>, path: &str) -> Self {
        Self::to(ReturnTo::asked(&context.origin(), path, None))
    }

    pub(super) fn read(hosts: &Hosts, uri: &Uri) -> Self {
        let mut wanted = Self::default();
        for (name, value) in parameters(uri) {
            match name.as_ref() {
                pages::RETURN_TO => wanted.return_to = hosts.return_to(&value),
                pages::PROVIDER => wanted.provider = Some(value.into_owned()),
                pages::LOGIN_HINT => wanted.login_hint = hint(value),
                pages::HANDOVER => wanted.handover = HandoverFingerprint::parse(&value),
                ANEW => wanted.anew = true,
                AGAIN => wanted.again = true,
                STEP_UP => wanted.step_up = Some(value.into_owned()),
                _ => {}
            }
        }
        wanted
    }

    /// What outlives the choice of a provider, as parameters. The address stands last: a script may add the
    /// fragment to it.
    pub(super) fn lasting(&self) -> Vec<(&'static str, String)> {
        let handover = self.handover.as_ref().map(|handover| (pages::HANDOVER, handover.to_string()));
        let flags = [(ANEW, self.anew), (AGAIN, self.again)];
        let flags = flags.into_iter().filter(|(_, set)| *set).map(|(name, _)| (name, "1".to_owned()));
        let step_up = self.step_up.clone().map(|sealed| (STEP_UP, sealed));
        let return_to = self.return_to.as_ref().map(|to| (pages::RETURN_TO, to.as_str().to_owned()));
        handover.into_iter().chain(flags).chain(step_up).chain(return_to).collect()
    }

    /// The whole of it as path and query of the sign-in endpoint.
    #[must_use]
    pub fn address(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .extend_pairs(self.provider.as_deref().map(|name| (pages::PROVIDER, name)))
            .extend_pairs(self.login_hint.as_deref().map(|hint| (pages::LOGIN_HINT, hint)))
            .extend_pairs(self.lasting());
        format!("{SIGN_IN}?{}", query.finish())
    }

    /// Whether it leads to an address that is too long to be taken along.
    pub(super) fn is_long(&self) -> bool {
        self.return_to.as_ref().is_some_and(ReturnTo::is_long)
    }
}

/// The parameter of a query that is called `name`; the first, where it stands twice.
pub(super) fn parameter<'u>(uri: &'u Uri, name: &str) -> Option<Cow<'u, str>> {
    parameters(uri).find(|(known, _)| known == name).map(|(_, value)| value)
}

/// The parameters of a query.
fn parameters(uri: &Uri) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
}

fn hint(value: Cow<'_, str>) -> Option<String> {
    Some(value.into_owned()).filter(|hint| !hint.is_empty() && hint.len() <= LONGEST_HINT)
}
