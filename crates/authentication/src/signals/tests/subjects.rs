//! Whom an event concerns.

use super::*;
use crate::identity::ClaimPath;
use crate::session::Demand;

/// Sign-ins by which subjects are told apart: alice twice, bob, and alice at another provider.
struct People {
    world: World,
    keys: Vec<(&'static str, SessionKey)>,
}

impl People {
    async fn new(settings: SignalsSettings) -> Self {
        let world = World::with(settings);
        let claims = |device: &str, tenant: &str| json!({"device_id": device, "tid": tenant, "phone_number": "+491", "jti": format!("id-{device}")});
        let of = |sub: &str, device, tenant| person(sub, &claims(device, tenant));
        let mut keys = Vec::new();
        for (name, principal, sid) in [
            ("alice 1", of("u1", "laptop", "t1"), Some("s1")),
            ("alice 2", of("u1", "phone", "t1"), Some("s2")),
            ("alice 3", person("u1", &json!({})), None),
            (
                "bob",
                person("u2", &json!({"device_id": "desk", "tid": "t2", "phone_number": "+492"})),
                Some("s3"),
            ),
            (
                "alice elsewhere",
                Principal { provider: ProviderName::new("other"), ..of("u1", "laptop", "t1") },
                Some("s1"),
            ),
        ] {
            keys.push((name, world.signed_in(principal, sid).await.0));
        }
        Self { world, keys }
    }

    async fn still_in(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for (name, key) in &self.keys {
            names.extend(self.world.next(key).await.map(|_| *name));
        }
        names
    }
}

fn by_claims() -> SignalsSettings {
    SignalsSettings { device: ClaimPath::parse("device_id"), tenant: ClaimPath::parse("tid"), ..settings() }
}

/// Who is out by an event about `subject`.
async fn ended(settings: &SignalsSettings, changes: Value) -> Vec<&'static str> {
    let people = People::new(settings.clone()).await;
    people.world.receive(&changes).await.unwrap();
    let left = people.still_in().await;
    people.keys.iter().map(|(name, _)| *name).filter(|name| !left.contains(name)).collect()
}

#[tokio::test]
async fn every_format_that_names_a_person_or_session_finds_their_sign_ins_at_that_provider_alone() {
    let issuer = fixtures::alice().issuer;
    let alice = vec!["alice 1", "alice 2", "alice 3"];
    let iss_sub = |sub: &str| json!({"format": "iss_sub", "iss": issuer.as_str(), "sub": sub});
    for (subject, out) in [
        (iss_sub("u1"), alice.clone()),
        (iss_sub("u2"), vec!["bob"]),
        (json!({"format": "iss_sub", "iss": "https://other.example", "sub": "u1"}), vec![]),
        (json!({"format": "email", "email": "U1@corp.EXAMPLE"}), alice.clone()),
        (json!({"format": "email", "email": "u1@corp.example.evil"}), vec![]),
        (json!({"format": "account", "uri": "acct:u1@corp.example"}), alice.clone()),
        (json!({"format": "account", "uri": "acct:u2-name"}), vec!["bob"]),
        (json!({"format": "phone_number", "phone_number": "+491"}), vec!["alice 1", "alice 2"]),
        (json!({"format": "opaque", "id": "s2"}), vec!["alice 2"]),
        (json!({"format": "opaque", "id": "u1"}), vec![]),
        (json!({"format": "did", "url": "u2"}), vec!["bob"]),
        (json!({"format": "uri", "uri": "u2"}), vec!["bob"]),
        (json!({"format": "jwt_id", "iss": issuer.as_str(), "jti": "id-phone"}), vec!["alice 2"]),
        (json!({"format": "jwt_id", "iss": "https://other.example", "jti": "id-phone"}), vec![]),
        (
            json!({"format": "aliases", "identifiers": [iss_sub("u2"), {"format": "email", "email": "u2@corp.example"}]}),
            vec!["bob"],
        ),
        (json!({"format": "saml_assertion_id", "issuer": "i", "assertion_id": "a"}), vec![]),
        (json!({"format": "ip-addresses", "ip-addresses": ["10.0.0.1"]}), vec![]),
        (json!({"format": "unheard-of", "x": 1}), vec![]),
    ] {
        assert_eq!(ended(&by_claims(), json!({"sub_id": subject})).await, out, "{subject}");
    }
}

/// A member too few would be an event about somebody else; one too many, about nobody.
#[tokio::test]
async fn all_members_of_a_complex_subject_must_hold() {
    let issuer = fixtures::alice().issuer;
    let opaque = |id: &str| json!({"format": "opaque", "id": id});
    let user = |sub: &str| json!({"format": "iss_sub", "iss": issuer.as_str(), "sub": sub});
    let complex = |members: Value| changed(json!({"format": "complex"}), &members);
    for (settings, members, out) in [
        (by_claims(), json!({"user": user("u1")}), vec!["alice 1", "alice 2", "alice 3"]),
        // Of the third sign-in nobody knows the device: it may be this one.
        (by_claims(), json!({"user": user("u1"), "device": opaque("laptop")}), vec!["alice 1", "alice 3"]),
        (by_claims(), json!({"user": user("u2"), "device": opaque("laptop")}), vec![]),
        (by_claims(), json!({"user": user("u1"), "tenant": opaque("t2")}), vec!["alice 3"]),
        (by_claims(), json!({"user": user("u1"), "session": opaque("s2")}), vec!["alice 2", "alice 3"]),
        (by_claims(), json!({"session": opaque("s2")}), vec!["alice 2"]),
        (by_claims(), json!({"session": opaque("s2"), "device": opaque("laptop")}), vec![]),
        (by_claims(), json!({"tenant": opaque("t1")}), vec!["alice 1", "alice 2"]),
        (by_claims(), json!({"device": opaque("laptop")}), vec!["alice 1"]),
        (by_claims(), json!({"tenant": opaque("t1"), "group": opaque("ops")}), vec![]),
        (by_claims(), json!({"tenant": opaque("t1"), "user": opaque("unheard-of")}), vec![]),
        (by_claims(), json!({"group": opaque("ops")}), vec![]),
        (settings(), json!({"tenant": opaque("t1")}), vec![]),
        (settings(), json!({"device": opaque("laptop")}), vec![]),
        (
            settings(),
            json!({"user": user("u1"), "device": opaque("laptop")}),
            vec!["alice 1", "alice 2", "alice 3"],
        ),
    ] {
        let subject = complex(members);
        assert_eq!(ended(&settings, json!({"sub_id": subject})).await, out, "{subject}");
    }
}

#[tokio::test]
async fn a_critical_member_that_nothing_is_known_of_discards_the_event() {
    let people = People::new(settings()).await;
    let metadata = json!({
        "issuer": TRANSMITTER, "jwks_uri": format!("{TRANSMITTER}/jwks"),
        "configuration_endpoint": format!("{TRANSMITTER}/streams"), "critical_subject_members": ["device", "user"],
    });
    let address = metadata::address(&settings().transmitter).unwrap();
    let metadata = metadata::checked(metadata.as_object().unwrap(), &address, &settings()).unwrap();
    people.world.transmitter.metadata.store(Some(Arc::new(metadata)));
    let user = json!({"format": "iss_sub", "iss": fixtures::alice().issuer.as_str(), "sub": "u1"});
    let with = |member: &str| json!({"sub_id": {"format": "complex", "user": user, member: {"format": "opaque", "id": "x"}}, "jti": member});
    assert_eq!(people.world.receive(&with("device")).await.unwrap(), Receipt::Critical);
    assert_eq!(people.still_in().await.len(), 5);
    assert_eq!(people.world.receive(&with("application")).await.unwrap(), Receipt::Done(Demand::End, 3));
}

/// Events of before the final specifications, as some transmitters still send them.
#[tokio::test]
async fn older_forms_are_read_and_the_newer_one_counts_where_both_stand() {
    let issuer = fixtures::alice().issuer;
    let disabled =
        |subject: Value| risc("account-disabled", json!({"subject": subject, "reason": "hijacking"}));
    let older = json!({"subject_type": "iss-sub", "iss": issuer.as_str(), "sub": "u2"});
    let newer = json!({"format": "iss_sub", "iss": issuer.as_str(), "sub": "u1"});
    let alice = vec!["alice 1", "alice 2", "alice 3"];
    for (sub_id, event, out) in [
        (Value::Null, disabled(older.clone()), vec!["bob"]),
        (Value::Null, disabled(json!({"subject_type": "email", "email": "u2@corp.example"})), vec!["bob"]),
        (
            Value::Null,
            disabled(
                json!({"subject_type": "id_token_claims", "iss": issuer.as_str(), "sub": "u2", "email": "u1@corp.example"}),
            ),
            vec!["bob"],
        ),
        (newer.clone(), disabled(older.clone()), alice.clone()),
        (Value::Null, caep("session-revoked", json!({"subject": {"user": newer}})), alice),
    ] {
        assert_eq!(ended(&settings(), json!({"sub_id": sub_id, "events": event})).await, out, "{event}");
    }
}

#[tokio::test]
async fn a_subject_that_lacks_what_its_format_needs_is_refused() {
    let world = World::new();
    let opaque = json!({"format": "opaque", "id": "x"});
    let many: Map<String, Value> = (0..17).map(|n| (format!("m{n}"), opaque.clone())).collect();
    for subject in [
        json!({}),
        json!({"format": 1}),
        json!({"format": "email"}),
        json!({"format": "email", "email": ["u1@corp.example"]}),
        json!({"format": "iss_sub", "sub": "u1"}),
        json!({"format": "account", "uri": "mailto:u1@corp.example"}),
        json!({"format": "opaque", "id": ""}),
        json!({"format": "opaque", "id": "x".repeat(4096)}),
        json!({"format": "aliases", "identifiers": []}),
        json!({"format": "aliases", "identifiers": vec![opaque.clone(); 17]}),
        json!({"format": "complex"}),
        json!({"format": "complex", "user": "u1"}),
        json!({"format": "complex", "user": {"sub": "u1"}}),
        changed(json!({"format": "complex"}), &Value::Object(many)),
        json!([1]),
    ] {
        let error = world.refused(world.token(&json!({"sub_id": subject}))).await;
        assert_eq!(error.description(), "bad-subject", "{subject}: {error}");
    }
    let nested =
        json!({"format": "aliases", "identifiers": [{"format": "aliases", "identifiers": [opaque]}]});
    assert_eq!(world.receive(&json!({"sub_id": nested})).await.unwrap(), Receipt::NoSuchSubject);
}
