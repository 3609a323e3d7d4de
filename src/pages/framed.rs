//! What a provider's page shows in a frame that nobody looks at (OpenID Connect Front-Channel Logout 1.0).

use askama::Template;
use http::StatusCode;
use url::Url;

use super::csp::Needs;
use super::page::Page;

/// The answer to a provider's frame. The only page that may be framed, and by the provider alone.
#[derive(Clone, Copy, Debug)]
pub struct Framed<'a> {
    /// 200, or why not.
    pub status: StatusCode,
    /// Addresses at the providers that may frame it.
    pub by: &'a [Url],
}

impl Framed<'_> {
    /// A page of a word or two: its provider waits for nothing but that it has loaded.
    #[must_use]
    pub fn page(&self) -> Page {
        let text =
            if self.status.is_success() { "You are signed out" } else { "Nobody was signed out by this" };
        Page::new(self.status, &FramedView { text }, Needs { ancestors: self.by, ..Needs::default() })
    }
}

#[derive(Template)]
#[template(path = "framed.html")]
struct FramedView<'a> {
    text: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_may_be_framed_by_the_named_origins_alone_and_is_not_kept() {
        let by = ["https://id.example/realms/a?b", "http://127.0.0.1:8080/", "https://a;b.example/"];
        let by: Vec<_> = by.iter().filter_map(|text| Url::parse(text).ok()).collect();
        let page = Framed { status: StatusCode::OK, by: &by }.page();
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("; frame-ancestors https://id.example http://127.0.0.1:8080; "), "{policy}");
        assert!(!page.headers.contains_key("x-frame-options"));
        assert_eq!(page.headers["cache-control"], "no-store");
        let nobody = Framed { status: StatusCode::OK, by: &[] }.page();
        assert_eq!(nobody.headers["x-frame-options"], "DENY");
        assert!(
            nobody.headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'")
        );
    }
}
