//! An exchange that goes on is judged anew, by the newest configuration and by what is known of its person now. It was let
//! in by [`decide`], and by nothing else it stays: by the same rules for the same path, from the same address.
//!
//! Where nothing can be known (the store is away) it stays: what ends its credential still ends it.

#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::authenticate::AuthenticatedRequest;
use super::authorize::{Denial, Grounds, RequestFields, decide};
use super::credential::{Credential, Ending};
use super::credential_end::CredentialEnd;
use super::inbound::Inbound;
use super::origins;
use super::reauthorize::{NextCall, Reauthorization};
use super::rejection::Rejection;
use super::route::Route;
use super::routed::Routed;
use super::service::Action;
use super::snapshot::Snapshot;
use crate::authn::Authentication;

/// An exchange that was let in and may go on for long.
#[derive(Clone, Copy)]
pub(super) struct Exchange<'a> {
    pub(super) inbound: &'a Inbound,
    pub(super) route: &'a Arc<Route>,
    pub(super) grounds: &'a Grounds,
    /// Whether it has become another protocol's.
    pub(super) upgraded: bool,
}

/// Why an exchange is broken off.
#[derive(Debug)]
pub(super) enum Cut {
    /// Its credential is over.
    Credential(CredentialEnd),
    /// It would not be let in any more.
    Unpermitted(Box<Unpermitted>),
}

/// An exchange that would not be let in any more.
#[derive(Debug)]
pub(super) struct Unpermitted {
    /// What a request like it is told now.
    pub(super) rejection: Rejection,
    /// The rule or the change that it hangs on, for the log.
    pub(super) why: String,
}

impl Cut {
    /// Whether a new sign-in would help.
    pub(super) const fn is_about_sign_in(&self) -> bool {
        match self {
            Self::Credential(_) => true,
            Self::Unpermitted(no) => no.is_about_sign_in(),
        }
    }
}

impl Unpermitted {
    /// Whether a new sign-in would help.
    pub(super) const fn is_about_sign_in(&self) -> bool {
        matches!(self.rejection, Rejection::SignIn(_) | Rejection::StepUp(..))
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential(end) => end.fmt(f),
            Self::Unpermitted(no) => no.fmt(f),
        }
    }
}

impl fmt::Display for Unpermitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no longer permitted: {}", self.why)
    }
}

impl From<Cut> for Rejection {
    fn from(cut: Cut) -> Self {
        match cut {
            Cut::Credential(end) => Self::CredentialEnded(end),
            Cut::Unpermitted(no) => Self::NoLongerPermitted(no),
        }
    }
}

/// What ends an exchange from outside: the end of its credential, or a judgement.
pub(super) struct ExchangeEnd {
    credential: Option<Ending>,
    review: Review,
}

impl ExchangeEnd {
    pub(super) fn of(route: &Route, credential: &Credential) -> Self {
        Self { credential: credential.ended(), review: Review::begin(route) }
    }

    /// Ready when the exchange must end.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        credential: &Credential,
        exchange: Exchange<'_>,
    ) -> Poll<Cut> {
        if let Some(ending) = &mut self.credential
            && let Poll::Ready(end) = Pin::new(ending).poll(cx)
        {
            return Poll::Ready(Cut::Credential(end));
        }
        self.review.poll(cx, credential, exchange).map(Box::new).map(Cut::Unpermitted)
    }
}

/// The judgements of one exchange, one after the other.
struct Review {
    calls: Arc<Reauthorization>,
    group: usize,
    /// The last call that it has heard.
    last: u64,
    /// By which configuration it was judged last.
    generation: u64,
    state: ReviewState,
}

enum ReviewState {
    Waiting(NextCall),
    Judging(Pin<Box<dyn Future<Output = Judgement> + Send>>),
}

/// What a judgement comes to.
#[derive(Debug)]
enum Judgement {
    Permitted,
    Unpermitted(Unpermitted),
    /// The store is away.
    Unknown,
}

impl Review {
    /// Those of an exchange that was let in by `route`.
    fn begin(route: &Route) -> Self {
        let (calls, generation) = (Arc::clone(&route.service.calls), route.service.generation);
        let (group, last) = calls.join();
        let state = ReviewState::Waiting(calls.next_call(group, last));
        Self { calls, group, last, generation, state }
    }

    /// Ready when the exchange would not be let in any more.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        credential: &Credential,
        exchange: Exchange<'_>,
    ) -> Poll<Unpermitted> {
        loop {
            self.state = match &mut self.state {
                ReviewState::Waiting(call) => {
                    // Where the configuration is another one than the exchange was let in by, it waits for no call: that
                    // may have come before it began to listen.
                    if self.generation >= self.calls.generation() {
                        self.last = ready!(call.as_mut().poll(cx));
                    }
                    let Some(snapshot) = self.calls.newest() else { return Poll::Pending };
                    self.generation = snapshot.generation;
                    credential.goes_on();
                    ReviewState::Judging(Box::pin(judge(snapshot, OwnedExchange::of(exchange))))
                }
                ReviewState::Judging(judgement) => {
                    let judgement = ready!(judgement.as_mut().poll(cx));
                    self.calls.count(judgement.label());
                    if let Judgement::Unpermitted(no) = judgement {
                        return Poll::Ready(no);
                    }
                    ReviewState::Waiting(self.calls.next_call(self.group, self.last))
                }
            };
        }
    }
}

impl Judgement {
    const fn label(&self) -> &'static str {
        match self {
            Self::Permitted => "permitted",
            Self::Unpermitted(_) => "cut",
            Self::Unknown => "unknown",
        }
    }
}

impl<E: Into<Rejection>> From<E> for Judgement {
    fn from(no: E) -> Self {
        let rejection = no.into();
        Self::Unpermitted(Unpermitted { why: rejection.reason().into_owned(), rejection })
    }
}

impl From<Denial> for Judgement {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::SignIn(..) => Rejection::SignIn(None).into(),
            Denial::StepUp(step_up) => Rejection::StepUp(step_up, None).into(),
            Denial::Refused(no) => no.into(),
        }
    }
}

/// What a judgement takes along: it may wait for the store.
struct OwnedExchange {
    inbound: Inbound,
    route: Arc<Route>,
    grounds: Grounds,
    upgraded: bool,
}

impl OwnedExchange {
    fn of(Exchange { inbound, route, grounds, upgraded }: Exchange<'_>) -> Self {
        Self { inbound: inbound.clone(), route: Arc::clone(route), grounds: grounds.clone(), upgraded }
    }
}

async fn judge(snapshot: Arc<Snapshot>, exchange: OwnedExchange) -> Judgement {
    let OwnedExchange { inbound, route: before, grounds, upgraded } = &exchange;
    let route = match snapshot.routing.route(inbound) {
        Ok(route) => route,
        Err(no) => return no.into(),
    };
    if !mutant!(leads_to_the_same(before, route), "stream-of-another-app" => true) {
        let why = "its address leads to another app now".to_owned();
        return Judgement::Unpermitted(Unpermitted { rejection: Rejection::UnknownPath, why });
    }
    let routed = match Routed::new(&snapshot.routing, inbound, route) {
        Ok(routed) => routed,
        Err(no) => return no.into(),
    };
    if origins::is_passed(&route.origins, &grounds.sender) {
        return Judgement::Permitted;
    }
    let Some(authentication) = present(&snapshot, route, inbound.authority.host(), grounds).await else {
        return Judgement::Unknown;
    };
    // A request would wait for new ones.
    let stale = authentication.session().is_some_and(|opened| opened.session.has_stale_claims());
    if mutant!(stale, "streams-go-on-by-old-claims" => false) {
        let why = "the claims of its person have changed".to_owned();
        return Judgement::Unpermitted(Unpermitted { rejection: Rejection::SignIn(None), why });
    }
    let asked = AuthenticatedRequest::new(routed, authentication, None, snapshot.clock.now());
    let fields = RequestFields::Remembered { grounds, upgraded: *upgraded };
    match mutant!(decide(&snapshot.routing, asked, fields), "streams-keep-their-permit" => return Judgement::Permitted)
    {
        Ok(_) => Judgement::Permitted,
        Err(denial) => denial.into(),
    }
}

/// Whose the exchange is now; `None` where that cannot be known.
async fn present(
    snapshot: &Snapshot,
    route: &Route,
    host: &str,
    grounds: &Grounds,
) -> Option<Authentication> {
    if route.access.is_public() {
        return Some(Authentication::Anonymous);
    }
    let present = snapshot.authenticator.present(route.accept, &grounds.authentication, host).await;
    present.inspect_err(|error| tracing::warn!(%error, "a stream could not be judged anew, and goes on")).ok()
}

/// Whether the app that an exchange goes on with may still be where the route leads: some server of the one is one of the
/// other's. One that was only taken out of the list finishes what it has begun.
fn leads_to_the_same(before: &Arc<Route>, now: &Arc<Route>) -> bool {
    if Arc::ptr_eq(before, now) {
        return true;
    }
    match (&before.service.action, &now.service.action) {
        (Action::Forward(before, _), Action::Forward(now, _)) => {
            let servers = &now.settings().servers;
            before.settings().servers.iter().any(|server| servers.contains(server))
        }
        (Action::Forward(..) | Action::Redirect(_) | Action::Serve(..) | Action::Endpoint(_), _) => false,
    }
}
