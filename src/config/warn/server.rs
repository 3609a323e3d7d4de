//! The server's and the providers' settings.

use std::collections::HashMap;

use super::{LintedRoute, Lints, joined};
use crate::authn::Accepted;
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, at};
use crate::config::lower::is_this_machine;
use crate::config::raw::{Listen, Provider};
use crate::forward::TokenPass;
use crate::gate::{RouteAction, RouteSettings};
use crate::oidc::ProviderSettings;
use crate::sinks::PostgresHost;
use crate::storage::redis::Transport;

impl<'a> Lints<'a> {
    pub(super) fn about_the_server(&self) -> Vec<Diagnostic> {
        let mut warnings = self.everybody_trusted();
        warnings.extend(self.anybody_sends_proxy_headers());
        warnings.extend(self.cookies_in_clear_text());
        warnings.extend(self.nobody_speaks_https());
        warnings.extend(self.passwords_in_clear_text());
        warnings.extend(self.admin_token_in_clear_text());
        warnings.extend(self.redis_in_clear_text());
        warnings.extend(self.about_postgres());
        warnings
    }

    fn admin_token_in_clear_text(&self) -> Option<Diagnostic> {
        let (config, meant) = (self.config, self.settings.admin.as_ref()?);
        let admin = at!(config.admin).given()?;
        let reached = meant.token.is_some() && !meant.address?.ip().is_loopback();
        reached.then(|| {
            Diagnostic::new(at!(admin.token).place, "the token of the management API goes in clear text")
                .expected("good for a network that nobody else hears")
                .help("listen on a loopback address, behind what speaks TLS, or use `socket`")
        })
    }

    fn redis_in_clear_text(&self) -> Option<Diagnostic> {
        let (config, meant) = (self.config, self.settings.redis.as_ref()?);
        let state = at!(config.state).given()?;
        let far = meant.transport == Transport::Clear
            && meant.servers.addresses().iter().any(|it| !it.is_loopback());
        far.then(|| {
            Diagnostic::new(at!(state.redis).place, "Redis is spoken to in clear text, its password included")
                .expected("good for a network that nobody else hears")
                .help("with `rediss://` it is TLS")
        })
    }

    fn about_postgres(&self) -> Option<Diagnostic> {
        let (config, meant) = (self.config, self.settings.postgres.as_ref()?);
        let state = at!(config.state).given()?;
        let place = at!(state.postgres).place;
        if self.settings.in_postgres().next().is_none() {
            return Some(
                Diagnostic::new(place, "`postgres`, and nothing is kept there")
                    .expected("expected a sink that keeps events in it")
                    .help("[[audit.sinks]] with `kind = \"postgres\"`"),
            );
        }
        let is_here = |host: &PostgresHost| match host {
            PostgresHost::Tcp(name, _) => is_this_machine(name),
            PostgresHost::Unix(..) => true,
        };
        (meant.tls.is_none() && !meant.hosts.iter().all(is_here)).then(|| {
            Diagnostic::new(
                place,
                "PostgreSQL is spoken to in clear text: events and the password go over the network",
            )
            .expected("good for a network that nobody else hears")
            .help("leave `sslmode` out, and it is TLS")
        })
    }

    fn everybody_trusted(&self) -> Vec<Diagnostic> {
        let config = self.config;
        let server = at!(config.server);
        let written = at!(server.trusted_proxies).all().into_iter();
        let networks =
            written.zip(&self.settings.trusted_proxies).filter(|(_, network)| network.prefix_len() == 0);
        let warning = |(at, _): (Located<'_, String>, _)| {
            Diagnostic::new(at.place, "everybody is trusted to say where a request comes from")
                .expected("anybody can send `X-Forwarded-For`")
                .help("name the networks of your own proxies; addresses in rules, limits and logs are worth nothing else")
        };
        networks.map(warning).collect()
    }

    fn anybody_sends_proxy_headers(&self) -> Vec<Diagnostic> {
        let config = self.config;
        let server = at!(config.server);
        let written = at!(server.listen).items().into_iter();
        let open = written.zip(&self.settings.listeners).filter(|(_, listener)| {
            listener.proxy_protocol.as_ref().is_some_and(|header| header.from.is_none())
        });
        let warning = |(at, _): (Located<'_, Listen>, _)| {
            Diagnostic::new(at.place, "whoever connects is believed what its PROXY protocol header says")
                .expected("anybody can claim any address")
                .help("name the balancers: `proxy_protocol = { from = [\"10.0.0.0/24\"] }`")
        };
        open.map(warning).collect()
    }

    fn cookies_in_clear_text(&self) -> Option<Diagnostic> {
        let (config, url) = (self.config, self.settings.relying_party.public_url.as_ref()?);
        let server = at!(config.server);
        (url.scheme() == "http").then(|| {
            Diagnostic::new(
                at!(server.public_url).place,
                "session cookies go in clear text, without `Secure` and `__Host-`",
            )
            .expected("good for trying things out on this machine")
            .help("with `https://` they are sent over TLS alone")
        })
    }

    /// Browsers come by `https`, but nothing here would know.
    fn nobody_speaks_https(&self) -> Option<Diagnostic> {
        let (config, url) = (self.config, self.settings.relying_party.public_url.as_ref()?);
        let server = at!(config.server);
        let clear = self.settings.listeners.iter().all(|listener| listener.tls.is_none());
        (url.scheme() == "https" && clear && self.settings.trusted_proxies.is_empty()).then(|| {
            Diagnostic::new(at!(server.listen).place, "`public_url` is https, but nothing here speaks TLS")
                .expected("every request seems to come in clear text")
                .see(at!(server.public_url).place, "so nobody can come back from signing in")
                .help("set `tls`, or name the proxy in front in `trusted_proxies` and let it send `X-Forwarded-Proto`")
        })
    }

    /// Clients send Basic with every request, unasked once they know it; a proxy in front may have spoken TLS.
    fn passwords_in_clear_text(&self) -> Vec<Diagnostic> {
        let config = self.config;
        let server = at!(config.server);
        let clear =
            self.settings.listeners.iter().any(|listener| listener.tls.is_none() && !listener.to_https);
        if !clear || !self.settings.trusted_proxies.is_empty() {
            return Vec::new();
        }
        let warning = |linted: &LintedRoute<'_>| {
            let route = linted.at;
            Diagnostic::new(at!(route.accept).place, "access tokens come as passwords, in clear text")
                .expected("whoever can listen can use them until they expire")
                .see(at!(server.listen).place, "no TLS here")
                .help("set `tls`, or name the proxy that speaks TLS in `trusted_proxies`")
        };
        self.routes.iter().filter(|linted| linted.meant.accept.has(Accepted::Basic)).map(warning).collect()
    }

    pub(super) fn about_providers(&self) -> Vec<Diagnostic> {
        let config = self.config;
        let written = at!(config.providers).given().map(Located::entries).unwrap_or_default();
        let pairs: Vec<_> = written.into_iter().zip(&self.settings.relying_party.providers).collect();
        let mut warnings = same_domains(&pairs);
        for ((name, at), meant) in pairs {
            warnings.extend(clear_text(at, meant));
            warnings.extend(idle(name, at, meant));
            warnings.extend(own_audience(at, meant));
            warnings.extend(self.cannot_renew(at, meant));
            warnings.extend(joined::in_provider(at));
        }
        warnings
    }

    /// Most providers give a refresh token where `offline_access` is asked for (OpenID Connect Core 1.0, section 11);
    /// Google does for a parameter of its own, and Keycloak in any case: there, what is asked for with it outlives
    /// the session at Keycloak, and nobody should be led to ask.
    fn cannot_renew(&self, at: Located<'_, Provider>, meant: &ProviderSettings) -> Option<Diagnostic> {
        let client = meant.client.as_ref()?;
        let asks = client.scopes.iter().any(|scope| scope == "offline_access")
            || client.extra.iter().any(|(name, value)| name == "access_type" && value == "offline");
        let handed_on = self
            .settings
            .routes
            .iter()
            .any(|route| route.accept.has(Accepted::Session) && passes_token(route));
        let is_keycloak = is_realm_of_keycloak(meant.issuer.as_str());
        (handed_on && !asks && !is_keycloak).then(|| {
            Diagnostic::new(
                at!(at.scopes).place,
                "access tokens go to apps, but `offline_access` is not asked for",
            )
            .expected("without a refresh token people are sent to sign in whenever the token expires")
            .help("add \"offline_access\" to `scopes`, unless this provider gives refresh tokens without it")
        })
    }
}

/// `https://host/realms/NAME`, with `/auth` in front of it in older versions.
fn is_realm_of_keycloak(issuer: &str) -> bool {
    let path =
        issuer.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    let path = path.strip_prefix("auth/").unwrap_or(path);
    path.strip_prefix("realms/").is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

fn passes_token(route: &RouteSettings) -> bool {
    match &route.action {
        RouteAction::Forward { forward, .. } => forward.identity.token == TokenPass::Access,
        RouteAction::Redirect(_) | RouteAction::Serve(_) => false,
    }
}

fn clear_text(at: Located<'_, Provider>, meant: &ProviderSettings) -> Option<Diagnostic> {
    meant.issuer.as_str().starts_with("http://").then(|| {
        Diagnostic::new(at!(at.issuer).place, "the provider is asked in clear text")
            .expected("good for trying things out on this machine")
            .help("whoever can listen or answer in its place can be anybody: use `https://`")
    })
}

fn idle(name: &str, at: Located<'_, Provider>, meant: &ProviderSettings) -> Option<Diagnostic> {
    (meant.client.is_none() && meant.audiences.is_empty()).then(|| {
        Diagnostic::new(at.place, format!("the provider {} is of no use", quoted(name)))
            .expected("neither `client_id` nor `audiences`")
            .help("`client_id` lets people sign in with it, `audiences` lets its access tokens in")
    })
}

/// An ID token's audience is the client: a front end that holds one could call APIs with it (RFC 8725,
/// section 2.8).
fn own_audience(at: Located<'_, Provider>, meant: &ProviderSettings) -> Option<Diagnostic> {
    let client = meant.client.as_ref().filter(|_| !meant.require_at_jwt)?;
    let audience = at!(at.audiences).all().into_iter().find(|audience| *audience.value == client.id)?;
    Some(Diagnostic::new(audience.place, "the audience is our own `client_id`: ID tokens have it, too")
        .expected("an ID token could pass for an access token")
        .see(at!(at.client_id).place, "the audience of every ID token")
        .help("let the provider issue access tokens for an audience of their own, or set `require_at_jwt = true`"))
}

/// People of one e-mail domain who would belong to two providers.
fn same_domains(pairs: &[((&str, Located<'_, Provider>), &ProviderSettings)]) -> Vec<Diagnostic> {
    let mut known = HashMap::new();
    let mut warnings = Vec::new();
    for ((_, at), _) in pairs {
        for domain in at!(at.email_domains).all() {
            match known.get(&domain.value.to_ascii_lowercase()) {
                None => drop(known.insert(domain.value.to_ascii_lowercase(), domain.place)),
                Some(first) => warnings.push(
                    Diagnostic::new(
                        domain.place,
                        format!("two providers claim the e-mail domain {}", quoted(domain.value)),
                    )
                    .expected("people of it have to choose")
                    .see(*first, "claimed here"),
                ),
            }
        }
    }
    warnings
}
