//! Turning a credential into a [`Principal`](crate::identity::Principal): session cookies and access tokens, as
//! bearer tokens (RFC 6750) or as passwords of Basic (RFC 7617).
//!
//! Absent and invalid are different things here (invariant 3): a request without a token may go on to
//! the policy as nobody, one with a bad token is refused.

mod authenticate;
mod bearer;
mod challenge;
mod claims;
mod credential;
mod digest_cache;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod last_credential;
mod lookups;
mod presented;
mod principal;
mod settings;

#[cfg(test)]
mod tests;

pub use authenticate::{Accept, Authentication, AuthenticationError, Authenticator};
pub use bearer::{BearerIssuer, BearerVerifier, Verified};
pub use challenge::{Challenge, basic_challenge};
pub use credential::{Credential, PORTCULLIS_AUTHORIZATION, credential, names_basic};
pub use error::{Blame, ErrorCode, TokenError, TokenRefusal};
pub use presented::Carrier;
pub use principal::principal;
pub use settings::BearerSettings;
