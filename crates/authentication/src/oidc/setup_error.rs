//! Why no provider can be made of its settings.

use super::assertion::UnusableKey;

/// Settings that no provider can be made of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// `ca` is not a PEM file with certificates.
    #[error("`ca` cannot be used: {0}; expected PEM with at least one certificate")]
    Ca(String),
    /// The private key for `private_key_jwt` is not usable.
    #[error(transparent)]
    PrivateKey(#[from] UnusableKey),
    /// The issuer is not an absolute URL without query and fragment.
    #[error("issuer {0} is not an https URL without query and fragment (http only on loopback)")]
    Issuer(String),
    /// TLS itself could not be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}
