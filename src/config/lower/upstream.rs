//! Where a route's requests go.

use std::path::PathBuf;
use std::time::Duration;

use http::uri::PathAndQuery;
use rustls::pki_types::ServerName;

use crate::forward::{
    Balance, ClientCertificate, Ejection, HealthCheck, Protocol, Server, ServerAddress, Timeouts,
    UpstreamSettings, UpstreamTls,
};

use super::Lowering;
use super::file::{belong_together, chain, key};
use super::value::{DAY, HOUR, MINUTE, between, up_to, url};
use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, at};
use crate::config::raw::{self, BalanceWord, File, ProtocolWord, Route};

impl Lowering<'_> {
    pub(super) fn upstream(&mut self, route: Located<'_, Route>) -> UpstreamSettings {
        let servers = self.servers(route);
        let encrypted =
            servers.iter().any(|server| matches!(server.address, ServerAddress::Tcp { tls: true, .. }));
        UpstreamSettings {
            servers,
            balance: match route.value.balance {
                None | Some(BalanceWord::RoundRobin) => Balance::RoundRobin,
                Some(BalanceWord::LeastRequests) => Balance::LeastRequests,
            },
            health: at!(route.health).given().and_then(|at| self.health(at)),
            ejection: self.ejection(at!(route.ejection)),
            tls: at!(route.upstream_tls)
                .given()
                .map(|at| self.upstream_tls(at, encrypted))
                .unwrap_or_default(),
            timeout: self.timeouts(at!(route.timeout)),
            max_fields: route.value.max_response_fields.unwrap_or(100),
            keep_idle: route.value.keep_idle.unwrap_or(32),
        }
    }

    fn servers(&mut self, route: Located<'_, Route>) -> Vec<Server> {
        let at = at!(route.upstream);
        let mut servers: Vec<Server> = Vec::new();
        for at in at.all() {
            let Some(server) = self.keep(server(at, route.value.upstream_protocol.as_ref())) else {
                continue;
            };
            if servers.contains(&server) {
                self.fault(
                    Diagnostic::new(at.place, "the same server twice").expected("expected each server once"),
                );
            }
            servers.push(server);
        }
        if at.all().is_empty() {
            self.fault(
                Diagnostic::new(at.place, "an upstream without servers")
                    .expected("expected at least one server"),
            );
        }
        if let (Some(at), true) = (at!(route.balance).given(), servers.len() == 1) {
            self.diagnostics
                .warn(Diagnostic::new(at.place, "`balance` with a single server chooses nothing"));
        }
        servers
    }

    fn health(&mut self, at: Located<'_, raw::Health>) -> Option<HealthCheck> {
        let path = self.keep(target(at!(at.path)));
        let interval = self.span(at!(at.interval), Duration::from_secs(10), between(100, HOUR));
        let timeout = self.span(at!(at.timeout), Duration::from_secs(2), between(10, 5 * MINUTE));
        Some(HealthCheck {
            path: path?,
            interval,
            timeout,
            healthy_after: at.value.healthy_after.unwrap_or(2),
            unhealthy_after: at.value.unhealthy_after.unwrap_or(3),
        })
    }

    fn ejection(&mut self, at: Located<'_, Option<raw::Ejection>>) -> Ejection {
        let default = Ejection { after: 5, pause: Duration::from_secs(10) };
        let Some(at) = at.given() else { return default };
        Ejection {
            after: at.value.after.unwrap_or(default.after),
            pause: self.span(at!(at.pause), default.pause, between(100, HOUR)),
        }
    }

    fn timeouts(&mut self, at: Located<'_, Option<raw::Timeout>>) -> Timeouts {
        let (connect, response, idle) =
            (Duration::from_secs(5), Duration::from_secs(60), Duration::from_secs(300));
        let Some(at) = at.given() else { return Timeouts { connect, response, idle } };
        Timeouts {
            connect: self.span(at!(at.connect), connect, between(10, 5 * MINUTE)),
            response: self.span(at!(at.response), response, between(10, DAY)),
            idle: self.span(at!(at.idle), idle, up_to(30 * DAY)),
        }
    }

    pub(super) fn after_expiry(&mut self, at: Located<'_, Option<raw::Timeout>>) -> Duration {
        let default = Duration::from_secs(300);
        let Some(at) = at.given() else { return default };
        self.span(at!(at.after_expiry), default, between(0, DAY))
    }

    fn upstream_tls(&mut self, at: Located<'_, raw::UpstreamTls>, encrypted: bool) -> UpstreamTls {
        if !encrypted {
            self.fault(
                Diagnostic::new(at.place, "`upstream_tls`, but no server of the upstream speaks TLS")
                    .expected("expected `upstream = \"https://…\"` beside it"),
            );
        }
        UpstreamTls {
            ca: at!(at.ca).given().and_then(|ca| {
                let pem = self.certificates(ca);
                self.keep(pem)
            }),
            client: self.client_certificate(at!(at.cert).given(), at!(at.key).given()),
            server_name: at!(at.server_name).given().and_then(|name| self.keep(server_name(name))),
        }
    }

    /// A certificate and its key, which come together.
    pub(super) fn client_certificate(
        &mut self,
        cert: Option<Located<'_, File>>,
        key: Option<Located<'_, File>>,
    ) -> Option<ClientCertificate> {
        match (cert, key) {
            (None, None) => None,
            (Some(cert), Some(key)) => self.client_pair(cert, key),
            (Some(one), None) | (None, Some(one)) => {
                self.fault(
                    Diagnostic::new(one.place, "a certificate and its key come together")
                        .expected("expected both `cert` and `key`"),
                );
                None
            }
        }
    }

    fn client_pair(
        &mut self,
        cert: Located<'_, File>,
        key_at: Located<'_, File>,
    ) -> Option<ClientCertificate> {
        let certificates = self.read_certificates(cert);
        let secret = self.key_file(key_at);
        let (pem, secret) = (self.keep(certificates), self.keep(secret));
        let (Some(pem), secret) = (pem?, secret?) else { return None };
        let pair = chain(&pem, cert.place).and_then(|chain| {
            belong_together(chain, key(secret.expose().as_bytes(), key_at.place)?, cert.place)
        });
        self.keep(pair)?;
        Some(ClientCertificate { chain: pem, key: secret })
    }
}

const EXAMPLE: &str = "http://10.0.0.5:8080";

fn server(at: Located<'_, String>, protocol: Option<&ProtocolWord>) -> Result<Server, Diagnostic> {
    let (address, prior_knowledge) = match at.value.strip_prefix("h2c://") {
        Some(rest) => (tcp(at, &format!("http://{rest}"))?, true),
        None if at.value.starts_with("unix:") => (unix(at)?, false),
        None => (tcp(at, at.value)?, false),
    };
    let protocol = match (protocol, prior_knowledge) {
        (Some(ProtocolWord::Http1), true) => {
            return Err(Diagnostic::new(
                at.place,
                "`h2c://` is HTTP/2, but `upstream_protocol` is \"http1\"",
            )
            .expected("expected `http://`, or no `upstream_protocol`"));
        }
        (_, true) | (Some(ProtocolWord::Http2), _) => Protocol::Http2,
        (Some(ProtocolWord::Http1), _) => Protocol::Http1,
        (None | Some(ProtocolWord::Auto), false) => Protocol::Auto,
    };
    Ok(Server { address, protocol })
}

fn tcp(at: Located<'_, String>, text: &str) -> Result<ServerAddress, Diagnostic> {
    let url = url(text, at.place, &["http", "https"], EXAMPLE)?;
    if url.path() != "/" {
        return Err(Diagnostic::new(at.place, "the upstream has a path")
            .expected("expected scheme, host and port alone")
            .help("what stands in front of paths at the app is `replace_path = \"/…\"`"));
    }
    match (url.host_str(), url.port_or_known_default()) {
        (Some(host), Some(port)) if port > 0 => {
            Ok(ServerAddress::Tcp { host: host.to_owned(), port, tls: url.scheme() == "https" })
        }
        _ => Err(Diagnostic::new(at.place, "the upstream has no host or port")
            .expected(format!("expected an address such as \"{EXAMPLE}\""))),
    }
}

fn unix(at: Located<'_, String>) -> Result<ServerAddress, Diagnostic> {
    let path = PathBuf::from(at.value.strip_prefix("unix:").unwrap_or_default());
    let double = at.value.starts_with("unix://");
    if path.is_absolute() && !double && path.file_name().is_some() {
        return Ok(ServerAddress::Unix(path));
    }
    Err(Diagnostic::new(at.place, "not the path of a socket")
        .expected("expected an absolute path such as \"unix:/run/app.sock\""))
}

fn server_name(at: Located<'_, String>) -> Result<String, Diagnostic> {
    ServerName::try_from(at.value.clone()).map(|_| at.value.clone()).map_err(|_| {
        Diagnostic::new(at.place, "not a name that a certificate could hold")
            .expected("expected a name such as \"app.internal\"")
    })
}

/// What is asked for with `GET`.
fn target(at: Located<'_, String>) -> Result<String, Diagnostic> {
    let good =
        at.value.starts_with('/') && !at.value.contains('#') && at.value.parse::<PathAndQuery>().is_ok();
    good.then(|| at.value.clone()).ok_or_else(|| {
        Diagnostic::new(at.place, "not a path").expected("expected a path such as \"/healthz\"")
    })
}
