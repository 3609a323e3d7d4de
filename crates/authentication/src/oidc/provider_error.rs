//! Why a provider cannot do its work.

use super::http::HttpError;
use super::metadata_error::MetadataError;

/// A provider that cannot do its work at present, or never was meant to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Its metadata have not been found yet; the last attempt's error.
    #[error("the provider is unavailable: {0}")]
    Unavailable(String),
    /// Its keys have not been found yet.
    #[error("the provider's keys (JWKS) are not known yet")]
    NoKeys,
    /// It has no `client_id`, or no public URL is configured: nobody signs in with it.
    #[error("nobody can sign in with this provider: it has no client_id, or server.public_url is missing")]
    NotForSignIn,
    /// Its discovery document is missing or wrong.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// A call to it failed.
    #[error(transparent)]
    Http(#[from] HttpError),
}
