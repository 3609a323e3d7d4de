//! Scopes: what a client asks for and a person consents to (RFC 6749, section 3.3).

use std::collections::BTreeSet;
use std::fmt;

/// A scope that the provider knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Scope {
    /// Signing in.
    OpenId,
    /// The names.
    Profile,
    /// The e-mail address.
    Email,
    /// The groups.
    Groups,
    /// A refresh token (OpenID Connect Core 1.0, section 11).
    OfflineAccess,
    /// The demo's API.
    Api,
}

impl Scope {
    /// Every scope.
    pub(super) const ALL: [Self; 6] =
        [Self::OpenId, Self::Profile, Self::Email, Self::Groups, Self::OfflineAccess, Self::Api];

    /// As it is written.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::OpenId => "openid",
            Self::Profile => "profile",
            Self::Email => "email",
            Self::Groups => "groups",
            Self::OfflineAccess => "offline_access",
            Self::Api => "api",
        }
    }

    /// What it means for the person who is asked.
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::OpenId => "Know that it is you",
            Self::Profile => "See your name",
            Self::Email => "See your e-mail address",
            Self::Groups => "See your groups",
            Self::OfflineAccess => "Stay connected while you are away",
            Self::Api => "Call the demo API for you",
        }
    }

    /// Its icon on the page that asks.
    pub(super) const fn icon(self) -> &'static str {
        match self {
            Self::OpenId => "key",
            Self::Profile => "person",
            Self::Email => "mail",
            Self::Groups => "people",
            Self::OfflineAccess => "clock",
            Self::Api => "app",
        }
    }
}

/// A set of scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Reads a space-separated list; what is unknown is left out (OpenID Connect Core 1.0, section 3.1.2.1).
    pub(super) fn parse(text: &str) -> Self {
        Self(
            Scope::ALL
                .into_iter()
                .filter(|scope| text.split(' ').any(|word| word == scope.as_str()))
                .collect(),
        )
    }

    pub(super) fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether all of these are among `others`.
    pub(super) fn are_among(&self, others: &Self) -> bool {
        self.0.is_subset(&others.0)
    }

    /// These and `others`.
    pub(super) fn extend(&mut self, others: &Self) {
        self.0.extend(&others.0);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }
}

impl From<&[Scope]> for Scopes {
    fn from(scopes: &[Scope]) -> Self {
        Self(scopes.iter().copied().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Scope::as_str).collect();
        f.write_str(&words.join(" "))
    }
}
