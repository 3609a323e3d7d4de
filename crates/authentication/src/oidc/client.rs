//! Our registration at a provider, in openidconnect's terms, and its token endpoint.

use ::http::{Request, Response};
use futures_util::future::{BoxFuture, FutureExt};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse,
};
use openidconnect::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret,
    EmptyAdditionalClaims, EndpointNotSet, EndpointSet, IssuerUrl, PkceCodeVerifier, RedirectUrl,
    RefreshToken, RequestTokenError, StandardErrorResponse, TokenUrl,
};

use url::Url;

use super::assertion::ASSERTION_TYPE;
use super::health::ProviderEndpoint;
use super::http::{HttpClient, HttpError};
use super::json;
use super::metadata::Metadata;
use super::provider::Provider;
use super::provider_error::ProviderError;
use super::settings::{AssertionAudience, ClientAuthentication};
use super::token_response::{OAuthErrorCode, TokenAnswer, TokenResponseError};
use crate::secret::Secret;

pub(super) type RelyingParty = Client<
    EmptyAdditionalClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    TokenAnswer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
>;

/// The token endpoint's refusal, or no usable answer at all. Nothing of a body is in it but the word of a refusal
/// (invariants 15 and 24).
#[derive(Debug, thiserror::Error)]
pub enum TokenEndpointError {
    /// It refused (RFC 6749, section 5.2).
    #[error("{0}")]
    Refused(OAuthErrorCode),
    /// Its answer is no token response.
    #[error(transparent)]
    Unusable(#[from] TokenResponseError),
    /// There is no answer of its own.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

impl Provider {
    pub(super) fn relying_party(&self, metadata: &Metadata) -> Result<RelyingParty, ProviderError> {
        let (settings, redirect_uri) = self.client()?;
        let (Some(authorization), Some(token)) = (&metadata.authorization, &metadata.token) else {
            return Err(ProviderError::NotForSignIn);
        };
        let client =
            Client::new(ClientId::new(settings.id.clone()), self.issuer_url()?, CoreJsonWebKeySet::default())
                .set_auth_uri(AuthUrl::from_url(authorization.clone()))
                .set_token_uri(TokenUrl::from_url(token.clone()))
                .set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()));
        let secret = |secret: &Secret| ClientSecret::new(secret.expose().to_owned());
        Ok(match &settings.authentication {
            ClientAuthentication::SecretBasic(text) => {
                client.set_client_secret(secret(text)).set_auth_type(AuthType::BasicAuth)
            }
            ClientAuthentication::SecretPost(text) => {
                client.set_client_secret(secret(text)).set_auth_type(AuthType::RequestBody)
            }
            ClientAuthentication::None | ClientAuthentication::PrivateKey(_) => {
                client.set_auth_type(AuthType::RequestBody)
            }
        })
    }

    pub(super) fn issuer_url(&self) -> Result<IssuerUrl, ProviderError> {
        IssuerUrl::new(self.issuer().to_string())
            .map_err(|cause| ProviderError::Unavailable(cause.to_string()))
    }

    /// Exchanges `code` for tokens (OpenID Connect Core 1.0, section 3.1.3).
    pub(super) async fn exchange_code(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &Secret,
    ) -> Result<TokenAnswer, TokenEndpointError> {
        let client = self.relying_party(metadata)?;
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
        if let Some(assertion) = self.client_assertion(metadata, metadata.token.as_ref())? {
            request = request
                .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                .add_extra_param("client_assertion", assertion.expose().to_owned());
        }
        self.noted(request.request_async(self.http()).await)
    }

    /// Asks for new tokens (section 12).
    pub(super) async fn exchange_refresh_token(
        &self,
        metadata: &Metadata,
        token: &Secret,
    ) -> Result<TokenAnswer, TokenEndpointError> {
        let client = self.relying_party(metadata)?;
        let token = RefreshToken::new(token.expose().to_owned());
        let mut request = client.exchange_refresh_token(&token);
        if let Some(assertion) = self.client_assertion(metadata, metadata.token.as_ref())? {
            request = request
                .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                .add_extra_param("client_assertion", assertion.expose().to_owned());
        }
        self.noted(request.request_async(self.http()).await)
    }

    /// Takes down whether the token endpoint does its work: a refusal is an answer.
    fn noted<T>(&self, outcome: Result<T, RequestError>) -> Result<T, TokenEndpointError> {
        let outcome = outcome.map_err(TokenEndpointError::from);
        match &outcome {
            Ok(_) => self.health().answered(ProviderEndpoint::Token),
            Err(TokenEndpointError::Refused(code)) => {
                self.health().answered(ProviderEndpoint::Token);
                if code.as_str() == "invalid_client" {
                    self.health().refused(ProviderEndpoint::Token);
                    self.report_unknown_client();
                }
            }
            Err(TokenEndpointError::Provider(ProviderError::Http(error))) => {
                self.health().note::<()>(ProviderEndpoint::Token, &Err(error.clone()));
            }
            Err(TokenEndpointError::Unusable(_) | TokenEndpointError::Provider(_)) => {}
        }
        outcome
    }

    /// What a provider that does not know us by our assertions may want otherwise.
    fn report_unknown_client(&self) {
        let (Some(key), Ok((client, _))) = (self.assertion_key(), self.client()) else { return };
        let audience = match client.assertion.audience {
            AssertionAudience::Issuer => "issuer",
            AssertionAudience::TokenEndpoint => "token-endpoint",
        };
        tracing::warn!(
            provider = %self.name(), client_assertion_audience = audience, kid = key.kid(),
            "the token endpoint does not accept our client assertion (invalid_client): does it hold the key of \
             this kid (`client_assertion_kid` is another name for it, or \"\" for none), and does it want the other \
             client_assertion_audience?"
        );
    }

    /// An assertion of who we are (RFC 7523) for `endpoint`, where that is how the provider knows us.
    pub(super) fn client_assertion(
        &self,
        metadata: &Metadata,
        endpoint: Option<&Url>,
    ) -> Result<Option<Secret>, ProviderError> {
        let (Some(key), Some(endpoint)) = (self.assertion_key(), endpoint) else { return Ok(None) };
        let (settings, _) = self.client()?;
        let supported = metadata.assertion_algorithms.as_deref();
        let audience = match settings.assertion.audience {
            AssertionAudience::Issuer => self.issuer().as_str(),
            AssertionAudience::TokenEndpoint => endpoint.as_str(),
        };
        let assertion = key.assertion(&settings.id, audience, self.now(), supported);
        assertion.map(Some).map_err(|_| ProviderError::NotForSignIn)
    }
}

/// The way to the token endpoint and back, for openidconnect.
impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = TokenEndpointError;
    type Future = BoxFuture<'c, Result<Response<Vec<u8>>, TokenEndpointError>>;

    /// Gives openidconnect good answers alone, for its errors hold whole bodies.
    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        async move {
            let url = request.uri().to_string();
            let response = Self::call(self, request).await.map_err(ProviderError::from)?;
            check(&url, &response)?;
            Ok(Response::new(response.into_body()))
        }
        .boxed()
    }
}

/// What the body says counts, whatever type it is called. Some refuse with status 200.
fn check(url: &str, response: &Response<Vec<u8>>) -> Result<(), TokenEndpointError> {
    let (status, answer) = (response.status(), json::object(response.body()));
    let refusal = answer.as_ref().ok().and_then(OAuthErrorCode::of);
    match (refusal, answer) {
        (Some(code), _) if !status.is_server_error() => Err(TokenEndpointError::Refused(code)),
        _ if !status.is_success() => Err(ProviderError::from(HttpError::status(url, status)).into()),
        (_, Err(cause)) => Err(ProviderError::from(HttpError::not_json(url, cause, response)).into()),
        (_, Ok(answer)) => Ok(TokenAnswer::read(&answer).map(drop)?),
    }
}

type RequestError = RequestTokenError<TokenEndpointError, StandardErrorResponse<CoreErrorResponseType>>;

impl From<RequestError> for TokenEndpointError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestTokenError::Request(cause) => cause,
            RequestTokenError::ServerResponse(_)
            | RequestTokenError::Parse(..)
            | RequestTokenError::Other(_) => TokenResponseError::Unreadable.into(),
        }
    }
}
