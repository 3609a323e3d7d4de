//! New tokens for old (OpenID Connect Core 1.0, section 12).

use openidconnect::core::{CoreIdToken, CoreTokenResponse};
use openidconnect::{Nonce, OAuth2TokenResponse};
use serde_json::{Map, Value};

use super::claims::principal;
use super::client::TokenEndpointError;
use super::error::{RefreshError, SignInError};
use super::id_token::{Expected, IdTokenError, payload};
use super::metadata::Metadata;
use super::provider::Provider;
use crate::identity::Principal;
use crate::secret::Secret;
use crate::session::Tokens;

/// What a refresh gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Refreshed {
    /// All tokens of the session; what the provider did not renew is as before.
    pub tokens: Tokens,
    /// The person as the new ID token and UserInfo describe them; `None` where no new description came
    /// and the old one stays.
    pub principal: Option<Principal>,
}

impl Provider {
    /// One refresh call. Many requests find a token expired at the same time: join them with
    /// [`super::RefreshFlights`], for a refresh token is often good for one use only.
    ///
    /// # Errors
    /// [`RefreshError::ends_session`] tells those that end the session from those that pass.
    pub async fn refresh(&self, tokens: &Tokens) -> Result<Refreshed, RefreshError> {
        let refresh_token = tokens.refresh.as_ref().ok_or(RefreshError::NoRefreshToken)?;
        let away = |error: super::ProviderError| RefreshError::Away(error.to_string());
        let metadata = self.metadata().map_err(away)?;
        let response = self.exchange_refresh_token(&metadata, refresh_token).await?;
        let principal = self.refreshed_principal(&metadata, &response, tokens.id.as_ref()).await?;
        Ok(Refreshed { tokens: merged(super::flow::tokens(&response, self.now()), tokens), principal })
    }

    async fn refreshed_principal(
        &self,
        metadata: &Metadata,
        response: &CoreTokenResponse,
        before: Option<&Secret>,
    ) -> Result<Option<Principal>, RefreshError> {
        let (Some(token), Some(before)) = (response.extra_fields().id_token(), before) else {
            return Ok(None);
        };
        let before = payload(before.expose()).ok_or(IdTokenError::Unreadable)?;
        let Some(claims) = self.refreshed_claims(token, response, &before).await? else { return Ok(None) };
        match self.completed(metadata, claims, response.access_token()).await {
            Ok(claims) => Ok(principal(self.settings(), self.issuer(), claims, Vec::new()).ok()),
            Err(error) => {
                // The old refresh token may be spent: the new ones must not be lost for want of UserInfo.
                tracing::warn!(provider = %self.name(), %error, "UserInfo failed after a refresh; claims stay as they were");
                Ok(None)
            }
        }
    }

    async fn refreshed_claims(
        &self,
        token: &CoreIdToken,
        response: &CoreTokenResponse,
        before: &Map<String, Value>,
    ) -> Result<Option<Map<String, Value>>, RefreshError> {
        let nonce = same_nonce(before.get("nonce").and_then(Value::as_str));
        let expected = Expected { nonce, access_token: response.access_token(), max_age: None, acr: &[] };
        match self.verified_claims(token, expected).await {
            Ok(claims) => same_person(before, &claims).map(|()| Some(claims)).map_err(RefreshError::Invalid),
            Err(SignInError::IdToken(cause)) => Err(cause.into()),
            Err(error) => {
                tracing::warn!(provider = %self.name(), %error, "a refreshed ID token could not be checked; claims stay as they were");
                Ok(None)
            }
        }
    }
}

/// A refreshed ID token need not carry a nonce, but if so, then the same (section 12.2).
fn same_nonce(before: Option<&str>) -> impl FnOnce(Option<&Nonce>) -> Result<(), String> + Clone {
    let before = before.map(Secret::new);
    move |now: Option<&Nonce>| match now.map(|nonce| Secret::new(nonce.secret())) {
        Some(now) if Some(&now) != before.as_ref() => Err("nonce is not that of the token before".into()),
        _ => Ok(()),
    }
}

fn same_person(before: &Map<String, Value>, now: &Map<String, Value>) -> Result<(), IdTokenError> {
    for name in ["iss", "sub"] {
        if before.get(name) != now.get(name) {
            return Err(IdTokenError::Changed(name));
        }
    }
    let kept = audiences(before).iter().all(|audience| audiences(now).contains(audience));
    if kept { Ok(()) } else { Err(IdTokenError::Changed("aud")) }
}

fn audiences(claims: &Map<String, Value>) -> Vec<String> {
    claims.get("aud").map(crate::identity::texts).unwrap_or_default()
}

fn merged(new: Tokens, old: &Tokens) -> Tokens {
    Tokens {
        refresh: new.refresh.or_else(|| old.refresh.clone()),
        id: new.id.or_else(|| old.id.clone()),
        access: new.access,
        access_expires: new.access_expires,
    }
}

impl From<TokenEndpointError> for RefreshError {
    fn from(error: TokenEndpointError) -> Self {
        match error {
            TokenEndpointError::Refused { code, description } if code == "invalid_grant" => {
                Self::Gone(description)
            }
            TokenEndpointError::Refused { code, description } => {
                Self::Refused(format!("{code} ({description})"))
            }
            TokenEndpointError::Unusable(told) => Self::Away(told),
            TokenEndpointError::Provider(error) => Self::Away(error.to_string()),
        }
    }
}
