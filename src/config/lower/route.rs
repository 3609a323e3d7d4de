//! `[[routes]]`.

use http::StatusCode;

use crate::authn::Accepted;
use crate::forward::ForwardSettings;
use crate::gate::{PathMask, PathMasks, RedirectSettings, RouteAction, RouteSettings};
use crate::identity::RouteName;
use crate::policy::AccessSettings;
use crate::request::{Authority, PathException, PathExceptions, Scheme};
use crate::route::{HostPattern, PathPrefix, RoutePattern};
use crate::session::StreamUse;

use super::forward::written_path;
use super::value::bracketed;
use super::{Definitions, Lowering};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, Place, at};
use crate::config::raw::{Config, Redirect, Route, SchemeWord, StreamsWord, TolerateWord};

/// What is below this path is the gateway's own.
const OWN_PATH: &str = "/.portcullis";

impl Lowering<'_> {
    pub(super) fn routes(
        &mut self,
        config: Located<'_, Config>,
        definitions: &Definitions<'_>,
    ) -> Vec<RouteSettings> {
        let written = at!(config.routes).given().map(Located::elements).unwrap_or_default();
        let lowered: Vec<_> =
            written.into_iter().filter_map(|at| Some((at, self.route(at, definitions)?))).collect();
        self.conflicts(&lowered);
        self.unique_names(&lowered);
        self.reserved(&lowered);
        self.consoles_stand_alone(&lowered);
        self.whose(config, &lowered, definitions.settings);
        lowered.into_iter().map(|(_, route)| route).collect()
    }

    fn route(&mut self, at: Located<'_, Route>, definitions: &Definitions<'_>) -> Option<RouteSettings> {
        let mut pattern = self.pattern(at);
        let access = self.access(at, definitions);
        let public = access == AccessSettings::Public;
        let accept = self.accept(at, definitions, public);
        let limits = self.limits(at!(at.limits), public);
        let action = self.action(at, pattern.as_ref().map(|pattern| &pattern.path));
        let tile = matches!(action, Some(RouteAction::Forward { .. })).then(|| self.tile(at)).flatten();
        let name = self.route_name(at, pattern.as_ref());
        let (session_max_age, session_idle_timeout) = self.route_session(at, accept, definitions.session);
        // What an application does not answer is refused where routes are found, as any other route's methods are.
        if let (Some(RouteAction::Serve(application)), Some(pattern)) = (&action, &mut pattern)
            && pattern.methods.is_empty()
        {
            pattern.methods = application.methods().to_vec();
        }
        let mut route = RouteSettings {
            name,
            path_masks: self.path_masks(at),
            pattern: pattern?,
            access,
            accept,
            realm: self.realm(at),
            limits,
            concurrency: at.value.concurrency,
            path_exceptions: tolerated(at),
            after_expiry: self.after_expiry(at!(at.timeout)),
            streams: match at.value.streams {
                None | Some(StreamsWord::Idle) => StreamUse::Unused,
                Some(StreamsWord::Use) => StreamUse::Used,
            },
            session_max_age,
            session_idle_timeout,
            session_network: definitions.session.network.filter(|_| accept.has(Accepted::Session)),
            origins: self.origins(at),
            tile,
            action: action?,
        };
        self.of_console(at, &mut route);
        Some(route)
    }

    fn path_masks(&mut self, at: Located<'_, Route>) -> PathMasks {
        let (path, written) = (at.value.path.as_deref().unwrap_or("/"), at!(at.mask_path).all());
        let masks = written.iter().filter_map(|at| {
            let mask = PathMask::parse(at.value).filter(|mask| mask.is_below(path));
            let what = format!("{} hides nothing of a path of this route", quoted(at.value));
            let fault = || Diagnostic::new(at.place, what).expected(
                "expected the route's path and what is below it, with `{}` in place of each segment that is not told, such as \"/invite/{}\"",
            );
            self.keep(mask.ok_or_else(fault))
        });
        PathMasks::new(masks.collect())
    }

    fn pattern(&mut self, at: Located<'_, Route>) -> Option<RoutePattern> {
        let host = at!(at.host).given().map_or(Some(HostPattern::Any), |at| self.keep(host(at)));
        let place = at!(at.path).place;
        let text = at.value.path.as_deref().unwrap_or("/");
        let path = self.keep(path_prefix(text, place).and_then(|path| apart_from_ours(path, place)));
        let methods = self.methods(at!(at.methods));
        if at.value.methods.is_some() && at!(at.methods).all().is_empty() {
            self.fault(
                Diagnostic::new(at!(at.methods).place, "a route without methods")
                    .expected("expected at least one method, or no `methods`"),
            );
        }
        Some(RoutePattern { host: host?, path: path?, methods })
    }

    fn route_name(&mut self, at: Located<'_, Route>, pattern: Option<&RoutePattern>) -> RouteName {
        let Some(name) = at!(at.name).given() else {
            return RouteName::new(pattern.map_or_else(String::new, described));
        };
        let odd = |c: char| c.is_control() || c == '"' || c == '\\';
        if name.value.trim().is_empty()
            || name.value.len() > 128
            || name.value.contains(odd)
            || name.value == "portcullis"
        {
            self.fault(Diagnostic::new(name.place, "no name for a route").expected(
                "expected up to 128 characters, such as \"wiki\"; \"portcullis\" is the gateway's own",
            ));
        }
        RouteName::new(name.value)
    }

    fn action(&mut self, at: Located<'_, Route>, path: Option<&PathPrefix>) -> Option<RouteAction> {
        let (redirect, serve) = (at!(at.redirect).given(), at!(at.serve).given());
        match (at.value.upstream.is_some(), redirect, serve) {
            (true, None, None) => Some(RouteAction::Forward {
                upstream: Box::new(self.upstream(at)),
                forward: Box::new(self.forward(at, path)),
            }),
            (false, Some(redirect), None) => {
                self.only_forwarded(at, "redirects");
                self.redirect(redirect).map(RouteAction::Redirect)
            }
            (false, None, Some(word)) => {
                self.only_forwarded(at, "serves");
                Some(RouteAction::Serve(self.serve(at, *word.value)))
            }
            (false, None, None) => {
                self.fault(Diagnostic::new(at.place, "the route leads nowhere").expected(
                    "expected `upstream = \"http://10.0.0.5:8080\"` or the like, `redirect` or `serve`",
                ));
                None
            }
            (upstream, redirect, serve) => {
                let upstream = upstream.then(|| ("upstream", at!(at.upstream).place));
                let redirect = redirect.map(|at| ("redirect", at.place));
                let serve = serve.map(|at| ("serve", at.place));
                self.several(upstream.into_iter().chain(redirect).chain(serve));
                None
            }
        }
    }

    /// More than one thing that would happen to a request.
    fn several<'a>(&mut self, mut given: impl Iterator<Item = (&'static str, Place<'a>)>) {
        let Some((first, _)) = given.next() else { return };
        for (key, place) in given {
            self.fault(
                Diagnostic::new(place, format!("both `{first}` and `{key}`"))
                    .expected("expected one of the two"),
            );
        }
    }

    /// Keys that say something about an upstream, on a route that has none.
    fn only_forwarded(&mut self, at: Located<'_, Route>, does: &str) {
        let raw = at.value;
        let keys = [
            ("upstream_tls", raw.upstream_tls.is_some(), at!(at.upstream_tls).place),
            ("upstream_protocol", raw.upstream_protocol.is_some(), at!(at.upstream_protocol).place),
            ("balance", raw.balance.is_some(), at!(at.balance).place),
            ("keep_idle", raw.keep_idle.is_some(), at!(at.keep_idle).place),
            ("health", raw.health.is_some(), at!(at.health).place),
            ("ejection", raw.ejection.is_some(), at!(at.ejection).place),
            ("timeout", raw.timeout.is_some(), at!(at.timeout).place),
            ("max_body", raw.max_body.is_some(), at!(at.max_body).place),
            ("streams", raw.streams.is_some(), at!(at.streams).place),
            ("min_body_rate", raw.min_body_rate.is_some(), at!(at.min_body_rate).place),
            ("max_response_fields", raw.max_response_fields.is_some(), at!(at.max_response_fields).place),
            ("strip_path", raw.strip_path.is_some(), at!(at.strip_path).place),
            ("replace_path", raw.replace_path.is_some(), at!(at.replace_path).place),
            ("rewrite_location", raw.rewrite_location.is_some(), at!(at.rewrite_location).place),
            ("host_header", raw.host_header.is_some(), at!(at.host_header).place),
            ("identity", raw.identity.is_some(), at!(at.identity).place),
            ("request_headers", raw.request_headers.is_some(), at!(at.request_headers).place),
            ("response_headers", raw.response_headers.is_some(), at!(at.response_headers).place),
            ("hsts", raw.hsts.is_some(), at!(at.hsts).place),
            ("title", raw.title.is_some(), at!(at.title).place),
            ("description", raw.description.is_some(), at!(at.description).place),
            ("icon", raw.icon.is_some(), at!(at.icon).place),
            ("group", raw.group.is_some(), at!(at.group).place),
            ("hidden", raw.hidden.is_some(), at!(at.hidden).place),
        ];
        for (key, _, place) in keys.into_iter().filter(|(_, given, _)| *given) {
            self.fault(misplaced(key, place, does));
        }
    }

    fn redirect(&mut self, at: Located<'_, Redirect>) -> Option<RedirectSettings> {
        let Redirect { scheme, host, path, status } = at.value;
        if scheme.is_none() && host.is_none() && path.is_none() {
            self.fault(
                Diagnostic::new(at.place, "the redirect leads to where it began")
                    .expected("expected `scheme`, `host` or `path`"),
            );
        }
        let host = at!(at.host).given().map_or(Some(None), |at| self.keep(authority(at)).map(Some));
        let path = at!(at.path).given().map_or(Some(None), |at| self.keep(written_path(at)).map(Some));
        let status = self.keep(status_code(status.unwrap_or(308), at!(at.status).place));
        let scheme = scheme.as_ref().map(|scheme| match scheme {
            SchemeWord::Http => Scheme::Http,
            SchemeWord::Https => Scheme::Https,
        });
        Some(RedirectSettings { scheme, host: host?, port: None, path: path?, status: status? })
    }
}

/// What a route is called that has no name.
fn described(pattern: &RoutePattern) -> String {
    let RoutePattern { host, path, methods } = pattern;
    let methods: Vec<&str> = methods.iter().map(http::Method::as_str).collect();
    if methods.is_empty() { format!("{host}{path}") } else { format!("{} {host}{path}", methods.join(",")) }
}

/// How a route forwards, where it does.
pub(super) fn forwarding(route: &RouteSettings) -> Option<&ForwardSettings> {
    match &route.action {
        RouteAction::Forward { forward, .. } => Some(forward),
        RouteAction::Redirect(_) | RouteAction::Serve(_) => None,
    }
}

/// A key that says something about an upstream, on a route without one.
pub(super) fn misplaced(key: &str, place: Place<'_>, does: &str) -> Diagnostic {
    Diagnostic::new(place, format!("`{key}` on a route that {does}"))
        .expected("expected it on a route with `upstream`")
}

fn host(at: Located<'_, String>) -> Result<HostPattern, Diagnostic> {
    at.value.parse().map_err(|error| {
        let diagnostic = Diagnostic::new(at.place, "not a host").expected(format!("{error}"));
        if let Some(address) = bracketed(at.value) {
            return diagnostic.help(format!("write \"{address}\""));
        }
        match at.value.as_str() {
            text if text.contains("://") => diagnostic.help("leave out the scheme"),
            text if text.contains('/') => diagnostic.help("what is behind the host goes into `path`"),
            text if text.ends_with('.') => {
                diagnostic.help("leave out the dot at the end: with and without it is the same host")
            }
            text if text.contains('*') => {
                diagnostic.help("`*.` stands for exactly one label, in front, alone")
            }
            _ => diagnostic,
        }
    })
}

/// A path of a route or of a rule, decoded as requests are matched.
pub(super) fn path_prefix(text: &str, place: Place<'_>) -> Result<PathPrefix, Diagnostic> {
    let wrong = |expected: String| Diagnostic::new(place, "not a path").expected(expected);
    if text.contains('*') {
        return Err(wrong("expected a path without `*`: it holds all that is below it".into())
            .help("`/api` claims `/api`, `/api/` and `/api/orders`, but not `/apis`"));
    }
    text.parse().map_err(|error| {
        let diagnostic = wrong(format!("{error}"));
        if text.contains('%') {
            diagnostic.help("write it decoded: \"/a b\" rather than \"/a%20b\"")
        } else {
            diagnostic
        }
    })
}

fn apart_from_ours(path: PathPrefix, place: Place<'_>) -> Result<PathPrefix, Diagnostic> {
    let ours = OWN_PATH.parse::<PathPrefix>().is_ok_and(|own| own.holds(&path.to_string()));
    if ours {
        return Err(Diagnostic::new(place, format!("what is below `{OWN_PATH}` belongs to the gateway"))
            .expected("expected another path"));
    }
    Ok(path)
}

fn authority(at: Located<'_, String>) -> Result<String, Diagnostic> {
    Authority::parse(at.value).map(|authority| authority.to_string()).map_err(|cause| {
        Diagnostic::new(at.place, format!("not a host: {cause}"))
            .expected("expected a host such as \"www.corp.example\"")
    })
}

fn status_code(status: u16, place: Place<'_>) -> Result<StatusCode, Diagnostic> {
    let known = matches!(status, 301 | 302 | 303 | 307 | 308);
    StatusCode::from_u16(status).ok().filter(|_| known).ok_or_else(|| {
        Diagnostic::new(place, "not the status of a redirect").expected("expected 301, 302, 303, 307 or 308")
    })
}

fn tolerated(at: Located<'_, Route>) -> PathExceptions {
    let words = at!(at.tolerate).all();
    words.into_iter().fold(PathExceptions::default(), |tolerated, word| {
        tolerated.with(match word.value {
            TolerateWord::EncodedSlash => PathException::EncodedSlash,
            TolerateWord::EmptySegment => PathException::EmptySegment,
            TolerateWord::Semicolon => PathException::Semicolon,
            TolerateWord::DoubleEncoding => PathException::DoubleEncoding,
        })
    })
}
