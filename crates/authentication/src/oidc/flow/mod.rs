//! A sign-in from the redirect to the provider until the person is back (OpenID Connect Core 1.0, section 3.1).
//!
//! It is a [`Flow`], which only its browser keeps:
//! - *begun* by [`Provider::begin`], sealed into a cookie of its own, and good for [`SIGN_IN_LIFETIME`];
//! - *back* when the browser comes with its `state`: [`FlowCookies::open`] gives the flow to nobody but the browser
//!   that holds its cookie;
//! - *finished* by [`Provider::finish`], or failed. Either way its cookie is cleared, and its `state` is not taken
//!   again.
//!
//! Its `state`, nonce and PKCE verifier are fresh for each flow. The code goes to no provider but the one that the
//! flow began with, and only after `state` and `iss` have been compared.

mod cookies;
mod destination;
mod finish;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod step_up;

pub use cookies::{FlowCookies, FlowError};
pub use destination::Destination;
pub(super) use finish::tokens;
pub use finish::{CallbackParameters, SignedIn};

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreResponseType};
use openidconnect::{
    AuthenticationContextClass, AuthorizationRequest, CsrfToken, LoginHint, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, Scope,
};
use serde::{Deserialize, Serialize};
use url::Url;

use super::provider::Provider;
use super::provider_error::ProviderError;
use super::settings::{ClientSettings, ResponseMode};
use crate::clock::Timestamp;
use crate::identity::{ProviderName, Strength};
use crate::secret::{Secret, fingerprint};

/// How long a person may take to sign in: no flow is good for longer.
pub const SIGN_IN_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// What somebody wants of a sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthenticationRequest {
    /// `state`, of [`FlowCookies::state`]; where it is not given, random bits that lead nowhere.
    pub state: Option<Secret>,
    /// Who will probably sign in.
    pub login_hint: Option<String>,
    /// `prompt` in place of the configured one.
    pub prompt: Option<String>,
    /// How strong it must be (step-up). Its `acr` values are asked for in place of the configured ones, and of the two
    /// `max_age` the smaller one.
    pub strength: Strength,
    /// The session that a posted response replaces: a browser does not bring its cookie along.
    pub replaces: Option<[u8; 32]>,
}

/// Where the browser goes, and what it must bring back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRedirect {
    /// The authorization request.
    pub location: Url,
    /// To be sealed by [`FlowCookies`].
    pub flow: Flow,
}

/// A sign-in in flight, as it travels sealed in the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// With whom it was started.
    #[serde(rename = "p")]
    pub provider: ProviderName,
    /// The digest of its `state`.
    #[serde(rename = "s", with = "secret_text")]
    state: Secret,
    #[serde(rename = "n", with = "secret_text")]
    nonce: Secret,
    #[serde(rename = "v", with = "secret_text")]
    verifier: Secret,
    /// When it was started.
    #[serde(rename = "t")]
    pub started: Timestamp,
    /// The configured `max_age`.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    max_age: Option<Duration>,
    /// How strong the sign-in must be. Sealed as the rest is: nobody lowers it on the way.
    #[serde(rename = "q", default, skip_serializing_if = "Strength::is_none")]
    pub strength: Strength,
    /// How the response comes.
    #[serde(rename = "w", default)]
    pub response_mode: ResponseMode,
    /// The session that this sign-in replaces, where the browser does not bring that one back itself.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<[u8; 32]>,
}

/// What a flow knows of its `state`, which may be long: SHA-256, as base64url.
fn state_digest(state: &str) -> Secret {
    Secret::new(URL_SAFE_NO_PAD.encode(fingerprint(state.as_bytes())))
}

/// Parameters of an authorization request that are ours to set (RFC 6749, section 4.1.1; OpenID Connect Core,
/// section 3.1.2.1): another value would break what protects the sign-in (invariant 6) or make the provider fetch
/// an address (16).
const OWN_PARAMETERS: [&str; 18] = [
    "response_type",
    "response_mode",
    "client_id",
    "client_secret",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "registration",
    "prompt",
    "max_age",
    "acr_values",
    "login_hint",
    "id_token_hint",
];

/// Whether the parameter `name` of an authorization request is the gateway's to set.
#[must_use]
pub fn is_own_parameter(name: &str) -> bool {
    OWN_PARAMETERS.contains(&name)
}

type Request<'a> = AuthorizationRequest<'a, CoreAuthDisplay, CoreAuthPrompt, CoreResponseType>;

impl Provider {
    /// Starts a sign-in: code flow with PKCE (S256), state and nonce, all fresh.
    ///
    /// # Errors
    /// Where the provider's metadata are not known yet, or nobody can sign in with it.
    pub fn begin(&self, asked: AuthenticationRequest) -> Result<AuthorizationRedirect, ProviderError> {
        let state = asked.state.clone().unwrap_or_else(Secret::random);
        let flow = self.flow(&state, asked.clone())?;
        let (settings, _) = self.client()?;
        let relying_party = self.relying_party(&*self.metadata()?)?;
        let (state, nonce) =
            (CsrfToken::new(state.expose().to_owned()), Nonce::new(flow.nonce.expose().to_owned()));
        let verifier = PkceCodeVerifier::new(flow.verifier.expose().to_owned());
        let request = relying_party
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        let (location, _, _) = with_parameters(request, settings, &asked).url();
        Ok(AuthorizationRedirect { location, flow })
    }

    fn flow(&self, state: &Secret, asked: AuthenticationRequest) -> Result<Flow, ProviderError> {
        let client = self.client()?.0;
        Ok(Flow {
            provider: self.name().clone(),
            state: state_digest(state.expose()),
            nonce: mutant!(Secret::random(), "nonce-is-no-secret" => Secret::new("0".repeat(43))),
            verifier: mutant!(Secret::random(), "verifier-is-no-secret" => Secret::new("0".repeat(43))),
            started: self.now(),
            max_age: client.max_age,
            strength: asked.strength,
            response_mode: client.response_mode,
            replaces: asked.replaces,
        })
    }
}

fn with_parameters<'a>(
    mut request: Request<'a>,
    settings: &ClientSettings,
    asked: &AuthenticationRequest,
) -> Request<'a> {
    let scopes = settings.scopes.iter().filter(|scope| *scope != "openid");
    request = request.add_scopes(scopes.map(|scope| Scope::new(scope.clone())));
    let acr = &asked.strength.acr;
    let acr_values = if acr.is_empty() { &settings.acr_values } else { acr };
    for acr in acr_values {
        request = request.add_auth_context_value(AuthenticationContextClass::new(acr.clone()));
    }
    if let Some(prompt) = asked.prompt.as_ref().or(settings.prompt.as_ref()) {
        request = request.add_extra_param("prompt", prompt.clone());
    }
    if settings.response_mode == ResponseMode::FormPost {
        request = request.add_extra_param("response_mode", "form_post");
    }
    if let Some(hint) = &asked.login_hint {
        request = request.set_login_hint(LoginHint::new(hint.clone()));
    }
    if let Some(max_age) = settings.max_age.into_iter().chain(asked.strength.max_age_to_ask()).min() {
        request = request.set_max_age(max_age);
    }
    let extra = settings
        .extra
        .iter()
        .filter(|(name, _)| !mutant!(is_own_parameter(name), "own-parameters-overruled" => false));
    extra.fold(request, |request, (name, value)| request.add_extra_param(name.clone(), value.clone()))
}

mod secret_text {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::secret::Secret;

    pub(super) fn serialize<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        String::deserialize(from).map(Secret::new)
    }
}
