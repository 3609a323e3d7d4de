//! What the management API is shown (RFC 6750).

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::error::StreamError;
use super::settings::Authorization;
use super::transmitter::Transmitter;
use crate::clock::Timestamp;
use crate::oidc::http::HttpError;
use crate::oidc::{basic, json};
use crate::secret::Secret;

/// A token is asked for anew so long before it ends.
const AHEAD: Duration = Duration::from_secs(30);
/// How long one lasts that does not say so.
const UNSAID: Duration = Duration::from_secs(300);

/// A token that was given, and until when it is used.
#[derive(Debug)]
pub(super) struct AccessToken {
    token: Secret,
    until: Timestamp,
}

impl Transmitter {
    /// The configured token, or one for the configured client: the last one while it lasts.
    pub(super) async fn access_token(&self) -> Result<Secret, StreamError> {
        let Authorization::Client { .. } = &self.settings.authorization else {
            return self.configured_token();
        };
        let mut kept = self.access_token.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| self.clock.now() < kept.until) {
            return Ok(kept.token.clone());
        }
        let fresh = self.ask_for_token().await?;
        let token = fresh.token.clone();
        *kept = Some(fresh);
        Ok(token)
    }

    /// The last token was refused.
    pub(super) async fn forget_access_token(&self) {
        *self.access_token.lock().await = None;
    }

    fn configured_token(&self) -> Result<Secret, StreamError> {
        match &self.settings.authorization {
            Authorization::Token(token) => Ok(token.clone()),
            Authorization::Client { .. } => Err(StreamError::Token("a client has none of its own".into())),
        }
    }

    /// Client credentials (RFC 6749, section 4.4). Nothing of the answer is told (invariant 24).
    async fn ask_for_token(&self) -> Result<AccessToken, StreamError> {
        let Authorization::Client { id, secret, token_endpoint, scopes } = &self.settings.authorization
        else {
            return Err(StreamError::Token("there is no client".into()));
        };
        let scope = (!scopes.is_empty()).then(|| ("scope", scopes.join(" ")));
        let pairs = [("grant_type", "client_credentials".to_owned())].into_iter().chain(scope);
        let form = Serializer::new(String::new()).extend_pairs(pairs).finish();
        let request = Request::post(token_endpoint.as_str())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(AUTHORIZATION, basic(id, secret))
            .body(form.into_bytes())
            .map_err(|cause| HttpError::unsent(token_endpoint.as_str(), &cause))?;
        let answer = self.http.call(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(StreamError::Token(format!("the token endpoint answered {}", answer.status())));
        }
        let members = json::object(answer.body())
            .map_err(|_| StreamError::Token("the token endpoint's answer is no JSON object".into()))?;
        let token = members.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| StreamError::Token("the token endpoint's answer has none".into()))?;
        let lasts = members.get("expires_in").and_then(Value::as_u64).map_or(UNSAID, Duration::from_secs);
        let until = self.clock.now() + lasts.saturating_sub(AHEAD);
        Ok(AccessToken { token: Secret::new(token), until })
    }
}
