//! Tokens, subjects and what they do to sessions; streams at a transmitter are tested with the program.

mod sign_ins;
mod subjects;
mod tokens;
mod transmitters;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use portcullis_events::Recorder;
use serde_json::{Map, Value, json};

use super::stream::Stream;
use super::*;
use crate::clock::{Clock, Timestamp};
use crate::identity::{Email, Issuer, Principal, ProviderName, Subject, fixtures};
use crate::oidc::jwks::Algorithm;
use crate::oidc::jwks::testing::{Provider as Keys, START, Signer};
use crate::secret::SealingKey;
use crate::session::{NewSession, Session, SessionKey, Sessions, SignInOrigin, Tokens};
use crate::telemetry::Metrics;

pub(super) const TRANSMITTER: &str = "https://signals.corp.example";
const NOW: u64 = START.seconds();
const REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";

/// A transmitter for the provider `corp`, to which signals are sent.
pub(super) fn settings() -> SignalsSettings {
    SignalsSettings {
        transmitter: Issuer::new(TRANSMITTER),
        issuer: fixtures::alice().issuer,
        audience: Some("https://login.corp.example".into()),
        leeway: Duration::from_secs(60),
        ..fuzzing::settings()
    }
}

struct World {
    clock: Clock,
    signer: Signer,
    keys: Arc<Keys>,
    sessions: Sessions,
    transmitter: Arc<Transmitter>,
}

impl World {
    fn new() -> Self {
        Self::with(settings())
    }

    fn with(settings: SignalsSettings) -> Self {
        let clock = Clock::manual(START);
        let sessions = crate::session::testing::sessions(&clock);
        Self::on(settings, clock, sessions)
    }

    fn on(settings: SignalsSettings, clock: Clock, sessions: Sessions) -> Self {
        Self::signing(Signer::new(Algorithm::ES256), settings, clock, sessions)
    }

    fn signing(signer: Signer, settings: SignalsSettings, clock: Clock, sessions: Sessions) -> Self {
        let keys = Arc::new(Keys::new(&[signer.jwk("k")]));
        let parts = TransmitterParts {
            settings,
            endpoint: "https://login.corp.example/.portcullis/signals/corp".parse().ok(),
            gateway: "https://login.corp.example".into(),
            key: SealingKey::random(),
            clock: clock.clone(),
            sessions: sessions.clone(),
            metrics: Metrics::new(),
            recorder: Recorder::nowhere(),
        };
        let transmitter = Transmitter::with_keys(parts, |_| keys.cache(&clock)).unwrap();
        Self { clock, signer, keys, sessions, transmitter }
    }

    /// The claims of a token about alice whose session was revoked, but for `changes`; `null` takes one away.
    fn claims(&self, changes: &Value) -> Value {
        let claims = json!({
            "iss": TRANSMITTER, "aud": "https://login.corp.example", "iat": self.clock.now().seconds(), "jti": "j1",
            "sub_id": {"format": "iss_sub", "iss": fixtures::alice().issuer.as_str(), "sub": "u1"},
            "events": { REVOKED: {"event_timestamp": NOW, "reason_admin": {"en": "left"}} },
        });
        changed(claims, changes)
    }

    fn signed(&self, header: &Value, claims: &Value) -> String {
        self.signer.jws(Algorithm::ES256, &header.to_string(), &claims.to_string())
    }

    fn token(&self, changes: &Value) -> String {
        self.signed(&json!({"alg": "ES256", "kid": "k", "typ": "secevent+jwt"}), &self.claims(changes))
    }

    async fn receive(&self, changes: &Value) -> Result<Receipt, ReceiveError> {
        self.transmitter.receive(self.token(changes), None).await
    }

    async fn refused(&self, text: String) -> SecurityEventError {
        match self.transmitter.receive(text, None).await {
            Err(ReceiveError::Refused(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    async fn signed_in(&self, principal: Principal, sid: Option<&str>) -> (SessionKey, Arc<Session>) {
        let root = NewSession::Root {
            host: "login.corp.example".into(),
            principal: Arc::new(principal),
            tokens: Tokens::default(),
            sid: sid.map(str::to_owned),
            origin: SignInOrigin::default(),
            began: self.clock.now(),
        };
        self.sessions.create(root).await.unwrap()
    }

    /// The session, as the next request finds it.
    async fn next(&self, key: &SessionKey) -> Option<Arc<Session>> {
        self.sessions.find(key).await.unwrap()
    }
}

/// Alice, or whoever is called `sub`, with an address and these claims.
fn person(sub: &str, claims: &Value) -> Principal {
    Principal {
        subject: Subject::new(sub),
        user: format!("{sub}-name"),
        email: Some(Email { address: format!("{sub}@Corp.example"), verified: true, withheld: false }),
        claims: claims.as_object().unwrap().clone().into(),
        ..fixtures::alice()
    }
}

fn changed(mut value: Value, changes: &Value) -> Value {
    let members: &mut Map<String, Value> = value.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    value
}

/// An event of CAEP by its name, and what it says.
fn caep(name: &str, said: Value) -> Value {
    json!({ format!("https://schemas.openid.net/secevent/caep/event-type/{name}"): said })
}

fn risc(name: &str, said: Value) -> Value {
    json!({ format!("https://schemas.openid.net/secevent/risc/event-type/{name}"): said })
}
