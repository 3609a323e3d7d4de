//! What a provider's page shows in a frame that nobody looks at (OpenID Connect Front-Channel Logout 1.0).

use askama::Template;
use http::StatusCode;
use url::Url;

use super::csp::Needs;
use super::look::Look;
use super::page::Page;
use crate::words::Word;

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
    pub fn page(&self, look: Look<'_>) -> Page {
        let text = look.say(if self.status.is_success() { Word::SignedOut } else { Word::NobodySignedOut });
        let needs = Needs { style: Some(&look.brand.narrow), ancestors: self.by, ..Needs::default() };
        Page::new(self.status, &FramedView { look, text }, needs)
    }
}

#[derive(Template)]
#[template(path = "framed.html")]
struct FramedView<'a> {
    look: Look<'a>,
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::tests::plain;

    #[test]
    fn it_may_be_framed_by_the_named_origins_alone_and_is_not_kept() {
        let by = ["https://id.example/realms/a?b", "http://127.0.0.1:8080/", "https://a;b.example/"];
        let by: Vec<_> = by.iter().filter_map(|text| Url::parse(text).ok()).collect();
        let page = Framed { status: StatusCode::OK, by: &by }.page(plain());
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("; frame-ancestors https://id.example http://127.0.0.1:8080; "), "{policy}");
        assert!(!page.headers.contains_key("x-frame-options"));
        assert_eq!(page.headers["cache-control"], "no-store");
        let nobody = Framed { status: StatusCode::OK, by: &[] }.page(plain());
        assert_eq!(nobody.headers["x-frame-options"], "DENY");
        assert!(
            nobody.headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'")
        );
    }
}
