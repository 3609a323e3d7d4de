//! How an app's host gets its session: one-time tickets, bound to host and browser, for 60 seconds
//! (invariant 6).
//!
//! What a ticket opens is kept where all replicas find it, sealed under a key that follows from the ticket's number: the
//! number is in the browser alone, so that whoever reads the store opens nothing (invariant 7).

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::EndpointError;
use super::handover::HandoverFingerprint;
use super::return_to::ReturnTo;
use crate::clock::{Clock, Timestamp};
use crate::replicas::{OneTimeKind, OneTimeName, OneTimeStore};
use crate::secret::{SealingKey, Secret, fingerprint};
use crate::session::{FamilyGrant, SessionId, StoreUnavailable};

/// A browser takes a ticket to its host at once: this is time enough for a slow line.
const LIFETIME: Duration = Duration::from_secs(60);
/// How far the clocks of replicas may be apart. The store ends a ticket by its own clock; ours only keeps a spent one
/// from being put back there much later.
const CLOCKS_APART: Duration = Duration::from_secs(60);

const PURPOSE: &[u8] = b"portcullis ticket 1";

/// Tickets that have been handed out and not been used. A ticket is issued once and taken once: the first who
/// presents it uses it up, whether or not they are who it was made for. Of two who come at once, on whichever replica,
/// one gets it.
#[derive(Debug)]
pub(super) struct Tickets {
    store: Arc<dyn OneTimeStore>,
    clock: Clock,
}

/// What a ticket opens. It is good on the host of `return_to` alone, with its port as in the address.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    /// Fingerprint of the secret in the browser that began the sign-in.
    pub(super) handover: HandoverFingerprint,
    /// The family of which the app's host will get a session.
    pub(super) family: FamilyGrant,
    /// Where the person wanted to go.
    pub(super) return_to: ReturnTo,
    /// Whether this sign-in was begun because an earlier one was lost.
    pub(super) again: bool,
    /// Whether the session may be bound to a device: not where the one that it hangs on was not.
    pub(super) bindable: bool,
}

/// Why a ticket opens nothing. It is spent, but where the store is away: then nobody knows.
#[derive(Debug, thiserror::Error)]
pub(super) enum TicketError {
    /// It is made up, spent, too old or for another host.
    #[error("the ticket is not good here, was used, or is older than 60 s")]
    Unknown,
    /// The browser does not hold the secret.
    #[error("the ticket is not good here: this browser does not hold the secret that it was made for")]
    OtherBrowser(Box<Ticket>),
    /// The store is away.
    #[error(transparent)]
    Away(#[from] StoreUnavailable),
}

impl Tickets {
    pub(super) fn new(store: Arc<dyn OneTimeStore>, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Hands out a ticket: 256 random bits, of which only the digest is kept.
    ///
    /// # Errors
    /// The store is away.
    pub(super) async fn issue(&self, ticket: &Ticket) -> Result<Secret, EndpointError> {
        let number = Secret::random();
        let sealed = seal(ticket, number.expose(), self.clock.now());
        let sealed = sealed.ok_or(EndpointError::Internal("a ticket that cannot be sealed"))?;
        self.store.replace(name(number.expose()), sealed, LIFETIME).await?;
        Ok(number)
    }

    /// Takes a ticket in: whoever presents it, it is gone afterwards. It opens only where it was made for,
    /// in the browser that `holds` the secret that stayed behind.
    pub(super) async fn take(
        &self,
        number: &str,
        authority: &str,
        holds: impl FnOnce(&HandoverFingerprint) -> bool,
    ) -> Result<Ticket, TicketError> {
        let sealed = self.store.take(name(number)).await?.ok_or(TicketError::Unknown)?;
        let (issued, ticket) = open(&sealed, number, authority).ok_or(TicketError::Unknown)?;
        let old = self.clock.now().since(issued) >= LIFETIME + CLOCKS_APART;
        if mutant!(old, "ticket-without-end" => false) {
            return Err(TicketError::Unknown);
        }
        if mutant!(holds(&ticket.handover), "ticket-in-any-browser" => true) {
            Ok(ticket)
        } else {
            Err(TicketError::OtherBrowser(Box::new(ticket)))
        }
    }
}

fn name(number: &str) -> OneTimeName {
    OneTimeName { kind: OneTimeKind::Ticket, digest: fingerprint(number.as_bytes()) }
}

/// A ticket as it is kept.
#[derive(Serialize, Deserialize)]
struct KeptTicket {
    issued: Timestamp,
    handover: String,
    root: SessionId,
    family_key: Vec<u8>,
    return_to: String,
    again: bool,
    bindable: bool,
}

fn seal(ticket: &Ticket, number: &str, issued: Timestamp) -> Option<Vec<u8>> {
    let key = SealingKey::derived(number.as_bytes(), PURPOSE)?;
    let place = place(ticket.return_to.authority());
    let kept = KeptTicket {
        issued,
        handover: ticket.handover.to_string(),
        root: ticket.family.root(),
        family_key: ticket.family.wrap(&key, &place)?,
        return_to: ticket.return_to.as_str().to_owned(),
        again: ticket.again,
        bindable: ticket.bindable,
    };
    key.seal_json(&place, &kept)
}

fn open(sealed: &[u8], number: &str, authority: &str) -> Option<(Timestamp, Ticket)> {
    let (key, place) = (SealingKey::derived(number.as_bytes(), PURPOSE)?, place(authority));
    let kept: KeptTicket = key.open_json(&place, sealed)?;
    let ticket = Ticket {
        handover: HandoverFingerprint::parse(&kept.handover)?,
        family: FamilyGrant::unwrap(kept.root, &key, &place, &kept.family_key)?,
        return_to: ReturnTo::parse(&kept.return_to, |_| true)?,
        again: kept.again,
        bindable: kept.bindable,
    };
    Some((kept.issued, ticket))
}

fn place(authority: &str) -> Vec<u8> {
    [PURPOSE, mutant!(authority, "ticket-for-any-host" => "").as_bytes()].concat()
}

#[cfg(any(test, fuzzing))]
#[allow(clippy::unwrap_used, reason = "only tests and fuzzers come here")]
pub(super) mod testing {
    use super::*;
    use crate::session::testing::family_grant;

    /// A ticket for `wiki.example`, and for the browser with the secret of `handover`.
    pub(in crate::endpoints) fn ticket(handover: HandoverFingerprint) -> Ticket {
        let return_to = ReturnTo::asked("https://wiki.example", "/", None).unwrap();
        Ticket { handover, family: family_grant(), return_to, again: false, bindable: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replicas::LocalStore;
    use crate::replicas::testing::Away;

    fn ticket() -> Ticket {
        testing::ticket(HandoverFingerprint::of("secret"))
    }

    fn clock() -> Clock {
        Clock::manual(Timestamp::from_seconds(1_000))
    }

    fn tickets(clock: &Clock) -> Tickets {
        Tickets::new(Arc::new(LocalStore::new(clock.clone())), clock.clone())
    }

    fn browser(handover: &HandoverFingerprint) -> bool {
        *handover == HandoverFingerprint::of("secret")
    }

    #[tokio::test]
    async fn invariant_7_a_ticket_is_good_for_less_than_a_minute_once_there_and_in_one_browser() {
        let clock = clock();
        let tickets = tickets(&clock);

        let number = tickets.issue(&ticket()).await.unwrap();
        clock.advance(Duration::from_millis(59_999));
        assert!(tickets.take(number.expose(), "wiki.example", browser).await.is_ok());
        assert!(tickets.take(number.expose(), "wiki.example", browser).await.is_err(), "twice");

        let late = tickets.issue(&ticket()).await.unwrap();
        clock.advance(Duration::from_secs(60));
        assert!(tickets.take(late.expose(), "wiki.example", browser).await.is_err(), "after its time");

        for (authority, holds) in
            [("wiki.example:8443", true), ("mail.example", true), ("wiki.example", false)]
        {
            let number = tickets.issue(&ticket()).await.unwrap();
            let taken = tickets.take(number.expose(), authority, |_| holds).await;
            assert!(taken.is_err(), "{authority} {holds}");
            assert!(tickets.take(number.expose(), "wiki.example", browser).await.is_err(), "it is spent");
        }
        assert!(tickets.take("made up", "wiki.example", browser).await.is_err());
    }

    #[tokio::test]
    async fn a_ticket_says_the_same_on_every_replica() {
        let clock = clock();
        let store = Arc::new(LocalStore::new(clock.clone()));
        let (one, other) = (Tickets::new(store.clone(), clock.clone()), Tickets::new(store, clock));
        let issued = Ticket { again: true, ..ticket() };
        let number = one.issue(&issued).await.unwrap();
        let taken = other.take(number.expose(), "wiki.example", browser).await.unwrap();
        assert_eq!(
            (taken.return_to, taken.handover, taken.again, taken.family.root()),
            (issued.return_to, issued.handover, true, issued.family.root())
        );
        assert!(one.take(number.expose(), "wiki.example", browser).await.is_err(), "it is spent");
    }

    /// Whoever has the store has sealed text, and no number. Put back after it was used, it is good for a while yet, as
    /// the store was told, and not for ever.
    #[tokio::test]
    async fn invariant_7_what_is_kept_of_a_ticket_opens_with_its_number_at_its_place_alone() {
        let (clock, issued) = (clock(), ticket());
        let store = Arc::new(LocalStore::new(clock.clone()));
        let tickets = Tickets::new(store.clone(), clock.clone());
        let number = tickets.issue(&issued).await.unwrap();
        let sealed = store.take(name(number.expose())).await.unwrap().unwrap();
        let text = String::from_utf8_lossy(&sealed);
        assert!(!text.contains("wiki.example") && !text.contains(&issued.handover.to_string()));
        let hour = Duration::from_secs(3600);

        store.replace(name("other"), sealed.clone(), hour).await.unwrap();
        assert!(tickets.take("other", "wiki.example", browser).await.is_err(), "under another number");
        for garbage in [&b""[..], b"{}", &sealed[1..]] {
            store.replace(name(number.expose()), garbage.to_vec(), hour).await.unwrap();
            assert!(tickets.take(number.expose(), "wiki.example", browser).await.is_err());
        }
        store.replace(name(number.expose()), sealed.clone(), hour).await.unwrap();
        assert!(tickets.take(number.expose(), "wiki.example", browser).await.is_ok());
        store.replace(name(number.expose()), sealed, hour).await.unwrap();
        clock.advance(LIFETIME + CLOCKS_APART);
        assert!(
            tickets.take(number.expose(), "wiki.example", browser).await.is_err(),
            "put back, much later"
        );
    }

    #[tokio::test]
    async fn a_store_that_is_away_neither_takes_a_ticket_nor_says_that_it_is_spent() {
        let tickets = Tickets::new(Arc::new(Away), clock());
        assert!(matches!(tickets.issue(&ticket()).await, Err(EndpointError::StoreUnavailable(_))));
        let taken = tickets.take("number", "wiki.example", browser).await;
        assert!(matches!(taken, Err(TicketError::Away(_))));
    }
}
