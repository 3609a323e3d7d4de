//! What a person sees of the provider.

use std::time::Duration;

use askama::Template;
use http::{HeaderMap, StatusCode, header};

use super::browser::{self, Session, form_subject};
use super::interaction::{self, Interaction};
use super::parameters::Parameters;
use super::paths::{self, ROOT};
use super::people::Person;
use super::scope::Scope;
use super::state::Provider;
use crate::reply::{self, Reply};
use portcullis_rules::secret::Secret;

/// A form that is posted.
struct Form {
    action: String,
    /// Hidden fields, the token against forgery among them.
    fields: Vec<(&'static str, String)>,
}

/// What the sign-in page is shown with.
#[derive(Debug)]
pub(super) struct SignInForm<'a> {
    /// The interaction.
    pub(super) id: &'a str,
    /// The name to begin with.
    pub(super) name: Option<&'a str>,
    /// What was wrong with the last attempt.
    pub(super) problem: Option<SignInProblem>,
}

/// Why nobody was signed in. Whether the name or the password is wrong is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignInProblem {
    Wrong,
    TooSoon(Duration),
}

impl SignInProblem {
    fn text(self) -> String {
        match self {
            Self::Wrong => "That name and password don’t belong together.".to_owned(),
            Self::TooSoon(wait) => {
                format!("Too many wrong passwords. Try again in {} seconds.", wait.as_secs())
            }
        }
    }
}

#[derive(Template)]
#[template(path = "idp_sign_in.html")]
struct SignIn<'a> {
    client: &'a str,
    host: &'a str,
    form: Form,
    /// Goes on as who is signed in already.
    choose: Option<(Form, &'a Person)>,
    name: &'a str,
    problem: Option<String>,
    /// Every account, with the link that fills its name in, and whether it is filled in.
    accounts: Vec<(&'a Person, String, bool)>,
}

/// The sign-in page.
pub(super) fn sign_in(
    provider: &Provider,
    interaction: &Interaction,
    session: Option<&Session>,
    headers: &HeaderMap,
    shown: SignInForm<'_>,
) -> Reply {
    let id = shown.id;
    let request = &interaction.request;
    let usable = session.filter(|session| interaction.may_continue_as(session, provider.clock.now()));
    let choose = usable
        .map(|session| (form(provider, headers, paths::CHOOSE, id, &session.id), session.person.as_ref()));
    let name = shown.name.or(request.login_hint.as_deref()).unwrap_or_default();
    let fill = |person: &Person| format!("{}&name={}", interaction::address(id), person.name);
    let accounts = provider.people.iter().map(|person| (person.as_ref(), fill(person), person.name == name));
    let view = SignIn {
        client: request.back.client.name,
        host: request.back.redirect_uri.authority(),
        form: form(provider, headers, paths::SIGN_IN, id, "sign-in"),
        choose,
        name,
        problem: shown.problem.map(SignInProblem::text),
        accounts: accounts.collect(),
    };
    let status = match shown.problem {
        None => StatusCode::OK,
        Some(SignInProblem::Wrong) => StatusCode::UNPROCESSABLE_ENTITY,
        Some(SignInProblem::TooSoon(_)) => StatusCode::TOO_MANY_REQUESTS,
    };
    let mut reply = reply::page(status, &view, &[&request.back.redirect_uri, &provider.console]);
    if let Some(SignInProblem::TooSoon(wait)) = shown.problem {
        reply.headers_mut().insert(header::RETRY_AFTER, wait.as_secs().into());
    }
    reply
}

#[derive(Template)]
#[template(path = "idp_consent.html")]
struct Consent<'a> {
    client: &'a str,
    client_id: &'a str,
    host: &'a str,
    person: &'a Person,
    scopes: Vec<(Scope, Option<String>)>,
    scope: String,
    form: Form,
    switch: String,
}

/// The consent page: which client asks for what.
pub(super) fn consent(
    provider: &Provider,
    interaction: &Interaction,
    session: &Session,
    headers: &HeaderMap,
    id: &str,
) -> Reply {
    let request = &interaction.request;
    let person = session.person.as_ref();
    let view = Consent {
        client: request.back.client.name,
        client_id: request.back.client.id,
        host: request.back.redirect_uri.authority(),
        person,
        scopes: request.scopes.iter().map(|scope| (scope, person.shown(scope))).collect(),
        scope: request.scopes.to_string(),
        form: form(provider, headers, paths::CONSENT, id, &session.id),
        switch: format!("{}&switch=1", interaction::address(id)),
    };
    reply::page(StatusCode::OK, &view, &[&request.back.redirect_uri, &provider.console])
}

fn form(provider: &Provider, headers: &HeaderMap, path: &str, id: &str, whom: &str) -> Form {
    let token = token(provider, browser::flow_key(headers, id), &form_subject(id, whom));
    Form { action: format!("{ROOT}{path}"), fields: vec![("request", id.to_owned()), ("token", token)] }
}

/// Without the browser's key there is no token, and the form will not be taken.
fn token(provider: &Provider, key: Option<Secret>, subject: &str) -> String {
    key.map(|key| provider.forms.token(&key, subject)).unwrap_or_default()
}

#[derive(Template)]
#[template(path = "idp_sign_out.html")]
struct SignOut<'a> {
    person: &'a Person,
    form: Form,
    cancel: &'a str,
}

/// Asks whether signing out is meant.
pub(super) fn sign_out(
    provider: &Provider,
    session: &Session,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Reply {
    let kept = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"];
    let mut fields: Vec<_> =
        kept.into_iter().filter_map(|name| Some((name, parameters.owned(name)?))).collect();
    fields.push(("token", token(provider, browser::session_key(headers), &session.id)));
    let form = Form { action: format!("{ROOT}{}", paths::SIGN_OUT), fields };
    let view = SignOut { person: &session.person, form, cancel: provider.gateway.as_str() };
    reply::page(StatusCode::OK, &view, &[&provider.gateway])
}

#[derive(Template)]
#[template(path = "idp_message.html")]
struct Message<'a> {
    icon: &'a str,
    bad: bool,
    title: &'a str,
    lead: &'a str,
    href: &'a str,
    label: &'a str,
}

/// The request is not one to go on with, and nobody knows whose it is.
pub(super) fn refused(provider: &Provider, why: &str) -> Reply {
    let title = "This sign-in can’t go on";
    message(provider, StatusCode::BAD_REQUEST, ("lock", true), title, why)
}

/// The interaction is over, or was begun in another browser.
pub(super) fn gone(provider: &Provider) -> Reply {
    let lead = "It was finished already, took longer than a quarter of an hour, or was begun in another browser. Nothing is lost: just start again.";
    message(provider, StatusCode::GONE, ("clock", false), "This sign-in is over", lead)
}

/// A form that no page of ours sent.
pub(super) fn forged(provider: &Provider) -> Reply {
    let lead = "What was sent here did not come from a page of this provider, so nothing was done.";
    message(provider, StatusCode::FORBIDDEN, ("lock", true), "That form isn’t ours", lead)
}

/// Nobody is signed in any more.
pub(super) fn signed_out(provider: &Provider) -> Reply {
    let lead = "Nobody is signed in at the demo’s identity provider in this browser.";
    message(provider, StatusCode::OK, ("check", false), "You are signed out", lead)
}

/// There is nothing at this address.
pub(super) fn missing(provider: &Provider) -> Reply {
    let lead = "This is the identity provider of the Portcullis demo. Nothing answers at this address.";
    message(provider, StatusCode::NOT_FOUND, ("search", false), "There is nothing here", lead)
}

fn message(
    provider: &Provider,
    status: StatusCode,
    (icon, bad): (&str, bool),
    title: &str,
    lead: &str,
) -> Reply {
    let view =
        Message { icon, bad, title, lead, href: provider.gateway.as_str(), label: "Go to the sample app" };
    reply::page(status, &view, &[])
}

#[derive(Template)]
#[template(path = "idp_home.html")]
struct Home<'a> {
    issuer: &'a str,
    /// Every account, and whether it is signed in in this browser.
    people: Vec<(&'a Person, bool)>,
    is_signed_in: bool,
    sign_out: String,
    app: &'a str,
}

/// The start page.
pub(super) fn home(provider: &Provider, headers: &HeaderMap) -> Reply {
    let session = provider.session(headers);
    let here = |person: &Person| session.as_ref().is_some_and(|session| *session.person == *person);
    let view = Home {
        issuer: &provider.issuer,
        people: provider.people.iter().map(|person| (person.as_ref(), here(person))).collect(),
        is_signed_in: session.is_some(),
        sign_out: format!("{ROOT}{}", paths::END_SESSION),
        app: provider.gateway.as_str(),
    };
    reply::page(StatusCode::OK, &view, &[])
}
