//! UserInfo (OpenID Connect Core 1.0, section 5.3), where the ID token does not say enough.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Response};
use openidconnect::AccessToken;
use serde_json::{Map, Value};
use url::Url;

use super::claims::{SourcesAnswered, incomplete, is_true, lacks_name};
use super::error::{SignInError, UserInfoError};
use super::health::ProviderEndpoint;
use super::http::{HttpError, good_response};
use super::id_token::is_no_event;
use super::json;
use super::jwks::{Jws, Typ};
use super::metadata::Metadata;
use super::provider::Provider;
use super::settings::AskUserInfo;
use super::verifier::{Audience, TokenProfile};

/// What the ID token alone may say: about the token and the act of signing in, not about the person.
const PROTOCOL_CLAIMS: [&str; 14] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "auth_time",
    "acr",
    "amr",
    "azp",
    "nonce",
    "at_hash",
    "c_hash",
    "sid",
];

impl Provider {
    /// `claims` of a verified ID token as a sign-in takes them: completed by UserInfo where that is wanted. A
    /// UserInfo that fails ends no sign-in, for what it would have said is unknown and every rule knows that; only
    /// the name must not change with its health.
    pub(super) async fn completed_if_possible(
        &self,
        metadata: &Metadata,
        claims: Map<String, Value>,
        access_token: &AccessToken,
    ) -> Result<(Map<String, Value>, SourcesAnswered), UserInfoError> {
        match self.completed(metadata, claims.clone(), access_token).await {
            Err(error)
                if error != UserInfoError::OtherSubject && !lacks_name(&self.settings().claims, &claims) =>
            {
                tracing::warn!(provider = %self.name(), %error, "UserInfo failed at a sign-in; what the ID token does not say is unknown");
                Ok((claims, SourcesAnswered::Some))
            }
            other => other,
        }
    }

    /// `claims` of a verified ID token, completed by UserInfo where that is wanted.
    pub(super) async fn completed(
        &self,
        metadata: &Metadata,
        mut claims: Map<String, Value>,
        access_token: &AccessToken,
    ) -> Result<(Map<String, Value>, SourcesAnswered), UserInfoError> {
        let Some(url) = self.user_info_wanted(metadata, &claims) else {
            let answered = if metadata.has_userinfo { SourcesAnswered::Some } else { SourcesAnswered::All };
            return Ok((claims, answered));
        };
        let more = self.user_info(url.as_str(), access_token).await?;
        complete(&mut claims, more)?;
        Ok((claims, SourcesAnswered::All))
    }

    /// Where to ask for more than `claims`, if that is wanted.
    pub(super) fn user_info_wanted<'a>(
        &self,
        metadata: &'a Metadata,
        claims: &Map<String, Value>,
    ) -> Option<&'a Url> {
        let settings = self.settings();
        let wanted = match settings.client.as_ref()?.userinfo {
            AskUserInfo::Always => true,
            AskUserInfo::WhenNeeded => incomplete(&settings.claims, claims),
            AskUserInfo::Never => false,
        };
        metadata.userinfo.as_ref().filter(|_| wanted)
    }

    /// What UserInfo says, as JSON or signed (section 5.3.2): the body decides, whatever it is called.
    async fn user_info(&self, url: &str, token: &AccessToken) -> Result<Map<String, Value>, UserInfoError> {
        let request = Request::get(url)
            .header(ACCEPT, "application/json, application/jwt")
            .header(AUTHORIZATION, format!("Bearer {}", token.secret()))
            .body(Vec::new())
            .map_err(|_| UserInfoError::Unsendable)?;
        let response = self.http().call(request).await.and_then(|response| good_response(url, response));
        self.health().note(ProviderEndpoint::UserInfo, &response);
        let response = response?;
        let cause = match json::object(response.body()) {
            Ok(claims) => return Ok(claims),
            Err(cause) => cause,
        };
        match std::str::from_utf8(response.body()).ok().map(|text| Jws::parse(text.trim())) {
            Some(Ok(signed)) => self.signed_user_info(signed).await,
            Some(Err(error)) if is_jwt(&response) => Err(UserInfoError::Signed(error.to_string())),
            Some(Err(_)) | None => Err(HttpError::not_json(url, cause, &response).into()),
        }
    }

    /// The claims of a signed answer. It comes from the provider as one without signature does, so what it may leave
    /// out it need not say; what it says must be right.
    async fn signed_user_info(&self, answer: Jws<'_>) -> Result<Map<String, Value>, UserInfoError> {
        let refused = |error: SignInError| {
            if let SignInError::IdToken(fault) = &error
                && !fault.is_of_the_signature()
            {
                return UserInfoError::Signed(fault.to_string());
            }
            UserInfoError::Signed(error.to_string())
        };
        let (client, _) = self.client().map_err(|error| refused(error.into()))?;
        let profile = TokenProfile {
            types: &[Typ::Plain, Typ::AccessToken, Typ::Logout, Typ::SecurityEvent, Typ::Other],
            purpose: is_no_event,
            needed: &[],
            issuer: self.issuer().as_str(),
            audience: Audience::Includes(&client.id),
            past: &[],
            strict_dates: false,
            leeway: self.settings().leeway,
        };
        self.verify(&answer, &profile).await.map_err(refused)?;
        Ok(answer.claims)
    }
}

fn is_jwt(response: &Response<Vec<u8>>) -> bool {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("application/jwt"))
}

/// The ID token's claims win: they are signed. One that is null says nothing (section 5.3.2). That an address is
/// verified is taken only for the one it was said of; that none is stays, or the operator's word would stand in for it
/// (`email_verified = { assume = … }` speaks where the provider is silent).
fn complete(claims: &mut Map<String, Value>, mut more: Map<String, Value>) -> Result<(), UserInfoError> {
    if more.get("sub").is_none_or(|sub| {
        let other = !sub.is_string() || claims.get("sub") != Some(sub);
        mutant!(other, "somebody-elses-userinfo" => false)
    }) {
        return Err(UserInfoError::OtherSubject);
    }
    claims.retain(|_, value| !value.is_null());
    more.retain(|_, value| !value.is_null());
    if claims.get("email").is_some_and(|email| more.get("email") != Some(email)) && affirms(&more) {
        more.remove("email_verified");
    }
    let speaks = more.contains_key("email_verified");
    if !claims.contains_key("email") && more.contains_key("email") && (speaks || affirms(claims)) {
        claims.remove("email_verified");
    }
    for (name, value) in more {
        if !PROTOCOL_CLAIMS.contains(&name.as_str()) {
            claims.entry(name).or_insert(value);
        }
    }
    Ok(())
}

fn affirms(claims: &Map<String, Value>) -> bool {
    claims.get("email_verified").is_some_and(is_true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn completed(claims: &Value, more: &Value) -> Result<Value, UserInfoError> {
        let mut claims = claims.as_object().cloned().unwrap_or_default();
        complete(&mut claims, more.as_object().cloned().unwrap_or_default())?;
        Ok(claims.into())
    }

    #[test]
    fn the_id_token_wins_and_alone_speaks_of_the_sign_in() {
        let told = completed(
            &json!({"sub": "1", "groups": ["a"]}),
            &json!({"sub": "1", "groups": ["root"], "acr": "mfa", "auth_time": 9, "sid": "x", "name": "N"}),
        );
        assert_eq!(told, Ok(json!({"sub": "1", "groups": ["a"], "name": "N"})));
    }

    #[test]
    fn invariant_11_a_verification_stays_with_its_address() {
        let more = json!({"sub": "1", "email": "mine@x", "email_verified": true});
        let other = completed(&json!({"sub": "1", "email": "boss@x"}), &more);
        assert_eq!(other, Ok(json!({"sub": "1", "email": "boss@x"})));
        let stray = json!({"sub": "1", "email": "boss@x"});
        assert_eq!(completed(&json!({"sub": "1", "email_verified": true}), &stray), Ok(stray));
        assert_eq!(completed(&json!({"sub": "1"}), &more), Ok(more.clone()));
    }

    /// What the provider denies the operator must not be asked about.
    #[test]
    fn invariant_11_that_an_address_is_not_verified_is_never_lost() {
        let denied = json!({"sub": "1", "email": "A@x", "email_verified": false});
        let other_case = completed(&json!({"sub": "1", "email": "a@x"}), &denied);
        assert_eq!(other_case, Ok(json!({"sub": "1", "email": "a@x", "email_verified": false})));
        let stray = json!({"sub": "1", "email": "a@x"});
        let kept = completed(&json!({"sub": "1", "email_verified": false}), &stray);
        assert_eq!(kept, Ok(json!({"sub": "1", "email": "a@x", "email_verified": false})));
    }

    #[test]
    fn a_null_of_the_id_token_says_nothing() {
        let more = json!({"sub": "1", "groups": ["a"], "email": "a@x", "email_verified": true});
        let null = json!({"sub": "1", "groups": null, "email": null});
        assert_eq!(completed(&null, &more), Ok(more.clone()));
    }

    #[test]
    fn somebody_elses_user_info_is_refused() {
        for more in [json!({"sub": "2"}), json!({}), json!({"sub": 1})] {
            assert_eq!(completed(&json!({"sub": "1"}), &more), Err(UserInfoError::OtherSubject));
        }
    }
}
