//! What is asked, and about which time.

use jiff::tz::TimeZone;

use portcullis_events::Field;

use super::*;
use crate::clock::Moment;
use crate::reports::{Calendar, QuestionError};

const HOUR: u64 = 3_600_000_000;

fn now() -> Moment {
    Moment::from_micros(START * 1_000_000)
}

#[test]
fn a_time_is_a_span_a_day_of_the_zone_or_a_moment() {
    let ask = |since: &str, until, zone| Question::new(Report::Access, since, until, zone, now()).unwrap();
    assert_eq!(ask("1h", None, "UTC").since, now().micros() - HOUR);
    assert_eq!(ask("2026-11-30T09:00:00Z", None, "Europe/Berlin").since, now().micros() - HOUR);
    // Midnight in Berlin is eleven in the evening before.
    let berlin = ask("2026-11-30", Some("2026-11-30T10:00:00Z"), "Europe/Berlin");
    assert_eq!((berlin.since, berlin.until), (now().micros() - 11 * HOUR, now().micros()));
}

#[test]
fn what_cannot_be_asked_is_said() {
    let ask =
        |since: &str, until, zone| Question::new(Report::Access, since, until, zone, now()).unwrap_err();
    assert!(matches!(ask("1h", None, "Europe/Berlim"), QuestionError::Zone(_)));
    for nonsense in ["yesterday", "", "2026-13-01", "-1h", "99999999999999h"] {
        assert!(matches!(ask(nonsense, None, "UTC"), QuestionError::Time(_)), "{nonsense}");
    }
    assert_eq!(ask("1h", Some("2h"), "UTC"), QuestionError::Empty);
    assert_eq!(ask("1970-01-01", None, "UTC"), QuestionError::TooLong);
}

/// On 2026-03-29 and 2026-10-25 the clocks of Berlin are changed.
#[test]
fn days_have_the_hours_that_their_clocks_have() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    for (noon, hours) in [(1_774_780_200, 23), (1_792_926_000, 25), (START, 24)] {
        let noon = noon * 1_000_000;
        let calendar = Calendar::new(noon, noon + 1, &zone);
        let [day] = calendar.days() else { panic!("{calendar:?}") };
        assert_eq!((day.to - day.from) / HOUR, hours, "{}", day.date);
        assert_eq!(day.odd_hours(), (hours != 24).then_some(hours));
        for (moment, index) in
            [(day.from, Some(0)), (day.to - 1, Some(0)), (day.to, None), (day.from - 1, None)]
        {
            assert_eq!(calendar.day_of(moment), index, "{}", day.date);
        }
    }
}

/// The hour that comes twice belongs to one day, and so does what happens in it.
#[test]
fn what_happens_in_the_hour_that_comes_twice_is_counted_once() {
    let mut rig = Rig::from(1_792_886_400 + 2 * 3_600); // 2026-10-25 00:00 UTC: 02:00 in Berlin, for the first time.
    let (alice, wiki) = (person("alice"), RouteWords::new(1, "wiki"));
    for _ in 0..4 {
        rig.emit(&request(&wiki, Some(&alice), 1, Outcome::Forbidden));
        rig.pass(1_800);
    }
    rig.write();
    let mut question = rig.question(Report::Access);
    question.zone = TimeZone::get("Europe/Berlin").unwrap();
    let frame = rig.answer(&question, &Known::default());
    let all: Vec<_> =
        frame.rows.iter().map(|row| number(&frame, row, "requests")).filter(|all| *all > 0).collect();
    assert_eq!(all, [4]);
    assert!(frame.notes.iter().any(|note| note.contains("2026-10-25 has 25 hours")), "{:?}", frame.notes);
}

#[test]
fn none_zero_and_unknown_are_told_apart() {
    let rig = Rig::new();
    let known = Known { routes: Some(vec!["wiki".into()]), ..Known::default() };
    let frame = rig.answer(&rig.question(Report::Apps), &known);
    let wiki = row(&frame, &["wiki"]).unwrap();
    assert_eq!((&wiki[1], &wiki[6], &wiki[7]), (&Cell::Number(0), &Cell::None, &Cell::None));
    let dormant = rig.report(Report::Dormant);
    assert!(dormant.rows.is_empty() && dormant.notes.iter().any(|note| note.contains("nobody has said")));
    let known = Known { routes: Some(vec!["wiki".into()]), providers: Some(Vec::new()), ..Known::default() };
    let dormant = rig.answer(&rig.question(Report::Dormant), &known);
    assert_eq!(row(&dormant, &["app", "wiki"]).unwrap()[2], Cell::Unknown);
    let review = rig.report(Report::AccessReview);
    assert!(review.rows.is_empty() && review.notes[0].contains("nobody has said"));
}

#[test]
fn without_names_a_person_is_a_number() {
    let mut rig = Rig::new();
    let (alice, wiki) = (person("alice"), RouteWords::new(1, "wiki"));
    rig.emit(&request(&wiki, Some(&alice), 1, Outcome::Allowed));
    rig.write();
    for report in Report::TABLE.map(|(report, ..)| report) {
        let question = Question { names: false, ..rig.question(report) };
        let frame = rig.answer(&question, &Known::default());
        for format in [Format::Table, Format::Csv, Format::Json, Format::Html] {
            let text = format.write(&frame);
            assert!(!text.contains("alice"), "{} {text}", report.word());
        }
    }
}

#[derive(Debug)]
struct Anybody;

impl Reach for Anybody {
    fn reach(&self, who: &crate::segments::Who) -> Vec<Access> {
        let access = |route: &str, verdict, by: String| Access {
            route: route.into(),
            verdict,
            by,
            print: "0f1e2d3c".into(),
        };
        vec![
            access("wiki", Verdict::Yes, format!("policy staff, for {}", who.user)),
            access("chat", Verdict::Unknown, "groups are not known".into()),
        ]
    }
}

#[test]
fn a_review_says_who_may_what_beside_who_did() {
    let mut rig = Rig::new();
    let (alice, wiki) = (person("alice"), RouteWords::new(1, "wiki"));
    for _ in 0..3 {
        rig.emit(&request(&wiki, Some(&alice), 1, Outcome::Allowed));
    }
    rig.write();
    let known = Known { reach: Some(&Anybody), ..Known::default() };
    let frame = rig.answer(&rig.question(Report::AccessReview), &known);
    let routes: Vec<_> =
        frame.rows.iter().map(|row| (row[2].clone(), row[3].clone(), row[5].clone())).collect();
    let text = |text: &str| Cell::Text(text.into());
    // What nobody has used stands first.
    assert_eq!(
        routes,
        [(text("chat"), text("unknown"), Cell::Number(0)), (text("wiki"), text("yes"), Cell::Number(3))]
    );
    assert_eq!(frame.rows[0][7], text("not used in this time, and not marked"));
    assert_eq!(frame.rows[0][8..], [Cell::None, Cell::None, Cell::None, Cell::None]);
    let lead = &frame.leads[0];
    assert_eq!(lead.person, Some(("corp".into(), "sub-alice".into())));
    assert!(lead.terms.contains(&(Field::Route, "chat".into())), "{lead:?}");
}

#[test]
fn a_mark_holds_for_its_rule_until_another_one_is_made_and_from_before_the_time_as_well() {
    let mut rig = Rig::new();
    let alice = person("alice");
    let by = "policy staff, for alice #0f1e2d3c";
    let state = |rig: &Rig| {
        let known = Known { reach: Some(&Anybody), ..Known::default() };
        // Of the last hour alone, in which no mark was made.
        let now = Moment::from_micros(rig.clock.moment().micros() + 1);
        let question = Question::new(Report::AccessReview, "1h", None, "UTC", now).unwrap();
        let frame = rig.answer(&question, &known);
        let wiki = frame.rows.iter().find(|row| row[2] == Cell::Text("wiki".into())).unwrap().clone();
        let first = frame.rows[0][2].clone();
        (wiki[7].clone(), wiki[8].clone(), wiki[9].clone(), first)
    };
    let text = |text: &str| Cell::Text(text.into());
    for (rule, mark, expected, first) in [
        (by, Mark::Keep, "marked", "chat"),
        (by, Mark::Ask, "somebody is to be asked", "chat"),
        (by, Mark::Revoke, "to be revoked, and still there", "wiki"),
        ("policy staff, for alice #00000000", Mark::Keep, "other rules than at the last mark", "wiki"),
    ] {
        rig.emit(&reviewed(&alice, "wiki", rule, mark));
        rig.write();
        rig.pass(7_200);
        let (state, told, reviewer, first_row) = state(&rig);
        assert_eq!((state, told), (text(expected), text(mark.as_str())));
        assert_eq!((reviewer, first_row), (text("anna (corp), in the console"), text(first)));
    }
}

/// Whether what was to be taken away is gone, a rule about groups does not tell.
#[test]
fn what_nobody_knows_is_not_said_to_be_still_there() {
    let mut rig = Rig::new();
    let (alice, chat) = (person("alice"), RouteWords::new(2, "chat"));
    rig.emit(&request(&chat, Some(&alice), 1, Outcome::Allowed));
    rig.emit(&reviewed(&alice, "chat", "groups are not known #0f1e2d3c", Mark::Revoke));
    rig.write();
    let known = Known { reach: Some(&Anybody), ..Known::default() };
    let frame = rig.answer(&rig.question(Report::AccessReview), &known);
    let words = "to be revoked; whether it still is there is not known";
    assert_eq!(frame.rows[0][7], Cell::Text(words.into()), "{frame:?}");
}

#[test]
fn a_report_about_somebody_tells_of_nobody_else() {
    let mut rig = Rig::new();
    let wiki = RouteWords::new(1, "wiki");
    for (session, name) in [(1, "alice"), (2, "bob")] {
        rig.emit(&request(&wiki, Some(&person(name)), session, Outcome::Allowed));
    }
    rig.write();
    let known = Known { reach: Some(&Anybody), ..Known::default() };
    for asked in [[("user", "bob"), ("route", "wiki")], [("user", "sub-bob"), ("route", "wiki")]] {
        let mut question = rig.question(Report::AccessReview);
        asked.iter().for_each(|(name, value)| question.filter.set(name, value, now()).unwrap());
        let frame = rig.answer(&question, &known);
        let told: Vec<_> =
            frame.rows.iter().map(|row| (row[0].clone(), row[2].clone(), row[5].clone())).collect();
        assert_eq!(told, [(Cell::Text("bob".into()), Cell::Text("wiki".into()), Cell::Number(1))]);
    }
}

#[test]
fn a_rule_that_decided_nothing_is_dormant() {
    let mut rig = Rig::new();
    let (alice, wiki) = (person("alice"), RouteWords::new(1, "wiki"));
    for (outcome, rule, reason) in [
        (Outcome::Allowed, Some("policy staff, allow rule 12"), ""),
        // A rule that keeps somebody out is told as the reason.
        (Outcome::Forbidden, None, "policy staff, deny rule 1; the provider did not list the groups"),
    ] {
        let rule = rule.as_ref().map(|rule| rule as &dyn std::fmt::Display);
        rig.emit(&AccessEvent { rule, reason, ..request(&wiki, Some(&alice), 1, outcome) });
    }
    rig.write();
    let rules = ["deny rule 1", "allow rule 1", "allow rule 12"].map(|rule| format!("policy staff, {rule}"));
    let known = Known { rules: Some(rules.to_vec()), ..Known::default() };
    let frame = rig.answer(&rig.question(Report::Dormant), &known);
    let unused: Vec<_> = frame.rows.iter().filter(|row| row[0] == Cell::Text("rule".into())).collect();
    assert_eq!(unused.len(), 1, "{unused:?}");
    assert_eq!(unused[0][1], Cell::Text("policy staff, allow rule 1".into()));
}

#[test]
fn changes_are_told_key_by_key() {
    use portcullis_events::{Change, ConfigurationChanged, ManagementCalled};
    let mut rig = Rig::new();
    let change = |key| Change { key, before: Some("1"), after: None };
    rig.emit(&ConfigurationChanged {
        file: "p.toml",
        changes: &[change("a"), change("b")],
        count: Some(2),
        by: Some("root"),
    });
    for operation in ["list-sessions", "drain"] {
        let (client, reason, selected, ended) = (None, None, None, None);
        rig.emit(&ManagementCalled {
            id: None,
            operator: "root",
            operation,
            client,
            status: 200,
            reason,
            selected,
            ended,
        });
    }
    rig.write();
    let frame = rig.report(Report::Changes);
    let what: Vec<_> =
        frame.rows.iter().map(|row| (row[3].clone(), row[4].clone(), row[5].clone())).collect();
    let (one, text) = (Cell::Text("1".into()), |text: &str| Cell::Text(text.into()));
    assert_eq!(
        what,
        [
            (text("a"), one.clone(), Cell::None),
            (text("b"), one, Cell::None),
            (text("drain"), Cell::None, Cell::None)
        ]
    );
}
