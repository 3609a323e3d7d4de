//! One security event token, from its text to what comes of it.
//!
//! A token that comes again is answered as before and does nothing more. That is so by what it does, whoever remembers it:
//! what was signed in after the token was made is not concerned. That it has come is remembered for a while, so that it is
//! not counted twice and costs no look at the store.

use std::sync::Arc;

use portcullis_events::{OwnedCaller, SignalReceived, SignalRefused};

use super::event::Event;
use super::event_type::EventType;
use super::security_event::SecurityEvent;
use super::security_event_error::SecurityEventError;
use super::subject::Subject;
use super::subject_match::uninterpretable;
use super::transmitter::Transmitter;
use super::verification;
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
    /// Checks everything about the token `text`, which `caller` brought where it was sent here, and does what it asks before
    /// it answers. Completes even where the caller goes away.
    ///
    /// # Errors
    /// [`ReceiveError`]: the token is no good, or could not be judged or kept now.
    pub async fn receive(
        self: &Arc<Self>,
        text: String,
        caller: Option<OwnedCaller>,
    ) -> Result<Receipt, ReceiveError> {
        let this = Arc::clone(self);
        let received = tokio::spawn(async move { this.received(&text, caller).await }).await;
        received.unwrap_or_else(|error| Err(StoreUnavailable::new(error).into()))
    }

    /// Counts and records what was refused before anybody looked at a token.
    pub fn count_refused(&self, error: &SecurityEventError, caller: &OwnedCaller) {
        self.metrics.signal(&self.settings.name, "", error.description());
        self.record_refused(Some(caller), None, &error.to_string());
    }

    /// Records that somebody sent something without the authorization of the stream.
    pub fn record_stranger(&self, caller: &OwnedCaller) {
        self.record_refused(Some(caller), None, "the Authorization is not that of the stream");
    }

    async fn received(&self, text: &str, caller: Option<OwnedCaller>) -> Result<Receipt, ReceiveError> {
        let transmitter = &self.settings.name;
        let token = self.verified(text).await.inspect_err(|error| {
            self.metrics.signal(transmitter, "", error.description());
            self.record_refused(caller.as_ref(), None, &error.to_string());
        })?;
        self.heard();
        let event = token.event.name();
        let receipt = self.settled(&token).await.inspect_err(|error| {
            self.metrics.signal(transmitter, event, error.word());
            self.record_refused(caller.as_ref(), Some(event), &format!("it could not be followed: {error}"));
        })?;
        self.metrics.signal(transmitter, event, receipt.word());
        self.record(&token, receipt);
        Ok(receipt)
    }

    fn record(&self, token: &SecurityEvent, receipt: Receipt) {
        let subject = token.event.subject();
        let count = |sign_ins| u64::try_from(sign_ins).ok();
        let (selected, ended) = match receipt {
            Receipt::Done(Demand::End, sign_ins) => (count(sign_ins), count(sign_ins)),
            Receipt::Done(Demand::StepUp | Demand::Renewal, sign_ins) => (count(sign_ins), None),
            Receipt::Recorded
            | Receipt::NoSuchSubject
            | Receipt::Critical
            | Receipt::Repeated
            | Receipt::Verified => (None, None),
        };
        self.recorder.emit(&SignalReceived {
            transmitter: &self.settings.name,
            signal: token.event.name(),
            provider: Some(self.settings.provider.as_str()),
            subject: subject.and_then(Subject::person),
            selected,
            ended,
            reason: Some(receipt.word()),
        });
    }

    fn record_refused(&self, caller: Option<&OwnedCaller>, signal: Option<&str>, reason: &str) {
        let transmitter = &self.settings.name;
        self.recorder.emit(&SignalRefused { caller, transmitter, signal, reason });
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
