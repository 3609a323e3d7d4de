//! Our registration at a provider, in openidconnect's terms, and its token endpoint.

use openidconnect::core::{CoreClient, CoreErrorResponseType, CoreJsonWebKeySet, CoreTokenResponse};
use openidconnect::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, EndpointNotSet, EndpointSet, IssuerUrl,
    PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, StandardErrorResponse, TokenUrl,
};

use super::assertion::ASSERTION_TYPE;
use super::error::ProviderError;
use super::health::Endpoint;
use super::http::{HttpError, printable};
use super::id_token::payload;
use super::jwks::json;
use super::metadata::Metadata;
use super::provider::Provider;
use super::settings::{AssertionAudience, ClientAuthentication};
use crate::secret::Secret;

pub(super) type RelyingParty =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet, EndpointNotSet>;

/// The token endpoint's refusal, or no usable answer at all.
pub(super) enum TokenEndpointError {
    Refused { code: String, description: String },
    Unusable(String),
    Provider(ProviderError),
}

impl Provider {
    pub(super) fn relying_party(&self, metadata: &Metadata) -> Result<RelyingParty, ProviderError> {
        let (settings, redirect_uri) = self.client()?;
        let (Some(authorization), Some(token)) = (&metadata.authorization, &metadata.token) else {
            return Err(ProviderError::NotForSignIn);
        };
        let client = CoreClient::new(
            ClientId::new(settings.id.clone()),
            self.issuer_url()?,
            CoreJsonWebKeySet::default(),
        )
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
    ) -> Result<CoreTokenResponse, TokenEndpointError> {
        let client = self.relying_party(metadata)?;
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
        if let Some(assertion) = self.client_assertion(metadata)? {
            request = request
                .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                .add_extra_param("client_assertion", assertion.expose().to_owned());
        }
        Ok(self.noted(request.request_async(self.http()).await)?)
    }

    /// Asks for new tokens (section 12).
    pub(super) async fn exchange_refresh_token(
        &self,
        metadata: &Metadata,
        token: &Secret,
    ) -> Result<CoreTokenResponse, TokenEndpointError> {
        let client = self.relying_party(metadata)?;
        let token = RefreshToken::new(token.expose().to_owned());
        let mut request = client.exchange_refresh_token(&token);
        if let Some(assertion) = self.client_assertion(metadata)? {
            request = request
                .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                .add_extra_param("client_assertion", assertion.expose().to_owned());
        }
        Ok(self.noted(request.request_async(self.http()).await)?)
    }

    /// Takes down whether the token endpoint does its work: a refusal is an answer.
    fn noted<T>(&self, outcome: Result<T, RequestError>) -> Result<T, RequestError> {
        match &outcome {
            Ok(_) => self.health().answered(Endpoint::Token),
            Err(RequestTokenError::ServerResponse(refusal)) => {
                self.health().answered(Endpoint::Token);
                if *refusal.error() == CoreErrorResponseType::InvalidClient {
                    self.report_unknown_client();
                }
            }
            Err(RequestTokenError::Request(error)) => {
                self.health().note::<()>(Endpoint::Token, &Err(error.clone()));
            }
            Err(RequestTokenError::Parse(..) | RequestTokenError::Other(_)) => {}
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
             this kid, and does it want the other client_assertion_audience?"
        );
    }

    fn client_assertion(&self, metadata: &Metadata) -> Result<Option<Secret>, ProviderError> {
        let (Some(key), Some(endpoint)) = (self.assertion_key(), &metadata.token) else { return Ok(None) };
        let (settings, _) = self.client()?;
        let supported = metadata.assertion_algorithms.as_deref();
        let audience = match settings.assertion.audience {
            AssertionAudience::Issuer => self.issuer().as_str(),
            AssertionAudience::TokenEndpoint => endpoint.as_str(),
        };
        key.assertion(&settings.id, audience, self.now(), supported).map(Some)
    }
}

impl From<ProviderError> for TokenEndpointError {
    fn from(error: ProviderError) -> Self {
        Self::Provider(error)
    }
}

type RequestError = RequestTokenError<HttpError, StandardErrorResponse<CoreErrorResponseType>>;

/// A body that could not be read may hold tokens, and so may serde's words about it: only the place is told
/// (invariant 15).
impl From<RequestError> for TokenEndpointError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestTokenError::ServerResponse(response) => Self::Refused {
                code: printable(response.error().as_ref()),
                description: printable(response.error_description().map_or("no description", String::as_str)),
            },
            RequestTokenError::Request(cause) => Self::Provider(cause.into()),
            RequestTokenError::Parse(cause, body) => {
                let kind = cause.inner().classify();
                let place = || format!("{kind:?} error in its JSON at {}", cause.path());
                Self::Unusable(printable(&lacking(&body).unwrap_or_else(place)))
            }
            RequestTokenError::Other(text) => Self::Unusable(printable(&text)),
        }
    }
}

/// The claim for want of which the ID token of an answer cannot be read (OpenID Connect Core 1.0, section 2).
fn lacking(body: &[u8]) -> Option<String> {
    let answer = json::object(body).ok()?;
    let claims = payload(answer.get("id_token")?.as_str()?)?;
    let claim = ["iss", "sub", "aud", "exp", "iat"].into_iter().find(|name| !claims.contains_key(*name))?;
    Some(format!("the ID token has no claim {claim}"))
}
