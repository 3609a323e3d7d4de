//! Routes that lead in a circle or nowhere.

use http::Method;

use crate::gate::{RedirectSettings, RouteAction};
use crate::request::Scheme;
use crate::route::HostPattern;

use super::{LintedRoute, Lints};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::at;

impl<'a> Lints<'a> {
    pub(super) fn about_routes(&self) -> Vec<Diagnostic> {
        let mut warnings: Vec<_> = self.no_routes().into_iter().collect();
        for linted in &self.routes {
            warnings.extend(self.circle(*linted));
            warnings.extend(self.without_fallback(*linted));
            warnings.extend(self.nobody_known(*linted));
            methods_never_forwarded(*linted, &mut warnings);
        }
        warnings
    }

    fn no_routes(&self) -> Option<Diagnostic> {
        let config = self.config;
        self.routes.is_empty().then(|| {
            Diagnostic::new(at!(config.server).place, "no route: every request is answered with 404")
                .expected("the rest of the file has nothing to protect")
                .help("begin an app with `[[routes]]`, `host` and `upstream`")
        })
    }

    /// A redirect to where the request already is.
    fn circle(&self, linted: LintedRoute<'a>) -> Option<Diagnostic> {
        let RouteAction::Redirect(redirect) = &linted.meant.action else { return None };
        if !self.leads_back(linted, redirect) {
            return None;
        }
        let route = linted.at;
        let diagnostic = Diagnostic::new(at!(route.redirect).place, "the redirect leads in a circle")
            .expected("this very route takes the request again");
        Some(diagnostic.help(match (redirect.scheme, linted.host()) {
            (None, _) | (_, HostPattern::Exact(_, Some(_)) | HostPattern::Wildcard(_, Some(_))) => {
                "name another host or path".to_owned()
            }
            (Some(scheme), host) => {
                let host =
                    if *host == HostPattern::Any { "wiki.corp.example".to_owned() } else { host.to_string() };
                let (what, port) = if scheme == Scheme::Https { ("clear text", 80) } else { ("TLS", 443) };
                format!("requests in {what} come on another port: name it, as in `host = \"{host}:{port}\"`")
            }
        }))
    }

    fn leads_back(&self, linted: LintedRoute<'a>, redirect: &RedirectSettings) -> bool {
        let same_path = redirect
            .path
            .as_deref()
            .is_none_or(|path| linted.meant.pattern.path.holds(path) && self.taken(path, linted).is_none());
        let (same_host, port) = match (linted.host(), redirect.host.as_deref()) {
            (HostPattern::Exact(host, port), Some(to)) => (host == to.split(':').next().unwrap_or(to), *port),
            (HostPattern::Exact(_, port) | HostPattern::Wildcard(_, port), None) => (true, *port),
            (HostPattern::Any, None) => (true, None),
            (HostPattern::Wildcard(..) | HostPattern::Any, Some(_)) => (false, None),
        };
        let same_port = port.is_none_or(|port| redirect.scheme.is_none_or(|to| to.default_port() == port));
        same_path && same_host && same_port && redirect.scheme.is_none_or(|scheme| self.is_spoken(scheme))
    }

    /// Whether requests can come in by `scheme`: over a listener, or as a proxy in front says.
    fn is_spoken(&self, scheme: Scheme) -> bool {
        let proxied = !self.settings.trusted_proxies.is_empty();
        proxied
            || self
                .settings
                .listeners
                .iter()
                .any(|listener| listener.tls.is_some() == (scheme == Scheme::Https))
    }

    /// A host of its own that a wildcard would have served: it never falls back.
    fn without_fallback(&self, linted: LintedRoute<'a>) -> Option<Diagnostic> {
        let HostPattern::Exact(host, None) = linted.host() else { return None };
        let suffix = host.split_once('.')?.1;
        let wide = HostPattern::Wildcard(suffix.to_owned(), None);
        let wide = self.first(&wide)?;
        let first = self.first(linted.host()).is_some_and(|first| first.is(linted));
        if !first || !self.at(linted.host(), "/").is_empty() {
            return None;
        }
        let route = linted.at;
        Some(
            Diagnostic::new(
                at!(route.host).place,
                format!("most paths of {} are answered with 404", quoted(host)),
            )
            .expected("a host with routes of its own has only these")
            .see(wide.claim(), "does not serve it any more")
            .help("add a route for the host without `path`"),
        )
    }

    /// Identity on a route that asks nobody who they are.
    fn nobody_known(&self, linted: LintedRoute<'a>) -> Option<Diagnostic> {
        let route = linted.at;
        let identity = at!(route.identity).given().filter(|_| linted.is_public())?;
        Some(
            Diagnostic::new(
                identity.place,
                "the app is told nothing here: on a public route nobody is known",
            )
            .expected("never written")
            .see(at!(route.access).place, "asks nobody who they are")
            .help("what comes in under these names is removed all the same"),
        )
    }
}

/// `CONNECT` and `TRACE` never reach an upstream.
fn methods_never_forwarded(linted: LintedRoute<'_>, warnings: &mut Vec<Diagnostic>) {
    let route = linted.at;
    let refused = [Method::CONNECT, Method::TRACE];
    for method in at!(route.methods).all() {
        if refused.iter().any(|refused| refused.as_str() == method.value) && linted.servers().next().is_some()
        {
            warnings.push(
                Diagnostic::new(method.place, format!("{} is never forwarded", quoted(method.value)))
                    .expected("answered with 405"),
            );
        }
    }
}
