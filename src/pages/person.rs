//! How a person is shown to themselves.

use crate::identity::Principal;

/// The lines of a person's box.
#[derive(Debug)]
pub(super) struct Person<'a> {
    pub(super) initial: String,
    pub(super) name: &'a str,
    pub(super) email: Option<&'a str>,
    pub(super) provider: &'a str,
}

impl<'a> Person<'a> {
    pub(super) fn new(principal: &'a Principal, provider: &'a str) -> Self {
        let name =
            principal.claims.get("name").and_then(|name| name.as_str()).filter(|name| !name.is_empty());
        let name = name.unwrap_or(&principal.user);
        let email =
            principal.email.as_ref().map(|email| email.address.as_str()).filter(|email| *email != name);
        Self { initial: initial(name), name, email, provider }
    }
}

/// The first letter or digit of `name`, in upper case.
pub(super) fn initial(name: &str) -> String {
    name.chars().find(|c| c.is_alphanumeric()).map_or_else(|| "·".into(), |c| c.to_uppercase().collect())
}
