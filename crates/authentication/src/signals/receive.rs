//! One security event token, from its text to what comes of it.
//!
//! A token that comes again is answered as before and does nothing more. That is so by what it does, whoever remembers it:
//! what was signed in after the token was made is not concerned. That it has come is remembered for a while, so that it is
//! not counted twice and costs no look at the store.

use std::sync::Arc;

use super::event::Event;
use super::event_type::EventType;
use super::security_event::SecurityEvent;
use super::security_event_error::SecurityEventError;
use super::subject::Subject;
use super::subject_match::uninterpretable;
use super::transmitter::Transmitter;
use super::verification;
use crate::oidc::http::printable;
use crate::secret::fingerprint;
use crate::session::{Demand, StoreUnavailable};

/// What came of a token that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// So many sign-ins were concerned by what it asks.
    Done(Demand, usize),
    /// It asks for nothing.
    Recorded,
    /// Its subject names nothing that a session says of itself.
    NoSuchSubject,
    /// A member of its subject is critical, and nothing is known of it here: nothing was done.
    Critical,
    /// It has come before.
    Repeated,
    /// The stream works.
    Verified,
}

/// Why a token was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// It is no good.
    #[error(transparent)]
    Refused(#[from] SecurityEventError),
    /// It is good, and what it asks could not be kept: it is to come again.
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
}

impl Receipt {
    /// The word for it in metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done(_, 0) => "nothing-left",
            Self::Done(Demand::End, _) => "ended",
            Self::Done(Demand::StepUp, _) => "step-up",
            Self::Done(Demand::Renewal, _) => "refresh",
            Self::Recorded => "recorded",
            Self::NoSuchSubject => "no-such-subject",
            Self::Critical => "critical-member",
            Self::Repeated => "repeated",
            Self::Verified => "verified",
        }
    }
}

impl ReceiveError {
    /// Whether it is to come again: nobody has looked at all of it, or nothing was done.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Store(_) => true,
            Self::Refused(error) => error.is_passing(),
        }
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Refused(error) => error.description(),
            Self::Store(_) => "store-unavailable",
        }
    }
}

impl Transmitter {
    /// Checks everything about the token `text`, and does what it asks before it answers. Completes even where the caller
    /// goes away.
    ///
    /// # Errors
    /// [`ReceiveError`]: the token is no good, or could not be judged or kept now.
    pub async fn receive(self: &Arc<Self>, text: String) -> Result<Receipt, ReceiveError> {
        let this = Arc::clone(self);
        let received = tokio::spawn(async move { this.received(&text).await }).await;
        received.unwrap_or_else(|error| Err(StoreUnavailable::new(error).into()))
    }

    /// Counts what was refused before anybody looked at a token.
    pub fn count_refused(&self, error: &SecurityEventError) {
        self.metrics.signal(&self.settings.name, "", error.description());
    }

    async fn received(&self, text: &str) -> Result<Receipt, ReceiveError> {
        let transmitter = &self.settings.name;
        let token = self.verified(text).await.inspect_err(|error| {
            tracing::warn!(transmitter, reason = error.description(), %error, "a signal is not accepted");
            self.metrics.signal(transmitter, "", error.description());
        })?;
        self.heard();
        let (event, id) = (token.event.name(), printable(&token.id));
        let receipt = self.settled(&token).await.inspect_err(|error| {
            tracing::warn!(transmitter, event, id, %error, "a signal could not be followed");
            self.metrics.signal(transmitter, event, error.word());
        })?;
        let (result, subject) = (receipt.word(), token.event.subject().map_or("", Subject::format));
        let sign_ins = if let Receipt::Done(_, sign_ins) = receipt { sign_ins } else { 0 };
        tracing::info!(transmitter, event, id, subject, result, sign_ins, "a signal was received");
        self.metrics.signal(transmitter, event, result);
        Ok(receipt)
    }

    async fn settled(&self, token: &SecurityEvent) -> Result<Receipt, ReceiveError> {
        let (kind, subject, said) = match &token.event {
            Event::Verification(state) => return Ok(self.verify_stream(state.as_deref())?),
            Event::StreamUpdated(status) => {
                self.stream_updated(status);
                return Ok(Receipt::Recorded);
            }
            Event::Unknown => return Ok(Receipt::Recorded),
            Event::Known { kind, subject, said } => (*kind, subject, said),
        };
        let seen = fingerprint(format!("{}\0{}", self.settings.transmitter, token.id).as_bytes());
        if mutant!(self.seen.get(&seen).is_some(), "signal-acted-on-twice" => false) {
            return Ok(Receipt::Repeated);
        }
        let receipt = self.follow(kind, subject, said, token).await?;
        self.seen.insert(seen, ());
        Ok(receipt)
    }

    async fn follow(
        &self,
        kind: EventType,
        subject: &Subject,
        said: &serde_json::Map<String, serde_json::Value>,
        token: &SecurityEvent,
    ) -> Result<Receipt, StoreUnavailable> {
        let critical = uninterpretable(&self.settings, subject, &self.critical_members());
        if mutant!(critical.is_some(), "critical-member-ignored" => false) {
            return Ok(Receipt::Critical);
        }
        let Some(demand) = self.demand(kind, said) else { return Ok(Receipt::Recorded) };
        let met = self.act(demand, kind, subject, token.issued).await?;
        Ok(met.map_or(Receipt::NoSuchSubject, |met| Receipt::Done(demand, met)))
    }

    /// A state that was not asked for is refused; one may come unasked, without any.
    fn verify_stream(&self, state: Option<&str>) -> Result<Receipt, SecurityEventError> {
        let asked = state.map(|state| verification::asked(&self.key, &self.settings.name, state));
        if mutant!(asked == Some(None), "any-verification-state" => false) {
            return Err(SecurityEventError::State);
        }
        self.stream_verified(asked.flatten());
        Ok(Receipt::Verified)
    }
}
