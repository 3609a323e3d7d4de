//! How `explain` reads on a terminal.

use std::fmt::Write;

use http::HeaderMap;

use super::recorded::Recorded;
use crate::forward::{ASSERTION, ForwardSettings, Server, ServerAddress, TokenPass, UpstreamSettings};
use crate::gate::{Explained, Imagined, Next, RedirectSettings};
use crate::identity::Principal;

/// The whole answer.
pub(super) fn text(request: &Imagined, explained: &Explained<'_>, recorded: Option<&Recorded>) -> String {
    let mut text = String::new();
    line(&mut text, "request", &format!("{} {}", request.method, request.url));
    line(&mut text, "from", &request.client.to_string());
    line(
        &mut text,
        "who",
        &request.principal.as_deref().map_or_else(|| "nobody is signed in".to_owned(), who),
    );
    recorded.iter().for_each(|recorded| line(&mut text, "logged", &recorded.told()));
    match explained {
        Explained::Refused(reason) => line(&mut text, "decision", &format!("refused: {reason}")),
        Explained::Own => line(&mut text, "decision", "the gateway answers this itself"),
        Explained::Route { route, decision, action } => {
            let pattern = &route.pattern;
            line(&mut text, "route", &format!("{} ({}{})", route.name, pattern.host, pattern.path));
            line(&mut text, "decision", &indented(&decision.to_string()));
            if explained.is_let_in() {
                next(&mut text, action, request);
            }
        }
    }
    text
}

fn line(text: &mut String, label: &str, value: &str) {
    let _ = writeln!(text, "{label:<9} {value}");
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n          ")
}

fn who(principal: &Principal) -> String {
    let mut text = format!("{} ({})", principal.user, principal.provider);
    if let Some(email) = &principal.email {
        let verified = if email.verified { "" } else { ", not verified" };
        let _ = write!(text, ", {}{verified}", email.address);
    }
    for (label, values) in [("groups", &principal.groups), ("scopes", &principal.scopes)] {
        if !values.is_empty() {
            let _ = write!(text, ", {label} {}", values.join(" "));
        }
    }
    text
}

fn next(text: &mut String, action: &Next<'_>, request: &Imagined) {
    match action {
        Next::Redirect(redirect) => line(text, "then", &redirected(redirect)),
        Next::Forward(upstream, forward, headers) => forwarded(text, upstream, forward, headers, request),
    }
}

fn redirected(redirect: &RedirectSettings) -> String {
    let scheme = redirect.scheme.map(|scheme| format!(" to {scheme}")).unwrap_or_default();
    let host = redirect.host.as_deref().map(|host| format!(" to host {host}")).unwrap_or_default();
    let path = redirect.path.as_deref().map(|path| format!(" to path {path}")).unwrap_or_default();
    format!("a redirect ({}){scheme}{host}{path}", redirect.status.as_u16())
}

fn forwarded(
    text: &mut String,
    upstream: &UpstreamSettings,
    forward: &ForwardSettings,
    headers: &HeaderMap,
    request: &Imagined,
) {
    let servers: Vec<_> = upstream.servers.iter().map(server).collect();
    line(text, "then", &format!("forwarded to {}", servers.join(" or ")));
    for (name, value) in headers {
        line(text, "header", &format!("{name}: {}", value.to_str().unwrap_or("?")));
    }
    if forward.identity.assertion && request.principal.is_some() {
        let audience = request.url.host_str().unwrap_or_default();
        line(text, "header", &format!("{ASSERTION}: a signed JWT for {audience}"));
    }
    match forward.identity.token {
        TokenPass::None => {}
        TokenPass::Access => line(text, "header", "authorization: Bearer and the access token"),
        TokenPass::Id => line(text, "header", "authorization: Bearer and the ID token"),
    }
}

fn server(server: &Server) -> String {
    match &server.address {
        ServerAddress::Tcp { host, port, tls } => {
            format!("{}://{host}:{port}", if *tls { "https" } else { "http" })
        }
        ServerAddress::Unix(path) => format!("unix:{}", path.display()),
    }
}
