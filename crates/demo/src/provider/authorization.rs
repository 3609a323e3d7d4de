//! Authorization requests (OpenID Connect Core 1.0, section 3.1.2; RFC 6749, section 4.1.1; RFC 7636).

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use url::Url;

use super::clients::{Client, Clients};
use super::fault::Fault;
use super::parameters::Parameters;
use super::scope::{Scope, Scopes};
use super::signer::{Purpose, Signer};
use crate::reply::{self, Reply};
use portcullis_rules::secret::Secret;

/// Longest `state` and `nonce`, in bytes.
const MAX_OPAQUE: usize = 2048;

/// Longest `login_hint`, in characters; a longer one is not shown.
const MAX_HINT: usize = 254;

/// What a client asks for, checked.
#[derive(Clone, Debug)]
pub(super) struct AuthorizationRequest {
    pub(super) back: Back,
    pub(super) scopes: Scopes,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Challenge,
    pub(super) prompt: Prompt,
    pub(super) max_age: Option<Duration>,
    pub(super) login_hint: Option<String>,
    /// `sub` of `id_token_hint`: nobody else will do.
    pub(super) subject: Option<String>,
}

/// The way back to the client, known to be its own.
#[derive(Clone, Debug)]
pub(super) struct Back {
    pub(super) client: Arc<Client>,
    pub(super) redirect_uri: Url,
    state: Option<String>,
}

/// What the person must be asked, whatever is known (section 3.1.2.1: `prompt`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Prompt {
    /// No page may be shown at all.
    pub(super) none: bool,
    pub(super) login: bool,
    pub(super) consent: bool,
    pub(super) select_account: bool,
}

/// Why a request is not even begun.
#[derive(Debug)]
pub(super) enum AuthorizationRefusal {
    /// Nobody knows whose the address is: the browser is sent nowhere (RFC 6749, section 4.1.2.1).
    Stranger(&'static str),
    /// The client is told.
    Back(Box<Back>, Fault),
}

impl AuthorizationRequest {
    /// Reads and checks `parameters`.
    pub(super) fn read(
        clients: &Clients,
        signer: &Signer,
        parameters: &Parameters,
    ) -> Result<Self, AuthorizationRefusal> {
        let back = Back::read(clients, parameters).map_err(AuthorizationRefusal::Stranger)?;
        Self::rest(signer, back.clone(), parameters)
            .map_err(|fault| AuthorizationRefusal::Back(Box::new(back), fault))
    }

    fn rest(signer: &Signer, back: Back, parameters: &Parameters) -> Result<Self, Fault> {
        parameters.refuse_repeated()?;
        refuse_unsupported(parameters)?;
        Ok(Self {
            scopes: scopes(parameters)?,
            nonce: opaque(parameters, "nonce")?,
            challenge: Challenge::read(parameters)?,
            prompt: Prompt::read(parameters)?,
            max_age: max_age(parameters)?,
            login_hint: parameters.owned("login_hint").filter(|hint| hint.chars().count() <= MAX_HINT),
            subject: subject(signer, &back, parameters)?,
            back,
        })
    }
}

impl Back {
    fn read(clients: &Clients, parameters: &Parameters) -> Result<Self, &'static str> {
        let id = parameters.get("client_id").unwrap_or_default();
        let client = clients.find(id).ok_or("The app that sent you here is not registered.")?;
        let addresses = client.addresses().ok_or("This client cannot sign people in.")?;
        if parameters.get("redirect_uri") != Some(addresses.redirect.as_str()) {
            return Err("The address to send you back to is not the one that is registered for the app.");
        }
        let state = opaque(parameters, "state").map_err(|fault| fault.description)?;
        Ok(Self { client: Arc::clone(client), redirect_uri: addresses.redirect.clone(), state })
    }

    /// Sends the browser back with a code.
    pub(super) fn with_code(&self, issuer: &str, code: &Secret) -> Reply {
        self.redirect(issuer, &[("code", code.expose())])
    }

    /// Sends the browser back with an error.
    pub(super) fn with_fault(&self, issuer: &str, fault: Fault) -> Reply {
        self.redirect(issuer, &[("error", fault.code), ("error_description", fault.description)])
    }

    /// `iss` tells the client whose answer it is (RFC 9207).
    fn redirect(&self, issuer: &str, pairs: &[(&str, &str)]) -> Reply {
        let mut url = self.redirect_uri.clone();
        let state = self.state.as_deref().map(|state| ("state", state));
        url.query_pairs_mut().extend_pairs(pairs).extend_pairs(state).append_pair("iss", issuer);
        reply::see_other(url.as_str())
    }
}

impl Prompt {
    fn read(parameters: &Parameters) -> Result<Self, Fault> {
        let text = parameters.get("prompt").unwrap_or_default();
        let mut prompt = Self::default();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            match word {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                _ => {
                    return Err(Fault::invalid_request(
                        "prompt: expected none, login, consent, select_account",
                    ));
                }
            }
        }
        if prompt.none && (prompt.login || prompt.consent || prompt.select_account) {
            return Err(Fault::invalid_request("prompt: none stands alone"));
        }
        Ok(prompt)
    }
}

/// What is not offered. `request_uri` would make the provider fetch for a stranger (invariant 16).
fn refuse_unsupported(parameters: &Parameters) -> Result<(), Fault> {
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(Fault::new("unsupported_response_type", "response_type: expected code")),
        None => return Err(Fault::invalid_request("response_type is missing")),
    }
    if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(Fault::invalid_request("response_mode: expected query"));
    }
    if parameters.get("request").is_some() {
        return Err(Fault::new("request_not_supported", "request objects are not supported"));
    }
    if parameters.get("request_uri").is_some() {
        return Err(Fault::new("request_uri_not_supported", "request objects are not supported"));
    }
    Ok(())
}

fn scopes(parameters: &Parameters) -> Result<Scopes, Fault> {
    let scopes = Scopes::parse(parameters.get("scope").unwrap_or_default());
    let invalid = Fault::new("invalid_scope", "scope: expected openid among others");
    if scopes.contains(Scope::OpenId) { Ok(scopes) } else { Err(invalid) }
}

fn opaque(parameters: &Parameters, name: &str) -> Result<Option<String>, Fault> {
    let value = parameters.owned(name);
    if value.as_ref().is_some_and(|value| value.len() > MAX_OPAQUE) {
        return Err(Fault::invalid_request("state and nonce: expected at most 2,048 bytes"));
    }
    Ok(value)
}

fn max_age(parameters: &Parameters) -> Result<Option<Duration>, Fault> {
    let Some(text) = parameters.get("max_age") else { return Ok(None) };
    let seconds = text.parse().map_err(|_| Fault::invalid_request("max_age: expected whole seconds"))?;
    Ok(Some(Duration::from_secs(seconds)))
}

fn subject(signer: &Signer, back: &Back, parameters: &Parameters) -> Result<Option<String>, Fault> {
    let Some(hint) = parameters.get("id_token_hint") else { return Ok(None) };
    let claims = signer.verified(Purpose::IdToken, hint);
    let claims = claims.filter(|claims| claims.get("aud").and_then(Value::as_str) == Some(back.client.id));
    let subject = claims.as_ref().and_then(|claims| claims.get("sub")).and_then(Value::as_str);
    let unknown =
        Fault::invalid_request("id_token_hint: expected an ID token of this provider for this client");
    subject.map(|subject| Some(subject.to_owned())).ok_or(unknown)
}

/// `code_challenge` with the method S256 (RFC 7636, section 4.2): required, and no other method is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge(Secret);

impl Challenge {
    fn read(parameters: &Parameters) -> Result<Self, Fault> {
        if parameters.get("code_challenge_method") != Some("S256") {
            return Err(Fault::invalid_request("code_challenge_method: expected S256 (PKCE is required)"));
        }
        let challenge = parameters.get("code_challenge").unwrap_or_default();
        let decoded = URL_SAFE_NO_PAD.decode(challenge).unwrap_or_default();
        let invalid =
            Fault::invalid_request("code_challenge: expected a SHA-256 in base64url, 43 characters");
        if decoded.len() == 32 { Ok(Self(Secret::new(challenge))) } else { Err(invalid) }
    }

    /// Whether `verifier` is what the challenge was made from (section 4.6).
    pub(super) fn fits(&self, verifier: &str) -> bool {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let well_formed = (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved);
        let made = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        well_formed && self.0 == Secret::new(made)
    }
}
