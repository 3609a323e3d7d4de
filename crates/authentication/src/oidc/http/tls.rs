//! How a connection to a provider is made.

use std::time::Duration;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};

use crate::oidc::setup_error::SetupError;

pub(super) fn connector(
    ca: Option<&[u8]>,
    timeout: Duration,
) -> Result<HttpsConnector<HttpConnector>, SetupError> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(timeout));
    let builder = HttpsConnectorBuilder::new().with_tls_config(client_config(ca)?);
    Ok(builder.https_or_http().enable_all_versions().wrap_connector(tcp))
}

/// What to do about a failed handshake, where the failure says it.
pub(super) fn advice(error: &rustls::Error) -> &'static str {
    if matches!(error, rustls::Error::InvalidMessage(_)) {
        return "; does the server speak clear text (http) on this port?";
    }
    if let rustls::Error::InvalidCertificate(cause) = error { about_certificate(cause) } else { "" }
}

fn about_certificate(cause: &CertificateError) -> &'static str {
    use CertificateError::{
        BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext, UnknownIssuer,
    };
    // Another authority of the same name makes a bad signature.
    if matches!(cause, UnknownIssuer | BadSignature) {
        return "; if the provider uses a private authority, name it in `ca`";
    }
    if matches!(cause, NotValidForName | NotValidForNameContext { .. }) {
        return "; its certificate is for another name than the one in `issuer`";
    }
    if matches!(cause, Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. }) {
        return "; compare this machine's clock, or have the provider renew its certificate";
    }
    ""
}

fn client_config(ca: Option<&[u8]>) -> Result<ClientConfig, SetupError> {
    let roots = ca.map_or_else(|| Ok(system_roots()), own_roots)?;
    let provider = rustls::crypto::aws_lc_rs::default_provider().into();
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|cause| SetupError::Tls(cause.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn own_roots(pem: &[u8]) -> Result<RootCertStore, SetupError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|cause| SetupError::Ca(cause.to_string()))?;
        roots.add(certificate).map_err(|cause| SetupError::Ca(cause.to_string()))?;
    }
    if roots.is_empty() {
        return Err(SetupError::Ca("it holds no certificate".into()));
    }
    Ok(roots)
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    if let Some(cause) = found.errors.first() {
        tracing::warn!(%cause, "some of the system's certificate authorities could not be read");
    }
    roots.add_parsable_certificates(found.certs);
    roots
}
