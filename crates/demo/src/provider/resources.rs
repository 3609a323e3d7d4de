//! What is asked with a token, or about one: UserInfo and revocation.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use serde_json::{Map, Value};

use super::fault::Fault;
use super::grants::Grant;
use super::parameters::Parameters;
use super::scope::{Scope, Scopes};
use super::signer::Purpose;
use super::state::Provider;
use crate::reply::{self, Reply};

/// UserInfo (OpenID Connect Core 1.0, section 5.3).
pub(super) fn userinfo(provider: &Provider, request: &Request<Bytes>) -> Reply {
    let Some(token) = bearer(request.headers()) else {
        return Fault::invalid_request("expected Authorization: Bearer").challenge(StatusCode::UNAUTHORIZED);
    };
    let Some(claims) = provider.valid_access_token(token) else {
        let fault = Fault::new("invalid_token", "the token is not good, or not any more");
        return fault.challenge(StatusCode::UNAUTHORIZED);
    };
    let scopes = Scopes::parse(claims.get("scope").and_then(Value::as_str).unwrap_or_default());
    match provider.grant_of(&claims).filter(|_| scopes.contains(Scope::OpenId)) {
        Some(grant) => reply::json(StatusCode::OK, &told(provider, &grant, &scopes)),
        None => Fault::new("insufficient_scope", "expected a token with the scope openid")
            .challenge(StatusCode::FORBIDDEN),
    }
}

fn told(provider: &Provider, grant: &Grant, scopes: &Scopes) -> Value {
    let mut claims = provider.person_claims(grant, scopes);
    claims.insert("sub".into(), grant.session.person.subject.into());
    claims.remove("auth_time");
    Value::Object(claims)
}

/// Revocation (RFC 7009): the whole grant ends. A token that is not the client's, or none at all, is no
/// error: it is not good afterwards either way.
pub(super) fn revoke(provider: &Provider, request: &Request<Bytes>) -> Reply {
    let form = Parameters::of(request);
    let client = match provider.clients.authenticate(request.headers(), &form) {
        Ok(client) => client,
        Err(fault) => return fault.reply(),
    };
    let token = form.get("token").unwrap_or_default();
    let by_refresh_token = || provider.grants.by_refresh_token(token);
    let grant = provider.valid_access_token(token).and_then(|claims| provider.grant_of(&claims));
    if let Some(grant) =
        grant.or_else(by_refresh_token).filter(|grant| grant.request.back.client.id == client.id)
    {
        provider.grants.revoke(&grant.id);
    }
    reply::text(StatusCode::OK, "")
}

impl Provider {
    /// The claims of an access token of ours that has not expired, and whose grant, if it has one, stands.
    fn valid_access_token(&self, token: &str) -> Option<Map<String, Value>> {
        let claims = self.signer.verified(Purpose::AccessToken, token)?;
        let lives =
            claims.get("exp").and_then(Value::as_u64).is_some_and(|end| self.clock.now().seconds() < end);
        let stands = !claims.contains_key("grant") || self.grant_of(&claims).is_some();
        (lives && stands).then_some(claims)
    }

    fn grant_of(&self, claims: &Map<String, Value>) -> Option<Grant> {
        self.grants.find(claims.get("grant")?.as_str()?)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
