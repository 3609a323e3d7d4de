//! The token endpoint (RFC 6749, section 3.2; OpenID Connect Core 1.0, sections 3.1.3 and 12).

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Map, Value, json};

use super::clients::{Client, ClientKind};
use super::fault::Fault;
use super::grants::{Code, Grant};
use super::parameters::Parameters;
use super::scope::{Scope, Scopes};
use super::signer::{Purpose, at_hash};
use super::state::{Provider, random_id};
use crate::reply::{self, Reply};
use portcullis_rules::secret::Secret;

/// How long access and ID tokens hold: short enough to see one being refreshed.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// Answers a token request.
pub(super) fn token(provider: &Provider, request: &Request<Bytes>) -> Reply {
    tokens(provider, request).map_or_else(Fault::reply, |document| reply::json(StatusCode::OK, &document))
}

fn tokens(provider: &Provider, request: &Request<Bytes>) -> Result<Value, Fault> {
    let form = Parameters::of(request);
    form.refuse_repeated()?;
    let client = provider.clients.authenticate(request.headers(), &form)?;
    match (form.get("grant_type"), &client.kind) {
        (Some("authorization_code"), ClientKind::RelyingParty(_)) => by_code(provider, client, &form),
        (Some("refresh_token"), ClientKind::RelyingParty(_)) => by_refresh_token(provider, client, &form),
        (Some("client_credentials"), ClientKind::Machine { scopes }) => {
            by_itself(provider, client, scopes, &form)
        }
        (Some("authorization_code" | "refresh_token" | "client_credentials"), _) => {
            Err(Fault::new("unauthorized_client", "the client may not use this grant_type"))
        }
        (Some(_), _) => Err(Fault::new("unsupported_grant_type", "no such grant_type here")),
        (None, _) => Err(Fault::invalid_request("grant_type is missing, or the body is not a form")),
    }
}

fn by_code(provider: &Provider, client: &Client, form: &Parameters) -> Result<Value, Fault> {
    let code = form.get("code").ok_or(Fault::invalid_request("code is missing"))?;
    let grant = provider.grants.redeem(code, |code| suits(code, client, form))?;
    let nonce = grant.request.nonce.clone();
    for_person(provider, &grant, &grant.request.scopes, nonce)
}

/// A code is bound to the client, the address and the browser that it was made for (RFC 6749, section
/// 4.1.3; RFC 7636, section 4.6).
fn suits(code: &Code, client: &Client, form: &Parameters) -> Result<(), Fault> {
    let verifier = form.get("code_verifier").unwrap_or_default();
    if code.request.back.client.id != client.id {
        return Err(Fault::invalid_grant("the code is another client's"));
    }
    if form.get("redirect_uri") != Some(code.request.back.redirect_uri.as_str()) {
        return Err(Fault::invalid_grant("redirect_uri is not that of the authorization request"));
    }
    if !code.request.challenge.fits(verifier) {
        return Err(Fault::invalid_grant("code_verifier does not fit the code_challenge"));
    }
    Ok(())
}

fn by_refresh_token(provider: &Provider, client: &Client, form: &Parameters) -> Result<Value, Fault> {
    let token = form.get("refresh_token").ok_or(Fault::invalid_request("refresh_token is missing"))?;
    let wanted = form.get("scope").map(Scopes::parse);
    let grant = provider.grants.refresh(token, |grant| {
        let own = grant.request.back.client.id == client.id;
        let fewer = wanted.as_ref().is_none_or(|wanted| wanted.are_among(&grant.request.scopes));
        if own && fewer {
            return Ok(());
        }
        Err(if own { invalid_scope() } else { Fault::invalid_grant("the refresh token is another client's") })
    })?;
    // The nonce belonged to the sign-in (section 12.2).
    for_person(provider, &grant, wanted.as_ref().unwrap_or(&grant.request.scopes), None)
}

const fn invalid_scope() -> Fault {
    Fault::new("invalid_scope", "more than was granted, or nothing known")
}

fn by_itself(provider: &Provider, client: &Client, own: &Scopes, form: &Parameters) -> Result<Value, Fault> {
    let wanted = form.get("scope").map_or_else(|| own.clone(), Scopes::parse);
    if wanted.is_empty() || !wanted.are_among(own) {
        return Err(invalid_scope());
    }
    let access_token = provider.access_token(client, client.id, &wanted, Map::new())?;
    Ok(response(&access_token, &wanted))
}

fn for_person(
    provider: &Provider,
    grant: &Grant,
    scopes: &Scopes,
    nonce: Option<String>,
) -> Result<Value, Fault> {
    let (client, person) = (&grant.request.back.client, &grant.session.person);
    let mut extra = provider.person_claims(grant, scopes);
    extra.insert("grant".into(), grant.id.clone().into());
    let access_token = provider.access_token(client, person.subject, scopes, extra)?;
    let mut response = response(&access_token, scopes);
    response["refresh_token"] = grant.refresh_token().expose().into();
    if scopes.contains(Scope::OpenId) {
        let id_token = provider.id_token(grant, scopes, nonce, &access_token)?;
        response["id_token"] = id_token.expose().into();
    }
    Ok(response)
}

fn response(access_token: &Secret, scopes: &Scopes) -> Value {
    json!({
        "access_token": access_token.expose(),
        "token_type": "Bearer",
        "expires_in": LIFETIME.as_secs(),
        "scope": scopes.to_string(),
    })
}

impl Provider {
    /// An access token for the demo's API (RFC 9068, section 2.2).
    fn access_token(
        &self,
        client: &Client,
        subject: &str,
        scopes: &Scopes,
        extra: Map<String, Value>,
    ) -> Result<Secret, Fault> {
        let mut claims = self.times();
        claims.insert("sub".into(), subject.into());
        claims.insert("aud".into(), self.audience.clone().into());
        claims.insert("client_id".into(), client.id.into());
        claims.insert("scope".into(), scopes.to_string().into());
        claims.insert("jti".into(), random_id().into());
        claims.extend(extra);
        self.signer.sign(Purpose::AccessToken, claims)
    }

    /// An ID token (OpenID Connect Core 1.0, section 2).
    fn id_token(
        &self,
        grant: &Grant,
        scopes: &Scopes,
        nonce: Option<String>,
        access_token: &Secret,
    ) -> Result<Secret, Fault> {
        let mut claims = self.times();
        claims.insert("sub".into(), grant.session.person.subject.into());
        claims.insert("aud".into(), grant.request.back.client.id.into());
        claims.insert("sid".into(), grant.session.id.clone().into());
        claims.insert("amr".into(), json!(["pwd"]));
        claims.insert("at_hash".into(), at_hash(access_token).into());
        claims.extend(nonce.map(|nonce| ("nonce".to_owned(), nonce.into())));
        claims.extend(self.person_claims(grant, scopes));
        self.signer.sign(Purpose::IdToken, claims)
    }

    /// What the scopes open of the person, and when they proved who they are.
    pub(super) fn person_claims(&self, grant: &Grant, scopes: &Scopes) -> Map<String, Value> {
        let mut claims: Map<String, Value> =
            scopes.iter().flat_map(|scope| grant.session.person.claims(scope)).collect();
        claims.insert("auth_time".into(), grant.session.auth_time.seconds().into());
        claims
    }

    fn times(&self) -> Map<String, Value> {
        let now = self.clock.now();
        Map::from_iter([
            ("iat".to_owned(), now.seconds().into()),
            ("exp".to_owned(), (now + LIFETIME).seconds().into()),
        ])
    }
}
