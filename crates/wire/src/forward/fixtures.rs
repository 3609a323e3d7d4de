//! Values that the tests of this room begin with.

use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::identity::{Claims, Email, Gaps, Issuer, Principal, ProviderName, Subject};
use crate::request::{ConnectionCache, Scheme, Transport, WorkerId};

pub(super) fn map(fields: &[(&str, &str)]) -> HeaderMap {
    let field = |(name, value): &(&str, &str)| {
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
    };
    let mut map = HeaderMap::new();
    for (name, value) in fields.iter().map(field) {
        map.append(name, value);
    }
    map
}

pub(super) fn transport(peer: &str) -> Transport {
    Transport {
        peer: peer.parse().unwrap(),
        local: "127.0.0.1:443".parse().unwrap(),
        scheme: Scheme::Http,
        to_https: false,
        worker: WorkerId(0),
        cache: ConnectionCache::default(),
        interim: None,
    }
}

pub(super) fn alice() -> Principal {
    Principal {
        provider: ProviderName::new("corp"),
        issuer: Issuer::new("https://id.corp.example"),
        subject: Subject::new("sub-1"),
        user: "alice".into(),
        email: Some(Email { address: "alice@corp.example".into(), verified: true, withheld: false }),
        groups: vec!["staff".into(), "ops".into()],
        scopes: Vec::new(),
        auth_time: None,
        acr: None,
        claims: Claims::default(),
        gaps: Gaps::default(),
    }
}

pub(super) fn forward_settings() -> ForwardSettings {
    ForwardSettings {
        rewrite: PathRewrite::Keep,
        prefix: String::new(),
        rewrite_location: false,
        host: UpstreamHost::Keep,
        identity: IdentitySettings::default(),
        request_headers: Vec::new(),
        response_headers: Vec::new(),
        max_body: None,
        min_body_rate: None,
    }
}

pub(super) fn server(address: ServerAddress) -> Server {
    Server { address, protocol: Protocol::Auto }
}

pub(super) fn tcp(port: u16) -> Server {
    server(ServerAddress::Tcp { host: "127.0.0.1".into(), port, tls: false })
}

pub(super) fn upstream_settings(servers: Vec<Server>) -> UpstreamSettings {
    let long = Duration::from_secs(60);
    UpstreamSettings {
        servers,
        balance: Balance::RoundRobin,
        health: None,
        ejection: Ejection { after: 0, pause: long },
        tls: UpstreamTls::default(),
        timeout: Timeouts { connect: long, response: long, idle: long },
        max_fields: 100,
        keep_idle: 8,
    }
}
