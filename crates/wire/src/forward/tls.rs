//! TLS towards upstreams.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::{ClientCertificate, Protocol, Server, ServerAddress, UpstreamError, UpstreamTls};

/// What a server is asked to speak, by ALPN (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alpn {
    Either,
    Http1,
    Http2,
}

impl Alpn {
    /// An upgrade of the protocol exists in HTTP/1.1 only.
    pub(super) const fn of(protocol: Protocol, upgrade: bool) -> Self {
        match protocol {
            Protocol::Http2 => Self::Http2,
            Protocol::Auto if !upgrade => Self::Either,
            Protocol::Auto | Protocol::Http1 => Self::Http1,
        }
    }

    /// The names of the protocols, the preferred one first.
    fn protocols(self) -> Vec<Vec<u8>> {
        match self {
            Self::Either => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Self::Http1 => vec![b"http/1.1".to_vec()],
            Self::Http2 => vec![b"h2".to_vec()],
        }
    }
}

/// Makes TLS connections for all servers of an upstream.
#[derive(Clone)]
pub(super) struct TlsConnectors {
    either: TlsConnector,
    http1: TlsConnector,
    http2: TlsConnector,
}

impl TlsConnectors {
    pub(super) fn new(settings: &UpstreamTls) -> Result<Self, UpstreamError> {
        let config = config(settings)?;
        let offering = |alpn: Alpn| {
            let mut config = config.clone();
            config.alpn_protocols = alpn.protocols();
            TlsConnector::from(Arc::new(config))
        };
        let (either, http1, http2) = (offering(Alpn::Either), offering(Alpn::Http1), offering(Alpn::Http2));
        Ok(Self { either, http1, http2 })
    }

    pub(super) const fn connector(&self, alpn: Alpn) -> &TlsConnector {
        match alpn {
            Alpn::Either => &self.either,
            Alpn::Http1 => &self.http1,
            Alpn::Http2 => &self.http2,
        }
    }
}

/// The name that a server's certificate must hold.
pub(super) fn server_name(
    server: &Server,
    settings: &UpstreamTls,
) -> Result<Option<ServerName<'static>>, UpstreamError> {
    let ServerAddress::Tcp { host, tls: true, .. } = &server.address else { return Ok(None) };
    let name = settings.server_name.as_deref().unwrap_or(host);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let parsed = ServerName::try_from(bare.to_owned());
    parsed.map(Some).map_err(|_| UpstreamError::ServerName(name.to_owned()))
}

fn config(settings: &UpstreamTls) -> Result<ClientConfig, UpstreamError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(UpstreamError::Tls)?;
    let builder = builder.with_root_certificates(roots(settings)?);
    match &settings.client {
        None => Ok(builder.with_no_client_auth()),
        Some(ours) => {
            let (chain, key) = client(ours)?;
            let with = builder.with_client_auth_cert(chain, key);
            with.map_err(|error| UpstreamError::ClientCertificate(error.into()))
        }
    }
}

fn roots(settings: &UpstreamTls) -> Result<Arc<RootCertStore>, UpstreamError> {
    match &settings.ca {
        Some(pem) => own(pem).map(Arc::new),
        None => system(),
    }
}

fn own(pem: &[u8]) -> Result<RootCertStore, UpstreamError> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| UpstreamError::Ca(Some(error.into())))?;
        store.add(certificate).map_err(|error| UpstreamError::Ca(Some(error.into())))?;
    }
    if store.is_empty() { Err(UpstreamError::Ca(None)) } else { Ok(store) }
}

/// The system's authorities, read once for the life of the process: reading them takes milliseconds,
/// and there may be thousands of upstreams.
fn system() -> Result<Arc<RootCertStore>, UpstreamError> {
    static SYSTEM: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let store = SYSTEM.get_or_init(|| {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(store)
    });
    if store.is_empty() { Err(UpstreamError::NoRoots) } else { Ok(Arc::clone(store)) }
}

type ChainAndKey = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn client(ours: &ClientCertificate) -> Result<ChainAndKey, UpstreamError> {
    let refused =
        |error: rustls::pki_types::pem::Error| UpstreamError::ClientCertificate(error.to_string().into());
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&ours.chain).collect();
    let key = PrivateKeyDer::from_pem_slice(ours.key.expose().as_bytes()).map_err(refused)?;
    Ok((chain.map_err(refused)?, key))
}
