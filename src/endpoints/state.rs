//! The endpoints of one configuration: what all of them know.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response};

use super::context::RequestContext;
use super::cookies::Cookies;
use super::error::EndpointError;
use super::hosts::Hosts;
use super::resources::Resources;
use super::site_data::{SiteData, clear_site_data};
use crate::authn::{Authentication, Authenticator, OpenedSession};
use crate::identity::ProviderName;
use crate::oidc::Providers;
use crate::portal::Icons;
use crate::session::{Bind, CookieRead, NetworkPrefix, Session, SessionEnd};
use crate::signals::Transmitter;

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// The endpoints of one configuration.
#[derive(Debug)]
pub struct Endpoints {
    /// What outlives this configuration.
    pub(super) resources: Arc<Resources>,
    /// The hosts that are ours.
    pub hosts: Hosts,
    pub(super) providers: Providers,
    pub(super) authenticator: Arc<Authenticator>,
    pub(super) cookies: Cookies,
    /// What sessions are bound to.
    pub(super) binding: BindingSettings,
    transmitters: Vec<Arc<Transmitter>>,
    icons: Icons,
    /// What a browser is told to forget at sign-out (`Clear-Site-Data`).
    site_data: Option<HeaderValue>,
}

/// What sessions are bound to: devices, and for which hosts; networks.
#[derive(Clone, Debug, Default)]
pub struct BindingSettings {
    /// Whether they are bound to devices.
    pub bind: Bind,
    /// The domain of which one binding covers all hosts; only where its document is served here.
    pub site: Option<String>,
    /// What is one network, where a session that turns up in another one has to be signed in anew.
    pub network: Option<NetworkPrefix>,
}

impl Endpoints {
    /// `forget`: what browsers are told to forget of a host where somebody signs out.
    #[must_use]
    pub fn new(
        resources: Arc<Resources>,
        hosts: Hosts,
        providers: Providers,
        authenticator: Arc<Authenticator>,
        cookies: Cookies,
        binding: BindingSettings,
        forget: &[SiteData],
    ) -> Self {
        let (transmitters, icons, site_data) = (Vec::new(), Icons::default(), clear_site_data(forget));
        Self { resources, hosts, providers, authenticator, cookies, binding, transmitters, icons, site_data }
    }

    /// The same with these who send signals.
    #[must_use]
    pub fn with_transmitters(self, transmitters: Vec<Arc<Transmitter>>) -> Self {
        Self { transmitters, ..self }
    }

    /// The same with these pictures of apps.
    #[must_use]
    pub fn with_icons(self, icons: Icons) -> Self {
        Self { icons, ..self }
    }

    /// The picture that is asked for.
    pub(super) fn icon(&self, context: RequestContext<'_>) -> Result<Response<Bytes>, EndpointError> {
        let picture = self.icons.at(context.path.decoded()).ok_or(EndpointError::NotFound)?;
        Ok(picture.response())
    }

    /// The transmitter of this name.
    pub(super) fn transmitter(&self, name: &str) -> Option<&Arc<Transmitter>> {
        self.transmitters.iter().find(|transmitter| transmitter.settings().name == name)
    }

    /// The session of `found`, where a page of ours may be shown by it: none of which something more is asked everywhere.
    pub(super) fn good_session<'f>(
        &self,
        context: RequestContext<'_>,
        found: &'f Authentication,
    ) -> Option<&'f OpenedSession> {
        let opened = found.session()?;
        let now = self.resources.clock.now();
        let unbound = self.binding.bind == Bind::Required && found.is_bound(now) == Some(false);
        let asked = unbound
            || self.has_moved(context, &opened.session)
            || opened.session.step_up_since().is_some()
            || opened.session.has_stale_claims();
        (!mutant!(asked, "own-pages-ask-for-nothing" => false)).then_some(opened)
    }

    /// Whether `session` has turned up in another network than it was made from, where that counts.
    pub(super) fn has_moved(&self, context: RequestContext<'_>, session: &Session) -> bool {
        let client = context.forwarding.client.ip();
        let moved = self.binding.network.is_some_and(|network| session.has_moved(client, network));
        mutant!(moved, "ticket-for-a-session-that-moved" => false)
    }

    /// The cookies that are ours, and no app's.
    #[must_use]
    pub const fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    /// What people call a provider.
    #[must_use]
    pub fn display_name<'a>(&'a self, name: &'a ProviderName) -> &'a str {
        self.providers.get(name.as_str()).map_or(name.as_str(), |provider| &provider.settings().display_name)
    }

    /// The session of a browser at the host that it asks.
    pub(super) async fn session(
        &self,
        context: RequestContext<'_>,
        headers: &HeaderMap,
    ) -> Result<Authentication, EndpointError> {
        Ok(self.authenticator.session(context.authority.host(), headers).await?)
    }

    /// Why the session of a browser is over, where it was ended from elsewhere lately.
    #[must_use]
    pub fn why_ended(&self, headers: &HeaderMap) -> Option<SessionEnd> {
        match self.cookies.session.read(headers)? {
            CookieRead::Key(key) => self.resources.sessions.why_ended(key.id()),
            CookieRead::Malformed => None,
        }
    }

    /// Takes from the browser what it has kept of this origin for the person who was signed in: pages in caches
    /// and in the memory of the back button, `no-store` ones among them, and what else the configuration says (Clear
    /// Site Data, section 3.1; invariant 17). Browsers heed it in secure contexts.
    pub(super) fn forget_pages<B>(&self, response: &mut Response<B>) {
        let forget = mutant!(self.site_data.clone(), "pages-kept-after-sign-out" => None);
        response.headers_mut().extend(forget.map(|data| (CLEAR_SITE_DATA, data)));
    }
}
