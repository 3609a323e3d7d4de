//! The credential that an exchange lives by, and its end (invariants 8 and 22).
//!
//! One mechanism for all that may outlive what opened it: a request whose answer has not begun, the body of an answer,
//! an upgraded connection. A sign-out or a revocation ends each of them at once. The expiry of a bearer token ends at
//! once only what has no end of its own; a download or an upload may go on for as long as the route says. So does the age
//! at which a route wants no session any more.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

use super::credential_end::CredentialEnd;
use super::rejection::Rejection;
use super::review::Cut;
use super::route::Route;
use crate::authn::Authentication;
use crate::clock::{Clock, Timestamp};
use crate::forward::ForwardError;
use crate::identity::RouteName;
use crate::session::{Session, SessionEnd, SessionEnded, StreamUse};

/// How often a request may be woken without having its answer before a timer for the end of its credential is made.
/// Each of these wakes looks at the session's flag all the same, and whoever waits for an answer is woken once a
/// second anyway.
const WAKES_WITHOUT_TIMER: u8 = 3;

/// What an exchange lives by, and how. Where nothing of it could end, the exchange may go on.
#[derive(Debug, Default)]
pub(super) struct Credential {
    session: Option<Arc<Session>>,
    expiry: Option<Expiry>,
    /// How long what is under way may go on behind the expiry.
    grace: Duration,
    /// Whether the exchange is use of its session while it goes on.
    stream: StreamUse,
    /// The route that asks when it was last used, where it does.
    route: Option<RouteName>,
}

/// When a credential is over that says so itself, or a session that its route wants younger.
#[derive(Debug)]
struct Expiry {
    at: Timestamp,
    end: CredentialEnd,
    clock: Clock,
}

impl Credential {
    pub(super) fn of<S>(found: &Authentication, route: &Route<S>, clock: &Clock) -> Self {
        let session = found.session().map(|opened| Arc::clone(&opened.session));
        let expires = found.authenticated().and_then(|somebody| somebody.expires);
        let of_token = expires.map(|at| (at, CredentialEnd::TokenExpired));
        let too_old = session.as_ref().and_then(|session| route.session_until(session));
        let of_session = too_old.map(|at| (at, CredentialEnd::Session(SessionEnd::Expired)));
        let expiry = of_token.or(of_session).map(|(at, end)| Expiry { at, end, clock: clock.clone() });
        let name = route.session_idle_timeout.map(|_| route.name.clone());
        Self { session, expiry, grace: route.after_expiry, stream: route.streams, route: name }
    }

    /// The session, where it is one.
    pub(super) const fn session(&self) -> Option<&Arc<Session>> {
        self.session.as_ref()
    }

    /// Lets the expiry of a token end the exchange at once from now on: for what has no end of its own.
    pub(super) const fn strict(&mut self) {
        self.grace = Duration::ZERO;
    }

    /// Whether the exchange is use of its session from now on.
    pub(super) const fn set_use(&mut self, stream: StreamUse) {
        self.stream = stream;
    }

    pub(super) const fn is_none(&self) -> bool {
        self.session.is_none() && self.expiry.is_none()
    }

    /// The client has used its session now.
    pub(super) fn used(&self) {
        self.session.iter().for_each(|session| session.used());
        self.used_on_route();
    }

    fn used_on_route(&self) {
        self.session.iter().zip(&self.route).for_each(|(session, route)| session.used_on(route));
    }

    /// An exchange that is use of its session while it goes on has used it now.
    pub(super) fn goes_on(&self) {
        if self.stream == StreamUse::Used {
            self.used_on_route();
        }
    }

    /// Why the session was ended, if somebody has ended it: a look at a flag, without a look at the clock.
    fn was_ended(&self) -> Option<CredentialEnd> {
        self.session.as_ref()?.end_reason().map(CredentialEnd::Session)
    }

    /// Resolves when it is over; `None` where there is nothing that could be.
    pub(super) fn ended(&self) -> Option<Ending> {
        let session = self.session.as_ref().map(|session| session.ended(self.stream));
        let expiry = self.expiry.as_ref().map(|it| ExpiryTimer::new(it, self.grace));
        (session.is_some() || expiry.is_some()).then_some(Ending { session, expiry })
    }
}

/// Resolves at its time. It asks the clock whenever it is polled: a connection that is always busy keeps timers waiting
/// for many megabytes.
pub(super) struct ExpiryTimer {
    at: Timestamp,
    end: CredentialEnd,
    clock: Clock,
    sleep: Pin<Box<Sleep>>,
}

impl ExpiryTimer {
    fn new(expiry: &Expiry, grace: Duration) -> Self {
        let (at, clock) = (expiry.at + grace, expiry.clock.clone());
        let sleep = Box::pin(sleep(at.since(clock.now())));
        Self { at, end: expiry.end, clock, sleep }
    }

    fn poll_passed(&mut self, cx: &mut Context<'_>) -> Poll<CredentialEnd> {
        loop {
            // The timer counts by the monotonic clock, the expiry stands in wall-clock time. Where the timer fires
            // and time is left (the wall clock was set back meanwhile), it starts again.
            let left = self.at.since(self.clock.now());
            if left.is_zero() {
                return Poll::Ready(self.end);
            }
            ready!(self.sleep.as_mut().poll(cx));
            self.sleep.as_mut().reset(Instant::now() + left);
        }
    }
}

/// Resolves when a credential is over, with the reason.
pub(super) struct Ending {
    session: Option<SessionEnded>,
    expiry: Option<ExpiryTimer>,
}

impl Future for Ending {
    type Output = CredentialEnd;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CredentialEnd> {
        let Self { session, expiry } = &mut *self;
        if let Some(Poll::Ready(end)) = session.as_mut().map(|ended| Pin::new(ended).poll(cx)) {
            return Poll::Ready(CredentialEnd::Session(end));
        }
        match expiry {
            Some(expiry) => expiry.poll_passed(cx),
            None => Poll::Pending,
        }
    }
}

/// An answer that is waited for, until the credential ends. Nothing of an answer reaches a client whose credential
/// somebody has ended meanwhile.
///
/// The first wakes look at the session's flag alone. After [`WAKES_WITHOUT_TIMER`] of them `ended` is asked as well, and
/// wakes the request by itself when the exchange must end.
pub(super) struct WhileGood<'a, F, E> {
    answer: Pin<&'a mut F>,
    credential: &'a Credential,
    woken: u8,
    ended: E,
}

impl<'a, F, E: FnMut(&mut Context<'_>) -> Poll<Cut>> WhileGood<'a, F, E> {
    pub(super) const fn new(credential: &'a Credential, answer: Pin<&'a mut F>, ended: E) -> Self {
        Self { answer, credential, woken: 0, ended }
    }
}

impl<T, F, E> Future for WhileGood<'_, F, E>
where
    F: Future<Output = Result<T, ForwardError>>,
    E: FnMut(&mut Context<'_>) -> Poll<Cut> + Unpin,
{
    type Output = Result<T, Rejection>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        // The flag is read after the answer was polled: an answer that came in this very poll is dropped where the
        // credential has ended.
        let answered = this.answer.as_mut().poll(cx);
        if let Some(end) = mutant!(this.credential.was_ended(), "answer-after-sign-out" => None) {
            return Poll::Ready(Err(Rejection::CredentialEnded(end)));
        }
        if let Poll::Ready(answered) = answered {
            return Poll::Ready(answered.map_err(Rejection::from));
        }
        if this.woken < WAKES_WITHOUT_TIMER {
            this.woken += 1;
            return Poll::Pending;
        }
        (this.ended)(cx).map(|cut| Err(cut.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;

    use futures_util::FutureExt;

    use super::*;

    fn token(clock: &Clock, grace: u64) -> Credential {
        let at = clock.now() + Duration::from_secs(60);
        let expiry = Expiry { at, end: CredentialEnd::TokenExpired, clock: clock.clone() };
        Credential { expiry: Some(expiry), grace: Duration::from_secs(grace), ..Credential::default() }
    }

    /// Seconds until it ends, with time that passes for clock and timers alike.
    async fn seconds(mut ended: Ending, clock: &Clock) -> u64 {
        let mut seconds = 0;
        while (&mut ended).now_or_never().is_none() {
            seconds += 1;
            clock.advance(Duration::from_secs(1));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        seconds
    }

    #[tokio::test(start_paused = true)]
    async fn invariant_22_nothing_outlives_its_token_by_more_than_it_may() {
        let clock = Clock::manual(Timestamp::from_seconds(1_000));
        assert_eq!(seconds(token(&clock, 300).ended().unwrap(), &clock).await, 360);
        let mut stream = token(&clock, 300);
        stream.strict();
        assert_eq!(seconds(stream.ended().unwrap(), &clock).await, 60);
        assert!(Credential::default().ended().is_none(), "what is public has nothing to outlive");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_outlives_how_old_its_route_lets_a_session_be() {
        let clock = Clock::manual(Timestamp::from_seconds(1_000));
        let (_sessions, session) = session(&clock).await;
        let at = clock.now() + Duration::from_secs(60);
        let expiry = Expiry { at, end: CredentialEnd::Session(SessionEnd::Expired), clock: clock.clone() };
        let credential = Credential { session: Some(session), expiry: Some(expiry), ..Credential::default() };
        let mut ended = credential.ended().unwrap();
        assert!((&mut ended).now_or_never().is_none());
        clock.advance(Duration::from_secs(60));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(ended.now_or_never(), Some(CredentialEnd::Session(SessionEnd::Expired)));
    }

    /// The end of a credential alone.
    fn ended(credential: &Credential) -> impl FnMut(&mut Context<'_>) -> Poll<Cut> + Unpin {
        let mut ending = credential.ended();
        move |cx| match &mut ending {
            Some(ending) => Pin::new(ending).poll(cx).map(Cut::Credential),
            None => Poll::Pending,
        }
    }

    async fn session(clock: &Clock) -> (crate::session::Sessions, Arc<Session>) {
        let sessions = crate::session::testing::sessions(clock);
        let principal = crate::gate::tests::principal("staff");
        let root = crate::session::testing::sign_in("wiki.example", principal, clock);
        let (_, session) = sessions.create(root).await.unwrap();
        (sessions, session)
    }

    #[tokio::test]
    async fn invariant_8_nothing_of_an_answer_reaches_who_signed_out_while_it_was_made() {
        let clock = Clock::manual(Timestamp::from_seconds(1_000));
        let (sessions, session) = session(&clock).await;
        let credential = Credential { session: Some(Arc::clone(&session)), ..Credential::default() };
        let answer =
            WhileGood::new(&credential, pin!(ready(Ok::<_, ForwardError>("mail"))), ended(&credential)).await;
        assert!(matches!(answer, Ok("mail")));
        let never = pin!(pending::<Result<(), ForwardError>>());
        let mut waiting = WhileGood::new(&credential, never, ended(&credential));
        for _ in 0..10 {
            assert!((&mut waiting).now_or_never().is_none());
        }
        sessions.end(&session.id).await.unwrap();
        let why = |no: Option<Result<(), Rejection>>| match no {
            Some(Err(Rejection::CredentialEnded(end))) => Some(end),
            _ => None,
        };
        let signed_out = Some(CredentialEnd::Session(SessionEnd::SignedOut));
        assert_eq!(why(waiting.now_or_never()), signed_out);
        let late = WhileGood::new(&credential, pin!(ready(Ok(()))), ended(&credential)).now_or_never();
        assert_eq!(why(late), signed_out, "it came too late");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_long_is_woken_by_the_end() {
        let clock = Clock::manual(Timestamp::from_seconds(1_000));
        let credential = token(&clock, 0);
        let never = pin!(pending::<Result<(), ForwardError>>());
        let mut waiting = WhileGood::new(&credential, never, ended(&credential));
        for _ in 0..=WAKES_WITHOUT_TIMER {
            assert!((&mut waiting).now_or_never().is_none());
        }
        clock.advance(Duration::from_secs(60));
        assert!(matches!(waiting.await, Err(Rejection::CredentialEnded(CredentialEnd::TokenExpired))));
    }
}
