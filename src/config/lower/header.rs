//! Header rules.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue, header};

use crate::forward::{ForwardSettings, HeaderRule, ReservedHeaders};
use crate::gate::RouteSettings;
use crate::request::check_field_name;

use super::Lowering;
use super::route::forwarding;
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, Place, at};
use crate::config::raw::{HeaderRules, Hsts, Route};

/// Fields that belong to one connection or frame a message. With such a field an operator's rule could make
/// two messages of one (invariant 12).
const OF_THE_CONNECTION: [&str; 11] = [
    "connection",
    "content-length",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What `hsts = true` sends.
const ALWAYS: &str = "max-age=31536000; includeSubDomains";

impl Lowering<'_> {
    pub(super) fn request_headers(&mut self, route: Located<'_, Route>) -> Vec<HeaderRule> {
        let mut rules = self.header_rules(at!(route.request_headers));
        for rule in &mut rules {
            if let HeaderRule::Set(_, value) | HeaderRule::Default(_, value) = rule {
                // It may be a key to the app: no `Debug` shows it (invariant 15).
                value.set_sensitive(true);
            }
        }
        rules
    }

    pub(super) fn response_headers(&mut self, route: Located<'_, Route>) -> Vec<HeaderRule> {
        let mut rules = self.header_rules(at!(route.response_headers));
        let at = at!(route.hsts);
        let Some(value) = at.given().and_then(|hsts| self.keep(strict_transport(hsts)).flatten()) else {
            return rules;
        };
        if rules.iter().any(|rule| name(rule) == header::STRICT_TRANSPORT_SECURITY) {
            self.fault(
                Diagnostic::new(at.place, "`hsts` beside a rule for `Strict-Transport-Security`")
                    .expected("expected one of the two"),
            );
        }
        rules.push(HeaderRule::Set(header::STRICT_TRANSPORT_SECURITY, value));
        rules
    }

    fn header_rules(&mut self, at: Located<'_, Option<HeaderRules>>) -> Vec<HeaderRule> {
        let Some(at) = at.given() else { return Vec::new() };
        let set = self.fields(at!(at.set));
        let default = self.fields(at!(at.default));
        let removed = at!(at.remove).all().into_iter().filter_map(|at| self.header_name(at.value, at.place));
        let removed: Vec<_> = removed.map(HeaderRule::Remove).collect();
        let set = set.into_iter().map(|(name, value)| HeaderRule::Set(name, value));
        let default = default.into_iter().map(|(name, value)| HeaderRule::Default(name, value));
        let rules: Vec<_> = removed.into_iter().chain(set).chain(default).collect();
        self.once(at.place, &rules);
        rules
    }

    /// A header that is both set and removed, or set in two spellings.
    fn once(&mut self, place: Place<'_>, rules: &[HeaderRule]) {
        let doubled = |(index, rule): (usize, &HeaderRule)| {
            rules
                .get(..index)
                .unwrap_or_default()
                .iter()
                .any(|other| name(other) == name(rule))
                .then(|| name(rule).clone())
        };
        for doubled in rules.iter().enumerate().filter_map(doubled) {
            self.fault(
                Diagnostic::new(place, format!("several rules for the header {}", quoted(doubled.as_str())))
                    .expected("expected one rule for each header"),
            );
        }
    }

    fn fields(
        &mut self,
        at: Located<'_, Option<BTreeMap<String, String>>>,
    ) -> Vec<(HeaderName, HeaderValue)> {
        let fields = at.given().map(Located::entries).unwrap_or_default();
        let read = |(name, at): (&str, Located<'_, String>)| {
            let value = HeaderValue::from_str(at.value).map_err(|_| {
                Diagnostic::new(at.place, format!("not the value of a header: {}", quoted(name)))
                    .expected("expected text without line breaks and control characters")
            });
            let (name, value) = (self.header_name(name, at.place), self.keep(value));
            Some((name?, value?))
        };
        fields.into_iter().filter_map(read).collect()
    }

    /// The name of a header that may be written by an operator.
    pub(super) fn header_name(&mut self, text: &str, place: Place<'_>) -> Option<HeaderName> {
        let name = HeaderName::from_bytes(text.as_bytes()).map_err(|_| {
            Diagnostic::new(place, format!("{} is not the name of a header", quoted(text)))
                .expected("expected a name such as \"X-Frame-Options\"")
        });
        let name = self.keep(name)?;
        if let Err(error) = check_field_name(&name) {
            let diagnostic = Diagnostic::new(
                place,
                format!("an app could take the header {} for `{}`", quoted(text), error.meant),
            );
            self.fault(
                diagnostic
                    .expected("expected a name that no server folds to framing or to another connection's"),
            );
            return None;
        }
        if OF_THE_CONNECTION.contains(&name.as_str()) || name == header::HOST {
            let diagnostic =
                Diagnostic::new(place, format!("the header {} is the gateway's to write", quoted(text)))
                    .expected("expected a header that does not belong to the connection");
            self.fault(if name == header::HOST {
                diagnostic.help("say `host_header = \"…\"`")
            } else {
                diagnostic
            });
            return None;
        }
        Some(name)
    }

    /// Request headers that only the gateway may write: an app must be able to trust them (invariant 9).
    pub(super) fn reserved(&mut self, routes: &[(Located<'_, Route>, RouteSettings)]) {
        let forwards = || routes.iter().filter_map(|(at, route)| Some((*at, forwarding(route)?)));
        let reserved = ReservedHeaders::new(forwards().map(|(_, forward)| forward));
        for (route, forward) in forwards() {
            self.reserved_on(route, forward, &reserved);
        }
    }

    fn reserved_on(
        &mut self,
        route: Located<'_, Route>,
        forward: &ForwardSettings,
        reserved: &ReservedHeaders,
    ) {
        let Some(at) = at!(route.request_headers).given() else { return };
        let entries =
            [at!(at.set), at!(at.default)].into_iter().filter_map(Located::given).flat_map(Located::entries);
        let written = forward.request_headers.iter().filter(|rule| !matches!(rule, HeaderRule::Remove(_)));
        let taken: Vec<_> = written.map(name).filter(|name| reserved.holds(name.as_str())).collect();
        for (text, value) in
            entries.filter(|(text, _)| taken.iter().any(|name| text.eq_ignore_ascii_case(name.as_str())))
        {
            self.fault(
                Diagnostic::new(
                    value.place,
                    format!("the header {} is the gateway's to write", quoted(text)),
                )
                .expected("expected a header that says nothing about who asks or where from")
                .help("identity headers are written with `identity = { headers = … }`"),
            );
        }
    }
}

const fn name(rule: &HeaderRule) -> &HeaderName {
    match rule {
        HeaderRule::Set(name, _) | HeaderRule::Default(name, _) | HeaderRule::Remove(name) => name,
    }
}

fn strict_transport(at: Located<'_, Hsts>) -> Result<Option<HeaderValue>, Diagnostic> {
    let text = match at.value {
        Hsts::Switch(false) => return Ok(None),
        Hsts::Switch(true) => ALWAYS,
        Hsts::Value(text) => text,
    };
    let age = text.split(';').any(|part| {
        let digits = part.trim().to_ascii_lowercase().strip_prefix("max-age=").map(str::to_owned);
        digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    });
    HeaderValue::from_str(text).ok().filter(|_| age).map(Some).ok_or_else(|| {
        Diagnostic::new(at.place, "not a value of `Strict-Transport-Security`")
            .expected(format!("expected `true`, or a text such as \"{ALWAYS}\""))
    })
}
