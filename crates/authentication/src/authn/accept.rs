//! Which credentials a route looks at.

use super::carrier::Carrier;

/// A way to show who one is that a route may accept, in the order in which they are looked at: what a client sends on
/// purpose goes before what its browser sends along by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Accepted {
    /// Access tokens as `Authorization: Bearer` (RFC 6750).
    Bearer,
    /// Access tokens as the password of `Authorization: Basic` (RFC 7617).
    Basic,
    /// Session cookies; without them nobody is redirected to sign in.
    Session,
}

/// A set of [`Accepted`]. The empty one is that of public routes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accept(u8);

impl Accept {
    /// No credential.
    pub const NOTHING: Self = Self(0);

    /// The same and `accepted`.
    #[must_use]
    pub const fn with(self, accepted: Accepted) -> Self {
        Self(self.0 | bit(accepted))
    }

    /// Whether `accepted` is looked at.
    #[must_use]
    pub const fn has(self, accepted: Accepted) -> bool {
        self.0 & bit(accepted) != 0
    }

    /// Whether a credential that came so is looked at.
    #[must_use]
    pub const fn admits(self, carrier: &Carrier) -> bool {
        match carrier {
            Carrier::Cookie => self.has(Accepted::Session),
            Carrier::Bearer => self.has(Accepted::Bearer),
            Carrier::Basic(_) => self.has(Accepted::Basic),
            Carrier::Beside(_) => self.tokens(),
        }
    }

    /// Whether access tokens let anybody in.
    #[must_use]
    pub const fn tokens(self) -> bool {
        self.has(Accepted::Bearer) || self.has(Accepted::Basic)
    }
}

impl FromIterator<Accepted> for Accept {
    fn from_iter<I: IntoIterator<Item = Accepted>>(accepted: I) -> Self {
        accepted.into_iter().fold(Self::NOTHING, Self::with)
    }
}

const fn bit(accepted: Accepted) -> u8 {
    1 << accepted as u8
}
