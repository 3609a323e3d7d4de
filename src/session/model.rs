//! What a session is.

use crate::clock::Timestamp;
use crate::secret::Secret;

/// The tokens a provider gave for a session (OpenID Connect Core 1.0, section 3.1.3.3).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tokens {
    /// The access token.
    pub access: Option<Secret>,
    /// When it expires, by `expires_in`; unknown where the provider did not say.
    pub access_expires: Option<Timestamp>,
    /// The refresh token.
    pub refresh: Option<Secret>,
    /// The ID token, kept as `id_token_hint` and for routes that pass it on.
    pub id: Option<Secret>,
}
