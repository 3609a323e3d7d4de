//! Signing out at the provider (OpenID Connect RP-Initiated Logout 1.0).

use std::str::FromStr;

use openidconnect::core::CoreIdToken;
use openidconnect::{ClientId, CsrfToken, EndSessionUrl, LogoutRequest, PostLogoutRedirectUrl};
use url::Url;

use super::jwks::{Jws, KeyError};
use super::provider::Provider;
use crate::secret::Secret;

impl Provider {
    /// Where the browser goes to sign out at the provider, too, and then comes back to
    /// `post_logout_redirect_uri` with `state`; `None` where the provider offers that not, or is unknown yet.
    #[must_use]
    pub fn logout_url(
        &self,
        id_token: Option<&Secret>,
        state: &str,
        post_logout_redirect_uri: &Url,
    ) -> Option<Url> {
        let metadata = self.metadata().ok()?;
        let (client, _) = self.client().ok()?;
        let request = LogoutRequest::from(EndSessionUrl::from_url(metadata.end_session.clone()?))
            .set_client_id(ClientId::new(client.id.clone()))
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::from_url(post_logout_redirect_uri.clone()))
            .set_state(CsrfToken::new(state.to_owned()));
        let hint = id_token.filter(|token| self.knows_as_its_own(token));
        let hint = hint.and_then(|token| CoreIdToken::from_str(token.expose()).ok());
        Some(hint.into_iter().fold(request, |request, hint| request.set_id_token_hint(&hint)).http_get_url())
    }

    /// Whether the provider still has the key of `token`. Without it some (Keycloak) end nothing and leave people
    /// on a page of theirs; without a hint they ask, and then do it.
    fn knows_as_its_own(&self, token: &Secret) -> bool {
        let (Ok(token), Ok(keys)) = (Jws::parse(token.expose()), self.keys()) else { return false };
        match keys.current().verify(&token) {
            Ok(()) | Err(KeyError::Unavailable | KeyError::Ambiguous) => true,
            Err(KeyError::Unknown | KeyError::WrongAlgorithm | KeyError::BadSignature) => false,
        }
    }
}
