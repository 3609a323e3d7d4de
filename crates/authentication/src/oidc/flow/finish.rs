//! The person comes back from the provider (OpenID Connect Core 1.0, sections 3.1.2.5 to 3.1.3.8).

use std::time::Duration;

use openidconnect::{Nonce, OAuth2TokenResponse};
use serde_json::{Map, Value};

use super::{Flow, state_digest};
use crate::clock::Timestamp;
use crate::identity::{Principal, Shortfall};
use crate::oidc::claims::{SourcesAnswered, principal, subject};
use crate::oidc::client::TokenEndpointError;
use crate::oidc::error::SignInError;
use crate::oidc::http::printable;
use crate::oidc::id_token::{Expected, payload};
use crate::oidc::id_token_error::IdTokenError;
use crate::oidc::metadata::Metadata;
use crate::oidc::provider::Provider;
use crate::oidc::token_response::TokenAnswer;
use crate::secret::Secret;
use crate::session::Tokens;

/// The parameters of the authentication response, each at most once; all of them a stranger's word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbackParameters {
    /// `code`.
    pub code: Option<Secret>,
    /// `state`.
    pub state: Option<String>,
    /// `iss` (RFC 9207).
    pub iss: Option<String>,
    /// `error`.
    pub error: Option<String>,
    /// `error_description`.
    pub error_description: Option<String>,
}

/// What a finished sign-in gives.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedIn {
    /// Who signed in.
    pub principal: Principal,
    /// What the provider gave for the session.
    pub tokens: Tokens,
    /// The session at the provider (`sid`), for its sign-out calls.
    pub sid: Option<String>,
    /// What was asked of this sign-in (step-up) and is not met: they are who they are, but not proven as was asked.
    pub shortfall: Vec<Shortfall>,
}

impl Provider {
    /// Finishes the sign-in that `flow` began, once. What `callback` says is believed in this order: state,
    /// provider, issuer, error, code; the code goes out only after all that came before it held.
    ///
    /// # Errors
    /// Any [`SignInError`]; nobody is signed in then.
    pub async fn finish(&self, flow: &Flow, callback: CallbackParameters) -> Result<SignedIn, SignInError> {
        let metadata = self.metadata()?;
        self.check_origin(&metadata, flow, &callback)?;
        let code = code(callback)?;
        let response = self.exchange_code(&metadata, code.expose(), &flow.verifier).await?;
        let id_token = response.id().ok_or(IdTokenError::Missing)?;
        let nonce = Nonce::new(flow.nonce.expose().to_owned());
        let claims = self.verified_claims(id_token, expected(flow, &nonce, &response)).await?;
        let (claims, answered) =
            self.completed_if_possible(&metadata, claims, response.access_token()).await?;
        self.signed_in(flow, &response, claims, answered)
    }

    /// Compares state, provider and issuer, before the code goes anywhere: else the code of one provider could be
    /// sent to another (mix-up; RFC 9207).
    fn check_origin(
        &self,
        metadata: &Metadata,
        flow: &Flow,
        callback: &CallbackParameters,
    ) -> Result<(), SignInError> {
        let state = callback.state.as_deref().map(state_digest);
        if mutant!(state.as_ref() != Some(&flow.state), "state-not-compared" => false) {
            return Err(SignInError::WrongState);
        }
        if mutant!(flow.provider != *self.name(), "flow-of-another-provider" => false) {
            return Err(SignInError::OtherProvider(flow.provider.to_string()));
        }
        let expected = self.issuer().as_str();
        match callback.iss.as_deref() {
            None if mutant!(!metadata.iss_in_response, "announced-iss-may-be-missing" => true) => Ok(()),
            Some(iss) if mutant!(iss == expected, "iss-not-compared" => true) => Ok(()),
            other => Err(SignInError::MixUp {
                expected: expected.to_owned(),
                got: printable(other.unwrap_or("nothing")),
            }),
        }
    }

    fn signed_in(
        &self,
        flow: &Flow,
        response: &TokenAnswer,
        claims: Map<String, Value>,
        answered: SourcesAnswered,
    ) -> Result<SignedIn, SignInError> {
        let sid = claims.get("sid").and_then(Value::as_str).map(str::to_owned);
        let principal = principal(self.settings(), subject(&claims, "sub")?, claims, Vec::new(), answered)?;
        let shortfall = flow.shortfall(&principal, self.now());
        Ok(SignedIn { principal, tokens: tokens(response, self.now(), self.renewal()), sid, shortfall })
    }
}

/// `nonce` must come back as it went out, whatever else the token says.
fn expected<'a>(flow: &'a Flow, nonce: &'a Nonce, response: &'a TokenAnswer) -> Expected<'a, &'a Nonce> {
    Expected { nonce, access_token: response.access_token(), max_age: flow.max_age }
}

fn code(callback: CallbackParameters) -> Result<Secret, SignInError> {
    if let Some(code) = callback.error {
        let description = printable(callback.error_description.as_deref().unwrap_or("no description"));
        return Err(SignInError::Refused { code: printable(&code), description });
    }
    callback.code.ok_or(SignInError::NoCode)
}

/// How often tokens are renewed of which nobody says how long they are good: a person whom the provider knows no
/// more must not stay for as long as a session may last (invariant 8).
const RENEWED: Duration = Duration::from_secs(3600);

/// The tokens of `response`, which came at `now`, to be renewed after `every` at the latest. Without `expires_in`,
/// which need not be there (RFC 6749, section 5.1), the ID token's `exp` counts.
pub(in crate::oidc) fn tokens(response: &TokenAnswer, now: Timestamp, every: Option<Duration>) -> Tokens {
    let expires_in = response.expires_in().map(|span| now + span);
    let access_expires = expires_in.or_else(|| {
        let exp = || response.id().and_then(|token| expiry(token.expose()));
        mutant!(exp(), "expires-in-alone-counts" => None)
    });
    Tokens {
        access: Some(Secret::new(response.access_token().secret())),
        access_expires,
        renew_at:
            mutant!(every.or(access_expires.is_none().then_some(RENEWED)), "tokens-never-renewed" => None)
                .map(|span| now + span),
        refresh: response.refresh_token().map(|token| Secret::new(token.secret())),
        id: response.id().cloned(),
    }
}

/// `exp` of an ID token, which may have parts of seconds (RFC 7519, section 2).
fn expiry(token: &str) -> Option<Timestamp> {
    let exp = payload(token)?.get("exp")?.as_f64()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is out of range saturates"
    )]
    Some(Timestamp::from_seconds(exp as u64))
}

impl From<TokenEndpointError> for SignInError {
    fn from(error: TokenEndpointError) -> Self {
        match error {
            TokenEndpointError::Refused(code) => Self::Exchange { code },
            TokenEndpointError::Unusable(cause) => cause.into(),
            TokenEndpointError::Provider(error) => Self::Provider(error),
        }
    }
}
