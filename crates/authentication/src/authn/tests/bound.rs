//! Sessions that are bound to a device, as requests bring them.

use http::HeaderMap;
use http::header::COOKIE;

use super::authenticate::*;
use super::*;
use crate::oidc::jwks::testing::Signer;
use crate::session::{
    AWAITED, Binding, BindingScope, BoundCookie, BoundCookieFault, GRACE, Registered, SessionSettings,
};

fn bound_cookie() -> BoundCookie {
    BoundCookie::new(&SessionSettings::default(), true)
}

/// The pair that a `Set-Cookie` sets.
fn pair(set: &http::HeaderValue) -> String {
    set.to_str().unwrap().split(';').next().unwrap().to_owned()
}

async fn bind(gate: &Gate, id: crate::session::SessionId) -> Box<Binding> {
    let signer = Signer::new(Algorithm::ES256);
    let key = proof(&signer, Algorithm::ES256, Some("ES256")).registered_key().unwrap();
    let found = gate.sessions.find_by_id(id).await.unwrap().unwrap();
    let Registered::Bound(binding) = gate.sessions.bind(&found, BindingScope::Host, key).await.unwrap()
    else {
        panic!("it is not bound")
    };
    binding
}

fn text(signer: &Signer, algorithm: Algorithm, key: Option<&str>) -> String {
    let mut header = serde_json::json!({ "typ": "dbsc+jwt", "alg": algorithm.name() });
    if key.is_some() {
        header["jwk"] = signer.jwk("k");
    }
    signer.jws(algorithm, &header.to_string(), r#"{"jti":"challenge"}"#)
}

fn proof(signer: &Signer, algorithm: Algorithm, key: Option<&str>) -> DeviceProof<'static> {
    DeviceProof::parse(Box::leak(text(signer, algorithm, key).into_boxed_str())).unwrap()
}

#[tokio::test]
async fn invariant_27_a_connection_that_knows_a_bound_session_wants_its_cookie_each_time() {
    let gate = Gate::new();
    let authenticator = gate.authenticator();
    let (key, session) = gate.sign_in().await;
    let alone = headers(&[(COOKIE, &pair(&gate.cookie.set(&key)))]);
    let connection = connection();
    let ask = async |fields: &HeaderMap| {
        let asked = Asked::on(&connection, HOST, fields);
        authenticator.recognize(BOTH, &asked.view()).await.unwrap()
    };
    for _ in 0..3 {
        assert!(ask(&alone).await.principal().is_some());
    }
    let binding = bind(&gate, session.id).await;
    gate.world.clock.advance(GRACE);
    let Authentication::Unshown(unshown) = ask(&alone).await else { panic!("its cookie alone opens it") };
    assert_eq!((unshown.fault, unshown.opened.session.id), (BoundCookieFault::Missing, session.id));
    let set = bound_cookie().set(&binding, gate.world.clock.now());
    let whole = headers(&[(COOKIE, &format!("{}; {}", pair(&gate.cookie.set(&key)), pair(&set)))]);
    for _ in 0..3 {
        assert_eq!(ask(&whole).await.is_bound(gate.world.clock.now()), Some(true));
    }
    assert!(
        authenticator.recalls(BOTH, &Asked::on(&connection, HOST, &whole).view()),
        "without another look"
    );
    assert!(matches!(ask(&alone).await, Authentication::Unshown(_)), "another field is another question");
    for _ in 0..3 {
        ask(&whole).await;
    }
    gate.world.clock.advance(Duration::from_secs(660));
    let Authentication::Unshown(unshown) = ask(&whole).await else { panic!("the cookie is over") };
    assert_eq!(unshown.fault, BoundCookieFault::Expired);
}

#[tokio::test]
async fn an_unshown_session_is_nobody_and_can_be_ended() {
    let gate = Gate::new();
    let (key, session) = gate.sign_in().await;
    bind(&gate, session.id).await;
    gate.world.clock.advance(AWAITED);
    let alone = headers(&[(COOKIE, &pair(&gate.cookie.set(&key)))]);
    let found = gate.authenticator().session(HOST, &alone).await.unwrap();
    assert!(found.principal().is_none() && found.session().is_none() && found.tokens().is_none());
    assert_eq!(found.session_to_end().unwrap().session.id, session.id);
    assert_eq!(found.is_bound(gate.world.clock.now()), Some(false));
}

#[test]
fn invariant_5_a_proof_is_by_the_algorithm_and_the_key_that_are_known() {
    for algorithm in [Algorithm::ES256, Algorithm::RS256] {
        let (signer, other) = (Signer::new(algorithm), Signer::new(algorithm));
        let key = proof(&signer, algorithm, Some("k")).registered_key().unwrap();
        assert_eq!(key.algorithm, algorithm.name());
        assert!(key.jwk.get("kid").is_none() && key.jwk.get("use").is_none(), "nothing but the key");
        let without = proof(&signer, algorithm, None);
        assert_eq!(without.challenge(), "challenge");
        assert_eq!(without.check(&key), Ok(()));
        assert_eq!(without.registered_key(), Err(DeviceProofError::NoKey));
        assert_eq!(proof(&other, algorithm, None).check(&key), Err(DeviceProofError::BadSignature));
        assert_eq!(proof(&signer, algorithm, Some("k")).check(&key), Err(DeviceProofError::UnexpectedKey));
    }
    let rsa = Signer::new(Algorithm::RS256);
    let key = proof(&rsa, Algorithm::RS256, Some("k")).registered_key().unwrap();
    let other = proof(&Signer::new(Algorithm::ES256), Algorithm::ES256, None);
    assert_eq!(other.check(&key), Err(DeviceProofError::WrongAlgorithm));
    for algorithm in [Algorithm::PS256, Algorithm::RS512] {
        let text = text(&rsa, algorithm, Some("k"));
        assert_eq!(DeviceProof::parse(&text).err(), Some(DeviceProofError::WrongAlgorithm), "{algorithm}");
    }
}

#[test]
fn a_field_is_read_as_a_string_and_bare_and_once() {
    let read = |values: &[&str]| {
        let fields =
            values.iter().map(|value| ("secure-session-response".parse().unwrap(), value.parse().unwrap()));
        presented_proof(&fields.collect())
    };
    assert_eq!(read(&["eyJ.e-_J.x"]).as_deref(), Ok("eyJ.e-_J.x"));
    assert_eq!(read(&["\"eyJ.e-_J.x\""]).as_deref(), Ok("eyJ.e-_J.x"));
    assert_eq!(read(&["\"eyJ\";a=1"]).as_deref(), Ok("eyJ"), "parameters are left aside");
    assert_eq!(read(&[]), Err(DeviceProofError::Missing));
    for bad in [&["a", "b"][..], &[""], &["\"a"], &["a, b"], &["(a)"], &["1"], &[":YQ==:"]] {
        assert_eq!(read(bad), Err(DeviceProofError::BadField), "{bad:?}");
    }
    assert_eq!(read(&[&"x".repeat(8 * 1024 + 1)]), Err(DeviceProofError::BadField));
}

/// An issuer's token is none, and a proof is no issuer's token.
#[test]
fn invariant_5_a_token_for_another_purpose_is_no_proof() {
    let signer = Signer::new(Algorithm::ES256);
    for typ in ["JWT", "at+jwt", "logout+jwt", "dpop+jwt", ""] {
        let header = format!(r#"{{"typ":"{typ}","alg":"ES256"}}"#);
        let text = signer.jws(Algorithm::ES256, &header, r#"{"jti":"challenge"}"#);
        assert_eq!(DeviceProof::parse(&text).err(), Some(DeviceProofError::WrongType), "{typ}");
    }
}
