//! A connection that becomes another protocol's (RFC 9110, section 7.8).

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};

/// The bytes of an upgraded connection.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

type Handover = Pin<Box<dyn Future<Output = io::Result<Box<dyn Io>>> + Send>>;

/// In the extensions of a request that asks for an upgrade: the client's connection, once it has been sent a
/// `101`. It can be taken once.
#[derive(Clone)]
pub struct Upgrade(Arc<Mutex<Option<Handover>>>);

impl Upgrade {
    /// An upgrade that is handed over by `handover`.
    pub fn new(handover: impl Future<Output = io::Result<Box<dyn Io>>> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::pin(handover)))))
    }

    /// The client's connection, once the `101` has left.
    ///
    /// # Errors
    /// Where somebody else has taken it, or the connection ended before it was upgraded.
    pub async fn take(self) -> io::Result<Box<dyn Io>> {
        let handover = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        handover.ok_or_else(|| io::Error::other("the connection has been taken already"))?.await
    }
}

impl std::fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Upgrade")
    }
}
