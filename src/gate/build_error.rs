//! Why a configuration makes no gate.

use crate::forward::UpstreamError;
use crate::identity::RouteName;
use crate::oidc::SetupError;

/// Why a configuration that reads well makes no gateway.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A provider's settings are unusable.
    #[error("provider {0}: {1}")]
    Provider(String, #[source] SetupError),
    /// The settings of a transmitter of signals are unusable.
    #[error("signals {0}: {1}")]
    Transmitter(String, #[source] SetupError),
    /// An upstream's settings are unusable.
    #[error("route {0}: {1}")]
    Upstream(RouteName, #[source] UpstreamError),
    /// Two routes claim the same requests.
    #[error("routes {0} and {1} claim the same requests")]
    Conflict(RouteName, RouteName),
    /// `public_url` has no host.
    #[error("[server] public_url has no host")]
    PublicUrl,
}
