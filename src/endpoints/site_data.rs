//! What a browser is told to forget of a host where somebody signs out (Clear Site Data, section 3.1).

use http::HeaderValue;

/// A kind of what browsers keep (Clear Site Data, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteData {
    /// Pages and files in caches.
    Cache,
    /// Cookies of the whole registrable domain.
    Cookies,
    /// What scripts keep of the origin, and its service workers.
    Storage,
}

impl SiteData {
    /// The type as the field has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Cookies => "cookies",
            Self::Storage => "storage",
        }
    }
}

/// The value of the field: a list of quoted strings.
pub(super) fn clear_site_data(forget: &[SiteData]) -> Option<HeaderValue> {
    let quoted: Vec<_> = forget.iter().map(|data| format!("\"{}\"", data.as_str())).collect();
    HeaderValue::try_from(quoted.join(", ")).ok().filter(|value| !value.is_empty())
}
