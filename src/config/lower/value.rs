//! Values that many keys share: spans, sizes, networks, methods, URLs.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use http::Method;
use ipnet::IpNet;
use url::{Host, Url};

use super::Lowering;
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, Place};
use crate::config::raw::{OneOrMany, Size, Span};

/// Seconds of a minute, an hour and a day.
pub(super) const MINUTE: u64 = 60;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;

/// From one to so many seconds.
pub(super) const fn up_to(seconds: u64) -> RangeInclusive<Duration> {
    Duration::from_secs(1)..=Duration::from_secs(seconds)
}

/// From so many milliseconds to so many seconds.
pub(super) const fn between(least: u64, most: u64) -> RangeInclusive<Duration> {
    Duration::from_millis(least)..=Duration::from_secs(most)
}

impl Lowering<'_> {
    /// The span, which must lie in `range`; `default` where none is written.
    pub(super) fn span(
        &mut self,
        at: Located<'_, Option<Span>>,
        default: Duration,
        range: RangeInclusive<Duration>,
    ) -> Duration {
        at.given().and_then(|at| self.keep(span(at, &range))).unwrap_or(default)
    }

    /// Bytes; at least one.
    pub(super) fn size(&mut self, at: Located<'_, Option<Size>>) -> Option<u64> {
        at.given().and_then(|at| {
            let bytes = bytes(at.value).filter(|bytes| *bytes > 0).ok_or_else(|| {
                Diagnostic::new(at.place, "not a size")
                    .expected("expected bytes, or a size such as \"10MiB\", \"64KiB\" or \"1GB\"")
            });
            self.keep(bytes)
        })
    }

    pub(super) fn networks(&mut self, at: Located<'_, Option<OneOrMany<String>>>) -> Vec<IpNet> {
        at.all().into_iter().filter_map(|at| self.keep(network(at))).collect()
    }

    pub(super) fn methods(&mut self, at: Located<'_, Option<OneOrMany<String>>>) -> Vec<Method> {
        at.all().into_iter().filter_map(|at| self.keep(method(at))).collect()
    }

    /// The texts, none of which may be empty.
    pub(super) fn texts(&mut self, at: Located<'_, Option<OneOrMany<String>>>) -> Vec<String> {
        at.all().into_iter().filter_map(|at| self.keep(filled(at))).collect()
    }

    /// Whole domains of e-mail addresses, lower-case.
    pub(super) fn domains(&mut self, at: Located<'_, Option<OneOrMany<String>>>) -> Vec<String> {
        at.all().into_iter().filter_map(|at| self.keep(domain(at))).collect()
    }
}

fn span(at: Located<'_, Span>, range: &RangeInclusive<Duration>) -> Result<Duration, Diagnostic> {
    let expected = "expected a span of time such as \"500ms\", \"30s\", \"15m\" or \"1h 30m\"";
    let span = humantime::parse_duration(&at.value.0)
        .map_err(|_| Diagnostic::new(at.place, "not a span of time").expected(expected))?;
    if range.contains(&span) {
        return Ok(span);
    }
    let size = if span < *range.start() { "short" } else { "long" };
    Err(Diagnostic::new(at.place, format!("the span of time is too {size}")).expected(format!(
        "expected from {} to {}",
        spelled(*range.start()),
        spelled(*range.end())
    )))
}

/// A span of time in its largest whole unit, as people would write it here.
pub(in crate::config) fn spelled(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(DAY, "days"), (HOUR, "h"), (MINUTE, "m"), (1, "s")];
    match units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit)) {
        _ if span.subsec_nanos() > 0 => format!("{}ms", span.as_millis()),
        Some((unit, name)) if seconds > 0 => format!("{}{name}", seconds / unit),
        _ => "0s".to_owned(),
    }
}

fn bytes(size: &Size) -> Option<u64> {
    let text = match size {
        Size::Bytes(bytes) => return Some(*bytes),
        Size::Text(text) => text.trim(),
    };
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

pub(super) fn network(at: Located<'_, String>) -> Result<IpNet, Diagnostic> {
    let text = at.value.trim();
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
        Diagnostic::new(at.place, "not a network")
            .expected("expected a network such as \"10.0.0.0/8\" or \"2001:db8::/32\"")
    })?;
    if network.trunc() == network {
        return Ok(network);
    }
    let expected =
        format!("expected \"{}\", or \"{}/{}\"", network.trunc(), network.addr(), network.max_prefix_len());
    Err(Diagnostic::new(at.place, "the address has bits outside of its network").expected(expected))
}

pub(super) fn method(at: Located<'_, String>) -> Result<Method, Diagnostic> {
    let lower = at.value.bytes().any(|byte| byte.is_ascii_lowercase());
    Method::from_bytes(at.value.as_bytes()).ok().filter(|_| !lower).ok_or_else(|| {
        Diagnostic::new(at.place, "not a method")
            .expected("expected a method in capitals such as \"GET\" or \"POST\"")
    })
}

/// A text that is more than blanks.
pub(super) fn filled(at: Located<'_, String>) -> Result<String, Diagnostic> {
    if at.value.trim().is_empty() {
        return Err(Diagnostic::new(at.place, "empty text").expected("expected some text"));
    }
    Ok(at.value.clone())
}

pub(super) fn domain(at: Located<'_, String>) -> Result<String, Diagnostic> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "@*/:,".contains(c);
    let text = at.value.as_str();
    if text.is_empty() || text.contains(odd) || text.split('.').any(str::is_empty) {
        return Err(Diagnostic::new(at.place, "not a domain")
            .expected("expected a whole domain such as \"corp.example\", without `@` and `*`"));
    }
    Ok(text.to_ascii_lowercase())
}

/// An address with port to listen on.
pub(super) fn socket(at: Located<'_, String>) -> Result<SocketAddr, Diagnostic> {
    at.value.parse().map_err(|_| {
        let diagnostic = Diagnostic::new(at.place, "not an address to listen on")
            .expected("expected an address and a port such as \"0.0.0.0:443\" or \"[::]:443\"");
        match at.value.rsplit_once(':') {
            Some(("", port)) => diagnostic.help(format!("for every address write \"[::]:{}\"", plain(port))),
            Some(("localhost", port)) => diagnostic.help(format!("write \"127.0.0.1:{}\"", plain(port))),
            _ => match bracketed(at.value) {
                Some(text) if text.ends_with(']') => diagnostic.help(format!("write \"{text}:443\"")),
                Some(text) => diagnostic.help(format!("write \"{text}\"")),
                None => diagnostic,
            },
        }
    })
}

/// An IPv6 address, with or without a port, in the brackets that it lacks (RFC 3986, section 3.2.2).
pub(super) fn bracketed(text: &str) -> Option<String> {
    let is_address = |text: &str| text.parse::<Ipv6Addr>().is_ok();
    match text.rsplit_once(':') {
        Some((address, port)) if is_address(address) && port.parse::<u16>().is_ok() => {
            Some(format!("[{address}]:{port}"))
        }
        _ => is_address(text).then(|| format!("[{text}]")),
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).take(10).collect()
}

/// A URL that has a host and nothing in it that does not belong there; credentials are never shown.
pub(super) fn url(text: &str, place: Place<'_>, schemes: &[&str], example: &str) -> Result<Url, Diagnostic> {
    let wrong = |message: &str| {
        Diagnostic::new(place, message).expected(format!("expected a URL such as \"{example}\""))
    };
    if !text.contains("://") {
        let diagnostic = wrong("the scheme of the URL is missing");
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]/".contains(c);
        let scheme = schemes.first().filter(|_| (1..=100).contains(&text.len()) && text.chars().all(plain));
        return Err(match scheme {
            Some(scheme) => diagnostic.help(format!("write \"{scheme}://{text}\"")),
            None => diagnostic,
        });
    }
    let url = Url::parse(text).map_err(|cause| {
        let address = text.split_once("://").and_then(|(scheme, rest)| Some((scheme, bracketed(rest)?)));
        let diagnostic = wrong(&format!("not a URL: {cause}"));
        match address {
            Some((scheme, address)) => diagnostic.help(format!("write \"{scheme}://{address}\"")),
            None => diagnostic,
        }
    })?;
    if !schemes.iter().any(|scheme| text.starts_with(&format!("{scheme}://"))) {
        return Err(wrong("not a URL of a scheme that works here"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("a user name or password in a URL").help("take them out of this file"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("a query or fragment in the URL"));
    }
    Ok(url)
}

/// Whether the URL points at this very machine, where clear text harms nobody.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A name that stands in addresses, logs and metrics.
pub(super) fn is_name(text: &str) -> bool {
    const LONGEST: usize = 64;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    !text.is_empty() && text.len() <= LONGEST && text.chars().all(plain)
}

/// `written` is not among the names in `what`; names the nearest one.
pub(super) fn unknown<'k>(
    at: Located<'_, String>,
    what: &str,
    names: impl Iterator<Item = &'k str> + Clone,
) -> Diagnostic {
    let diagnostic = Diagnostic::new(at.place, format!("no {what} is called {}", quoted(at.value)));
    match crate::config::words::nearest(at.value, names.clone()) {
        Some(name) => diagnostic.expected(format!("did you mean \"{name}\"?")),
        None if names.clone().next().is_none() => diagnostic.expected(format!("this file has no {what}")),
        None => {
            let names: Vec<_> = names.take(10).map(|name| format!("\"{name}\"")).collect();
            diagnostic.expected(format!("expected {}", crate::config::words::listed(&names)))
        }
    }
}
