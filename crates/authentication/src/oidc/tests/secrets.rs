//! Nothing of a body of the token endpoint or UserInfo is told to anybody (invariants 15 and 24).

use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex};

use proptest::prelude::*;
use serde_json::{Value, json};
use tracing::Level;

use super::fake::Answer;
use super::signer::base64url;
use super::world::World;
use crate::oidc::Provider;
use crate::secret::Secret;
use crate::session::Tokens;

/// Stands for a token or a person's data.
const MARK: &str = "t0k3n-AbCdEfGh";

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Does `work` and returns all that was logged meanwhile, at every level.
    fn of(&self, work: impl Future<Output = String>) -> String {
        let log = self.clone();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(move || log.clone()).finish();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let told = tracing::subscriber::with_default(subscriber, || runtime.block_on(work));
        let logged = String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned();
        // What libraries log of the way there is not ours, and off unless somebody asks for it.
        let ours = logged.lines().filter(|line| line.contains("portcullis")).collect::<Vec<_>>().join("\n");
        format!("{ours}\n{told}")
    }
}

/// Members that a reader looks at, with the mark in them or beside them.
fn members() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        3 => Just("error"),
        2 => Just("access_token"),
        2 => Just("id_token"),
        2 => Just("token_type"),
        1 => prop_oneof![
            Just("refresh_token"), Just("error_description"), Just("expires_in"), Just("scope"), Just("sub"),
            Just("email"), Just("groups"), Just(MARK),
        ],
    ];
    let value = prop_oneof![
        3 => Just(json!(MARK)),
        1 => Just(json!(format!("x {MARK}"))),
        1 => Just(json!([MARK])),
        1 => Just(json!({MARK: MARK})),
        1 => Just(json!("invalid_grant")),
        1 => Just(json!("Bearer")),
        1 => Just(json!(null)),
        2 => tokens().prop_map(|token| json!(token)),
    ];
    proptest::collection::btree_map(name, value, 1..5).prop_map(|members| json!(members))
}

/// A token that nobody signed, with the mark wherever a verifier looks.
fn token(header: &Value) -> String {
    let claims = json!({"iss": MARK, "sub": MARK, "aud": [MARK], "exp": MARK, "nonce": MARK, "azp": MARK});
    format!(
        "{}.{}.{MARK}",
        base64url(header.to_string().as_bytes()),
        base64url(claims.to_string().as_bytes())
    )
}

fn tokens() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(token(&json!({"alg": MARK, "kid": MARK, "typ": MARK, "crit": [MARK]}))),
        Just(token(&json!({"alg": "none", "kid": MARK}))),
        Just(token(&json!({"alg": "ES256", "kid": MARK}))),
        Just(token(&json!({"alg": "ES256", "kid": "k1", "typ": MARK}))),
        Just(token(&json!({"alg": "RS256", "kid": "k1"}))),
    ]
}

fn bodies() -> impl Strategy<Value = String> {
    let json = members().prop_map(|members| members.to_string());
    let cut = (members(), 0.1..1.0).prop_map(|(members, part): (Value, f64)| {
        let text = members.to_string();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share"
        )]
        let end = (text.len() as f64 * part) as usize;
        text[..end].to_owned()
    });
    prop_oneof![
        6 => json,
        2 => cut,
        4 => prop_oneof![
        Just(MARK.to_owned()),
        Just(json!(MARK).to_string()),
        Just(json!([{"access_token": MARK}]).to_string()),
        Just(format!("access_token={MARK}&token_type=bearer")),
        Just(format!("<html><body>{MARK}</body></html>")),
        tokens(),
        Just(format!("{{\"access_token\":\"{MARK}\",\"access_token\":\"{MARK}\"}}")),
        ],
    ]
}

fn answers() -> impl Strategy<Value = Answer> {
    let media_type = prop_oneof![
        Just("application/json"),
        Just("text/plain"),
        Just("text/html"),
        Just("application/jwt"),
        Just("a/b+json"),
        Just("application/x-www-form-urlencoded"),
        Just(""),
    ];
    let status = prop_oneof![
        Just(200_u16),
        Just(201),
        Just(204),
        Just(302),
        Just(400),
        Just(401),
        Just(500),
        Just(503)
    ];
    (status, media_type, bodies()).prop_map(|(status, kind, body)| Answer::Reply(status, kind, body))
}

/// Nobody's certificate: without it each client would read all of the system's.
static CA: LazyLock<Vec<u8>> =
    LazyLock::new(|| rcgen::generate_simple_self_signed(Vec::new()).unwrap().cert.pem().into_bytes());

async fn world() -> World {
    World::with(|settings| settings.ca = Some(CA.clone())).await
}

async fn refused_code(world: &World, answer: Answer) -> String {
    world.fake.answer("/token", answer);
    let departure = world.begin();
    let result = world.provider.finish(&departure.flow, world.callback(&departure)).await;
    result.err().map(|error| format!("{error} {error:?}")).unwrap_or_default()
}

async fn refused_refresh(world: &World, answer: Answer) -> String {
    world.fake.answer("/token", answer);
    refresh(&world.provider, &world.signer.sign(&world.claims())).await
}

async fn refused_user_info(world: &World, answer: Answer) -> String {
    world.fake.answer("/userinfo", answer);
    let bare = |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove("groups"));
    let result = world.sign_in(bare).await;
    let mut claims = world.claims();
    bare(&mut claims);
    let refreshed = refresh(&world.provider, &world.signer.sign(&claims)).await;
    result.err().map(|error| format!("{error} {error:?}")).unwrap_or_default() + &refreshed
}

async fn refresh(provider: &Provider, id_token: &str) -> String {
    let held = Tokens {
        refresh: Some(Secret::new("refresh-0")),
        id: Some(Secret::new(id_token)),
        ..Tokens::default()
    };
    provider.refresh(&held).await.err().map(|error| format!("{error} {error:?}")).unwrap_or_default()
}

proptest! {
    // Ten answers to a provider: what takes the time is to start it.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn invariant_24_nothing_of_a_body_of_the_token_endpoint_is_told(
        answers in proptest::collection::vec(answers(), 10)
    ) {
        let told = Log::default().of(async {
            let (world, mut told) = (world().await, String::new());
            for answer in answers {
                told += &refused_code(&world, answer.clone()).await;
                told += &refused_refresh(&world, answer).await;
            }
            told
        });
        prop_assert!(!told.contains(MARK), "{told}");
    }

    #[test]
    fn invariant_24_nothing_of_a_body_of_user_info_is_told(
        answers in proptest::collection::vec(answers(), 10)
    ) {
        let told = Log::default().of(async {
            let (world, mut told) = (world().await, String::new());
            for answer in answers {
                told += &refused_user_info(&world, answer).await;
            }
            told
        });
        prop_assert!(!told.contains(MARK), "{told}");
    }
}

#[test]
fn what_is_logged_is_seen_by_these_tests() {
    let told = Log::default().of(async {
        tracing::debug!(mark = MARK, "something");
        String::new()
    });
    assert!(told.contains(MARK), "{told}");
}
