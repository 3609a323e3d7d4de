//! Which role sees and does what.

use crate::support::Browser;

use super::rig::Rig;

/// What everybody may see whom the console's route lets in.
const OPEN: [&str; 4] = ["/", "/apps", "/explain", "/configuration"];

async fn status(rig: &Rig, browser: &Browser, path: &str) -> u16 {
    browser.visit(&rig.at(path)).await.status
}

#[tokio::test]
async fn invariant_1_viewers_see_how_the_gateway_is_and_nobody() {
    let rig = Rig::open().await;
    let (viewer, auditor) = (rig.of("vera", "staff").await, rig.of("anna", "audit").await);
    for path in OPEN {
        let page = rig.page(&viewer, path).await;
        assert!(page.body.contains("vera") && page.body.contains("viewer"), "{path}: {}", page.body);
        assert!(page.body.contains("/.portcullis/sign-out"), "{path}");
        assert!(!page.body.contains("/at/here/sessions") && !page.body.contains("anna"), "{path}");
    }
    let id = rig.id_of(&auditor, "anna").await;
    for path in [
        "/sessions",
        "/sessions?user=anna",
        "/events/live",
        "/events/live?user=anna",
        "/act/reload",
        "/act/drain",
        &format!("/sessions/{id}"),
        "/sessions/end?user=anna",
        &format!("/explain?session={id}&url=http%3A%2F%2Fwiki.localhost%2F"),
        // Nor does a refusal tell who is signed in.
        &format!("/sessions/{}", "0".repeat(64)),
    ] {
        let page = viewer.visit(&rig.at(path)).await;
        assert_eq!(page.status, 403, "{path}: {}", page.body);
        assert!(page.body.contains("not open to your role"), "{path}: {}", page.body);
        assert!(!page.body.contains("anna") || path.contains("user=anna"), "{path}: {}", page.body);
        let stream = [("accept", "text/event-stream")];
        let stream = viewer.send(http::Method::GET, &rig.at(path), &stream, "").await;
        assert!(stream.status == 403 && !stream.header("content-type").contains("event-stream"), "{path}");
        assert!(!page.body.contains("Firefox"), "{path}");
    }
}

#[tokio::test]
async fn invariant_1_auditors_see_people_and_end_nothing() {
    let rig = Rig::open().await;
    let (auditor, alice) = (rig.of("anna", "audit").await, rig.of("alice", "staff").await);
    let list = rig.page(&auditor, "/sessions").await;
    for told in ["alice", "anna", "Firefox on Windows", "127.0.0.1", "wiki.localhost", "just now", "you"] {
        assert!(list.body.contains(told), "{told}: {}", list.body);
    }
    let id = rig.id_of(&auditor, "alice").await;
    let one = rig.page(&auditor, &format!("/sessions/{id}")).await;
    assert!(one.body.contains("staff") && one.body.contains(rig.issuer.issuer()), "{}", one.body);
    for page in [&list, &one] {
        assert!(!page.body.contains("sessions/end") && !page.body.contains("method=\"post\""));
    }
    assert_eq!(status(&rig, &auditor, "/sessions/end?user=alice").await, 403);
    for act in ["/act/reload", "/act/rotate", "/act/drain"] {
        assert_eq!(status(&rig, &auditor, act).await, 403, "{act}");
        assert_eq!(auditor.submit(&rig.at(act), "").await.status, 403, "{act}");
    }
    for form in [format!("id={id}"), "user=alice".to_owned(), "all=yes".to_owned()] {
        let answer = auditor.submit(&rig.at("/sessions/end"), &form).await;
        assert_eq!(answer.status, 403, "{form}: {}", answer.body);
    }
    assert!(rig.is_in(&alice).await);
}

#[tokio::test]
async fn who_may_act_is_led_there() {
    let rig = Rig::open().await;
    let operator = rig.of("olga", "ops").await;
    let list = rig.page(&operator, "/sessions").await;
    assert!(list.body.contains("sessions/end") && list.body.contains("operator"), "{}", list.body);
    for path in OPEN {
        let page = rig.page(&operator, path).await;
        assert_eq!(page.body.matches("aria-current=\"page\"").count(), 1, "{path}");
        assert_eq!(page.body.matches("<h1>").count(), 1, "{path}");
        assert!(page.body.contains("href=\"#content\"") && page.body.contains("id=\"content\""), "{path}");
    }
}
