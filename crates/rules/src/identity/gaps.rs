//! What may be so of somebody although no source has said it: unknown, which is not none.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that rules ask of a principal and that may be other than it stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gap {
    /// The claim that names the user is not there: another name stands in for it.
    User,
    /// There may be an e-mail address.
    Email,
    /// There may be more groups.
    Groups,
    /// There may be more scopes.
    Scopes,
    /// Claims that are not there may be so all the same.
    Claims,
    /// How, how surely or when the person signed in: `amr`, `acr`, `auth_time`.
    SignIn,
    /// Whether the session is bound to a device: its browser may be about to bind it.
    Binding,
}

/// A set of [`Gap`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Gap>", into = "Vec<Gap>")]
pub struct Gaps(u8);

impl Gap {
    /// Every kind of gap, in the order in which messages list them.
    pub const ALL: [Self; 7] =
        [Self::User, Self::Email, Self::Groups, Self::Scopes, Self::Claims, Self::SignIn, Self::Binding];

    const fn as_str(self) -> &'static str {
        match self {
            Self::User => "the user's name",
            Self::Email => "the e-mail address",
            Self::Groups => "the groups",
            Self::Scopes => "the scopes",
            Self::Claims => "the claim that the rule names",
            Self::SignIn => "how the person signed in",
            Self::Binding => "whether the session is bound to its device",
        }
    }
}

impl Gaps {
    /// With `gap` among them.
    #[must_use]
    pub const fn with(self, gap: Gap) -> Self {
        Self(self.0 | 1 << gap as u8)
    }

    /// Whether `gap` is among them.
    #[must_use]
    pub const fn has(self, gap: Gap) -> bool {
        self.0 & 1 << gap as u8 != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn iter(self) -> impl Iterator<Item = Gap> {
        Gap::ALL.into_iter().filter(move |gap| self.has(*gap))
    }
}

impl FromIterator<Gap> for Gaps {
    fn from_iter<I: IntoIterator<Item = Gap>>(gaps: I) -> Self {
        gaps.into_iter().fold(Self::default(), Self::with)
    }
}

impl From<Vec<Gap>> for Gaps {
    fn from(gaps: Vec<Gap>) -> Self {
        gaps.into_iter().collect()
    }
}

impl From<Gaps> for Vec<Gap> {
    fn from(gaps: Gaps) -> Self {
        gaps.iter().collect()
    }
}

/// `the groups and the e-mail address`.
impl fmt::Display for Gaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.iter().map(Gap::as_str).collect();
        f.write_str(&words.join(" and "))
    }
}
