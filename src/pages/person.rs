//! How a person is shown to themselves.

use std::borrow::Cow;

use crate::identity::Principal;

/// The most characters of a name or an address that are shown: a provider may send any length (invariant 14).
const LONGEST: usize = 120;

/// Who somebody is, in the words of their provider.
#[derive(Debug)]
pub(super) struct Person<'a> {
    pub(super) initial: String,
    pub(super) name: Cow<'a, str>,
    pub(super) email: Option<Cow<'a, str>>,
    pub(super) provider: &'a str,
}

impl<'a> Person<'a> {
    pub(super) fn new(principal: &'a Principal, provider: &'a str) -> Self {
        let name = principal.claims.get("name").and_then(|name| name.as_str()).map(str::trim);
        let name = name.filter(|name| !name.is_empty()).unwrap_or(&principal.user);
        let email =
            principal.email.as_ref().map(|email| email.address.as_str()).filter(|email| *email != name);
        Self { initial: initial(name), name: clipped(name), email: email.map(clipped), provider }
    }
}

/// The first letter or digit of `name`, in upper case.
pub(super) fn initial(name: &str) -> String {
    let first = name.chars().take(LONGEST).find(|c| c.is_alphanumeric());
    first.map_or_else(|| "·".into(), |c| c.to_uppercase().collect())
}

pub(super) fn clipped(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}
