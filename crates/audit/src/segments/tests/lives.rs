//! What lives on: through an end, a crash, another process.

use portcullis_rules::identity::fixtures;

use super::*;

#[test]
fn every_kind_of_event_is_read_as_it_was_written() {
    let mut rig = Rig::new();
    let mut lines = Vec::new();
    samples::full("=1+1 \u{1b}[31m'\"\\ ünï\u{202e}", &mut |event| {
        assert!(rig.recorder.emit(event).is_some())
    });
    rig.bare();
    let mut blocks = Vec::new();
    rig.recorder.sweep(|block| blocks.push(block));
    for block in &blocks {
        for head in block.heads() {
            lines.push(String::from_utf8(block.line(head).to_vec()).unwrap());
            let event = std::iter::once((head, block.line(head)));
            rig.writer.as_mut().unwrap().write(block.lane(), event).unwrap();
        }
    }
    rig.end();
    let value = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let found: std::collections::HashMap<_, _> =
        rig.all().iter().map(|event| (event.id.clone(), value(&event.to_json()))).collect();
    for line in &lines {
        let told = value(line);
        let id = told["event"].as_str().unwrap();
        // One of two that are folded is told of both.
        if let Some(found) = found
            .get(id)
            .filter(|found| found.get("count").is_none_or(|count| told.get("count") == Some(count)))
        {
            let (mut told, mut found) = (told.clone(), found.clone());
            // Numbers beyond those of SQLite are the largest.
            for value in [&mut told, &mut found] {
                for name in ["bytes", "us"] {
                    if let Some(number) = value.get_mut(name) {
                        *number = number.as_u64().unwrap().min(i64::MAX as u64).into();
                    }
                }
            }
            assert_eq!(found, told);
        }
    }
    assert!(found.len() > 80, "{}", found.len());
}

#[test]
fn names_stand_nowhere_in_the_files() {
    let mut rig = Rig::new();
    let (wiki, who) = (RouteWords::new(1, "wiki"), fixtures::alice());
    let event = AccessEvent {
        who: Some(&who),
        client: "203.0.113.99".parse().unwrap(),
        path: "/secret-path",
        agent: Some(b"an agent"),
        reason: "told in clear",
        ..granted(&wiki)
    };
    rig.emit(&AccessEvent { outcome: Outcome::Forbidden, access: Access::Refused, ..event });
    rig.write();
    rig.beat();
    let bytes = |rig: &Rig| {
        let files = rig.files("");
        files.iter().flat_map(|file| std::fs::read(rig.path().join(file)).unwrap()).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        let all = bytes(&rig);
        let has = |text: &str| all.windows(text.len()).any(|part| part == text.as_bytes());
        for personal in [who.user.as_str(), who.subject.as_str(), "203.0.113.99", "/secret-path", "an agent"]
        {
            assert!(!has(personal), "{personal}");
        }
        assert!(has("told in clear"));
        if rig.writer.is_some() {
            rig.end();
        }
    }
    let all = rig.all();
    assert!(all[0].to_json().contains("/secret-path") && !all[0].is_erased);
    // Whose key is gone is nobody.
    let people = rusqlite::Connection::open(rig.path().join("people.db")).unwrap();
    people.execute("DELETE FROM person", []).unwrap();
    let erased = rig.all().remove(0);
    assert!(erased.is_erased && erased.who().is_none() && erased.person == all[0].person);
    assert_eq!((erased.route.as_deref(), erased.status), (Some("wiki"), Some(200)));
}

#[test]
fn what_is_committed_outlives_a_process_that_does_not_end() {
    let mut rig = Rig::new();
    let (wiki, who) = (RouteWords::new(1, "wiki"), fixtures::alice());
    rig.bare();
    rig.emit(&AccessEvent { who: Some(&who), shown: shown(9), ..granted(&wiki) });
    rig.write();
    assert!(rig.all().len() > 40, "what is written is there at once");
    rig.clock.advance(Duration::from_secs(60));
    rig.beat();
    let before = rig.all().len();
    // As a crash leaves it: nothing is closed, and the lock is free.
    let copy = tempfile::tempdir().unwrap();
    for file in rig.files("") {
        std::fs::copy(rig.path().join(&file), copy.path().join(&file)).unwrap();
    }
    let settings = StoreSettings { path: copy.path().to_owned(), ..rig.settings.clone() };
    let mut next = rig.beside();
    (next.settings, next.writer) = (settings, None);
    next.begin();
    assert_eq!(next.all().len(), before, "read as it lies there");
    next.settle();
    assert_eq!((next.files(".open").len(), next.files(".seg").len()), (0, 1));
    let all = next.all();
    assert!(all.len() == before && all.iter().all(|event| !event.goes_on));
    assert_eq!(next.files(".lock").len(), 1, "of the process that lives: {:?}", next.files(""));
}

#[test]
fn two_processes_write_into_one_folder_and_are_read_as_one() {
    let mut one = Rig::new();
    let mut two = one.beside();
    for rig in [&mut one, &mut two] {
        rig.bare();
        rig.write();
    }
    let all = one.all();
    let of = |rig: &Rig| all.iter().filter(|event| event.id.starts_with(rig.recorder.process())).count();
    assert!(of(&one) > 50 && of(&one) == of(&two));
    one.settle();
    two.settle();
    assert_eq!(one.files(".open").len(), 2, "neither closes what the other writes: {:?}", one.files(""));
    assert_eq!(pages(&one.reader(), &Filter::default(), 7).len(), all.len());
    one.end();
    two.settle();
    two.end();
    assert_eq!(two.files(".seg").len(), 2);
}

#[test]
fn a_segment_that_is_full_or_of_yesterday_is_closed_and_the_next_one_goes_on() {
    let mut rig = Rig::with(Limits { rows: 40, ..Limits::WHOLE });
    for _ in 0..3 {
        rig.bare();
        rig.write();
    }
    rig.settle();
    let many = rig.all().len();
    assert!(rig.files(".seg").len() >= 2, "{:?}", rig.files(""));
    rig.clock.advance(Duration::from_secs(86_400));
    rig.settle();
    assert_eq!(rig.files(".open").len(), 0, "nothing has happened today");
    assert!(rig.all().len() >= many);
    let extent = rig.reader().extent().unwrap();
    assert!(extent.events > 150 && extent.since.is_some_and(|since| since <= rig.now()));
}

#[test]
fn a_folder_that_is_taken_away_is_told_and_a_file_that_is_goes_on_in_another() {
    let mut rig = Rig::new();
    rig.bare();
    rig.write();
    let open = rig.files(".open").remove(0);
    std::fs::remove_file(rig.path().join(open)).unwrap();
    rig.beat();
    rig.bare();
    rig.write();
    assert!(rig.all().len() > 50);
    let missing = StoreSettings { path: rig.folder.path().join("no/such"), ..rig.settings.clone() };
    let links = Links::new("store", "9f2c41d07ab3", &rig.ties);
    let error = Writer::open(&missing, &"9f2c41d07ab3".into(), &rig.clock, Limits::WHOLE, links).unwrap_err();
    assert!(error.to_string().contains("no/such"), "{error}");
}

#[test]
fn summaries_say_what_the_events_say_closed_or_not() {
    let mut rig = Rig::new();
    let (wiki, who) = (RouteWords::new(1, "wiki"), fixtures::alice());
    for n in 0..50 {
        let status = if n % 7 == 0 { 404 } else { 200 };
        rig.emit(&AccessEvent { who: Some(&who), shown: shown(1 + n % 3), status, ..granted(&wiki) });
        rig.clock.advance(Duration::from_secs(200));
    }
    rig.write();
    let sums = |rig: &Rig| {
        let mut sums = std::collections::BTreeMap::new();
        let hours = 0..rig.now() + 3_600_000_000;
        let walked = rig.reader().summaries(hours, &Patience::endless(), &mut |summary| {
            assert_eq!(summary.latency.count(), summary.count);
            let sum: &mut (u64, u64, u64) =
                sums.entry((summary.hour, summary.route, summary.person)).or_default();
            *sum = (sum.0 + summary.count, sum.1 + summary.bytes, sum.2 + summary.us);
        });
        assert!(walked.unwrap().is_whole);
        sums
    };
    rig.clock.advance(Duration::from_secs(300));
    rig.beat();
    let before = sums(&rig);
    rig.end();
    assert_eq!((sums(&rig), rig.files(".seg").len()), (before.clone(), 1));
    assert_eq!(before.values().map(|sum| sum.0).sum::<u64>(), 50);
    assert!(before.len() >= 3);
    assert!(Kind::named("access.granted").is_some());
}
