//! How a credential is presented.

use crate::secret::Secret;

/// By which field a credential came; with an access token where an app that is handed tokens does not find it in the
/// request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The session cookie.
    Cookie,
    /// `Authorization: Bearer`.
    Bearer,
    /// The password of `Authorization: Basic`, which browsers go on sending by themselves.
    Basic(Secret),
    /// `X-Portcullis-Authorization`; what stands in `Authorization` is the app's.
    Beside(Secret),
}

/// Which pages can make a browser send a credential that they do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmbientAuthority {
    /// None: whoever sends it holds it.
    No,
    /// Those of the same site, as with cookies of `SameSite=Lax`.
    SameSite,
    /// Those of every site: browsers send the credential along wherever a request comes from.
    AnySite,
}

impl Carrier {
    /// The token that another field than `Authorization: Bearer` brought.
    #[must_use]
    pub const fn brought(&self) -> Option<&Secret> {
        match self {
            Self::Cookie | Self::Bearer => None,
            Self::Basic(token) | Self::Beside(token) => Some(token),
        }
    }

    /// Which pages can have a browser send it.
    #[must_use]
    pub const fn ambient(&self) -> AmbientAuthority {
        match self {
            Self::Cookie => AmbientAuthority::SameSite,
            Self::Basic(_) => AmbientAuthority::AnySite,
            Self::Bearer | Self::Beside(_) => AmbientAuthority::No,
        }
    }
}
