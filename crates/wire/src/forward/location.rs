//! Addresses of its own that an app tells its clients, and clients tell it, where it is reached under another name
//! or path than it knows of.

use http::HeaderMap;
use http::header::{CONTENT_LOCATION, HeaderName, HeaderValue, LOCATION};

use super::rewrite::replace;
use super::{ForwardError, ForwardFault, PathRewrite};
use crate::request::{Authority, Link, LinkOrigin, PathError, RequestPath, Scheme};

/// Where `COPY` and `MOVE` lead (RFC 4918, section 10.3).
const DESTINATION: HeaderName = HeaderName::from_static("destination");

/// What clients call a route's app.
pub(super) struct PublicNames<'a> {
    pub(super) scheme: Scheme,
    pub(super) authority: &'a Authority,
    /// The route's path, decoded, without a slash at its end.
    pub(super) prefix: &'a str,
    /// The same as it is written.
    pub(super) written_prefix: &'a str,
    pub(super) rewrite: &'a PathRewrite,
}

/// What an app may call itself, and its server.
pub(super) struct AppNames<'a> {
    /// The `Host` it was sent, and its server's own.
    pub(super) hosts: [&'a HeaderValue; 2],
    pub(super) scheme: Scheme,
}

/// Why a `Destination` cannot be told to the app.
#[derive(Debug, thiserror::Error)]
enum Unreachable {
    #[error("Destination is not below the route's path")]
    Elsewhere,
    #[error("Destination is neither an address nor a path, or is there twice")]
    Unclear,
    #[error("Destination is not the one that was judged")]
    Unjudged,
    #[error("Destination has no clear path")]
    Path(#[source] PathError),
}

impl PublicNames<'_> {
    /// `Location` and `Content-Location` as the client must see them, where they name the app.
    pub(super) fn rewrite_location(&self, headers: &mut HeaderMap, app: &AppNames<'_>) {
        for name in [LOCATION, CONTENT_LOCATION] {
            let told = headers.get(&name).and_then(|value| value.to_str().ok());
            let told = told.and_then(|told| self.to_public(told, app));
            if let Some(told) = told.and_then(|told| HeaderValue::try_from(told).ok()) {
                headers.insert(name, told);
            }
        }
    }

    /// The path of `Destination` as the app must see it, taken off the head; `None` where there is none, or it names
    /// somebody else.
    ///
    /// # Errors
    /// Where it is not `judged`, or not below the route's path: the app would take it for another.
    pub(super) fn take_destination(
        &self,
        judged: &RequestPath,
        headers: &mut HeaderMap,
    ) -> Result<Option<String>, ForwardError> {
        let mut fields = headers.get_all(DESTINATION).iter();
        let Some(asked) = fields.next() else { return Ok(None) };
        let once = mutant!(fields.next().is_none(), "destination-twice" => true);
        let asked = asked.to_str().ok().filter(|_| once).ok_or(Unreachable::Unclear);
        let inward = asked.and_then(|asked| self.to_app(asked, |path| path == judged));
        let inward = inward.map_err(|error| ForwardError::new(ForwardFault::BadTarget, error))?;
        if inward.is_some() {
            headers.remove(DESTINATION);
        }
        Ok(inward)
    }

    /// The address that an app has `told`, as clients must see it; `None` where it is right as it is, or
    /// another site's.
    fn to_public(&self, told: &str, app: &AppNames<'_>) -> Option<String> {
        let Link { origin, path, rest } = Link::read(told, app.scheme)?;
        let path = self.public_path(path)?;
        match origin {
            None if mutant!(self.may_stand_alone(), "location-off-site" => true) => {
                Some(format!("{path}{rest}"))
            }
            None => Some(format!("{}://{}{path}{rest}", self.scheme, self.authority)),
            Some(origin) if self.is_called(origin) || app.is_called(origin) => {
                Some(format!("{}://{}{path}{rest}", self.scheme, self.authority))
            }
            Some(_) => None,
        }
    }

    /// Whether a path can be told without an origin. Where something is taken off and nothing stands in its place, what
    /// is left of `/base//evil.example` would be another host (invariant 13).
    fn may_stand_alone(&self) -> bool {
        matches!(self.rewrite, PathRewrite::Keep) || !self.written_prefix.is_empty()
    }

    /// What the app calls `path`, as clients must call it; `None` where they cannot get there. An app that has
    /// read `X-Forwarded-Prefix` calls it so itself.
    fn public_path(&self, path: &str) -> Option<String> {
        let path = if path.is_empty() { "/" } else { path };
        let known = || below(path, self.written_prefix).map(|_| path.to_owned());
        let base = match self.rewrite {
            PathRewrite::Keep => return Some(path.to_owned()),
            PathRewrite::Replace { with, .. } => with.trim_end_matches('/'),
        };
        let moved = || below(path, base).map(|rest| format!("{}{rest}", self.written_prefix));
        if base.is_empty() { known().or_else(moved) } else { moved().or_else(known) }
    }

    fn to_app(
        &self,
        asked: &str,
        is_judged: impl FnOnce(&RequestPath) -> bool,
    ) -> Result<Option<String>, Unreachable> {
        // What is read from where one stands may lead anywhere, and is no Destination.
        let Link { origin, path, rest } = Link::read(asked, self.scheme).ok_or(Unreachable::Unclear)?;
        if origin.is_some_and(|origin| !self.is_called(origin)) {
            return Ok(None);
        }
        let path = RequestPath::parse(path).map_err(Unreachable::Path)?;
        if !mutant!(is_judged(&path), "destination-unjudged" => true) {
            return Err(Unreachable::Unjudged);
        }
        let (base, inner) = match self.rewrite {
            PathRewrite::Keep => ("", path.raw()),
            PathRewrite::Replace { segments, with } => {
                mutant!(
                    {
                        below(path.decoded(), self.prefix).ok_or(Unreachable::Elsewhere)?;
                    },
                    "destination-elsewhere" => (),
                );
                replace(&path, *segments, with)
            }
        };
        let query = rest.split('#').next().unwrap_or_default();
        Ok(Some(format!("{base}{inner}{query}")))
    }

    fn is_called(&self, origin: LinkOrigin<'_>) -> bool {
        origin.is(self.authority, self.scheme)
    }
}

impl AppNames<'_> {
    /// `Destination` in the app's own words: an address, for servers that know no other (RFC 2518, section 9.3), with
    /// the scheme and the host by which the app is asked, for those that compare.
    pub(super) fn set_destination(&self, path: &str, headers: &mut HeaderMap) -> Result<(), ForwardError> {
        let [host, _] = self.hosts;
        let address = host.to_str().map(|host| format!("{}://{host}{path}", self.scheme));
        let address = address.map_err(|error| ForwardError::new(ForwardFault::BadTarget, error))?;
        let address = HeaderValue::try_from(address);
        headers
            .insert(DESTINATION, address.map_err(|error| ForwardError::new(ForwardFault::BadTarget, error))?);
        Ok(())
    }

    fn is_called(&self, origin: LinkOrigin<'_>) -> bool {
        let hosts = self.hosts.iter().filter_map(|host| Authority::parse(host.to_str().ok()?).ok());
        hosts.into_iter().any(|host| origin.is(&host, self.scheme))
    }
}

/// What follows `base` in `path`, where that is below it.
fn below<'a>(path: &'a str, base: &str) -> Option<&'a str> {
    path.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strip() -> PathRewrite {
        PathRewrite::Replace { segments: 1, with: "/".into() }
    }

    fn with<T>(rewrite: &PathRewrite, then: impl FnOnce(&PublicNames<'_>) -> T) -> T {
        let authority = Authority::parse("wiki.example").unwrap();
        then(&PublicNames {
            scheme: Scheme::Https,
            authority: &authority,
            prefix: "/the app",
            written_prefix: "/the%20app",
            rewrite,
        })
    }

    fn told(rewrite: &PathRewrite, location: &str) -> Option<String> {
        let hosts = [HeaderValue::from_static("fixed.internal"), HeaderValue::from_static("10.0.0.5:8080")];
        let app = AppNames { hosts: [&hosts[0], &hosts[1]], scheme: Scheme::Http };
        with(rewrite, |public| public.to_public(location, &app))
    }

    #[test]
    fn what_names_the_app_is_told_as_clients_must_call_it() {
        for (said, expected) in [
            ("/x?a=/b#c", "/the%20app/x?a=/b#c"),
            ("/", "/the%20app/"),
            ("http://10.0.0.5:8080/x", "https://wiki.example/the%20app/x"),
            ("HTTP://10.0.0.5:8080", "https://wiki.example/the%20app/"),
            ("http://10.0.0.5:8080?q", "https://wiki.example/the%20app/?q"),
            ("http://fixed.internal/x", "https://wiki.example/the%20app/x"),
            ("http://fixed.internal:80/x", "https://wiki.example/the%20app/x"),
            ("//10.0.0.5:8080/x", "https://wiki.example/the%20app/x"),
            ("http://WIKI.example/x", "https://wiki.example/the%20app/x"),
            ("https://wiki.example:443/x", "https://wiki.example/the%20app/x"),
            ("/the%20app/x", "/the%20app/x"),
            ("https://wiki.example/the%20app", "https://wiki.example/the%20app"),
            ("/the%20apple", "/the%20app/the%20apple"),
        ] {
            assert_eq!(told(&strip(), said).as_deref(), Some(expected), "{said}");
        }
        for other in [
            "https://other.example/x",
            "//other.example/x",
            "http://10.0.0.5/x",
            "http://10.0.0.5:8080@evil.example/",
            "https://wiki.example.evil.example/",
            "http://wiki.example:8080/",
            "ftp://10.0.0.5:8080/x",
            "x/y",
            "../x",
            "?q",
            "#f",
            "",
            "mailto:a@10.0.0.5",
        ] {
            assert_eq!(told(&strip(), other), None, "{other}");
        }
    }

    #[test]
    fn a_replaced_path_is_put_back_and_a_kept_one_kept() {
        let replaced = PathRewrite::Replace { segments: 1, with: "/v2/".into() };
        for (said, expected) in [
            ("/v2", Some("/the%20app")),
            ("/v2/x", Some("/the%20app/x")),
            ("/the%20app/x", Some("/the%20app/x")),
            ("/v20", None),
            ("http://10.0.0.5:8080/elsewhere", None),
        ] {
            assert_eq!(told(&replaced, said).as_deref(), expected, "{said}");
        }
        assert_eq!(
            told(&PathRewrite::Keep, "http://fixed.internal/x").as_deref(),
            Some("https://wiki.example/x")
        );
        assert_eq!(told(&PathRewrite::Keep, "/x").as_deref(), Some("/x"));
    }

    #[test]
    fn invariant_13_no_path_of_the_app_becomes_another_host() {
        let authority = Authority::parse("wiki.example").unwrap();
        let rewrite = PathRewrite::Replace { segments: 0, with: "/base".into() };
        let public = PublicNames {
            scheme: Scheme::Https,
            authority: &authority,
            prefix: "",
            written_prefix: "",
            rewrite: &rewrite,
        };
        let host = HeaderValue::from_static("10.0.0.5:8080");
        let app = AppNames { hosts: [&host, &host], scheme: Scheme::Http };
        for (said, told) in [
            ("/base/x?q", "https://wiki.example/x?q"),
            ("/base//evil.example/x", "https://wiki.example//evil.example/x"),
            ("/base/\\evil.example/x", "https://wiki.example/\\evil.example/x"),
            ("/base/\t/evil.example/x", "https://wiki.example/\t/evil.example/x"),
        ] {
            assert_eq!(public.to_public(said, &app).as_deref(), Some(told), "{said:?}");
        }
    }

    #[test]
    fn invariant_2_a_destination_is_below_the_route_or_refused() {
        let asked = |rewrite: &PathRewrite, text: &str| with(rewrite, |public| public.to_app(text, |_| true));
        for (said, expected) in [
            ("https://wiki.example/the%20app/b.txt", Some("/b.txt")),
            ("http://wiki.example/the%20app/b?q#f", Some("/b?q")),
            ("/t%68e%20app/b%2Fc", Some("/b%2Fc")),
            ("/the%20app", Some("/")),
            ("https://other.example/the%20app/b", None),
        ] {
            assert_eq!(asked(&strip(), said).unwrap().as_deref(), expected, "{said}");
        }
        for elsewhere in [
            "/b.txt",
            "/the%20apple",
            "https://wiki.example/",
            "https://wiki.example",
            "/the%20app/../b",
            "/the%20app/%2e%2e/b",
            "/the%20app/b\\..\\c",
            "b.txt",
            "../b.txt",
            "http:/b.txt",
            "dav://wiki.example/b.txt",
        ] {
            assert!(asked(&strip(), elsewhere).is_err(), "{elsewhere}");
        }
        assert_eq!(asked(&PathRewrite::Keep, "https://wiki.example/b").unwrap().as_deref(), Some("/b"));
    }

    #[test]
    fn invariant_2_a_destination_that_an_app_could_read_otherwise_is_refused() {
        let asked = |values: &[&[u8]]| {
            let field = |value: &&[u8]| (DESTINATION, HeaderValue::from_bytes(value).unwrap());
            let mut headers: HeaderMap = HeaderMap::new();
            for (name, value) in values.iter().map(field) {
                headers.append(name, value);
            }
            let judged = RequestPath::parse("/the%20app/b").unwrap();
            with(&strip(), |public| public.take_destination(&judged, &mut headers))
                .map(|path| (path, headers.len()))
        };
        assert_eq!(asked(&[]).unwrap(), (None, 0));
        assert_eq!(asked(&[b"/the%20app/b"]).unwrap(), (Some("/b".to_owned()), 0));
        assert!(asked(&[b"https://other.example/x", b"/secret"]).is_err());
        assert!(asked(&["/b\u{e4}".as_bytes()]).is_err());
    }

    #[test]
    fn invariant_2_the_destination_that_was_judged_is_told_and_no_other() {
        let told = |judged: &str| {
            let judged = RequestPath::parse(judged).unwrap();
            let field = (DESTINATION, HeaderValue::from_static("/the%20app/b"));
            with(&strip(), |public| {
                public.take_destination(&judged, &mut HeaderMap::from_iter([field.clone()]))
            })
        };
        assert_eq!(told("/the%20app/b").unwrap().as_deref(), Some("/b"));
        assert!(told("/the%20app/c").is_err());
    }

    proptest! {
        #[test]
        fn what_a_client_follows_reaches_the_app_as_the_app_meant_it(
            path in "(/[a-z]{0,3}){1,4}", query in "(\\?[a-z/]{0,4})?", absolute in any::<bool>(),
            rewrite in prop::sample::select(vec![PathRewrite::Keep, strip(), PathRewrite::Replace { segments: 1, with: "/v2".into() }]),
        ) {
            let meant = match &rewrite {
                PathRewrite::Replace { with, .. } if with != "/" => format!("/v2{path}{query}"),
                PathRewrite::Keep | PathRewrite::Replace { .. } => format!("{path}{query}"),
            };
            prop_assume!(!path.starts_with("//") || absolute || meant.starts_with("/v2"));
            let said = if absolute { format!("http://10.0.0.5:8080{meant}") } else { meant.clone() };
            let told = told(&rewrite, &said).unwrap();
            let back = with(&rewrite, |public| public.to_app(&told, |_| true).unwrap());
            prop_assert_eq!(back, Some(meant));
        }

        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,60}") {
            let _ = told(&strip(), &text);
            let _ = with(&strip(), |public| public.to_app(&text, |_| true).is_ok());
        }
    }
}
