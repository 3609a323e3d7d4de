//! The signing keys of a provider: fetched ahead of expiry, bound to their algorithms, never trusted
//! forever (RFC 7517, RFC 7518).

mod algorithm;
mod cache;
mod document;
mod error;
mod fetch;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod jws;
mod key;
mod key_set;
mod settings;

#[cfg(any(test, fuzzing))]
pub(crate) mod testing;

pub use algorithm::Algorithm;
pub use cache::JwksCache;
pub use error::{DocumentError, KeyError};
pub use fetch::{Fetch, FetchError, FetchedKeys};
pub use jws::{JoseHeader, Jws, JwsError, Typ};
pub use key::{BadSignature, Key};
pub use key_set::KeySet;
pub use settings::JwksSettings;
