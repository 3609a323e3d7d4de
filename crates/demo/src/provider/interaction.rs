//! A sign-in under way: what a person must still do before the client gets its code.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};

use super::authorization::{AuthorizationRequest, Refusal};
use super::browser::{self, ROOT, Session};
use super::fault::Fault;
use super::grants::Code;
use super::parameters::Parameters;
use super::scope::Scopes;
use super::{Provider, pages};
use crate::reply::{self, Reply};
use portcullis_rules::secret::Secret;

/// How long a person may take.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Cookies of sign-ins that are over which are taken away at once.
const MAX_CLEARED: usize = 16;

/// An authorization request that waits for a person.
#[derive(Clone, Debug)]
pub(super) struct Interaction {
    pub(super) request: Arc<AuthorizationRequest>,
    /// What the only browser that may go on with it has in a cookie (invariant 6).
    key: Secret,
    /// The session that was begun or chosen for it.
    session: Option<String>,
    /// The session whose person consented to it.
    consent: Option<String>,
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Step {
    SignIn,
    Consent(Session),
    Done(Session),
    /// Somebody signed in who is not the one the client wants.
    Impossible(Fault),
}

impl Interaction {
    fn new(request: AuthorizationRequest) -> Self {
        Self { request: Arc::new(request), key: Secret::random(), session: None, consent: None }
    }

    /// What must still be done, given the browser's session and what its person consented to before.
    fn step(&self, provider: &Provider, session: Option<Session>) -> Step {
        let Some(session) = session else { return Step::SignIn };
        let here = self.session.as_ref() == Some(&session.id);
        if !here && self.asks_who(provider, &session) {
            return Step::SignIn;
        }
        if self.request.subject.as_ref().is_some_and(|subject| subject != session.person.subject) {
            return Step::Impossible(Fault::login_required("somebody else is signed in"));
        }
        let consented = self.consent.as_ref() == Some(&session.id);
        if !consented && (self.request.prompt.consent || !self.is_consented(provider, &session)) {
            return Step::Consent(session);
        }
        Step::Done(session)
    }

    /// Whether the session that stands does not suffice (OpenID Connect Core 1.0, section 3.1.2.3).
    fn asks_who(&self, provider: &Provider, session: &Session) -> bool {
        let prompt = self.request.prompt;
        let age = provider.clock.now().since(session.auth_time);
        let old = self.request.max_age.is_some_and(|most| age > most);
        let other = self.request.subject.as_ref().is_some_and(|subject| subject != session.person.subject);
        prompt.login || prompt.select_account || old || other
    }

    fn is_consented(&self, provider: &Provider, session: &Session) -> bool {
        let consents = provider.consents.get(&consent_key(session, &self.request));
        consents.is_some_and(|known| self.request.scopes.are_among(&known))
    }

    /// Whether the session that stands may go on without a password: the client did not ask for one.
    pub(super) fn may_continue_as(&self, provider: &Provider, session: &Session) -> bool {
        let age = provider.clock.now().since(session.auth_time);
        !self.request.prompt.login && self.request.max_age.is_none_or(|most| age <= most)
    }
}

/// The authorization endpoint, by `GET` or `POST` (section 3.1.2.1).
pub(super) fn authorize(provider: &Provider, request: &Request<Bytes>) -> Reply {
    let wanted = match AuthorizationRequest::read(provider, &Parameters::of(request)) {
        Ok(wanted) => wanted,
        Err(Refusal::Stranger(why)) => return pages::refused(provider, why),
        Err(Refusal::Back(back, fault)) => return back.with_fault(&provider.issuer, fault),
    };
    let interaction = Interaction::new(wanted);
    let silent = interaction.request.prompt.none;
    match (interaction.step(provider, provider.session(request.headers())), silent) {
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

/// Where the interaction goes on.
pub(super) fn address(id: &str) -> String {
    let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("{ROOT}/continue?request={id}")
}

/// Shows the next page, or ends the interaction.
pub(super) fn advance(provider: &Provider, request: &Request<Bytes>) -> Reply {
    let query = Parameters::of(request);
    let id = query.get("request").unwrap_or_default();
    let Some(interaction) = find(provider, request.headers(), id) else { return pages::gone(provider) };
    let session = provider.session(request.headers());
    match interaction.step(provider, session.clone()) {
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

fn consent_key(session: &Session, request: &AuthorizationRequest) -> String {
    format!("{} {}", session.person.subject, request.back.client.id)
}

fn grant(provider: &Provider, interaction: &Interaction, session: Session) -> Reply {
    let request = Arc::clone(&interaction.request);
    let code = provider.grants.issue_code(Code { request: Arc::clone(&request), session });
    request.back.with_code(&provider.issuer, &code)
}
