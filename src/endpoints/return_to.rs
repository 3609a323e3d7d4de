//! Where a sign-in leads back to (invariant 13).

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::{Position, Url, form_urlencoded};

use super::paths::SIGN_IN;
use crate::pages;
use crate::request::Authority;

/// A page of ours to come back to: an absolute address on a host that some route claims, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo {
    text: String,
    /// The same as libraries read it: for its origin.
    url: Url,
}

/// The longest address, in bytes, that is taken along through the sign-in: it is a part of `state`, and there are
/// providers that take no more than 2 KiB of query. The browser keeps a longer one itself.
const LONGEST: usize = 512;

/// What an address is written without: what is no URL, and the backslash that browsers read as a slash in a path.
const NOT_IN_A_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'\\').add(b'#').add(b'?');
const NOT_IN_A_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'#');

impl ReturnTo {
    /// Reads an address that came through a browser. `is_ours` tells whether some route claims the
    /// origin. Whatever browsers and parsers are known to read differently is refused, not repaired: the host
    /// ends at the first slash, and what stands behind that is not looked into.
    #[must_use]
    pub fn parse(text: &str, is_ours: impl FnOnce(&Url) -> bool) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        let (host, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        Authority::parse(host).ok().filter(|_| web)?;
        let path = rest.split(['?', '#']).next().unwrap_or_default();
        let ours = |url: &Url| mutant!(is_ours(url), "return-address-anywhere" => true);
        let plain = rest.bytes().all(|byte| byte.is_ascii_graphic())
            && mutant!(!path.contains('\\'), "return-address-with-a-backslash" => true);
        let url = Url::parse(text).ok().filter(|url| plain && url.host_str().is_some() && ours(url))?;
        let slash = if rest.starts_with('/') { "" } else { "/" };
        Some(Self { text: format!("{}{slash}{rest}", &url[..Position::BeforePath]), url })
    }

    /// The address of a request: `path` and `query` as they came, but for what cannot stand in a header field.
    #[must_use]
    pub fn asked(origin: &str, path: &str, query: Option<&str>) -> Option<Self> {
        let path = utf8_percent_encode(path, NOT_IN_A_PATH);
        let query = query.map(|query| utf8_percent_encode(query, NOT_IN_A_QUERY).to_string());
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        Self::parse(&format!("{origin}{path}{query}"), |_| true)
    }

    /// The same page on the origin of `like`.
    pub(super) fn on(self, like: &Url) -> Self {
        let rest = self.text.get(self.url[..Position::BeforePath].len()..).unwrap_or_default();
        let text = format!("{}{rest}", &like[..Position::BeforePath]);
        let url = Url::parse(&text).ok();
        url.map_or(self, |url| Self { text, url })
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address as a URL.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Scheme and authority.
    #[must_use]
    pub fn origin(&self) -> Cow<'_, str> {
        self.url[..Position::BeforePath].into()
    }

    /// Its host, with its port as it is written.
    pub(super) fn authority(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }

    /// Whether it is too long to be taken along.
    #[must_use]
    pub const fn is_long(&self) -> bool {
        self.text.len() > LONGEST
    }

    /// Where a sign-in that leads here begins, on its own host.
    pub(super) fn sign_in_address(&self, more: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(more).append_pair(pages::RETURN_TO, &self.text);
        format!("{}{SIGN_IN}?{}", self.origin(), query.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        ReturnTo::parse(text, |url| url.host_str() == Some("wiki.example")).map(|to| to.as_str().to_owned())
    }

    #[test]
    fn path_and_query_come_back_to_the_letter() {
        for text in [
            "https://wiki.example/",
            "https://wiki.example/a%20b?q=%23&r=//x&s=a+b",
            "http://wiki.example/x",
            "https://wiki.example/a?",
            "https://wiki.example/?q='\\'",
            "https://wiki.example/a?b#c?d/#e",
        ] {
            assert_eq!(read(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn invariant_13_the_return_address_does_not_lead_off_site() {
        for text in [
            "//evil.example",
            "/\\evil.example",
            "https:/wiki.example/",
            "https:wiki.example",
            "https:\\\\wiki.example",
            "https://wiki.example/\\evil.example",
            "https://evil.example",
            "https://wiki.example@evil.example",
            "https://user@wiki.example",
            "https://wiki.example.evil.example",
            "https://evil.example#wiki.example",
            "https://wiki.example\t/",
            " https://wiki.example/",
            "https://wiki.example/%09\u{a0}",
            "javascript:alert(1)//wiki.example",
            "data://wiki.example/",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_host_ends_at_the_first_slash_whatever_follows() {
        for text in [
            "https://wiki.example?@evil.example",
            "https://wiki.example#@evil.example",
            "https://wiki.example?\\@evil.example",
            "https://wiki.example//evil.example",
            "https://wiki.example/?x=https://evil.example/\\",
        ] {
            let read = read(text).unwrap();
            assert_eq!(Url::parse(&read).unwrap().host_str(), Some("wiki.example"), "{read}");
            assert!(read.starts_with("https://wiki.example/"), "{read}");
        }
    }

    #[test]
    fn an_address_that_was_asked_for_is_kept_to_the_letter_as_far_as_a_field_can_hold_it() {
        let asked = |path, query| ReturnTo::asked("https://wiki.example:8443", path, query).unwrap().text;
        for (path, query, wanted) in [
            ("/a", Some(""), "/a?"),
            ("/a", Some("q='\\'&x=\"<>`{|}^"), "/a?q='\\'&x=\"<>`{|}^"),
            ("/%c3%A4%2f/./b", Some("?/"), "/%c3%A4%2f/./b??/"),
            ("/ä\\b", Some("ü=1"), "/%C3%A4%5Cb?%C3%BC=1"),
            ("/", None, "/"),
        ] {
            assert_eq!(asked(path, query), format!("https://wiki.example:8443{wanted}"));
        }
        let long = "x".repeat(60_000);
        assert!(asked("/", Some(&long)).ends_with(&long));
    }

    #[test]
    fn an_address_moves_to_another_origin_whole() {
        let there = ReturnTo::asked("http://wiki.example:9999", "/a", Some("b='")).unwrap();
        let moved = there.on(&Url::parse("https://login.example:8443/x?y").unwrap());
        assert_eq!(
            (moved.as_str(), &*moved.origin()),
            ("https://login.example:8443/a?b='", "https://login.example:8443")
        );
    }
}
