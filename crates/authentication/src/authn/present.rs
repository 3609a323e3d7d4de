//! What the credential of an exchange that goes on comes to now.

use super::accept::Accept;
use super::authenticate::Authenticator;
use super::authentication::{Authenticated, Authentication};
use crate::session::StoreUnavailable;

impl Authenticator {
    /// Whose an exchange for `host` is by now that `held` has let in: a session as it is, with what its provider said of
    /// its person last; a token where its provider is still configured. That is no use of the session. Nobody's, where the
    /// credential is none that is looked at.
    ///
    /// # Errors
    /// The store is away: nothing is known then.
    pub async fn present(
        &self,
        accept: Accept,
        held: &Authentication,
        host: &str,
    ) -> Result<Authentication, StoreUnavailable> {
        let Some(somebody) = held.authenticated() else { return Ok(Authentication::Anonymous) };
        if !mutant!(accept.admits(&somebody.carrier), "credential-accepted-for-good" => true) {
            return Ok(Authentication::Anonymous);
        }
        if let Some(opened) = &somebody.session {
            return self.cookies.present(&opened.key, host, somebody.possession).await;
        }
        let principal = mutant!(
            self.bearer.present(&somebody.principal),
            "stream-of-a-provider-that-left" => Some(std::sync::Arc::clone(&somebody.principal)),
        );
        let present =
            |principal| Authentication::Authenticated(Authenticated { principal, ..somebody.clone() });
        Ok(principal.map_or(Authentication::Ended, present))
    }
}
