//! New tokens for old (OpenID Connect Core 1.0, section 12).

use openidconnect::{Nonce, OAuth2TokenResponse};
use serde_json::{Map, Value};

use super::claims::{ClaimsError, SourcesAnswered, principal, subject};
use super::client::TokenEndpointError;
use super::error::{RefreshError, SignInError, UserInfoError};
use super::id_token::{Expected, payload};
use super::id_token_error::IdTokenError;
use super::metadata::Metadata;
use super::provider::Provider;
use super::provider_error::ProviderError;
use super::token_response::TokenAnswer;
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

type Claims = Map<String, Value>;

impl Provider {
    /// One refresh call. Many requests find a token expired at the same time: join them with
    /// [`super::RefreshFlights`], for a refresh token is often good for one use only.
    ///
    /// # Errors
    /// [`RefreshError::ends_session`] tells those that end the session from those that pass.
    pub async fn refresh(&self, tokens: &Tokens) -> Result<Refreshed, RefreshError> {
        let refresh_token = tokens.refresh.as_ref().ok_or(RefreshError::NoRefreshToken)?;
        if mutant!(self.refreshes.rests(), "refresh-without-rest" => false) {
            return Err(RefreshError::Resting);
        }
        let refreshed = self.refreshed(tokens, refresh_token).await;
        self.refreshes.note(refreshed.as_ref().is_err_and(RefreshError::concerns_all));
        refreshed
    }

    async fn refreshed(&self, tokens: &Tokens, refresh_token: &Secret) -> Result<Refreshed, RefreshError> {
        let away = |error: ProviderError| RefreshError::Away(error.to_string());
        let metadata = self.metadata().map_err(away)?;
        let response = self.exchange_refresh_token(&metadata, refresh_token).await?;
        let before = tokens.id.as_ref().and_then(|token| payload(token.expose()));
        let renewed = self.renewed(&response, before.as_ref()).await?;
        let mut fresh = super::flow::tokens(&response, self.now(), self.renewal());
        // An ID token that could not be checked is not kept: the next one is compared with it.
        fresh.id = fresh.id.filter(|_| mutant!(renewed.is_some(), "unchecked-id-token-kept" => true));
        let claims = renewed.or_else(|| self.worth_completing(&metadata, &response, before));
        let principal = self.described(&metadata, claims, &response).await?;
        Ok(Refreshed { tokens: merged(fresh, tokens), principal })
    }

    /// What a new ID token says, once all about it holds; `None` where none came, there is none to compare
    /// it with, or it cannot be checked now: the old refresh token may be spent, and the new one must not
    /// be lost for that.
    async fn renewed(
        &self,
        response: &TokenAnswer,
        before: Option<&Claims>,
    ) -> Result<Option<Claims>, RefreshError> {
        let Some((token, before)) = response.id().zip(before) else { return Ok(None) };
        let nonce = same_nonce(before.get("nonce").and_then(Value::as_str));
        let expected = Expected { nonce, access_token: response.access_token(), max_age: None };
        match self.verified_claims(token, expected).await {
            Ok(claims) => same_person(before, &claims).map(|()| Some(claims)).map_err(RefreshError::Invalid),
            Err(SignInError::IdToken(cause)) => Err(cause.into()),
            Err(error) => {
                tracing::warn!(provider = %self.name(), %error, "a refreshed ID token could not be checked; claims stay as they were");
                Ok(None)
            }
        }
    }

    /// The claims of the ID token `before` where no other came and UserInfo completes them: what it says
    /// now may be something else than at sign-in (invariant 4).
    fn worth_completing(
        &self,
        metadata: &Metadata,
        response: &TokenAnswer,
        before: Option<Claims>,
    ) -> Option<Claims> {
        let came = response.id().is_some();
        before.filter(|claims| !came && self.user_info_wanted(metadata, claims).is_some())
    }

    /// The person that `claims` and UserInfo speak of; `None` where that is not known now.
    async fn described(
        &self,
        metadata: &Metadata,
        claims: Option<Claims>,
        response: &TokenAnswer,
    ) -> Result<Option<Principal>, RefreshError> {
        let Some(claims) = claims else { return Ok(None) };
        let told = match self.completed(metadata, claims, response.access_token()).await {
            Ok((claims, answered)) => self.person(claims, answered).map_err(|error| error.to_string()),
            Err(UserInfoError::OtherSubject) => return Err(IdTokenError::Changed("sub at UserInfo").into()),
            Err(error) => Err(error.to_string()),
        };
        Ok(told
            .inspect_err(|error| {
                tracing::warn!(provider = %self.name(), error, "a refresh did not describe the person; claims stay as they were");
            })
            .ok())
    }

    fn person(&self, claims: Claims, answered: SourcesAnswered) -> Result<Principal, ClaimsError> {
        principal(self.settings(), subject(&claims, "sub")?, claims, Vec::new(), answered)
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

fn same_person(before: &Claims, now: &Claims) -> Result<(), IdTokenError> {
    for name in ["iss", "sub"] {
        if mutant!(before.get(name) != now.get(name), "refreshed-into-somebody-else" => false) {
            return Err(IdTokenError::Changed(name));
        }
    }
    let kept = audiences(before).iter().all(|audience| audiences(now).contains(audience));
    if kept { Ok(()) } else { Err(IdTokenError::Changed("aud")) }
}

fn audiences(claims: &Claims) -> Vec<String> {
    claims.get("aud").map(crate::identity::texts).unwrap_or_default()
}

/// All tokens of the session. A refresh token that came replaces the old one, which may be spent.
fn merged(new: Tokens, old: &Tokens) -> Tokens {
    Tokens {
        refresh: mutant!(
            new.refresh.or_else(|| old.refresh.clone()),
            "spent-refresh-token-replayed" => old.refresh.clone().or(new.refresh),
        ),
        id: new.id.or_else(|| old.id.clone()),
        access: new.access,
        access_expires: new.access_expires,
        renew_at: new.renew_at,
    }
}

impl From<TokenEndpointError> for RefreshError {
    fn from(error: TokenEndpointError) -> Self {
        match error {
            TokenEndpointError::Refused(code) if mutant!(code.as_str() == "invalid_grant", "revoked-grant-passes" => false) => {
                Self::Gone
            }
            TokenEndpointError::Refused(code) => Self::Refused(code),
            TokenEndpointError::Unusable(cause) => Self::Away(cause.to_string()),
            TokenEndpointError::Provider(error) => Self::Away(error.to_string()),
        }
    }
}
