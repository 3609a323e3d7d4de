//! Which sessions somebody means.

use super::SessionId;
use super::state_keys::{Name, StateKeys};
use super::store::StoredSelector;
use crate::identity::Issuer;

/// Which sign-ins are looked for. A sign-in is found as a whole, with all its sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// All of them.
    All,
    /// With a session whose identifier begins with these hexadecimal digits.
    Id(IdPrefix),
    /// Of this subject at this issuer.
    Subject(Issuer, String),
    /// Of this user name, whoever vouches for it.
    User(String),
    /// Of this session of a provider (`sid`), unique at its issuer.
    ProviderSession(Issuer, String),
    /// Of this e-mail address at this issuer, in whatever case.
    Email(Issuer, String),
    /// Of the provider configured under this name.
    Provider(String),
    /// With a session on this host; lower-case, without port.
    Host(String),
}

/// The beginning of a session's identifier, 8 to 64 hexadecimal digits: as the log prints it, or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdPrefix {
    first: SessionId,
    last: SessionId,
}

impl IdPrefix {
    /// Reads the digits; `None` where there are fewer than 8, more than 64, or others.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let filled = |text: String| SessionId::from_hex(&text);
        let (first, last) = (format!("{text:0<64}"), format!("{text:f<64}"));
        (text.len() >= 8).then_some(Self { first: filled(first)?, last: filled(last)? })
    }
}

impl Selector {
    /// As the store looks for it.
    pub(super) fn stored(&self, keys: &StateKeys) -> StoredSelector {
        match self {
            Self::All => StoredSelector::All,
            Self::Id(IdPrefix { first, last }) => StoredSelector::Ids(*first, *last),
            Self::Subject(issuer, subject) => {
                StoredSelector::Subject(keys.digests(&Name::Subject(issuer, subject)))
            }
            Self::User(user) => StoredSelector::User(keys.digests(&Name::User(user))),
            Self::ProviderSession(issuer, sid) => {
                StoredSelector::ProviderSession(keys.digests(&Name::ProviderSession(issuer, sid)))
            }
            Self::Email(issuer, address) => {
                StoredSelector::Email(keys.digests(&Name::Email(issuer, address)))
            }
            Self::Provider(name) => StoredSelector::Provider(name.clone()),
            Self::Host(host) => StoredSelector::Host(host.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_hexadecimal_digits_and_names_all_that_begin_with_it() {
        let id = |bytes: [u8; 32]| SessionId::from_bytes(bytes);
        let mut first = [0; 32];
        first[..4].copy_from_slice(&[0x12, 0xab, 0x34, 0xcd]);
        let mut last = [0xff; 32];
        last[..4].copy_from_slice(&[0x12, 0xab, 0x34, 0xcd]);
        let eight = IdPrefix::parse("12AB34cd").unwrap();
        assert_eq!(eight, IdPrefix { first: id(first), last: id(last) });
        (first[4], last[4]) = (0x50, 0x5f);
        assert_eq!(IdPrefix::parse("12ab34cd5").unwrap(), IdPrefix { first: id(first), last: id(last) });
        let one = id([0xff; 32]);
        assert_eq!(IdPrefix::parse(&"f".repeat(64)).unwrap(), IdPrefix { first: one, last: one });
        for wrong in ["", "1234567", "12ab34cg", "12ab34c ", "+1234567", &"0".repeat(65)] {
            assert_eq!(IdPrefix::parse(wrong), None, "{wrong}");
        }
    }
}
