//! What people do on the pages: sign in, consent, refuse.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request};

use super::authorize;
use super::browser::{self, Session, form_subject};
use super::fault::Fault;
use super::interaction::{Interaction, address};
use super::pages::{self, SignInForm, SignInProblem};
use super::parameters::Parameters;
use super::people::Person;
use super::state::Provider;
use super::throttle::Attempt;
use crate::reply::{self, Reply};
use portcullis_rules::secret::Secret;

/// `POST`: name and password.
pub(super) fn sign_in(provider: &Provider, request: &Request<Bytes>) -> Reply {
    let form = Parameters::of(request);
    let (id, interaction) = match admitted(provider, request.headers(), &form, "sign-in") {
        Ok(found) => found,
        Err(why) => return why.page(provider),
    };
    let name = form.get("username").unwrap_or_default().trim();
    let password = Secret::new(form.get("password").unwrap_or_default());
    match attempt(provider, name, &password) {
        Ok(person) => signed_in(provider, request.headers(), id, person),
        Err(problem) => {
            let form = SignInForm { id, name: Some(name), problem: Some(problem) };
            let session = provider.session(request.headers());
            pages::sign_in(provider, &interaction, session.as_ref(), request.headers(), form)
        }
    }
}

/// Whoever has that name and that password. An unknown name takes the same way as a known one.
fn attempt(provider: &Provider, name: &str, password: &Secret) -> Result<Arc<Person>, SignInProblem> {
    let person = provider.people.iter().find(|person| person.name == name);
    let account = person.map_or("", |person| person.name);
    let nobodys = Secret::default();
    let right = || person.map_or(&nobodys, |person| &person.password) == password && person.is_some();
    match (provider.throttle.attempt(account, right), person) {
        (Attempt::Right, Some(person)) => Ok(Arc::clone(person)),
        (Attempt::Right, None) | (Attempt::Wrong, _) => Err(SignInProblem::Wrong),
        (Attempt::TooSoon(wait), _) => Err(SignInProblem::TooSoon(wait)),
    }
}

/// A session under a new key: whatever key the browser had before opens nothing any more.
fn signed_in(provider: &Provider, headers: &HeaderMap, id: &str, person: Arc<Person>) -> Reply {
    let (key, session) = provider.begin_session(headers, person);
    tracing::info!(user = session.person.name, "signed in at the demo's provider");
    authorize::chosen(provider, id, &session);
    let mut reply = reply::see_other(&address(id));
    browser::set_session(&mut reply, &key);
    reply
}

/// `POST`: go on as who is signed in already.
pub(super) fn choose(provider: &Provider, request: &Request<Bytes>) -> Reply {
    let form = Parameters::of(request);
    let Some(session) = provider.session(request.headers()) else { return pages::gone(provider) };
    match admitted(provider, request.headers(), &form, &session.id) {
        Ok((id, interaction)) if interaction.may_continue_as(&session, provider.clock.now()) => {
            authorize::chosen(provider, id, &session);
            reply::see_other(&address(id))
        }
        Ok((id, _)) => reply::see_other(&address(id)),
        Err(why) => why.page(provider),
    }
}

/// `POST`: allow or deny what the client asks for.
pub(super) fn consent(provider: &Provider, request: &Request<Bytes>) -> Reply {
    let form = Parameters::of(request);
    let Some(session) = provider.session(request.headers()) else { return pages::gone(provider) };
    match admitted(provider, request.headers(), &form, &session.id) {
        Ok((id, interaction)) => decided(provider, id, &interaction, &session, form.get("decision")),
        Err(why) => why.page(provider),
    }
}

/// Only the word `allow` allows.
fn decided(
    provider: &Provider,
    id: &str,
    interaction: &Interaction,
    session: &Session,
    decision: Option<&str>,
) -> Reply {
    if decision == Some("allow") {
        authorize::consented(provider, id, session);
        return reply::see_other(&address(id));
    }
    authorize::refuse(provider, interaction, id, Fault::new("access_denied", "the person said no"))
}

/// Why a form is not taken.
enum RejectedForm {
    /// No page of ours sent it.
    Forged,
    /// Its interaction is over, or another browser's.
    Over,
}

impl RejectedForm {
    fn page(self, provider: &Provider) -> Reply {
        match self {
            Self::Forged => pages::forged(provider),
            Self::Over => pages::gone(provider),
        }
    }
}

/// The interaction that `form` belongs to. The form must come from the page that this browser was shown
/// about it: about `whom`, too, so that nobody consents with a page that spoke to somebody else.
fn admitted<'a>(
    provider: &Provider,
    headers: &HeaderMap,
    form: &'a Parameters,
    whom: &str,
) -> Result<(&'a str, Interaction), RejectedForm> {
    let id = form.get("request").unwrap_or_default();
    let key = browser::flow_key(headers, id).ok_or(RejectedForm::Over)?;
    if !provider.forms.admits(headers, Some(&key), form.get("token"), &form_subject(id, whom)) {
        return Err(RejectedForm::Forged);
    }
    authorize::find(provider, headers, id).map(|found| (id, found)).ok_or(RejectedForm::Over)
}
