//! A sign-in under way: what a person must still do before the client gets its code.
//!
//! It is begun by an authorization request, and goes on with every page and form until one of these ends it:
//! - [`Step::Done`]: the client gets a code. Of several tabs that come so far, one does.
//! - [`Step::Impossible`], or a person who does not consent: the client is told why not.
//! - Fifteen minutes.
//!
//! What comes next is asked anew each time, of the browser's session as it is then: [`Step::SignIn`] where there is none
//! or the client wants another, then [`Step::Consent`] where the person has not yet consented to all of the scopes.

use std::sync::Arc;

use super::authorization::AuthorizationRequest;
use super::browser::Session;
use super::fault::Fault;
use super::paths::{CONTINUE, ROOT};
use super::scope::Scopes;
use crate::bounded::Bounded;
use portcullis_rules::clock::Timestamp;
use portcullis_rules::secret::Secret;

/// An authorization request that waits for a person.
#[derive(Clone, Debug)]
pub(super) struct Interaction {
    pub(super) request: Arc<AuthorizationRequest>,
    /// What the only browser that may go on with it has in a cookie (invariant 6).
    pub(super) key: Secret,
    /// The session that was begun or chosen for it.
    pub(super) session: Option<String>,
    /// The session whose person consented to it.
    pub(super) consent: Option<String>,
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
    pub(super) fn new(request: AuthorizationRequest) -> Self {
        Self { request: Arc::new(request), key: Secret::random(), session: None, consent: None }
    }

    /// What must still be done, given the browser's session and what its person consented to before.
    pub(super) fn step(&self, session: Option<Session>, consents: &Bounded<Scopes>, now: Timestamp) -> Step {
        let Some(session) = session else { return Step::SignIn };
        let here = self.session.as_ref() == Some(&session.id);
        if !here && self.asks_who(&session, now) {
            return Step::SignIn;
        }
        if self.request.subject.as_ref().is_some_and(|subject| subject != session.person.subject) {
            return Step::Impossible(Fault::login_required("somebody else is signed in"));
        }
        let consented = self.consent.as_ref() == Some(&session.id);
        if !consented && (self.request.prompt.consent || !self.is_consented(&session, consents)) {
            return Step::Consent(session);
        }
        Step::Done(session)
    }

    /// Whether the session that stands does not suffice (OpenID Connect Core 1.0, section 3.1.2.3).
    fn asks_who(&self, session: &Session, now: Timestamp) -> bool {
        let prompt = self.request.prompt;
        let age = now.since(session.auth_time);
        let old = self.request.max_age.is_some_and(|most| age > most);
        let other = self.request.subject.as_ref().is_some_and(|subject| subject != session.person.subject);
        prompt.login || prompt.select_account || old || other
    }

    fn is_consented(&self, session: &Session, consents: &Bounded<Scopes>) -> bool {
        let known = consents.get(&consent_key(session, &self.request));
        known.is_some_and(|known| self.request.scopes.are_among(&known))
    }

    /// Whether the session that stands may go on without a password: the client did not ask for one.
    pub(super) fn may_continue_as(&self, session: &Session, now: Timestamp) -> bool {
        let age = now.since(session.auth_time);
        !self.request.prompt.login && self.request.max_age.is_none_or(|most| age <= most)
    }
}

/// Where the interaction goes on.
pub(super) fn address(id: &str) -> String {
    let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("{ROOT}{CONTINUE}?request={id}")
}

/// What a person's consents to a client are kept under.
pub(super) fn consent_key(session: &Session, request: &AuthorizationRequest) -> String {
    format!("{} {}", session.person.subject, request.back.client.id)
}
