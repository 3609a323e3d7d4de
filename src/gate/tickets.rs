//! How an app's host gets its session: one-time tickets, bound to host and browser, for 60 seconds
//! (invariant 6).

use std::time::Duration;

use moka::sync::Cache;

use super::hops::Hop;
use crate::secret::{Secret, fingerprint};
use crate::session::NewSession;

const LIFETIME: Duration = Duration::from_secs(60);
const CAPACITY: u64 = 10_000;

/// Tickets that have been handed out and not been used.
#[derive(Debug)]
pub(super) struct Tickets(Cache<[u8; 32], Ticket>);

/// What a ticket opens.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    /// The only host it is good for, with its port as in the address.
    pub(super) authority: String,
    /// Fingerprint of the secret in the browser that began the sign-in.
    pub(super) hop: Hop,
    /// The session the app's host will get.
    pub(super) session: NewSession,
    /// Where the person wanted to go.
    pub(super) return_to: String,
}

impl Tickets {
    pub(super) fn new() -> Self {
        Self(Cache::builder().max_capacity(CAPACITY).time_to_live(LIFETIME).build())
    }

    /// Hands out a ticket: 256 random bits, of which only the digest is kept.
    pub(super) fn issue(&self, ticket: Ticket) -> Secret {
        let number = Secret::random();
        self.0.insert(fingerprint(number.expose().as_bytes()), ticket);
        number
    }

    /// Takes a ticket in: whoever presents it, it is gone afterwards. It opens only where it was made for,
    /// in the browser that `holds` the secret of its hop.
    pub(super) fn take(
        &self,
        number: &str,
        authority: &str,
        holds: impl FnOnce(&Hop) -> bool,
    ) -> Option<Ticket> {
        let ticket = self.0.remove(&fingerprint(number.as_bytes()))?;
        (ticket.authority == authority && holds(&ticket.hop)).then_some(ticket)
    }
}
