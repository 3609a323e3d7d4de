//! Security event tokens, and the subjects in them.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a finding is a panic")]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use portcullis_events::Recorder;
use serde_json::{Map, Value};
use tokio::runtime::{Builder, Runtime};

use super::event::Event;
use super::security_event::SecurityEvent;
use super::settings::{Authorization, Delivery, SignalsSettings};
use super::subject::Subject;
use super::{EventType, Transmitter, TransmitterParts};
use crate::clock::Clock;
use crate::identity::{Issuer, ProviderName};
use crate::oidc::fuzzing::SignedTokens;
use crate::oidc::jwks::Algorithm;
use crate::oidc::jwks::testing::{Provider as Keys, START, Signer};
use crate::secret::{SealingKey, Secret};
use crate::session::testing;
use crate::telemetry::Metrics;

const NOW: u64 = START.seconds();
const HEADER: &str = r#"{"alg":"ES256","kid":"k","typ":"secevent+jwt"}"#;

struct Receiver {
    runtime: Runtime,
    transmitter: Arc<Transmitter>,
    tokens: SignedTokens,
}

/// A transmitter for the provider `corp`, to which signals are sent.
pub(super) fn settings() -> SignalsSettings {
    SignalsSettings {
        name: "corp".into(),
        transmitter: Issuer::new("https://t.example"),
        provider: ProviderName::new("corp"),
        issuer: Issuer::new("https://id.example"),
        authorization: Authorization::Token(Secret::new("token")),
        delivery: Delivery::Push,
        events: EventType::all().collect(),
        audience: Some("us".into()),
        actions: BTreeMap::new(),
        device: None,
        tenant: None,
        leeway: Duration::from_secs(30),
        ca: None,
        timeout: Duration::from_secs(10),
    }
}

static RECEIVER: LazyLock<Receiver> = LazyLock::new(|| {
    let (clock, signer) = (Clock::manual(START), Signer::new(Algorithm::ES256));
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let parts = TransmitterParts {
        settings: settings(),
        endpoint: None,
        gateway: "gateway".into(),
        key: SealingKey::random(),
        sessions: testing::sessions(&clock),
        clock: clock.clone(),
        metrics: Metrics::new(),
        recorder: Recorder::nowhere(),
    };
    let provider = Arc::new(Keys::new(&[signer.jwk("k")]));
    let transmitter = Transmitter::with_keys(parts, |_| provider.cache(&clock)).expect("a transmitter");
    let event = EventType::SessionRevoked.uri();
    let claims = format!(
        r#"{{"iss":"https://t.example","aud":"us","iat":{NOW},"jti":"j","sub_id":{{"format":"opaque","id":"s"}},"events":{{"{event}":{{}}}}}}"#
    );
    Receiver { runtime, transmitter, tokens: SignedTokens::new(signer, HEADER, &claims) }
});

/// Header and claims, a line each, signed by the transmitter: what is taken is one event for us, of now or before. And a
/// good token with the changes that `data` spells, and `data` as a token: only the good one is taken.
pub fn security_events(data: &[u8]) {
    RECEIVER.tokens.check(data, taken, good);
}

fn taken(text: &str) -> Option<SecurityEvent> {
    let Receiver { runtime, transmitter, .. } = &*RECEIVER;
    let verified = runtime.block_on(transmitter.verified(text));
    verified.inspect_err(|error| assert!(!error.to_string().contains(char::is_control), "{error:?}")).ok()
}

fn good(header: &str, claims: &str, taken: &SecurityEvent) {
    let read = |text| serde_json::from_str::<Map<String, Value>>(text).expect("it was read");
    let (header, claims) = (read(header), read(claims));
    let typ = header["typ"].as_str().expect("a type").to_ascii_lowercase();
    assert_eq!(typ.trim_start_matches("application/"), "secevent+jwt");
    assert_eq!(claims["iss"], "https://t.example");
    assert!(claims["aud"].as_array().map_or(claims["aud"] == "us", |all| all.contains(&"us".into())));
    assert!(claims["iat"].as_f64().expect("a number") <= (NOW + 30) as f64, "it is not made yet");
    assert_eq!(claims["jti"], taken.id.as_str());
    let events = claims["events"].as_object().expect("events");
    assert_eq!(events.len(), 1);
    if let Event::Known { subject, .. } = &taken.event {
        bounded(subject);
    }
}

/// The members of a subject as JSON: what is read of it is bounded, and what it is called can be printed.
pub fn subjects(data: &[u8]) {
    let Ok(Value::Object(subject)) = serde_json::from_slice(data) else { return };
    let claims: Map<String, Value> = [("sub_id".to_owned(), Value::Object(subject))].into_iter().collect();
    match Subject::of(&claims, &Map::new()) {
        Ok(subject) => bounded(&subject),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn bounded(subject: &Subject) {
    if let Subject::Complex(members) = subject {
        assert!((1..=16).contains(&members.len()));
    }
    assert!(subject.person().is_none_or(|person| !person.is_empty() && person.len() <= 2048));
}

#[cfg(test)]
#[test]
fn smoke_security_events() {
    crate::fuzzing::smoke("security_events", 500, security_events);
}

#[cfg(test)]
#[test]
fn smoke_subjects() {
    crate::fuzzing::smoke("subjects", 1500, subjects);
}
