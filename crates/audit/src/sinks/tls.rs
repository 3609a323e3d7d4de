//! TLS towards far ends.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::far::FarError;
use crate::secret::Secret;

/// Whom a far end must be vouched for by, and what it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// PEM: the only authorities trusted; the system's where not given.
    pub ca: Option<Vec<u8>>,
    /// What the far end is shown, where it asks.
    pub client: Option<ClientPair>,
}

/// A certificate of ours, and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientPair {
    /// PEM: the chain.
    pub chain: Vec<u8>,
    /// PEM: the key.
    pub key: Secret,
}

impl TlsSettings {
    pub(super) fn config(&self) -> Result<ClientConfig, FarError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?;
        let builder = builder.with_root_certificates(self.roots()?);
        let Some(client) = &self.client else { return Ok(builder.with_no_client_auth()) };
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&client.chain).collect();
        let key = PrivateKeyDer::from_pem_slice(client.key.expose().as_bytes()).map_err(unusable)?;
        builder.with_client_auth_cert(chain.map_err(unusable)?, key).map_err(unusable)
    }

    fn roots(&self) -> Result<Arc<RootCertStore>, FarError> {
        let Some(pem) = &self.ca else { return Ok(system()) };
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            store.add(certificate.map_err(unusable)?).map_err(unusable)?;
        }
        Ok(Arc::new(store))
    }
}

/// The system's authorities, read once for the life of the process.
fn system() -> Arc<RootCertStore> {
    static SYSTEM: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let read = || {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(store)
    };
    Arc::clone(SYSTEM.get_or_init(read))
}

fn unusable(error: impl std::fmt::Display) -> FarError {
    FarError::Away(format!("TLS cannot be used: {error}"))
}
