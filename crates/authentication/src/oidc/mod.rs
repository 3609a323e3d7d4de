//! The relying party (OpenID Connect Core 1.0): discovery, sign-in, refresh, sign-out.
//!
//! A [`Provider`] finds its issuer's endpoints by itself and keeps them; it asks nothing but those
//! (invariant 16). A sign-in in flight is a [`Flow`] that travels sealed in the browser's own cookie.

pub mod claims;
pub mod http;
pub mod jwks;

mod assertion;
pub(crate) mod backoff;
mod client;
mod culprit;
mod discovery;
pub(crate) mod endpoint_url;
mod error;
#[cfg(any(test, fuzzing, feature = "testing"))]
pub mod fixtures;
mod flights;
mod flow;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod health;
mod id_token;
mod id_token_error;
pub mod json;
mod logout;
mod logout_token;
mod logout_token_error;
mod members;
mod metadata;
mod metadata_error;
pub(crate) mod numeric_date;
mod provider;
mod provider_error;
mod provider_task;
mod providers;
mod refresh;
mod revocation;
mod settings;
mod setup_error;
mod status;
mod token_response;
mod user_info;
pub mod verifier;

#[cfg(test)]
mod tests;

pub use assertion::UnusableKey;
pub use client::TokenEndpointError;
pub use culprit::Culprit;
pub use error::{RefreshError, SignInError, UserInfoError};
pub use flights::{FlightError, RefreshFlights};
pub use flow::{
    AuthenticationRequest, AuthorizationRedirect, CallbackParameters, Destination, Flow, FlowCookies,
    FlowError, SIGN_IN_LIFETIME, SignedIn, is_own_parameter,
};
pub use health::ProviderEndpoint;
pub use id_token_error::IdTokenError;
pub use logout_token::{LogoutToken, MAX_LOGOUT_TOKEN};
pub use logout_token_error::LogoutTokenError;
pub use metadata_error::MetadataError;
pub use provider::Provider;
pub use provider_error::ProviderError;
pub use provider_task::ProviderTask;
pub(crate) use provider_task::max_age;
pub use providers::{Choice, Hint, Providers};
pub use refresh::Refreshed;
pub(crate) use revocation::basic;
pub use settings::*;
pub use setup_error::SetupError;
pub use status::ProviderStatus;
pub use token_response::{OAuthErrorCode, TokenResponseError};
