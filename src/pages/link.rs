//! Links of a page.

use super::person::initial;

/// A link to an app, or to a sign-in with some provider.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// What people call the app or the provider.
    pub name: &'a str,
    /// A path of this host, or an absolute address of `http` or `https`.
    pub href: &'a str,
}

impl Link<'_> {
    pub(super) fn link(&self) -> &str {
        safe_link(self.href)
    }

    pub(super) fn initial(&self) -> String {
        initial(self.name)
    }
}

/// `href` where it is a path of this host or an absolute `http(s)` URL, else `/`: a link never runs
/// a script and never leaves by way of `//` or `/\` (invariant 13).
#[must_use]
pub fn safe_link(href: &str) -> &str {
    let plain = !href.chars().any(|c| c.is_control() || c == '\\' || c == ' ');
    let local = href.starts_with('/') && !href.starts_with("//");
    let absolute = href.starts_with("https://") || href.starts_with("http://");
    if plain && (local || absolute) { href } else { "/" }
}
