//! Reports as pages: the same as the command says, for those who may see people; and who judges what people may.

use serde_json::{Value, json};

use crate::support::{Browser, between, event, program, until_async};

use super::rig::Rig;

/// A rig in which alice was let in three times and refused twice, as the store has it.
async fn used() -> (Rig, Browser) {
    let rig = Rig::open().await;
    let (auditor, alice) = (rig.of("anna", "audit").await, rig.of("alice", "staff").await);
    for _ in 0..2 {
        assert_eq!(alice.get(&rig.on("wiki", "/admin/x")).await.status, 403);
    }
    let refusals = rig.at("/reports/refusals");
    until_async("the store has it", || async {
        let page = auditor.visit(&refusals).await.body;
        page.contains("one of the groups: ops") || page.contains("policy ops")
    })
    .await;
    (rig, auditor)
}

/// What the command says, as JSON.
fn by_command(rig: &Rig, report: &str) -> Value {
    let output = program(rig.gateway.directory.path(), &["report", report, "--format", "json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[tokio::test]
async fn a_report_is_a_page_with_a_picture_its_rows_and_where_they_come_from() {
    let (rig, auditor) = used().await;
    let all = rig.page(&auditor, "/reports").await.body;
    for word in ["sign-ins", "access-review", "anomalies", "dormant", "changes"] {
        let link = format!("/at/here/reports/{word}\"");
        assert!(all.contains(&link), "{word}: {all}");
        let page = rig.page(&auditor, &format!("/reports/{word}")).await;
        assert!(page.body.contains("</html>") && page.body.contains("portcullis report"), "{word}");
        assert_eq!(page.header("x-accel-buffering"), "no");
    }
    let page = rig.page(&auditor, "/reports/refusals?user=alice&zone=Europe%2FBerlin").await.body;
    for told in
        ["<bdi>admin</bdi>", "<bdi>forbidden</bdi>", ">2<", "aria-label=\"Events: admin", "outcome=forbidden"]
    {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(page.contains("Refusals by reason") && page.contains("2 refusals"), "{page}");
    assert!(
        page.contains("Europe/Berlin")
            && page.contains("--zone &#39;Europe/Berlin&#39; --user &#39;alice&#39;"),
        "{page}"
    );
    // Where a row leads there are the events that it was made of.
    let link =
        between(&page, "<td role=\"cell\" data-label=\"leads to\" class=\"leads\"><a href=\"/at/here", "\"");
    let events = rig.page(&auditor, &link.replace("&#38;", "&")).await.body;
    assert!(events.contains("/admin/x"), "{link}: {events}");
    let review = rig.page(&auditor, "/reports/access-review?route=wiki").await.body;
    assert!(review.contains("What is to be looked at") && review.contains("alice"), "{review}");
    assert!(!review.contains("<bdi>admin</bdi>"), "of one app alone: {review}");
}

#[tokio::test]
async fn a_report_is_a_file_that_says_what_the_command_says() {
    let (rig, auditor) = used().await;
    let file = auditor.get(&rig.at("/reports/refusals.json")).await;
    assert!(file.header("content-disposition").contains("refusals.json"), "{:?}", file.headers);
    let told: Value = serde_json::from_str(&file.body).unwrap();
    let expected = by_command(&rig, "refusals");
    assert!(told["rows"] == expected["rows"] && !expected["rows"][0].is_null(), "{told}\n{expected}");
    let csv = auditor.get(&rig.at("/reports/people.csv?names=no")).await;
    assert!(csv.body.starts_with("person,provider,") && !csv.body.contains("alice"), "{}", csv.body);
    let html = auditor.get(&rig.at("/reports/apps.html")).await;
    assert!(html.header("content-security-policy").contains("sandbox") && html.body.contains("<table>"));
    for wrong in ["since=moon", "zone=Berlin", "page=0", "user=a&user=b"] {
        for path in ["people", "people.csv"] {
            let page = auditor.get(&rig.at(&format!("/reports/{path}?{wrong}"))).await;
            assert_eq!(page.status, 400, "{path}?{wrong}: {}", page.body);
        }
    }
    for nothing in ["/reports/x", "/reports/people.exe", "/reports/people/x"] {
        assert_eq!(auditor.get(&rig.at(nothing)).await.status, 404, "{nothing}");
    }
    assert_eq!(auditor.submit(&rig.at("/reports/people"), "").await.status, 405);
}

#[tokio::test]
async fn invariant_1_reports_are_for_auditors() {
    let rig = Rig::open().await;
    let viewer = rig.of("vera", "staff").await;
    for path in [
        "",
        "/people",
        "/people.csv",
        "/access-review",
        "/access-review/mark?provider=corp&subject=a&route=wiki",
    ] {
        let page = viewer.visit(&rig.at(&format!("/reports{path}"))).await;
        assert_eq!(page.status, 403, "{path}: {}", page.body);
    }
    let form = "provider=corp&subject=alice&route=wiki&mark=keep";
    assert_eq!(viewer.submit(&rig.at("/reports/access-review/mark"), form).await.status, 403);
}

/// The form of a review page, as it would be sent with `mark`.
fn form(page: &str, mark: &str) -> String {
    let value = |name: &str| {
        let value = between(page, &format!("name=\"{name}\" value=\""), "\"");
        url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>()
    };
    let fields =
        ["provider", "subject", "route", "rule", "shown"].map(|name| format!("{name}={}", value(name)));
    format!("{}&mark={mark}&reason=left+the+team", fields.join("&"))
}

#[tokio::test]
async fn a_reviewers_mark_is_kept_and_shown_and_says_what_would_take_the_access_away() {
    let (rig, auditor) = used().await;
    let at = "/reports/access-review/mark?provider=corp&subject=alice&route=admin";
    let page = rig.page(&auditor, at).await.body;
    assert!(page.contains("Shall <bdi>alice</bdi>") && page.contains("None."), "{page}");
    let done = auditor.submit(&rig.at("/reports/access-review/mark"), &form(&page, "revoke")).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(done.body.contains("users = [&#34;alice&#34;]"), "what would have to be written: {}", done.body);
    let line = event(&rig.gateway, "access.reviewed");
    let told =
        ["operator", "user", "route", "mark", "reason"].map(|name| line[name].as_str().unwrap_or_default());
    assert_eq!(told, ["anna (corp), in the console", "alice", "admin", "revoke", "left the team"], "{line}");
    assert!(line["us"].is_u64() && line["rule"].as_str().unwrap().starts_with("policy ops"), "{line}");
    let review = rig.at("/reports/access-review?user=alice&route=admin");
    until_async("the store has the mark", || async {
        let page = auditor.visit(&review).await.body;
        page.contains("whether it still is there is not known") && page.contains("left the team")
    })
    .await;
    let again = rig.page(&auditor, at).await.body;
    assert!(again.contains("<b>revoke</b>") && again.contains("by the same rule"), "{again}");
    let told = by_command(&rig, "access-review");
    let row =
        told["rows"].as_array().unwrap().iter().find(|row| row["app"] == "admin" && row["person"] == "alice");
    assert_eq!(row.unwrap()["mark"], "revoke", "{told}");
}

#[tokio::test]
async fn invariant_1_nobody_reviews_themselves_or_what_they_have_not_seen() {
    let (rig, auditor) = used().await;
    let at = |subject: &str, route: &str| {
        format!("/reports/access-review/mark?provider=corp&subject={subject}&route={route}")
    };
    let own = auditor.visit(&rig.at(&at("anna", "wiki"))).await;
    assert!(own.status == 400 && own.body.contains("about you"), "{}", own.body);
    let submit = |form: String| {
        let (rig, auditor) = (&rig, &auditor);
        async move { auditor.submit(&rig.at("/reports/access-review/mark"), &form).await }
    };
    let own = submit("provider=corp&subject=anna&route=wiki&mark=keep&rule=x".into()).await;
    assert!(own.status == 400 && own.body.contains("about you"), "{}", own.body);
    let page = rig.page(&auditor, &at("alice", "admin")).await.body;
    for (wrong, why) in [
        (form(&page, "keep").replace("rule=policy", "rule=other"), "another rule"),
        (form(&page, "burn"), "Choose one"),
        (form(&page, "keep").replace("subject=alice", "subject=nobody"), "knows nobody"),
        (form(&page, "keep").replace("route=admin", "route=gone"), "may not go there"),
    ] {
        let answer = submit(wrong).await;
        assert!(answer.status == 400 && answer.body.contains(why), "{why}: {}", answer.body);
    }
    // Nor does another site's page have a browser do it.
    let from = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
    let url = rig.at("/reports/access-review/mark");
    let foreign = auditor.send(http::Method::POST, &url, &from, &form(&page, "keep")).await;
    assert_eq!(foreign.status, 403, "{}", foreign.body);
    let lines = rig.gateway.log();
    assert!(!lines.contains("\"type\":\"access.reviewed\""), "nothing was kept: {lines}");
}

#[tokio::test]
async fn what_was_written_by_strangers_is_text_in_a_report() {
    let rig = Rig::open().await;
    let auditor = rig.of("anna", "audit").await;
    let name = "<img src=x>\u{202e}";
    let mallory = json!({ "sub": "m", "preferred_username": name, "groups": ["staff"] });
    let mallory = rig.somebody(mallory).await;
    assert_eq!(mallory.get(&rig.on("wiki", "/admin")).await.status, 403);
    let people = rig.at("/reports/people");
    until_async("the store has it", || async { auditor.visit(&people).await.body.contains("img src=x") })
        .await;
    for report in ["people", "access-review", "sessions"] {
        let page = rig.page(&auditor, &format!("/reports/{report}")).await.body;
        assert!(!page.contains("<img src=x") && !page.contains('\u{202e}'), "{report}: {page}");
    }
}
