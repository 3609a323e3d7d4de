//! Bound sessions, as a browser sees them (Device Bound Session Credentials, W3C draft of 2026).
//!
//! 1. The answer that gives a browser its session tells it where to register a key (`offer`).
//! 2. It makes a key that its device keeps, signs the challenge that came along, and gets the bound cookie (`register`).
//! 3. Before a request that would go without that cookie it signs another challenge and gets the cookie anew (`refresh`).
//!
//! Who answers 2 and 3 asks for no session cookie: browsers leave it out where the page of another site began the request.
//! The challenge says whose session it is, and the signature who may have it.

mod instructions;
mod offer;
mod proof;
mod refresh;
mod register;
mod well_known;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};

use super::context::RequestContext;
use super::state::Endpoints;
use crate::events::SessionBindingRefused;
use crate::session::{Binding, SessionId};

pub use well_known::WELL_KNOWN;

pub(super) use offer::offer;
pub(super) use refresh::answer as refresh;
pub(super) use register::answer as register;
pub(super) use well_known::answer as well_known;

/// The step of a bound session, by which it is counted.
#[derive(Clone, Copy, Debug)]
enum Step {
    Registration,
    Refresh,
}

impl Step {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Refresh => "refresh",
        }
    }
}

const TOO_MANY_HOSTS: &str = "as many hosts are bound as may be; this one is not";

const CHALLENGE: HeaderName = HeaderName::from_static("secure-session-challenge");

/// What browsers call a session: a letter, so that it may stand bare in a field, and its identifier.
fn session_name(id: SessionId) -> String {
    format!("s{}", id.to_hex())
}

fn session_named(name: &str) -> Option<SessionId> {
    SessionId::from_hex(name.strip_prefix('s')?)
}

/// Adds the challenge for the next proof (section 9.2).
fn add_challenge(endpoints: &Endpoints, binding: &Binding, response: &mut Response<Bytes>) {
    let challenge = endpoints.resources.sessions.refresh_challenge(binding);
    let field = format!("\"{challenge}\";id=\"{}\"", session_name(binding.session));
    response.headers_mut().extend(HeaderValue::try_from(field).ok().map(|field| (CHALLENGE, field)));
}

fn count(endpoints: &Endpoints, step: Step, result: &str) {
    endpoints.resources.metrics.bound_session(step.as_str(), result);
}

/// Records that a session is not bound, or that its device is not shown.
fn record_refusal(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    session: Option<SessionId>,
    reason: &str,
) {
    let session = session.map_or(0, |id| id.first_bytes());
    let refused = SessionBindingRefused { caller: context.caller(), who: None, session, reason };
    endpoints.resources.recorder.emit(&refused);
}

/// Tells of a proof that shows nothing; whoever sent it changes nothing.
fn tell_refusal(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    step: Step,
    session: Option<SessionId>,
    error: &proof::ProofError,
) {
    count(endpoints, step, error.word());
    record_refusal(endpoints, context, session, &format!("{}, {}: {error}", step.as_str(), error.word()));
}
