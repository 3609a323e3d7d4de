//! What the calls to a provider say about it.
//!
//! A provider is *unavailable* until its metadata have been found once, and again while nothing answers where they are
//! asked for; *failing* while its metadata are known and some endpoint has failed since it last answered; else *ready*.
//! Every call notes its outcome here and moves it. A failure of the metadata counts until they are found again; that
//! of another endpoint for two minutes at most, for only people bring those calls about, and none may come. `since` is
//! when the state last became another one. A failed call that people brought about also wakes
//! [`Provider::run`](super::Provider::run), which then looks at the metadata.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::http::{HttpError, Trouble};
use super::provider_error::ProviderError;
use super::status::ProviderStatus;
use crate::clock::{Clock, Timestamp};

/// How long the failure of a call counts that nobody has made again since: what people alone bring about (token
/// endpoint, UserInfo) cannot be probed.
const COUNTS_FOR: Duration = Duration::from_secs(120);

/// What of a provider the gateway calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProviderEndpoint {
    /// The discovery document.
    Metadata,
    /// `jwks_uri`.
    Keys,
    /// `token_endpoint`: codes and refresh tokens.
    Token,
    /// `userinfo_endpoint`.
    UserInfo,
}

impl ProviderEndpoint {
    /// Every endpoint.
    pub const ALL: [Self; 4] = [Self::Metadata, Self::Keys, Self::Token, Self::UserInfo];

    /// The word for it in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Keys => "keys",
            Self::Token => "token",
            Self::UserInfo => "userinfo",
        }
    }
}

/// The outcome of the last call to each endpoint, and how many have failed.
pub(super) struct Health {
    clock: Clock,
    state: Mutex<HealthState>,
    failed: [AtomicU64; ProviderEndpoint::ALL.len()],
    worse: Notify,
}

struct HealthState {
    /// When the status last became another one.
    since: Timestamp,
    /// Whether the metadata have ever been found.
    known: bool,
    failures: BTreeMap<ProviderEndpoint, Failure>,
}

#[derive(Clone)]
struct Failure {
    at: Timestamp,
    reason: String,
    /// Whether the provider does not answer at all, so that its other endpoints will not either.
    away: bool,
}

impl Health {
    /// Of a provider that has not been asked for anything yet.
    pub(super) fn new(clock: Clock) -> Self {
        let since = clock.now();
        let state = Mutex::new(HealthState { since, known: false, failures: BTreeMap::new() });
        Self { clock, state, failed: Default::default(), worse: Notify::new() }
    }

    /// `endpoint` gave what was asked for.
    pub(super) fn answered(&self, endpoint: ProviderEndpoint) {
        self.change(|state, _| {
            state.known |= endpoint == ProviderEndpoint::Metadata;
            state.failures.remove(&endpoint);
        });
    }

    /// The outcome of a call to `endpoint`: a refusal of what this one call asked for says nothing about the
    /// provider.
    pub(super) fn note<T>(&self, endpoint: ProviderEndpoint, outcome: &Result<T, HttpError>) {
        match outcome {
            Ok(_) => self.answered(endpoint),
            Err(error) if mutant!(is_the_providers(error), "failing-provider-is-up" => false) => {
                self.failed(endpoint, error.to_string(), false)
            }
            Err(_) => {}
        }
    }

    /// `endpoint` answers, and does not know us.
    pub(super) fn refused(&self, endpoint: ProviderEndpoint) {
        self.answered(endpoint);
        self.failed[endpoint as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The metadata could not be had; whether that, or the reason, is news.
    pub(super) fn undiscovered(&self, error: &ProviderError) -> bool {
        let before = self.reason(ProviderEndpoint::Metadata);
        self.failed(ProviderEndpoint::Metadata, error.to_string(), is_away(error));
        before.as_ref() != Some(&error.to_string())
    }

    /// Waits until a call that people brought about has failed, or [`Health::look_again`].
    pub(super) async fn worsened(&self) {
        self.worse.notified().await;
    }

    /// Asks for [`Health::worsened`] to end: what is missing is worth a look now.
    pub(super) fn look_again(&self) {
        self.worse.notify_one();
    }

    /// Whether the provider can do its work.
    pub(super) fn status(&self) -> ProviderStatus {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.status(self.clock.now())
    }

    /// Calls to `endpoint` that have failed since the start.
    pub(super) fn failures(&self, endpoint: ProviderEndpoint) -> u64 {
        self.failed[endpoint as usize].load(Ordering::Relaxed)
    }

    fn failed(&self, endpoint: ProviderEndpoint, reason: String, away: bool) {
        self.failed[endpoint as usize].fetch_add(1, Ordering::Relaxed);
        self.change(|state, at| drop(state.failures.insert(endpoint, Failure { at, reason, away })));
        // Keys have a schedule of their own, and are asked for where the metadata are found again.
        if matches!(endpoint, ProviderEndpoint::Token | ProviderEndpoint::UserInfo) {
            self.look_again();
        }
    }

    fn reason(&self, endpoint: ProviderEndpoint) -> Option<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures.get(&endpoint).map(|failure| failure.reason.clone())
    }

    fn change(&self, change: impl FnOnce(&mut HealthState, Timestamp)) {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::discriminant(&state.status(now));
        change(&mut state, now);
        if before != std::mem::discriminant(&state.status(now)) {
            state.since = now;
        }
    }
}

impl HealthState {
    fn status(&self, now: Timestamp) -> ProviderStatus {
        let since = self.since;
        let metadata = self.failures.get(&ProviderEndpoint::Metadata);
        if !self.known || metadata.is_some_and(|failure| failure.away) {
            let unasked = || "its discovery document has not been asked for yet".to_owned();
            let reason = metadata.map_or_else(unasked, |failure| failure.reason.clone());
            return ProviderStatus::Unavailable { since, reason };
        }
        let counts = |(endpoint, failure): &(&ProviderEndpoint, &Failure)| {
            **endpoint == ProviderEndpoint::Metadata || now.since(failure.at) < COUNTS_FOR
        };
        match self.failures.iter().find(counts) {
            Some((_, failure)) => ProviderStatus::Failing { since, reason: failure.reason.clone() },
            None => ProviderStatus::Ready { since },
        }
    }
}

/// Whether an error is about the provider as such, not about what one call asked for.
fn is_the_providers(error: &HttpError) -> bool {
    match &error.trouble {
        Trouble::Timeout(_)
        | Trouble::Connect(_)
        | Trouble::Tls(_)
        | Trouble::Broken(_)
        | Trouble::NotJson { .. }
        | Trouble::TooLarge => true,
        Trouble::Status(status) => !status.is_client_error(),
        Trouble::NotPermitted(_) => false,
    }
}

/// Whether the provider does not answer at all. A document that became unreadable, or is refused to us alone,
/// leaves the endpoints of the one before as good as they were.
fn is_away(error: &ProviderError) -> bool {
    let ProviderError::Http(error) = error else { return false };
    match &error.trouble {
        Trouble::Timeout(_) | Trouble::Connect(_) | Trouble::Tls(_) | Trouble::Broken(_) => true,
        Trouble::Status(status) => status.is_server_error(),
        Trouble::NotJson { .. } | Trouble::TooLarge | Trouble::NotPermitted(_) => false,
    }
}
