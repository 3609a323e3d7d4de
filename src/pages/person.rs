//! How a person is shown to themselves.

use std::borrow::Cow;

use crate::identity::Principal;

/// The most characters of a name or an address that are shown: a provider may send any length (invariant 14).
const LONGEST: usize = 120;

/// Who somebody is, in the words of their provider.
#[derive(Debug)]
pub struct Person<'a> {
    /// The first letter of the name.
    pub initial: String,
    /// The name, or what rules call them.
    pub name: Cow<'a, str>,
    /// The address, where it is not the name.
    pub email: Option<Cow<'a, str>>,
    /// What people call the provider that vouches.
    pub provider: &'a str,
}

impl<'a> Person<'a> {
    /// Somebody by the word of their provider.
    #[must_use]
    pub fn new(principal: &'a Principal, provider: &'a str) -> Self {
        let name = principal.claims.get("name").and_then(|name| name.as_str()).map(str::trim);
        let name = name.filter(|name| !name.is_empty()).unwrap_or(&principal.user);
        let email =
            principal.email.as_ref().map(|email| email.address.as_str()).filter(|email| *email != name);
        Self { initial: initial(name), name: clipped(name), email: email.map(clipped), provider }
    }
}

/// The first letter or digit of `name`, in upper case.
#[must_use]
pub fn initial(name: &str) -> String {
    let first = name.chars().take(LONGEST).find(|c| c.is_alphanumeric());
    first.map_or_else(|| "·".into(), |c| c.to_uppercase().collect())
}

/// The first letters or digits of the first two words of `name`, in upper case.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_host = !name.contains(' ') && name.contains('.');
    let second = words
        .nth(1)
        .filter(|word| !is_host && word.starts_with(char::is_alphabetic))
        .map(initial)
        .unwrap_or_default();
    initial(name) + &second
}

/// `text`, or its beginning where it is longer than a page shows.
#[must_use]
pub fn clipped(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}
