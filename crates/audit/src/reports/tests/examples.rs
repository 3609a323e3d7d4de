//! The examples of `docs/reports.md` are what the reports say of a morning. `UPDATE_DOCS=1` writes them anew.

use portcullis_events::{Culprit, Mark, SignInFailed, SignInSucceeded, SignedOut};

use super::*;

fn morning() -> Rig {
    let mut rig = Rig::new();
    let (wiki, chat) = (RouteWords::new(1, "wiki"), RouteWords::new(2, "chat"));
    let (alice, bob) = (person("alice"), person("bob"));
    for (session, who) in [(0xA11CE, &alice), (0xB0B, &bob)] {
        let (caller, took) = (caller(client(100, 7)), Some(Duration::from_millis(900)));
        rig.emit(&SignInSucceeded { caller, who, session, amr: &[], took });
        for _ in 0..12 {
            rig.emit(&request(&wiki, Some(who), session, Outcome::Allowed));
            rig.pass(20);
        }
    }
    for _ in 0..3 {
        let refused = AccessEvent {
            rule: Some(&"policy staff, rule 1"),
            reason: "groups: not one of staff",
            ..request(&chat, Some(&bob), 0xB0B, Outcome::Forbidden)
        };
        rig.emit(&refused);
        rig.pass(60);
    }
    let (caller_, provider, culprit) = (caller(client(100, 9)), Some("corp"), Culprit::Client);
    let (reason, took) = ("access_denied: the person said no", None);
    rig.emit(&SignInFailed { caller: caller_, provider, who: None, culprit, reason, took });
    let tablet = Caller { device: Some("Safari on iPad"), ..caller(client(101, 3)) };
    rig.emit(&SignInSucceeded { caller: tablet, who: &alice, session: 0xA11CF, amr: &[], took });
    rig.emit(&reviewed(&bob, "wiki", "signed in #0f1e2d3c", Mark::Keep));
    rig.emit(&SignedOut { caller: caller(client(100, 7)), who: Some(&bob), session: 0xB0B });
    rig.write();
    rig
}

fn examples() -> String {
    let rig = morning();
    let routes = Some(vec!["wiki".to_owned(), "chat".to_owned(), "grafana".to_owned()]);
    let rules = Some(vec!["policy staff, rule 1".to_owned(), "policy staff, rule 2".to_owned()]);
    let known = Known { routes, providers: Some(vec!["corp".into()]), rules, reach: Some(&Staff), geo: None };
    let mut text = String::new();
    for (report, word, doc) in Report::TABLE {
        let question = Question { since: (START - 3_600) * 1_000_000, ..rig.question(report) };
        let mut told = Format::Table.write(&rig.answer(&question, &known));
        // The id of a process is another one each time.
        told = told.replace(rig.recorder.process(), "9f2c41d07ab3");
        text.push_str(&format!("### {word}\n{doc}\n\n```\n{told}```\n\n"));
    }
    text
}

#[derive(Debug)]
struct Staff;

impl Reach for Staff {
    fn reach(&self, who: &crate::segments::Who) -> Vec<Access> {
        let yes = |route: &str, by: &str| Access {
            route: route.into(),
            verdict: Verdict::Yes,
            by: by.into(),
            print: "0f1e2d3c".into(),
        };
        match who.user.as_str() {
            "alice" => vec![yes("wiki", "signed in"), yes("chat", "policy staff, rule 1")],
            _ => vec![
                yes("wiki", "signed in"),
                Access {
                    route: "grafana".into(),
                    verdict: Verdict::Unknown,
                    by: "groups are not known".into(),
                    print: "4b5a6978".into(),
                },
            ],
        }
    }
}

#[test]
fn the_examples_in_the_documentation_are_what_reports_say() {
    const BEGIN: &str = "<!-- examples: written by a test -->\n";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reports.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (before, _) = document.split_once(BEGIN).expect("the place of the examples");
    let expected = format!("{before}{BEGIN}\n{}", examples().trim_end_matches('\n')) + "\n";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return std::fs::write(&path, expected).unwrap();
    }
    assert!(
        document == expected,
        "docs/reports.md and the code differ; UPDATE_DOCS=1 writes the examples anew"
    );
}
