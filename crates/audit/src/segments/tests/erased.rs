//! Whoever is erased is nobody: in the files, in memory, after a restore, and in what comes late.

use std::fs;
use std::path::PathBuf;

use portcullis_rules::identity::{Principal, fixtures};
use proptest::prelude::*;

use super::*;
use crate::segments::erasures::{Erasures, parse, places};

const PROVIDER: &str = "corp";

/// A store with something of alice and of bob.
fn rig() -> (Rig, Principal) {
    let mut rig = Rig::new();
    let alice = fixtures::alice();
    for who in [&alice, &bob()] {
        refused(&mut rig, who, "/secret-path");
    }
    rig.write();
    (rig, alice)
}

fn bob() -> Principal {
    let subject = portcullis_rules::identity::Subject::new("00u2");
    Principal { subject, user: "bob".into(), ..fixtures::alice() }
}

fn refused(rig: &mut Rig, who: &Principal, path: &str) {
    let wiki = RouteWords::new(1, "wiki");
    let client = "203.0.113.99".parse().unwrap();
    let event = AccessEvent { who: Some(who), client, path, ..granted(&wiki) };
    rig.emit(&AccessEvent { outcome: Outcome::Forbidden, access: Access::Refused, ..event });
}

fn find(rig: &Rig, who: &Principal) -> Found {
    let reader = rig.reader();
    reader.find(who.subject.as_str(), &[who.provider.as_str()], false, &Patience::endless()).unwrap()
}

/// What is sealed of everybody, as it lies in the file.
fn sealed(rig: &Rig, who: Pseudonym) -> Vec<Vec<u8>> {
    let people = rusqlite::Connection::open(rig.path().join("people.db")).unwrap();
    people
        .query_row("SELECT key, last FROM person WHERE pseudonym = ?1", [who.0], |row| {
            Ok(vec![row.get(0)?, row.get(1)?])
        })
        .unwrap()
}

/// The file among all of the store's that has these bytes.
fn holder(rig: &Rig, bytes: &[u8]) -> Option<String> {
    rig.files("").into_iter().find(|file| {
        let content = fs::read(rig.path().join(file)).unwrap();
        content.windows(bytes.len()).any(|part| part == bytes)
    })
}

fn erase_now(rig: &Rig, who: &Principal) -> Pseudonym {
    let person = find(rig, who).known[0].person.pseudonym;
    erase(rig.path(), person, rig.now()).unwrap();
    person
}

fn events_of<'e>(all: &'e [Event], user: &str) -> Vec<&'e Event> {
    all.iter().filter(|event| event.who().is_some_and(|who| who.user == user)).collect()
}

#[test]
fn invariant_15_the_bytes_of_a_key_are_in_no_file_once_somebody_is_erased() {
    let (mut rig, alice) = rig();
    let subject = |n: usize| portcullis_rules::identity::Subject::new(format!("s{n}"));
    // Pages of many people, so that rows are moved about within them.
    for n in 0..300 {
        refused(&mut rig, &Principal { subject: subject(n), ..alice.clone() }, "/");
        if n % 50 == 0 {
            rig.write();
        }
    }
    rig.write();
    let one = Principal { subject: subject(7), ..alice.clone() };
    for who in [&alice, &one] {
        let person = find(&rig, who).known[0].person.pseudonym;
        let secrets = sealed(&rig, person);
        assert!(secrets.iter().all(|secret| holder(&rig, secret).is_some()));
        assert_eq!(erase_now(&rig, who), person);
        for secret in &secrets {
            assert_eq!(holder(&rig, secret), None);
        }
    }
    let all = rig.all();
    assert!(
        !all.iter().any(|event| event.to_json().contains("secret-path") && !event.to_json().contains("bob"))
    );
    assert_eq!(events_of(&all, "bob").len(), 1, "others are as they were");
    let erased: Vec<_> = all.iter().filter(|event| event.is_erased).collect();
    assert!(erased.len() == 2 && erased[0].route.as_deref() == Some("wiki"));
    assert!(every(&rig.reader(), &filter(rig.now(), &[("user", alice.subject.as_str())])).is_empty());
}

#[test]
fn invariant_27_a_folder_that_is_put_back_makes_nobody_readable_again() {
    let (mut rig, alice) = rig();
    rig.end();
    let backup = tempfile::tempdir().unwrap();
    for file in rig.files("") {
        fs::copy(rig.path().join(&file), backup.path().join(&file)).unwrap();
    }
    let person = find(&rig, &alice).known[0].person.pseudonym;
    let secrets = sealed(&rig, person);
    erase_now(&rig, &alice);
    fs::remove_dir_all(rig.path()).unwrap();
    fs::create_dir(rig.path()).unwrap();
    for entry in fs::read_dir(backup.path()).unwrap() {
        let file = entry.unwrap().path();
        fs::copy(&file, rig.path().join(file.file_name().unwrap())).unwrap();
    }
    assert!(holder(&rig, &secrets[0]).is_some(), "the key came back");
    let told = |rig: &Rig| rig.all().iter().any(|event| event.to_json().contains(alice.subject.as_str()));
    assert!(!told(&rig), "before any process has begun");
    rig.begin();
    assert_eq!(holder(&rig, &secrets[0]), None, "it is destroyed again");
    assert!(!told(&rig) && find(&rig, &alice).known.is_empty());
    assert_eq!(find(&rig, &alice).erased[0].1, person);
    assert_eq!(events_of(&rig.all(), "bob").len(), 1);
}

#[test]
fn each_list_is_made_whole_by_the_other() {
    let (mut rig, alice) = rig();
    let person = erase_now(&rig, &alice);
    for lost in places(rig.path()) {
        let before = fs::read(&lost).unwrap();
        fs::remove_file(&lost).unwrap();
        rig.begin();
        assert_eq!(fs::read(&lost).unwrap(), before, "{}", lost.display());
    }
    assert!(Erasures::read(rig.path()).unwrap().has(person));
}

#[test]
fn what_comes_late_is_as_erased_as_what_came_before() {
    let (mut rig, alice) = rig();
    let wiki = RouteWords::new(1, "wiki");
    // An interval that goes on, and an event that no sink has taken yet.
    rig.emit(&AccessEvent { who: Some(&alice), shown: shown(9), path: "/going-on", ..granted(&wiki) });
    rig.write();
    refused(&mut rig, &alice, "/late");
    let person = erase_now(&rig, &alice);
    rig.clock.advance(Duration::from_secs(60));
    rig.write();
    rig.beat();
    rig.end();
    let all = rig.all();
    let theirs: Vec<_> = all.iter().filter(|event| event.person == Some(person)).collect();
    assert_eq!(theirs.len(), 3, "{all:?}");
    assert!(theirs.iter().all(|event| event.is_erased && event.who().is_none()));
    assert!(
        !all.iter().any(|event| event.to_json().contains("late") || event.to_json().contains("going-on"))
    );
}

#[test]
fn whoever_comes_back_is_somebody_else_and_can_be_erased_again() {
    let (mut rig, alice) = rig();
    let before = erase_now(&rig, &alice);
    rig.clock.advance(Duration::from_secs(1));
    refused(&mut rig, &alice, "/back");
    rig.write();
    let found = find(&rig, &alice);
    let after = &found.known[0];
    assert!(after.person.pseudonym != before && after.events == 1, "{found:?}");
    let all = rig.all();
    let told = events_of(&all, "alice");
    assert!(told.len() == 1 && told[0].to_json().contains("/back"));
    let again = erase_now(&rig, &alice);
    assert_eq!(find(&rig, &alice).erased.iter().map(|erased| erased.1).collect::<Vec<_>>(), [before, again]);
    assert!(events_of(&rig.all(), "alice").is_empty());
}

/// The writer has alice's key at hand; it forgets it although nobody tells it.
#[test]
fn a_key_at_hand_is_forgotten_within_a_beat() {
    let (mut rig, alice) = rig();
    erase_now(&rig, &alice);
    rig.clock.advance(Duration::from_secs(1));
    rig.beat();
    refused(&mut rig, &alice, "/new");
    rig.write();
    assert_eq!(events_of(&rig.all(), "alice").len(), 1, "sealed by a key that there is");
}

#[test]
fn what_somebody_has_done_is_counted_and_given_to_them_whole() {
    let (mut rig, alice) = rig();
    rig.end();
    rig.begin();
    for n in 0..5 {
        refused(&mut rig, &alice, &format!("/{n}"));
    }
    rig.write();
    let found = find(&rig, &alice);
    let [holding] = found.known.as_slice() else { panic!("{found:?}") };
    assert_eq!((holding.events, holding.segments.len(), &*holding.provider), (6, 2, PROVIDER));
    let (mut told, reader) = (Vec::new(), rig.reader());
    let take = &mut |event: Event| {
        told.push(event);
        ControlFlow::Continue(())
    };
    assert!(reader.each_about(holding.person.pseudonym, &Patience::endless(), take).unwrap().is_whole);
    assert!(told.iter().all(|event| event.who().is_some_and(|who| who.user == "alice")));
    assert_eq!(told.iter().map(|event| event.count).sum::<u64>(), 6);
    assert_eq!(holding.first, told.iter().map(|event| event.time).min());
    let anywhere = reader.find(alice.subject.as_str(), &["other"], true, &Patience::endless()).unwrap();
    assert_eq!(anywhere.known, found.known, "a provider that is configured no more");
    let nobody = reader.find("alice", &[PROVIDER], true, &Patience::endless()).unwrap();
    assert_eq!(nobody, Found::default(), "a name is no subject");
}

#[test]
fn a_list_that_cannot_be_read_lets_nobody_write_or_read() {
    let (mut rig, alice) = rig();
    erase_now(&rig, &alice);
    rig.end();
    let [beside, _] = places(rig.path());
    let good = fs::read(&beside).unwrap();
    for bad in
        [&b"portcullis erasures, version 9\n"[..], b"\xff\n", b"portcullis erasures, version 1\nnobody 1\n"]
    {
        fs::write(&beside, bad).unwrap();
        let process = Arc::from("9f2c41d07ab3");
        let links = Links::new("store", &process, &rig.ties);
        let error = Writer::open(&rig.settings, &process, &rig.clock, rig.limits, links).unwrap_err();
        assert!(error.to_string().contains("audit-erased") && !error.is_passing(), "{error}");
        let asked = rig.reader_or_error();
        assert!(asked.is_err(), "nobody is told who may have been erased");
    }
    // What broke off was never said to be done, and is written over.
    fs::write(&beside, [&good, &b"0123"[..]].concat()).unwrap();
    rig.begin();
    assert_eq!(fs::read(&beside).unwrap().strip_prefix(good.as_slice()), Some(&b"0123"[..]));
    refused(&mut rig, &bob(), "/");
    rig.write();
    erase_now(&rig, &bob());
    assert_eq!(Erasures::read(rig.path()).unwrap().people().count(), 2);
}

proptest! {
    /// Whatever stands in a list is read or refused, and what is read is what was written.
    #[test]
    fn a_list_is_what_was_written(entries in prop::collection::vec((any::<[u8; 16]>(), any::<u64>()), 0..8), junk in any::<Vec<u8>>()) {
        let _ = parse(&junk);
        let folder = tempfile::tempdir().unwrap();
        let store: PathBuf = folder.path().join("audit");
        fs::create_dir(&store).unwrap();
        for (person, until) in &entries {
            Erasures::add(&store, Pseudonym(*person), *until).unwrap();
        }
        let read = Erasures::read(&store).unwrap();
        for (person, until) in &entries {
            prop_assert!(read.until(Pseudonym(*person)) >= Some(*until));
        }
        let people: std::collections::HashSet<_> = entries.iter().map(|(person, _)| *person).collect();
        prop_assert_eq!(read.people().count(), people.len());
    }
}
