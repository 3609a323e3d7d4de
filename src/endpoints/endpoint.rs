//! The table of the endpoints: what each is, where, and by which methods.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};

use super::answer::Answer;
use super::bound_session::WELL_KNOWN;
use super::context::RequestContext;
use super::error::EndpointError;
use super::paths::{
    ACCOUNT, BACK_CHANNEL_LOGOUT, BIND, CALLBACK, FRONT_CHANNEL_LOGOUT, HOME_WITH_SLASH, ICON, KEYS,
    REFRESH_BINDING, RESUME, ROOT, SESSIONS, SIGN_IN, SIGN_OUT, SIGNALS, SIGNED_OUT, TICKET,
};
use super::state::Endpoints;
use super::{
    account, back_channel, bound_session, callback, front_channel, home, resume, sessions, sign_in, sign_out,
    signals, ticket,
};
use crate::forward::JWKS_MAX_AGE;
use crate::listener::RequestBody;

/// What stands below `/.portcullis` on our hosts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Leads people to their apps. It claims everything below its path as well, so that
    /// what is no endpoint there is 404 and no app's.
    Home,
    /// Begins a sign-in, or lets the person choose a provider.
    SignIn,
    /// Where providers send people back to (`redirect_uri`).
    Callback,
    /// Where an app's host gets its session from the sign-in host's.
    Ticket,
    /// Shows a person their sign-ins, and ends those that they say.
    Sessions,
    /// Shows a person what their provider says of them, and how they are signed in.
    Account,
    /// The pictures of apps, each to a place of its own below.
    Icon,
    /// Ends the session.
    SignOut,
    /// Where providers send people after signing them out.
    SignedOut,
    /// Where providers say, server to server, that a person has signed out there (OpenID Connect Back-Channel Logout
    /// 1.0).
    BackChannelLogout,
    /// Where providers have browsers say that a person has signed out there (OpenID Connect Front-Channel Logout 1.0).
    FrontChannelLogout,
    /// Where transmitters send security event tokens (RFC 8935), each to a place of its own below.
    Signals,
    /// Where a form goes on that was kept while its sender signed in.
    Resume,
    /// The keys that assertions are verified with (RFC 7517).
    Keys,
    /// Where browsers bind their session to their device.
    Bind,
    /// Where they renew the cookie that shows it.
    RefreshBinding,
    /// The document by which a domain lets its sessions be bound on the sign-in host.
    BoundSessionsOfSite,
}

impl Endpoint {
    /// The table: every one, with its path and its methods.
    pub const TABLE: [(Self, &'static str, &'static [Method]); 17] = [
        (Self::Home, ROOT, &[Method::GET, Method::HEAD]),
        (Self::SignIn, SIGN_IN, &[Method::GET, Method::POST]),
        (Self::Callback, CALLBACK, &[Method::GET, Method::POST]),
        (Self::Ticket, TICKET, &[Method::GET]),
        (Self::Sessions, SESSIONS, &[Method::GET, Method::HEAD, Method::POST]),
        (Self::Account, ACCOUNT, &[Method::GET, Method::HEAD]),
        (Self::Icon, ICON, &[Method::GET, Method::HEAD]),
        (Self::SignOut, SIGN_OUT, &[Method::GET, Method::POST]),
        (Self::SignedOut, SIGNED_OUT, &[Method::GET]),
        (Self::BackChannelLogout, BACK_CHANNEL_LOGOUT, &[Method::POST]),
        (Self::FrontChannelLogout, FRONT_CHANNEL_LOGOUT, &[Method::GET]),
        (Self::Signals, SIGNALS, &[Method::POST]),
        (Self::Resume, RESUME, &[Method::GET, Method::POST]),
        (Self::Keys, KEYS, &[Method::GET, Method::HEAD]),
        (Self::Bind, BIND, &[Method::POST]),
        (Self::RefreshBinding, REFRESH_BINDING, &[Method::POST]),
        (Self::BoundSessionsOfSite, WELL_KNOWN, &[Method::GET, Method::HEAD]),
    ];

    fn path(self) -> &'static str {
        Self::TABLE.iter().find(|(endpoint, ..)| *endpoint == self).map_or(ROOT, |(_, path, _)| path)
    }

    /// Whether it is served on every host, or on that of `public_url` alone: there is one redirect URI
    /// (decision 5), and one of each kind where providers tell of sign-outs.
    const fn is_everywhere(self) -> bool {
        !matches!(
            self,
            Self::Callback
                | Self::SignedOut
                | Self::BackChannelLogout
                | Self::FrontChannelLogout
                | Self::Signals
        )
    }

    /// Whether the request is for this and not for something below it.
    fn is_at(self, endpoints: &Endpoints, context: RequestContext<'_>) -> bool {
        let public = || endpoints.hosts.is_public(context.authority, context.forwarding.scheme);
        let here = self.is_everywhere() || mutant!(public(), "callback-on-every-host" => true);
        let path = context.path.decoded();
        let front = self == Self::Home && (path == "/" || path == HOME_WITH_SLASH);
        // A place of each transmitter's, and of each picture; which there are is the handler's to know.
        let below = matches!(self, Self::Signals | Self::Icon) && path.len() > self.path().len();
        here && (path == self.path() || front || below)
    }
}

impl Endpoints {
    /// Answers a request that `endpoint` claims.
    pub async fn answer(
        &self,
        endpoint: Endpoint,
        context: RequestContext<'_>,
        request: Request<RequestBody>,
    ) -> Answer {
        if !endpoint.is_at(self, context) {
            return EndpointError::NotFound.into();
        }
        match endpoint {
            Endpoint::Home => home::answer(self, context, (request.headers(), request.uri())).await,
            Endpoint::SignIn => sign_in::answer(self, context, request).await,
            Endpoint::Callback => callback::answer(self, context, request).await,
            Endpoint::Ticket => ticket::answer(self, context, &request).await,
            Endpoint::Sessions => sessions::answer(self, context, request).await,
            Endpoint::Account => account::answer(self, context, request.headers()).await,
            Endpoint::Icon => self.icon(context).into(),
            Endpoint::SignOut => sign_out::answer(self, context, &request).await,
            Endpoint::SignedOut => sign_out::back(self, context, &request).await,
            Endpoint::BackChannelLogout => back_channel::answer(self, context, request).await,
            Endpoint::FrontChannelLogout => front_channel::answer(self, context, &request).await,
            Endpoint::Signals => signals::answer(self, context, request).await,
            Endpoint::Resume => resume::answer(self, context, request).await,
            Endpoint::Keys => keys(self).into(),
            Endpoint::Bind => bound_session::register(self, context, &request).await,
            Endpoint::RefreshBinding => bound_session::refresh(self, context, &request).await,
            Endpoint::BoundSessionsOfSite => bound_session::well_known(self, context).into(),
        }
    }
}

fn keys(endpoints: &Endpoints) -> Response<Bytes> {
    let mut response = Response::new(endpoints.resources.asserter.jwks().into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    let fresh = HeaderValue::try_from(format!("public, max-age={}", JWKS_MAX_AGE.as_secs()));
    headers.extend(fresh.map(|fresh| (header::CACHE_CONTROL, fresh)));
    response
}
