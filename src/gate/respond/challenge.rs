//! How one signs in by other means: 401 always says so (RFC 9110, section 15.5.2).

#![expect(clippy::wildcard_enum_match_arm, reason = "most rejections are no special case")]

use http::{HeaderValue, Response, StatusCode, header};

use super::context::RefusalContext;
use crate::authn::{Challenge, ErrorCode, TokenError, basic_challenge};
use crate::gate::body::Body;
use crate::gate::credential_end::CredentialEnd;
use crate::gate::rejection::Rejection;
use crate::identity::Strength;

const STRONGER: &str = "A stronger or more recent authentication is required";

/// The challenges of a refusal. Basic is asked for where the route takes it and no browser would put up its dialog; where
/// it is all that the route takes, it stands alone: registry clients take the realm of a Bearer challenge for the address
/// of a token service.
pub(super) fn add(asked: &RefusalContext<'_>, no: &Rejection, response: &mut Response<Body>) {
    let unauthorized = response.status() == StatusCode::UNAUTHORIZED;
    let asks_basic = unauthorized && asked.basic && !asked.by_a_person();
    let headers = response.headers_mut();
    if let Some(challenge) = of_token(no, asked.realm, unauthorized).filter(|_| asked.bearer || !asks_basic) {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if asks_basic {
        headers.append(header::WWW_AUTHENTICATE, basic_challenge(asked.realm));
    }
}

fn of_token(no: &Rejection, realm: &str, unauthorized: bool) -> Option<HeaderValue> {
    match no {
        Rejection::Token(error) if error.code().is_some() => Some(error.challenge(realm)),
        Rejection::CredentialEnded(CredentialEnd::TokenExpired) => Some(TokenError::Expired.challenge(realm)),
        Rejection::StepUp(step_up, _) => Some(stronger(&step_up.strength, realm)),
        Rejection::Forbidden(no) => no.scopes.as_deref().map(|scopes| insufficient(scopes, realm)),
        _ => unauthorized.then(|| Challenge { realm, error: None, scope: None, strength: None }.header()),
    }
}

fn insufficient(scopes: &str, realm: &str) -> HeaderValue {
    let error = TokenError::InsufficientScope;
    let code = error.code().map(|code| (code, error.public()));
    Challenge { realm, error: code, scope: Some(scopes), strength: None }.header()
}

/// RFC 9470, section 3.
fn stronger(strength: &Strength, realm: &str) -> HeaderValue {
    let error = Some((ErrorCode::InsufficientUserAuthentication, STRONGER));
    Challenge { realm, error, scope: None, strength: Some(strength) }.header()
}
