//! TLS: certificates chosen by the name a client asks for.

mod load;

use std::collections::HashMap;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::TlsSettings;

pub use load::TlsError;

/// Certificates of a listener by the names that they are good for; the first is shown to everybody else.
#[derive(Debug)]
pub struct CertificateStore {
    default: Arc<CertifiedKey>,
    exact: HashMap<String, Arc<CertifiedKey>>,
    /// By what follows `*`: `.apps.corp.example`.
    wildcard: HashMap<String, Arc<CertifiedKey>>,
}

impl CertificateStore {
    /// Reads every certificate and key.
    ///
    /// # Errors
    /// With the file and what is wrong with it. An expired certificate is a warning in the log only:
    /// a gateway that does not start helps nobody.
    pub fn load(settings: &TlsSettings) -> Result<Self, TlsError> {
        let mut loaded =
            settings.certificates.iter().map(load::read).collect::<Result<Vec<_>, _>>()?.into_iter();
        let first = loaded.next().ok_or(TlsError::NoCertificate)?;
        let default = Arc::clone(&first.key);
        let mut store = Self { default, exact: HashMap::new(), wildcard: HashMap::new() };
        std::iter::once(first).chain(loaded).for_each(|certificate| store.add(&certificate));
        Ok(store)
    }

    /// The first certificate of the configuration keeps a name that several have.
    fn add(&mut self, certificate: &load::Loaded) {
        for name in &certificate.names {
            let (names, name) = match name.strip_prefix('*') {
                Some(suffix) => (&mut self.wildcard, suffix),
                None => (&mut self.exact, name.as_str()),
            };
            names.entry(name.to_owned()).or_insert_with(|| Arc::clone(&certificate.key));
        }
    }

    /// The certificate for a name, exact before wildcard before default. A wildcard stands for one
    /// label (RFC 9525, section 6.3).
    #[must_use]
    pub fn choose(&self, name: Option<&str>) -> &Arc<CertifiedKey> {
        let found = name.map(str::to_ascii_lowercase).and_then(|name| {
            let suffix = name.find('.').and_then(|dot| self.wildcard.get(&name[dot..]));
            self.exact.get(&name).or(suffix)
        });
        found.unwrap_or(&self.default)
    }

    /// The configuration for a listener. Sessions of the `previous` one may be resumed.
    ///
    /// # Errors
    /// Where the cryptography library refuses.
    pub(super) fn config(
        self,
        settings: &TlsSettings,
        previous: Option<&ServerConfig>,
    ) -> Result<ServerConfig, TlsError> {
        let versions = if settings.tls12 { rustls::ALL_VERSIONS } else { &[&rustls::version::TLS13][..] };
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .map_err(TlsError::Library)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self));
        config.ticketer = match previous {
            Some(previous) => Arc::clone(&previous.ticketer),
            None => aws_lc_rs::Ticketer::new().map_err(TlsError::Library)?,
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl ResolvesServerCert for CertificateStore {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(self.choose(hello.server_name())))
    }
}

#[cfg(test)]
mod tests;
