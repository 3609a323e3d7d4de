//! What a route does to a request's and a response's head.

use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, Version};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::assertion::{ASSERTION, Asserter};
use super::cookies::{self, OwnCookies};
use super::location::{AppNames, PublicNames};
use super::{
    ForwardError, ForwardFault, ForwardSettings, PathRewrite, ReservedHeaders, TokenPass, UpstreamHost,
};
use super::{forwarded, headers, identity};
use crate::identity::RequestId;
use crate::policy::Permit;
use crate::request::{Authority, Forwarding, Origin, OriginFields, RequestPath, Transport};
use crate::secret::Secret;
use crate::trace::RequestTrace;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// What stands in a path as it is; `%` too, for what is decoded keeps the escapes that mean something else.
const IN_PATHS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What one route does to requests and responses on their way, ready to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) settings: ForwardSettings,
    pub(super) reserved: Arc<ReservedHeaders>,
    /// The route's path as it is written.
    prefix: Arc<str>,
    /// The value of `X-Forwarded-Prefix`, where the route takes its prefix off the path.
    stripped: Option<HeaderValue>,
}

/// What the gateway knows of a request beyond the request itself.
#[derive(Clone, Copy)]
pub struct ForwardContext<'a> {
    /// The connection it came in on.
    pub transport: &'a Transport,
    /// Whose it is, and what trusted proxies say of it.
    pub forwarding: &'a Forwarding,
    /// The host it is for.
    pub authority: &'a Authority,
    /// The path that was judged; this one is forwarded.
    pub path: &'a RequestPath,
    /// What the request is called in the log, and told the app.
    pub request_id: &'a RequestId,
    /// The trace that it belongs to, as the app is told.
    pub trace: Option<&'a RequestTrace>,
    /// Whether its `Authorization: Bearer` authenticated it.
    pub bearer: bool,
    /// The access token that authenticated it by another field, where the route hands tokens on.
    pub brought: Option<&'a Secret>,
    /// The tokens of its session.
    pub tokens: SessionTokens<'a>,
    /// Which cookies are the gateway's.
    pub own_cookies: &'a dyn OwnCookies,
    /// Signs assertions; a route that wants one and finds no signer fails.
    pub asserter: Option<&'a Asserter>,
    /// The `aud` of an assertion: the route's host.
    pub audience: &'a str,
    /// The path in its `Destination` that was judged, where it has one: the app is told that, in its own words.
    pub destination: Option<&'a RequestPath>,
}

/// What a session has of its provider and an app may be given; neither where there is no session.
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionTokens<'a> {
    /// The access token, for routes that pass it on ([`TokenPass::Access`]).
    pub access: Option<&'a Secret>,
    /// The ID token, for routes that pass it on ([`TokenPass::Id`]).
    pub id: Option<&'a Secret>,
}

/// What is said of a request's origin, for the writer to put into the head.
#[derive(Debug)]
pub(super) struct OriginHeaders {
    /// The `Host` that the client asked us for.
    pub(super) host: HeaderValue,
    pub(super) fields: Arc<OriginFields>,
    /// Who asks, as lines of HTTP/1.1; over HTTP/2 the same is told by [`Plan::tell_identity`].
    pub(super) identity: Vec<u8>,
    /// The path of `Destination`, where that was judged.
    pub(super) destination: Option<String>,
}

impl Plan {
    /// Compiles a route's settings. `reserved` is the same for all routes.
    #[must_use]
    pub fn compile(settings: &ForwardSettings, reserved: Arc<ReservedHeaders>) -> Self {
        let prefix: Arc<str> = utf8_percent_encode(&settings.prefix, IN_PATHS).to_string().into();
        let strips = matches!(&settings.rewrite, PathRewrite::Replace { with, .. } if with == "/");
        let stripped = HeaderValue::from_str(&prefix).ok().filter(|_| strips);
        Self { settings: settings.clone(), reserved, prefix, stripped }
    }

    /// How many leading segments of a path the upstream does not see.
    #[must_use]
    pub fn stripped(&self) -> usize {
        self.settings.rewrite.stripped()
    }

    /// Turns the head that was received into the one that is sent: everything doubtful is removed first, and then what
    /// the gateway says is added, so that nothing that was received can touch it (invariant 9).
    pub(super) fn prepare(
        &self,
        permit: &Permit,
        context: &ForwardContext<'_>,
        received: Version,
        map: &mut HeaderMap,
    ) -> Result<OriginHeaders, ForwardError> {
        headers::strip_request(map, &self.reserved);
        mutant!(cookies::strip_request(map, context.own_cookies), "session-cookie-to-the-app" => ());
        self.authorize(permit, context, map)?;
        let destination = match context.destination {
            Some(judged) => self.public_names(context).take_destination(judged, map)?,
            None => None,
        };
        // The operator's rules come before what the gateway says, and cannot change it.
        headers::apply(&self.settings.request_headers, map);
        if let Some(stripped) = &self.stripped {
            map.insert(FORWARDED_PREFIX, stripped.clone());
        }
        let (host, fields) = tell_origin(context, received).ok_or(ForwardFault::BadTarget)?;
        if let Some(id) = context.request_id.field() {
            map.insert(REQUEST_ID, id);
        }
        context.trace.into_iter().for_each(|trace| trace.write(map));
        let identity = self.identity_lines(permit, map);
        self.assert_identity(permit, context, map)?;
        Ok(OriginHeaders { host, fields, identity, destination })
    }

    /// The identity headers, as lines of HTTP/1.1. No field that was received bears such a name any more; one that the
    /// operator's rules have set gives way to them.
    fn identity_lines(&self, permit: &Permit, map: &mut HeaderMap) -> Vec<u8> {
        let Some(principal) = permit.principal() else { return Vec::new() };
        if !self.settings.request_headers.is_empty() {
            identity::identity_headers(&self.settings.identity, principal).keys().for_each(|name| {
                map.remove(name);
            });
        }
        identity::lines(&self.settings.identity, principal)
    }

    /// Adds the identity headers to the head of a request over HTTP/2, where no lines are written behind the fields.
    pub(super) fn tell_identity(&self, permit: &Permit, map: &mut HeaderMap) {
        permit.principal().into_iter().for_each(|who| identity::add(&self.settings.identity, who, map));
    }

    fn assert_identity(
        &self,
        permit: &Permit,
        context: &ForwardContext<'_>,
        map: &mut HeaderMap,
    ) -> Result<(), ForwardError> {
        if let (Some(principal), true) = (permit.principal(), self.settings.identity.assertion) {
            let asserter = context.asserter.ok_or(ForwardFault::Internal)?;
            map.insert(ASSERTION, asserter.assertion(principal, context.audience)?);
        }
        Ok(())
    }

    /// Whose `Authorization` the app sees. A route that passes tokens on owns the field: what comes in
    /// reaches the app only where it is the token that authenticated the request.
    fn authorize(
        &self,
        permit: &Permit,
        context: &ForwardContext<'_>,
        map: &mut HeaderMap,
    ) -> Result<(), ForwardError> {
        let signed_in = permit.principal().is_some();
        let tokens = if signed_in && !context.bearer { context.tokens } else { SessionTokens::default() };
        let token = match self.settings.identity.token {
            TokenPass::None if mutant!(context.bearer, "bearer-token-to-the-app" => false) => None,
            TokenPass::None => return Ok(()),
            TokenPass::Access if context.bearer && signed_in && is_single(map) => return Ok(()),
            TokenPass::Access => context.brought.or(tokens.access),
            TokenPass::Id => tokens.id,
        };
        map.remove(header::AUTHORIZATION);
        token.map_or(Ok(()), |token| {
            map.try_insert(header::AUTHORIZATION, bearer(token)?)
                .map(drop)
                .map_err(|error| ForwardError::new(ForwardFault::Internal, error))
        })
    }

    /// The `Host` that the upstream sees.
    pub(super) fn host<'a>(&'a self, asked: &'a HeaderValue, server: &'a HeaderValue) -> &'a HeaderValue {
        match &self.settings.host {
            UpstreamHost::Keep => asked,
            UpstreamHost::Upstream => server,
            UpstreamHost::Fixed(value) => value,
        }
    }

    /// Rewrites `Location` and `Content-Location`, where the route wants it, from the app's names to the public ones.
    pub(super) fn tell_location(
        &self,
        context: &ForwardContext<'_>,
        app: &AppNames<'_>,
        map: &mut HeaderMap,
    ) {
        if self.settings.rewrite_location {
            self.public_names(context).rewrite_location(map, app);
        }
    }

    fn public_names<'a>(&'a self, context: &'a ForwardContext<'_>) -> PublicNames<'a> {
        PublicNames {
            scheme: context.forwarding.scheme,
            authority: context.authority,
            prefix: &self.settings.prefix,
            written_prefix: &self.prefix,
            rewrite: &self.settings.rewrite,
        }
    }

    /// Turns the response's head that was received into the one that is sent.
    pub(super) fn finish<B>(&self, context: &ForwardContext<'_>, response: &mut Response<B>) {
        // Versions and reason phrases belong to the upstream's connection.
        *response.version_mut() = Version::HTTP_11;
        response.extensions_mut().clear();
        let map = response.headers_mut();
        headers::strip_response(map);
        mutant!(cookies::strip_response(map, context.own_cookies), "app-signs-people-in" => ());
        headers::apply(&self.settings.response_headers, map);
    }
}

/// What the app is told of where the request came from.
fn tell_origin(context: &ForwardContext<'_>, received: Version) -> Option<(HeaderValue, Arc<OriginFields>)> {
    let Forwarding { client, scheme, host } = context.forwarding;
    let asked = host.as_ref().unwrap_or(context.authority);
    let origin = Origin { client: *client, scheme: *scheme, authority: asked.clone(), received };
    let origin = forwarded::fields(context.transport, origin)?;
    let host = if asked == context.authority {
        origin.host.clone()
    } else {
        forwarded::host_value(context.authority)?
    };
    Some((host, origin))
}

fn is_single(map: &HeaderMap) -> bool {
    map.get_all(header::AUTHORIZATION).iter().nth(1).is_none()
}

fn bearer(token: &Secret) -> Result<HeaderValue, ForwardError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
        .map_err(|_| ForwardError::new(ForwardFault::Internal, "the provider's token is no header value"))?;
    value.set_sensitive(true);
    Ok(value)
}

impl std::fmt::Debug for ForwardContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ForwardContext").field("request_id", self.request_id).finish_non_exhaustive()
    }
}
