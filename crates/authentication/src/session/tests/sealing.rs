//! What a stolen or altered store gives away: nothing (invariants 7 and 15).

use rusqlite::types::Value;
use serde_json::json;

use super::*;
use crate::identity::{Gap, Gaps};

async fn change(world: &World, statement: &'static str) {
    world.database.write(move |connection| connection.execute_batch(statement)).await.unwrap();
}

#[tokio::test]
async fn a_stolen_store_shows_no_person_and_no_token_invariant_15() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    world.sessions.create(app_session(&session)).await.unwrap();
    let dump = world.database.write(|connection| {
        let mut all = Vec::new();
        for table in ["session_families", "sessions"] {
            let mut statement = connection.prepare(&format!("SELECT * FROM {table}"))?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                for column in 0..columns {
                    match row.get(column)? {
                        Value::Blob(bytes) => all.extend(bytes),
                        Value::Text(text) => all.extend(text.into_bytes()),
                        Value::Null | Value::Integer(_) | Value::Real(_) => {}
                    }
                }
            }
        }
        Ok(all)
    });
    let dump = dump.await.unwrap();
    let key_text = key.to_secret();
    let shown = |what: &[u8]| dump.windows(what.len()).any(|window| window == what);
    assert!(shown(b"corp"), "the dump sees columns");
    for secret in [
        &b"alice"[..],
        b"access",
        b"refresh",
        b"provider-session",
        b"staff",
        key.bytes(),
        &session.key_bytes(),
    ] {
        assert!(!shown(secret));
    }
    assert!(!shown(key_text.expose().as_bytes()));
}

#[tokio::test]
async fn debug_prints_no_secret_invariant_15() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    let printed = format!("{session:?} {key:?} {:?}", world.sessions);
    for secret in ["access\"", "refresh\"", key.to_secret().expose()] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(!printed.contains(&format!("{:?}", session.key_bytes())));
}

#[tokio::test]
async fn an_altered_record_opens_nothing_invariant_7() {
    for alteration in [
        "UPDATE sessions SET host = 'evil.example'",
        "UPDATE sessions SET family_key = x''",
        "UPDATE sessions SET family_key = zeroblob(60)",
        "UPDATE session_families SET record = x'00'",
        "UPDATE session_families SET created = -1",
        "UPDATE sessions SET created = -1",
        "UPDATE session_families SET last_seen = -9",
        "UPDATE session_families SET record = zeroblob(500)",
        "UPDATE session_families SET record = substr(record, 1, length(record) - 1)",
    ] {
        let world = World::new();
        let (key, _) = world.sessions.create(sign_in()).await.unwrap();
        change(&world, alteration).await;
        assert!(!world.restarted().finds(&key).await, "{alteration}");
    }
}

#[tokio::test]
async fn records_and_keys_do_not_change_places_invariant_7() {
    for alteration in [
        "UPDATE session_families SET record = (SELECT o.record FROM session_families o WHERE o.root <> session_families.root)",
        "UPDATE sessions SET family_key = (SELECT o.family_key FROM sessions o WHERE o.id <> sessions.id)",
        "UPDATE sessions SET root = (SELECT o.root FROM session_families o WHERE o.root <> sessions.root)",
    ] {
        let world = World::new();
        let (one, _) = world.sessions.create(sign_in()).await.unwrap();
        let (other, _) = world.sessions.create(sign_in()).await.unwrap();
        change(&world, alteration).await;
        let world = world.restarted();
        assert!(!(world.finds(&one).await && world.finds(&other).await), "{alteration}");
    }
}

#[tokio::test]
async fn a_record_opens_in_its_own_family_alone_invariant_7() {
    let world = World::new();
    let (_, one) = world.sessions.create(sign_in()).await.unwrap();
    let (_, other) = world.sessions.create(sign_in()).await.unwrap();
    let sealed = world.store.inner.load(one.id).await.unwrap().unwrap().0.record;
    assert!(seal::Record::open(&one.key, one.id, &sealed).is_some());
    assert!(seal::Record::open(&one.key, other.id, &sealed).is_none());
}

#[tokio::test]
async fn a_longer_life_written_into_the_store_is_not_believed_invariant_7() {
    let world = World::new();
    let (key, _) = world.sessions.create(sign_in()).await.unwrap();
    let forever = "UPDATE session_families
        SET expires = 9000000000, created = 9000000000, last_seen = 9000000000";
    change(&world, forever).await;
    world.pass(12 * 60);
    assert!(!world.restarted().finds(&key).await);
}

#[tokio::test]
async fn a_record_of_another_version_opens_nothing() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    for plain in ["{}", "[]", "", "{\"version\":2}", "\u{0}"] {
        let sealed = seal::seal_record(&session.key, session.id, plain.as_bytes()).unwrap();
        replace_record(&world, session.id, sealed).await;
        assert!(!world.restarted().finds(&key).await, "{plain}");
    }
}

/// A record as versions wrote it that did not tell unknown from none: nobody had been asked for other claims, and
/// no groups could be groups kept elsewhere.
#[tokio::test]
async fn invariant_19_a_session_of_an_older_version_stays_good_and_no_groups_are_unknown() {
    let elsewhere = json!({"_claim_names": {"groups": "src1"}});
    for (groups, claims, gaps) in [
        (vec!["staff"], json!({}), vec![Gap::Claims]),
        (vec![], json!({}), vec![Gap::Groups, Gap::Claims]),
        (vec!["staff"], elsewhere, vec![Gap::Groups, Gap::Claims]),
    ] {
        let world = World::new();
        let (key, session) = world.sessions.create(sign_in()).await.unwrap();
        let mut principal = serde_json::to_value(&*session.principal).unwrap();
        (principal["groups"], principal["claims"]) = (groups.into(), claims);
        let record = json!({
            "principal": principal, "access": "access", "access_expires": null, "refresh": null, "id": null,
            "sid": null, "created": session.created, "expires": session.expires,
        });
        let sealed = seal::seal_record(&session.key, session.id, record.to_string().as_bytes()).unwrap();
        replace_record(&world, session.id, sealed).await;
        let world = world.restarted();
        let found = world.sessions.find(&key).await.unwrap().expect("it stays good");
        assert_eq!(Vec::from(found.principal.gaps), gaps);
    }
}

#[tokio::test]
async fn invariant_19_what_is_unknown_of_a_session_stays_so_over_a_restart() {
    let world = World::new();
    let gaps = Gaps::default().with(Gap::Groups);
    let principal = Arc::new(Principal { gaps, ..(*alice()).clone() });
    let root = testing::sign_in(HOST, principal, &world.clock);
    let (key, _) = world.sessions.create(root).await.unwrap();
    let found = world.restarted().sessions.find(&key).await.unwrap().unwrap();
    assert_eq!(found.principal.gaps, gaps);
}

#[test]
fn sealing_twice_gives_two_texts() {
    let (key, session_key) = (seal::FamilyKey::random(), SessionKey::random());
    let wrap = || key.wrap(&session_key, *session_key.id(), HOST, None).unwrap();
    assert_ne!(wrap(), wrap());
    let opened = |host| seal::FamilyKey::unwrap(&session_key, *session_key.id(), host, &wrap());
    assert!(opened(HOST).is_some() && opened("other.example").is_none());
}

#[test]
fn names_of_two_issuers_do_not_run_together() {
    let keys = testing::keys();
    let digests = |issuer: &str, name| keys.digests(&state_keys::Name::Subject(&Issuer::new(issuer), name));
    let (one, other) = (digests("https://a", "bc"), digests("https://ab", "c"));
    assert!(one.iter().all(|digest| !other.contains(digest)), "neither the keyed ones nor those of before");
    assert_eq!(digests("https://a", "bc"), one);
}

async fn replace_record(world: &World, root: SessionId, record: Vec<u8>) {
    let update = "UPDATE session_families SET record = ?2 WHERE root = ?1";
    let bytes = *root.as_bytes();
    let replaced = world.database.write(move |c| c.execute(update, rusqlite::params![bytes, record])).await;
    assert_eq!(replaced.unwrap(), 1);
}
