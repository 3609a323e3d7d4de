//! The authorization endpoint, and the pages that an interaction goes through from there to its end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};

use super::authorization::{AuthorizationRefusal, AuthorizationRequest};
use super::browser::{self, Session};
use super::fault::Fault;
use super::grants::Code;
use super::interaction::{Interaction, Step, address, consent_key};
use super::pages;
use super::parameters::Parameters;
use super::scope::Scopes;
use super::state::Provider;
use crate::reply::{self, Reply};
use portcullis_rules::secret::Secret;

/// How long a person may take.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Cookies of sign-ins that are over which are taken away at once.
const MAX_CLEARED: usize = 16;

/// The authorization endpoint, by `GET` or `POST` (section 3.1.2.1).
pub(super) fn authorize(provider: &Provider, request: &Request<Bytes>) -> Reply {
    let wanted =
        match AuthorizationRequest::read(&provider.clients, &provider.signer, &Parameters::of(request)) {
            Ok(wanted) => wanted,
            Err(AuthorizationRefusal::Stranger(why)) => return pages::refused(provider, why),
            Err(AuthorizationRefusal::Back(back, fault)) => return back.with_fault(&provider.issuer, fault),
        };
    let interaction = Interaction::new(wanted);
    let silent = interaction.request.prompt.none;
    match (step(provider, &interaction, provider.session(request.headers())), silent) {
        (Step::Done(session), _) => grant(provider, &interaction, session),
        (Step::Impossible(fault), _) => interaction.request.back.with_fault(&provider.issuer, fault),
        (Step::SignIn, true) => {
            let fault = Fault::login_required("nobody is signed in, or too long ago");
            interaction.request.back.with_fault(&provider.issuer, fault)
        }
        (Step::Consent(_), true) => {
            let fault = Fault::new("consent_required", "the person has not consented yet");
            interaction.request.back.with_fault(&provider.issuer, fault)
        }
        (Step::SignIn | Step::Consent(_), false) => begin(provider, request.headers(), interaction),
    }
}

fn begin(provider: &Provider, headers: &HeaderMap, interaction: Interaction) -> Reply {
    let (id, key) = (Secret::random(), interaction.key.clone());
    provider.interactions.put(id.expose(), PATIENCE, interaction);
    let mut reply = reply::see_other(&address(id.expose()));
    browser::set_flow(&mut reply, id.expose(), &key, PATIENCE);
    let over = browser::flows(headers).into_iter().filter(|id| provider.interactions.get(id).is_none());
    over.take(MAX_CLEARED).for_each(|id| browser::clear_flow(&mut reply, &id));
    reply
}

/// Shows the next page, or ends the interaction.
pub(super) fn advance(provider: &Provider, request: &Request<Bytes>) -> Reply {
    let query = Parameters::of(request);
    let id = query.get("request").unwrap_or_default();
    let Some(interaction) = find(provider, request.headers(), id) else { return pages::gone(provider) };
    let session = provider.session(request.headers());
    match step(provider, &interaction, session.clone()) {
        Step::SignIn => {
            let form = pages::SignInForm { id, name: query.get("name"), problem: None };
            pages::sign_in(provider, &interaction, session.as_ref(), request.headers(), form)
        }
        Step::Consent(session) if query.get("switch").is_some() => {
            let form = pages::SignInForm { id, name: None, problem: None };
            pages::sign_in(provider, &interaction, Some(&session), request.headers(), form)
        }
        Step::Consent(session) => pages::consent(provider, &interaction, &session, request.headers(), id),
        // Of two tabs that arrive here with the same interaction, one gets the code.
        Step::Done(session) => match provider.interactions.take(id) {
            Some(interaction) => over(grant(provider, &interaction, session), id),
            None => pages::gone(provider),
        },
        Step::Impossible(fault) => refuse(provider, &interaction, id, fault),
    }
}

/// Ends the interaction without a code.
pub(super) fn refuse(provider: &Provider, interaction: &Interaction, id: &str, fault: Fault) -> Reply {
    provider.interactions.take(id);
    over(interaction.request.back.with_fault(&provider.issuer, fault), id)
}

fn over(mut reply: Reply, id: &str) -> Reply {
    browser::clear_flow(&mut reply, id);
    reply
}

/// The interaction `id`, where this browser began it.
pub(super) fn find(provider: &Provider, headers: &HeaderMap, id: &str) -> Option<Interaction> {
    let key = browser::flow_key(headers, id)?;
    provider.interactions.get(id).filter(|interaction| interaction.key == key)
}

/// Notes that `session` was begun or chosen for the interaction.
pub(super) fn chosen(provider: &Provider, id: &str, session: &Session) {
    provider.interactions.with(id, |interaction| interaction.session = Some(session.id.clone()));
}

/// Notes that the person of `session` consents, to this request and to others like it.
pub(super) fn consented(provider: &Provider, id: &str, session: &Session) {
    let request = provider.interactions.with(id, |interaction| {
        interaction.consent = Some(session.id.clone());
        Arc::clone(&interaction.request)
    });
    let Some(request) = request else { return };
    let key = consent_key(session, &request);
    let mut scopes: Scopes = provider.consents.get(&key).unwrap_or_default();
    scopes.extend(&request.scopes);
    provider.consents.put(&key, Provider::REMEMBERED, scopes);
}

fn grant(provider: &Provider, interaction: &Interaction, session: Session) -> Reply {
    let request = Arc::clone(&interaction.request);
    let code = provider.grants.issue_code(Code { request: Arc::clone(&request), session });
    request.back.with_code(&provider.issuer, &code)
}

fn step(provider: &Provider, interaction: &Interaction, session: Option<Session>) -> Step {
    interaction.step(session, &provider.consents, provider.clock.now())
}
