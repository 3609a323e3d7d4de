//! What a route does, in words for operators.

use http::HeaderMap;

use super::explained::{Imagined, Next};
use super::settings::{RedirectSettings, RouteAction, RouteSettings};
use crate::forward::{ASSERTION, ForwardSettings, Server, ServerAddress, TokenPass, UpstreamSettings};

impl Next<'_> {
    /// What would follow, such as `forwarded to http://127.0.0.1:9001`.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Redirect(redirect) => redirected(redirect),
            Self::Serve(application) => format!("served by the gateway itself: {application}"),
            Self::NotFound(application) => format!("404: {application} has nothing at this path"),
            Self::Forward(upstream, ..) => forwarded(upstream),
        }
    }

    /// The headers that tell the app who asks.
    #[must_use]
    pub fn headers(&self, request: &Imagined) -> Vec<String> {
        match self {
            Self::Forward(_, forward, headers) => sent(forward, headers, request),
            Self::Redirect(_) | Self::Serve(_) | Self::NotFound(_) => Vec::new(),
        }
    }
}

impl RouteSettings {
    /// What it does with what is let in, such as `forwarded to http://127.0.0.1:9001`.
    #[must_use]
    pub fn action_in_words(&self) -> String {
        match &self.action {
            RouteAction::Forward { upstream, .. } => forwarded(upstream),
            RouteAction::Redirect(redirect) => redirected(redirect),
            RouteAction::Serve(application) => format!("served by the gateway itself: {application}"),
        }
    }

    /// What it asks of sessions beside the rules; `None` where it asks nothing.
    #[must_use]
    pub fn session_in_words(&self) -> Option<String> {
        let span = humantime::format_duration;
        let age = self.session_max_age.map(|it| format!("at most {} old", span(it)));
        let idle =
            self.session_idle_timeout.map(|it| format!("unused on this route for at most {}", span(it)));
        let network = self
            .session_network
            .map(|it| format!("from the network that it was made from (/{}, IPv6 /{})", it.ipv4, it.ipv6));
        let limits: Vec<_> = age.into_iter().chain(idle).chain(network).collect();
        (!limits.is_empty()).then(|| format!("{}, else a new sign-in", limits.join(" and ")))
    }
}

fn forwarded(upstream: &UpstreamSettings) -> String {
    let servers: Vec<_> = upstream.servers.iter().map(server).collect();
    format!("forwarded to {}", servers.join(" or "))
}

fn sent(forward: &ForwardSettings, headers: &HeaderMap, request: &Imagined) -> Vec<String> {
    let shown = headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or("?")));
    let mut sent: Vec<_> = shown.collect();
    if forward.identity.assertion && request.principal.is_some() {
        let audience = request.url.host_str().unwrap_or_default();
        sent.push(format!("{ASSERTION}: a signed JWT for {audience}"));
    }
    match forward.identity.token {
        TokenPass::None => {}
        TokenPass::Access => sent.push("authorization: Bearer and the access token".to_owned()),
        TokenPass::Id => sent.push("authorization: Bearer and the ID token".to_owned()),
    }
    sent
}

fn redirected(redirect: &RedirectSettings) -> String {
    let scheme = redirect.scheme.map(|scheme| format!(" to {scheme}")).unwrap_or_default();
    let host = redirect.host.as_deref().map(|host| format!(" to host {host}")).unwrap_or_default();
    let path = redirect.path.as_deref().map(|path| format!(" to path {path}")).unwrap_or_default();
    format!("a redirect ({}){scheme}{host}{path}", redirect.status.as_u16())
}

fn server(server: &Server) -> String {
    match &server.address {
        ServerAddress::Tcp { host, port, tls } => {
            format!("{}://{host}:{port}", if *tls { "https" } else { "http" })
        }
        ServerAddress::Unix(path) => format!("unix:{}", path.display()),
    }
}
