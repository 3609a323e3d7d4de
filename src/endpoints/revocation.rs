//! Having the provider take back its tokens when somebody signs out (RFC 7009). The session has ended by then, and nobody
//! waits for the provider but a page that tells what became of it, for a moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::state::Endpoints;
use crate::events::{TokensNotRevoked, TokensRevoked};
use crate::pages::GivenTokens;
use crate::session::Session;

/// How long the provider may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a page waits for what it has to tell.
const GLANCE: Duration = Duration::from_secs(2);

/// A provider that has been asked; it goes on where nobody waits.
pub(super) struct Revocation(JoinHandle<bool>);

impl Revocation {
    /// Asks the provider of `session` to take back what it gave; `None` where it offers that not, or gave nothing.
    pub(super) fn begin(endpoints: &Endpoints, session: &Session) -> Option<Self> {
        let provider = endpoints.providers.get(session.principal.provider.as_str())?;
        if mutant!(!provider.takes_back(&session.tokens), "tokens-kept-at-sign-out" => true) {
            return None;
        }
        let (provider, tokens) = (Arc::clone(provider), session.tokens.clone());
        let (resources, root) = (Arc::clone(&endpoints.resources), session.family().first_bytes());
        let begun = Instant::now();
        Some(Self(tokio::spawn(async move {
            let answer = timeout(PATIENCE, provider.take_back(&tokens)).await;
            let error = match answer {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some(format!("no answer within {PATIENCE:?}")),
            };
            let (provider, session, took) = (provider.name().as_str(), root, Some(begun.elapsed()));
            match error.as_deref() {
                None => resources.recorder.emit(&TokensRevoked { provider, session, took }),
                Some(reason) => {
                    resources.recorder.emit(&TokensNotRevoked { provider, session, reason, took })
                }
            };
            resources.metrics.revocation(provider, if error.is_none() { "ok" } else { "failed" });
            error.is_none()
        })))
    }

    /// What has become of it by now, or shortly after.
    pub(super) async fn outcome(self) -> GivenTokens {
        match timeout(GLANCE, self.0).await {
            Ok(Ok(true)) => GivenTokens::TakenBack,
            Ok(_) => GivenTokens::NotTakenBack,
            Err(_) => GivenTokens::Asked,
        }
    }
}
