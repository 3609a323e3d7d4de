//! Signing out (OpenID Connect RP-Initiated Logout 1.0).

use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::Value;
use url::Url;

use super::browser::{self, Session};
use super::pages;
use super::parameters::Parameters;
use super::signer::Purpose;
use super::state::Provider;
use crate::reply::{self, Reply};

/// What a client, or a person, asks for.
#[derive(Debug, Default)]
pub(super) struct LogoutRequest {
    /// Whose session it is about, as an ID token of ours says.
    subject: Option<String>,
    /// Where to go afterwards: the client's own address, or nowhere.
    after: Option<Url>,
}

/// The end-session endpoint: at once where the client shows an ID token of the person that is signed in,
/// else only when the person says so (section 2): no other site signs anybody out (invariant 18).
pub(super) fn end_session(provider: &Provider, request: &Request<Bytes>) -> Reply {
    let parameters = Parameters::of(request);
    let wanted = LogoutRequest::read(provider, &parameters);
    match provider.session(request.headers()) {
        None => signed_out_reply(provider, &wanted),
        Some(session) if wanted.is_about(&session) => end(provider, request.headers(), &wanted),
        Some(session) => pages::sign_out(provider, &session, request.headers(), &parameters),
    }
}

/// `POST` of the page that asks.
pub(super) fn confirmed(provider: &Provider, request: &Request<Bytes>) -> Reply {
    let form = Parameters::of(request);
    let Some(session) = provider.session(request.headers()) else { return pages::signed_out(provider) };
    let key = browser::session_key(request.headers());
    if !provider.forms.admits(request.headers(), key.as_ref(), form.get("token"), &session.id) {
        return pages::forged(provider);
    }
    end(provider, request.headers(), &LogoutRequest::read(provider, &form))
}

fn end(provider: &Provider, headers: &HeaderMap, wanted: &LogoutRequest) -> Reply {
    provider.forget_session(headers);
    let mut reply = signed_out_reply(provider, wanted);
    browser::clear_session(&mut reply);
    reply
}

fn signed_out_reply(provider: &Provider, wanted: &LogoutRequest) -> Reply {
    wanted
        .after
        .as_ref()
        .map_or_else(|| pages::signed_out(provider), |after| reply::see_other(after.as_str()))
}

impl LogoutRequest {
    /// An ID token is a good hint however old it is; whose it is, is its audience. Without one the client
    /// may name itself.
    fn read(provider: &Provider, parameters: &Parameters) -> Self {
        let hint = parameters.get("id_token_hint");
        let claims = hint.and_then(|hint| provider.signer.verified(Purpose::IdToken, hint));
        let said = |name: &str| claims.as_ref().and_then(|claims| claims.get(name)).and_then(Value::as_str);
        let client = if hint.is_some() { said("aud") } else { parameters.get("client_id") };
        let contradicts = parameters.get("client_id").is_some_and(|id| Some(id) != client);
        match client.filter(|_| !contradicts) {
            Some(client) => Self {
                subject: said("sub").map(str::to_owned),
                after: post_logout_redirect(provider, client, parameters),
            },
            None => Self::default(),
        }
    }

    fn is_about(&self, session: &Session) -> bool {
        self.subject.as_deref() == Some(session.person.subject)
    }
}

/// `post_logout_redirect_uri` with `state`, where it is the client's, letter by letter.
fn post_logout_redirect(provider: &Provider, client: &str, parameters: &Parameters) -> Option<Url> {
    let registered = &provider.clients.find(client)?.addresses()?.signed_out;
    let asked = parameters.get("post_logout_redirect_uri")?;
    let mut url = registered.clone();
    if let Some(state) = parameters.get("state") {
        url.query_pairs_mut().append_pair("state", state);
    }
    (asked == registered.as_str()).then_some(url)
}
