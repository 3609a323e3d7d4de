//! Reading certificates and keys, and saying what is wrong with them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::clock::Clock;
use crate::listener::CertificateFiles;

/// Why certificates cannot be used. The operator is to blame.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No certificate is configured.
    #[error("TLS needs at least one certificate: give `cert` and `key`")]
    NoCertificate,
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file of a certificate or key.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is no PEM, or holds nothing of what it should.
    #[error("{}: expected {expected} in PEM ({found}); are `cert` and `key` interchanged?", path.display())]
    Pem {
        /// The file, as the configuration names it.
        path: PathBuf,
        /// What should stand there.
        expected: &'static str,
        /// What the reader said.
        found: pem::Error,
    },
    /// What the PEM holds is no certificate.
    #[error("{}: certificate {number} is not readable as X.509", path.display())]
    Certificate {
        /// The file, as the configuration names it.
        path: PathBuf,
        /// Its place in the file, from 1.
        number: usize,
    },
    /// The chain does not begin with the server's certificate.
    #[error("{}: the first certificate is an authority's; put the server's own first, then its issuer", path.display())]
    Order {
        /// The file, as the configuration names it.
        path: PathBuf,
    },
    /// Certificate and key are not of one pair.
    #[error("the key in {} does not belong to the certificate in {}", key.display(), cert.display())]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The key is of a kind that cannot sign here.
    #[error("{}: the key cannot be used: {source}; RSA, ECDSA P-256/384/521 and Ed25519 are known", path.display())]
    Key {
        /// The file, as the configuration names it.
        path: PathBuf,
        /// What the library said.
        source: rustls::Error,
    },
    /// The TLS library refused.
    #[error("TLS cannot be set up: {0}")]
    Library(#[source] rustls::Error),
}

/// A certificate, its key, and the DNS names it is good for, lower-case.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) names: Vec<String>,
}

pub(super) fn read(files: &CertificateFiles) -> Result<Loaded, TlsError> {
    let chain = chain(&files.cert)?;
    let names = inspect(&files.cert, &chain)?;
    let key = CertifiedKey::from_der(chain, private_key(&files.key)?, &aws_lc_rs::default_provider());
    let key = key.map_err(|source| unusable(files, source))?;
    Ok(Loaded { key: Arc::new(key), names })
}

fn unusable(files: &CertificateFiles, source: rustls::Error) -> TlsError {
    if matches!(source, rustls::Error::InconsistentKeys(_)) {
        return TlsError::Mismatch { cert: files.cert.clone(), key: files.key.clone() };
    }
    TlsError::Key { path: files.key.clone(), source }
}

fn bytes(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let fault = |found| TlsError::Pem { path: path.to_owned(), expected: "a certificate", found };
    let bytes = bytes(path)?;
    let chain = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>().map_err(fault)?;
    if chain.is_empty() { Err(fault(pem::Error::NoItemsFound)) } else { Ok(chain) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let bytes = zeroize::Zeroizing::new(bytes(path)?);
    let fault = |found| TlsError::Pem { path: path.to_owned(), expected: "a private key", found };
    PrivateKeyDer::from_pem_slice(&bytes).map_err(fault)
}

/// Checks the chain as far as it can be without trust anchors; returns the first one's names.
fn inspect(path: &Path, chain: &[CertificateDer<'_>]) -> Result<Vec<String>, TlsError> {
    let parsed = chain.iter().enumerate().map(|(at, der)| {
        let fault = || TlsError::Certificate { path: path.to_owned(), number: at + 1 };
        X509Certificate::from_der(der).map(|(_, certificate)| certificate).map_err(|_| fault())
    });
    let parsed = parsed.collect::<Result<Vec<_>, _>>()?;
    let Some((own, issuers)) = parsed.split_first() else { return Ok(Vec::new()) };
    // An authority alone may be a self-signed server's certificate; with others behind it the order is wrong.
    if own.is_ca() && !issuers.is_empty() {
        return Err(TlsError::Order { path: path.to_owned() });
    }
    warn(path, own);
    Ok(names(own))
}

fn warn(path: &Path, certificate: &X509Certificate<'_>) {
    let now = i64::try_from(Clock::system().now().seconds()).unwrap_or(i64::MAX);
    let validity = certificate.validity();
    if now > validity.not_after.timestamp() {
        let since = validity.not_after;
        tracing::warn!(file = %path.display(), %since, "the certificate has expired: browsers will refuse it");
    } else if now < validity.not_before.timestamp() {
        let until = validity.not_before;
        tracing::warn!(file = %path.display(), %until, "the certificate is not valid yet: is the clock right?");
    }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let general = extension.iter().flat_map(|extension| &extension.value.general_names);
    general
        .filter_map(|name| {
            if let GeneralName::DNSName(name) = name { Some(name.to_ascii_lowercase()) } else { None }
        })
        .collect()
}
