//! Where a sign-in leads back to (invariant 13).

use url::Url;

/// A page of ours to come back to: an absolute address on a host that some route claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReturnTo(Url);

/// Longest address that is kept; what is longer loses its query.
const LONGEST: usize = 2048;

impl ReturnTo {
    /// Reads an address that came through a browser. `is_ours` tells whether some route claims the
    /// origin. Whatever browsers and parsers are known to read differently is refused, not repaired.
    pub(super) fn parse(text: &str, is_ours: impl FnOnce(&Url) -> bool) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
        let url = Url::parse(text).ok().filter(|_| plain)?;
        let whole = text.get(..url.scheme().len() + 3)?.eq_ignore_ascii_case(&format!("{}://", url.scheme()));
        let bare = url.username().is_empty() && url.password().is_none();
        let web = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
        (whole && bare && web && is_ours(&url)).then_some(Self(shortened(url)))
    }

    /// The same page as `like` has it.
    pub(super) fn with(self, like: impl FnOnce(Url) -> Url) -> Self {
        Self(like(self.0))
    }

    /// The address.
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The address as a URL.
    pub(super) const fn url(&self) -> &Url {
        &self.0
    }
}

fn shortened(mut url: Url) -> Url {
    if url.as_str().len() > LONGEST {
        url.set_query(None);
    }
    if url.as_str().len() > LONGEST {
        url.set_path("/");
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        ReturnTo::parse(text, |url| url.host_str() == Some("wiki.example")).map(|to| to.as_str().to_owned())
    }

    #[test]
    fn path_and_query_come_back_to_the_letter() {
        for text in
            ["https://wiki.example/", "https://wiki.example/a%20b?q=%23&r=//x&s=a+b", "http://wiki.example/x"]
        {
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
            "https://evil.example",
            "https://wiki.example@evil.example",
            "https://user@wiki.example",
            "https://wiki.example.evil.example",
            "https://evil.example#wiki.example",
            "https://wiki.example/#x",
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
    fn an_endless_address_is_cut() {
        assert_eq!(
            read(&format!("https://wiki.example/a?{}", "x".repeat(4000))).as_deref(),
            Some("https://wiki.example/a")
        );
    }
}
