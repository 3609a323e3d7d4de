//! The hosts that are ours: the one where people sign in, and those that routes name.

use std::fmt;
use std::sync::Arc;

use url::Url;

use super::public_url::{PublicUrl, origin};
use super::return_to::ReturnTo;
use crate::clock::Timestamp;
use crate::identity::Principal;
use crate::portal::Tile;
use crate::request::{Authority, ClientAddress, Scheme};
use crate::route::RoutePattern;

/// What the endpoints ask of the configured routes.
pub trait Routes: fmt::Debug + Send + Sync {
    /// Whether some route names the origin; one that says no port names that of `unwritten`
    /// ([`RouteTable::vouches_for`](crate::route::RouteTable::vouches_for)).
    fn vouch_for(&self, authority: &Authority, scheme: Scheme, unwritten: u16) -> bool;

    /// Whether any app is handed the access token of its user's session.
    fn pass_tokens(&self) -> bool;

    /// The routes to apps that let `principal` in with a session at `now`, or after a stronger sign-in, from where
    /// `client` is, in the order of the configuration, each with how people find it; none that are hidden.
    fn open_to<'a>(
        &'a self,
        principal: &'a Arc<Principal>,
        client: ClientAddress,
        now: Timestamp,
    ) -> Box<dyn Iterator<Item = (&'a RoutePattern, &'a Tile)> + 'a>;
}

/// Our hosts, as one configuration has them.
#[derive(Debug)]
pub struct Hosts {
    /// Where people sign in; none where nobody does.
    pub public: Option<PublicUrl>,
    pub(super) routes: Arc<dyn Routes>,
}

impl Hosts {
    /// The sign-in host, and those that `routes` name.
    #[must_use]
    pub fn new(public: Option<PublicUrl>, routes: Arc<dyn Routes>) -> Self {
        Self { public, routes }
    }

    /// Whether `url` lies on the sign-in host or on one that some route names: where a sign-in may lead back
    /// to. A route for any host names none: a stranger's host is not ours because it leads here
    /// (invariant 13). A route without a port answers on every port, but whatever else listens on that host is
    /// not ours: it names the port of `public_url`. Nothing leads from TLS to clear text.
    #[must_use]
    pub fn claim(&self, url: &Url) -> bool {
        let Some((authority, scheme)) = origin(url) else { return false };
        let expected = self.public.as_ref().map_or(scheme, |public| public.scheme);
        let unwritten = self.public.as_ref().map_or(scheme.default_port(), PublicUrl::port);
        mutant!(scheme == expected, "return-to-clear-text" => true)
            && (self.is_public(&authority, scheme)
                || mutant!(
                    self.routes.vouch_for(&authority, scheme, unwritten),
                    "return-address-on-any-port" => self.routes.vouch_for(&authority, scheme, authority.port_or_default(scheme)),
                ))
    }

    /// `to`, where a sign-in may lead back to it; else the same path on the port of the sign-in host; and where
    /// that is not ours either, on the sign-in host itself.
    #[must_use]
    pub fn claimed(&self, to: ReturnTo) -> ReturnTo {
        let Some(public) = self.public.as_ref().filter(|_| !self.claim(to.url())) else { return to };
        let mut moved = to.url().clone();
        let ours = moved.set_port(public.url.port()).is_ok() && self.claim(&moved);
        to.on(if ours { &moved } else { &public.url })
    }

    /// Reads an address to come back to that came through a browser.
    pub(super) fn return_to(&self, text: &str) -> Option<ReturnTo> {
        ReturnTo::parse(text, |url| self.claim(url))
    }

    /// Whether sign-in happens on this very host.
    #[must_use]
    pub fn is_public(&self, authority: &Authority, scheme: Scheme) -> bool {
        self.public.as_ref().is_some_and(|public| public.is_at(authority, scheme))
    }

    /// Whether `url` lies on the sign-in host.
    pub(super) fn is_public_url(&self, url: &Url) -> bool {
        self.public.as_ref().is_some_and(|public| public.url.origin() == url.origin())
    }

    /// The front page of the sign-in host.
    #[must_use]
    pub fn front_page(&self) -> &str {
        self.public.as_ref().map_or("/", |public| public.url.as_str())
    }

    /// Where one of the endpoints is for whoever may be on any host.
    #[must_use]
    pub fn address(&self, path: &str) -> String {
        self.public.as_ref().map_or_else(|| path.to_owned(), |public| public.endpoint(path).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::RouteTable;

    #[derive(Debug)]
    struct Table(RouteTable<()>);

    impl Routes for Table {
        fn vouch_for(&self, authority: &Authority, scheme: Scheme, unwritten: u16) -> bool {
            self.0.vouches_for(authority, scheme, unwritten)
        }

        fn pass_tokens(&self) -> bool {
            false
        }

        fn open_to<'a>(
            &'a self,
            _: &'a Arc<Principal>,
            _: ClientAddress,
            _: Timestamp,
        ) -> Box<dyn Iterator<Item = (&'a RoutePattern, &'a Tile)> + 'a> {
            Box::new(std::iter::empty())
        }
    }

    /// Routes for `hosts`, and sign-in at `public`.
    fn hosts(public: &str, hosts: &[&str]) -> Hosts {
        let row = |host: &&str| {
            let (host, path) = (host.parse().unwrap(), "/".parse().unwrap());
            (RoutePattern { host, path, methods: Vec::new() }, ())
        };
        let table = Table(RouteTable::build(hosts.iter().map(row).collect()).unwrap());
        Hosts::new(PublicUrl::new(Url::parse(public).unwrap()), Arc::new(table))
    }

    fn claims(hosts: &Hosts, url: &str) -> bool {
        hosts.claim(&Url::parse(url).unwrap())
    }

    /// Of a route for any host a stranger would make the victim's browser bring a ticket to the stranger's host,
    /// and show it here under that host's name.
    #[test]
    fn invariant_13_a_route_for_any_host_makes_no_strangers_host_a_place_to_come_back_to() {
        let open = hosts("https://login.example", &["*"]);
        assert!(claims(&open, "https://login.example/x"));
        assert!(!claims(&open, "https://evil.example/"));
        assert!(!claims(&open, "https://login.example:8443/"));
        assert!(!claims(&open, "http://login.example/"));

        let named = hosts("https://login.example", &["*", "wiki.example", "*.apps.example"]);
        assert!(claims(&named, "https://wiki.example/") && claims(&named, "https://a.apps.example/"));
        for stranger in ["https://evil.example/", "https://b.a.apps.example/", "https://apps.example/"] {
            assert!(!claims(&named, stranger), "{stranger}");
        }
    }

    /// What else listens on a host of ours is not ours: a ticket must not go there.
    #[test]
    fn invariant_25_a_host_without_a_port_means_the_port_of_the_sign_in_host() {
        let rows = ["app.example", "*.apps.example", "other.example:9999"];
        let plain = hosts("https://login.example", &rows);
        for ours in [
            "https://app.example/x",
            "https://app.example:443/x",
            "https://a.apps.example/",
            "https://other.example:9999/",
        ] {
            assert!(claims(&plain, ours), "{ours}");
        }
        for stranger in [
            "https://app.example:9999/x",
            "https://app.example:80/",
            "http://app.example:443/",
            "https://a.apps.example:9999/",
            "https://other.example/",
            "https://login.example:9999/",
        ] {
            assert!(!claims(&plain, stranger), "{stranger}");
        }
        let moved = |origin| plain.claimed(ReturnTo::asked(origin, "/x", Some("a='")).unwrap());
        assert_eq!(moved("https://app.example:9999").as_str(), "https://app.example/x?a='");
        assert_eq!(moved("https://evil.example:9999").as_str(), "https://login.example/x?a='");

        let elsewhere = hosts("https://login.example:8443", &rows);
        assert!(
            claims(&elsewhere, "https://app.example:8443/") && !claims(&elsewhere, "https://app.example/")
        );
    }
}
