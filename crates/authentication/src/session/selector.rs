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
        let digits = text.as_bytes();
        if !(8..=64).contains(&digits.len()) {
            return None;
        }
        let filled = |with: u8| {
            let mut bytes = [0; 32];
            for (at, byte) in bytes.iter_mut().enumerate() {
                let digit = |at| hex_digit(digits.get(at).copied().unwrap_or(with));
                *byte = (digit(2 * at)? << 4) | digit(2 * at + 1)?;
            }
            Some(SessionId::from_bytes(bytes))
        };
        Some(Self { first: filled(b'0')?, last: filled(b'f')? })
    }
}

impl From<SessionId> for IdPrefix {
    /// This very session.
    fn from(id: SessionId) -> Self {
        Self { first: id, last: id }
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    u8::try_from(char::from(byte).to_digit(16)?).ok()
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
        assert_eq!(IdPrefix::parse(&"f".repeat(64)).unwrap(), IdPrefix::from(id([0xff; 32])));
        for wrong in ["", "1234567", "12ab34cg", "12ab34c ", "+1234567", &"0".repeat(65)] {
            assert_eq!(IdPrefix::parse(wrong), None, "{wrong}");
        }
    }
}
