//! Forms and links of a page.

use std::fmt;

/// A form that is posted by one button.
#[derive(Clone, Copy)]
pub struct Form<'a> {
    /// Where to: a path of this gateway, or an address on its sign-in host.
    pub action: &'a str,
    /// Hidden fields, the CSRF token among them.
    pub fields: &'a [(&'a str, &'a str)],
}

impl Form<'_> {
    /// The action, if it is a safe one.
    pub(super) fn target(&self) -> &str {
        safe_link(self.action)
    }
}

impl fmt::Debug for Form<'_> {
    /// Names only: one of the values is a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.fields.iter().map(|(name, _)| name);
        f.debug_struct("Form")
            .field("action", &self.action)
            .field("fields", &names.collect::<Vec<_>>())
            .finish()
    }
}

/// A way on, among others: an app, or a provider.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Where it leads.
    pub href: &'a str,
}

impl Link<'_> {
    pub(super) fn link(&self) -> &str {
        safe_link(self.href)
    }

    pub(super) fn initial(&self) -> String {
        super::person::initial(self.name)
    }
}

/// `href` where it is a path of this host or an absolute `http(s)` URL, else `/`: a link never runs
/// a script and never leaves by way of `//` or `/\` (invariant 13).
pub(super) fn safe_link(href: &str) -> &str {
    let plain = !href.chars().any(|c| c.is_control() || c == '\\' || c == ' ');
    let local = href.starts_with('/') && !href.starts_with("//");
    let absolute = href.starts_with("https://") || href.starts_with("http://");
    if plain && (local || absolute) { href } else { "/" }
}
