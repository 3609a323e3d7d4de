//! A listener's settings, certificates and counts, as its connections use them.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;

use super::connection_slots::ConnectionSlots;
use super::stats::ConnectionStats;
use super::tls::{CertificateStore, TlsError};
use super::{ConnectionLimits, ListenerSettings};

/// A listener's settings, ready to use; exchanged whole on reload, and new connections go by the new.
#[derive(Debug)]
pub struct Serving {
    pub(super) settings: ListenerSettings,
    pub(super) limits: ConnectionLimits,
    pub(super) tls: Option<Arc<rustls::ServerConfig>>,
    pub(super) stats: Arc<ConnectionStats>,
    pub(super) slots: Arc<ConnectionSlots>,
}

impl Serving {
    /// Reads the certificates. TLS sessions and counts of the `previous` settings go on.
    ///
    /// # Errors
    /// Where a certificate or key cannot be used.
    pub fn load(
        settings: &ListenerSettings,
        limits: ConnectionLimits,
        previous: Option<&Self>,
    ) -> Result<Self, TlsError> {
        let resume = previous.and_then(|previous| previous.tls.as_deref());
        let tls = settings.tls.as_ref();
        let tls = tls.map(|tls| CertificateStore::load(tls)?.config(tls, resume)).transpose()?;
        let stats = previous.map(|previous| Arc::clone(&previous.stats)).unwrap_or_default();
        let slots = previous.map(|previous| Arc::clone(&previous.slots)).unwrap_or_default();
        Ok(Self { settings: settings.clone(), limits, tls: tls.map(Arc::new), stats, slots })
    }

    /// What happened on this listener so far.
    #[must_use]
    pub const fn stats(&self) -> &Arc<ConnectionStats> {
        &self.stats
    }

    pub(super) fn acceptor(&self) -> Option<TlsAcceptor> {
        self.tls.clone().map(TlsAcceptor::from)
    }
}
