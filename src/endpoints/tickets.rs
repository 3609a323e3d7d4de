//! How an app's host gets its session: one-time tickets, bound to host and browser, for 60 seconds
//! (invariant 6).

use std::time::Duration;

use moka::sync::Cache;

use super::handover::HandoverFingerprint;
use super::return_to::ReturnTo;
use crate::clock::Clock;
use crate::secret::{Secret, fingerprint};
use crate::session::NewSession;

/// A browser takes a ticket to its host at once: this is time enough for a slow line.
const LIFETIME: Duration = Duration::from_secs(60);
/// Nobody gets a ticket without a session, so that this bounds memory and keeps nobody out.
const CAPACITY: u64 = 10_000;

/// Tickets that have been handed out and not been used. A ticket is issued once and taken once: the first who
/// presents it uses it up, whether or not they are who it was made for. Of two who come at once, one gets it.
#[derive(Debug)]
pub(super) struct Tickets {
    /// Each ticket with the monotonic time at which it was issued, by the digest of its number. The gateway's clock
    /// decides whether it is still good; the cache drops it by its own clock, only to free the memory.
    issued: Cache<[u8; 32], (Duration, Ticket)>,
    clock: Clock,
}

/// What a ticket opens.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    /// The only host it is good for, with its port as in the address.
    pub(super) authority: String,
    /// Fingerprint of the secret in the browser that began the sign-in.
    pub(super) handover: HandoverFingerprint,
    /// The session the app's host will get.
    pub(super) session: NewSession,
    /// Where the person wanted to go.
    pub(super) return_to: ReturnTo,
    /// Whether this sign-in was begun because an earlier one was lost.
    pub(super) again: bool,
}

/// Why a ticket opens nothing. Whichever it is, the ticket is spent.
#[derive(Debug, thiserror::Error)]
pub(super) enum TicketError {
    /// It is made up, spent, too old or for another host.
    #[error("the ticket is not good here, was used, or is older than 60 s")]
    Unknown,
    /// The browser does not hold the secret.
    #[error("the ticket is not good here: this browser does not hold the secret that it was made for")]
    OtherBrowser(Box<Ticket>),
}

impl Tickets {
    pub(super) fn new(clock: Clock) -> Self {
        let issued = Cache::builder().max_capacity(CAPACITY).time_to_live(LIFETIME).build();
        Self { issued, clock }
    }

    /// Hands out a ticket: 256 random bits, of which only the digest is kept.
    pub(super) fn issue(&self, ticket: Ticket) -> Secret {
        let number = Secret::random();
        self.issued.insert(fingerprint(number.expose().as_bytes()), (self.clock.monotonic(), ticket));
        number
    }

    /// Takes a ticket in: whoever presents it, it is gone afterwards. It opens only where it was made for,
    /// in the browser that `holds` the secret that stayed behind.
    pub(super) fn take(
        &self,
        number: &str,
        authority: &str,
        holds: impl FnOnce(&HandoverFingerprint) -> bool,
    ) -> Result<Ticket, TicketError> {
        let number = fingerprint(number.as_bytes());
        let issued = mutant!(self.issued.remove(&number), "ticket-good-twice" => self.issued.get(&number));
        let (at, ticket) = issued.ok_or(TicketError::Unknown)?;
        let old = self.clock.monotonic().saturating_sub(at) >= LIFETIME;
        let elsewhere = ticket.authority != authority;
        if mutant!(old || elsewhere, "ticket-without-end" => elsewhere, "ticket-for-any-host" => old) {
            return Err(TicketError::Unknown);
        }
        if mutant!(holds(&ticket.handover), "ticket-in-any-browser" => true) {
            Ok(ticket)
        } else {
            Err(TicketError::OtherBrowser(Box::new(ticket)))
        }
    }
}

#[cfg(any(test, fuzzing))]
#[allow(clippy::unwrap_used, reason = "only tests and fuzzers come here")]
pub(super) mod testing {
    use std::sync::Arc;

    use super::*;
    use crate::clock::Timestamp;
    use crate::identity::fixtures::alice;

    /// A ticket for `wiki.example`, and for the browser with the secret of `handover`.
    pub(in crate::endpoints) fn ticket(handover: HandoverFingerprint) -> Ticket {
        let clock = Clock::manual(Timestamp::from_seconds(1_000));
        let session = crate::session::testing::sign_in("wiki.example", Arc::new(alice()), &clock);
        let return_to = ReturnTo::asked("https://wiki.example", "/", None).unwrap();
        Ticket { authority: "wiki.example".into(), handover, session, return_to, again: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn ticket() -> Ticket {
        testing::ticket(HandoverFingerprint::of("secret"))
    }

    #[test]
    fn invariant_7_a_ticket_is_good_for_less_than_a_minute_once_there_and_in_one_browser() {
        let clock = Clock::manual(Timestamp::from_seconds(1_000));
        let tickets = Tickets::new(clock.clone());
        let browser = |handover: &HandoverFingerprint| *handover == HandoverFingerprint::of("secret");

        let number = tickets.issue(ticket());
        clock.advance(Duration::from_millis(59_999));
        assert!(tickets.take(number.expose(), "wiki.example", browser).is_ok());
        assert!(tickets.take(number.expose(), "wiki.example", browser).is_err(), "twice");

        let late = tickets.issue(ticket());
        clock.advance(Duration::from_secs(60));
        assert!(tickets.take(late.expose(), "wiki.example", browser).is_err(), "after its time");

        for (authority, holds) in
            [("wiki.example:8443", true), ("mail.example", true), ("wiki.example", false)]
        {
            let number = tickets.issue(ticket());
            assert!(tickets.take(number.expose(), authority, |_| holds).is_err(), "{authority} {holds}");
            assert!(tickets.take(number.expose(), "wiki.example", browser).is_err(), "it is spent");
        }
        assert!(tickets.take("made up", "wiki.example", browser).is_err());
    }
}
