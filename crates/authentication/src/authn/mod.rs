//! Turning a credential into a [`Principal`](crate::identity::Principal): session cookies and access tokens, as
//! bearer tokens (RFC 6750) or as passwords of Basic (RFC 7617).
//!
//! Absent and invalid are different things here (invariant 3): a request without a token may go on to
//! the policy as nobody, one with a bad token is refused.

mod accept;
mod authenticate;
mod authentication;
mod authorization;
mod bearer;
mod carrier;
mod challenge;
mod claims;
mod counters;
mod credential_id;
mod digest_cache;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod last_credential;
mod present;
mod presented;
mod principal;
mod request_view;
mod session_cookie;
mod settings;

#[cfg(test)]
mod tests;

pub use accept::{Accept, Accepted};
pub use authenticate::Authenticator;
pub use authentication::{Authenticated, Authentication, AuthenticationError, CredentialKind, OpenedSession};
pub use authorization::{PORTCULLIS_AUTHORIZATION, names_basic};
pub use bearer::{BearerIssuer, BearerVerifier, Verified};
pub use carrier::{AmbientAuthority, Carrier};
pub use challenge::{Challenge, ErrorCode, basic_challenge};
pub use credential_id::CredentialId;
pub use error::{TokenError, TokenRefusal};
pub use principal::principal;
pub use request_view::RequestView;
pub use settings::BearerSettings;
