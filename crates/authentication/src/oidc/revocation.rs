//! Having a provider take its tokens back (RFC 7009).

use ::http::header::{AUTHORIZATION, CONTENT_TYPE};
use ::http::{Request, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::assertion::ASSERTION_TYPE;
use super::client::TokenEndpointError;
use super::http::HttpError;
use super::json;
use super::metadata::Metadata;
use super::provider::Provider;
use super::provider_error::ProviderError;
use super::settings::ClientAuthentication;
use super::token_response::OAuthErrorCode;
use crate::secret::Secret;
use crate::session::Tokens;

impl Provider {
    /// Whether there is a token among `tokens` that the provider takes back.
    #[must_use]
    pub fn takes_back(&self, tokens: &Tokens) -> bool {
        let offered = self.metadata().is_ok_and(|metadata| metadata.revocation.is_some());
        offered && tokens.refresh.as_ref().or(tokens.access.as_ref()).is_some()
    }

    /// Has the provider take back the refresh token, and with it what else it gave (section 2.1); the access token
    /// where there is no other. One call, bounded by the provider's `timeout`.
    ///
    /// # Errors
    /// The provider refused, or gave no answer: the tokens may be good until they expire.
    pub async fn take_back(&self, tokens: &Tokens) -> Result<(), TokenEndpointError> {
        let metadata = self.metadata()?;
        let Some(endpoint) = &metadata.revocation else { return Err(ProviderError::NotForSignIn.into()) };
        let refresh = tokens.refresh.as_ref().map(|token| (token, "refresh_token"));
        let access = || tokens.access.as_ref().map(|token| (token, "access_token"));
        let Some((token, hint)) = refresh.or_else(access) else { return Ok(()) };
        let request = self.revocation(&metadata, endpoint, token, hint)?;
        let answer = self.http().call(request).await.map_err(ProviderError::from)?;
        read(endpoint, &answer)
    }

    /// The request, with who we are as the token endpoint knows it (section 2.1; RFC 6749, section 2.3).
    fn revocation(
        &self,
        metadata: &Metadata,
        endpoint: &Url,
        token: &Secret,
        hint: &str,
    ) -> Result<Request<Vec<u8>>, TokenEndpointError> {
        let (client, _) = self.client()?;
        let mut request =
            Request::post(endpoint.as_str()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let mut form = Serializer::new(String::new());
        form.append_pair("token", token.expose()).append_pair("token_type_hint", hint);
        match &client.authentication {
            ClientAuthentication::SecretBasic(secret) => {
                request = request.header(AUTHORIZATION, basic(&client.id, secret));
            }
            ClientAuthentication::SecretPost(secret) => {
                form.append_pair("client_id", &client.id).append_pair("client_secret", secret.expose());
            }
            ClientAuthentication::None | ClientAuthentication::PrivateKey(_) => {
                form.append_pair("client_id", &client.id);
            }
        }
        if let Some(assertion) = self.client_assertion(metadata, Some(endpoint))? {
            form.append_pair("client_assertion_type", ASSERTION_TYPE);
            form.append_pair("client_assertion", assertion.expose());
        }
        let request = request.body(form.finish().into_bytes());
        Ok(request.map_err(|cause| ProviderError::from(HttpError::unsent(endpoint.as_str(), &cause)))?)
    }
}

/// 200 also where the token was none any more (section 2.2). Nothing of a body is told but the word of a refusal
/// (invariant 24).
fn read(endpoint: &Url, answer: &Response<Vec<u8>>) -> Result<(), TokenEndpointError> {
    let refusal = json::object(answer.body()).ok().as_ref().and_then(OAuthErrorCode::of);
    match (answer.status(), refusal) {
        (status, _) if status.is_success() => Ok(()),
        (status, Some(code)) if status.is_client_error() => Err(TokenEndpointError::Refused(code)),
        (status, _) => Err(ProviderError::from(HttpError::status(endpoint.as_str(), status)).into()),
    }
}

/// Identifier and secret, each in a form's encoding (RFC 6749, section 2.3.1).
pub(crate) fn basic(id: &str, secret: &Secret) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret.expose()))))
}
