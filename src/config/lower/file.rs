//! Secrets and PEM files.

use std::path::{Path, PathBuf};

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use crate::listener::CertificateFiles;
use crate::secret::Secret;

use super::Lowering;
use crate::config::diagnostic::{Diagnostic, quoted, visible};
use crate::config::located::{Located, Place, at};
use crate::config::raw::{CertificatePair, File, SecretSource};

/// Bytes that a secret, key or certificate file may have.
const LARGEST: u64 = 1024 * 1024;

/// Stands for a secret that is not read.
fn not_read() -> Secret {
    Secret::new("not read")
}

impl Lowering<'_> {
    /// `path`, from the folder of the configuration file.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// What `read` finds; `None` where secrets, keys and certificates are taken as given.
    pub(super) fn reading<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Diagnostic>,
    ) -> Result<Option<T>, Diagnostic> {
        if self.sources.has_secrets() { read(self).map(Some) } else { Ok(None) }
    }

    /// The bytes of the file at `path`, which is watched from now on.
    pub(super) fn file(&mut self, path: &Path, place: Place<'_>) -> Result<Vec<u8>, Diagnostic> {
        let path = self.path(path);
        let read = self.sources.read(&path, LARGEST);
        self.watched.push(path);
        let bytes = read.map_err(|cause| {
            Diagnostic::new(place, format!("the file cannot be read: {cause}"))
                .expected("expected a file that the gateway may read")
        })?;
        if bytes.len() as u64 > LARGEST {
            return Err(Diagnostic::new(place, "the file is larger than 1 MiB"));
        }
        Ok(bytes)
    }

    /// The same for a file that only the gateway should be able to read.
    fn confidential(&mut self, path: &Path, place: Place<'_>) -> Result<Vec<u8>, Diagnostic> {
        let bytes = self.file(path, place)?;
        let path = self.path(path);
        if self.sources.world_readable(&path) {
            let help =
                format!("chmod o-r {}", path.display().to_string().replace(|c: char| visible(c) != c, "?"));
            self.diagnostics.warn(
                Diagnostic::new(place, "everybody on this machine can read the secret")
                    .expected("a file for the gateway alone")
                    .help(help),
            );
        }
        Ok(bytes)
    }

    /// The secret that `at` names.
    pub(super) fn secret(&mut self, at: Located<'_, SecretSource>) -> Result<Secret, Diagnostic> {
        Ok(self.read_secret(at)?.unwrap_or_else(not_read))
    }

    fn read_secret(&mut self, at: Located<'_, SecretSource>) -> Result<Option<Secret>, Diagnostic> {
        let text = match (at!(at.env).given(), at!(at.file).given()) {
            (Some(name), None) => self.variable(name)?,
            (None, Some(path)) => self.reading(|this| {
                String::from_utf8(this.confidential(path.value, path.place)?)
                    .map_err(|_| Diagnostic::new(path.place, "the secret's file is not UTF-8"))
            })?,
            _ => {
                return Err(Diagnostic::new(at.place, "a secret comes from one place")
                    .expected("expected `{ env = \"NAME\" }` or `{ file = \"PATH\" }`"));
            }
        };
        let Some(text) = text else { return Ok(None) };
        let secret = Secret::new(Zeroizing::new(text).trim_end_matches(['\n', '\r']));
        if secret.expose().trim().is_empty() {
            return Err(Diagnostic::new(at.place, "the secret is empty"));
        }
        Ok(Some(secret))
    }

    fn variable(&mut self, at: Located<'_, String>) -> Result<Option<String>, Diagnostic> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let digit = at.value.starts_with(|c: char| c.is_ascii_digit());
        if at.value.is_empty() || digit || !at.value.chars().all(plain) {
            self.diagnostics.mask(at.place.span());
            return Err(Diagnostic::new(at.place, "not the name of an environment variable")
                .expected("expected a name such as \"CORP_CLIENT_SECRET\", not the secret itself"));
        }
        let unset = || {
            Diagnostic::new(at.place, format!("the environment variable {} is not set", quoted(at.value)))
                .expected("expected a variable that is set where the gateway starts")
                .help("to check a file where its secrets are not at hand: portcullis check --no-secrets")
        };
        self.reading(|this| this.sources.env(at.value).ok_or_else(unset))
    }

    /// A private key in PEM.
    pub(super) fn private_key(&mut self, at: Located<'_, SecretSource>) -> Result<Secret, Diagnostic> {
        let Some(secret) = self.read_secret(at)? else { return Ok(not_read()) };
        key(secret.expose().as_bytes(), at.place)?;
        Ok(secret)
    }

    /// The PEM certificates of a file; nothing where none are read.
    pub(super) fn certificates(&mut self, at: Located<'_, File>) -> Result<Vec<u8>, Diagnostic> {
        Ok(self.read_certificates(at)?.unwrap_or_default())
    }

    /// The PEM certificates of a file; `None` where none are read.
    pub(super) fn read_certificates(&mut self, at: Located<'_, File>) -> Result<Option<Vec<u8>>, Diagnostic> {
        let file = at!(at.file);
        self.reading(|this| {
            let pem = this.file(file.value, file.place)?;
            chain(&pem, file.place)?;
            Ok(pem)
        })
    }

    /// The PEM key of a file.
    pub(super) fn key_file(&mut self, at: Located<'_, File>) -> Result<Secret, Diagnostic> {
        let file = at!(at.file);
        let read = self.reading(|this| {
            let pem = this.confidential(file.value, file.place)?;
            key(&pem, file.place)?;
            String::from_utf8(pem).map(Secret::new).map_err(|_| Diagnostic::new(file.place, "not a PEM file"))
        })?;
        Ok(read.unwrap_or_else(not_read))
    }

    /// A listener's certificate and key, which must belong together.
    pub(super) fn pair(&mut self, at: Located<'_, CertificatePair>) -> Option<CertificateFiles> {
        let (cert, key_at) = (at!(at.cert), at!(at.key));
        let files = CertificateFiles { cert: self.path(cert.value), key: self.path(key_at.value) };
        let chain = self.reading(|this| chain(&this.file(cert.value, cert.place)?, cert.place));
        let key = self.reading(|this| key(&this.confidential(key_at.value, key_at.place)?, key_at.place));
        let (chain, key) = (self.keep(chain), self.keep(key));
        if let (Some(chain), Some(key)) = (chain?, key?) {
            self.keep(belong_together(chain, key, at.place))?;
        }
        Some(files)
    }
}

/// Whether the key is that of the first certificate of the chain.
pub(super) fn belong_together(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    place: Place<'_>,
) -> Result<(), Diagnostic> {
    CertifiedKey::from_der(chain, key, &default_provider()).map(drop).map_err(|cause| {
        let why = if matches!(cause, rustls::Error::InconsistentKeys(_)) {
            "the key belongs to another certificate".to_owned()
        } else {
            format!("certificate and key cannot be used: {cause}")
        };
        Diagnostic::new(place, why)
            .expected("expected a certificate and the key that belongs to it")
            .help("the certificate of the server itself stands first in its file, those of its authorities behind it")
    })
}

/// The certificates of a PEM file; at least one.
pub(super) fn chain(pem: &[u8], place: Place<'_>) -> Result<Vec<CertificateDer<'static>>, Diagnostic> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| {
        Diagnostic::new(place, "the file holds no certificate")
            .expected("expected a PEM file with `-----BEGIN CERTIFICATE-----`")
    })
}

/// The first private key of a PEM file.
pub(super) fn key(pem: &[u8], place: Place<'_>) -> Result<PrivateKeyDer<'static>, Diagnostic> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
        Diagnostic::new(place, "no private key is there")
            .expected("expected PEM with `-----BEGIN PRIVATE KEY-----`")
    })
}
